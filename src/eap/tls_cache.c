#include "eap/tls_cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"

#define SHARDS     16u
#define BUCKETS    512u
#define SHARD_MOST (RG_TLS_CACHE_MOST / SHARDS)
#define SHARES     64u /* as many as there may be workers; more threads than that share one */

struct entry {
	struct entry *next;          /* of its bucket */
	struct entry *newer, *older; /* of its share, by last use */
	unsigned share;
	uint8_t id[SSL_MAX_SSL_SESSION_ID_LENGTH];
	size_t id_length;
	struct rg_tls_cached cached;
};

/* What one thread has put here. */
struct share {
	struct entry *newest, *oldest;
	unsigned count;
};

/* Process-wide: a laptop comes back through any worker. */
static struct shard {
	pthread_mutex_t lock;
	struct entry *buckets[BUCKETS];
	struct share shares[SHARES];
	unsigned count;
} shards[SHARDS] = {[0 ... SHARDS - 1] = {.lock = PTHREAD_MUTEX_INITIALIZER}};

/* Ids are our own random octets: any of them will do as a hash. */
static struct shard *shard_of(const uint8_t *id)
{
	return &shards[id[0] % SHARDS];
}

static struct entry **find(struct shard *shard, const uint8_t *id, size_t id_length)
{
	struct entry **at = &shard->buckets[(id[1] | (unsigned)id[2] << 8) % BUCKETS];
	while (*at && ((*at)->id_length != id_length || memcmp((*at)->id, id, id_length) != 0))
		at = &(*at)->next;
	return at;
}

static unsigned share_of_thread(void)
{
	static atomic_uint threads;
	static _Thread_local unsigned number; /* 0: not yet given */
	if (number == 0)
		number = 1 + atomic_fetch_add(&threads, 1) % SHARES;
	return number - 1;
}

static struct entry **place_of(struct shard *shard, const struct entry *entry)
{
	return find(shard, entry->id, entry->id_length);
}

static void list_out(struct shard *shard, struct entry *entry)
{
	struct share *share = &shard->shares[entry->share];
	*(entry->newer ? &entry->newer->older : &share->newest) = entry->older;
	*(entry->older ? &entry->older->newer : &share->oldest) = entry->newer;
	share->count--;
}

static void list_front(struct shard *shard, struct entry *entry)
{
	struct share *share = &shard->shares[entry->share];
	entry->newer = NULL;
	entry->older = share->newest;
	*(share->newest ? &share->newest->newer : &share->oldest) = entry;
	share->newest = entry;
	share->count++;
}

/* Out of the shard; to be freed by the caller, without the lock. */
static struct entry *take_out(struct shard *shard, struct entry **at)
{
	struct entry *entry = *at;
	if (!entry)
		return NULL;
	*at = entry->next;
	list_out(shard, entry);
	shard->count--;
	return entry;
}

static bool is_over(const struct entry *entry, time_t now, uint64_t now_ns)
{
	return entry->cached.expires <= now || entry->cached.lasts_ns <= now_ns;
}

/* Which one makes room: one that has expired, or else the longest unused of the share that has
 * most. Not the longest unused of all: a session lies in memory of the thread that made it, which
 * malloc gives to no other when it is free again. Workers that drove each other's sessions out by
 * turns would come to hold memory for a full cache each. */
static struct entry *victim(const struct shard *shard, unsigned own, time_t now, uint64_t now_ns)
{
	const struct share *most = &shard->shares[own];
	for (unsigned i = 0; i < SHARES; i++) {
		const struct share *share = &shard->shares[i];
		if (share->oldest && is_over(share->oldest, now, now_ns))
			return share->oldest;
		if (share->count > most->count)
			most = share;
	}
	return most->oldest;
}

static void entry_free(struct entry *entry)
{
	if (!entry)
		return;
	SSL_SESSION_free(entry->cached.session);
	X509_free(entry->cached.issuer);
	X509_free(entry->cached.leaf);
	free(entry);
}

void tls_cache_put(const struct rg_tls_cached *cached)
{
	unsigned id_length = 0;
	const uint8_t *id = SSL_SESSION_get_id(cached->session, &id_length);
	if (id_length < 16 || id_length > SSL_MAX_SSL_SESSION_ID_LENGTH)
		return;
	struct entry *entry = calloc(1, sizeof(*entry));
	if (!entry)
		return;
	memcpy(entry->id, id, id_length);
	entry->id_length = id_length;
	entry->share = share_of_thread();
	entry->cached = *cached;
	SSL_SESSION_up_ref(cached->session);
	if (cached->issuer)
		X509_up_ref(cached->issuer);
	if (cached->leaf)
		X509_up_ref(cached->leaf);

	time_t now = time(NULL);
	uint64_t now_ns = clock_now();
	struct shard *shard = shard_of(id);
	pthread_mutex_lock(&shard->lock);
	struct entry *same = take_out(shard, find(shard, id, id_length)), *oldest = NULL;
	if (shard->count >= SHARD_MOST)
		oldest = take_out(shard, place_of(shard, victim(shard, entry->share, now, now_ns)));
	struct entry **bucket = find(shard, id, id_length);
	*bucket = entry;
	list_front(shard, entry);
	shard->count++;
	pthread_mutex_unlock(&shard->lock);
	entry_free(same);
	entry_free(oldest);
}

bool tls_cache_find(const uint8_t *id, size_t id_length, const uint8_t scope[RG_TLS_SCOPE],
		    time_t now, uint64_t now_ns, struct rg_tls_cached *found)
{
	if (id_length < 16 || id_length > SSL_MAX_SSL_SESSION_ID_LENGTH)
		return false;
	struct shard *shard = shard_of(id);
	struct entry *expired = NULL;
	SSL_SESSION *master = NULL;
	pthread_mutex_lock(&shard->lock);
	struct entry **at = find(shard, id, id_length), *entry = *at;
	if (entry && is_over(entry, now, now_ns)) {
		expired = take_out(shard, at);
	} else if (entry && memcmp(entry->cached.scope, scope, RG_TLS_SCOPE) == 0) {
		list_out(shard, entry);
		list_front(shard, entry);
		*found = entry->cached;
		master = found->session;
		SSL_SESSION_up_ref(master);
		if (found->issuer)
			X509_up_ref(found->issuer);
		if (found->leaf)
			X509_up_ref(found->leaf);
	}
	pthread_mutex_unlock(&shard->lock);
	entry_free(expired);
	if (!master)
		return false;
	found->session = SSL_SESSION_dup(master);
	SSL_SESSION_free(master);
	if (!found->session) {
		X509_free(found->issuer);
		X509_free(found->leaf);
		found->issuer = found->leaf = NULL;
		return false;
	}
	return true;
}

void tls_cache_remove(const uint8_t *id, size_t id_length)
{
	if (id_length < 16 || id_length > SSL_MAX_SSL_SESSION_ID_LENGTH)
		return;
	struct shard *shard = shard_of(id);
	pthread_mutex_lock(&shard->lock);
	struct entry *entry = take_out(shard, find(shard, id, id_length));
	pthread_mutex_unlock(&shard->lock);
	entry_free(entry);
}

size_t tls_cache_count(void)
{
	size_t count = 0;
	for (unsigned i = 0; i < SHARDS; i++) {
		pthread_mutex_lock(&shards[i].lock);
		count += shards[i].count;
		pthread_mutex_unlock(&shards[i].lock);
	}
	return count;
}

void tls_cache_clear(void)
{
	for (unsigned i = 0; i < SHARDS; i++) {
		struct shard *shard = &shards[i];
		struct entry *entry;
		do {
			pthread_mutex_lock(&shard->lock);
			entry = shard->count ? victim(shard, 0, 0, 0) : NULL;
			if (entry)
				take_out(shard, place_of(shard, entry));
			pthread_mutex_unlock(&shard->lock);
			entry_free(entry);
		} while (entry);
	}
}

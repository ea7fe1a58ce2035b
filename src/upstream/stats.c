#include "upstream/stats.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	struct entry *next;
	unsigned worker;
	uint16_t number;
	bool found;
	enum rg_transport transport; /* of a found one */
	enum rg_peer_state told;     /* in the log, by whichever worker */
	struct rg_peer_stats stats;
	char peer[];
};

static struct entry *entries; /* grows with the peers that were ever configured */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct entry *find(const char *peer, unsigned worker)
{
	struct entry *entry = entries;
	while (entry && (entry->found || entry->worker != worker || strcmp(entry->peer, peer) != 0))
		entry = entry->next;
	return entry;
}

/* Of the same name, or a new one. After 65,535 names numbers come again: a conversation may change its peer then. */
static uint16_t number_of(const char *peer)
{
	static uint16_t last;
	for (const struct entry *entry = entries; entry; entry = entry->next)
		if (strcmp(entry->peer, peer) == 0)
			return entry->number;
	if (++last == 0)
		last = 1;
	return last;
}

static void tell(const char *peer, enum rg_peer_state state)
{
	for (struct entry *entry = entries; entry; entry = entry->next)
		if (strcmp(entry->peer, peer) == 0)
			entry->told = state;
}

static enum rg_peer_state told_of(const char *peer)
{
	const struct entry *entry = entries;
	while (entry && strcmp(entry->peer, peer) != 0)
		entry = entry->next;
	return entry ? entry->told : RG_PEER_UNKNOWN;
}

static struct entry *entry_add(const char *peer, unsigned worker)
{
	struct entry *entry = calloc(1, sizeof(*entry) + strlen(peer) + 1);
	if (!entry)
		return NULL;
	strcpy(entry->peer, peer);
	entry->worker = worker;
	entry->number = number_of(peer);
	entry->told = told_of(peer);
	entry->next = entries;
	entries = entry;
	return entry;
}

struct rg_peer_stats *peer_stats_of(const char *peer, unsigned worker, uint16_t *number)
{
	pthread_mutex_lock(&lock);
	struct entry *entry = find(peer, worker);
	if (!entry)
		entry = entry_add(peer, worker);
	else if (worker == 0) /* configured anew: how it is by then is news */
		tell(peer, RG_PEER_UNKNOWN);
	if (entry && number)
		*number = entry->number;
	pthread_mutex_unlock(&lock);
	return entry ? &entry->stats : NULL;
}

struct rg_peer_stats *peer_stats_found(const char *peer, enum rg_transport transport, unsigned worker,
				       uint16_t *number)
{
	pthread_mutex_lock(&lock);
	struct entry *entry = entry_add(peer, worker);
	if (entry) {
		entry->found = true;
		entry->transport = transport;
	}
	if (entry && number)
		*number = entry->number;
	pthread_mutex_unlock(&lock);
	return entry ? &entry->stats : NULL;
}

void peer_stats_forget(struct rg_peer_stats **held)
{
	struct rg_peer_stats *stats = *held;
	*held = NULL;
	pthread_mutex_lock(&lock);
	struct entry **at = &entries;
	while (*at && &(*at)->stats != stats)
		at = &(*at)->next;
	struct entry *entry = *at;
	if (entry)
		*at = entry->next;
	pthread_mutex_unlock(&lock);
	free(entry);
}

size_t peer_stats_found_peers(struct rg_found_peer *peers, size_t most)
{
	size_t count = 0;
	pthread_mutex_lock(&lock);
	for (const struct entry *entry = entries; entry && count < most; entry = entry->next) {
		size_t i = 0;
		while (i < count && strcmp(peers[i].name, entry->peer) != 0)
			i++;
		if (!entry->found || i < count)
			continue;
		snprintf(peers[count].name, sizeof(peers[count].name), "%s", entry->peer);
		peers[count++].transport = entry->transport;
	}
	pthread_mutex_unlock(&lock);
	return count;
}

bool peer_stats_is_news(const struct rg_peer_stats *stats, enum rg_peer_state state)
{
	bool news = false;
	pthread_mutex_lock(&lock);
	const struct entry *own = entries;
	while (own && &own->stats != stats)
		own = own->next;
	if (own) {
		news = own->told != state;
		tell(own->peer, state);
	}
	pthread_mutex_unlock(&lock);
	return news;
}

void peer_stats_connected(struct rg_peer_stats *stats, unsigned connections,
			  const struct rg_peer_connection *connection)
{
	pthread_mutex_lock(&lock);
	stats->connections = connections;
	snprintf(stats->tls, sizeof(stats->tls), "%s", connection->tls);
	snprintf(stats->subject, sizeof(stats->subject), "%s", connection->subject);
	stats->not_after = connection->not_after;
	stats->version = connection->version;
	stats->detail[0] = '\0';
	pthread_mutex_unlock(&lock);
}

void peer_stats_disconnected(struct rg_peer_stats *stats, unsigned connections, const char *detail)
{
	pthread_mutex_lock(&lock);
	stats->connections = connections;
	snprintf(stats->detail, sizeof(stats->detail), "%s", detail);
	pthread_mutex_unlock(&lock);
}

/* Class c ends at 0.1 ms * 2^(c / 4). */
static uint64_t class_end_ns(unsigned class)
{
	static const uint64_t quarter[] = {100000, 118921, 141421, 168179};
	return quarter[class % 4] << class / 4;
}

void peer_stats_latency(struct rg_peer_stats *stats, uint64_t ns)
{
	unsigned class = 0;
	if (ns >= class_end_ns(4)) /* the class in which its power of two begins */
		class = 4 * (63 - (unsigned)__builtin_clzll(ns / class_end_ns(0)));
	while (class < RG_LATENCY_CLASSES - 1 && ns > class_end_ns(class))
		class++;
	if (class >= RG_LATENCY_CLASSES)
		class = RG_LATENCY_CLASSES - 1;
	stats_add(&stats->latency[class], 1);
}

static double percentile(const uint64_t *latency, double share)
{
	uint64_t total = 0, seen = 0;
	for (unsigned i = 0; i < RG_LATENCY_CLASSES; i++)
		total += latency[i];
	for (unsigned i = 0; i < RG_LATENCY_CLASSES && total != 0; i++) {
		seen += latency[i];
		if ((double)seen >= share * (double)total)
			return (double)class_end_ns(i) / 1e6;
	}
	return 0;
}

static void add(struct rg_peer_summary *sum, struct rg_peer_stats *stats, uint64_t *latency)
{
	enum rg_peer_state state = atomic_load(&stats->state);
	uint64_t since = atomic_load(&stats->since_wall_ns);
	bool worse = state == RG_PEER_DOWN && sum->state != RG_PEER_DOWN;
	bool known = state == RG_PEER_UP && sum->state == RG_PEER_UNKNOWN;
	if (worse || known || (state == sum->state && since > sum->since_wall_ns)) {
		sum->state = state;
		sum->why = atomic_load(&stats->why);
		sum->since_wall_ns = since;
	}
	sum->outstanding += atomic_load(&stats->outstanding);
	sum->answered += atomic_load(&stats->answered);
	sum->refused += atomic_load(&stats->refused);
	sum->lost += atomic_load(&stats->lost);
	sum->bad += atomic_load(&stats->bad);
	sum->failovers += atomic_load(&stats->failovers);
	sum->connections += stats->connections;
	if (stats->tls[0]) {
		memcpy(sum->tls, stats->tls, sizeof(sum->tls));
		memcpy(sum->subject, stats->subject, sizeof(sum->subject));
		sum->not_after = stats->not_after;
		sum->version = stats->version;
	}
	if (state == RG_PEER_DOWN || stats->connections == 0)
		memcpy(sum->detail, stats->detail, sizeof(sum->detail));
	for (unsigned i = 0; i < RG_LATENCY_CLASSES; i++)
		latency[i] += atomic_load_explicit(&stats->latency[i], memory_order_relaxed);
}

void peer_stats_summary(const char *peer, unsigned workers, struct rg_peer_summary *sum)
{
	uint64_t latency[RG_LATENCY_CLASSES] = {0};
	*sum = (struct rg_peer_summary){0};
	pthread_mutex_lock(&lock);
	for (struct entry *entry = entries; entry; entry = entry->next)
		if (entry->worker < workers && strcmp(entry->peer, peer) == 0)
			add(sum, &entry->stats, latency);
	pthread_mutex_unlock(&lock);
	sum->p50_ms = percentile(latency, 0.50);
	sum->p99_ms = percentile(latency, 0.99);
}

const char *peer_why_text(enum rg_peer_why why)
{
	switch (why) {
	case RG_WHY_NOTHING_YET:
		return "nothing was sent to it yet";
	case RG_WHY_ANSWERS:
		return "";
	case RG_WHY_SILENT:
		return "no answer";
	case RG_WHY_REFUSED_CONNECTION:
		return "its port is closed";
	case RG_WHY_NO_SOCKET:
		return "no socket could be opened";
	case RG_WHY_TRY_AGAIN:
		return "was down; the next request tries it again";
	case RG_WHY_DISCONNECTED:
		return "no connection";
	case RG_WHY_NOT_GENUINE:
		return "its answers are not genuine (is the secret the same on both sides?)";
	}
	return "?";
}

#include "home/attempts.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/once.h"
#include "core/secret.h"
#include "core/text.h"

#define WAYS     8u /* entries of one bucket */
#define BUCKETS  (RG_ATTEMPTS_MOST / WAYS)
#define SHARDS   32u
#define KEY      16u
#define DELAY_NS (64 * RG_SECOND) /* the longest */

struct entry {
	uint8_t key[KEY];
	uint64_t began_ns; /* of the window: the first wrong one */
	uint64_t next_ns;  /* no other before that */
	uint32_t wrong, under_way;
};

/* Which bucket and key a name gets is drawn at the start: who cannot foresee it cannot push another
 * one out. */
static struct {
	pthread_mutex_t locks[SHARDS];
	struct entry (*buckets)[WAYS];
	uint8_t secret[32];
} table;
static struct rg_once made = RG_ONCE;

static bool table_make(void)
{
	if (RAND_bytes(table.secret, sizeof(table.secret)) != 1)
		return false;
	table.buckets = calloc(BUCKETS, sizeof(*table.buckets));
	/* Last, for they are made once. */
	for (size_t i = 0; table.buckets && i < SHARDS; i++)
		pthread_mutex_init(&table.locks[i], NULL);
	return table.buckets;
}

static bool key_make(uint8_t key[KEY], const char *kind, const char *name)
{
	uint8_t digest[32], text[sizeof(table.secret) + 8 + 600];
	struct rg_buffer buffer = buffer_over(text, sizeof(text));
	if (!once_made(&made, table_make))
		return false;
	buffer_put(&buffer, span_of(table.secret, sizeof(table.secret)));
	buffer_put(&buffer, span_text(kind));
	buffer_put(&buffer, span_text(name));
	bool good = !buffer.failed &&
		       EVP_Digest(text, buffer.length, digest, NULL, EVP_sha256(), NULL);
	secret_wipe(text, sizeof(text));
	if (good)
		memcpy(key, digest, KEY);
	return good;
}

static unsigned bucket_of(const uint8_t key[KEY])
{
	return (key[0] | (unsigned)key[1] << 8) % BUCKETS;
}

static pthread_mutex_t *lock_of(const uint8_t key[KEY])
{
	return &table.locks[bucket_of(key) % SHARDS];
}

static struct entry *entry_find(const uint8_t key[KEY])
{
	struct entry *bucket = table.buckets[bucket_of(key)];
	for (unsigned i = 0; i < WAYS; i++)
		if (memcmp(bucket[i].key, key, KEY) == 0)
			return &bucket[i];
	return NULL;
}

/* Makes room by forgetting whoever was wrong least often: made-up names are wrong once each. */
static struct entry *entry_make(const uint8_t key[KEY])
{
	struct entry *bucket = table.buckets[bucket_of(key)], *least = bucket;
	for (unsigned i = 1; i < WAYS; i++) {
		uint32_t weight = bucket[i].wrong + bucket[i].under_way;
		uint32_t lightest = least->wrong + least->under_way;
		if (weight < lightest ||
		    (weight == lightest && bucket[i].began_ns < least->began_ns))
			least = &bucket[i];
	}
	*least = (struct entry){0};
	memcpy(least->key, key, KEY);
	return least;
}

/* After half of what is allowed the next try has to wait, twice as long each time. */
static uint64_t delay_after(uint32_t wrong, uint32_t limit)
{
	uint32_t free_ones = limit / 2;
	if (wrong <= free_ones)
		return 0;
	uint32_t doublings = wrong - free_ones - 1;
	return doublings < 6 ? RG_SECOND << doublings : DELAY_NS;
}

enum gate { GATE_OPEN, GATE_WAIT, GATE_SHUT };

static enum gate gate_enter(const uint8_t key[KEY], uint32_t limit, uint64_t window_ns,
			    uint64_t now)
{
	enum gate gate = GATE_OPEN;
	pthread_mutex_lock(lock_of(key));
	struct entry *entry = entry_find(key);
	if (!entry)
		entry = entry_make(key);
	if (entry->wrong != 0 && now - entry->began_ns >= window_ns)
		entry->wrong = 0;
	if (entry->wrong + entry->under_way >= limit)
		gate = GATE_SHUT;
	else if (entry->wrong != 0 && now < entry->next_ns)
		gate = GATE_WAIT;
	else
		entry->under_way++;
	pthread_mutex_unlock(lock_of(key));
	return gate;
}

/* forgiven: how many wrong ones to take off, once this one was right. Returns those that stood
 * there. */
static uint32_t gate_leave(const uint8_t key[KEY], enum rg_attempt_outcome outcome,
			   uint32_t forgiven, uint32_t limit, uint64_t now)
{
	uint32_t stood = 0;
	pthread_mutex_lock(lock_of(key));
	struct entry *entry = entry_find(key);
	if (entry) { /* else it was pushed out meanwhile */
		stood = entry->wrong;
		entry->under_way -= entry->under_way != 0;
		switch (outcome) {
		case RG_ATTEMPT_RIGHT:
			entry->wrong -= forgiven < entry->wrong ? forgiven : entry->wrong;
			break;
		case RG_ATTEMPT_WRONG:
			if (entry->wrong++ == 0)
				entry->began_ns = now;
			entry->next_ns = now + delay_after(entry->wrong, limit);
			break;
		case RG_ATTEMPT_UNKNOWN:
			break;
		}
	}
	pthread_mutex_unlock(lock_of(key));
	return stood;
}

/* A person may have several devices, of which one with an old password is not to shut out the
 * others. */
static uint32_t person_limit(const struct rg_attempt_settings *settings)
{
	return 2 * (uint32_t)settings->max;
}

static bool exempt(const struct rg_attempt_settings *settings, const char *name)
{
	for (size_t i = 0; i < settings->exempt.count; i++)
		if (text_glob(settings->exempt.items[i], name))
			return true;
	return false;
}

/* One name of a person, in whichever form it was typed. */
static void person_name(char out[520], const struct rg_identity *identity)
{
	if (identity->host[0])
		snprintf(out, 520, "host/%s", identity->host);
	else
		snprintf(out, 520, "%s@%s", identity->user, identity->realm);
	text_lower(out);
}

static void explain(char *why, enum gate gate, const char *whose, uint32_t limit, int64_t window_s)
{
	if (gate == GATE_WAIT)
		snprintf(why, 160,
			 "wrong passwords of this %s came too fast: the next one has to wait",
			 whose);
	else
		snprintf(why, 160,
			 "%u wrong password%s of this %s within %lld s: see roamgate unlock", limit,
			 text_plural(limit), whose, (long long)window_s);
}

bool attempts_begin(struct rg_attempt *attempt, const struct rg_attempt_settings *settings,
		    const struct rg_identity *identity, const char *mac, uint64_t now_ns, char *why)
{
	char name[520];
	uint64_t window_ns = (uint64_t)settings->window_s * RG_SECOND;
	*attempt = (struct rg_attempt){0};
	person_name(name, identity);
	if (exempt(settings, name))
		return true;
	if (!key_make(attempt->person, "person", name) ||
	    (mac[0] && !key_make(attempt->device, "device", mac))) {
		snprintf(why, 160, "no memory to count attempts");
		return false;
	}
	uint32_t limit = person_limit(settings);
	enum gate gate = gate_enter(attempt->person, limit, window_ns, now_ns);
	if (gate != GATE_OPEN) {
		explain(why, gate, "person", limit, settings->window_s);
		return false;
	}
	attempt->has_device = mac[0];
	limit = (uint32_t)settings->max;
	gate = mac[0] ? gate_enter(attempt->device, limit, window_ns, now_ns) : GATE_OPEN;
	if (gate != GATE_OPEN) {
		gate_leave(attempt->person, RG_ATTEMPT_UNKNOWN, 0, 0, now_ns);
		explain(why, gate, "device", limit, settings->window_s);
		return false;
	}
	attempt->counted = true;
	return true;
}

void attempts_end(struct rg_attempt *attempt, const struct rg_attempt_settings *settings,
		  enum rg_attempt_outcome outcome, uint64_t now_ns)
{
	if (!attempt->counted)
		return;
	attempt->counted = false;
	uint32_t stood =
		gate_leave(attempt->person, outcome, UINT32_MAX, person_limit(settings), now_ns);
	/* Of a device only what it tried under this name: else who has one password could guess
	 * others. */
	if (attempt->has_device)
		gate_leave(attempt->device, outcome, stood, (uint32_t)settings->max, now_ns);
}

static bool forget(const char *kind, const char *name)
{
	uint8_t key[KEY];
	bool found = false;
	if (!key_make(key, kind, name))
		return false;
	pthread_mutex_lock(lock_of(key));
	struct entry *entry = entry_find(key);
	if (entry) {
		found = entry->wrong != 0;
		entry->wrong = 0;
	}
	pthread_mutex_unlock(lock_of(key));
	return found;
}

bool attempts_unlock(const char *who)
{
	char name[520], mac[18];
	if (text_mac(mac, span_text(who)))
		return forget("device", mac);
	if ((size_t)snprintf(name, sizeof(name), "%s", who) >= sizeof(name))
		return false;
	text_lower(name);
	return forget("person", name);
}

void attempts_clear(void)
{
	if (once_made(&made, table_make))
		memset(table.buckets, 0, BUCKETS * sizeof(*table.buckets));
}

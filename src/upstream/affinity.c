#include "upstream/affinity.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/clock.h"
#include "observe/counter.h"

#define WAYS    4
#define BUCKETS 16384u /* 512 KB, touched as conversations come */
#define TICKS_A_SECOND 16u

/* One word a memory, so that whoever reads sees a whole one: 32 bits of the key, the peer, and when,
 * in ticks. After an hour what is old seems new again, and names a peer for a State that nobody has
 * any more. */
struct rg_affinity {
	_Atomic uint64_t memories[BUCKETS][WAYS];
};

static _Atomic(struct rg_affinity *) tables[RG_WORKERS_MOST];

struct rg_affinity *affinity_of(unsigned worker)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&lock);
	struct rg_affinity *table = atomic_load(&tables[worker]);
	if (!table) {
		table = calloc(1, sizeof(*table));
		atomic_store(&tables[worker], table);
	}
	pthread_mutex_unlock(&lock);
	return table;
}

uint64_t affinity_key(struct rg_span state, uint32_t realm)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ realm;
	for (size_t i = 0; i < state.length; i++)
		hash = (hash ^ state.data[i]) * UINT64_C(0x100000001b3);
	/* FNV's lower bits choose the bucket, its upper ones must differ too. */
	return (hash ^ hash >> 29) * UINT64_C(0x9e3779b97f4a7c15);
}

static _Atomic uint64_t *bucket_of(struct rg_affinity *table, uint64_t key)
{
	return table->memories[key % BUCKETS];
}

static uint16_t ticks(uint64_t now)
{
	return (uint16_t)(now / (RG_SECOND / TICKS_A_SECOND));
}

/* Of no memory at all: older than any. */
static uint32_t age_of(uint64_t memory, uint64_t now)
{
	return memory ? (uint16_t)(ticks(now) - (uint16_t)memory) : UINT32_MAX;
}

void affinity_put(struct rg_affinity *table, uint64_t key, uint16_t peer, uint64_t now)
{
	if (!table)
		return;
	_Atomic uint64_t *bucket = bucket_of(table, key);
	_Atomic uint64_t *oldest = &bucket[key / BUCKETS % WAYS]; /* among those of the same age */
	for (unsigned way = 0; way < WAYS; way++) {
		uint64_t memory = atomic_load_explicit(&bucket[way], memory_order_relaxed);
		if (memory >> 32 == key >> 32) {
			oldest = &bucket[way];
			break;
		}
		if (age_of(memory, now) >
		    age_of(atomic_load_explicit(oldest, memory_order_relaxed), now))
			oldest = &bucket[way];
	}
	uint64_t memory = (key >> 32) << 32 | (uint64_t)peer << 16 | ticks(now);
	atomic_store_explicit(oldest, memory, memory_order_relaxed);
}

static uint16_t find_in(struct rg_affinity *table, uint64_t key, uint64_t now)
{
	const _Atomic uint64_t *bucket = bucket_of(table, key);
	for (unsigned way = 0; way < WAYS; way++) {
		uint64_t memory = atomic_load_explicit(&bucket[way], memory_order_relaxed);
		if (memory >> 32 == key >> 32 && age_of(memory, now) <= RG_AFFINITY_S * TICKS_A_SECOND)
			return (uint16_t)(memory >> 16);
	}
	return 0;
}

uint16_t affinity_find(unsigned worker, uint64_t key, uint64_t now)
{
	uint16_t peer = 0;
	for (unsigned i = 0; i < RG_WORKERS_MOST && peer == 0; i++) {
		unsigned number = (worker + i) % RG_WORKERS_MOST;
		struct rg_affinity *table =
			atomic_load_explicit(&tables[number], memory_order_acquire);
		peer = table ? find_in(table, key, now) : 0;
	}
	return peer;
}

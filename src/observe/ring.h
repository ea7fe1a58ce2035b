/* Records on their way from one worker to the observer: a bounded queue of one producer and one
 * consumer, without a lock. They wait packed. */
#ifndef RG_OBSERVE_RING_H
#define RG_OBSERVE_RING_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "observe/signin.h"

#define RG_RING_SIZE (UINT32_C(1) << 18) /* octets, a power of two: some 700 visitors' records */

/* head and tail only grow; the place is their remainder. */
struct rg_ring {
	_Alignas(64) _Atomic uint32_t head; /* written by the producer */
	_Alignas(64) _Atomic uint32_t tail; /* written by the consumer */
	_Alignas(64) uint8_t *bytes;
	/* The consumer's: the oldest record, unpacked. */
	struct rg_signin *oldest;
	uint32_t oldest_length; /* 0: it was not looked at yet */
};

bool ring_init(struct rg_ring *); /* false: no memory */
void ring_destroy(struct rg_ring *);
/* The producer: takes a copy; false: full. Sequentially consistent with what follows it. */
bool ring_put(struct rg_ring *, const struct rg_signin *);
/* The consumer: the oldest, which stays until it is dropped; NULL: empty. */
const struct rg_signin *ring_oldest(struct rg_ring *);
/* The same, as it waits: packed. Where there is an oldest one. */
struct rg_span ring_oldest_packed(struct rg_ring *);
void ring_drop(struct rg_ring *);
/* Octets that wait; of the producer: at most so many. */
uint32_t ring_used(const struct rg_ring *);
/* Sequentially consistent with what comes before it. */
bool ring_empty(const struct rg_ring *);
#endif

#include "observe/ring.h"

#include <stdlib.h>
#include <string.h>

#include "observe/packed.h"

/* Before each record stands its whole length; SKIP: the rest up to the end is empty. */
#define LENGTH sizeof(uint32_t)
#define SKIP   UINT32_C(0)
#define MOST   ((uint32_t)(LENGTH + RG_PACKED_MOST + LENGTH))

bool ring_init(struct rg_ring *ring)
{
	atomic_init(&ring->head, 0);
	atomic_init(&ring->tail, 0);
	ring->oldest_length = 0;
	ring->bytes = malloc(RG_RING_SIZE);
	ring->oldest = calloc(1, sizeof(*ring->oldest));
	return ring->bytes && ring->oldest;
}

void ring_destroy(struct rg_ring *ring)
{
	free(ring->bytes);
	free(ring->oldest);
	ring->bytes = NULL;
	ring->oldest = NULL;
}

static void set_length(struct rg_ring *ring, uint32_t at, uint32_t length)
{
	memcpy(ring->bytes + at % RG_RING_SIZE, &length, LENGTH);
}

bool ring_put(struct rg_ring *ring, const struct rg_signin *signin)
{
	uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	uint32_t used = head - atomic_load_explicit(&ring->tail, memory_order_acquire);
	uint32_t to_end = RG_RING_SIZE - head % RG_RING_SIZE;
	uint32_t skipped = to_end < MOST ? to_end : 0;
	if (used + skipped + MOST > RG_RING_SIZE)
		return false;
	if (skipped) { /* every length is a multiple of its own size, so that there is room for one
			*/
		set_length(ring, head, SKIP);
		head += skipped;
	}
	uint32_t length = (uint32_t)signin_pack(signin, ring->bytes + head % RG_RING_SIZE + LENGTH);
	length = (uint32_t)((LENGTH + length + LENGTH - 1) & ~(LENGTH - 1));
	set_length(ring, head, length);
	atomic_store(&ring->head, head + length);
	return true;
}

const struct rg_signin *ring_oldest(struct rg_ring *ring)
{
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed), length;
	if (ring->oldest_length != 0)
		return ring->oldest;
	if (tail == atomic_load_explicit(&ring->head, memory_order_acquire))
		return NULL;
	memcpy(&length, ring->bytes + tail % RG_RING_SIZE, LENGTH);
	if (length == SKIP) {
		tail += RG_RING_SIZE - tail % RG_RING_SIZE;
		atomic_store_explicit(&ring->tail, tail, memory_order_release);
		memcpy(&length, ring->bytes, LENGTH);
	}
	signin_unpack(ring->oldest, ring->bytes + tail % RG_RING_SIZE + LENGTH);
	ring->oldest_length = length;
	return ring->oldest;
}

struct rg_span ring_oldest_packed(struct rg_ring *ring)
{
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	return span_of(ring->bytes + tail % RG_RING_SIZE + LENGTH, ring->oldest_length - LENGTH);
}

void ring_drop(struct rg_ring *ring)
{
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	atomic_store_explicit(&ring->tail, tail + ring->oldest_length, memory_order_release);
	ring->oldest_length = 0;
}

uint32_t ring_used(const struct rg_ring *ring)
{
	return atomic_load_explicit(&ring->head, memory_order_relaxed) -
	       atomic_load_explicit(&ring->tail, memory_order_relaxed);
}

bool ring_empty(const struct rg_ring *ring)
{
	return atomic_load(&ring->head) == atomic_load(&ring->tail);
}

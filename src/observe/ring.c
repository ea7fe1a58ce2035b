#include "observe/ring.h"

#include <stdlib.h>

bool ring_init(struct rg_ring *ring)
{
	atomic_init(&ring->head, 0);
	atomic_init(&ring->tail, 0);
	ring->slots = calloc(RG_RING_SLOTS, sizeof(*ring->slots));
	return ring->slots;
}

void ring_destroy(struct rg_ring *ring)
{
	free(ring->slots);
	ring->slots = NULL;
}

bool ring_put(struct rg_ring *ring, const struct rg_signin *signin)
{
	uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	if (head - atomic_load_explicit(&ring->tail, memory_order_acquire) == RG_RING_SLOTS)
		return false;
	signin_copy(&ring->slots[head % RG_RING_SLOTS], signin);
	atomic_store(&ring->head, head + 1);
	return true;
}

const struct rg_signin *ring_oldest(struct rg_ring *ring)
{
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	if (tail == atomic_load_explicit(&ring->head, memory_order_acquire))
		return NULL;
	return &ring->slots[tail % RG_RING_SLOTS];
}

void ring_drop(struct rg_ring *ring)
{
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
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

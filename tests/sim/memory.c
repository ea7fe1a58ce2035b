/* Memory: what the gateway gets, is refused now and then, and gives back. What the simulation
 * itself needs it gets. */
#include <stdlib.h>

#include "core/slab.h"
#include "sim.h"

size_t slab_pieces, slab_octets;

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_slab_alloc(struct rg_slab *slab, size_t size);
void __wrap_slab_free(struct rg_slab *slab, void *memory, size_t size);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_slab_alloc(struct rg_slab *slab, size_t size);
void __real_slab_free(struct rg_slab *slab, void *memory, size_t size);

/* Only where a worker asks. */
static bool refused(void)
{
	return world.within && world.plan.shortage != 0 &&
	       chance_permille(&world.memory, world.plan.shortage);
}

void *__wrap_malloc(size_t size)
{
	return refused() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return refused() ? NULL : __real_calloc(count, size);
}

void *own(size_t size)
{
	void *memory = __real_calloc(1, size);
	must(memory);
	return memory;
}

void *__wrap_slab_alloc(struct rg_slab *slab, size_t size)
{
	void *memory = refused() ? NULL : __real_slab_alloc(slab, size);
	slab_pieces += memory != NULL;
	slab_octets += memory ? size : 0;
	return memory;
}

void __wrap_slab_free(struct rg_slab *slab, void *memory, size_t size)
{
	slab_pieces -= memory != NULL;
	slab_octets -= memory ? size : 0;
	__real_slab_free(slab, memory, size);
}

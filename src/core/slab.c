#include "core/slab.h"

#include <stdlib.h>

struct rg_slab_piece {
	struct rg_slab_piece *next;
};

static unsigned kind_of(size_t size)
{
	unsigned kind = 0;
	for (size_t most = 64; most < size; most *= 2)
		kind++;
	return kind;
}

void *slab_alloc(struct rg_slab *slab, size_t size)
{
	unsigned kind = kind_of(size);
	if (kind >= RG_SLAB_CLASSES)
		return NULL;
#ifdef __SANITIZE_ADDRESS__
	(void)slab;
	return malloc(size); /* so that a step past its end is seen */
#else
	struct rg_slab_piece *piece = slab->free[kind];
	if (!piece)
		return malloc((size_t)64 << kind);
	slab->free[kind] = piece->next;
	return piece;
#endif
}

void slab_free(struct rg_slab *slab, void *memory, size_t size)
{
	if (!memory)
		return;
#ifdef __SANITIZE_ADDRESS__
	free(memory); /* so that a use after this is seen */
	(void)slab;
	(void)size;
#else
	struct rg_slab_piece *piece = memory;
	unsigned kind = kind_of(size);
	piece->next = slab->free[kind];
	slab->free[kind] = piece;
#endif
}

void slab_destroy(struct rg_slab *slab)
{
	for (unsigned kind = 0; kind < RG_SLAB_CLASSES; kind++) {
		while (slab->free[kind]) {
			struct rg_slab_piece *piece = slab->free[kind];
			slab->free[kind] = piece->next;
			free(piece);
		}
	}
}

#include "core/slab.h"

#include <stdlib.h>

struct rg_slab_piece {
	struct rg_slab_piece *next;
};

/* Eight steps up to 512 octets, then four to each doubling: of what is asked for, a quarter more is
 * the most that is taken. */
static unsigned kind_of(size_t size)
{
	if (size <= 512)
		return size ? (unsigned)(size - 1) / 64 : 0;
	unsigned top = 63u - (unsigned)__builtin_clzll(size - 1); /* 9 or more */
	return 8 + 4 * (top - 9) + ((unsigned)((size - 1) >> (top - 2)) & 3);
}

#ifndef __SANITIZE_ADDRESS__
static size_t size_of(unsigned kind)
{
	return kind < 8 ? (size_t)64 * (kind + 1) : (size_t)(5 + kind % 4) << (7 + (kind - 8) / 4);
}
#endif

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
		return malloc(size_of(kind));
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

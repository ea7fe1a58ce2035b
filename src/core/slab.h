/* Memory of one worker for what comes and goes by the million: freed pieces are kept by size and
 * handed out again, so that a request allocates nothing once the worker is warm. Not thread-safe.
 */
#ifndef RG_CORE_SLAB_H
#define RG_CORE_SLAB_H
#include <stddef.h>

#define RG_SLAB_CLASSES 24 /* 64, 128, … 512, 640, 768, 896, 1024, 1280 … 8192 octets */

struct rg_slab {
	struct rg_slab_piece *free[RG_SLAB_CLASSES];
};

/* NULL: no memory. Over 8192 octets: NULL. Not zeroed. */
void *slab_alloc(struct rg_slab *, size_t size);
/* size: as asked for. NULL is fine. */
void slab_free(struct rg_slab *, void *memory, size_t size);
void slab_destroy(struct rg_slab *);
#endif

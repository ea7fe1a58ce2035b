/* Memory that is freed all at once. */
#ifndef RG_CORE_ARENA_H
#define RG_CORE_ARENA_H
#include <stdarg.h>
#include <stddef.h>

struct rg_arena_block;

struct rg_arena {
	struct rg_arena_block *blocks;
};

/* Zeroed memory, aligned for anything, never NULL: of the reserve where there is none else (reserve.h). */
void *arena_alloc(struct rg_arena *, size_t size);
char *arena_text(struct rg_arena *, const char *text);
char *arena_format(struct rg_arena *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void *arena_copy(struct rg_arena *, const void *data, size_t size);
void arena_free(struct rg_arena *);
/* The same, and nothing of what lay in it stays in memory. */
void arena_wipe(struct rg_arena *);
#endif

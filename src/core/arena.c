#include "core/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/reserve.h"
#include "core/secret.h"

#define BLOCK_SIZE 16384

struct rg_arena_block {
	struct rg_arena_block *next;
	size_t used, capacity;
	alignas(max_align_t) uint8_t data[];
};

static struct rg_arena_block *block_new(size_t capacity)
{
	struct rg_arena_block *block = reserve_calloc(1, sizeof(*block) + capacity);
	block->capacity = capacity;
	return block;
}

void *arena_alloc(struct rg_arena *arena, size_t size)
{
	size = (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
	struct rg_arena_block *block = arena->blocks;
	if (!block || block->capacity - block->used < size) {
		block = block_new(size > BLOCK_SIZE ? size : BLOCK_SIZE);
		block->next = arena->blocks;
		arena->blocks = block;
	}
	void *memory = block->data + block->used;
	block->used += size;
	return memory;
}

void *arena_copy(struct rg_arena *arena, const void *data, size_t size)
{
	void *copy = arena_alloc(arena, size);
	if (size != 0)
		memcpy(copy, data, size);
	return copy;
}

char *arena_text(struct rg_arena *arena, const char *text)
{
	return arena_copy(arena, text, strlen(text) + 1);
}

char *arena_format(struct rg_arena *arena, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	char *text = arena_alloc(arena, (size_t)length + 1);
	va_start(args, format);
	vsnprintf(text, (size_t)length + 1, format, args);
	va_end(args);
	return text;
}

void arena_wipe(struct rg_arena *arena)
{
	for (struct rg_arena_block *block = arena->blocks; block; block = block->next)
		secret_wipe(block->data, block->used);
	arena_free(arena);
}

void arena_free(struct rg_arena *arena)
{
	while (arena->blocks) {
		struct rg_arena_block *block = arena->blocks;
		arena->blocks = block->next;
		free(block);
	}
}

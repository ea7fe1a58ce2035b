/* Where a call was made: the functions on the stack, many thousand times a second. What libgcc's unwinder says of a return
 * address, how far above it the next one lies, is remembered and used until an address comes that is new. */
#define _GNU_SOURCE
#include "fail.h"
#include <dlfcn.h>
#include <link.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <unwind.h>

#define KNOWN  131072
#define SIZE_MOST 65536 /* of a frame whose size is kept */
#define VARIES UINT32_MAX	/* the frame has not always the same size */
#define LAST   (UINT32_MAX - 1) /* nothing is above it */

static struct known {
	_Atomic uintptr_t at; /* 0: none; written last */
	_Atomic uint32_t size;
	uint64_t place; /* wherever its library lies */
} known[KNOWN];

struct walk {
	uintptr_t at[FRAMES], stack[FRAMES + 1];
	int count;
};

static uint64_t mix(uint64_t hash, uint64_t with)
{
	hash = (hash ^ with) * UINT64_C(0x100000001b3);
	return hash ^ hash >> 29;
}

/* NULL: it is not known, or there are too many. */
static struct known *known_find(uintptr_t at, int make)
{
	for (uint64_t i = mix(0, at), tried = 0; tried < 64; i++, tried++) {
		struct known *each = &known[i % KNOWN];
		uintptr_t there = atomic_load(&each->at);
		if (there == at)
			return each;
		if (there == 0)
			return make ? each : NULL;
	}
	return NULL;
}

static atomic_flag being_learned = ATOMIC_FLAG_INIT;

static void learn(uintptr_t at, uint32_t size)
{
	struct dl_find_object found;
	while (atomic_flag_test_and_set(&being_learned))
		;
	struct known *one = known_find(at, 1);
	if (one && atomic_load(&one->at) == at) {
		if (atomic_load(&one->size) != size)
			atomic_store(&one->size, VARIES);
	} else if (one && _dl_find_object((void *)at, &found) == 0) {
		uintptr_t start = (uintptr_t)found.dlfo_map_start, end = (uintptr_t)found.dlfo_map_end;
		one->place = mix(at - start, end - start);
		atomic_store(&one->size, size);
		atomic_store(&one->at, at);
	}
	atomic_flag_clear(&being_learned);
}

static _Unwind_Reason_Code note(struct _Unwind_Context *context, void *of)
{
	struct walk *walk = of;
	walk->stack[walk->count] = _Unwind_GetCFA(context);
	if (walk->count == FRAMES)
		return _URC_NORMAL_STOP;
	walk->at[walk->count] = _Unwind_GetIP(context);
	if (walk->at[walk->count] == 0)
		return _URC_NORMAL_STOP;
	walk->count++;
	return _URC_NO_REASON;
}

/* As the unwinder says: what is new in it is known afterwards. */
static inline __attribute__((always_inline)) uint64_t unwind(uint64_t hash)
{
	struct walk walk = {.count = 0};
	_Unwind_Backtrace(note, &walk);
	for (int i = 1; i < walk.count; i++) {
		struct known *one;
		int last = i + 1 == walk.count && walk.count < FRAMES;
		uintptr_t size = walk.stack[i + 1] - walk.stack[i];
		learn(walk.at[i], last ? LAST : size < SIZE_MOST ? (uint32_t)size : VARIES);
		one = known_find(walk.at[i], 0);
		hash = mix(hash, one ? one->place : 0);
	}
	return hash;
}

__attribute__((noinline)) uint64_t place_hash(uint64_t seed)
{
	uintptr_t stack = (uintptr_t)__builtin_dwarf_cfa();
	uint64_t hash = seed;
	for (int i = 1; i < FRAMES; i++) {
		struct known *one = known_find(((uintptr_t *)stack)[-1], 0);
		uint32_t size = one ? atomic_load(&one->size) : VARIES;
		if (size == VARIES)
			return unwind(seed);
		hash = mix(hash, one->place);
		if (size == LAST)
			return hash;
		stack += size;
	}
	return hash;
}

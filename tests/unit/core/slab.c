/* Memory by size. */
#include "core/slab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <malloc.h>

static void every_size_has_room_and_wastes_little(void **state)
{
	struct rg_slab slab = {0};
	(void)state;
	for (size_t size = 1; size <= 8192; size++) {
		uint8_t *piece = slab_alloc(&slab, size);
		assert_non_null(piece);
		memset(piece, 0xa5, size);
#ifndef __SANITIZE_ADDRESS__
		/* Of one that malloc gave just for it. */
		assert_true(malloc_usable_size(piece) >= size);
		assert_true(malloc_usable_size(piece) <= size + size / 4 + 64 + 16);
#endif
		slab_free(&slab, piece, size);
		slab_destroy(&slab);
	}
	assert_null(slab_alloc(&slab, 8193));
	assert_null(slab_alloc(&slab, SIZE_MAX));
}

static void what_was_freed_is_handed_out_again(void **state)
{
#ifndef __SANITIZE_ADDRESS__
	struct rg_slab slab = {0};
	for (size_t size = 1; size <= 8192; size += 63) {
		void *piece = slab_alloc(&slab, size);
		slab_free(&slab, piece, size);
		assert_ptr_equal(slab_alloc(&slab, size), piece);
		slab_free(&slab, piece, size);
	}
	slab_destroy(&slab);
#endif
	(void)state;
}

/* The smallest and the largest of a class, and the first of the next. */
static void classes_end_where_they_say(void **state)
{
#ifndef __SANITIZE_ADDRESS__
	static const size_t ends[] = {64, 128, 512, 640, 1024, 1280, 2048, 4096, 7168};
	struct rg_slab slab = {0};
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		void *piece = slab_alloc(&slab, ends[i]), *next = slab_alloc(&slab, ends[i] + 1);
		slab_free(&slab, piece, ends[i]);
		slab_free(&slab, next, ends[i] + 1);
		assert_ptr_equal(slab_alloc(&slab, ends[i] - 1), piece);
		assert_ptr_equal(slab_alloc(&slab, ends[i] + 2), next);
		slab_free(&slab, piece, ends[i]);
		slab_free(&slab, next, ends[i] + 1);
	}
	slab_destroy(&slab);
#endif
	(void)state;
}

static void nothing_is_freed_quietly(void **state)
{
	struct rg_slab slab = {0};
	(void)state;
	slab_free(&slab, NULL, 100);
	void *piece = slab_alloc(&slab, 0);
	assert_non_null(piece);
	slab_free(&slab, piece, 0);
	slab_destroy(&slab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_size_has_room_and_wastes_little),
		cmocka_unit_test(what_was_freed_is_handed_out_again),
		cmocka_unit_test(classes_end_where_they_say),
		cmocka_unit_test(nothing_is_freed_quietly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "core/arena.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/secret.h"

static void memory_is_zeroed_aligned_and_apart(void **state)
{
	struct rg_arena arena = {0};
	uint8_t *last = NULL;
	size_t last_size = 0;
	(void)state;
	for (size_t i = 0; i < 2000; i++) {
		size_t size = i * 7 % 300 + 1;
		uint8_t *memory = arena_alloc(&arena, size);
		assert_int_equal((uintptr_t)memory % alignof(max_align_t), 0);
		for (size_t at = 0; at < size; at++)
			assert_int_equal(memory[at], 0);
		memset(memory, 0xff, size);
		if (last)
			assert_true(memory >= last + last_size || memory + size <= last);
		last = memory;
		last_size = size;
	}
	arena_free(&arena);
	assert_null(arena.blocks);
	arena_free(&arena);
}

static void larger_than_a_block(void **state)
{
	struct rg_arena arena = {0};
	(void)state;
	char *small = arena_text(&arena, "small");
	uint8_t *large = arena_alloc(&arena, 100000);
	memset(large, 1, 100000);
	assert_int_equal(large[99999], 1);
	assert_string_equal(small, "small");
	assert_string_equal(arena_text(&arena, "after"), "after");
	arena_free(&arena);
}

static void texts_and_copies(void **state)
{
	struct rg_arena arena = {0};
	char text[] = "text";
	(void)state;
	char *copy = arena_text(&arena, text);
	text[0] = 'n';
	assert_string_equal(copy, "text");
	assert_string_equal(arena_format(&arena, "%s %d %05zu", "a", -1, (size_t)42), "a -1 00042");
	assert_string_equal(arena_format(&arena, "%s", ""), "");
	assert_memory_equal(arena_copy(&arena, "a\0b", 3), "a\0b", 3);
	assert_non_null(arena_copy(&arena, NULL, 0));
	arena_free(&arena);
}

static void secrets(void **state)
{
	struct rg_secret *secret = secret_new("a\0b", 3);
	(void)state;
	assert_int_equal(secret_span(secret).length, 3);
	assert_true(secret_equal(secret->data, 3, "a\0b", 3));
	assert_false(secret_equal(secret->data, 3, "a\0c", 3));
	assert_false(secret_equal(secret->data, 3, "a", 1));
	secret_wipe(secret->data, 3);
	assert_memory_equal(secret->data, "\0\0\0", 3);
	secret_free(&secret);
	assert_null(secret);
	secret_free(&secret);
	assert_int_equal(secret_span(NULL).length, 0);
	secret = secret_new(NULL, 0);
	assert_non_null(secret);
	secret_free(&secret);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_aligned_and_apart),
		cmocka_unit_test(larger_than_a_block),
		cmocka_unit_test(texts_and_copies),
		cmocka_unit_test(secrets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

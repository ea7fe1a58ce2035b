#include "core/entropy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void no_octets_are_given_out_twice(void **state)
{
	static struct rg_entropy entropy;
	static uint8_t drawn[3 * RG_ENTROPY_POOL / 16][16];
	(void)state;
	for (size_t i = 0; i < sizeof(drawn) / sizeof(drawn[0]); i++) {
		assert_true(entropy_draw(&entropy, drawn[i], sizeof(drawn[i])));
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(drawn[i], drawn[j], sizeof(drawn[i]));
	}
}

static void what_was_given_out_is_wiped(void **state)
{
	static struct rg_entropy entropy;
	static const uint8_t wiped[33];
	uint8_t out[33];
	(void)state;
	assert_true(entropy_draw(&entropy, out, sizeof(out)));
	assert_int_equal(entropy.left, RG_ENTROPY_POOL - sizeof(out));
	assert_memory_equal(entropy.pool, wiped, sizeof(wiped));
}

static void a_remainder_that_is_too_short_is_left(void **state)
{
	static struct rg_entropy entropy;
	uint8_t out[RG_ENTROPY_POOL];
	(void)state;
	assert_true(entropy_draw(&entropy, out, RG_ENTROPY_POOL - 8));
	assert_true(entropy_draw(&entropy, out, 9));
	assert_int_equal(entropy.left, RG_ENTROPY_POOL - 9);
	assert_true(entropy_draw(&entropy, out, RG_ENTROPY_POOL));
	assert_int_equal(entropy.left, 0);
	assert_false(entropy_draw(&entropy, out, RG_ENTROPY_POOL + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_octets_are_given_out_twice),
		cmocka_unit_test(what_was_given_out_is_wiped),
		cmocka_unit_test(a_remainder_that_is_too_short_is_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

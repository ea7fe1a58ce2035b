#include "core/once.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static unsigned tried, needed;

static bool make(void)
{
	return ++tried >= needed;
}

static void O3_what_could_not_be_made_is_tried_again(void **state)
{
	struct rg_once once = RG_ONCE;
	(void)state;
	tried = 0;
	needed = 3;
	assert_false(once_made(&once, make));
	assert_false(once_made(&once, make));
	assert_true(once_made(&once, make));
	assert_int_equal(tried, 3);
}

static void what_is_made_is_made_once(void **state)
{
	struct rg_once once = RG_ONCE;
	(void)state;
	tried = 0;
	needed = 1;
	for (unsigned i = 0; i < 5; i++)
		assert_true(once_made(&once, make));
	assert_int_equal(tried, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(O3_what_could_not_be_made_is_tried_again),
		cmocka_unit_test(what_is_made_is_made_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

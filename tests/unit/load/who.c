#include "load/who.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void the_number_stands_for_its_mark(void **state)
{
	struct rg_who who;
	(void)state;
	who_make(&who, "visitor%u@r%u.nl", 4294967295u);
	assert_string_equal(who.name, "visitor4294967295@r4294967295.nl");
	assert_string_equal(who.mac, "02-00-FF-FF-FF-FF");
	who_make(&who, "%u", 0);
	assert_string_equal(who.name, "0");
	assert_string_equal(who.mac, "02-00-00-00-00-00");
}

static void a_name_without_a_mark_stays(void **state)
{
	struct rg_who who;
	(void)state;
	who_make(&who, "100%@beuningen.nl", 0x1a2b);
	assert_string_equal(who.name, "100%@beuningen.nl");
	assert_string_equal(who.mac, "02-00-00-00-1A-2B");
}

static void names_fit_a_user_name(void **state)
{
	char pattern[300];
	struct rg_who who;
	(void)state;
	memset(pattern, 'x', sizeof(pattern));
	pattern[253] = '\0';
	assert_true(who_pattern_fits(pattern));
	who_make(&who, pattern, 1);
	assert_int_equal(strlen(who.name), 253);
	pattern[253] = 'x';
	pattern[254] = '\0';
	assert_false(who_pattern_fits(pattern));
	memcpy(pattern + 243, "%u", 3);
	assert_true(who_pattern_fits(pattern));
	who_make(&who, pattern, 4294967295u);
	assert_int_equal(strlen(who.name), 253);
	memcpy(pattern + 244, "%u", 3);
	assert_false(who_pattern_fits(pattern));
	assert_false(who_pattern_fits(""));
}

/* Inside a tunnel is somebody of the same number. */
static void a_second_name_has_the_same_number(void **state)
{
	struct rg_who who;
	char inner[RG_WHO_MOST];
	(void)state;
	who_make(&who, "anonymous@x.nl", 4711);
	who_name(inner, "p%u@x.nl", who.number);
	assert_string_equal(inner, "p4711@x.nl");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_number_stands_for_its_mark),
		cmocka_unit_test(a_name_without_a_mark_stays),
		cmocka_unit_test(names_fit_a_user_name),
		cmocka_unit_test(a_second_name_has_the_same_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

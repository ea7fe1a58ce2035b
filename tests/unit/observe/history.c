/* Finding the last sign-ins of a person or a device. */
#include "observe/history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "observe/packed.h"

static void add(struct rg_history *history, const char *outer, const char *inner, const char *mac)
{
	static uint8_t packed[RG_PACKED_MOST];
	struct rg_signin signin;
	signin_begin(&signin, 0);
	snprintf(signin.outer, sizeof(signin.outer), "%s", outer);
	snprintf(signin.inner, sizeof(signin.inner), "%s", inner);
	snprintf(signin.mac, sizeof(signin.mac), "%s", mac);
	strcpy(signin.realm, "beuningen.nl");
	history_add(history, span_of(packed, signin_pack(&signin, packed)));
}

static size_t found(const struct rg_history *history, const char *who)
{
	json_t *list = history_find(history, who, 1000, 0, NULL);
	size_t count = json_array_size(list);
	json_decref(list);
	return count;
}

static int setup(void **state)
{
	struct rg_history *history = history_new(8);
	*state = history;
	add(history, "anonymous@beuningen.nl", "Jan@Beuningen.nl", "02-00-00-00-00-0A");
	add(history, "piet@beuningen.nl", "", "02-00-00-00-00-0B");
	add(history, "anonymous@beuningen.nl", "kees", "");
	add(history, "a\nb@beuningen.nl", "", "");
	return history ? 0 : -1;
}

static int teardown(void **state)
{
	struct rg_history *history = *state;
	history_free(&history);
	return 0;
}

static void by_either_name_without_case(void **state)
{
	assert_int_equal(found(*state, "jan@beuningen.nl"), 1);
	assert_int_equal(found(*state, "ANONYMOUS@beuningen.nl"), 2);
	assert_int_equal(found(*state, "piet@beuningen.nl"), 1);
	assert_int_equal(found(*state, "piet"), 0);
	assert_int_equal(found(*state, "nobody@beuningen.nl"), 0);
}

static void an_inner_name_without_realm_has_the_one_asked_for(void **state)
{
	assert_int_equal(found(*state, "kees@beuningen.nl"), 1);
	assert_int_equal(found(*state, "kees"), 1);
	assert_int_equal(found(*state, "@beuningen.nl"), 0);
}

static void by_mac_in_any_notation(void **state)
{
	assert_int_equal(found(*state, "02-00-00-00-00-0a"), 1);
	assert_int_equal(found(*state, "02:00:00:00:00:0A"), 1);
	assert_int_equal(found(*state, "0200.0000.000b"), 1);
	assert_int_equal(found(*state, "02000000000b"), 1);
	assert_int_equal(found(*state, "02000000000c"), 0);
}

static void as_the_log_shows_it(void **state)
{
	assert_int_equal(found(*state, "a\\x0ab@beuningen.nl"), 1);
}

static void everyone_when_nobody_is_named(void **state)
{
	assert_int_equal(found(*state, ""), 4);
	assert_int_equal(found(*state, NULL), 4);
}

static void newest_first_and_the_oldest_is_forgotten(void **state)
{
	struct rg_history *history = *state;
	char name[256];
	uint64_t last = 0;
	for (int i = 0; i < 20; i++) { /* longer and shorter ones in one place */
		snprintf(name, sizeof(name), "%0*d@x.nl", i * 37 % 200, i);
		add(history, name, "", "");
	}
	json_t *list = history_find(history, "", 1000, 0, &last);
	assert_int_equal(json_array_size(list), 8);
	assert_int_equal(last, 24);
	for (size_t i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "%0*zu@x.nl", (int)(19 - i) * 37 % 200, 19 - i);
		assert_string_equal(json_string_value(json_object_get(json_array_get(list, i), "outer")),
				    name);
	}
	json_decref(list);
	list = history_find(history, "", 3, 0, &last);
	assert_int_equal(json_array_size(list), 3);
	json_decref(list);
	assert_int_equal(found(history, "jan@beuningen.nl"), 0);
}

static void only_those_after_a_serial(void **state)
{
	struct rg_history *history = *state;
	uint64_t last = 0;
	json_t *list = history_find(history, "", 1000, 3, &last);
	assert_int_equal(json_array_size(list), 1);
	assert_int_equal(last, 4);
	json_decref(list);
	list = history_find(history, "", 1000, last, &last);
	assert_int_equal(json_array_size(list), 0);
	assert_int_equal(last, 4);
	json_decref(list);
	/* A serial of another run, from before a restart. */
	list = history_find(history, "", 1000, UINT64_MAX, &last);
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(by_either_name_without_case, setup, teardown),
		cmocka_unit_test_setup_teardown(an_inner_name_without_realm_has_the_one_asked_for, setup,
						teardown),
		cmocka_unit_test_setup_teardown(by_mac_in_any_notation, setup, teardown),
		cmocka_unit_test_setup_teardown(as_the_log_shows_it, setup, teardown),
		cmocka_unit_test_setup_teardown(everyone_when_nobody_is_named, setup, teardown),
		cmocka_unit_test_setup_teardown(newest_first_and_the_oldest_is_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(only_those_after_a_serial, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

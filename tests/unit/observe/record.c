/* The record of a sign-in, and how it is written. */
#include "observe/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "core/clock.h"
#include "core/text.h"

static struct rg_signin example(void)
{
	struct rg_signin signin;
	memset(&signin, 0xa5, sizeof(signin)); /* what signin_begin leaves would show */
	signin_begin(&signin, clock_now());
	signin.wall_ns = UINT64_C(1795491665123000000);
	strcpy(signin.id, "0123456789abcdef");
	strcpy(signin.outer, "anonymous@beuningen.nl");
	strcpy(signin.inner, "jan@beuningen.nl");
	strcpy(signin.mac, "02-00-00-00-00-01");
	strcpy(signin.client, "stadhuis-beuningen");
	strcpy(signin.site, "beuningen");
	strcpy(signin.called, "AA-BB-CC-DD-EE-FF:govroam");
	strcpy(signin.realm, "beuningen.nl");
	strcpy(signin.label, "beuningen.nl");
	strcpy(signin.method, "tls");
	strcpy(signin.tls, "1.3");
	signin.result = RG_RESULT_ACCEPT;
	signin.reason = RG_REASON_ACCEPTED;
	signin.total_us = 12345;
	signin.tls_us = 8000;
	signin.directory_us = 2500;
	return signin;
}

static void text_has_every_key_once(void **state)
{
	char text[RG_RECORD_MOST];
	struct rg_signin signin = example();
	(void)state;
	record_text(&signin, text);
	assert_string_equal(text, "sign-in id=0123456789abcdef outer=\"anonymous@beuningen.nl\" "
				  "mac=02-00-00-00-00-01 site=beuningen client=stadhuis-beuningen "
				  "realm=beuningen.nl method=tls tls=1.3 resumed=no "
				  "inner=\"jan@beuningen.nl\" result=accept reason=accepted ms=12.3 tls_ms=8.0 "
				  "directory_ms=2.5 upstream_ms=0.0 detail=\"\"");
}

static void text_of_an_empty_record(void **state)
{
	char text[RG_RECORD_MOST];
	struct rg_signin signin;
	(void)state;
	signin_begin(&signin, clock_now());
	strcpy(signin.detail, "no \"@\" in it");
	strcpy(signin.site, "a b=c");
	record_text(&signin, text);
	assert_non_null(strstr(text, " mac=- site=\"a b=c\" client=- realm=- method=- tls=- resumed=no"));
	assert_non_null(strstr(text, " result=none reason=none ms=0.0 "));
	assert_non_null(strstr(text, " detail=\"no '@' in it\""));
}

static void json_line_has_the_same_facts(void **state)
{
	struct rg_signin signin = example();
	(void)state;
	char *line = record_json_line(&signin);
	assert_non_null(line);
	assert_null(strchr(line, '\n'));
	json_t *object = json_loads(line, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(object, "time")), "2026-11-24T03:41:05.135Z");
	assert_string_equal(json_string_value(json_object_get(object, "message")), "sign-in");
	assert_string_equal(json_string_value(json_object_get(object, "inner")), "jan@beuningen.nl");
	assert_string_equal(json_string_value(json_object_get(object, "reason")), "accepted");
	assert_true(json_is_false(json_object_get(object, "resumed")));
	assert_non_null(strstr(line, "\"ms\":12.3,"));
	json_decref(object);
	free(line);
}

static void trace_has_the_contract_s_keys(void **state)
{
	static const char *const keys[] = {"time", "id", "outer", "inner", "mac", "site", "client", "realm",
					   "method", "tls", "resumed", "result", "reason", "advice", "ms",
					   "steps"};
	struct rg_signin signin = example();
	(void)state;
	signin_step(&signin, "client", "%s", "stadhuis-beuningen");
	signin_step(&signin, "tls", "handshake finished");
	json_t *object = record_trace(&signin, 7);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_non_null(json_object_get(object, keys[i]));
	assert_string_equal(json_string_value(json_object_get(object, "time")), "2026-11-24T03:41:05.123Z");
	const json_t *steps = json_object_get(object, "steps");
	assert_int_equal(json_array_size(steps), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(steps, 0), "detail")),
			    "stadhuis-beuningen");
	assert_string_equal(json_string_value(json_object_get(json_array_get(steps, 1), "step")), "tls");
	assert_true(json_is_number(json_object_get(json_array_get(steps, 1), "ms")));
	assert_int_equal(json_integer_value(json_object_get(object, "serial")), 7);
	json_decref(object);
}

/* Every octet that a name may hold, in every name. */
static void O6_hostile_names_are_one_line(void **state)
{
	static const char hostile[] = "a\r\nsign-in id=1 \033[31m%{User-Name}%s%n \" result=\"accept \\ \xff\xc0"
				      "\xed\xa0\x80\xc2\x85\x7f\x01=";
	struct rg_signin signin = example();
	char text[RG_RECORD_MOST];
	(void)state;
	strcpy(signin.outer, hostile);
	strcpy(signin.inner, hostile);
	strcpy(signin.realm, hostile);
	strcpy(signin.called, "x\n");
	snprintf(signin.client, sizeof(signin.client), "%.60s", hostile);
	snprintf(signin.site, sizeof(signin.site), "%.60s", hostile);
	strcpy(signin.detail, "not escaped\n\xff\"");
	signin_step(&signin, "tls", "%s", hostile);
	record_text(&signin, text);
	for (const char *at = text; *at; at++)
		if (at < strstr(text, " detail="))
			assert_true((uint8_t)*at >= 0x20 && *at != 0x7f);
	assert_non_null(strstr(text, "outer=\"a\\x0d\\x0asign-in id=1 \\x1b[31m%{User-Name}%s%n \\x22 "));
	assert_null(strstr(text, " result=\"accept"));
	char *line = record_json_line(&signin);
	assert_non_null(line);
	for (const char *at = line; *at; at++)
		assert_true((uint8_t)*at >= 0x20 && *at != 0x7f);
	json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(object);
	json_decref(object);
	free(line);
	object = record_trace(&signin, 1);
	assert_int_equal(json_array_size(json_object_get(object, "steps")), 1);
	assert_non_null(json_object_get(object, "outer"));
	assert_non_null(json_object_get(object, "detail"));
	line = json_dumps(object, 0);
	assert_non_null(line);
	free(line);
	json_decref(object);
}

static void O6_longest_names_of_escapes_fit(void **state)
{
	struct rg_signin signin = example();
	char text[RG_RECORD_MOST];
	(void)state;
	memset(signin.outer, 1, sizeof(signin.outer) - 1);
	memset(signin.inner, 1, sizeof(signin.inner) - 1);
	memset(signin.realm, 1, sizeof(signin.realm) - 1);
	memset(signin.client, 1, sizeof(signin.client) - 1);
	memset(signin.site, 1, sizeof(signin.site) - 1);
	record_text(&signin, text);
	assert_non_null(strstr(text, " detail=\"\""));
	assert_null(strstr(text, "..."));
}

static void steps_beyond_the_most_are_counted(void **state)
{
	struct rg_signin signin = example();
	(void)state;
	for (int i = 0; i < RG_STEPS_MOST + 300; i++)
		signin_step(&signin, "round", "%d", i);
	assert_int_equal(signin.steps, RG_STEPS_MOST);
	assert_int_equal(signin.steps_lost, UINT8_MAX);
	json_t *object = record_trace(&signin, 1);
	assert_int_equal(json_array_size(json_object_get(object, "steps")), RG_STEPS_MOST);
	assert_int_equal(json_integer_value(json_object_get(object, "steps_lost")), UINT8_MAX);
	json_decref(object);
}

static void a_long_detail_is_cut_between_characters(void **state)
{
	struct rg_signin signin = example();
	char name[200] = "";
	(void)state;
	for (int shift = 0; shift < 3; shift++) {
		memset(name, 'x', (size_t)shift);
		for (size_t i = (size_t)shift; i + 3 < sizeof(name); i += 3)
			memcpy(name + i, "\xe2\x82\xac", 4);
		signin.steps = 0;
		signin_step(&signin, "tls", "%s", name);
		const char *detail = signin.step[0].detail;
		json_t *text = json_string(detail);
		assert_non_null(text); /* UTF-8 still */
		json_decref(text);
		assert_string_equal(detail + strlen(detail) - 3, "...");
	}
}

static void ids_differ(void **state)
{
	struct rg_signin one, two;
	(void)state;
	signin_begin(&one, 1);
	signin_begin(&two, 1);
	assert_int_equal(strlen(one.id), 16);
	assert_int_equal(strspn(one.id, "0123456789abcdef"), 16);
	assert_string_not_equal(one.id, two.id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_has_every_key_once),
		cmocka_unit_test(text_of_an_empty_record),
		cmocka_unit_test(json_line_has_the_same_facts),
		cmocka_unit_test(trace_has_the_contract_s_keys),
		cmocka_unit_test(O6_hostile_names_are_one_line),
		cmocka_unit_test(O6_longest_names_of_escapes_fit),
		cmocka_unit_test(steps_beyond_the_most_are_counted),
		cmocka_unit_test(a_long_detail_is_cut_between_characters),
		cmocka_unit_test(ids_differ),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

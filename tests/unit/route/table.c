/* Where realms go. */
#include "route/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define STRINGS(...)                                                                                \
	{                                                                                           \
		(const char *const[]){__VA_ARGS__},                                                 \
			sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)           \
	}

static struct rg_realm realms[] = {
	{.name = "beuningen", .names = STRINGS("beuningen.nl", "*.beuningen.nl")},
	{.name = "druten", .names = STRINGS("druten.nl")},
	{.name = "lab", .names = STRINGS("*.lab.beuningen.nl")},
	{.name = "own.local", .names = STRINGS("own.local")},
};
static struct rg_route routes[] = {
	{.number = 0, .realms = STRINGS("*")},
	{.number = 1, .realms = STRINGS("test.example", "*.test.example")},
	{.number = 2, .realms = STRINGS("guest.beuningen.nl")},
	{.number = 3, .realms = STRINGS("deep.a.test.example", "lab.local")},
};
static const struct rg_raddb raddb = {
	.realms = realms,
	.realm_count = 4,
	.routes = routes,
	.route_count = 4,
	.refuse = STRINGS("*.local", "myabc.com", "hotmail.*", "a.b.*"),
};

static struct rg_destination go(const struct rg_route_table *table, const char *name)
{
	struct rg_nai nai;
	assert_int_equal(nai_parse(&nai, span_text(name)), RG_NAI_OK);
	return route_table_find(table, &nai);
}

static void home(const char *name, const char *realm)
{
	struct rg_route_table *table = route_table_new(&raddb);
	struct rg_destination to = go(table, name);
	assert_int_equal(to.way, RG_WAY_HOME);
	assert_string_equal(to.realm->name, realm);
	route_table_free(&table);
	assert_null(table);
}

static void away(const char *name, size_t route)
{
	struct rg_route_table *table = route_table_new(&raddb);
	struct rg_destination to = go(table, name);
	assert_int_equal(to.way, RG_WAY_AWAY);
	assert_int_equal(to.route->number, route);
	route_table_free(&table);
}

static void refused(const char *name, const char *pattern)
{
	struct rg_route_table *table = route_table_new(&raddb);
	struct rg_destination to = go(table, name);
	assert_int_equal(to.way, RG_WAY_REFUSED);
	assert_string_equal(to.refused_by, pattern);
	route_table_free(&table);
}

static void exact_beats_wildcard_and_longer_beats_shorter(void **state)
{
	(void)state;
	home("jan@beuningen.nl", "beuningen");
	home("jan@BEUNINGEN.nl", "beuningen");
	home("jan@school.beuningen.nl", "beuningen");
	home("jan@a.b.c.d.beuningen.nl", "beuningen");
	home("jan@lab.beuningen.nl", "beuningen");
	home("jan@x.lab.beuningen.nl", "lab");
	home("@druten.nl", "druten");
	away("jan@sub.druten.nl", 0);
	away("jan@xbeuningen.nl", 0);
	away("jan@beuningen.nl.example", 0);
	away("jan@test.example", 1);
	away("jan@a.test.example", 1);
	away("jan@deep.a.test.example", 3);
	away("jan@more.deep.a.test.example", 1);
	away("jan@guest.beuningen.nl", 2);
	away("jan@elsewhere.org", 0);
}

static void refusals_beat_routes_and_own_realms_beat_refusals(void **state)
{
	(void)state;
	refused("jan@pc.local", "*.local");
	refused("jan@a.b.LOCAL", "*.local");
	refused("jan@lab.local", "*.local");
	refused("jan@myabc.com", "myabc.com");
	away("jan@sub.myabc.com", 0);
	refused("jan@hotmail.com", "hotmail.*");
	refused("jan@Hotmail.co.uk", "hotmail.*");
	away("jan@mail.hotmail.com", 0);
	away("jan@hotmailx.com", 0);
	refused("jan@a.b.c", "a.b.*");
	away("jan@a.b", 0);
	home("jan@own.local", "own.local");
}

static void machines_stay_at_home(void **state)
{
	(void)state;
	struct rg_route_table *table = route_table_new(&raddb);
	home("host/laptop7.beuningen.nl", "beuningen");
	home("host/laptop7.druten.nl", "druten");
	home("host/laptop7.sub.druten.nl", "druten");
	home("host/pc.lab.beuningen.nl", "lab");
	home("host/guest.beuningen.nl", "beuningen");
	home("host/pc.own.local", "own.local");
	assert_int_equal(go(table, "host/pc.elsewhere.org").way, RG_WAY_NOWHERE);
	assert_int_equal(go(table, "host/pc.local").way, RG_WAY_NOWHERE);
	assert_int_equal(go(table, "host/xdruten.nl").way, RG_WAY_NOWHERE);
	route_table_free(&table);
}

static void without_a_route_for_everyone(void **state)
{
	(void)state;
	struct rg_raddb fewer = raddb;
	fewer.routes = routes + 1;
	fewer.route_count = 3;
	struct rg_route_table *table = route_table_new(&fewer);
	assert_int_equal(go(table, "jan@elsewhere.org").way, RG_WAY_NOWHERE);
	route_table_free(&table);
	struct rg_raddb none = {0};
	table = route_table_new(&none);
	assert_int_equal(go(table, "jan@beuningen.nl").way, RG_WAY_NOWHERE);
	struct rg_nai nai = {0};
	assert_int_equal(route_table_find(table, &nai).way, RG_WAY_NOWHERE);
	route_table_free(&table);
}

static void everyone_may_be_refused(void **state)
{
	(void)state;
	struct rg_raddb strict = raddb;
	strict.refuse = (struct rg_strings)STRINGS("*");
	struct rg_route_table *table = route_table_new(&strict);
	assert_int_equal(go(table, "jan@elsewhere.org").way, RG_WAY_REFUSED);
	assert_int_equal(go(table, "jan@test.example").way, RG_WAY_REFUSED);
	assert_int_equal(go(table, "jan@beuningen.nl").way, RG_WAY_HOME);
	route_table_free(&table);
}

static void what_a_realm_claims(void **state)
{
	(void)state;
	assert_true(realm_claims(&realms[0], span_text("beuningen.nl")));
	assert_true(realm_claims(&realms[0], span_text("A.Beuningen.NL")));
	assert_false(realm_claims(&realms[0], span_text(".beuningen.nl")));
	assert_false(realm_claims(&realms[0], span_text("xbeuningen.nl")));
	assert_false(realm_claims(&realms[0], span_text("")));
	assert_false(realm_claims(&realms[1], span_text("a.druten.nl")));
	assert_false(realm_claims(&realms[2], span_text("lab.beuningen.nl")));
	assert_true(realm_claims(&realms[2], span_text("x.lab.beuningen.nl")));
}

/* Names of the most labels there can be, and of the longest. */
static void O8_names_of_many_labels(void **state)
{
	(void)state;
	struct rg_route_table *table = route_table_new(&raddb);
	char name[260] = "@a";
	for (int i = 0; i < 120; i++)
		strcat(name, ".a");
	strcat(name, ".nl");
	assert_int_equal(go(table, name).way, RG_WAY_AWAY);
	struct rg_nai nai = {.realm = span_of("................................................................"
					      "................................................................"
					      "................................................................",
					      192)};
	assert_int_equal(route_table_find(table, &nai).way, RG_WAY_AWAY);
	route_table_free(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exact_beats_wildcard_and_longer_beats_shorter),
		cmocka_unit_test(refusals_beat_routes_and_own_realms_beat_refusals),
		cmocka_unit_test(machines_stay_at_home),
		cmocka_unit_test(without_a_route_for_everyone),
		cmocka_unit_test(everyone_may_be_refused),
		cmocka_unit_test(what_a_realm_claims),
		cmocka_unit_test(O8_names_of_many_labels),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

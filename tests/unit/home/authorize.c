#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "home/authorize.h"

static const char *const beuningen[] = {"beuningen"};
static const char *const two_sites[] = {"druten", "Beuningen"};
static const char *const peap[] = {"peap", "ttls"};

static const bool in_none[2], in_second[2] = {false, true};

/* jan of operator beuningen, by TLS, at his own town hall. */
static const struct rg_circumstances at_home = {
	.identity = "jan@beuningen.nl",
	.method = "tls",
	.site = "beuningen",
	.operator = "beuningen",
	.member = in_none,
};

static bool matches(struct rg_rule rule, const struct rg_circumstances *now)
{
	const struct rg_realm realm = {.operator = "beuningen", .rules = &rule, .rule_count = 1};
	const struct rg_rule *found = authorize(&realm, now);
	assert_true(!found || found == &rule);
	return found;
}

static void nobody_without_a_rule(void **state)
{
	const struct rg_realm realm = {.operator = "beuningen"};
	(void)state;
	assert_null(authorize(&realm, &at_home));
}

static void rule_without_conditions(void **state)
{
	(void)state;
	assert_true(matches((struct rg_rule){.group = -1}, &at_home));
}

static void group_condition(void **state)
{
	struct rg_circumstances member = at_home;
	member.member = in_second;
	(void)state;
	assert_false(matches((struct rg_rule){.group = 1}, &at_home));
	assert_false(matches((struct rg_rule){.group = 0}, &member));
	assert_true(matches((struct rg_rule){.group = 1}, &member));
}

static void sites_condition(void **state)
{
	struct rg_circumstances elsewhere = at_home;
	elsewhere.site = "beuningen-noord";
	(void)state;
	assert_true(matches((struct rg_rule){.group = -1, .sites = {beuningen, 1}}, &at_home));
	assert_true(matches((struct rg_rule){.group = -1, .sites = {two_sites, 2}}, &at_home));
	assert_false(matches((struct rg_rule){.group = -1, .sites = {two_sites, 1}}, &at_home));
	assert_false(matches((struct rg_rule){.group = -1, .sites = {two_sites, 2}}, &elsewhere));
}

static void methods_condition(void **state)
{
	struct rg_circumstances by_ttls = at_home;
	by_ttls.method = "ttls";
	(void)state;
	assert_false(matches((struct rg_rule){.group = -1, .methods = {peap, 2}}, &at_home));
	assert_true(matches((struct rg_rule){.group = -1, .methods = {peap, 2}}, &by_ttls));
	assert_false(matches((struct rg_rule){.group = -1, .methods = {peap, 1}}, &by_ttls));
}

static void identity_condition(void **state)
{
	(void)state;
	assert_true(matches((struct rg_rule){.group = -1, .identity = "j?n@*"}, &at_home));
	assert_true(matches((struct rg_rule){.group = -1, .identity = "JAN@beuningen.nl"}, &at_home));
	assert_false(matches((struct rg_rule){.group = -1, .identity = "host/*"}, &at_home));
	assert_false(matches((struct rg_rule){.group = -1, .identity = "jan"}, &at_home));
}

/* The client's operator, not its site, and never a federation peer. */
static void home_condition(void **state)
{
	struct rg_circumstances now = at_home;
	(void)state;
	assert_true(matches((struct rg_rule){.group = -1, .home = true}, &now));
	now.operator = "BEUNINGEN";
	now.site = "druten";
	assert_true(matches((struct rg_rule){.group = -1, .home = true}, &now));
	now.operator = "druten";
	now.site = "beuningen";
	assert_false(matches((struct rg_rule){.group = -1, .home = true}, &now));
	now.operator = "";
	assert_false(matches((struct rg_rule){.group = -1, .home = true}, &now));
	struct rg_rule rule = {.group = -1, .home = true};
	const struct rg_realm nameless = {.operator = "", .rules = &rule, .rule_count = 1};
	assert_null(authorize(&nameless, &now));
}

static void all_conditions_must_hold(void **state)
{
	struct rg_circumstances now = at_home;
	const struct rg_rule rule = {
		.group = 1, .sites = {beuningen, 1}, .identity = "jan@*", .home = true};
	(void)state;
	now.member = in_second;
	assert_true(matches(rule, &now));
	now.member = in_none;
	assert_false(matches(rule, &now));
	now.member = in_second;
	now.site = "druten";
	assert_false(matches(rule, &now));
	now.site = "beuningen";
	now.operator = "druten";
	assert_false(matches(rule, &now));
	now.operator = "beuningen";
	now.identity = "piet@beuningen.nl";
	assert_false(matches(rule, &now));
}

static void first_match_wins(void **state)
{
	struct rg_rule rules[] = {
		{.group = 1, .deny = true},
		{.group = -1, .sites = {two_sites, 1}},
		{.group = -1, .home = true},
		{.group = -1},
	};
	const struct rg_realm realm = {.operator = "beuningen", .rules = rules, .rule_count = 4};
	struct rg_circumstances now = at_home;
	(void)state;
	assert_ptr_equal(authorize(&realm, &now), &rules[2]);
	now.site = "druten";
	assert_ptr_equal(authorize(&realm, &now), &rules[1]);
	now.member = in_second;
	assert_ptr_equal(authorize(&realm, &now), &rules[0]);
	now = at_home;
	now.operator = "";
	assert_ptr_equal(authorize(&realm, &now), &rules[3]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_without_a_rule), cmocka_unit_test(rule_without_conditions),
		cmocka_unit_test(group_condition),	 cmocka_unit_test(sites_condition),
		cmocka_unit_test(methods_condition),	 cmocka_unit_test(identity_condition),
		cmocka_unit_test(home_condition),	 cmocka_unit_test(all_conditions_must_hold),
		cmocka_unit_test(first_match_wins),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

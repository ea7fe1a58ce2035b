/* Groups, and names that libldap has no memory for (attacks.md O3): unsure is never "no member". */
#include "directory/group.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "directory/dn.h"
#include "shortage.h"

#define DENIED "cn=geen-wifi+ou=Beheer,ou=groups,dc=beuningen,dc=nl"

static void O3_a_name_is_read_or_not_known(void **state)
{
	(void)state;
	unsigned at = 0;
	do {
		char *normal;
		shortage.failed = false;
		shortage.left = ++at;
		bool read = dn_read(DENIED, &normal);
		shortage.left = 0;
		if (read)
			assert_string_equal(normal,
					    "cn=geen-wifi+ou=beheer,ou=groups,dc=beuningen,dc=nl");
		else
			assert_null(normal);
		free(normal);
	} while (shortage.failed);
	assert_true(!shortage_works() || at > 5);
}

/* What has a meaning in a DN stands in a value only with a backslash (RFC 4514 section 2.4). */
static void a_normal_form_is_a_DN_itself(void **state)
{
	static const char *const names[] = {
		"cn=a\\<b,dc=nl",      "cn=\\#1",          "cn=\\\"zo\\\"\\;\\>,dc=nl",
		"uid=t\x9d \\<,dc=nl", "cn=a\\,b\\+c\\\\", "cn=\\\r0"};
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *normal = dn_normal(names[i]);
		assert_non_null(normal);
		char *again = dn_normal(normal);
		assert_non_null(again);
		assert_string_equal(again, normal);
		free(again);
		free(normal);
	}
}

static void no_DN_is_no_lack_of_memory(void **state)
{
	char *normal;
	(void)state;
	assert_true(dn_read("geen-wifi", &normal));
	assert_null(normal);
}

static void the_name_that_names_nothing_is_above_everything(void **state)
{
	char *normal;
	(void)state;
	assert_true(dn_read("", &normal));
	assert_non_null(normal);
	assert_string_equal(normal, "");
	assert_true(dn_within("cn=ict,dc=beuningen,dc=nl", normal));
	free(normal);
	normal = dn_normal("");
	assert_non_null(normal);
	free(normal);
	assert_true(dn_equal("", ""));
	assert_false(dn_equal("", "dc=nl"));
	assert_false(dn_within("dc=nl", "dc=beuningen,dc=nl"));
}

static void O3_a_group_is_met_or_unsure(void **state)
{
	const char *groups[] = {DENIED, "ict"};
	bool member[2];
	struct rg_question question = {.groups = groups, .group_count = 2, .member = member};
	(void)state;
	unsigned at = 0;
	do {
		struct rg_group_match match;
		shortage.failed = false;
		shortage.left = ++at;
		if (groups_prepare(&match, &question)) {
			groups_mark(
				&match,
				span_text(
					"OU=beheer+CN=Geen-Wifi, OU=groups, DC=beuningen, DC=nl"));
			assert_true(member[0] || match.unsure);
			groups_reset(&match);
			assert_false(match.unsure);
		} else {
			assert_null(match.question);
			groups_reset(&match); /* dir_ldif does: it ended the process */
		}
		shortage.left = 0;
		groups_free(&match);
	} while (shortage.failed);
	assert_true(!shortage_works() || at > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(O3_a_name_is_read_or_not_known),
		cmocka_unit_test(a_normal_form_is_a_DN_itself),
		cmocka_unit_test(no_DN_is_no_lack_of_memory),
		cmocka_unit_test(the_name_that_names_nothing_is_above_everything),
		cmocka_unit_test(O3_a_group_is_met_or_unsure),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

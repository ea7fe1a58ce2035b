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

#define DENIED "cn=geen-wifi+ou=Beheer,ou=groups,dc=beuningen,dc=nl"

static unsigned left; /* allocations until one fails; 0: none does */
static bool failed;

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

static bool fails(void)
{
	failed |= left == 1;
	return left != 0 && --left == 0;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
	return fails() ? NULL : __libc_realloc(memory, size);
}
#endif

/* Not where a sanitizer or valgrind has an allocator of its own. */
static bool fails_on_demand(void)
{
	left = 1;
	void *(*volatile allocate)(size_t) = malloc; /* the compiler knows malloc to heed nothing of ours */
	void *some = allocate(1);
	left = 0;
	free(some);
	return !some;
}

static void O3_a_name_is_read_or_not_known(void **state)
{
	(void)state;
	unsigned at = 0;
	do {
		char *normal;
		failed = false;
		left = ++at;
		bool read = dn_read(DENIED, &normal);
		left = 0;
		if (read)
			assert_string_equal(normal,
					    "cn=geen-wifi+ou=beheer,ou=groups,dc=beuningen,dc=nl");
		else
			assert_null(normal);
		free(normal);
	} while (failed);
	assert_true(!fails_on_demand() || at > 5);
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
		failed = false;
		left = ++at;
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
		left = 0;
		groups_free(&match);
	} while (failed);
	assert_true(!fails_on_demand() || at > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(O3_a_name_is_read_or_not_known),
		cmocka_unit_test(no_DN_is_no_lack_of_memory),
		cmocka_unit_test(the_name_that_names_nothing_is_above_everything),
		cmocka_unit_test(O3_a_group_is_met_or_unsure),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What root gives away before it goes. */
#include "daemon/privileges.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/roamgate-privileges-XXXXXX";
static char file[64], link_to_it[64], second_name[64];

static uid_t owner(const char *path)
{
	struct stat is;
	assert_int_equal(stat(path, &is), 0);
	return is.st_uid;
}

static int set_up(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/file", folder);
	snprintf(link_to_it, sizeof(link_to_it), "%s/link", folder);
	snprintf(second_name, sizeof(second_name), "%s/second", folder);
	FILE *out = fopen(file, "w");
	assert_non_null(out);
	fclose(out);
	assert_int_equal(symlink(file, link_to_it), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(link_to_it);
	unlink(file);
	return rmdir(folder);
}

/* Only root has anything to give, and only what nobody can have put another file in the place of. */
static void links_and_devices_are_not_given_away(void **state)
{
	char why[256];
	uid_t device = owner("/dev/null");
	(void)state;
	assert_true(privileges_give(link_to_it, "nobody", why));
	assert_int_equal(owner(file), geteuid());
	assert_int_equal(link(file, second_name), 0);
	assert_true(privileges_give(file, "nobody", why));
	assert_int_equal(owner(file), geteuid());
	assert_int_equal(unlink(second_name), 0);
	assert_true(privileges_give("/dev/null", "nobody", why));
	assert_int_equal(owner("/dev/null"), device);
}

static void file_is_given_away_by_root(void **state)
{
	char why[256];
	(void)state;
	assert_true(privileges_give(file, "nobody", why));
	assert_int_equal(owner(file) == geteuid(), geteuid() != 0);
}

static void missing_file_is_said(void **state)
{
	char why[256] = "";
	(void)state;
	assert_int_equal(privileges_give("/nonexistent/file", "nobody", why), geteuid() != 0);
	assert_int_equal(why[0] == '\0', geteuid() != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_and_devices_are_not_given_away),
		cmocka_unit_test(file_is_given_away_by_root),
		cmocka_unit_test(missing_file_is_said),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* The last of the memory (attacks.md O3): a raddb is read as a whole or not at all, and never ends
 * the process. */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/reserve.h"
#include "kit.h"

#define MIB ((size_t)1 << 20)

static struct {
	size_t least, most; /* sizes that are not to be had, and … */
	unsigned left;      /* … zeroed allocations until one fails; 0: none does */
	unsigned refused;
} shortage;

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);

/* It does not look; source.c sees to it that there is enough for it. */
static bool is_of_libconfig(const void *caller)
{
	Dl_info info;
	return dladdr(caller, &info) != 0 && strstr(info.dli_fname, "libconfig");
}

void *malloc(size_t size)
{
	bool fails = size >= shortage.least && size < shortage.most;
	shortage.refused += fails;
	return fails ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	bool fails = shortage.left != 0 && !is_of_libconfig(__builtin_return_address(0)) &&
		     --shortage.left == 0;
	shortage.refused += fails;
	return fails ? NULL : __libc_calloc(count, size);
}
#endif

/* Not where a sanitizer or valgrind has an allocator of its own. */
static bool fails_on_demand(void)
{
	shortage.most = SIZE_MAX;
	void *(*volatile allocate)(size_t) = malloc; /* the compiler knows malloc to heed nothing of ours */
	void *some = allocate(1);
	shortage.most = 0;
	free(some);
	return !some;
}

static void assert_refused(const char *file, const char *word)
{
	struct rg_report report = {0};
	shortage.refused = 0;
	struct rg_raddb *raddb = kit_load(&report);
	shortage.least = shortage.most = 0;
	assert_null(raddb);
	assert_int_equal(shortage.refused, 1);
	assert_true(kit_found(&report, false, file, 0, NULL, word));
	report_free(&report);
	raddb = kit_load(&report);
	assert_non_null(raddb);
	raddb_free(&raddb);
	report_free(&report);
}

/* It ended the process: libconfig writes to what malloc gave it without a look. */
static void O3_libconfig_is_not_asked_without_memory_for_its_tree(void **state)
{
	(void)state;
	if (!fails_on_demand())
		skip();
	kit_new();
	kit_write("federation.d/peers.cfg", "refuse_defaults = true;\n");
	kit_write("clients.d/clients.cfg", "");
	assert_true(reserve_begin());
	/* The largest is the last. */
	char *more = malloc(MIB / 32);
	memset(more, '#', MIB / 32 - 1);
	more[MIB / 32 - 1] = '\0';
	kit_write("clients.d/large.cfg", more);
	free(more);
	shortage.least = 2 * MIB - 32;
	shortage.most = 3 * MIB;
	assert_refused("clients.d/large.cfg", "cannot be read: no memory");
	kit_remove();
}

static void O3_without_a_reserve_nothing_is_begun(void **state)
{
	struct rg_report report = {0};
	(void)state;
	if (!fails_on_demand())
		skip();
	kit_new();
	/* It is used up first. */
	shortage.left = 1;
	free(reserve_calloc(1, 1));
	assert_true(reserve_used());
	shortage.least = 4 * MIB;
	shortage.most = SIZE_MAX;
	assert_refused("", "no memory");
	assert_false(reserve_used());
	report_free(&report);
	kit_remove();
}

/* Any of them ended the process, and with it everybody's sign-ins. */
static void O3_each_allocation_that_fails_refuses_the_raddb_and_nothing_else(void **state)
{
	unsigned at = 0, refused = 0;
	(void)state;
	if (!fails_on_demand())
		skip();
	kit_new();
	do {
		struct rg_report report = {0};
		shortage.refused = 0;
		shortage.left = ++at;
		struct rg_raddb *raddb = kit_load(&report);
		shortage.left = 0;
		assert_true(raddb ? report.error_count == 0 : report.error_count > 0);
		refused += !raddb;
		raddb_free(&raddb);
		report_free(&report);
	} while (shortage.refused != 0);
	assert_true(refused > 5);
	print_message("%u allocations, %u refused\n", at - 1, refused);
	kit_remove();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(O3_libconfig_is_not_asked_without_memory_for_its_tree),
		cmocka_unit_test(O3_without_a_reserve_nothing_is_begun),
		cmocka_unit_test(O3_each_allocation_that_fails_refuses_the_raddb_and_nothing_else),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

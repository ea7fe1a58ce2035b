/* What a process has used. */
#include "load/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t own_ns(void)
{
	struct timespec used;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * UINT64_C(1000000000) + (uint64_t)used.tv_nsec;
}

/* Far below the kernel's tick. */
static void cpu_time_is_told_to_the_nanosecond(void **state)
{
	struct rg_process_use use;
	(void)state;
	for (unsigned turn = 0; turn < 100; turn++) {
		uint64_t before = own_ns();
		assert_true(process_use(&use, getpid()));
		assert_in_range(use.cpu_ns, before, own_ns());
	}
	assert_true(use.memory_kib > 500 && use.memory_kib <= use.memory_peak_kib);
}

static void who_is_gone_has_used_nothing(void **state)
{
	struct rg_process_use use;
	(void)state;
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_false(process_use(&use, child));
	assert_int_equal(use.cpu_ns, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cpu_time_is_told_to_the_nanosecond),
		cmocka_unit_test(who_is_gone_has_used_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

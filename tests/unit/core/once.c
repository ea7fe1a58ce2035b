#include "core/once.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#define CALLERS 8

static unsigned tried, needed;

static bool make(void)
{
	return ++tried >= needed;
}

static void O3_what_could_not_be_made_is_tried_again(void **state)
{
	struct rg_once once = RG_ONCE;
	(void)state;
	tried = 0;
	needed = 3;
	assert_false(once_made(&once, make));
	assert_false(once_made(&once, make));
	assert_true(once_made(&once, make));
	assert_int_equal(tried, 3);
}

static void what_is_made_is_made_once(void **state)
{
	struct rg_once once = RG_ONCE;
	(void)state;
	tried = 0;
	needed = 1;
	for (unsigned i = 0; i < 5; i++)
		assert_true(once_made(&once, make));
	assert_int_equal(tried, 1);
}

/* What it makes, and what of it the callers find. */
static struct {
	pthread_barrier_t start;
	struct rg_once once;
	atomic_uint tried, at_a_time, most;
	unsigned needed;
	int made; /* by no atomic: it is there before anybody is told so */
} crowd;

static bool make_slowly(void)
{
	unsigned now = atomic_fetch_add(&crowd.at_a_time, 1) + 1;
	if (now > atomic_load(&crowd.most))
		atomic_store(&crowd.most, now);
	usleep(3000); /* for the others to come by */
	bool good = atomic_fetch_add(&crowd.tried, 1) + 1 >= crowd.needed;
	if (good)
		crowd.made = 1;
	atomic_fetch_sub(&crowd.at_a_time, 1);
	return good;
}

/* NULL: it was told that what is made is not there, or found nothing. */
static void *call(void *unused)
{
	(void)unused;
	pthread_barrier_wait(&crowd.start);
	return once_made(&crowd.once, make_slowly) && crowd.made ? &crowd : NULL;
}

static unsigned call_all(unsigned attempts)
{
	pthread_t threads[CALLERS];
	unsigned found = 0;
	crowd.once = (struct rg_once)RG_ONCE;
	crowd.needed = attempts;
	crowd.tried = crowd.most = 0;
	crowd.made = 0;
	assert_int_equal(pthread_barrier_init(&crowd.start, NULL, CALLERS), 0);
	for (unsigned i = 0; i < CALLERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, call, NULL), 0);
	for (unsigned i = 0; i < CALLERS; i++) {
		void *it;
		pthread_join(threads[i], &it);
		found += it != NULL;
	}
	pthread_barrier_destroy(&crowd.start);
	assert_int_equal(crowd.most, 1);
	assert_int_equal(crowd.tried, attempts);
	return found;
}

static void of_many_callers_one_makes_it_and_all_have_it(void **state)
{
	(void)state;
	assert_int_equal(call_all(1), CALLERS);
}

/* Each that waits tries in its turn, and never two. */
static void O3_of_many_callers_the_next_makes_what_could_not_be_made(void **state)
{
	(void)state;
	assert_int_equal(call_all(3), CALLERS - 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(O3_what_could_not_be_made_is_tried_again),
		cmocka_unit_test(what_is_made_is_made_once),
		cmocka_unit_test(of_many_callers_one_makes_it_and_all_have_it),
		cmocka_unit_test(O3_of_many_callers_the_next_makes_what_could_not_be_made),
	};
	alarm(60); /* where one waits for ever */
	return cmocka_run_group_tests(tests, NULL, NULL);
}

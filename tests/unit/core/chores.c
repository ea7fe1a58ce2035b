#include "core/chores.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MANY 500

struct errand {
	struct rg_chore chore; /* first, so that one is the other */
	pthread_t where;
	unsigned ran, done, left_out;
};

static uv_loop_t loop;
static atomic_bool held;
static atomic_uint at_work;
static unsigned startable = UINT_MAX; /* threads, before the kernel has no more */

#ifdef __SANITIZE_THREAD__ /* which has one of its own */
#define THREADS_FAIL 0
#else
#define THREADS_FAIL 1

/* In place of libc's. */
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run_it)(void *), void *argument)
{
	int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
	if (startable == 0)
		return EAGAIN;
	startable--;
	*(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
	return real(thread, attributes, run_it, argument);
}
#endif

static void work(struct rg_chore *chore)
{
	struct errand *errand = (struct errand *)chore;
	errand->where = pthread_self();
	errand->ran++;
}

static void work_for_long(struct rg_chore *chore)
{
	atomic_fetch_add(&at_work, 1);
	while (atomic_load(&held))
		usleep(1000);
	work(chore);
	atomic_fetch_sub(&at_work, 1);
}

static void done(struct rg_chore *chore, bool left_out)
{
	struct errand *errand = (struct errand *)chore;
	assert_int_not_equal(errand->ran, left_out);
	errand->done++;
	errand->left_out += left_out;
	/* The chore is its owner's again, and nothing of it is touched any more. */
	memset(&errand->chore, 0x5a, sizeof(errand->chore));
}

static void begin(struct errand *errand, void (*how)(struct rg_chore *))
{
	*errand = (struct errand){.chore = {.work = how, .done = done}};
	assert_true(chore_begin(&errand->chore, &loop));
}

static int setup(void **state)
{
	(void)state;
	return uv_loop_init(&loop) == 0 && chores_open(RG_ROLE_RESOLVER) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	chores_close();
	return uv_loop_close(&loop);
}

static void each_is_done_once_elsewhere_and_told_here(void **state)
{
	static struct errand errands[MANY];
	(void)state;
	for (size_t i = 0; i < MANY; i++)
		begin(&errands[i], work);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	for (size_t i = 0; i < MANY; i++) {
		assert_int_equal(errands[i].ran, 1);
		assert_int_equal(errands[i].done, 1);
		assert_int_equal(errands[i].left_out, 0);
		assert_false(pthread_equal(errands[i].where, pthread_self()));
	}
}

static void what_is_not_begun_is_left_out(void **state)
{
	static struct errand busy[16], late[3], after;
	(void)state;
	atomic_store(&held, true);
	for (size_t i = 0; i < 16; i++)
		begin(&busy[i], work_for_long);
	for (size_t i = 0; i < 3; i++)
		begin(&late[i], work);
	chore_leave_out(&late[1].chore);
	chore_leave_out(&late[2].chore); /* the last */
	begin(&after, work);
	while (!late[2].done)
		uv_run(&loop, UV_RUN_ONCE);
	atomic_store(&held, false);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(late[i].done, 1);
		assert_int_equal(late[i].ran, i == 0);
		assert_int_equal(late[i].left_out, i != 0);
	}
	assert_int_equal(after.ran, 1);
	assert_int_equal(after.done, 1);
}

/* A name whose servers are silent keeps no other waiting. */
static void four_are_done_at_once_and_the_next_when_one_is(void **state)
{
	static struct errand busy[4], next;
	(void)state;
	atomic_store(&held, true);
	for (size_t i = 0; i < 4; i++)
		begin(&busy[i], work_for_long);
	while (atomic_load(&at_work) < 4)
		usleep(1000);
	begin(&next, work);
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(next.done, 0);
	atomic_store(&held, false);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(next.done, 1);
}

/* As soon as it is put in, where all threads sleep, and each time. */
static void each_wakes_a_thread_that_sleeps(void **state)
{
	(void)state;
	for (size_t i = 0; i < 20; i++) {
		static struct errand one;
		usleep(500);
		begin(&one, work);
		assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
		assert_int_equal(one.done, 1);
	}
}

/* None that was not begun goes to who comes next, nor stays the owner's for ever. */
static void what_is_left_out_need_not_be_waiting(void **state)
{
	struct errand errand;
	(void)state;
	begin(&errand, work);
	usleep(5000); /* it is done, and nobody was told yet */
	chore_leave_out(&errand.chore);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(errand.done, 1);
}

static unsigned threads_there(void)
{
	DIR *folder = opendir("/proc/self/task");
	unsigned count = 0;
	assert_non_null(folder);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count - 2; /* "." and ".." */
}

static void O3_too_few_threads_are_none(void **state)
{
	struct errand errand = {.chore = {.work = work, .done = done}};
	(void)state;
	for (unsigned some = 0; THREADS_FAIL && some < 4; some++) {
		chores_close();
		startable = some;
		errno = 0;
		assert_false(chores_open(RG_ROLE_RESOLVER));
		assert_int_equal(errno, EAGAIN);
		while (threads_there() != 1) /* one that was joined may be seen for a moment more */
			usleep(1000);
		assert_false(chore_begin(&errand.chore, &loop));
		startable = UINT_MAX;
		assert_true(chores_open(RG_ROLE_RESOLVER));
	}
	begin(&errand, work);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(errand.done, 1);
}

static void one_that_is_begun_is_not_left_out(void **state)
{
	struct errand errand;
	(void)state;
	atomic_store(&held, true);
	begin(&errand, work_for_long);
	usleep(20000);
	chore_leave_out(&errand.chore);
	atomic_store(&held, false);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(errand.done, 1);
	assert_int_equal(errand.ran + errand.left_out, 1);
}

static void none_without_threads(void **state)
{
	struct errand errand = {.chore = {.work = work, .done = done}};
	(void)state;
	chores_close();
	assert_false(chore_begin(&errand.chore, &loop));
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(errand.done, 0);
	assert_true(chores_open(RG_ROLE_RESOLVER));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_done_once_elsewhere_and_told_here),
		cmocka_unit_test(what_is_not_begun_is_left_out),
		cmocka_unit_test(four_are_done_at_once_and_the_next_when_one_is),
		cmocka_unit_test(each_wakes_a_thread_that_sleeps),
		cmocka_unit_test(what_is_left_out_need_not_be_waiting),
		cmocka_unit_test(one_that_is_begun_is_not_left_out),
		cmocka_unit_test(O3_too_few_threads_are_none),
		cmocka_unit_test(none_without_threads),
	};
	alarm(60); /* where one waits for ever */
	return cmocka_run_group_tests(tests, setup, teardown);
}

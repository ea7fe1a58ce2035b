#include "core/chores.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
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

static void work(struct rg_chore *chore)
{
	struct errand *errand = (struct errand *)chore;
	errand->where = pthread_self();
	errand->ran++;
}

static void work_for_long(struct rg_chore *chore)
{
	while (atomic_load(&held))
		usleep(1000);
	work(chore);
}

static void done(struct rg_chore *chore, bool left_out)
{
	struct errand *errand = (struct errand *)chore;
	errand->done++;
	errand->left_out += left_out;
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
		cmocka_unit_test(one_that_is_begun_is_not_left_out),
		cmocka_unit_test(none_without_threads),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}

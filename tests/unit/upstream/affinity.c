/* Which peer gave a State: remembered for a minute, by all workers, in a table that does not grow. */
#include "upstream/affinity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/clock.h"

static const uint64_t now = 1000 * RG_SECOND;

static uint64_t key_of(unsigned number)
{
	char state[32];
	snprintf(state, sizeof(state), "state %u", number);
	return affinity_key(span_text(state), 7);
}

static void remembered_for_a_minute(void **state)
{
	(void)state;
	affinity_put(affinity_of(0), key_of(1), 3, now);
	assert_int_equal(affinity_find(0, key_of(1), now), 3);
	assert_int_equal(affinity_find(0, key_of(1), now + RG_AFFINITY_S * RG_SECOND), 3);
	assert_int_equal(affinity_find(0, key_of(1), now + (RG_AFFINITY_S + 1) * RG_SECOND), 0);
	assert_int_equal(affinity_find(0, key_of(2), now), 0);
}

static void by_every_worker_and_its_own_first(void **state)
{
	(void)state;
	affinity_put(affinity_of(2), key_of(10), 4, now);
	assert_int_equal(affinity_find(5, key_of(10), now), 4);
	affinity_put(affinity_of(5), key_of(10), 6, now);
	assert_int_equal(affinity_find(5, key_of(10), now), 6);
	assert_int_equal(affinity_find(2, key_of(10), now), 4);
}

static void the_later_word_counts(void **state)
{
	(void)state;
	affinity_put(affinity_of(0), key_of(20), 1, now);
	affinity_put(affinity_of(0), key_of(20), 2, now + RG_SECOND);
	assert_int_equal(affinity_find(0, key_of(20), now + RG_SECOND), 2);
}

static void same_State_of_another_realm_is_another(void **state)
{
	(void)state;
	assert_true(affinity_key(span_text("x"), 1) != affinity_key(span_text("x"), 2));
}

/* A million States: the newest are known, and nothing has grown. */
static void a_flood_forgets_the_oldest(void **state)
{
	struct rg_affinity *table = affinity_of(1);
	unsigned known = 0;
	(void)state;
	for (unsigned i = 0; i < 1000000; i++)
		affinity_put(table, key_of(i), 9, now + i * RG_MS / 100);
	assert_ptr_equal(affinity_of(1), table);
	for (unsigned i = 999000; i < 1000000; i++)
		known += affinity_find(1, key_of(i), now + 10 * RG_SECOND) == 9;
	assert_in_range(known, 950, 1000);
}

static void without_a_table_nothing_is_remembered(void **state)
{
	(void)state;
	affinity_put(NULL, key_of(30), 1, now);
	assert_int_equal(affinity_find(0, key_of(30), now), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(remembered_for_a_minute),
		cmocka_unit_test(by_every_worker_and_its_own_first),
		cmocka_unit_test(the_later_word_counts),
		cmocka_unit_test(same_State_of_another_realm_is_another),
		cmocka_unit_test(a_flood_forgets_the_oldest),
		cmocka_unit_test(without_a_table_nothing_is_remembered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "load/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static struct rg_histogram histogram;

static int clear(void **state)
{
	(void)state;
	memset(&histogram, 0, sizeof(histogram));
	return 0;
}

static void an_empty_one_says_nothing(void **state)
{
	(void)state;
	assert_int_equal(histogram_quantile(&histogram, 0.99), 0);
}

static void quantiles_are_at_most_a_32nd_too_high(void **state)
{
	(void)state;
	for (uint64_t ns = 1; ns <= 100000; ns++)
		histogram_add(&histogram, ns * 1000);
	for (unsigned part = 1; part <= 100; part++) {
		uint64_t exact = UINT64_C(1000000) * part;
		uint64_t said = histogram_quantile(&histogram, part / 100.0);
		assert_in_range(said, exact, exact + exact / 32);
	}
	assert_int_equal(histogram.least_ns, 1000);
	assert_int_equal(histogram.most_ns, 100000000);
	assert_int_equal(histogram_quantile(&histogram, 1), 100000000);
}

static void small_values_are_exact(void **state)
{
	(void)state;
	for (uint64_t ns = 0; ns < 64; ns++)
		histogram_add(&histogram, ns);
	assert_int_equal(histogram_quantile(&histogram, 0.5), 31);
	assert_int_equal(histogram_quantile(&histogram, 1), 63);
}

static void every_value_lies_in_its_bucket(void **state)
{
	(void)state;
	for (unsigned shift = 0; shift < 64; shift++) {
		for (int aside = -1; aside <= 1; aside++) {
			uint64_t ns = (UINT64_C(1) << shift) + (uint64_t)(int64_t)aside;
			clear(NULL);
			histogram_add(&histogram, ns);
			unsigned at = 0;
			while (histogram.buckets[at] == 0)
				at++;
			assert_true(at < RG_HISTOGRAM_BUCKETS);
			assert_true(ns < histogram_end_ns(at) || ns == UINT64_MAX);
			assert_true(at == 0 || ns >= histogram_end_ns(at - 1));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_empty_one_says_nothing, clear),
		cmocka_unit_test_setup(quantiles_are_at_most_a_32nd_too_high, clear),
		cmocka_unit_test_setup(small_values_are_exact, clear),
		cmocka_unit_test_setup(every_value_lies_in_its_bucket, clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

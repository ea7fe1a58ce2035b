/* What workers see of a peer, each for itself, and what of it is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "upstream/stats.h"

static void what_one_worker_has_told_no_other_tells(void **state)
{
	(void)state;
	const struct rg_peer_stats *zero = peer_stats_of("p", 0, NULL), *one = peer_stats_of("p", 1, NULL);
	const struct rg_peer_stats *other = peer_stats_of("q", 0, NULL);
	assert_true(peer_stats_is_news(one, RG_PEER_DOWN));
	assert_false(peer_stats_is_news(zero, RG_PEER_DOWN));
	assert_false(peer_stats_is_news(one, RG_PEER_DOWN));
	assert_true(peer_stats_is_news(other, RG_PEER_DOWN));
	const struct rg_peer_stats *late = peer_stats_of("p", 2, NULL);
	assert_false(peer_stats_is_news(late, RG_PEER_DOWN));
	assert_true(peer_stats_is_news(late, RG_PEER_UP));
	assert_false(peer_stats_is_news(zero, RG_PEER_UP));
}

static void of_a_peer_that_is_configured_anew_all_is_news(void **state)
{
	(void)state;
	const struct rg_peer_stats *zero = peer_stats_of("r", 0, NULL), *one = peer_stats_of("r", 1, NULL);
	assert_true(peer_stats_is_news(one, RG_PEER_DOWN));
	assert_ptr_equal(peer_stats_of("r", 1, NULL), one);
	assert_false(peer_stats_is_news(one, RG_PEER_DOWN));
	assert_ptr_equal(peer_stats_of("r", 0, NULL), zero);
	assert_true(peer_stats_is_news(zero, RG_PEER_DOWN));
	assert_false(peer_stats_is_news(one, RG_PEER_DOWN));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_one_worker_has_told_no_other_tells),
		cmocka_unit_test(of_a_peer_that_is_configured_anew_all_is_news),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

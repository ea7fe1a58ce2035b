/* The back-off of dir_ldap's servers. */
#include "modules/dir_ldap/server.h"

#include "core/clock.h"
#include "support.h"

static void backoff_doubles(void **state)
{
	(void)state;
	struct rg_server server = {.uri = "ldap://x"};
	uint64_t now = 1000 * RG_SECOND, expected = 250 * RG_MS;
	assert_int_equal(server_due(&server, true), 0);
	for (unsigned i = 0; i < 100; i++) {
		server_down(&server, "why", now, 5, 30 * RG_SECOND, i * 2654435761u);
		uint64_t wait = server_due(&server, true) - now;
		assert_in_range(wait, expected / 4 * 3, expected / 4 * 5);
		if (expected < 30 * RG_SECOND)
			expected *= 2;
		if (expected > 30 * RG_SECOND)
			expected = 30 * RG_SECOND;
		now += wait;
	}
	assert_int_equal(server.state, RG_DIRECTORY_DOWN);
	assert_int_equal(server.since, 5);
}

static void nobody_else_serves(void **state)
{
	(void)state;
	struct rg_server server = {.uri = "ldap://x"};
	for (unsigned i = 0; i < 50; i++)
		server_down(&server, "why", 10 * RG_SECOND, 5, 3600 * RG_SECOND, 1);
	assert_true(server_due(&server, true) > 2000 * RG_SECOND);
	assert_int_equal(server_due(&server, false), 12 * RG_SECOND);
}

static void up_again(void **state)
{
	(void)state;
	struct rg_server server = {.uri = "ldap://x"};
	server_down(&server, "why", RG_SECOND, 5, RG_SECOND, 1);
	server_up(&server, 9);
	assert_int_equal(server.state, RG_DIRECTORY_UP);
	assert_int_equal(server.since, 9);
	assert_string_equal(server.why, "");
	assert_int_equal(server_due(&server, false), 0);
	/* Until a search is answered, the next failure is the second one. */
	assert_int_equal(server.failures, 1);
}

static void binds_fail_apart_from_searches(void **state)
{
	(void)state;
	struct rg_server server = {.uri = "ldap://x"};
	server_up(&server, 5);
	server_bind_failed(&server, "silent", RG_SECOND, 30 * RG_SECOND, 1);
	assert_int_equal(server.state, RG_DIRECTORY_UP);
	assert_string_equal(server.bind_why, "silent");
	assert_in_range(server.bind_retry_ns, RG_SECOND + 180 * RG_MS, RG_SECOND + 320 * RG_MS);
	for (unsigned i = 0; i < 50; i++)
		server_bind_failed(&server, "silent", RG_SECOND, 30 * RG_SECOND, i);
	assert_true(server.bind_retry_ns <= 40 * RG_SECOND);
	assert_int_equal(server_due(&server, true), 0);
	server_bind_well(&server);
	assert_string_equal(server.bind_why, "");
	assert_int_equal(server.bind_retry_ns, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(backoff_doubles),
		cmocka_unit_test(nobody_else_serves),
		cmocka_unit_test(up_again),
		cmocka_unit_test(binds_fail_apart_from_searches),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

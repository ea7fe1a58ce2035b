#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include "core/clock.h"
#include "request/link.h"
#include "request/window.h"

static struct rg_link way, other;

static union rg_address from4(const char *host, uint16_t port)
{
	union rg_address address = {.v4 = {.sin_family = AF_INET, .sin_port = htons(port)}};
	assert_int_equal(inet_pton(AF_INET, host, &address.v4.sin_addr), 1);
	return address;
}

static union rg_address from6(const char *host, uint16_t port, uint32_t scope)
{
	union rg_address address = {.v6 = {.sin6_family = AF_INET6,
					   .sin6_port = htons(port),
					   .sin6_scope_id = scope}};
	assert_int_equal(inet_pton(AF_INET6, host, &address.v6.sin6_addr), 1);
	return address;
}

static int set_up(void **state)
{
	struct rg_window *window = calloc(1, sizeof(*window));
	*state = window;
	return window && window_init(window) ? 0 : -1;
}

static int tear_down(void **state)
{
	window_destroy(*state);
	free(*state);
	return 0;
}

static void P1_found_by_all_four(void **state)
{
	struct rg_window *window = *state;
	struct rg_request request = {.link = &way, .source = from4("192.0.2.1", 1000), .token = 9};
	union rg_address same = from4("192.0.2.1", 1000), host = from4("192.0.2.2", 1000),
			 port = from4("192.0.2.1", 1001);
	assert_true(window_add(window, &request));
	assert_ptr_equal(window_find(window, &way, &same, 9), &request);
	assert_null(window_find(window, &other, &same, 9));
	assert_null(window_find(window, &way, &same, 8));
	assert_null(window_find(window, &way, &host, 9));
	assert_null(window_find(window, &way, &port, 9));
	window_remove(window, &request);
	assert_null(window_find(window, &way, &same, 9));
	assert_int_equal(window->count, 0);
}

static void P1_families_and_zones_differ(void **state)
{
	struct rg_window *window = *state;
	struct rg_request request = {.link = &way, .source = from6("fe80::1", 1000, 2), .token = 9};
	union rg_address zone = from6("fe80::1", 1000, 3), same = from6("fe80::1", 1000, 2),
			 v4 = from4("254.128.0.0", 1000);
	assert_true(window_add(window, &request));
	assert_ptr_equal(window_find(window, &way, &same, 9), &request);
	assert_null(window_find(window, &way, &zone, 9));
	assert_null(window_find(window, &way, &v4, 9));
	window_remove(window, &request);
}

static void removing_a_stranger_changes_nothing(void **state)
{
	struct rg_window *window = *state;
	struct rg_request request = {.link = &way, .source = from4("192.0.2.1", 1000), .token = 9};
	struct rg_request stranger = request;
	assert_true(window_add(window, &request));
	window_remove(window, &stranger);
	assert_int_equal(window->count, 1);
	assert_ptr_equal(window_find(window, &way, &request.source, 9), &request);
	window_remove(window, &request);
}

static void remove_one(void *context, struct rg_request *request)
{
	window_remove(context, request);
}

#define MANY 3000u

static void each_may_remove_the_one_it_is_given(void **state)
{
	struct rg_window *window = *state;
	struct rg_request *requests = calloc(MANY, sizeof(*requests));
	for (unsigned i = 0; i < MANY; i++) {
		requests[i] = (struct rg_request){.link = &way,
						  .source = from4("192.0.2.1", (uint16_t)(i >> 8)),
						  .token = (uint8_t)i};
		assert_true(window_add(window, &requests[i]));
	}
	for (unsigned i = 0; i < MANY; i++)
		assert_ptr_equal(window_find(window, &way, &requests[i].source, requests[i].token),
				 &requests[i]);
	window_each(window, remove_one, window);
	assert_int_equal(window->count, 0);
	free(requests);
}

/* Full: the oldest answer goes; where all are under way, nothing fits. */
static void full_gives_up_the_oldest_answer_only(void **state)
{
	struct rg_window *window = *state;
	struct rg_request first = {.link = &way, .source = from4("192.0.2.1", 1), .token = 1},
			  second = {.link = &way, .source = from4("192.0.2.1", 1), .token = 2},
			  late = {.link = &way, .source = from4("192.0.2.1", 1), .token = 3};
	assert_true(window_add(window, &first));
	assert_true(window_add(window, &second));
	assert_null(window_victim(window));
	window->count = RG_WINDOW_MOST; /* as if all the others were there */
	assert_null(window_victim(window));
	assert_false(window_add(window, &late));
	window_answered(window, &second);
	window_answered(window, &first);
	assert_ptr_equal(window_victim(window), &second);
	window_remove(window, &second);
	assert_true(window_add(window, &late));
	assert_ptr_equal(window_victim(window), &first);
	window_remove(window, &first);
	window->count = RG_WINDOW_MOST;
	assert_null(window_victim(window));
	window->count = 1;
	window_remove(window, &late);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(P1_found_by_all_four, set_up, tear_down),
		cmocka_unit_test_setup_teardown(P1_families_and_zones_differ, set_up, tear_down),
		cmocka_unit_test_setup_teardown(removing_a_stranger_changes_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(each_may_remove_the_one_it_is_given, set_up, tear_down),
		cmocka_unit_test_setup_teardown(full_gives_up_the_oldest_answer_only, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

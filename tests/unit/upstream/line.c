/* Requests that wait for a connection to their peer. A socket stands for that connection. */
#include "upstream/line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/clock.h"
#include "scene.h"
#include "upstream/forward.h"

#define MANY (2 * RG_LINE_PACE_MOST)

static struct scene scene;
static struct scripted *const first = &scene.peers[0], *const second = &scene.peers[1];
static char some_radsec;

static struct rg_peer *first_peer(void)
{
	return peer_find(&scene.upstream, &scene.settings[0]);
}

/* A peer over TLS that was called and is not there yet, before one over UDP. */
static int set_up(void **state)
{
	(void)state;
	scene_begin(&scene, 2);
	scene_configure(&scene);
	scene_send(&scene);
	scripted_receive(first);
	scripted_answer(first, RG_ACCESS_REJECT);
	scene_await(&scene, &scene.answered, 1);
	struct rg_peer *peer = first_peer();
	scene.settings[0].transport = RG_TRANSPORT_TLS;
	peer->lines.radsec = (struct rg_radsec *)&some_radsec; /* asked only whether it is there */
	peer->lines.rest_ns = UINT64_MAX;                      /* no further one is called */
	peer->free_channels[RG_PORT_AUTH] = NULL;
	peer->channels[RG_PORT_AUTH]->listed = false;
	return 0;
}

static int tear_down(void **state)
{
	struct rg_peer *peer = first_peer();
	(void)state;
	scene.settings[0].transport = RG_TRANSPORT_UDP;
	peer->lines.radsec = NULL;
	scene_end(&scene);
	return 0;
}

static struct rg_forward *many_wait(void)
{
	struct rg_forward *one = NULL;
	scene.route.peer_count = 1; /* there is nobody else yet */
	for (unsigned i = 0; i < MANY; i++) {
		one = scene_try(&scene, clock_now());
		assert_non_null(one);
		assert_null(one->channel);
	}
	scene.route.peer_count = 2;
	return one;
}

/* The connection is there, and what waits has not begun to go. */
static void connection_opens(void)
{
	struct rg_peer *peer = first_peer();
	peer->lines.open = 1;
	channel_list(peer->channels[RG_PORT_AUTH]);
}

/* Each that goes elsewhere makes room for one that waits: were that to go in its place, the walk through them would go on
 * from one that waits no more, and that, for want of memory, may be gone. */
static void what_waits_stays_where_it_is_while_it_is_walked_through(void **state)
{
	(void)state;
	uint32_t realm = many_wait()->realm;
	connection_opens();
	forwards_give_up(first_peer(), realm, clock_now());
	assert_int_equal(scene.moved, MANY);
	assert_int_equal(first_peer()->under_way, 0);
	scene_flush(&scene);
	assert_true(scripted_silent(first));
	assert_false(scripted_silent(second));
}

static void what_waits_goes_a_few_at_a_time(void **state)
{
	(void)state;
	uint32_t other = many_wait()->realm + 1;
	connection_opens();
	forwards_give_up(first_peer(), other, clock_now()); /* of none that waits; and they are held no more */
	assert_int_equal(scene.moved, 0);
	lines_go_on(first_peer(), clock_now());
	assert_int_equal(first_peer()->lines.waiting_count, MANY - RG_LINE_PACE_MOST);
	assert_true(timer_armed(&first_peer()->lines.pace));
	scene_flush(&scene);
	assert_false(scripted_silent(first));
	wheel_advance(&scene.wheel, clock_now() + RG_SECOND);
	assert_int_equal(first_peer()->lines.waiting_count, 0);
	assert_int_equal(first_peer()->under_way, MANY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_waits_stays_where_it_is_while_it_is_walked_through, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_waits_goes_a_few_at_a_time, set_up, tear_down),
	};
	return cmocka_run_group_tests_name("upstream/line", tests, NULL, NULL);
}

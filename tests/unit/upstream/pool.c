/* Which peer of a route is asked, and what one that comes back or a realm that is silent does to it. */
#include "upstream/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/clock.h"
#include "scene.h"
#include "upstream/affinity.h"

static struct scene scene;
static struct scripted *const first = &scene.peers[0], *const second = &scene.peers[1];

static int by_order(void **state)
{
	(void)state;
	scene_begin(&scene, 2);
	scene_configure(&scene);
	return 0;
}

static int balanced(void **state)
{
	(void)state;
	scene_begin(&scene, 2);
	scene.route.strategy = RG_BALANCE;
	scene_configure(&scene);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scene_end(&scene);
	return 0;
}

static struct rg_peer_summary summary_of(unsigned i)
{
	struct rg_peer_summary summary;
	peer_stats_summary(scene.settings[i].name, 1, &summary);
	return summary;
}

/* Those before it were cancelled. */
static void receive_last(struct scripted *peer)
{
	scene_flush(&scene);
	do
		scripted_receive(peer);
	while (!scripted_silent(peer));
}

static void answered_by(struct scripted *peer, uint8_t code)
{
	unsigned before = scene.answered;
	receive_last(peer);
	scripted_answer(peer, code);
	scene_await(&scene, &scene.answered, before + 1);
}

/* Of so many new conversations at that time, how many go to the first. */
static unsigned share_of_first(unsigned count, uint64_t now)
{
	unsigned share = 0;
	for (unsigned i = 0; i < count; i++) {
		struct rg_forward *forward = scene_try(&scene, now);
		assert_non_null(forward);
		share += forward_peer(forward) == &scene.settings[0];
		upstream_cancel(&scene.upstream, &forward);
	}
	return share;
}

static void goes_to(unsigned i)
{
	scene.forward = scene_try(&scene, clock_now());
	assert_non_null(scene.forward);
	assert_string_equal(forward_peer(scene.forward)->name, scene.settings[i].name);
	upstream_cancel(&scene.upstream, &scene.forward);
}

/* The first goes down, and the second answers what it had. */
static void first_goes_down(void)
{
	scripted_close(first);
	scene_send(&scene);
	scene_await(&scene, &scene.moved, 1);
	assert_int_equal(summary_of(0).state, RG_PEER_DOWN);
	answered_by(second, RG_ACCESS_REJECT);
}

/* It is tried again after its time, and answers. The second was heard meanwhile. */
static void first_comes_back(void)
{
	struct rg_forward *waits = scene.forward;
	scene_send(&scene);
	answered_by(second, RG_ACCESS_REJECT);
	scripted_open(first);
	wheel_advance(&scene.wheel, clock_now() + 20 * RG_SECOND);
	assert_int_equal(summary_of(0).why, RG_WHY_TRY_AGAIN);
	scene_send(&scene);
	answered_by(first, RG_ACCESS_REJECT);
	assert_int_equal(summary_of(0).state, RG_PEER_UP);
	scene.forward = waits;
}

static void balance_gives_to_who_has_least_to_do(void **state)
{
	struct rg_forward *under_way[20];
	unsigned of_first = 0;
	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		under_way[i] = scene_try(&scene, clock_now());
		of_first += forward_peer(under_way[i]) == &scene.settings[0];
	}
	assert_int_equal(of_first, 10);
	for (unsigned i = 0; i < 20; i++) { /* the second answers nothing, the first all */
		if (forward_peer(under_way[i]) == &scene.settings[0])
			upstream_cancel(&scene.upstream, &under_way[i]);
		else
			assert_int_equal(summary_of(1).outstanding, 10);
	}
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(share_of_first(1, clock_now()), 1);
}

static void balance_takes_turns_where_nobody_has_anything_to_do(void **state)
{
	(void)state;
	assert_int_equal(share_of_first(100, clock_now()), 50);
}

static void balance_conversation_stays_with_its_peer(void **state)
{
	(void)state;
	second->state = "of the second";
	scene.route.peer_count = 1;
	scene.order[0] = &scene.settings[1];
	scene_send(&scene);
	answered_by(second, RG_ACCESS_CHALLENGE);
	scene.order[0] = &scene.settings[0];
	scene.route.peer_count = 2;
	scene.state = "of the second";
	for (unsigned i = 0; i < 10; i++)
		goes_to(1);
	/* A State is known by its realm: another home server may give the same. */
	scene.realm = "druten.nl";
	unsigned of_first = 0;
	for (char user = 'a'; user < 'a' + 16; user++) {
		char realm[32];
		snprintf(realm, sizeof(realm), "%c.druten.nl", user);
		scene.realm = realm;
		of_first += share_of_first(1, clock_now());
	}
	assert_in_range(of_first, 1, 15);
}

static void failover_conversation_stays_when_a_better_peer_comes_back(void **state)
{
	(void)state;
	first_goes_down();
	second->state = "of the second";
	scene_send(&scene);
	answered_by(second, RG_ACCESS_CHALLENGE);
	first_comes_back();
	uint64_t later = clock_now() + RG_SLOW_START_NS;
	assert_int_equal(share_of_first(10, later), 10); /* what is new */
	scene.state = "of the second";
	assert_int_equal(share_of_first(10, later), 0); /* what is under way */
	/* Unless that peer goes down as well. */
	scripted_close(second);
	scene_send(&scene);
	scene_await(&scene, &scene.moved, 2);
	receive_last(first);
	assert_true(span_equal(packet_find(&first->packet, RG_STATE), span_text("of the second")));
	upstream_cancel(&scene.upstream, &scene.forward);
}

static void State_given_by_way_of_another_worker(void **state)
{
	uint16_t number;
	(void)state;
	peer_stats_of(scene.settings[1].name, 7, &number);
	affinity_put(affinity_of(7), affinity_key(span_text("elsewhere"), realm_hash(span_text("elders.nl"))),
		     number, clock_now());
	scene.state = "elsewhere";
	goes_to(1);
}

static void State_that_nobody_remembers_goes_where_all_workers_would_send_it(void **state)
{
	char realm[32];
	unsigned of_first = 0;
	(void)state;
	scene.state = "unknown";
	for (unsigned i = 0; i < 64; i++) {
		snprintf(realm, sizeof(realm), "nr%u.nl", i);
		scene.realm = realm;
		unsigned once = share_of_first(1, clock_now());
		assert_int_equal(share_of_first(3, clock_now()), once * 3);
		of_first += once;
	}
	assert_in_range(of_first, 16, 48);
}

static void O4_slow_start_after_recovery(void **state)
{
	(void)state;
	assert_int_equal(share_of_first(10, clock_now()), 10); /* at the start: all */
	first_goes_down();
	assert_int_equal(share_of_first(10, clock_now()), 0);
	first_comes_back();
	uint64_t now = clock_now();
	assert_in_range(share_of_first(160, now), 1, 20);
	assert_in_range(share_of_first(100, now + RG_SLOW_START_NS / 4), 15, 35);
	assert_in_range(share_of_first(100, now + RG_SLOW_START_NS / 2), 40, 60);
	assert_int_equal(share_of_first(100, now + RG_SLOW_START_NS), 100);
}

static void O4_slow_start_when_balanced(void **state)
{
	struct rg_forward *under_way[100];
	unsigned of_first = 0;
	(void)state;
	scene.route.strategy = RG_FAILOVER;
	first_goes_down();
	first_comes_back();
	scene.route.strategy = RG_BALANCE;
	uint64_t now = clock_now() + RG_SLOW_START_NS / 4;
	for (unsigned i = 0; i < 100; i++) {
		under_way[i] = scene_try(&scene, now);
		of_first += forward_peer(under_way[i]) == &scene.settings[0];
	}
	assert_in_range(of_first, 15, 25); /* one to four */
	for (unsigned i = 0; i < 100; i++)
		upstream_cancel(&scene.upstream, &under_way[i]);
}

static void O4_no_slow_start_where_nobody_else_is(void **state)
{
	(void)state;
	first_goes_down();
	first_comes_back();
	scene.route.peer_count = 1;
	assert_int_equal(share_of_first(50, clock_now()), 50);
	scene.route.peer_count = 2;
	scripted_close(second); /* or where everybody else is down */
	scene.order[0] = &scene.settings[1];
	scene.route.peer_count = 1;
	scene_send(&scene);
	while (summary_of(1).state != RG_PEER_DOWN)
		uv_run(&scene.loop, UV_RUN_ONCE);
	upstream_cancel(&scene.upstream, &scene.forward);
	scene.order[0] = &scene.settings[0];
	scene.route.peer_count = 2;
	assert_int_equal(share_of_first(50, clock_now()), 50);
}

/* Where only live traffic can tell, one request is risked, not all of them. */
static void O4_one_request_tries_a_peer_that_was_down(void **state)
{
	(void)state;
	first_goes_down();
	wheel_advance(&scene.wheel, clock_now() + 40 * RG_SECOND);
	assert_int_equal(summary_of(0).state, RG_PEER_UNKNOWN);
	uint64_t now = clock_now() + 40 * RG_SECOND;
	struct rg_forward *trial = scene_try(&scene, now);
	assert_string_equal(forward_peer(trial)->name, scene.settings[0].name);
	assert_int_equal(share_of_first(10, now), 0);
	/* It stays silent, for less time than a peer that was heard before. */
	wheel_advance(&scene.wheel, now + RG_SILENT_NS + 100 * RG_MS);
	assert_int_equal(summary_of(0).state, RG_PEER_DOWN);
	assert_int_equal(scene.moved, 2);
	trial = scene.forward;
	assert_string_equal(forward_peer(trial)->name, scene.settings[1].name);
	upstream_cancel(&scene.upstream, &trial);
}

/* Requests of a realm stay unanswered while others are answered. */
static void dead_realm_moves_alone(void **state)
{
	uint64_t now = clock_now();
	(void)state;
	scene.realm = "dead.nl";
	scene_send(&scene);
	struct rg_forward *waits = scene.forward;
	scripted_receive(first);
	scene.realm = "living.nl";
	scene_send(&scene);
	answered_by(first, RG_ACCESS_REJECT);
	scene.forward = waits;
	upstream_repeat(&scene.upstream, waits, now + 2 * RG_SECOND); /* too early to tell */
	assert_int_equal(scene.moved, 0);
	upstream_repeat(&scene.upstream, waits, now + 7 * RG_SECOND);
	assert_int_equal(scene.moved, 1);
	assert_int_equal(summary_of(0).state, RG_PEER_UP);
	scene_flush(&scene);
	answered_by(second, RG_ACCESS_REJECT);
	goes_to(0);
	scene.realm = "dead.nl";
	goes_to(1);
	/* After a minute the first is tried again, and what it answers is taken for life. */
	struct rg_forward *later = scene_try(&scene, now + 70 * RG_SECOND);
	assert_string_equal(forward_peer(later)->name, scene.settings[0].name);
	upstream_cancel(&scene.upstream, &later);
}

/* Only requests of one realm are under way, but others were answered not long ago. */
static void dead_realm_alone_under_way_takes_no_peer_down(void **state)
{
	(void)state;
	scene.realm = "living.nl";
	scene_send(&scene);
	answered_by(first, RG_ACCESS_REJECT);
	uint64_t now = clock_now();
	scene.realm = "dead.nl";
	scene_send(&scene);
	for (unsigned s = 1; s < 10; s++)
		wheel_advance(&scene.wheel, now + s * RG_SECOND);
	assert_int_equal(summary_of(0).state, RG_PEER_UP);
	assert_int_equal(scene.moved, 1);
	scene_flush(&scene);
	scripted_receive(first);
	answered_by(second, RG_ACCESS_REJECT);
	scene.realm = "living.nl";
	goes_to(0);
}

static void dead_realm_behind_a_lone_peer_waits(void **state)
{
	(void)state;
	scene.route.peer_count = 1;
	scene.realm = "living.nl";
	scene_send(&scene);
	answered_by(first, RG_ACCESS_REJECT);
	uint64_t now = clock_now();
	scene.realm = "dead.nl";
	scene_send(&scene);
	for (unsigned s = 1; s < 10; s++)
		wheel_advance(&scene.wheel, now + s * RG_SECOND);
	assert_int_equal(summary_of(0).state, RG_PEER_UP);
	assert_int_equal(scene.moved + scene.lost, 0);
	answered_by(first, RG_ACCESS_REJECT); /* slow, not dead */
}

static void two_dead_realms_are_a_dead_peer(void **state)
{
	(void)state;
	scene.realm = "living.nl";
	scene_send(&scene);
	answered_by(first, RG_ACCESS_REJECT);
	uint64_t now = clock_now();
	scene.realm = "dead.nl";
	scene_send(&scene);
	scene.realm = "too.nl";
	scene_send(&scene);
	for (unsigned s = 1; s < 10; s++)
		wheel_advance(&scene.wheel, now + s * RG_SECOND);
	assert_int_equal(summary_of(0).state, RG_PEER_DOWN);
	assert_int_equal(scene.moved, 2);
}

/* Status-Server is answered: the peer lives whatever its realms do. */
static void dead_realm_beside_status_server(void **state)
{
	(void)state;
	scene.settings[0].status_server = true;
	scene.settings[0].digest[0]++;
	scene_configure(&scene);
	uint64_t now = clock_now();
	scene.realm = "dead.nl";
	scene_send(&scene);
	struct rg_forward *waits = scene.forward;
	for (unsigned s = 1; s < 8; s++) {
		wheel_advance(&scene.wheel, now + s * RG_SECOND);
		scene_flush(&scene);
		while (!scripted_silent(first)) {
			scripted_receive(first);
			if (first->packet.code == RG_STATUS_SERVER)
				scripted_answer(first, RG_ACCESS_ACCEPT);
		}
		uv_run(&scene.loop, UV_RUN_NOWAIT);
	}
	assert_int_equal(summary_of(0).state, RG_PEER_UP);
	assert_int_equal(scene.moved, 0);
	scene.forward = waits;
	upstream_repeat(&scene.upstream, waits, now + 8 * RG_SECOND);
	assert_int_equal(scene.moved, 1);
	assert_int_equal(summary_of(0).state, RG_PEER_UP);
	upstream_cancel(&scene.upstream, &scene.forward);
}

static void O4_flapping_comes_back_to_the_former(void **state)
{
	(void)state;
	scripted_close(first);
	scene_send(&scene);
	scene_await(&scene, &scene.moved, 1);
	scripted_receive(second);
	first_comes_back();
	scripted_close(second);
	upstream_repeat(&scene.upstream, scene.forward, clock_now());
	scene_flush(&scene);
	scene_await(&scene, &scene.moved, 2);
	answered_by(first, RG_ACCESS_ACCEPT);
	assert_int_equal(scene.code, RG_ACCESS_ACCEPT);
}

/* It says things, and none of them is genuine: that is what status tells. */
static void O4_garbage_is_no_life(void **state)
{
	uint8_t out[RG_RADIUS_MOST];
	uint64_t now = clock_now();
	(void)state;
	scene_send(&scene);
	scripted_receive(first);
	struct rg_span bad = scripted_compose(first, RG_ACCESS_ACCEPT, true, out);
	out[10] ^= 1;
	scripted_say(first, bad);
	scripted_say(first, span_text("what?"));
	while (summary_of(0).bad != 2)
		uv_run(&scene.loop, UV_RUN_ONCE);
	wheel_advance(&scene.wheel, now + 4 * RG_SECOND);
	wheel_advance(&scene.wheel, now + 7 * RG_SECOND);
	assert_int_equal(summary_of(0).state, RG_PEER_DOWN);
	assert_int_equal(summary_of(0).why, RG_WHY_NOT_GENUINE);
	assert_int_equal(scene.moved, 1);
	upstream_cancel(&scene.upstream, &scene.forward);
}

static void refusals_are_counted(void **state)
{
	(void)state;
	scene_send(&scene);
	answered_by(first, RG_ACCESS_REJECT);
	scene_send(&scene);
	answered_by(first, RG_ACCESS_ACCEPT);
	assert_int_equal(summary_of(0).answered, 2);
	assert_int_equal(summary_of(0).refused, 1);
}

/* 5,000 under way need 20 sockets; those that nothing needs are closed after a while. */
static void P2_sockets_as_many_as_are_needed(void **state)
{
	static struct rg_forward *under_way[5000];
	struct rg_peer *peer;
	uint64_t now = clock_now();
	(void)state;
	scene.route.peer_count = 1;
	for (unsigned i = 0; i < 5000; i++) {
		under_way[i] = scene_try(&scene, now);
		assert_non_null(under_way[i]);
		for (unsigned j = i & ~63u; j < i; j++)
			assert_false(under_way[i]->channel == under_way[j]->channel &&
				     under_way[i]->token == under_way[j]->token);
	}
	for (peer = scene.upstream.peers; peer->settings != &scene.settings[0]; peer = peer->next)
		;
	assert_int_equal(peer->channel_count[RG_PORT_AUTH], 20);
	for (unsigned i = 0; i < 5000; i++)
		upstream_cancel(&scene.upstream, &under_way[i]);
	assert_int_equal(summary_of(0).outstanding, 0);
	channels_tidy(peer, now + RG_CHANNEL_IDLE_NS);
	assert_int_equal(peer->channel_count[RG_PORT_AUTH], 1);
	for (unsigned i = 0; i < 300; i++)
		under_way[i] = scene_try(&scene, now);
	assert_int_equal(peer->channel_count[RG_PORT_AUTH], 2);
	for (unsigned i = 0; i < 300; i++)
		upstream_cancel(&scene.upstream, &under_way[i]);
}

#define ORDER(name) cmocka_unit_test_setup_teardown(name, by_order, tear_down)
#define BALANCE(name) cmocka_unit_test_setup_teardown(name, balanced, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BALANCE(balance_gives_to_who_has_least_to_do),
		BALANCE(balance_takes_turns_where_nobody_has_anything_to_do),
		BALANCE(balance_conversation_stays_with_its_peer),
		ORDER(failover_conversation_stays_when_a_better_peer_comes_back),
		ORDER(State_given_by_way_of_another_worker),
		BALANCE(State_that_nobody_remembers_goes_where_all_workers_would_send_it),
		ORDER(O4_slow_start_after_recovery),
		BALANCE(O4_slow_start_when_balanced),
		ORDER(O4_no_slow_start_where_nobody_else_is),
		ORDER(O4_one_request_tries_a_peer_that_was_down),
		ORDER(dead_realm_moves_alone),
		ORDER(dead_realm_alone_under_way_takes_no_peer_down),
		ORDER(dead_realm_behind_a_lone_peer_waits),
		ORDER(two_dead_realms_are_a_dead_peer),
		ORDER(dead_realm_beside_status_server),
		ORDER(O4_flapping_comes_back_to_the_former),
		ORDER(O4_garbage_is_no_life),
		ORDER(refusals_are_counted),
		ORDER(P2_sockets_as_many_as_are_needed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Peers over UDP: whose answers are taken, which Identifiers are used, and who is asked when one is silent. */
#include "upstream/upstream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/clock.h"
#include "scene.h"

static struct scene scene;
static struct scripted *const first = &scene.peers[0], *const second = &scene.peers[1];

static int one_peer(void **state)
{
	(void)state;
	scene_begin(&scene, 1);
	scene_configure(&scene);
	return 0;
}

static int two_peers(void **state)
{
	(void)state;
	scene_begin(&scene, 2);
	scene_configure(&scene);
	return 0;
}

static int no_scene_yet(void **state)
{
	(void)state;
	scene_begin(&scene, 2);
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

/* A genuine answer ends it: a Reject, where all that was spoiled before it was an Accept. */
static void expect_taken(struct scripted *peer)
{
	unsigned before = scene.answered;
	scene.code = 0;
	scripted_answer(peer, RG_ACCESS_REJECT);
	scene_await(&scene, &scene.answered, before + 1);
	assert_int_equal(scene.code, RG_ACCESS_REJECT);
	assert_null(scene.forward);
}

static void request_goes_out_and_its_answer_comes_in(void **state)
{
	(void)state;
	scene_send(&scene);
	scripted_receive(first);
	assert_true(span_equal(packet_find(&first->packet, RG_USER_NAME), span_text("jan@elders.nl")));
	assert_int_equal(packet_count(&first->packet, RG_PROXY_STATE), 2);
	assert_memory_not_equal(packet_authenticator(&first->packet),
				packet_authenticator(&scene.request), RG_AUTHENTICATOR);
	assert_int_equal(summary_of(0).outstanding, 1);
	expect_taken(first);
	assert_int_equal(summary_of(0).state, RG_PEER_UP);
	assert_int_equal(summary_of(0).outstanding, 0);
	assert_int_equal(summary_of(0).answered, 1);
}

/* Says what is bad, and then the genuine answer: that one, and nothing before it, is taken. */
static void dropped_and_the_genuine_one_taken(struct rg_span bad)
{
	unsigned before = (unsigned)summary_of(0).bad;
	scripted_say(first, bad);
	expect_taken(first);
	assert_int_equal(scene.answered, 1);
	assert_int_equal(summary_of(0).bad, before + 1);
}

static void B3_no_message_authenticator(void **state)
{
	uint8_t out[RG_RADIUS_MOST];
	(void)state;
	scene_send(&scene);
	scripted_receive(first);
	dropped_and_the_genuine_one_taken(scripted_compose(first, RG_ACCESS_ACCEPT, false, out));
}

static void B3_wrong_response_authenticator(void **state)
{
	uint8_t out[RG_RADIUS_MOST];
	(void)state;
	scene_send(&scene);
	scripted_receive(first);
	struct rg_span bad = scripted_compose(first, RG_ACCESS_ACCEPT, true, out);
	out[19] ^= 1;
	dropped_and_the_genuine_one_taken(bad);
}

/* An Accept made of a Reject: everything but Message-Authenticator is right (CVE-2024-3596). */
static void B3_wrong_message_authenticator(void **state)
{
	uint8_t out[RG_RADIUS_MOST];
	(void)state;
	scene_send(&scene);
	scripted_receive(first);
	struct rg_span bad = scripted_compose(first, RG_ACCESS_REJECT, true, out);
	out[0] = RG_ACCESS_ACCEPT;
	scripted_vouch(first, out, bad.length);
	dropped_and_the_genuine_one_taken(bad);
}

static void B3_wrong_code(void **state)
{
	static const uint8_t codes[] = {RG_ACCOUNTING_RESPONSE, RG_ACCESS_REQUEST, RG_STATUS_SERVER};
	uint8_t out[RG_RADIUS_MOST];
	(void)state;
	scene_send(&scene);
	scripted_receive(first);
	for (size_t i = 0; i < 3; i++)
		scripted_say(first, scripted_compose(first, codes[i], true, out));
	expect_taken(first);
	assert_int_equal(scene.answered, 1);
	assert_int_equal(summary_of(0).bad, 3);
}

static void B3_unsolicited_and_malformed(void **state)
{
	uint8_t out[RG_RADIUS_MOST];
	(void)state;
	scene_send(&scene);
	scripted_receive(first);
	struct rg_span other = scripted_compose(first, RG_ACCESS_ACCEPT, true, out);
	out[1]++; /* an Identifier under which nothing waits */
	scripted_say(first, other);
	scripted_say(first, span_text("short"));
	expect_taken(first);
	assert_int_equal(scene.answered, 1);
	assert_int_equal(summary_of(0).bad, 2);
}

static void B3_from_another_port(void **state)
{
	struct scripted stranger = {.port = 0};
	(void)state;
	scene_send(&scene);
	scripted_receive(first);
	scripted_open(&stranger);
	stranger.key = first->key;
	stranger.packet = first->packet;
	stranger.from = first->from;
	scripted_answer(&stranger, RG_ACCESS_ACCEPT); /* all right but for where it comes from */
	expect_taken(first);
	scripted_close(&stranger);
}

static void B3_late(void **state)
{
	uint8_t out[RG_RADIUS_MOST], next[RG_RADIUS_MOST];
	(void)state;
	scene_send(&scene);
	scripted_receive(first);
	struct rg_span late = scripted_compose(first, RG_ACCESS_ACCEPT, true, out);
	wheel_advance(&scene.wheel, clock_now() + 31 * RG_SECOND);
	assert_int_equal(scene.lost, 1);
	assert_int_equal(scene.how, RG_LOST_TIMEOUT);
	memcpy(next, out, late.length);
	scene_send(&scene);
	scripted_say(first, span_of(next, late.length)); /* the former request's */
	scripted_receive(first);
	expect_taken(first);
	assert_int_equal(scene.answered, 1);
	assert_int_equal(summary_of(0).bad, 1);
}

static void B3_to_a_request_that_was_given_up(void **state)
{
	uint8_t out[RG_RADIUS_MOST];
	(void)state;
	scene_send(&scene);
	scripted_receive(first);
	struct rg_span late = scripted_compose(first, RG_ACCESS_ACCEPT, true, out);
	upstream_cancel(&scene.upstream, &scene.forward);
	assert_null(scene.forward);
	assert_int_equal(summary_of(0).outstanding, 0);
	scripted_say(first, late);
	scene_send(&scene);
	scripted_receive(first);
	expect_taken(first);
	assert_int_equal(scene.answered, 1);
}

static void W6_an_answer_that_cannot_be_given_on(void **state)
{
	uint8_t out[RG_RADIUS_MOST];
	(void)state;
	scene.cannot_give_on = RG_ACCESS_ACCEPT;
	scene_send(&scene);
	scripted_receive(first);
	dropped_and_the_genuine_one_taken(scripted_compose(first, RG_ACCESS_ACCEPT, true, out));
}

static void auto_policy_is_learned_upward_only(void **state)
{
	uint8_t out[RG_RADIUS_MOST];
	(void)state;
	scene.learned[0] = &scene.learned_cells[0];
	scene_configure(&scene);
	scene_send(&scene);
	scripted_receive(first);
	scripted_say(first, scripted_compose(first, RG_ACCESS_ACCEPT, false, out));
	scene_await(&scene, &scene.answered, 1);
	assert_int_equal(scene.code, RG_ACCESS_ACCEPT);
	assert_false(scene.learned_cells[0]);
	scene_send(&scene);
	scripted_receive(first);
	expect_taken(first);
	assert_true(scene.learned_cells[0]);
	assert_int_equal(scene.lessons, 1);
	scene.answered = 0;
	scene_send(&scene);
	scripted_receive(first);
	dropped_and_the_genuine_one_taken(scripted_compose(first, RG_ACCESS_ACCEPT, false, out));
	assert_int_equal(scene.lessons, 1);
}

/* RFC 3579 §3.3: with EAP-Message it is never optional. */
static void B3_eap_without_message_authenticator_of_an_auto_peer(void **state)
{
	uint8_t out[RG_RADIUS_MOST] = {RG_ACCESS_ACCEPT, 0, 0, 26};
	const uint8_t success[] = {RG_EAP_MESSAGE, 6, 3, 1, 0, 4};
	(void)state;
	scene.learned[0] = &scene.learned_cells[0];
	scene_configure(&scene);
	scene_send(&scene);
	scripted_receive(first);
	out[1] = first->packet.token;
	memcpy(out + 20, success, sizeof(success));
	scripted_vouch(first, out, 26);
	dropped_and_the_genuine_one_taken(span_of(out, 26));
}

static void P2_the_257th_uses_another_port(void **state)
{
	bool used[256] = {false};
	uint16_t port = 0;
	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		scene_send(&scene);
		scripted_receive(first);
		if (i == 0)
			port = first->from.v4.sin_port;
		assert_int_equal(first->from.v4.sin_port, port);
		assert_false(used[first->packet.token]);
		used[first->packet.token] = true;
	}
	scene_send(&scene);
	scripted_receive(first);
	assert_int_not_equal(first->from.v4.sin_port, port);
	assert_int_equal(summary_of(0).outstanding, 257);
	expect_taken(first);
}

static void P2_identifiers_are_not_used_again_early(void **state)
{
	uint8_t last = 0;
	(void)state;
	for (unsigned i = 0; i < 300; i++) {
		scene_send(&scene);
		scripted_receive(first);
		if (i != 0)
			assert_int_equal(first->packet.token, (uint8_t)(last + 1));
		last = first->packet.token;
		expect_taken(first);
	}
}

static void repeat_goes_out_unchanged(void **state)
{
	uint8_t copy[RG_RADIUS_MOST];
	(void)state;
	scene_send(&scene);
	scripted_receive(first);
	size_t length = first->length;
	memcpy(copy, first->bytes, length);
	upstream_repeat(&scene.upstream, scene.forward, clock_now());
	scene_flush(&scene);
	scripted_receive(first);
	assert_int_equal(first->length, length);
	assert_memory_equal(first->bytes, copy, length);
	expect_taken(first);
}

static void O4_closed_port_fails_over_and_comes_back(void **state)
{
	(void)state;
	scripted_close(first);
	scene_send(&scene);
	scene_await(&scene, &scene.moved, 1);
	assert_int_equal(summary_of(0).state, RG_PEER_DOWN);
	assert_int_equal(summary_of(0).why, RG_WHY_REFUSED_CONNECTION);
	assert_int_equal(summary_of(0).failovers, 1);
	scripted_receive(second);
	assert_int_equal(packet_count(&second->packet, RG_PROXY_STATE), 2); /* not marked twice */
	expect_taken(second);
	scene_send(&scene); /* the one that is down is passed over */
	scripted_receive(second);
	expect_taken(second);
	/* After a while it is tried again; and it is heard, on the same socket. */
	scripted_open(first);
	wheel_advance(&scene.wheel, clock_now() + 40 * RG_SECOND);
	assert_int_equal(summary_of(0).state, RG_PEER_UNKNOWN);
	scene_send(&scene);
	scripted_receive(first);
	expect_taken(first);
	assert_int_equal(summary_of(0).state, RG_PEER_UP);
}

static void O4_silence_fails_over(void **state)
{
	uint8_t out[RG_RADIUS_MOST];
	uint64_t now = clock_now();
	(void)state;
	scene_send(&scene);
	scripted_receive(first);
	struct rg_span late = scripted_compose(first, RG_ACCESS_ACCEPT, true, out);
	wheel_advance(&scene.wheel, now + 3 * RG_SECOND + 100 * RG_MS);
	assert_int_equal(scene.moved, 0); /* it may be one dead realm behind it */
	wheel_advance(&scene.wheel, now + 6 * RG_SECOND + 200 * RG_MS);
	assert_int_equal(scene.moved, 1);
	scene_flush(&scene);
	assert_int_equal(summary_of(0).state, RG_PEER_DOWN);
	assert_int_equal(summary_of(0).why, RG_WHY_SILENT);
	scripted_receive(second);
	/* attacks.md B3: what the first says now is to nothing that waits there; but it lives. */
	scripted_say(first, late);
	expect_taken(second);
	assert_int_equal(scene.answered, 1);
}

static void O4_one_answer_is_life(void **state)
{
	uint64_t now = clock_now();
	(void)state;
	scene_send(&scene); /* its realm is dead: never answered */
	scripted_receive(first);
	struct rg_forward *unanswered = scene.forward;
	scene_send(&scene);
	scripted_receive(first);
	expect_taken(first);
	wheel_advance(&scene.wheel, now + 20 * RG_SECOND);
	assert_int_equal(scene.moved, 0);
	assert_int_equal(summary_of(0).state, RG_PEER_UP);
	upstream_cancel(&scene.upstream, &unanswered);
}

static void last_peer_keeps_what_it_has(void **state)
{
	uint64_t now = clock_now();
	(void)state;
	scene_send(&scene);
	scripted_receive(first);
	for (unsigned s = 1; s < 10; s++)
		wheel_advance(&scene.wheel, now + s * RG_SECOND);
	assert_int_equal(summary_of(0).state, RG_PEER_DOWN);
	assert_int_equal(scene.moved + scene.lost, 0);
	expect_taken(first); /* slow, not dead */
	assert_int_equal(summary_of(0).state, RG_PEER_UP);
	/* Where all are down, the first is asked all the same. */
	scripted_close(first);
	scene_send(&scene);
	while (summary_of(0).state != RG_PEER_DOWN)
		uv_run(&scene.loop, UV_RUN_ONCE);
	upstream_cancel(&scene.upstream, &scene.forward);
	scripted_open(first);
	scene_send(&scene);
	scripted_receive(first);
	expect_taken(first);
}

static void repeat_to_a_peer_that_is_down_moves_on(void **state)
{
	uint64_t now = clock_now();
	(void)state;
	scripted_close(second);
	scene_send(&scene);
	scripted_receive(first);
	scene.route.peer_count = 1; /* when it goes down there is nowhere to go */
	for (unsigned s = 1; s < 8; s++)
		wheel_advance(&scene.wheel, now + s * RG_SECOND);
	assert_int_equal(summary_of(0).state, RG_PEER_DOWN);
	assert_int_equal(scene.moved, 0);
	scene.route.peer_count = 2;
	scripted_open(second);
	upstream_repeat(&scene.upstream, scene.forward, now + 8 * RG_SECOND);
	scene_flush(&scene);
	assert_int_equal(scene.moved, 1);
	scripted_receive(second);
	assert_true(scripted_silent(first));
	expect_taken(second);
}

/* The first went down, and is back before anybody knows; the second is silent, and the client repeats itself. */
static void repeat_where_all_are_down_goes_to_each_once(void **state)
{
	uint64_t now = clock_now();
	(void)state;
	scene_send(&scene);
	scripted_receive(first);
	for (unsigned s = 1; s < 9; s++)
		wheel_advance(&scene.wheel, now + s * RG_SECOND);
	scene_flush(&scene);
	scripted_receive(second);
	expect_taken(second);
	scene.forward = scene_try(&scene, now + 9 * RG_SECOND);
	for (unsigned s = 10; s < 17; s++)
		wheel_advance(&scene.wheel, now + s * RG_SECOND);
	assert_int_equal(summary_of(0).state, RG_PEER_DOWN);
	assert_int_equal(summary_of(1).state, RG_PEER_DOWN);
	assert_int_equal(scene.moved, 1);
	upstream_repeat(&scene.upstream, scene.forward, now + 17 * RG_SECOND);
	assert_int_equal(scene.moved, 2);
	upstream_repeat(&scene.upstream, scene.forward, now + 18 * RG_SECOND); /* and stays there */
	assert_int_equal(scene.moved, 2);
	scene_flush(&scene);
	scripted_receive(first);
	expect_taken(first);
	assert_int_equal(summary_of(0).state, RG_PEER_UP);
}

/* RFC 5997, RFC 3539 §3.4: a probe at the start; two unanswered: down; an answer: up. */
static void status_server_finds_down_and_up(void **state)
{
	uint8_t out[RG_RADIUS_MOST];
	(void)state;
	scene.settings[0].status_server = true;
	scene_configure(&scene);
	uint64_t now = clock_now();
	wheel_advance(&scene.wheel, now += 50 * RG_MS);
	scene_flush(&scene);
	scripted_receive(first);
	assert_int_equal(first->packet.code, RG_STATUS_SERVER);
	assert_int_equal(summary_of(0).state, RG_PEER_UNKNOWN);
	wheel_advance(&scene.wheel, now += 2100 * RG_MS); /* lost; once more at once */
	wheel_advance(&scene.wheel, now += 50 * RG_MS);
	scene_flush(&scene);
	scripted_receive(first);
	wheel_advance(&scene.wheel, now += 2100 * RG_MS);
	assert_int_equal(summary_of(0).state, RG_PEER_DOWN);
	wheel_advance(&scene.wheel, now += 5900 * RG_MS);
	scene_flush(&scene);
	assert_true(scripted_silent(first)); /* never more often than every 6 s */
	wheel_advance(&scene.wheel, now += 1100 * RG_MS);
	scene_flush(&scene);
	scripted_receive(first);
	/* FreeRADIUS 3.2.1 answers without Message-Authenticator. */
	scripted_say(first, scripted_compose(first, RG_ACCESS_ACCEPT, false, out));
	while (summary_of(0).state != RG_PEER_UP)
		uv_run(&scene.loop, UV_RUN_ONCE);
	assert_int_equal(scene.answered, 0);
}

static void B3_forged_answer_to_status_server_is_no_life(void **state)
{
	uint8_t out[RG_RADIUS_MOST];
	(void)state;
	scene.settings[0].status_server = true;
	scene_configure(&scene);
	wheel_advance(&scene.wheel, clock_now() + 50 * RG_MS);
	scene_flush(&scene);
	scripted_receive(first);
	struct rg_span bad = scripted_compose(first, RG_ACCESS_ACCEPT, false, out);
	out[7] ^= 1;
	scripted_say(first, bad);
	while (summary_of(0).bad == 0)
		uv_run(&scene.loop, UV_RUN_ONCE);
	assert_int_equal(summary_of(0).state, RG_PEER_UNKNOWN);
}

static void reload_keeps_what_did_not_change(void **state)
{
	struct rg_peer_settings later[SCENE_PEERS];
	(void)state;
	scene_send(&scene);
	scripted_receive(first);
	uint16_t port = first->from.v4.sin_port;
	memcpy(later, scene.settings, sizeof(later)); /* the same words in another raddb */
	scene.raddb.peers = later;
	scene_configure(&scene);
	upstream_tidy(&scene.upstream);
	expect_taken(first);
	scene_send(&scene);
	scripted_receive(first);
	assert_int_equal(first->from.v4.sin_port, port);
	expect_taken(first);
}

static void reload_ends_a_peer_once_it_is_idle(void **state)
{
	struct rg_peer_settings later[SCENE_PEERS];
	(void)state;
	scene_send(&scene);
	scripted_receive(first);
	struct rg_forward *old = scene.forward;
	uint16_t port = first->from.v4.sin_port;
	memcpy(later, scene.settings, sizeof(later));
	later[0].digest[0] = 'D';
	scene.raddb.peers = later;
	scene_configure(&scene);
	upstream_tidy(&scene.upstream);
	scene.order[0] = &later[0];
	struct scripted former = *first;
	former.packet.data = former.bytes;
	scene_send(&scene);
	scripted_receive(first);
	assert_int_not_equal(first->from.v4.sin_port, port);
	expect_taken(first);
	scene.forward = old; /* what was under way ends where it began */
	scripted_answer(&former, RG_ACCESS_REJECT);
	scene_await(&scene, &scene.answered, 2);
	assert_int_equal(scene.code, RG_ACCESS_REJECT);
	unsigned peers = 0;
	for (struct rg_peer *peer = scene.upstream.peers; peer; peer = peer->next)
		peers++;
	assert_int_equal(peers, 1);
}

static void no_peer_of_the_route_can_take_it(void **state)
{
	(void)state;
	assert_null(scene_try(&scene, clock_now())); /* none is configured */
	scene.settings[0].address.ss_family = AF_UNSPEC; /* no socket leads there */
	scene.raddb.peer_count = scene.route.peer_count = 1;
	scene_configure(&scene);
	assert_null(scene_try(&scene, clock_now()));
}

#define ONE(name) cmocka_unit_test_setup_teardown(name, one_peer, tear_down)
#define TWO(name) cmocka_unit_test_setup_teardown(name, two_peers, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(request_goes_out_and_its_answer_comes_in),
		ONE(B3_no_message_authenticator),
		ONE(B3_wrong_response_authenticator),
		ONE(B3_wrong_message_authenticator),
		ONE(B3_wrong_code),
		ONE(B3_unsolicited_and_malformed),
		ONE(B3_from_another_port),
		ONE(B3_late),
		ONE(B3_to_a_request_that_was_given_up),
		ONE(W6_an_answer_that_cannot_be_given_on),
		ONE(auto_policy_is_learned_upward_only),
		ONE(B3_eap_without_message_authenticator_of_an_auto_peer),
		ONE(P2_the_257th_uses_another_port),
		ONE(P2_identifiers_are_not_used_again_early),
		ONE(repeat_goes_out_unchanged),
		TWO(O4_closed_port_fails_over_and_comes_back),
		TWO(O4_silence_fails_over),
		TWO(O4_one_answer_is_life),
		ONE(last_peer_keeps_what_it_has),
		TWO(repeat_to_a_peer_that_is_down_moves_on),
		TWO(repeat_where_all_are_down_goes_to_each_once),
		cmocka_unit_test_setup_teardown(status_server_finds_down_and_up, no_scene_yet, tear_down),
		cmocka_unit_test_setup_teardown(B3_forged_answer_to_status_server_is_no_life,
						no_scene_yet, tear_down),
		ONE(reload_keeps_what_did_not_change),
		ONE(reload_ends_a_peer_once_it_is_idle),
		cmocka_unit_test_setup_teardown(no_peer_of_the_route_can_take_it, no_scene_yet,
						tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

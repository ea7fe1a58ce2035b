/* Bytes in, bytes out: who is heard, who is refused, who is passed on. */
#include "request/path.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/clock.h"
#include "gate.h"

#define SECRET "a secret of the client"

static struct gate gate;
static struct nas nas, old, strict, stranger, peer, account;

static int open_with(unsigned reject_delay_ms)
{
	struct sockaddr_in address;
	socklen_t length = sizeof(address);
	nas_open(&peer, "127.0.0.4", 0, "a secret of the peer");
	if (getsockname(peer.fd, (struct sockaddr *)&address, &length) != 0)
		return -1;
	gate_peer_port = ntohs(address.sin_port);
	gate_open(&gate, reject_delay_ms);
	peer.to = gate.auth_port;
	nas_open(&nas, "127.0.0.1", gate.auth_port, SECRET);
	nas_open(&old, "127.0.0.2", gate.auth_port, SECRET);
	nas_open(&strict, "127.0.0.3", gate.auth_port, SECRET);
	nas_open(&stranger, "127.0.0.9", gate.auth_port, SECRET);
	nas_open(&account, "127.0.0.1", gate.acct_port, SECRET);
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	return open_with(0);
}

static int set_up_with_delay(void **state)
{
	(void)state;
	return open_with(300);
}

static int tear_down(void **state)
{
	(void)state;
	nas_close(&nas);
	nas_close(&old);
	nas_close(&strict);
	nas_close(&stranger);
	nas_close(&account);
	gate_close(&gate);
	nas_close(&peer);
	return 0;
}

/* A visitor's first packet. */
static void ask_as(struct nas *from, const char *user_name)
{
	nas_begin(from, RG_ACCESS_REQUEST);
	nas_add(from, RG_USER_NAME, user_name);
	nas_add(from, RG_PROXY_STATE, "one");
	nas_add(from, RG_PROXY_STATE, "two");
	writer_add_eap(&from->writer, span_text("\x02\x05\x00\x06\x01x"));
	nas_send(from);
}

/* Without Message-Authenticator: by hand. */
static void ask_unsigned(struct nas *from, const char *user_name)
{
	struct rg_buffer out = buffer_over(from->request, sizeof(from->request));
	buffer_u8(&out, RG_ACCESS_REQUEST);
	buffer_u8(&out, ++from->id);
	buffer_u16(&out, (uint16_t)(22 + strlen(user_name)));
	buffer_put(&out, span_of(from->authenticator, RG_AUTHENTICATOR));
	buffer_u8(&out, RG_USER_NAME);
	buffer_u8(&out, (uint8_t)(2 + strlen(user_name)));
	buffer_put(&out, span_text(user_name));
	from->length = out.length;
	nas_say(from);
}

static void expect_refused(struct nas *from, const char *reason)
{
	nas_hear(from, &gate, RG_ACCESS_REJECT);
	struct rg_span eap = packet_find(&from->answer, RG_EAP_MESSAGE);
	assert_true(span_equal(eap, span_of("\x04\x05\x00\x04", 4)));
	assert_int_equal(packet_count(&from->answer, RG_REPLY_MESSAGE), 0);
	assert_int_equal(packet_count(&from->answer, RG_PROXY_STATE), 2);
	gate_expect(&gate, "reject", reason);
}

static void realms_that_are_refused_with_their_reasons(void **state)
{
	static const struct {
		const char *name, *reason;
	} cases[] = {
		{"jan", "realm-malformed"},
		{"jan@", "realm-malformed"},
		{"jan@@elders.nl", "realm-malformed"},
		{"jan@el ders.nl", "realm-malformed"},
		{"jan@elders..nl", "realm-malformed"},
		{"jan@elders", "realm-malformed"},
		{"DOMAIN\\jan", "realm-malformed"},
		{"jan@x.refused.nl", "realm-refused"},
		{"0204@wlan.mnc004.mcc204.3gppnetwork.org", "realm-refused"},
		{"jan@gmail.com", "realm-refused"},
		{"jan@elders.de", "realm-unknown"},
		{"host/pc1.elders.nl", "realm-malformed"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ask_as(&nas, cases[i].name);
		expect_refused(&nas, cases[i].reason);
	}
}

static void P3_too_many_proxy_states(void **state)
{
	(void)state;
	for (unsigned count = 16; count <= 17; count++) {
		nas_begin(&nas, RG_ACCESS_REQUEST);
		nas_add(&nas, RG_USER_NAME, "jan@elders.nl");
		writer_add_eap(&nas.writer, span_text("\x02\x05\x00\x06\x01x"));
		for (unsigned i = 0; i < count; i++)
			nas_add(&nas, RG_PROXY_STATE, "hop");
		nas_send(&nas);
		if (count == 16)
			peer_receive(&peer, &gate);
	}
	nas_hear(&nas, &gate, RG_ACCESS_REJECT);
	assert_int_equal(packet_count(&nas.answer, RG_PROXY_STATE), 17);
	gate_expect(&gate, "reject", "realm-loop");
}

static void P3_back_to_the_peer_that_it_came_from(void **state)
{
	(void)state;
	ask_as(&peer, "jan@elders.nl");
	expect_refused(&peer, "realm-loop");
}

static void ssid_that_is_not_the_client_s(void **state)
{
	static const struct {
		const char *called;
		bool allowed;
	} cases[] = {
		{"AA-BB-CC-DD-EE-FF:govroam", true}, {"aabbccddeeff:govroam", true},
		{"AA-BB-CC-DD-EE-FF", true},         {"AA-BB-CC-DD-EE-FF:guests", false},
		{"AA:BB:CC:DD:EE:FF:guests", false}, {"AA-BB-CC-DD-EE-FF:govroam2", false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		nas_begin(&strict, RG_ACCESS_REQUEST);
		nas_add(&strict, RG_USER_NAME, "jan@elders.nl");
		nas_add(&strict, RG_CALLED_STATION_ID, cases[i].called);
		writer_add_eap(&strict.writer, span_text("\x02\x05\x00\x06\x01x"));
		nas_send(&strict);
		if (cases[i].allowed) {
			peer_receive(&peer, &gate);
			assert_true(span_equal(packet_find(&peer.answer, RG_CALLED_STATION_ID),
					       span_text(cases[i].called)));
		} else {
			nas_hear(&strict, &gate, RG_ACCESS_REJECT);
			gate_expect(&gate, "reject", "ssid-refused");
		}
	}
}

static void O9_unknown_source(void **state)
{
	uint64_t before = counted(RG_COUNT_DROP_UNKNOWN_CLIENT);
	(void)state;
	ask_as(&stranger, "jan@elders.nl");
	nas_deaf(&stranger, &gate, RG_COUNT_DROP_UNKNOWN_CLIENT, before);
	gate_expect(&gate, "no-answer", "client-unknown");
}

static void W1_malformed(void **state)
{
	uint64_t before = counted(RG_COUNT_DROP_MALFORMED);
	(void)state;
	nas.length = 19;
	memset(nas.request, 1, 19);
	nas_say(&nas);
	nas_deaf(&nas, &gate, RG_COUNT_DROP_MALFORMED, before);
}

static void W5_wrong_message_authenticator_touches_nothing(void **state)
{
	uint64_t before = counted(RG_COUNT_DROP_AUTHENTICATOR);
	(void)state;
	ask_as(&nas, "jan@elders.nl");
	peer_receive(&peer, &gate);
	/* The same Identifier, another authenticator, forged: what is under way is left alone. */
	uint8_t kept[RG_RADIUS_MOST];
	memcpy(kept, nas.request, nas.length);
	nas.request[4] ^= 1;
	nas_say(&nas);
	nas_deaf(&nas, &gate, RG_COUNT_DROP_AUTHENTICATOR, before);
	gate_expect(&gate, "no-answer", "client-secret");
	memcpy(nas.request, kept, nas.length);
	peer_answer(&peer, RG_ACCESS_ACCEPT);
	nas_hear(&nas, &gate, RG_ACCESS_ACCEPT);
}

static void W5_missing_message_authenticator(void **state)
{
	uint64_t before = counted(RG_COUNT_DROP_NO_MESSAGE_AUTHENTICATOR);
	(void)state;
	ask_unsigned(&nas, "jan@elders.nl");
	nas_deaf(&nas, &gate, RG_COUNT_DROP_NO_MESSAGE_AUTHENTICATOR, before);
	gate_expect(&gate, "no-answer", "client-secret");
}

/* What passes is refused for want of EAP, which shows that it was heard. */
static void expect_heard(struct nas *from)
{
	nas_hear(from, &gate, RG_ACCESS_REJECT);
	gate_expect(&gate, "reject", "method-refused");
}

static void B1_auto_policy_is_moved_by_genuine_packets_only(void **state)
{
	uint64_t forged = counted(RG_COUNT_DROP_AUTHENTICATOR);
	(void)state;
	ask_unsigned(&old, "jan@elders.nl");
	expect_heard(&old);
	/* Signed with another secret, as an attacker would to have the policy tightened. */
	struct rg_radius_key *own = old.key;
	old.key = radius_key_new(span_text("not the secret"));
	ask_as(&old, "jan@elders.nl");
	nas_deaf(&old, &gate, RG_COUNT_DROP_AUTHENTICATOR, forged);
	gate_expect(&gate, "no-answer", "client-secret");
	radius_key_free(&old.key);
	old.key = own;
	ask_unsigned(&old, "jan@elders.nl");
	expect_heard(&old);
	/* A genuine one: from now on it is required. */
	nas_begin(&old, RG_ACCESS_REQUEST);
	nas_add(&old, RG_USER_NAME, "jan@elders.nl");
	nas_send(&old);
	expect_heard(&old);
	uint64_t missing = counted(RG_COUNT_DROP_NO_MESSAGE_AUTHENTICATOR);
	ask_unsigned(&old, "jan@elders.nl");
	nas_deaf(&old, &gate, RG_COUNT_DROP_NO_MESSAGE_AUTHENTICATOR, missing);
}

static void status_server_is_answered_and_not_sent_on(void **state)
{
	struct nas *const ports[] = {&nas, &account};
	static const uint8_t codes[] = {RG_ACCESS_ACCEPT, RG_ACCOUNTING_RESPONSE};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		nas_begin(ports[i], RG_STATUS_SERVER);
		nas_add(ports[i], RG_PROXY_STATE, "hop");
		nas_send(ports[i]);
		nas_hear(ports[i], &gate, codes[i]);
		assert_true(span_equal(packet_find(&ports[i]->answer, RG_PROXY_STATE),
				       span_text("hop")));
	}
	assert_int_equal(gate.worker.window.count, 0);
}

static void ports_serve_what_they_serve(void **state)
{
	uint64_t before = counted(RG_COUNT_DROP_NOT_SERVED);
	(void)state;
	nas_begin(&nas, RG_ACCOUNTING_REQUEST);
	nas_send(&nas);
	nas_deaf(&nas, &gate, RG_COUNT_DROP_NOT_SERVED, before);
	ask_as(&account, "jan@elders.nl");
	nas_deaf(&account, &gate, RG_COUNT_DROP_NOT_SERVED, before + 1);
	nas_begin(&nas, RG_ACCESS_ACCEPT); /* an answer to nothing */
	nas_send(&nas);
	nas_deaf(&nas, &gate, RG_COUNT_DROP_NOT_SERVED, before + 2);
}

static void accounting_is_left_unacknowledged_or_sent_on(void **state)
{
	static const char *const unkept[] = {"jan@beuningen.nl", "jan@elders.nl", "jan",
					     "jan@x.refused.nl"};
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		uint64_t before = counted(RG_COUNT_ACCOUNTING_UNKEPT);
		nas_begin(&account, RG_ACCOUNTING_REQUEST);
		nas_add(&account, RG_USER_NAME, unkept[i]);
		nas_send(&account);
		nas_deaf(&account, &gate, RG_COUNT_ACCOUNTING_UNKEPT, before);
	}
	assert_int_equal(gate.worker.window.count, 0);
	nas_begin(&account, RG_ACCOUNTING_REQUEST);
	nas_add(&account, RG_USER_NAME, "jan@acct.example.nl");
	nas_add(&account, RG_TUNNEL_PRIVATE_GROUP_ID, "120");
	nas_send(&account);
	peer_receive(&peer, &gate);
	assert_int_equal(peer.answer.code, RG_ACCOUNTING_REQUEST);
	assert_int_equal(packet_count(&peer.answer, RG_TUNNEL_PRIVATE_GROUP_ID), 0);
	peer_answer(&peer, RG_ACCOUNTING_RESPONSE);
	nas_hear(&account, &gate, RG_ACCOUNTING_RESPONSE);
	/* P3: a loop of accounting is cut too. */
	uint64_t before = counted(RG_COUNT_ACCOUNTING_UNKEPT);
	nas_begin(&account, RG_ACCOUNTING_REQUEST);
	nas_add(&account, RG_USER_NAME, "jan@acct.example.nl");
	for (unsigned i = 0; i < 17; i++)
		nas_add(&account, RG_PROXY_STATE, "hop");
	nas_send(&account);
	nas_deaf(&account, &gate, RG_COUNT_ACCOUNTING_UNKEPT, before);
}

static void visitor_is_passed_on_and_back(void **state)
{
	(void)state;
	ask_as(&nas, "Jan@Elders.NL");
	peer_receive(&peer, &gate);
	assert_true(
		span_equal(packet_find(&peer.answer, RG_USER_NAME), span_text("Jan@Elders.NL")));
	assert_true(span_equal(packet_find(&peer.answer, RG_OPERATOR_NAME),
			       span_text("1beuningen.nl")));
	assert_int_equal(packet_count(&peer.answer, RG_PROXY_STATE), 3);
	peer_answer(&peer, RG_ACCESS_ACCEPT);
	nas_hear(&nas, &gate, RG_ACCESS_ACCEPT);
	assert_int_equal(packet_count(&nas.answer, RG_PROXY_STATE), 2);
	assert_int_equal(packet_count(&nas.answer, RG_TUNNEL_PRIVATE_GROUP_ID), 1);
	assert_true(
		span_equal(packet_find(&nas.answer, RG_TUNNEL_PRIVATE_GROUP_ID), span_text("900")));
	gate_expect(&gate, "accept", "accepted");
	ask_as(&nas, "jan@elders.nl");
	peer_receive(&peer, &gate);
	peer_answer(&peer, RG_ACCESS_REJECT);
	nas_hear(&nas, &gate, RG_ACCESS_REJECT);
	gate_expect(&gate, "reject", "upstream-refused");
}

static void visitor_without_eap(void **state)
{
	static const char *const names[] = {"jan@elders.nl", "jan@pap.example.nl"};
	uint8_t hidden[128], clear[128];
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		nas_begin(&nas, RG_ACCESS_REQUEST);
		nas_add(&nas, RG_USER_NAME, names[i]);
		int length = password_hide(hidden, span_text("geheim"), nas.authenticator, nas.key);
		writer_add(&nas.writer, RG_USER_PASSWORD, span_of(hidden, (size_t)length));
		nas_send(&nas);
		if (i == 0) {
			nas_hear(&nas, &gate, RG_ACCESS_REJECT);
			assert_int_equal(packet_count(&nas.answer, RG_EAP_MESSAGE), 0);
			gate_expect(&gate, "reject", "method-refused");
		}
	}
	peer_receive(&peer, &gate);
	assert_true(password_reveal(clear, packet_find(&peer.answer, RG_USER_PASSWORD),
				    packet_authenticator(&peer.answer), peer.key) >= 6);
	assert_memory_equal(clear, "geheim", 6);
}

static void P1_pending_repeat_goes_to_the_peer_unchanged(void **state)
{
	uint8_t copy[RG_RADIUS_MOST];
	(void)state;
	ask_as(&nas, "jan@elders.nl");
	peer_receive(&peer, &gate);
	size_t length = peer.answer_length;
	memcpy(copy, peer.answer_bytes, length);
	nas_say(&nas);
	peer_receive(&peer, &gate);
	assert_int_equal(peer.answer_length, length);
	assert_memory_equal(peer.answer_bytes, copy, length);
	assert_int_equal(gate.worker.window.count, 1);
}

static void P1_answered_repeat_is_answered_byte_for_byte(void **state)
{
	uint8_t copy[RG_RADIUS_MOST];
	uint64_t forwarded;
	(void)state;
	ask_as(&nas, "jan@elders.nl");
	peer_receive(&peer, &gate);
	peer_answer(&peer, RG_ACCESS_ACCEPT);
	nas_hear(&nas, &gate, RG_ACCESS_ACCEPT);
	gate_expect(&gate, "accept", "accepted");
	memcpy(copy, nas.answer_bytes, nas.answer_length);
	forwarded = counted(RG_COUNT_FORWARDED);
	for (unsigned i = 0; i < 3; i++) {
		nas_say(&nas);
		nas_hear(&nas, &gate, RG_ACCESS_ACCEPT);
		assert_memory_equal(nas.answer_bytes, copy, nas.answer_length);
	}
	assert_int_equal(counted(RG_COUNT_FORWARDED), forwarded); /* nothing was run again */
	/* Ten seconds later it is a new request. */
	wheel_advance(&gate.worker.wheel, clock_now() + 11 * RG_SECOND);
	assert_int_equal(gate.worker.window.count, 0);
	nas_say(&nas);
	peer_receive(&peer, &gate);
}

static void P1_same_id_new_authenticator_is_processed_anew(void **state)
{
	struct nas former = peer;
	(void)state;
	ask_as(&nas, "jan@elders.nl");
	peer_receive(&peer, &gate);
	former = peer;
	former.answer.data = former.answer_bytes;
	nas.id--;
	ask_as(&nas, "piet@elders.nl");
	peer_receive(&peer, &gate);
	assert_true(
		span_equal(packet_find(&peer.answer, RG_USER_NAME), span_text("piet@elders.nl")));
	assert_int_equal(gate.worker.window.count, 1);
	/* The answer to the former one is for nobody. */
	uint64_t bad = counted(RG_COUNT_UPSTREAM_BAD);
	peer_answer(&former, RG_ACCESS_ACCEPT);
	nas_deaf(&nas, &gate, RG_COUNT_UPSTREAM_BAD, bad);
	peer_answer(&peer, RG_ACCESS_REJECT);
	nas_hear(&nas, &gate, RG_ACCESS_REJECT);
}

static void upstream_that_never_answers_gets_silence(void **state)
{
	(void)state;
	ask_as(&nas, "jan@elders.nl");
	peer_receive(&peer, &gate);
	uint64_t lost = counted(RG_COUNT_UPSTREAM_LOST);
	wheel_advance(&gate.worker.wheel, clock_now() + 31 * RG_SECOND);
	nas_deaf(&nas, &gate, RG_COUNT_UPSTREAM_LOST, lost);
	gate_expect(&gate, "no-answer", "upstream-timeout");
	assert_int_equal(gate.worker.window.count, 0);
}

static void W6_a_broken_key_of_the_peer_is_dropped(void **state)
{
	uint8_t out[RG_RADIUS_MOST];
	struct rg_writer writer;
	(void)state;
	ask_as(&nas, "jan@elders.nl");
	peer_receive(&peer, &gate);
	writer_begin(&writer, out, sizeof(out), RG_ACCESS_ACCEPT, peer.answer.token, peer.key);
	writer_add_vendor(&writer, RG_VENDOR_MICROSOFT, 17, span_text("\x80\x01short"));
	struct rg_span bytes = writer_reply(&writer, packet_authenticator(&peer.answer));
	uint64_t before = counted(RG_COUNT_UPSTREAM_BAD);
	assert_true(sendto(peer.fd, bytes.data, bytes.length, 0, &peer.from.any,
			   address_length(&peer.from)) > 0);
	nas_deaf(&nas, &gate, RG_COUNT_UPSTREAM_BAD, before);
	peer_answer(&peer, RG_ACCESS_REJECT);
	nas_hear(&nas, &gate, RG_ACCESS_REJECT);
	gate_expect(&gate, "reject", "upstream-refused");
}

#define CROWD 40u

/* An Accept with keys of its own for the request that the peer received last; spoilt: one octet of
 * it is another. */
static void peer_accepts(uint8_t seed, bool spoilt)
{
	uint8_t out[RG_RADIUS_MOST], msk[64];
	struct rg_writer writer;
	memset(msk, seed, sizeof(msk));
	writer_begin(&writer, out, sizeof(out), RG_ACCESS_ACCEPT, peer.answer.token, peer.key);
	writer_add_eap(&writer, span_of("\x03\x01\x00\x04", 4));
	writer_add_mppe(&writer, msk, packet_authenticator(&peer.answer));
	struct rg_span bytes = writer_reply(&writer, packet_authenticator(&peer.answer));
	out[bytes.length - 1] ^= spoilt ? 1 : 0;
	assert_true(sendto(peer.fd, bytes.data, bytes.length, 0, &peer.from.any,
			   address_length(&peer.from)) > 0);
}

/* The nas's next answer: of what was asked as that one, with the keys that it was given. */
static uint8_t nas_hears_accept(uint8_t authenticators[CROWD][RG_AUTHENTICATOR], uint8_t first)
{
	uint8_t bytes[RG_RADIUS_MOST], clear[256], expected[32];
	struct rg_packet answer;
	gate_run_until(&gate, nas.fd);
	ssize_t length = recv(nas.fd, bytes, sizeof(bytes), 0);
	assert_true(length > 0);
	assert_int_equal(packet_view(&answer, span_of(bytes, (size_t)length)), RG_PACKET_OK);
	uint8_t i = (uint8_t)(answer.token - first);
	assert_in_range(i, 0, CROWD - 1);
	assert_int_equal(reply_verify(&answer, authenticators[i], nas.key), RG_AUTHENTIC);
	memset(expected, i, sizeof(expected));
	for (uint8_t type = 16; type <= 17; type++) {
		struct rg_span hidden = packet_find_vendor(&answer, RG_VENDOR_MICROSOFT, type);
		assert_int_equal(mppe_reveal(clear, hidden, authenticators[i], nas.key), 32);
		assert_memory_equal(clear, expected, 32);
	}
	return i;
}

/* What one system call brought is verified, hidden anew and sealed together; each is judged by
 * itself, and an answer that comes twice counts once. */
static void B3_of_a_crowd_each_gets_what_is_his(void **state)
{
	uint8_t authenticators[CROWD][RG_AUTHENTICATOR], first = 0;
	bool heard[CROWD] = {false};
	uint64_t forged = counted(RG_COUNT_DROP_AUTHENTICATOR),
		 bad = counted(RG_COUNT_UPSTREAM_BAD);
	struct nas forger;
	(void)state;
	nas_open(&forger, "127.0.0.1", gate.auth_port, "another secret");
	for (uint8_t i = 0; i < CROWD; i++) {
		if (i % 7 == 3)
			ask_as(&forger, "jan@elders.nl");
		ask_as(&nas, "jan@elders.nl");
		first = i == 0 ? nas.request[1] : first;
		memcpy(authenticators[i], nas.authenticator, RG_AUTHENTICATOR);
	}
	for (uint8_t i = 0; i < CROWD; i++) { /* they went on in the order in which they came */
		peer_receive(&peer, &gate);
		if (i % 5 == 2)
			peer_accepts(i, true);
		peer_accepts(i, false);
		if (i % 5 == 4)
			peer_accepts(i, false);
	}
	for (unsigned i = 0; i < CROWD; i++) {
		uint8_t which = nas_hears_accept(authenticators, first);
		assert_false(heard[which]);
		heard[which] = true;
	}
	assert_int_equal(counted(RG_COUNT_DROP_AUTHENTICATOR), forged + 6);
	assert_int_equal(counted(RG_COUNT_UPSTREAM_BAD), bad + 16);
	nas_close(&forger);
}

/* In a stream nothing is read behind what is broken; of datagrams each is another's. */
static void W3_nothing_is_taken_behind_a_broken_frame_of_a_stream(void **state)
{
	static const uint8_t good[RG_RADIUS_HEADER] = {RG_ACCESS_REQUEST, 1, 0, RG_RADIUS_HEADER};
	static const uint8_t broken[RG_RADIUS_HEADER + 1] = {RG_ACCESS_REQUEST, 1, 0,
							     RG_RADIUS_HEADER + 1};
	struct rg_link link = {
		.kind = RG_LINK_CONNECTION, .worker = &gate.worker, .version = RG_RADIUS_1_0};
	struct rg_datagram datagrams[CROWD];
	(void)state;
	for (unsigned at = 0; at < CROWD; at++) {
		uint64_t before = counted(RG_COUNT_DATAGRAMS_IN);
		for (unsigned i = 0; i < CROWD; i++)
			datagrams[i] = (struct rg_datagram){
				.bytes = i == at ? span_of(broken, sizeof(broken))
						 : span_of(good, sizeof(good)),
				.source.v4.sin_family = AF_INET};
		link.kind = RG_LINK_CONNECTION;
		assert_false(path_run_batch(&gate.worker, &link, datagrams, CROWD));
		assert_int_equal(counted(RG_COUNT_DATAGRAMS_IN), before + at + 1);
		link.kind = RG_LINK_UDP;
		assert_false(path_run_batch(&gate.worker, &link, datagrams, CROWD));
		assert_int_equal(counted(RG_COUNT_DATAGRAMS_IN), before + at + 1 + CROWD);
	}
}

/* A Reject of our own waits; its repeats meanwhile are dropped; one of the federation's does not
 * wait. */
static void rejects_made_here_are_delayed(void **state)
{
	uint64_t began = clock_now(), before = counted(RG_COUNT_DROP_DUPLICATE);
	(void)state;
	ask_as(&nas, "jan@elders.de");
	nas_say(&nas);
	nas_deaf(&nas, &gate, RG_COUNT_DROP_DUPLICATE, before);
	nas_hear(&nas, &gate, RG_ACCESS_REJECT);
	assert_true(clock_now() - began >= 300 * RG_MS);
	ask_as(&nas, "jan@elders.nl");
	peer_receive(&peer, &gate);
	uint64_t answers = counted(RG_COUNT_UPSTREAM_ANSWERS);
	assert_int_equal(gate.worker.open, 1);
	peer_answer(&peer, RG_ACCESS_REJECT);
	gate_run_until_counted(&gate, RG_COUNT_UPSTREAM_ANSWERS, answers + 1);
	assert_int_equal(gate.worker.open, 0); /* answered in the very turn */
}

static void O1_reload_keeps_what_is_under_way(void **state)
{
	(void)state;
	ask_as(&nas, "jan@elders.nl");
	peer_receive(&peer, &gate);
	uint16_t port = peer.from.v4.sin_port;
	gate_reload(&gate);
	gate_reload(&gate);
	peer_answer(&peer, RG_ACCESS_ACCEPT);
	nas_hear(&nas, &gate, RG_ACCESS_ACCEPT);
	ask_as(&nas, "jan@elders.nl");
	peer_receive(&peer, &gate);
	assert_int_equal(peer.from.v4.sin_port, port); /* the same socket serves */
}

static void draining_begins_nothing(void **state)
{
	uint64_t before = counted(RG_COUNT_DROP_OVERLOAD);
	(void)state;
	ask_as(&nas, "jan@elders.nl");
	peer_receive(&peer, &gate);
	gate.worker.draining = true;
	ask_as(&old, "jan@elders.nl");
	nas_deaf(&old, &gate, RG_COUNT_DROP_OVERLOAD, before);
	peer_answer(&peer, RG_ACCESS_ACCEPT); /* what is under way ends */
	nas_hear(&nas, &gate, RG_ACCESS_ACCEPT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* The worker closed it, and the next configuration named a descriptor that was somebody else's by then. */
static void O3_a_socket_that_cannot_be_served_stays_open(void **state)
{
	FILE *file = tmpfile(); /* nothing that epoll takes, as when there is no memory */
	(void)state;
	assert_non_null(file);
	struct rg_port_socket port = {.fd = fileno(file), .serves = RG_SERVES_AUTH};
	const struct rg_lease *former = gate.worker.lease;
	*worker_publication(&gate.worker, 1) = port;
	worker_publish(&gate.worker, former->snapshot);
	while (gate.worker.lease == former)
		uv_run(&gate.worker.loop, UV_RUN_NOWAIT);
	assert_int_not_equal(fcntl(port.fd, F_GETFD), -1);
	former = gate.worker.lease; /* and is closed once it is left out */
	int own = dup(port.fd);
	assert_true(own >= 0);
	assert_non_null(worker_publication(&gate.worker, 0));
	worker_publish(&gate.worker, former->snapshot);
	while (gate.worker.lease == former)
		uv_run(&gate.worker.loop, UV_RUN_NOWAIT);
	assert_int_equal(fcntl(port.fd, F_GETFD), -1);
	assert_int_equal(dup2(own, port.fd), port.fd); /* for fclose */
	close(own);
	assert_int_equal(fclose(file), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(realms_that_are_refused_with_their_reasons),
		TEST(P3_too_many_proxy_states),
		TEST(P3_back_to_the_peer_that_it_came_from),
		TEST(ssid_that_is_not_the_client_s),
		TEST(O9_unknown_source),
		TEST(W1_malformed),
		TEST(W5_wrong_message_authenticator_touches_nothing),
		TEST(W5_missing_message_authenticator),
		TEST(B1_auto_policy_is_moved_by_genuine_packets_only),
		TEST(status_server_is_answered_and_not_sent_on),
		TEST(ports_serve_what_they_serve),
		TEST(accounting_is_left_unacknowledged_or_sent_on),
		TEST(visitor_is_passed_on_and_back),
		TEST(visitor_without_eap),
		TEST(P1_pending_repeat_goes_to_the_peer_unchanged),
		TEST(P1_answered_repeat_is_answered_byte_for_byte),
		TEST(P1_same_id_new_authenticator_is_processed_anew),
		TEST(upstream_that_never_answers_gets_silence),
		TEST(W6_a_broken_key_of_the_peer_is_dropped),
		TEST(B3_of_a_crowd_each_gets_what_is_his),
		TEST(W3_nothing_is_taken_behind_a_broken_frame_of_a_stream),
		cmocka_unit_test_setup_teardown(rejects_made_here_are_delayed, set_up_with_delay,
						tear_down),
		TEST(O1_reload_keeps_what_is_under_way),
		TEST(draining_begins_nothing),
		TEST(O3_a_socket_that_cannot_be_served_stays_open),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

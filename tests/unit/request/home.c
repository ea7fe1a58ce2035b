/* Sign-ins of our own people, turn by turn, with a method and a directory of the test's. */
#include "request/home.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/secret.h"
#include "gate.h"
#include "reply/reply.h"

#define SECRET "a secret of the client"
#define TLS    13

static struct gate gate;
static struct nas nas, other, peer;

static int set_up(void **state)
{
	struct sockaddr_in address;
	socklen_t length = sizeof(address);
	(void)state;
	nas_open(&peer, "127.0.0.4", 0, "a secret of the peer");
	if (getsockname(peer.fd, (struct sockaddr *)&address, &length) != 0)
		return -1;
	gate_peer_port = ntohs(address.sin_port);
	gate_open(&gate, 0);
	peer.to = gate.auth_port;
	nas_open(&nas, "127.0.0.1", gate.auth_port, SECRET);
	nas_open(&other, "127.0.0.2", gate.auth_port, SECRET);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	nas_close(&nas);
	nas_close(&other);
	gate_close(&gate);
	nas_close(&peer);
	return 0;
}

/* Identity, and the method's first Request. */
static void begin(struct nas *from)
{
	from->state_length = 0;
	nas_eap(from, 7, 1, "jan@beuningen.nl");
	nas_hear(from, &gate, RG_ACCESS_CHALLENGE);
	assert_int_equal(from->state_length, 16);
	assert_true(span_equal(packet_find(&from->answer, RG_EAP_MESSAGE),
			       span_of("\x01\x08\x00\x0a\x0d" "begin", 10)));
}

static void expect_reject(struct nas *from, uint8_t id, const char *reason)
{
	const uint8_t failure[] = {4, id, 0, 4};
	nas_hear(from, &gate, RG_ACCESS_REJECT);
	assert_true(span_equal(packet_find(&from->answer, RG_EAP_MESSAGE), span_of(failure, 4)));
	assert_int_equal(packet_count(&from->answer, RG_VENDOR_SPECIFIC), 0);
	gate_expect(&gate, "reject", reason);
	assert_int_equal(gate.worker.sessions.count, 0);
}

static void expect_accept(struct nas *from)
{
	nas_hear(from, &gate, RG_ACCESS_ACCEPT);
	assert_true(span_equal(packet_find(&from->answer, RG_EAP_MESSAGE),
			       span_of("\x03\x08\x00\x04", 4)));
	assert_int_equal(packet_count(&from->answer, RG_VENDOR_SPECIFIC), 2);
	gate_expect(&gate, "accept", "accepted");
	assert_int_equal(gate.worker.sessions.count, 0);
}

static void sign_in_at_home(void **state)
{
	uint32_t seconds = 0;
	(void)state;
	begin(&nas);
	nas_eap(&nas, 8, TLS, "proven");
	expect_accept(&nas);
	assert_string_equal(fake_directory.identity, "jan@beuningen.nl");
	assert_true(packet_u32(&nas.answer, RG_SESSION_TIMEOUT, &seconds));
	assert_int_equal(seconds, 3600);
	assert_true(span_equal(packet_find(&nas.answer, RG_USER_NAME), span_text("jan@beuningen.nl")));
	assert_int_equal(packet_count(&nas.answer, RG_CUI), 0); /* not asked for */
}

static void E2_framed_mtu_bounds_what_is_sent(void **state)
{
	(void)state;
	begin(&nas);
	uint8_t eap[] = {2, 8, 0, 9, TLS, 'm', 'o', 'r', 'e'}, collected[4096];
	struct rg_buffer buffer = buffer_over(collected, sizeof(collected));
	nas_begin(&nas, RG_ACCESS_REQUEST);
	nas_add(&nas, RG_USER_NAME, "jan@beuningen.nl");
	writer_add_u32(&nas.writer, RG_FRAMED_MTU, 500);
	writer_add(&nas.writer, RG_STATE, span_of(nas.state, nas.state_length));
	writer_add_eap(&nas.writer, span_of(eap, sizeof(eap)));
	nas_send(&nas);
	nas_hear(&nas, &gate, RG_ACCESS_CHALLENGE);
	assert_true(packet_eap(&nas.answer, &buffer));
	assert_int_equal(buffer.length, 500);
}

static void eap_start_is_answered_by_a_question(void **state)
{
	(void)state;
	nas_begin(&nas, RG_ACCESS_REQUEST);
	nas_add(&nas, RG_USER_NAME, "jan@beuningen.nl");
	nas_add(&nas, RG_EAP_MESSAGE, "");
	nas_send(&nas);
	nas_hear(&nas, &gate, RG_ACCESS_CHALLENGE);
	assert_true(span_equal(packet_find(&nas.answer, RG_EAP_MESSAGE),
			       span_of("\x01\x00\x00\x05\x01", 5)));
	nas_eap(&nas, 0, 1, "jan@beuningen.nl");
	nas_hear(&nas, &gate, RG_ACCESS_CHALLENGE);
	assert_int_equal(gate.worker.sessions.count, 1);
}

static void refusals_with_their_reasons(void **state)
{
	static const struct {
		enum rg_outcome outcome;
		const char *reason;
	} cases[] = {
		{RG_OUTCOME_NO_ENTRY, "directory-no-entry"},
		{RG_OUTCOME_AMBIGUOUS, "directory-ambiguous"},
		{RG_OUTCOME_DISABLED, "directory-disabled"},
		{RG_OUTCOME_OTHER_CERTIFICATE, "certificate-invalid"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake_directory.outcome = cases[i].outcome;
		begin(&nas);
		nas_eap(&nas, 8, TLS, "proven");
		expect_reject(&nas, 8, cases[i].reason);
	}
	fake_directory.outcome = RG_OUTCOME_FOUND;
	begin(&nas);
	nas_eap(&nas, 8, TLS, "revoked");
	expect_reject(&nas, 8, "certificate-revoked");
	unsigned asked = fake_directory.asked;
	begin(&nas);
	nas_eap(&nas, 8, TLS, "druten"); /* a name of another realm */
	expect_reject(&nas, 8, "certificate-other-realm");
	assert_int_equal(fake_directory.asked, asked); /* and nobody was asked about it */
	begin(&other); /* denied by the rule of its site */
	nas_eap(&other, 8, TLS, "proven");
	expect_reject(&other, 8, "not-authorized");
}

static void E6_success_without_proof(void **state)
{
	(void)state;
	begin(&nas);
	nas_eap(&nas, 8, TLS, "success");
	expect_reject(&nas, 8, "internal");
}

static void a_password_is_asked_about_with_all_else(void **state)
{
	(void)state;
	begin(&nas);
	nas_eap(&nas, 8, TLS, "ask:geheim");
	expect_accept(&nas);
	assert_int_equal(fake_directory.asked, 1); /* one question for person, groups and password */
	assert_int_equal(fake_directory.kind, RG_ASK_PASSWORD);
	assert_string_equal(fake_directory.password, "geheim");
	assert_string_equal(fake_directory.identity, "jan@beuningen.nl");
}

static void the_directory_s_own_name_for_somebody(void **state)
{
	(void)state;
	fake_directory.canonical = "Jan.Jansen@beuningen.nl";
	begin(&nas);
	nas_eap(&nas, 8, TLS, "ask:geheim");
	nas_hear(&nas, &gate, RG_ACCESS_ACCEPT);
	assert_true(span_equal(packet_find(&nas.answer, RG_USER_NAME),
			       span_text("Jan.Jansen@beuningen.nl")));
}

static void passwords_refused_with_their_reasons(void **state)
{
	static const struct {
		enum rg_outcome outcome;
		const char *reason;
	} cases[] = {
		{RG_OUTCOME_PASSWORD_EXPIRED, "password-expired"},
		{RG_OUTCOME_MUST_CHANGE, "password-must-change"},
		{RG_OUTCOME_LOCKED, "account-locked"},
		{RG_OUTCOME_DISABLED, "directory-disabled"},
		{RG_OUTCOME_NO_ENTRY, "directory-no-entry"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake_directory.outcome = cases[i].outcome;
		begin(&nas);
		nas_eap(&nas, 8, TLS, "ask:geheim");
		expect_reject(&nas, 8, cases[i].reason);
	}
}

static void a_wrong_password_may_be_followed_by_the_right_one(void **state)
{
	(void)state;
	fake_directory.outcome = RG_OUTCOME_WRONG_SECRET;
	begin(&nas);
	nas_eap(&nas, 8, TLS, "ask:fout");
	nas_hear(&nas, &gate, RG_ACCESS_CHALLENGE);
	fake_directory.outcome = RG_OUTCOME_FOUND;
	nas_eap(&nas, 9, TLS, "ask:geheim");
	nas_hear(&nas, &gate, RG_ACCESS_ACCEPT);
	gate_expect(&gate, "accept", "accepted");
	/* Nobody types another one: what was wrong is why it ended. */
	fake_directory.outcome = RG_OUTCOME_WRONG_SECRET;
	begin(&nas);
	nas_eap(&nas, 8, TLS, "ask:fout");
	nas_hear(&nas, &gate, RG_ACCESS_CHALLENGE);
	/* While the second is asked about, the first answer is gone: it may not be read any more. */
	fake_directory.hold = true;
	nas_eap(&nas, 9, TLS, "ask:fout");
	while (!fake_directory.held)
		uv_run(&gate.worker.loop, UV_RUN_ONCE);
	wheel_advance(&gate.worker.wheel, clock_now() + 61 * RG_SECOND);
	gate_expect(&gate, "no-answer", "password-wrong");
	directory_answer_held(RG_OUTCOME_WRONG_SECRET);
}

/* Told that the password has expired, hostap says nothing more until somebody types a new one; others send an
 * alert, or anything. The helpdesk has to hear what the directory said. */
static void a_refusal_outlasts_what_follows_it(void **state)
{
	static const char *const last_words[] = {NULL, "revoked", ""};
	(void)state;
	for (size_t i = 0; i < sizeof(last_words) / sizeof(last_words[0]); i++) {
		fake_directory.outcome = RG_OUTCOME_PASSWORD_EXPIRED;
		begin(&nas);
		nas_eap(&nas, 8, TLS, "ask:talkative");
		nas_hear(&nas, &gate, RG_ACCESS_CHALLENGE);
		if (!last_words[i]) {
			wheel_advance(&gate.worker.wheel, clock_now() + 61 * RG_SECOND);
			gate_expect(&gate, "no-answer", "password-expired");
			continue;
		}
		nas_eap(&nas, 9, last_words[i][0] ? TLS : 99, last_words[i]);
		expect_reject(&nas, 9, "password-expired");
	}
}

static void E3_one_that_is_refused_already_is_ended_as_that(void **state)
{
	(void)state;
	fake_directory.outcome = RG_OUTCOME_LOCKED;
	begin(&nas);
	nas_eap(&nas, 8, TLS, "ask:talkative");
	nas_hear(&nas, &gate, RG_ACCESS_CHALLENGE);
	for (unsigned i = 0; i < 16; i++)
		begin(&nas);
	gate_expect(&gate, "no-answer", "account-locked");
}

static void E6_success_after_a_refusal(void **state)
{
	(void)state;
	fake_directory.outcome = RG_OUTCOME_WRONG_SECRET;
	begin(&nas);
	nas_eap(&nas, 8, TLS, "ask:stubborn");
	expect_reject(&nas, 8, "internal");
	begin(&other); /* and after one by the rules */
	fake_directory.outcome = RG_OUTCOME_FOUND;
	nas_eap(&other, 8, TLS, "ask:stubborn");
	expect_reject(&other, 8, "internal");
}

static void L2_no_directory_is_asked_about_a_password_that_is_none(void **state)
{
	(void)state;
	begin(&nas);
	uint8_t eap[] = {2, 8, 0, 10, TLS, 'a', 's', 'k', ':', 0};
	nas_begin(&nas, RG_ACCESS_REQUEST);
	nas_add(&nas, RG_USER_NAME, "jan@beuningen.nl");
	writer_add(&nas.writer, RG_STATE, span_of(nas.state, nas.state_length));
	writer_add_eap(&nas.writer, span_of(eap, sizeof(eap)));
	nas_send(&nas);
	nas_hear(&nas, &gate, RG_ACCESS_CHALLENGE); /* may be tried again */
	assert_int_equal(fake_directory.asked, 0);
}

static void L5_a_password_that_could_not_be_asked_about_gets_silence(void **state)
{
	(void)state;
	/* However often: it says nothing about the person, and counts as no attempt. */
	for (unsigned i = 0; i < 12; i++) {
		fake_directory.outcome = RG_OUTCOME_UNAVAILABLE;
		begin(&nas);
		uint64_t datagrams = counted(RG_COUNT_DATAGRAMS_IN);
		nas_eap(&nas, 8, TLS, "ask:geheim");
		nas_deaf(&nas, &gate, RG_COUNT_DATAGRAMS_IN, datagrams);
		gate_expect(&gate, "no-answer", "directory-unavailable");
	}
	fake_directory.outcome = RG_OUTCOME_FOUND;
	nas_say(&nas);
	nas_hear(&nas, &gate, RG_ACCESS_ACCEPT);
	gate_expect(&gate, "accept", "accepted");
}

static void too_many_attempts_are_not_asked(void **state)
{
	unsigned challenges = 0;
	(void)state;
	fake_directory.outcome = RG_OUTCOME_NO_ENTRY;
	for (unsigned i = 0; i < 20; i++) {
		begin(&nas);
		nas_eap(&nas, 8, TLS, "ask:fout");
		nas_hear(&nas, &gate, RG_ACCESS_REJECT);
		challenges++;
	}
	assert_in_range(fake_directory.asked, 1, 8); /* of one person twice max, and no MAC was told */
	assert_int_equal(challenges, 20);
	fake_directory.outcome = RG_OUTCOME_FOUND;
	begin(&nas);
	nas_eap(&nas, 8, TLS, "proven"); /* a certificate is no guess */
	nas_hear(&nas, &gate, RG_ACCESS_ACCEPT);
}

static void E7_identity_and_user_name(void **state)
{
	(void)state;
	nas_eap(&nas, 7, 1, "piet@beuningen.nl");
	expect_reject(&nas, 7, "identity-mismatch");
}

static void no_bare_passwords(void **state)
{
	(void)state;
	nas_begin(&nas, RG_ACCESS_REQUEST);
	nas_add(&nas, RG_USER_NAME, "jan@beuningen.nl");
	nas_add(&nas, RG_USER_PASSWORD, "0123456789abcdef");
	nas_send(&nas);
	nas_hear(&nas, &gate, RG_ACCESS_REJECT);
	gate_expect(&gate, "reject", "method-refused");
}

static void E1_wrong_identifier_is_dropped(void **state)
{
	uint64_t before = counted(RG_COUNT_DROP_WRONG_EAP_ID);
	(void)state;
	begin(&nas);
	nas_eap(&nas, 6, TLS, "proven");
	nas_deaf(&nas, &gate, RG_COUNT_DROP_WRONG_EAP_ID, before);
	assert_int_equal(gate.worker.window.count, 1); /* the answered first turn */
	nas_eap(&nas, 8, TLS, "proven");
	expect_accept(&nas);
}

static void P4_state_forged_foreign_or_of_another_client(void **state)
{
	(void)state;
	begin(&nas);
	memcpy(other.state, nas.state, nas.state_length);
	other.state_length = nas.state_length;
	nas_eap(&other, 8, TLS, "proven");
	nas_hear(&other, &gate, RG_ACCESS_REJECT);
	gate_expect(&gate, "reject", "method-refused");
	for (size_t at = 0; at < 16; at++) {
		struct nas forger = nas;
		forger.state[at] ^= 0x40;
		nas_eap(&forger, 8, TLS, "proven");
		nas_hear(&forger, &gate, RG_ACCESS_REJECT);
		gate_expect(&gate, "reject", "method-refused");
		nas.id = forger.id;
	}
	assert_int_equal(gate.worker.sessions.count, 1);
	nas_eap(&nas, 8, TLS, "proven"); /* the rightful one still goes on */
	expect_accept(&nas);
	nas.state_length = 16; /* its State is worth nothing any more */
	nas_eap(&nas, 8, TLS, "proven");
	expect_reject(&nas, 8, "method-refused");
}

static void P1_repeat_of_a_turn_is_answered_and_not_run(void **state)
{
	uint8_t copy[RG_RADIUS_MOST];
	(void)state;
	begin(&nas);
	memcpy(copy, nas.answer_bytes, nas.answer_length);
	nas_say(&nas);
	nas_hear(&nas, &gate, RG_ACCESS_CHALLENGE);
	assert_memory_equal(nas.answer_bytes, copy, nas.answer_length);
	assert_int_equal(gate.worker.sessions.count, 1);
}

static void P1_repeat_while_the_directory_is_asked_is_dropped(void **state)
{
	uint64_t before = counted(RG_COUNT_DROP_DUPLICATE);
	(void)state;
	fake_directory.hold = true;
	begin(&nas);
	nas_eap(&nas, 8, TLS, "proven");
	while (!fake_directory.held)
		uv_run(&gate.worker.loop, UV_RUN_ONCE);
	nas_say(&nas);
	nas_deaf(&nas, &gate, RG_COUNT_DROP_DUPLICATE, before);
	assert_int_equal(fake_directory.asked, 1);
	directory_answer_held(RG_OUTCOME_FOUND);
	expect_accept(&nas);
}

/* The NAS lost patience and asks under another Identifier: the answer goes there, and there only. */
static void P1_another_identifier_takes_over(void **state)
{
	(void)state;
	fake_directory.hold = true;
	begin(&nas);
	nas_eap(&nas, 8, TLS, "proven");
	while (!fake_directory.held)
		uv_run(&gate.worker.loop, UV_RUN_ONCE);
	uint64_t wrong = counted(RG_COUNT_DROP_WRONG_EAP_ID);
	nas_eap(&nas, 9, TLS, "proven");
	nas_deaf(&nas, &gate, RG_COUNT_DROP_WRONG_EAP_ID, wrong);
	uint64_t in = counted(RG_COUNT_DATAGRAMS_IN);
	nas_eap(&nas, 8, TLS, "proven");
	nas_deaf(&nas, &gate, RG_COUNT_DATAGRAMS_IN, in);
	assert_int_equal(gate.worker.open, 1);
	directory_answer_held(RG_OUTCOME_FOUND);
	expect_accept(&nas);
	assert_int_equal(fake_directory.asked, 1);
}

static void L5_directory_that_cannot_be_asked_gets_silence(void **state)
{
	(void)state;
	fake_directory.outcome = RG_OUTCOME_UNAVAILABLE;
	begin(&nas);
	uint64_t datagrams = counted(RG_COUNT_DATAGRAMS_IN);
	nas_eap(&nas, 8, TLS, "proven");
	nas_deaf(&nas, &gate, RG_COUNT_DATAGRAMS_IN, datagrams);
	gate_expect(&gate, "no-answer", "directory-unavailable");
	/* The NAS repeats, and the directory is there again. */
	fake_directory.outcome = RG_OUTCOME_FOUND;
	nas_say(&nas);
	expect_accept(&nas);
	assert_int_equal(fake_directory.asked, 2);
	fake_directory.full = true;
	begin(&nas);
	uint64_t in = counted(RG_COUNT_DATAGRAMS_IN);
	nas_eap(&nas, 8, TLS, "proven");
	nas_deaf(&nas, &gate, RG_COUNT_DATAGRAMS_IN, in);
	gate_expect(&gate, "no-answer", "directory-unavailable");
}

static void session_that_is_not_finished_ends(void **state)
{
	(void)state;
	begin(&nas);
	wheel_advance(&gate.worker.wheel, clock_now() + 61 * RG_SECOND);
	gate_expect(&gate, "no-answer", "supplicant-abandoned");
	assert_int_equal(gate.worker.sessions.count, 0);
	nas_eap(&nas, 8, TLS, "proven");
	expect_reject(&nas, 8, "method-refused");
}

static void session_that_waits_for_its_directory_ends_in_silence(void **state)
{
	(void)state;
	fake_directory.hold = true;
	begin(&nas);
	nas_eap(&nas, 8, TLS, "proven");
	while (!fake_directory.held)
		uv_run(&gate.worker.loop, UV_RUN_ONCE);
	wheel_advance(&gate.worker.wheel, clock_now() + 61 * RG_SECOND);
	gate_expect(&gate, "no-answer", "directory-unavailable");
	assert_int_equal(gate.worker.sessions.count, 0);
	assert_true(fake_directory.held->cancelled);
	directory_answer_held(RG_OUTCOME_FOUND); /* late: to nobody */
	uv_run(&gate.worker.loop, UV_RUN_NOWAIT);
	assert_int_equal(gate.worker.open, 0);
}

/* What a new conversation would refuse for its State is still a person whom nobody refused. */
static void L5_silence_outlasts_the_session(void **state)
{
	(void)state;
	fake_directory.hold = true;
	begin(&nas);
	nas_eap(&nas, 8, TLS, "proven");
	while (!fake_directory.held)
		uv_run(&gate.worker.loop, UV_RUN_ONCE);
	struct rg_session *session =
		session_find(&gate.worker.sessions, span_of(nas.state, nas.state_length));
	home_end(&gate.worker, session, RG_REASON_DIRECTORY_UNAVAILABLE, NULL);
	gate_expect(&gate, "no-answer", "directory-unavailable");
	directory_answer_held(RG_OUTCOME_FOUND); /* late: to nobody */
	uint64_t before = counted(RG_COUNT_DROP_DUPLICATE);
	nas_say(&nas);
	nas_deaf(&nas, &gate, RG_COUNT_DROP_DUPLICATE, before);

	/* Another proxy that asks for him, and his own under another Identifier, are told as little. */
	memcpy(other.state, nas.state, nas.state_length);
	other.state_length = nas.state_length;
	struct nas *const both[] = {&other, &nas};
	for (size_t i = 0; i < 2; i++) {
		before = counted(RG_COUNT_DROP_DUPLICATE);
		nas_eap(both[i], 8, TLS, "proven");
		nas_deaf(both[i], &gate, RG_COUNT_DROP_DUPLICATE, before);
	}
	assert_int_equal(gate.worker.open, 0);
}

static void E3_full_table_ends_the_oldest_half_open_one(void **state)
{
	uint64_t before = counted(RG_COUNT_SESSIONS_EVICTED);
	(void)state;
	begin(&other);
	for (unsigned i = 0; i < 15; i++)
		begin(&nas);
	assert_int_equal(gate.worker.sessions.count, 16);
	begin(&nas);
	assert_int_equal(counted(RG_COUNT_SESSIONS_EVICTED), before + 1);
	gate_expect(&gate, "no-answer", "overload");
	nas_eap(&other, 8, TLS, "revoked"); /* the other client's goes on */
	nas_hear(&other, &gate, RG_ACCESS_REJECT);
	gate_expect(&gate, "reject", "certificate-revoked");
}

static void O1_conversation_goes_on_across_a_reload(void **state)
{
	(void)state;
	begin(&nas);
	gate_reload(&gate);
	nas_eap(&nas, 8, TLS, "proven");
	expect_accept(&nas);
	/* And while the directory is asked. */
	fake_directory.hold = true;
	begin(&nas);
	nas_eap(&nas, 8, TLS, "proven");
	while (!fake_directory.held)
		uv_run(&gate.worker.loop, UV_RUN_ONCE);
	gate_reload(&gate);
	uv_run(&gate.main_loop, UV_RUN_NOWAIT);
	directory_answer_held(RG_OUTCOME_FOUND);
	expect_accept(&nas);
}

static void stopping_with_everything_under_way(void **state)
{
	(void)state; /* the teardown ends it: nothing leaks, nobody is answered after its end */
	fake_directory.hold = true;
	begin(&other);
	begin(&nas);
	nas_eap(&nas, 8, TLS, "proven");
	while (!fake_directory.held)
		uv_run(&gate.worker.loop, UV_RUN_ONCE);
}

/* One of our people elsewhere: neither name nor attributes cross; the CUI is that place's. */
static void visited_elsewhere_by_way_of_the_federation(void **state)
{
	static const char *const places[] = {"1nijmegen.nl", "1arnhem.nl"};
	struct rg_secret *key = secret_new("key of the region", 17);
	char expected[65];
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		begin(&peer);
		nas_begin(&peer, RG_ACCESS_REQUEST);
		nas_add(&peer, RG_USER_NAME, "jan@beuningen.nl");
		nas_add(&peer, RG_OPERATOR_NAME, places[i]);
		writer_add(&peer.writer, RG_CUI, span_of("", 1));
		writer_add(&peer.writer, RG_STATE, span_of(peer.state, peer.state_length));
		writer_add_eap(&peer.writer, span_of("\x02\x08\x00\x0b\x0dproven", 11));
		nas_send(&peer);
		expect_accept(&peer);
		assert_int_equal(packet_count(&peer.answer, RG_USER_NAME), 0);
		assert_int_equal(packet_count(&peer.answer, RG_SESSION_TIMEOUT), 0);
		cui_compute(expected, key, places[i], "jan@beuningen.nl");
		assert_true(span_equal(packet_find(&peer.answer, RG_CUI), span_text(expected)));
	}
	secret_free(&key);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sign_in_at_home),
		TEST(E2_framed_mtu_bounds_what_is_sent),
		TEST(eap_start_is_answered_by_a_question),
		TEST(refusals_with_their_reasons),
		TEST(E6_success_without_proof),
		TEST(a_password_is_asked_about_with_all_else),
		TEST(the_directory_s_own_name_for_somebody),
		TEST(passwords_refused_with_their_reasons),
		TEST(a_wrong_password_may_be_followed_by_the_right_one),
		TEST(a_refusal_outlasts_what_follows_it),
		TEST(E3_one_that_is_refused_already_is_ended_as_that),
		TEST(E6_success_after_a_refusal),
		TEST(L2_no_directory_is_asked_about_a_password_that_is_none),
		TEST(L5_a_password_that_could_not_be_asked_about_gets_silence),
		TEST(too_many_attempts_are_not_asked),
		TEST(E7_identity_and_user_name),
		TEST(no_bare_passwords),
		TEST(E1_wrong_identifier_is_dropped),
		TEST(P4_state_forged_foreign_or_of_another_client),
		TEST(P1_repeat_of_a_turn_is_answered_and_not_run),
		TEST(P1_repeat_while_the_directory_is_asked_is_dropped),
		TEST(P1_another_identifier_takes_over),
		TEST(L5_directory_that_cannot_be_asked_gets_silence),
		TEST(session_that_is_not_finished_ends),
		TEST(session_that_waits_for_its_directory_ends_in_silence),
		TEST(L5_silence_outlasts_the_session),
		TEST(E3_full_table_ends_the_oldest_half_open_one),
		TEST(O1_conversation_goes_on_across_a_reload),
		TEST(stopping_with_everything_under_way),
		TEST(visited_elsewhere_by_way_of_the_federation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

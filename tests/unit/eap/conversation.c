/* A conversation with a method of the test's: what it is given, and what it may say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "eap/conversation.h"

struct script {
	enum rg_eap_verdict begin, respond, granted, answered;
	bool was_granted; /* what it was told */
	enum rg_reason reason;
	const char *detail;
	size_t writes; /* octets, so many that they may overrun */
	bool cannot_start;
	/* What was seen. */
	unsigned started, ended, responses;
	size_t room;
	uint8_t input[64];
	size_t input_length;
};

static struct script script;

static void *fake_start(const struct rg_eap_start *start)
{
	assert_int_equal(start->fragment, 1000);
	if (script.cannot_start)
		return NULL;
	script.started++;
	return malloc(1);
}

static enum rg_eap_verdict say(struct rg_eap_step *step, enum rg_eap_verdict verdict)
{
	script.room = step->room;
	step->reason = script.reason;
	step->detail = script.detail;
	for (size_t i = 0; i < script.writes; i++)
		buffer_u8(step->output, 0xda);
	return verdict;
}

static enum rg_eap_verdict fake_begin(void *method, struct rg_eap_step *step)
{
	assert_non_null(method);
	return say(step, script.begin);
}

static enum rg_eap_verdict fake_respond(void *method, struct rg_eap_step *step)
{
	assert_non_null(method);
	script.responses++;
	assert_true(step->input.length <= sizeof(script.input));
	script.input_length = step->input.length;
	if (step->input.length)
		memcpy(script.input, step->input.data, step->input.length);
	return say(step, script.respond);
}

static enum rg_eap_verdict fake_granted(void *method, struct rg_eap_step *step)
{
	assert_non_null(method);
	return say(step, script.granted);
}

static enum rg_eap_verdict fake_answered(void *method, struct rg_eap_step *step)
{
	assert_non_null(method);
	assert_non_null(step->answer);
	script.was_granted = step->answer->granted;
	return say(step, script.answered);
}

static const struct rg_claim *fake_claim(void *method)
{
	static const struct rg_claim claim = {.kind = RG_CLAIM_PASSWORD};
	return method ? &claim : NULL;
}

static const struct rg_proof *fake_proof(void *method)
{
	static const struct rg_proof proof = {.identity = "jan@beuningen.nl"};
	return method ? &proof : NULL;
}

static void fake_end(void **method)
{
	script.ended++;
	free(*method);
	*method = NULL;
}

#define FAKE(number, name)                                                                     \
	{                                                                                      \
		.type = (number), .label = (name), .start = fake_start, .begin = fake_begin,   \
		.respond = fake_respond, .proof = fake_proof, .granted = fake_granted,         \
		.claim = fake_claim, .answered = fake_answered,                                \
		.end = fake_end                                                                \
	}

static const struct rg_eap_method tls = FAKE(13, "tls"), peap = FAKE(25, "peap"),
				  ttls = FAKE(21, "ttls");
static const struct rg_eap_method *const all[] = {&tls, &peap, &ttls, NULL};
static const struct rg_eap_method *const none[] = {NULL};

static struct rg_conversation conversation;
static uint8_t memory[2048];
static struct rg_buffer out;
static struct rg_turn_result result;

static void begin(const struct rg_eap_method *const *methods)
{
	const struct rg_eap_start start = {.fragment = 1000};
	conversation_begin(&conversation, methods, &start);
}

static int set_up(void **state)
{
	(void)state;
	script = (struct script){.begin = RG_EAP_REQUEST,
				 .respond = RG_EAP_REQUEST,
				 .granted = RG_EAP_SUCCESS,
				 .writes = 3};
	begin(all);
	return 0;
}

/* No test leaves a method that was started and not ended. */
static int tear_down(void **state)
{
	(void)state;
	conversation_end(&conversation);
	return script.started == script.ended ? 0 : -1;
}

static enum rg_turn turn_octets(const void *packet, size_t length, const char *user_name)
{
	out = buffer_over(memory, sizeof(memory));
	memset(memory, 0, sizeof(memory));
	return conversation_turn(&conversation, span_of(packet, length), span_text(user_name), 1200,
				 &out, &result);
}

/* A Response with a Length of its own, and octets behind it. */
static enum rg_turn turn_of(uint8_t id, uint8_t type, const char *data)
{
	uint8_t packet[300];
	struct rg_buffer writer = buffer_over(packet, sizeof(packet));
	buffer_u8(&writer, RG_EAP_CODE_RESPONSE);
	buffer_u8(&writer, id);
	buffer_u16(&writer, (uint16_t)(5 + strlen(data)));
	buffer_u8(&writer, type);
	buffer_put(&writer, span_text(data));
	buffer_u8(&writer, 0xff); /* padding of a lower layer (RFC 3748 §4.1) */
	return turn_octets(packet, writer.length, "Jan@beuningen.nl");
}

static void expect_header(uint8_t code, uint8_t id, size_t length)
{
	assert_int_equal(out.length, length);
	assert_int_equal(memory[0], code);
	assert_int_equal(memory[1], id);
	assert_int_equal(memory[2] << 8 | memory[3], length);
}

static void expect_failure(enum rg_turn turn, enum rg_reason reason, uint8_t id)
{
	assert_int_equal(turn, RG_TURN_FAILURE);
	assert_int_equal(result.reason, reason);
	assert_int_equal(conversation.state, RG_CONVERSATION_ENDED);
	expect_header(RG_EAP_CODE_FAILURE, id, 4);
}

static void identify(void)
{
	assert_int_equal(turn_of(7, RG_EAP_IDENTITY, "jan@beuningen.nl"), RG_TURN_REQUEST);
	expect_header(RG_EAP_CODE_REQUEST, 8, 8);
	assert_int_equal(memory[4], 13);
	assert_int_equal(memory[5], 0xda);
}

static void identity_begins_the_first_method(void **state)
{
	(void)state;
	identify();
	assert_int_equal(script.room, 1200 - 5);
	assert_ptr_equal(conversation.method, &tls);
}

static void E7_identity_differs_from_user_name(void **state)
{
	(void)state;
	expect_failure(turn_of(7, RG_EAP_IDENTITY, "piet@beuningen.nl"),
		       RG_REASON_IDENTITY_MISMATCH, 7);
	assert_int_equal(script.started, 0);
}

static void E1_begins_without_identity(void **state)
{
	(void)state;
	expect_failure(turn_of(7, 13, "x"), RG_REASON_METHOD_REFUSED, 7);
}

static void E1_broken_lengths(void **state)
{
	static const struct {
		const char *what;
		uint8_t octets[8];
		size_t length;
	} broken[] = {
		{"nothing", {0}, 0},
		{"half a header", {2, 7, 0}, 3},
		{"no type", {2, 7, 0, 4}, 4},
		{"Length under its header", {2, 7, 0, 3, 1, 'j'}, 6},
		{"Length past the end", {2, 7, 0, 7, 1, 'j'}, 6},
		{"a Request", {1, 7, 0, 6, 1, 'j'}, 6},
		{"a Success", {3, 7, 0, 6, 1, 'j'}, 6},
	};
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		begin(all);
		enum rg_turn turn = turn_octets(broken[i].octets, broken[i].length, "j");
		if (turn != RG_TURN_FAILURE || result.reason != RG_REASON_METHOD_REFUSED)
			fail_msg("%s", broken[i].what);
		expect_header(RG_EAP_CODE_FAILURE, broken[i].length > 1 ? 7 : 0, 4);
	}
	(void)state;
}

static void E1_wrong_id_is_discarded(void **state)
{
	(void)state;
	identify();
	assert_int_equal(turn_of(7, 13, "early"), RG_TURN_DISCARD);
	assert_int_equal(turn_of(9, 13, "late"), RG_TURN_DISCARD);
	assert_int_equal(turn_of(9, RG_EAP_NAK, "\x19"), RG_TURN_DISCARD);
	assert_int_equal(script.responses, 0);
	assert_int_equal(turn_of(8, 13, "good"), RG_TURN_REQUEST);
	assert_int_equal(script.input_length, 4);
	assert_memory_equal(script.input, "good", 4);
	expect_header(RG_EAP_CODE_REQUEST, 9, 8);
}

static void E1_wrong_method(void **state)
{
	(void)state;
	identify();
	expect_failure(turn_of(8, 25, "x"), RG_REASON_METHOD_REFUSED, 8);
}

static void E1_second_identity(void **state)
{
	(void)state;
	identify();
	expect_failure(turn_of(8, RG_EAP_IDENTITY, "jan@beuningen.nl"), RG_REASON_METHOD_REFUSED, 8);
}

static void ids_wrap(void **state)
{
	(void)state;
	assert_int_equal(turn_of(255, RG_EAP_IDENTITY, "jan@beuningen.nl"), RG_TURN_REQUEST);
	expect_header(RG_EAP_CODE_REQUEST, 0, 8);
	assert_int_equal(turn_of(0, 13, "x"), RG_TURN_REQUEST);
}

static void nak_goes_to_the_first_of_ours_that_is_wanted(void **state)
{
	(void)state;
	identify();
	assert_int_equal(turn_of(8, RG_EAP_NAK, "\x04\x15\x19"), RG_TURN_REQUEST);
	assert_ptr_equal(conversation.method, &peap);
	expect_header(RG_EAP_CODE_REQUEST, 9, 8);
	assert_int_equal(memory[4], 25);
	assert_int_equal(script.ended, 1);
	assert_int_equal(turn_of(9, 25, "x"), RG_TURN_REQUEST);
}

static void nak_to_none_refuses(void **state)
{
	static const char *const wanted[] = {"", "\x04", "\x0d" /* what was offered */};
	for (size_t i = 0; i < 3; i++) {
		conversation_end(&conversation);
		begin(all);
		identify();
		expect_failure(turn_of(8, RG_EAP_NAK, wanted[i]), RG_REASON_METHOD_REFUSED, 8);
	}
	(void)state;
}

static void nak_has_an_end(void **state)
{
	(void)state;
	identify();
	unsigned offers = 0;
	uint8_t id = 8;
	while (turn_of(id, RG_EAP_NAK, offers % 2 ? "\x0d" : "\x19") == RG_TURN_REQUEST) {
		id++;
		assert_true(++offers < 20);
	}
	expect_failure(RG_TURN_FAILURE, RG_REASON_METHOD_REFUSED, id);
}

static void E1_nak_in_the_middle(void **state)
{
	(void)state;
	identify();
	assert_int_equal(turn_of(8, 13, "x"), RG_TURN_REQUEST);
	expect_failure(turn_of(9, RG_EAP_NAK, "\x19"), RG_REASON_METHOD_REFUSED, 9);
}

static void realm_without_methods(void **state)
{
	(void)state;
	begin(none);
	expect_failure(turn_of(7, RG_EAP_IDENTITY, "jan@beuningen.nl"), RG_REASON_METHOD_REFUSED, 7);
}

static void method_fails_with_its_reason(void **state)
{
	(void)state;
	identify();
	script.respond = RG_EAP_FAILURE;
	script.reason = RG_REASON_CERTIFICATE_EXPIRED;
	script.detail = "ended yesterday";
	expect_failure(turn_of(8, 13, "x"), RG_REASON_CERTIFICATE_EXPIRED, 8);
	assert_string_equal(result.detail, "ended yesterday");
	assert_non_null(conversation_proof(&conversation));
}

static void a_claim_waits_for_its_answer(void **state)
{
	struct rg_answer answer = {.granted = true};
	(void)state;
	identify();
	assert_null(conversation_claim(&conversation));
	script.respond = RG_EAP_ASK;
	assert_int_equal(turn_of(8, 13, "password"), RG_TURN_ASK);
	assert_true(conversation_waits(&conversation));
	assert_non_null(conversation_claim(&conversation));
	assert_int_equal(turn_of(8, 13, "again"), RG_TURN_DISCARD); /* nothing is said meanwhile */
	assert_int_equal(script.responses, 1);
	script.answered = RG_EAP_SUCCESS;
	out = buffer_over(memory, sizeof(memory));
	assert_int_equal(conversation_answered(&conversation, &answer, 1200, &out, &result),
			 RG_TURN_SUCCESS);
	assert_true(script.was_granted);
	expect_header(RG_EAP_CODE_SUCCESS, 8, 4);
}

static void a_claim_that_is_refused(void **state)
{
	struct rg_answer answer = {.reason = RG_REASON_PASSWORD_WRONG, .detail = "uid=jan"};
	(void)state;
	identify();
	script.respond = RG_EAP_ASK;
	assert_int_equal(turn_of(8, 13, "password"), RG_TURN_ASK);
	/* The method has something to say first; the reason is settled for whenever it ends. */
	script.answered = RG_EAP_REQUEST;
	out = buffer_over(memory, sizeof(memory));
	assert_int_equal(conversation_answered(&conversation, &answer, 1200, &out, &result),
			 RG_TURN_REQUEST);
	assert_false(script.was_granted);
	assert_int_equal(conversation.pending, RG_REASON_PASSWORD_WRONG);
	script.respond = RG_EAP_FAILURE;
	expect_failure(turn_of(9, 13, "x"), RG_REASON_PASSWORD_WRONG, 9);
	assert_string_equal(result.detail, "uid=jan");
}

static void a_right_claim_mends_a_wrong_one(void **state)
{
	struct rg_answer answer = {.reason = RG_REASON_PASSWORD_WRONG};
	(void)state;
	identify();
	script.respond = RG_EAP_ASK;
	assert_int_equal(turn_of(8, 13, "wrong"), RG_TURN_ASK);
	script.answered = RG_EAP_REQUEST;
	out = buffer_over(memory, sizeof(memory));
	conversation_answered(&conversation, &answer, 1200, &out, &result);
	assert_int_equal(turn_of(9, 13, "right"), RG_TURN_ASK);
	answer = (struct rg_answer){.granted = true};
	out = buffer_over(memory, sizeof(memory));
	conversation_answered(&conversation, &answer, 1200, &out, &result);
	assert_int_equal(conversation.pending, RG_REASON_NONE);
}

static void inside_a_tunnel_the_identity_is_kept(void **state)
{
	const struct rg_eap_inner in = {.methods = all};
	const struct rg_eap_start start = {.fragment = 1000, .inner = &in};
	(void)state;
	conversation_begin_inner(&conversation, &start, "peap");
	assert_string_equal(conversation.start.within, "peap");
	assert_null(conversation.start.inner); /* no tunnel in a tunnel */
	identify(); /* whatever the User-Name is */
	assert_string_equal(conversation.start.identity, "jan@beuningen.nl");
	conversation_end(&conversation);
	conversation_begin_inner(&conversation, &start, "peap");
	expect_failure(turn_octets("\x02\x07\x00\x08\x01j\0n", 8, ""), RG_REASON_IDENTITY_MISMATCH, 7);
}

/* An alert is on its way: the reason was given a turn before the end. */
static void reason_that_was_settled_before_the_end(void **state)
{
	(void)state;
	identify();
	script.reason = RG_REASON_CERTIFICATE_REVOKED;
	assert_int_equal(turn_of(8, 13, "x"), RG_TURN_REQUEST);
	assert_int_equal(conversation.pending, RG_REASON_CERTIFICATE_REVOKED);
	script.reason = RG_REASON_NONE;
	script.respond = RG_EAP_FAILURE;
	expect_failure(turn_of(9, 13, "x"), RG_REASON_CERTIFICATE_REVOKED, 9);
}

static void method_discards(void **state)
{
	(void)state;
	identify();
	script.respond = RG_EAP_DISCARD;
	assert_int_equal(turn_of(8, 13, "x"), RG_TURN_DISCARD);
	script.respond = RG_EAP_REQUEST;
	assert_int_equal(turn_of(8, 13, "x"), RG_TURN_REQUEST);
}

static void method_that_overruns_or_cannot_start(void **state)
{
	(void)state;
	script.writes = 5000;
	expect_failure(turn_of(7, RG_EAP_IDENTITY, "jan@beuningen.nl"), RG_REASON_INTERNAL, 7);
	conversation_end(&conversation);
	begin(all);
	script.cannot_start = true;
	expect_failure(turn_of(7, RG_EAP_IDENTITY, "jan@beuningen.nl"), RG_REASON_INTERNAL, 7);
}

static void prove(void)
{
	identify();
	script.respond = RG_EAP_PROVEN;
	assert_int_equal(turn_of(8, 13, "x"), RG_TURN_PROVEN);
	assert_int_equal(out.length, 0);
	assert_string_equal(conversation_proof(&conversation)->identity, "jan@beuningen.nl");
}

static void proven_waits_for_the_host(void **state)
{
	(void)state;
	prove();
	assert_int_equal(turn_of(8, 13, "again"), RG_TURN_DISCARD);
	assert_true(conversation_answered_by(&conversation, span_of("\x02\x08\x00\x05\x0d", 5)));
	assert_false(conversation_answered_by(&conversation, span_of("\x02\x09\x00\x05\x0d", 5)));
	assert_false(conversation_answered_by(&conversation, span_of("\x02\x08\x00\x06\x0d", 5)));
	out = buffer_over(memory, sizeof(memory));
	assert_int_equal(conversation_granted(&conversation, 1200, &out, &result), RG_TURN_SUCCESS);
	expect_header(RG_EAP_CODE_SUCCESS, 8, 4);
	assert_int_equal(turn_of(8, 13, "again"), RG_TURN_DISCARD);
}

/* Found by tests/fuzz/conversation: such a packet ended what the host was deciding about, and was answered once more
 * after the end. */
static void E1_a_broken_packet_while_the_host_decides_is_discarded(void **state)
{
	(void)state;
	prove();
	assert_int_equal(turn_octets("\x02\x08\x00", 3, "Jan@beuningen.nl"), RG_TURN_DISCARD);
	assert_int_equal(out.length, 0);
	assert_int_equal(conversation_granted(&conversation, 1200, &out, &result), RG_TURN_SUCCESS);
	assert_int_equal(turn_octets("\x02\x08\x00", 3, "Jan@beuningen.nl"), RG_TURN_DISCARD);
	assert_int_equal(out.length, 0);
}

/* TLS 1.3: the host agrees, and one more round trip says so under protection. */
static void granted_with_another_round(void **state)
{
	(void)state;
	prove();
	script.granted = RG_EAP_REQUEST;
	script.respond = RG_EAP_SUCCESS;
	out = buffer_over(memory, sizeof(memory));
	assert_int_equal(conversation_granted(&conversation, 1200, &out, &result), RG_TURN_REQUEST);
	expect_header(RG_EAP_CODE_REQUEST, 9, 8);
	assert_int_equal(turn_of(9, 13, "ok"), RG_TURN_SUCCESS);
	expect_header(RG_EAP_CODE_SUCCESS, 9, 4);
}

static void refused_by_the_host(void **state)
{
	(void)state;
	prove();
	out = buffer_over(memory, sizeof(memory));
	conversation_refused(&conversation, &out);
	expect_header(RG_EAP_CODE_FAILURE, 8, 4);
	assert_int_equal(turn_of(8, 13, "again"), RG_TURN_DISCARD);
}

static void invitation_asks_for_the_identity(void **state)
{
	(void)state;
	out = buffer_over(memory, sizeof(memory));
	conversation_invite(&conversation, &out);
	expect_header(RG_EAP_CODE_REQUEST, 0, 5);
	assert_int_equal(memory[4], RG_EAP_IDENTITY);
	identify();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(identity_begins_the_first_method),
		TEST(E7_identity_differs_from_user_name),
		TEST(E1_begins_without_identity),
		TEST(E1_broken_lengths),
		TEST(E1_wrong_id_is_discarded),
		TEST(E1_wrong_method),
		TEST(E1_second_identity),
		TEST(ids_wrap),
		TEST(nak_goes_to_the_first_of_ours_that_is_wanted),
		TEST(nak_to_none_refuses),
		TEST(nak_has_an_end),
		TEST(E1_nak_in_the_middle),
		TEST(realm_without_methods),
		TEST(method_fails_with_its_reason),
		TEST(reason_that_was_settled_before_the_end),
		TEST(a_claim_waits_for_its_answer),
		TEST(a_claim_that_is_refused),
		TEST(a_right_claim_mends_a_wrong_one),
		TEST(inside_a_tunnel_the_identity_is_kept),
		TEST(method_discards),
		TEST(method_that_overruns_or_cannot_start),
		TEST(proven_waits_for_the_host),
		TEST(E1_a_broken_packet_while_the_host_decides_is_discarded),
		TEST(granted_with_another_round),
		TEST(refused_by_the_host),
		TEST(invitation_asks_for_the_identity),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

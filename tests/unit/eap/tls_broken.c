/* What a hostile or broken supplicant may send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "laptop.h"
#include "roamgate/tls.h"

static struct town town;
static struct pki staff;
static struct rg_tls_context *context;

static int set_up(void **state)
{
	(void)state;
	tls_engine_open();
	town_make(&town, 0);
	staff = pki_make(
		&(struct pki_want){.cn = "anna", .issuer = &town.ca, .usage = "clientAuth"});
	context = town_context(&town);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tls_context_unref(&context);
	pki_free(&staff);
	town_free(&town);
	tls_engine_close();
	return 0;
}

/* One conversation, by hand. */
struct hand {
	void *method;
	struct rg_eap_step step;
	struct rg_buffer output;
	uint8_t octets[2048];
};

static const struct rg_eap_method *eap(void)
{
	return roamgate_module.ops.eap;
}

static void hand_start(struct hand *hand)
{
	struct rg_eap_start start = {
		.tls = context, .fragment = 1024, .realm = "beuningen.nl"};
	hand->output = buffer_over(hand->octets, sizeof(hand->octets));
	hand->step = (struct rg_eap_step){.output = &hand->output, .room = 1400};
	hand->method = eap()->start(&start);
	assert_non_null(hand->method);
	assert_int_equal(eap()->begin(hand->method, &hand->step), RG_EAP_REQUEST);
	assert_int_equal(hand->output.length, 1);
	assert_int_equal(hand->octets[0], 0x20);
}

static enum rg_eap_verdict hand_say(struct hand *hand, const void *data, size_t length)
{
	/* Exactly as much memory as there are octets: a sanitizer sees what is read beyond. */
	uint8_t *copy = malloc(length ? length : 1);
	if (length)
		memcpy(copy, data, length);
	hand->output.length = 0;
	hand->step.input = span_of(copy, length);
	enum rg_eap_verdict verdict = eap()->respond(hand->method, &hand->step);
	free(copy);
	return verdict;
}

static void hand_end(struct hand *hand)
{
	struct rg_eap_keys keys;
	assert_false(eap()->keys(hand->method, &keys));
	eap()->end(&hand->method);
}

static void refused(const void *data, size_t length, const char *detail)
{
	struct hand hand;
	hand_start(&hand);
	assert_int_equal(hand_say(&hand, data, length), RG_EAP_FAILURE);
	assert_int_equal(hand.step.reason, RG_REASON_METHOD_REFUSED);
	if (!strstr(hand.step.detail, detail))
		print_message("%s\n", hand.step.detail);
	assert_non_null(strstr(hand.step.detail, detail));
	/* It stays so. */
	assert_int_equal(hand_say(&hand, "\0", 1), RG_EAP_FAILURE);
	hand_end(&hand);
}

#define REFUSED(octets, detail) refused(octets, sizeof(octets) - 1, detail)

static void test_E1_no_type_data(void **state)
{
	(void)state;
	REFUSED("", "truncated");
}

static void test_E1_unexpected_acknowledgement(void **state)
{
	(void)state;
	REFUSED("\x00", "acknowledgement of nothing");
	REFUSED("\x80\0\0\0\0", "acknowledgement of nothing");
}

static void test_E1_start_from_the_peer(void **state)
{
	(void)state;
	REFUSED("\x20", "Start");
	REFUSED("\xa0\0\0\0\x01\x16", "Start");
}

static void test_E1_truncated_length(void **state)
{
	(void)state;
	REFUSED("\x80\0\0", "truncated");
	REFUSED("\xc0", "truncated");
}

static void test_E2_fragment_without_total(void **state)
{
	(void)state;
	REFUSED("\x40\x16\x03\x01", "without length");
}

static void test_E2_total_over_64_kib(void **state)
{
	(void)state;
	REFUSED("\xc0\0\x01\0\x01\x16", "64 KiB");
	REFUSED("\xc0\xff\xff\xff\xff\x16", "64 KiB");
	REFUSED("\x80\xff\xff\xff\xff\x16", "64 KiB");
}

static void test_E2_total_tiny_with_more(void **state)
{
	(void)state;
	REFUSED("\xc0\0\0\0\x02\x16\x03", "more fragments than announced");
	REFUSED("\xc0\0\0\0\x01\x16\x03", "more data than announced");
	REFUSED("\xc0\0\0\0\0\x16\x03", "more data than announced");
	REFUSED("\xc0\0\0\0\0", "empty fragment");
}

static void test_E2_less_than_announced(void **state)
{
	(void)state;
	REFUSED("\x80\0\0\0\x09\x16\x03", "less data");
}

static void test_E2_more_than_announced(void **state)
{
	(void)state;
	struct hand hand;
	hand_start(&hand);
	assert_int_equal(hand_say(&hand, "\xc0\0\0\0\x04\x16\x03\x01", 8), RG_EAP_REQUEST);
	assert_int_equal(hand.output.length, 1);
	assert_int_equal(hand.octets[0], 0);
	assert_int_equal(hand_say(&hand, "\x00\x16\x03\x01", 4), RG_EAP_FAILURE);
	assert_non_null(strstr(hand.step.detail, "more data"));
	hand_end(&hand);
}

static void test_E2_announced_length_changes(void **state)
{
	(void)state;
	struct hand hand;
	hand_start(&hand);
	assert_int_equal(hand_say(&hand, "\xc0\0\0\0\x09\x16\x03\x01", 8), RG_EAP_REQUEST);
	assert_int_equal(hand_say(&hand, "\xc0\0\0\0\x0a\x16\x03\x01", 8), RG_EAP_FAILURE);
	assert_non_null(strstr(hand.step.detail, "changed"));
	hand_end(&hand);
}

static void test_E2_endless_empty_fragments(void **state)
{
	(void)state;
	struct hand hand;
	hand_start(&hand);
	assert_int_equal(hand_say(&hand, "\xc0\0\0\0\x09\x16\x03\x01", 8), RG_EAP_REQUEST);
	assert_int_equal(hand_say(&hand, "\x40", 1), RG_EAP_FAILURE);
	assert_non_null(strstr(hand.step.detail, "empty fragment"));
	hand_end(&hand);
}

static void test_E2_endless_small_fragments(void **state)
{
	(void)state;
	struct hand hand;
	hand_start(&hand);
	unsigned rounds = 1;
	assert_int_equal(hand_say(&hand, "\xc0\0\x01\0\0\x16", 6), RG_EAP_REQUEST);
	while (hand_say(&hand, "\x40\x16", 2) == RG_EAP_REQUEST)
		rounds++;
	assert_int_equal(rounds, 100);
	assert_non_null(strstr(hand.step.detail, "too many packets"));
	hand_end(&hand);
}

static void test_E1_garbage_in_place_of_tls(void **state)
{
	(void)state;
	struct hand hand;
	hand_start(&hand);
	/* OpenSSL answers with an alert; the end follows the next Response. */
	enum rg_eap_verdict verdict = hand_say(&hand, "\x00GET / HTTP/1.0\r\n\r\n", 19);
	if (verdict == RG_EAP_REQUEST) {
		assert_int_equal(hand.step.reason, RG_REASON_METHOD_REFUSED);
		verdict = hand_say(&hand, "\0", 1);
	}
	assert_int_equal(verdict, RG_EAP_FAILURE);
	assert_int_equal(hand.step.reason, RG_REASON_METHOD_REFUSED);
	hand_end(&hand);
}

static size_t client_hello(uint8_t *out, size_t capacity, size_t *length)
{
	struct laptop laptop;
	uint8_t octets[4096];
	struct rg_buffer response = buffer_over(octets, sizeof(octets));
	laptop_make(&laptop, &(struct laptop_settings){.identity = &staff, .fragment = 4000});
	laptop_answer(&laptop, span_of("\x20", 1), &response);
	laptop_free(&laptop);
	assert_true(response.length <= capacity);
	memcpy(out, octets, response.length);
	*length = response.length;
	return response.length;
}

static void test_E1_half_a_client_hello(void **state)
{
	(void)state;
	uint8_t hello[2048];
	size_t length;
	client_hello(hello, sizeof(hello), &length);
	refused(hello, length - 10, "ends too early");
}

static void test_E1_data_in_place_of_an_acknowledgement(void **state)
{
	(void)state;
	uint8_t hello[2048];
	size_t length;
	struct hand hand;
	client_hello(hello, sizeof(hello), &length);
	hand_start(&hand);
	hand.step.room = 100; /* the ServerHello needs many pieces */
	assert_int_equal(hand_say(&hand, hello, length), RG_EAP_REQUEST);
	assert_int_equal(hand.octets[0], 0xc0);
	assert_int_equal(hand_say(&hand, "\0", 1), RG_EAP_REQUEST);
	assert_int_equal(hand.octets[0], 0x40); /* the length is in the first piece only */
	assert_int_equal(hand_say(&hand, hello, length), RG_EAP_FAILURE);
	assert_non_null(strstr(hand.step.detail, "in place of an acknowledgement"));
	hand_end(&hand);
}

/* A ClientHello in records of one octet each. */
static void test_E8_300_small_records(void **state)
{
	(void)state;
	uint8_t hello[2048], crumbs[16384];
	size_t length;
	client_hello(hello, sizeof(hello), &length);
	struct rg_buffer out = buffer_over(crumbs, sizeof(crumbs));
	buffer_u8(&out, 0);
	for (size_t i = 1 + 5; i < length; i++) {
		buffer_u8(&out, 0x16);
		buffer_u16(&out, 0x0301);
		buffer_u16(&out, 1);
		buffer_u8(&out, hello[i]);
	}
	assert_false(out.failed);
	assert_true(length - 6 > 200);
	refused(crumbs, out.length, "too many TLS records");
}

/* Signs in by hand up to PROVEN, then plays what must not be. */
static void prove(struct hand *hand, struct laptop *laptop, int version)
{
	static uint8_t octets[4096];
	struct rg_buffer response = buffer_over(octets, sizeof(octets));
	laptop_make(laptop, &(struct laptop_settings){.identity = &staff, .version = version});
	hand_start(hand);
	for (;;) {
		response.length = 0;
		laptop_answer(laptop, buffer_span(&hand->output), &response);
		enum rg_eap_verdict verdict = hand_say(hand, octets, response.length);
		if (verdict == RG_EAP_PROVEN)
			return;
		assert_int_equal(verdict, RG_EAP_REQUEST);
	}
}

static void test_E6_a_response_before_the_host_agreed(void **state)
{
	(void)state;
	struct hand hand;
	struct laptop laptop;
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		prove(&hand, &laptop, version);
		assert_int_equal(hand_say(&hand, "\0", 1), RG_EAP_FAILURE);
		laptop_free(&laptop);
		eap()->end(&hand.method);
	}
}

static void test_E6_granted_before_it_was_proven(void **state)
{
	(void)state;
	struct hand hand;
	hand_start(&hand);
	hand.output.length = 0;
	assert_int_equal(eap()->granted(hand.method, &hand.step), RG_EAP_FAILURE);
	hand_end(&hand);
}

/* Each step of a tunnel out of its turn: nothing is opened, said or made of it, and it is over. */
static void test_E6_a_tunnel_is_not_used_before_its_handshake(void **state)
{
	static const struct rg_tls_kind kind = {.type = 21, .label = "ttls", .key_label = "x"};
	struct rg_eap_start start = {.tls = context, .fragment = 1024};
	uint8_t octets[2048];
	struct rg_buffer output = buffer_over(octets, sizeof(octets)), clear = output;
	struct rg_eap_step step = {.output = &output, .room = 1400};
	struct rg_eap_keys keys;
	(void)state;
	for (unsigned what = 0; what < 3; what++) {
		struct rg_tls *tls = tls_start(&start, &kind);
		assert_non_null(tls);
		step.reason = RG_REASON_NONE;
		if (what == 0)
			assert_false(tls_open(tls, &step));
		else if (what == 1)
			assert_int_equal(tls_send(tls, &step), RG_TLS_REFUSED);
		else
			assert_false(tls_close(tls, &step));
		assert_int_equal(step.reason, RG_REASON_INTERNAL);
		assert_false(tls_write(tls, span_text("too early")));
		assert_false(tls_read(tls, &clear));
		assert_false(tls_material(tls, octets));
		assert_false(tls_keys(tls, &keys));
		tls_end(&tls);
	}
}

/* The way to the supplicant carries nothing. */
static void test_E2_no_room_for_the_last_flight(void **state)
{
	(void)state;
	struct hand hand;
	struct laptop laptop;
	prove(&hand, &laptop, TLS1_3_VERSION);
	hand.output.length = 0;
	hand.step.room = 1;
	assert_int_equal(eap()->granted(hand.method, &hand.step), RG_EAP_FAILURE);
	assert_int_equal(hand.step.reason, RG_REASON_INTERNAL);
	laptop_free(&laptop);
	eap()->end(&hand.method);
}

/* Anything but an empty Response to the last flight: renegotiation, data, an alert. */
static void test_E8_renegotiation_and_data_behind_the_end(void **state)
{
	(void)state;
	struct hand hand;
	struct laptop laptop;
	uint8_t hello[2048];
	size_t length;
	client_hello(hello, sizeof(hello), &length);
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		prove(&hand, &laptop, version);
		hand.output.length = 0;
		assert_int_equal(eap()->granted(hand.method, &hand.step), RG_EAP_REQUEST);
		assert_int_equal(hand_say(&hand, hello, length), RG_EAP_FAILURE);
		assert_non_null(strstr(hand.step.detail, "in place of an acknowledgement"));
		laptop_free(&laptop);
		eap()->end(&hand.method);
	}
}

/* Application data on the heels of the supplicant's Finished. */
static void test_E8_data_behind_the_handshake(void **state)
{
	(void)state;
	struct hand hand;
	struct laptop laptop;
	uint8_t octets[8192];
	struct rg_buffer response = buffer_over(octets, sizeof(octets));
	laptop_make(&laptop, &(struct laptop_settings){.identity = &staff,
						       .version = TLS1_3_VERSION,
						       .fragment = 8000});
	hand_start(&hand);
	enum rg_eap_verdict verdict = RG_EAP_REQUEST;
	while (verdict == RG_EAP_REQUEST) {
		response.length = 0;
		laptop_answer(&laptop, buffer_span(&hand.output), &response);
		if (SSL_is_init_finished(laptop.ssl)) {
			SSL_write(laptop.ssl, "data", 4);
			uint8_t *more = buffer_room(&response, BIO_ctrl_pending(laptop.out));
			assert_non_null(more);
			BIO_read(laptop.out, more, (int)BIO_ctrl_pending(laptop.out));
		}
		verdict = hand_say(&hand, octets, response.length);
	}
	assert_int_equal(verdict, RG_EAP_FAILURE);
	assert_non_null(strstr(hand.step.detail, "behind the handshake"));
	laptop_free(&laptop);
	eap()->end(&hand.method);
}

static void want_early_data(SSL *ssl)
{
	SSL_SESSION_set_max_early_data(SSL_get0_session(ssl), 1000);
	size_t written;
	SSL_write_early_data(ssl, "early", 5, &written);
}

static void test_E8_early_data(void **state)
{
	(void)state;
	struct laptop_settings settings = {.identity = &staff, .version = TLS1_3_VERSION};
	struct result full = sign_in(context, &settings, NULL);
	assert_int_equal(full.verdict, RG_EAP_SUCCESS);
	assert_int_equal(SSL_SESSION_get_max_early_data(full.session), 0);
	settings.session = full.session;
	settings.tweak = want_early_data;
	struct result again = sign_in(context, &settings, NULL);
	assert_int_equal(again.verdict, RG_EAP_FAILURE);
	assert_false(again.granted);
	result_free(&again);
	result_free(&full);
}

/* Octets of a good conversation, one changed at a time: whatever happens, nobody is proven who is
 * not, and nothing is read or written out of bounds. */
static void test_E1_one_octet_changed(void **state)
{
	(void)state;
	uint8_t hello[2048];
	size_t length;
	client_hello(hello, sizeof(hello), &length);
	for (size_t i = 0; i < length; i++) {
		struct hand hand;
		hand_start(&hand);
		hello[i] ^= 0x41;
		enum rg_eap_verdict verdict = hand_say(&hand, hello, length);
		assert_true(verdict == RG_EAP_REQUEST || verdict == RG_EAP_FAILURE);
		hello[i] ^= 0x41;
		hand_end(&hand);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_E1_no_type_data),
		cmocka_unit_test(test_E1_unexpected_acknowledgement),
		cmocka_unit_test(test_E1_start_from_the_peer),
		cmocka_unit_test(test_E1_truncated_length),
		cmocka_unit_test(test_E2_fragment_without_total),
		cmocka_unit_test(test_E2_total_over_64_kib),
		cmocka_unit_test(test_E2_total_tiny_with_more),
		cmocka_unit_test(test_E2_less_than_announced),
		cmocka_unit_test(test_E2_more_than_announced),
		cmocka_unit_test(test_E2_announced_length_changes),
		cmocka_unit_test(test_E2_endless_empty_fragments),
		cmocka_unit_test(test_E2_endless_small_fragments),
		cmocka_unit_test(test_E1_garbage_in_place_of_tls),
		cmocka_unit_test(test_E1_half_a_client_hello),
		cmocka_unit_test(test_E1_data_in_place_of_an_acknowledgement),
		cmocka_unit_test(test_E8_300_small_records),
		cmocka_unit_test(test_E6_a_response_before_the_host_agreed),
		cmocka_unit_test(test_E6_granted_before_it_was_proven),
		cmocka_unit_test(test_E6_a_tunnel_is_not_used_before_its_handshake),
		cmocka_unit_test(test_E2_no_room_for_the_last_flight),
		cmocka_unit_test(test_E8_renegotiation_and_data_behind_the_end),
		cmocka_unit_test(test_E8_data_behind_the_handshake),
		cmocka_unit_test(test_E8_early_data),
		cmocka_unit_test(test_E1_one_octet_changed),
	};
	return cmocka_run_group_tests_name("eap/tls_broken", tests, set_up, tear_down);
}

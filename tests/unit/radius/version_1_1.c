/* RADIUS/1.1 (RFC 9765): a Token, and nothing of MD5. */
#include "radius/key.h"
#include "radius/writer.h"
#include "support.h"

static const struct rg_radius_key *key;

static int setup(void **state)
{
	(void)state;
	key = radius_key_1_1();
	return 0;
}

static struct rg_packet view(struct rg_span span)
{
	struct rg_packet packet;
	assert_int_equal(packet_view_version(&packet, span, RG_RADIUS_1_1), RG_PACKET_OK);
	assert_int_equal(packet.version, RG_RADIUS_1_1);
	assert_int_equal(packet.length, span.length);
	return packet;
}

static void header_is_that_of_rfc9765(void **state)
{
	static const char expected[] = "01 00 00 1b fe dc ba 98 00 00 00 00 00 00 00 00 00 00 00 00"
				       "01 07 6a 40 62 2e 63";
	uint8_t memory[128], octet[64];
	struct rg_writer writer;
	(void)state;
	memset(memory, 0xff, sizeof(memory));
	writer_begin(&writer, memory, sizeof(memory), RG_ACCESS_REQUEST, 0xfedcba98, key);
	writer_add(&writer, RG_USER_NAME, span_text("j@b.c"));
	struct rg_span sent = writer_request(&writer, (const uint8_t *)"nobody looks it up");
	assert_int_equal(sent.length, octets(octet, expected));
	assert_memory_equal(sent.data, octet, sent.length);
	struct rg_packet packet = view(sent);
	assert_int_equal(packet.token, 0xfedcba98);
}

/* RFC 9765 §4.1: "MUST be ignored". */
static void what_is_reserved_is_not_looked_at(void **state)
{
	uint8_t data[64];
	(void)state;
	struct rg_packet packet = view(span_of(
		data, octets(data, "02 4d 00 14 00 00 01 00 01 02 03 04 05 06 07 08 09 0a 0b 0c")));
	assert_int_equal(packet.token, 256);
	assert_int_equal(reply_verify(&packet, (const uint8_t *)"whatever it was.", key),
			 RG_AUTHENTIC);
}

static void token_of_1_0_is_the_identifier(void **state)
{
	uint8_t data[64], memory[64];
	struct rg_packet packet;
	struct rg_writer writer;
	struct rg_radius_key *secret = radius_key_new(span_text("a secret of nineteen"));
	(void)state;
	size_t length = octets(data, "02 4d 00 14 00 00 01 00 01 02 03 04 05 06 07 08 09 0a 0b 0c");
	assert_int_equal(packet_view(&packet, span_of(data, length)), RG_PACKET_OK);
	assert_int_equal(packet.token, 0x4d);
	assert_int_equal(packet.version, RG_RADIUS_1_0);
	writer_begin(&writer, memory, sizeof(memory), RG_ACCESS_REQUEST, 256, secret);
	assert_null(writer_request(&writer, data).data);
	radius_key_free(&secret);
}

static void B2_no_message_authenticator_is_written(void **state)
{
	static const uint8_t codes[] = {
		RG_ACCESS_REQUEST, RG_STATUS_SERVER,    RG_ACCOUNTING_REQUEST, RG_ACCESS_ACCEPT,
		RG_ACCESS_REJECT,  RG_ACCESS_CHALLENGE, RG_ACCOUNTING_RESPONSE};
	uint8_t memory[128];
	struct rg_writer writer;
	(void)state;
	for (size_t i = 0; i < sizeof(codes); i++) {
		bool asks = i < 3;
		writer_begin(&writer, memory, sizeof(memory), codes[i], 7, key);
		writer_add_message_authenticator(&writer);
		writer_add_eap(&writer, span_text("\1\2\0\4"));
		struct rg_packet packet =
			view(asks ? writer_request(&writer, NULL) : writer_reply(&writer, NULL));
		assert_int_equal(packet.token, 7);
		assert_int_equal(packet_count(&packet, RG_MESSAGE_AUTHENTICATOR), 0);
		assert_int_equal(request_verify(&packet, key), asks ? RG_AUTHENTIC : RG_FORGED);
		assert_int_equal(reply_verify(&packet, NULL, key), asks ? RG_FORGED : RG_AUTHENTIC);
	}
}

/* RFC 9765 §5.2: ignored, whatever it is and however often. */
static void message_authenticator_means_nothing(void **state)
{
	uint8_t data[64];
	struct rg_packet packet;
	(void)state;
	size_t length = octets(data, "01 00 00 1d 00 00 00 01 00 00 00 00 00 00 00 00 00 00 00 00"
				     "50 03 00 50 03 01 4f 03 01");
	assert_int_equal(packet_view(&packet, span_of(data, length)),
			 RG_PACKET_MESSAGE_AUTHENTICATOR);
	packet = view(span_of(data, length));
	assert_int_equal(request_verify(&packet, key), RG_AUTHENTIC);
}

static void W1_frame_is_checked_as_in_1_0(void **state)
{
	static const struct {
		const char *hex;
		enum rg_packet_fault fault;
	} cases[] = {
		{"01 00 00 14 00 00 00 01", RG_PACKET_SHORT},
		{"01 00 00 13 00 00 00 01 00 00 00 00 00 00 00 00 00 00 00 00", RG_PACKET_LENGTH},
		{"01 00 00 15 00 00 00 01 00 00 00 00 00 00 00 00 00 00 00 00", RG_PACKET_LENGTH},
		{"07 00 00 14 00 00 00 01 00 00 00 00 00 00 00 00 00 00 00 00", RG_PACKET_CODE},
		{"01 00 00 16 00 00 00 01 00 00 00 00 00 00 00 00 00 00 00 00 01 01",
		 RG_PACKET_ATTRIBUTE_LENGTH},
		{"01 00 00 1a 00 00 00 01 00 00 00 00 00 00 00 00 00 00 00 00 4f 03 01 02 03 61",
		 RG_PACKET_EAP_WITH_PASSWORD},
	};
	uint8_t data[64];
	struct rg_packet packet;
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t length = octets(data, cases[i].hex);
		assert_int_equal(packet_view_version(&packet, span_of(data, length), RG_RADIUS_1_1),
				 cases[i].fault);
	}
}

static void protocol_error_is_of_1_1_alone(void **state)
{
	uint8_t data[64];
	struct rg_packet packet;
	(void)state;
	size_t length = octets(data, "34 00 00 1a 00 00 00 09 00 00 00 00 00 00 00 00 00 00 00 00"
				     "65 06 00 00 01 f6");
	assert_int_equal(packet_view(&packet, span_of(data, length)), RG_PACKET_CODE);
	packet = view(span_of(data, length));
	assert_int_equal(reply_verify(&packet, NULL, key), RG_AUTHENTIC);
}

static void password_travels_in_clear(void **state)
{
	static const uint8_t authenticator[16] = "fifteen letters";
	uint8_t out[128], longest[129];
	(void)state;
	memset(longest, 'x', sizeof(longest));
	assert_int_equal(password_hide(out, span_text("geheim"), authenticator, key), 6);
	assert_memory_equal(out, "geheim", 6);
	assert_int_equal(password_reveal(out, span_text("wachtwoord van meer dan zestien"),
					 authenticator, key),
			 31);
	assert_memory_equal(out, "wachtwoord van meer dan zestien", 31);
	assert_int_equal(password_hide(out, span_of(longest, 128), authenticator, key), 128);
	assert_int_equal(password_reveal(out, span_of(longest, 128), authenticator, key), 128);
	assert_int_equal(password_hide(out, span_of(longest, 129), authenticator, key), -1);
	assert_int_equal(password_reveal(out, span_of(longest, 129), authenticator, key), -1);
	assert_int_equal(password_reveal(out, span_of(longest, 0), authenticator, key), -1);
	assert_int_equal(password_hide(out, span_of(longest, 0), authenticator, key), 1);
	assert_int_equal(out[0], 0);
}

static void mppe_keys_travel_in_clear(void **state)
{
	uint8_t msk[64], memory[256], clear[256];
	struct rg_writer writer;
	(void)state;
	for (size_t i = 0; i < sizeof(msk); i++)
		msk[i] = (uint8_t)(i * 3);
	writer_begin(&writer, memory, sizeof(memory), RG_ACCESS_ACCEPT, 1, key);
	writer_add_mppe(&writer, msk, NULL);
	struct rg_packet packet = view(writer_reply(&writer, NULL));
	struct rg_span receive = packet_find_vendor(&packet, RG_VENDOR_MICROSOFT, 17),
		       send = packet_find_vendor(&packet, RG_VENDOR_MICROSOFT, 16);
	assert_true(span_equal(receive, span_of(msk, 32)));
	assert_true(span_equal(send, span_of(msk + 32, 32)));
	assert_int_equal(mppe_reveal(clear, send, NULL, key), 32);
	assert_memory_equal(clear, msk + 32, 32);
	assert_int_equal(mppe_reveal(clear, span_of(memory, 65), NULL, key), -1);
	assert_int_equal(mppe_reveal(clear, span_of(memory, 0), NULL, key), -1);
	assert_int_equal(mppe_hide(clear, 31, span_of(msk, 32), 0, NULL, key), -1);
}

/* Found by the fuzzer of tests/fuzz/relay.c: a peer's empty key went on to a client that could not read it. */
static void an_empty_mppe_key_does_not_travel(void **state)
{
	uint8_t memory[256];
	struct rg_writer writer;
	(void)state;
	assert_int_equal(mppe_hide(memory, sizeof(memory), span_of(NULL, 0), 0, NULL, key), -1);
	writer_begin(&writer, memory, sizeof(memory), RG_ACCESS_ACCEPT, 1, key);
	writer_add_mppe_key(&writer, 16, span_of(NULL, 0), 0, NULL);
	assert_int_equal(writer_reply(&writer, NULL).length, 0);
}

static void a_copy_of_the_key_is_one(void **state)
{
	struct rg_radius_key *copy = radius_key_copy(key), *secret = radius_key_new(span_text("s"));
	(void)state;
	assert_int_equal(radius_key_version(key), RG_RADIUS_1_1);
	assert_int_equal(radius_key_version(copy), RG_RADIUS_1_1);
	assert_int_equal(radius_key_version(secret), RG_RADIUS_1_0);
	radius_key_free(&copy);
	radius_key_free(&secret);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_is_that_of_rfc9765),
		cmocka_unit_test(what_is_reserved_is_not_looked_at),
		cmocka_unit_test(token_of_1_0_is_the_identifier),
		cmocka_unit_test(B2_no_message_authenticator_is_written),
		cmocka_unit_test(message_authenticator_means_nothing),
		cmocka_unit_test(W1_frame_is_checked_as_in_1_0),
		cmocka_unit_test(protocol_error_is_of_1_1_alone),
		cmocka_unit_test(password_travels_in_clear),
		cmocka_unit_test(mppe_keys_travel_in_clear),
		cmocka_unit_test(an_empty_mppe_key_does_not_travel),
		cmocka_unit_test(a_copy_of_the_key_is_one),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}

#include "radius/writer.h"

#include "support.h"

static const uint8_t authenticator[16] = "fifteen letters";
static struct rg_radius_key *key;

static int setup(void **state)
{
	(void)state;
	key = radius_key_new(span_text("a secret of nineteen"));
	return key ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	radius_key_free(&key);
	return 0;
}

static struct rg_packet view(struct rg_span span)
{
	struct rg_packet packet;
	assert_int_equal(packet_view(&packet, span), RG_PACKET_OK);
	assert_int_equal(packet.length, span.length);
	return packet;
}

static void B2_message_authenticator_stands_at_byte_20(void **state)
{
	static const uint8_t replies[] = {RG_ACCESS_ACCEPT, RG_ACCESS_REJECT, RG_ACCESS_CHALLENGE};
	static const uint8_t requests[] = {RG_ACCESS_REQUEST, RG_STATUS_SERVER};
	uint8_t memory[128];
	struct rg_writer writer;
	(void)state;
	for (size_t i = 0; i < sizeof(replies); i++) {
		writer_begin(&writer, memory, sizeof(memory), replies[i], 3, key);
		writer_add(&writer, RG_PROXY_STATE, span_text("a"));
		struct rg_packet packet = view(writer_reply(&writer, authenticator));
		assert_int_equal(packet.first[RG_MESSAGE_AUTHENTICATOR], 20);
		assert_int_equal(reply_verify(&packet, authenticator, key), RG_AUTHENTIC);
	}
	for (size_t i = 0; i < sizeof(requests); i++) {
		writer_begin(&writer, memory, sizeof(memory), requests[i], 3, key);
		writer_add(&writer, RG_PROXY_STATE, span_text("a"));
		struct rg_packet packet = view(writer_request(&writer, authenticator));
		assert_int_equal(packet.first[RG_MESSAGE_AUTHENTICATOR], 20);
		assert_int_equal(request_verify(&packet, key), RG_AUTHENTIC);
		assert_memory_equal(packet_authenticator(&packet), authenticator, 16);
	}
}

static void B2_answer_to_status_server_on_an_accounting_port(void **state)
{
	uint8_t memory[128];
	struct rg_writer writer;
	(void)state;
	writer_begin(&writer, memory, sizeof(memory), RG_ACCOUNTING_RESPONSE, 3, key);
	writer_add_message_authenticator(&writer);
	writer_add_message_authenticator(&writer); /* there already */
	struct rg_packet packet = view(writer_reply(&writer, authenticator));
	assert_int_equal(packet.first[RG_MESSAGE_AUTHENTICATOR], 20);
	assert_int_equal(reply_verify(&packet, authenticator, key), RG_AUTHENTIC);

	writer_begin(&writer, memory, sizeof(memory), RG_ACCOUNTING_RESPONSE, 3, key);
	writer_add(&writer, RG_PROXY_STATE, span_text("a"));
	writer_add_message_authenticator(&writer); /* too late to be the first */
	assert_null(writer_reply(&writer, authenticator).data);
}

static void accounting_needs_no_message_authenticator(void **state)
{
	uint8_t memory[128];
	struct rg_writer writer;
	(void)state;
	writer_begin(&writer, memory, sizeof(memory), RG_ACCOUNTING_REQUEST, 3, key);
	struct rg_packet packet = view(writer_request(&writer, NULL));
	assert_int_equal(packet.attributes, 0);
	assert_int_equal(request_verify(&packet, key), RG_AUTHENTIC_ABSENT);
	writer_begin(&writer, memory, sizeof(memory), RG_ACCOUNTING_RESPONSE, 3, key);
	packet = view(writer_reply(&writer, authenticator));
	assert_int_equal(packet.attributes, 0);
	assert_int_equal(reply_verify(&packet, authenticator, key), RG_AUTHENTIC_ABSENT);
}

static void attributes_are_read_as_they_were_written(void **state)
{
	uint8_t memory[RG_RADIUS_MOST], eap[600], back[600];
	struct rg_writer writer;
	struct rg_buffer buffer = buffer_over(back, sizeof(back));
	uint32_t value;
	(void)state;
	for (size_t i = 0; i < sizeof(eap); i++)
		eap[i] = (uint8_t)i;
	writer_begin(&writer, memory, sizeof(memory), RG_ACCESS_CHALLENGE, 255, key);
	writer_add_u32(&writer, RG_SESSION_TIMEOUT, 0xfedcba98);
	writer_add_eap(&writer, span_of(eap, sizeof(eap)));
	writer_add_eap(&writer, span_of(NULL, 0));
	writer_add_vendor(&writer, 9, 1, span_text("x=y"));
	writer_add_encoded(&writer, span_of("\x21\x03z", 3));
	struct rg_packet packet = view(writer_reply(&writer, authenticator));
	assert_int_equal(packet.token, 255);
	assert_true(packet_u32(&packet, RG_SESSION_TIMEOUT, &value));
	assert_int_equal(value, 0xfedcba98);
	assert_int_equal(packet_count(&packet, RG_EAP_MESSAGE), 3);
	assert_true(packet_eap(&packet, &buffer));
	assert_true(span_equal(buffer_span(&buffer), span_of(eap, sizeof(eap))));
	assert_true(span_equal(packet_find_vendor(&packet, 9, 1), span_text("x=y")));
	assert_true(span_equal(packet_find(&packet, RG_PROXY_STATE), span_text("z")));
}

static void what_does_not_fit_gives_no_packet(void **state)
{
	uint8_t memory[5000], value[254] = {0};
	struct rg_writer writer;
	(void)state;
	writer_begin(&writer, memory, sizeof(memory), RG_ACCESS_REQUEST, 1, key);
	writer_add(&writer, RG_CLASS, span_of(value, 254));
	assert_null(writer_request(&writer, authenticator).data);
	writer_begin(&writer, memory, sizeof(memory), RG_ACCESS_REQUEST, 1, key);
	writer_add_vendor(&writer, 9, 1, span_of(value, 248));
	assert_null(writer_request(&writer, authenticator).data);
	writer_begin(&writer, memory, sizeof(memory), RG_ACCESS_REQUEST, 1, key);
	writer_add(&writer, RG_MESSAGE_AUTHENTICATOR, span_of(value, 16));
	assert_null(writer_request(&writer, authenticator).data);
	for (size_t capacity = 0; capacity < 38; capacity++) {
		writer_begin(&writer, memory, capacity, RG_ACCESS_ACCEPT, 1, key);
		assert_null(writer_reply(&writer, authenticator).data);
	}
	writer_begin(&writer, memory, sizeof(memory), RG_ACCOUNTING_REQUEST, 1, key);
	for (int i = 0; i < 15; i++)
		writer_add(&writer, RG_CLASS, span_of(value, 253));
	writer_add(&writer, RG_CLASS, span_of(value, RG_RADIUS_MOST - 20 - 15 * 255 - 2));
	assert_int_equal(writer_request(&writer, NULL).length, RG_RADIUS_MOST);
	writer_add(&writer, RG_CLASS, span_of(NULL, 0));
	assert_null(writer_request(&writer, NULL).data);
}

static void mppe_salts_differ(void **state)
{
	uint8_t memory[256], msk[64], out[256];
	struct rg_writer writer;
	(void)state;
	for (size_t i = 0; i < sizeof(msk); i++)
		msk[i] = (uint8_t)i;
	for (int again = 0; again < 100; again++) {
		writer_begin(&writer, memory, sizeof(memory), RG_ACCESS_ACCEPT, 1, key);
		writer_add_mppe(&writer, msk, authenticator);
		struct rg_packet packet = view(writer_reply(&writer, authenticator));
		struct rg_span send = packet_find_vendor(&packet, RG_VENDOR_MICROSOFT, 16);
		struct rg_span receive = packet_find_vendor(&packet, RG_VENDOR_MICROSOFT, 17);
		assert_memory_not_equal(send.data, receive.data, 2);
		assert_int_equal(mppe_reveal(out, receive, authenticator, key), 32);
		assert_memory_equal(out, msk, 32);
		assert_int_equal(mppe_reveal(out, send, authenticator, key), 32);
		assert_memory_equal(out, msk + 32, 32);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(B2_message_authenticator_stands_at_byte_20),
		cmocka_unit_test(B2_answer_to_status_server_on_an_accounting_port),
		cmocka_unit_test(accounting_needs_no_message_authenticator),
		cmocka_unit_test(attributes_are_read_as_they_were_written),
		cmocka_unit_test(what_does_not_fit_gives_no_packet),
		cmocka_unit_test(mppe_salts_differ),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}

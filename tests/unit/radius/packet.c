#include "radius/packet.h"

#include <stdlib.h>

#include "support.h"

/* A packet of that code with those attributes; Length is right. Returns the whole length. */
static size_t build(uint8_t *out, uint8_t code, const char *attributes)
{
	memset(out, 0xaa, RG_RADIUS_HEADER);
	size_t length = RG_RADIUS_HEADER + octets(out + RG_RADIUS_HEADER, attributes);
	out[0] = code;
	out[1] = 7;
	out[2] = (uint8_t)(length >> 8);
	out[3] = (uint8_t)length;
	return length;
}

/* Views a copy that lies at the very end of its own memory, where a sanitizer sees a read beyond.
 */
static enum rg_packet_fault view(const uint8_t *data, size_t length)
{
	struct rg_packet packet;
	uint8_t *copy = malloc(length ? length : 1);
	memcpy(copy, data, length);
	enum rg_packet_fault fault = packet_view(&packet, span_of(copy, length));
	free(copy);
	return fault;
}

static enum rg_packet_fault view_attributes(const char *attributes)
{
	uint8_t data[RG_RADIUS_MOST];
	return view(data, build(data, RG_ACCESS_REQUEST, attributes));
}

static void W1_short_datagram(void **state)
{
	uint8_t data[RG_RADIUS_HEADER];
	(void)state;
	build(data, RG_ACCESS_REQUEST, "");
	for (size_t length = 0; length < RG_RADIUS_HEADER; length++)
		assert_int_equal(view(data, length), RG_PACKET_SHORT);
	assert_int_equal(view(data, RG_RADIUS_HEADER), RG_PACKET_OK);
}

static void W1_length_under_20_over_datagram_over_4096(void **state)
{
	uint8_t data[5000] = {RG_ACCESS_REQUEST};
	(void)state;
	for (unsigned length = 0; length < RG_RADIUS_HEADER; length++) {
		data[3] = (uint8_t)length;
		assert_int_equal(view(data, 100), RG_PACKET_LENGTH);
	}
	data[3] = 21;
	assert_int_equal(view(data, 20), RG_PACKET_LENGTH);
	data[2] = 4097 >> 8;
	data[3] = 4097 & 255;
	assert_int_equal(view(data, sizeof(data)), RG_PACKET_LENGTH);
}

static void W1_unknown_code(void **state)
{
	uint8_t data[RG_RADIUS_HEADER];
	(void)state;
	for (unsigned code = 0; code < 256; code++) {
		bool known = (code >= 1 && code <= 5) || code == 11 || code == 12;
		build(data, (uint8_t)code, "");
		assert_int_equal(view(data, sizeof(data)), known ? RG_PACKET_OK : RG_PACKET_CODE);
	}
}

static void W2_tail_is_ignored(void **state)
{
	uint8_t data[64];
	struct rg_packet packet;
	struct rg_attribute attribute = {0};
	(void)state;
	size_t length = build(data, RG_ACCESS_REQUEST, "01 05 62 6f 62");
	memcpy(data + length, "\x50\x00\x00", 3); /* would be a fault inside */
	assert_int_equal(packet_view(&packet, span_of(data, length + 3)), RG_PACKET_OK);
	assert_int_equal(packet.length, length);
	assert_true(packet_next(&packet, &attribute));
	assert_false(packet_next(&packet, &attribute));
}

static void W3_attribute_length_zero(void **state)
{
	(void)state;
	assert_int_equal(view_attributes("01 00"), RG_PACKET_ATTRIBUTE_LENGTH);
	assert_int_equal(view_attributes("01 05 62 6f 62 01 00 00"), RG_PACKET_ATTRIBUTE_LENGTH);
}

static void W3_attribute_length_one(void **state)
{
	(void)state;
	assert_int_equal(view_attributes("01 01"), RG_PACKET_ATTRIBUTE_LENGTH);
	assert_int_equal(view_attributes("01 02"), RG_PACKET_OK);
}

static void W3_attribute_overruns(void **state)
{
	(void)state;
	assert_int_equal(view_attributes("01 03"), RG_PACKET_ATTRIBUTE_LENGTH);
	assert_int_equal(view_attributes("01 05 62 6f"), RG_PACKET_ATTRIBUTE_LENGTH);
	assert_int_equal(view_attributes("01 ff 62 6f"), RG_PACKET_ATTRIBUTE_LENGTH);
}

static void W3_stray_octet(void **state)
{
	(void)state;
	assert_int_equal(view_attributes("01"), RG_PACKET_ATTRIBUTE_LENGTH);
	assert_int_equal(view_attributes("01 05 62 6f 62 01"), RG_PACKET_ATTRIBUTE_LENGTH);
}

static void W3_attribute_type_zero(void **state)
{
	(void)state;
	assert_int_equal(view_attributes("00 02"), RG_PACKET_ATTRIBUTE_TYPE);
	assert_int_equal(view_attributes("01 05 62 6f 62 00 03 00"), RG_PACKET_ATTRIBUTE_TYPE);
}

static void W4_more_than_200_attributes(void **state)
{
	uint8_t data[RG_RADIUS_MOST] = {RG_ACCESS_REQUEST};
	(void)state;
	for (size_t count = RG_ATTRIBUTES_MOST - 1; count <= RG_ATTRIBUTES_MOST + 1; count++) {
		size_t length = RG_RADIUS_HEADER + 2 * count;
		for (size_t i = 0; i < count; i++)
			memcpy(data + RG_RADIUS_HEADER + 2 * i, "\x21\x02", 2);
		data[2] = (uint8_t)(length >> 8);
		data[3] = (uint8_t)length;
		assert_int_equal(view(data, length), count > RG_ATTRIBUTES_MOST
							     ? RG_PACKET_ATTRIBUTES_MANY
							     : RG_PACKET_OK);
	}
}

static struct rg_span find_vendor(const char *attributes, uint8_t type)
{
	static uint8_t data[RG_RADIUS_MOST];
	struct rg_packet packet;
	size_t length = build(data, RG_ACCESS_ACCEPT, attributes);
	assert_int_equal(packet_view(&packet, span_of(data, length)), RG_PACKET_OK);
	return packet_find_vendor(&packet, RG_VENDOR_MICROSOFT, type);
}

static void W4_broken_vendor_attribute_is_passed_raw(void **state)
{
	(void)state;
	/* No vendor, no sub-attribute, sub-length 0, 1, overrun, a stray octet at the end. */
	assert_null(find_vendor("1a 02", 1).data);
	assert_null(find_vendor("1a 05 00 00 01", 1).data);
	assert_null(find_vendor("1a 06 00 00 01 37", 1).data);
	assert_null(find_vendor("1a 08 00 00 01 37 01 00", 1).data);
	assert_null(find_vendor("1a 08 00 00 01 37 01 01", 1).data);
	assert_null(find_vendor("1a 08 00 00 01 37 01 03", 1).data);
	assert_null(find_vendor("1a 0a 00 00 01 37 01 03 41 01", 1).data);
	/* A whole one after a broken one, and after another vendor's. */
	struct rg_span found = find_vendor("1a 08 00 00 01 37 01 00 1a 09 00 00 00 09 01 03 40"
					   " 1a 0b 00 00 01 37 02 02 01 03 41",
					   1);
	assert_true(span_equal(found, span_text("A")));
	assert_int_equal(find_vendor("1a 08 00 00 01 37 02 02", 2).length, 0);
	assert_non_null(find_vendor("1a 08 00 00 01 37 02 02", 2).data);
}

static void W4_fragments_without_end_are_opaque(void **state)
{
	(void)state;
	/* RFC 6929 §2.2: 245 with the More flag set and nothing after it. */
	assert_int_equal(view_attributes("f5 05 01 80 00 f5 04 01 80"), RG_PACKET_OK);
}

static void W5_message_authenticator_of_wrong_length(void **state)
{
	(void)state;
	assert_int_equal(view_attributes("50 02"), RG_PACKET_MESSAGE_AUTHENTICATOR);
	assert_int_equal(view_attributes("50 11 000102030405060708090a0b0c0d0e"),
			 RG_PACKET_MESSAGE_AUTHENTICATOR);
	assert_int_equal(view_attributes("50 13 000102030405060708090a0b0c0d0e0f10"),
			 RG_PACKET_MESSAGE_AUTHENTICATOR);
	assert_int_equal(view_attributes("50 12 000102030405060708090a0b0c0d0e0f"), RG_PACKET_OK);
}

static void W5_message_authenticator_twice(void **state)
{
	(void)state;
	assert_int_equal(view_attributes("50 12 000102030405060708090a0b0c0d0e0f"
					 "50 12 000102030405060708090a0b0c0d0e0f"),
			 RG_PACKET_MESSAGE_AUTHENTICATOR);
}

static void W5_eap_beside_a_password(void **state)
{
	(void)state;
	assert_int_equal(view_attributes("4f 03 00 02 03 00"), RG_PACKET_EAP_WITH_PASSWORD);
	assert_int_equal(view_attributes("02 03 00 4f 03 00"), RG_PACKET_EAP_WITH_PASSWORD);
	assert_int_equal(view_attributes("03 03 00 4f 03 00"), RG_PACKET_EAP_WITH_PASSWORD);
	assert_int_equal(view_attributes("46 03 00 4f 03 00"), RG_PACKET_EAP_WITH_PASSWORD);
	assert_int_equal(view_attributes("02 03 00 03 03 00"), RG_PACKET_OK);
}

static void W5_who_must_be_authentic(void **state)
{
	uint8_t data[64];
	struct rg_packet packet;
	(void)state;
	packet_view(&packet, span_of(data, build(data, RG_ACCESS_REQUEST, "4f 03 00")));
	assert_true(packet_must_be_authentic(&packet));
	packet_view(&packet, span_of(data, build(data, RG_STATUS_SERVER, "")));
	assert_true(packet_must_be_authentic(&packet));
	packet_view(&packet, span_of(data, build(data, RG_ACCESS_REQUEST, "02 03 00")));
	assert_false(packet_must_be_authentic(&packet));
}

static void attributes_are_walked_in_order(void **state)
{
	static const uint8_t types[] = {1, 79, 33, 79, 33};
	uint8_t data[64];
	struct rg_packet packet;
	struct rg_attribute attribute = {0};
	uint8_t eap[8];
	struct rg_buffer buffer = buffer_over(eap, 3);
	(void)state;
	size_t length =
		build(data, RG_ACCESS_REQUEST, "01 03 61 4f 04 01 02 21 03 78 4f 03 03 21 02");
	assert_int_equal(packet_view(&packet, span_of(data, length)), RG_PACKET_OK);
	assert_int_equal(packet.attributes, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_true(packet_next(&packet, &attribute));
		assert_int_equal(attribute.type, types[i]);
	}
	assert_false(packet_next(&packet, &attribute));
	assert_int_equal(packet_count(&packet, 79), 2);
	assert_int_equal(packet_count(&packet, 2), 0);
	assert_true(span_equal(packet_find(&packet, 33), span_text("x")));
	attribute = (struct rg_attribute){0};
	assert_true(packet_next_of(&packet, 33, &attribute));
	assert_true(packet_next_of(&packet, 33, &attribute));
	assert_int_equal(attribute.value.length, 0);
	assert_non_null(attribute.value.data);
	assert_false(packet_next_of(&packet, 33, &attribute));
	assert_true(packet_eap(&packet, &buffer));
	assert_memory_equal(eap, "\1\2\3", 3);
	buffer = buffer_over(eap, 2);
	assert_false(packet_eap(&packet, &buffer));
}

static void integers_have_four_octets(void **state)
{
	uint8_t data[64];
	struct rg_packet packet;
	uint32_t value = 0;
	(void)state;
	size_t length = build(data, RG_ACCESS_REQUEST, "0c 06 00 00 05 78 1b 05 00 00 01");
	assert_int_equal(packet_view(&packet, span_of(data, length)), RG_PACKET_OK);
	assert_true(packet_u32(&packet, RG_FRAMED_MTU, &value));
	assert_int_equal(value, 1400);
	assert_false(packet_u32(&packet, RG_SESSION_TIMEOUT, &value));
	assert_false(packet_u32(&packet, RG_NAS_PORT, &value));
}

static void every_fault_has_a_word(void **state)
{
	(void)state;
	for (int fault = 0; fault < RG_PACKET_FAULT_COUNT; fault++)
		assert_string_not_equal(packet_fault_word((enum rg_packet_fault)fault), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(W1_short_datagram),
		cmocka_unit_test(W1_length_under_20_over_datagram_over_4096),
		cmocka_unit_test(W1_unknown_code),
		cmocka_unit_test(W2_tail_is_ignored),
		cmocka_unit_test(W3_attribute_length_zero),
		cmocka_unit_test(W3_attribute_length_one),
		cmocka_unit_test(W3_attribute_overruns),
		cmocka_unit_test(W3_stray_octet),
		cmocka_unit_test(W3_attribute_type_zero),
		cmocka_unit_test(W4_more_than_200_attributes),
		cmocka_unit_test(W4_broken_vendor_attribute_is_passed_raw),
		cmocka_unit_test(W4_fragments_without_end_are_opaque),
		cmocka_unit_test(W5_message_authenticator_of_wrong_length),
		cmocka_unit_test(W5_message_authenticator_twice),
		cmocka_unit_test(W5_eap_beside_a_password),
		cmocka_unit_test(W5_who_must_be_authentic),
		cmocka_unit_test(attributes_are_walked_in_order),
		cmocka_unit_test(integers_have_four_octets),
		cmocka_unit_test(every_fault_has_a_word),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

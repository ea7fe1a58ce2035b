#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "eap/fragments.h"

/* Sends length octets through pieces of every size: out of one end, into the other. */
static void carry(size_t length, size_t room, size_t most)
{
	struct rg_fragments from, to;
	uint8_t *octets = malloc(length), packet[2048], reply[8];
	struct rg_span message;
	const char *why;
	enum rg_fragment step;
	for (size_t i = 0; i < length; i++)
		octets[i] = (uint8_t)(i * 31 + i / 256);
	fragments_init(&from, 0);
	fragments_init(&to, 0);
	assert_true(fragments_append(&from, span_of(octets, length / 2)));
	assert_true(fragments_append(&from, span_of(octets + length / 2, length - length / 2)));
	for (unsigned pieces = 0;; pieces++) {
		struct rg_buffer out = buffer_over(packet, sizeof(packet)),
				 back = buffer_over(reply, sizeof(reply));
		assert_int_equal(fragments_pending(&from) > 0, true);
		assert_true(fragments_give(&from, &out, room, most));
		assert_true(out.length <= room && out.length <= most + 5);
		assert_int_equal((packet[0] & 0x80) != 0, pieces == 0 && (packet[0] & 0x40));
		step = fragments_take(&to, buffer_span(&out), &message, &why);
		if (step == RG_FRAGMENT_MESSAGE)
			break;
		assert_int_equal(step, RG_FRAGMENT_MORE);
		assert_true(fragments_give(&to, &back, room, most));
		assert_int_equal(back.length, 1);
		assert_int_equal(fragments_take(&from, buffer_span(&back), &message, &why),
				 RG_FRAGMENT_NEXT);
	}
	assert_int_equal(fragments_pending(&from), 0);
	assert_int_equal(message.length, length);
	assert_memory_equal(message.data, octets, length);
	fragments_free(&from);
	fragments_free(&to);
	free(octets);
}

static void test_every_length_arrives(void **state)
{
	(void)state;
	static const size_t lengths[] = {1,    5,    6,    7,    63,   64,   65,
					 1019, 1020, 1024, 1025, 2048, 5000, 65536};
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		for (size_t room = 6; room < 2000; room = room * 3 / 2)
			for (size_t most = 1; most < 2000; most = most * 2 + 1)
				if (lengths[i] / most < 5000 && lengths[i] / room < 5000)
					carry(lengths[i], room, most);
}

static void test_room_that_changes(void **state)
{
	(void)state;
	struct rg_fragments from;
	uint8_t octets[300] = {0}, packet[400];
	struct rg_span message;
	const char *why;
	fragments_init(&from, 0);
	fragments_append(&from, span_of(octets, sizeof(octets)));
	struct rg_buffer out = buffer_over(packet, sizeof(packet));
	assert_false(fragments_give(&from, &out, 5, 1024)); /* no room for a header and data */
	assert_int_equal(out.length, 0);
	assert_true(fragments_give(&from, &out, 105, 1024));
	assert_int_equal(out.length, 105);
	assert_int_equal(fragments_pending(&from), 200);
	assert_int_equal(fragments_take(&from, span_of("\0", 1), &message, &why), RG_FRAGMENT_NEXT);
	out.length = 0;
	assert_true(fragments_give(&from, &out, 1400, 1024));
	assert_int_equal(out.length, 201);
	assert_int_equal(packet[0], 0);
	fragments_free(&from);
}

/* With a version in the low bits, as tunnels have it. */
static void test_version_bits(void **state)
{
	(void)state;
	struct rg_fragments fragments;
	uint8_t octet;
	struct rg_buffer out = buffer_over(&octet, 1);
	fragments_init(&fragments, 9);
	fragments_start(&fragments, &out);
	assert_int_equal(octet, 0x21);
	out.length = 0;
	assert_true(fragments_give(&fragments, &out, 1, 1));
	assert_int_equal(octet, 1);
	fragments_free(&fragments);
}

static void test_E2_out_is_bounded_too(void **state)
{
	(void)state;
	struct rg_fragments fragments;
	static uint8_t octets[RG_FRAGMENTS_MOST];
	fragments_init(&fragments, 0);
	assert_true(fragments_append(&fragments, span_of(octets, sizeof(octets))));
	assert_false(fragments_append(&fragments, span_of(octets, 1)));
	fragments_free(&fragments);
}

/* 64 KiB announced cost nothing before they arrive. */
static void test_E3_an_announcement_costs_nothing(void **state)
{
	(void)state;
	struct rg_fragments fragments;
	struct rg_span message;
	const char *why;
	fragments_init(&fragments, 0);
	assert_int_equal(fragments_take(&fragments, span_of("\xc0\0\x01\0\0x", 6), &message, &why),
			 RG_FRAGMENT_MORE);
	assert_true(fragments.in.capacity <= 1024);
	fragments_free(&fragments);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_length_arrives),
		cmocka_unit_test(test_room_that_changes),
		cmocka_unit_test(test_version_bits),
		cmocka_unit_test(test_E2_out_is_bounded_too),
		cmocka_unit_test(test_E3_an_announcement_costs_nothing),
	};
	return cmocka_run_group_tests_name("eap/fragments", tests, NULL, NULL);
}

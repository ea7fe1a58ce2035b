#include "radius/dictionary.h"

#include <stdlib.h>

#include "radius/key.h"
#include "radius/writer.h"
#include "support.h"

static int setup(void **state)
{
	const char *why = "";
	(void)state;
	/* A folder without dictionaries spoils nothing for the one that has them. */
	if (dictionary_open("/nonexistent", &why) ||
	    !strstr(why, "/nonexistent/dictionary: No such file"))
		return -1;
	if (dictionary_open(NULL, &why))
		return 0;
	print_error("%s\n", why);
	return -1;
}

static int teardown(void **state)
{
	(void)state;
	dictionary_close();
	return 0;
}

static void encodes(const char *text, const char *hex)
{
	uint8_t out[RG_RADIUS_MOST], expected[64];
	char why[256];
	size_t length = dictionary_encode(text, out, sizeof(out), why);
	assert_string_equal(why, "");
	assert_int_equal(length, octets(expected, hex));
	assert_memory_equal(out, expected, length);
	assert_int_equal(dictionary_encode(text, out, length - 1, why), 0);
	assert_string_equal(why, "does not fit");
}

static void refuses(const char *text, const char *because)
{
	uint8_t out[RG_RADIUS_MOST];
	char why[256];
	assert_int_equal(dictionary_encode(text, out, sizeof(out), why), 0);
	if (!strstr(why, because))
		fail_msg("%s: %s", text, why);
}

static void attributes_as_freeradius_writes_them(void **state)
{
	(void)state;
	encodes("Tunnel-Type = VLAN", "40 06 00 00 00 0d");
	encodes("Tunnel-Type:1 = VLAN", "40 06 01 00 00 0d");
	encodes("Tunnel-Type := 13", "40 06 00 00 00 0d");
	encodes("Tunnel-Medium-Type = IEEE-802", "41 06 00 00 00 06");
	encodes("Tunnel-Private-Group-Id = 120", "51 05 31 32 30");
	encodes("Tunnel-Private-Group-Id:2 = \"120\"", "51 06 02 31 32 30");
	encodes("Session-Timeout = 28800", "1b 06 00 00 70 80");
	encodes("Cisco-AVPair = \"x=y\"", "1a 0b 00 00 00 09 01 05 78 3d 79");
	encodes("MS-MPPE-Encryption-Policy = 2", "1a 0c 00 00 01 37 07 06 00 00 00 02");
	encodes("Filter-Id += 'a b'", "0b 05 61 20 62");
	encodes("Framed-IP-Address = 10.0.0.1", "08 06 0a 00 00 01");
	encodes("Class = 0x0102", "19 04 01 02");
}

static void nothing_is_expanded_or_run(void **state)
{
	(void)state;
	encodes("Reply-Message = \"%{u}\"", "12 06 25 7b 75 7d");
	refuses("Reply-Message = `id`", "none is run");
	refuses("Framed-IP-Address = localhost", "IPv4");
}

static void errors_say_what_is_wrong(void **state)
{
	(void)state;
	refuses("Tunel-Type = VLAN", "did you mean Tunnel-Type?");
	refuses("Quite-Another-Thing = 1", "no attribute \"Quite-Another-Thing\"");
	refuses("Tunnel-Type = VLANX", "VLANX");
	refuses("Tunnel-Type", "expected Name = value");
	refuses("", "expected Name = value");
	refuses("= VLAN", "expected Name = value");
	refuses("Tunnel-Type = ", "expected Name = value");
	refuses("Tunnel-Type == VLAN", "operator");
	refuses("Tunnel-Type = VLAN, Class = 0x01", "more than one");
	refuses("Tunnel-Type:32 = VLAN", "0 to 31");
	refuses("Filter-Id:1 = x", "bears no tag");
	refuses("Session-Timeout = -5", "0 to 4294967295");
	refuses("Session-Timeout = 4294967296", "0 to 4294967295");
	refuses("Tunnel-Type = 16777216", "0 to 16777215");
	refuses("Reply-Message = \"\"", "empty");
	refuses("Bad\x1b[31mName = 1", "expected Name = value");
}

static void values_that_do_not_fit_are_not_cut(void **state)
{
	char text[400] = "Reply-Message = \"";
	uint8_t out[RG_RADIUS_MOST];
	char why[256];
	size_t start = strlen(text);
	(void)state;
	memset(text + start, 'a', 253);
	strcpy(text + start + 253, "\"");
	assert_int_equal(dictionary_encode(text, out, sizeof(out), why), 255);
	strcpy(text + start + 253, "a\"");
	refuses(text, "254 octets; 253 fit");
	memset(text, 'a', sizeof(text) - 1);
	refuses(text, "expected");
}

static void what_cannot_be_a_fixed_reply_is_refused(void **state)
{
	(void)state;
	refuses("Tunnel-Password = x", "encrypted");
	refuses("MS-MPPE-Send-Key = 0x00", "encrypted");
	refuses("User-Password = x", "encrypted");
	refuses("Auth-Type = Accept", "internal");
	refuses("Message-Authenticator = 0x00", "set by the gateway");
	refuses("EAP-Message = 0x00", "set by the gateway");
	refuses("State = 0x00", "set by the gateway");
	refuses("Vendor-Specific = 0x00", "sub-attributes");
}

struct printed {
	char text[4000];
};

static void collect(void *context, const char *name, const char *value)
{
	struct printed *printed = context;
	size_t used = strlen(printed->text);
	snprintf(printed->text + used, sizeof(printed->text) - used, "%s=%s\n", name, value);
}

static void attributes_are_printed(void **state)
{
	static const uint8_t authenticator[16] = {1}, msk[64] = {2};
	uint8_t memory[RG_RADIUS_MOST];
	struct rg_writer writer;
	struct rg_packet packet;
	struct printed printed = {""};
	struct rg_radius_key *key = radius_key_new(span_text("a secret of nineteen"));
	(void)state;
	writer_begin(&writer, memory, sizeof(memory), RG_ACCESS_ACCEPT, 1, key);
	writer_add_encoded(&writer, span_of("\x40\x06\0\0\0\x0d", 6));
	writer_add_encoded(&writer, span_of("\x51\x06\x02\x31\x32\x30", 6));
	writer_add_u32(&writer, RG_SESSION_TIMEOUT, 28800);
	writer_add(&writer, RG_USER_NAME, span_text("bob\n\x1b[31m\xff@x"));
	writer_add_vendor(&writer, 9, 1, span_text("x=y"));
	writer_add(&writer, RG_CLASS, span_of("\1\2", 2));
	writer_add(&writer, 250, span_of("\1\2", 2));
	writer_add_mppe(&writer, msk, authenticator);
	struct rg_span sent = writer_reply(&writer, authenticator);
	assert_int_equal(packet_view(&packet, sent), RG_PACKET_OK);
	dictionary_print(&packet, collect, &printed);
	assert_non_null(strstr(printed.text, "Tunnel-Type:0=VLAN\n"));
	assert_non_null(strstr(printed.text, "Tunnel-Private-Group-Id:2=120\n"));
	assert_non_null(strstr(printed.text, "Session-Timeout=28800\n"));
	assert_non_null(strstr(printed.text, "User-Name=bob\\x0a\\x1b[31m\\xff@x\n"));
	assert_non_null(strstr(printed.text, "Cisco-AVPair=x=y\n"));
	assert_non_null(strstr(printed.text, "Class=0x0102\n"));
	assert_non_null(strstr(printed.text, "MS-MPPE-Recv-Key=0x"));
	assert_non_null(strstr(printed.text, "MS-MPPE-Send-Key=0x"));
	assert_non_null(
		strstr(printed.text, "=0x0102\nMS-MPPE")); /* the unknown one, in its place */
	radius_key_free(&key);
}

/* Found by the packet fuzzer: libfreeradius joins these two and reads on behind the packet. */
static void NAS_filter_rules_are_read_here_and_end_with_the_packet(void **state)
{
	static const uint8_t bytes[] = {
		0x02, 0x07, 0x00, 0x3e, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
		0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x5c, 0x12, 0x21, 0xc8, 0x34, 0xd3,
		0x8a, 0x95, 0x9b, 0x45, 0x89, 0x34, 0x97, 0x78, 0xc9, 0x35, 0xe2, 0x01, 0xf1,
		0x06, 0x01, 'a',  'b',	'c',  0xf5, 0x07, 0x01, 0x80, 'a',  'b',  'c',	0xf5,
		0x07, 0x01, 0x00, 'd',	'e',  'f',  0x5c, 0x04, 'x',  0x00,
	};
	uint8_t *exact = malloc(sizeof(bytes)); /* so that a step past its end is seen */
	struct rg_packet packet;
	struct printed printed = {""};
	(void)state;
	memcpy(exact, bytes, sizeof(bytes));
	assert_int_equal(packet_view(&packet, span_of(exact, sizeof(bytes))), RG_PACKET_OK);
	dictionary_print(&packet, collect, &printed);
	assert_non_null(strstr(printed.text, "NAS-Filter-Rule=!\\xc84"));
	assert_non_null(strstr(printed.text, "NAS-Filter-Rule=x\\x00\n"));
	free(exact);
}

static void opening_twice_is_opening_once(void **state)
{
	const char *why = "";
	(void)state;
	assert_true(dictionary_open(NULL, &why));
	encodes("Tunnel-Type = VLAN", "40 06 00 00 00 0d");
}

/* libfreeradius would read freed memory: it keeps the last attribute over dict_free. The last test.
 */
static void closing_is_for_good(void **state)
{
	const char *why = "";
	(void)state;
	dictionary_close();
	refuses("Tunnel-Type = VLAN", "not loaded");
	assert_false(dictionary_open(NULL, &why));
	assert_string_equal(why, "the dictionaries are loaded once a process");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attributes_as_freeradius_writes_them),
		cmocka_unit_test(nothing_is_expanded_or_run),
		cmocka_unit_test(errors_say_what_is_wrong),
		cmocka_unit_test(values_that_do_not_fit_are_not_cut),
		cmocka_unit_test(what_cannot_be_a_fixed_reply_is_refused),
		cmocka_unit_test(attributes_are_printed),
		cmocka_unit_test(NAS_filter_rules_are_read_here_and_end_with_the_packet),
		cmocka_unit_test(opening_twice_is_opening_once),
		cmocka_unit_test(closing_is_for_good),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}

#include "modules/sink_fticks/line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define MAC "02-00-00-00-00-01"

static struct fticks_format format(enum fticks_mac mac)
{
	return (struct fticks_format){.federation = "eduroam",
				      .country = "NL",
				      .mac = mac,
				      .key = span_text("een sleutel van de federatie")};
}

/* What radsecproxy 1.9.2 makes of that MAC and key: tests/interop/test_fticks.py asks it again. */
static void csi_is_radsecproxy_s(void **state)
{
	static const struct {
		enum fticks_mac mac;
		const char *csi;
	} cases[] = {
		{FTICKS_STATIC, "undisclosed"},
		{FTICKS_ORIGINAL, MAC},
		{FTICKS_VENDOR_HASHED,
		 "02-00-00-fe0a29e37dd070ea6c6192380e323bf8810d2ee4e61ccc28db59ee"},
		{FTICKS_VENDOR_KEY_HASHED,
		 "02-00-00-227d32e1e2e0ef4bd05847364977d32a4920c79ee5ef62769356da"},
		{FTICKS_FULLY_HASHED,
		 "fe0a29e37dd070ea6c6192380e323bf8810d2ee4e61ccc28db59ee9494c90d1d"},
		{FTICKS_FULLY_KEY_HASHED,
		 "227d32e1e2e0ef4bd05847364977d32a4920c79ee5ef62769356da5b3a893743"},
	};
	char csi[FTICKS_CSI_MOST];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fticks_format how = format(cases[i].mac);
		fticks_csi(csi, &how, MAC);
		assert_string_equal(csi, cases[i].csi);
	}
}

static void a_device_without_mac_is_nobody(void **state)
{
	char csi[FTICKS_CSI_MOST];
	(void)state;
	for (int mac = FTICKS_ORIGINAL; mac <= FTICKS_FULLY_KEY_HASHED; mac++) {
		struct fticks_format how = format((enum fticks_mac)mac);
		fticks_csi(csi, &how, "");
		assert_string_equal(csi, "");
	}
}

static void line_of_a_visitor(void **state)
{
	char line[FTICKS_LINE_MOST];
	struct fticks_format how = format(FTICKS_STATIC);
	struct fticks_tick tick = {
		.realm = "bezoek.nl", .institution = "1beuningen.nl", .mac = MAC, .accepted = true};
	(void)state;
	size_t length = fticks_line(line, &how, &tick);
	assert_int_equal(length, strlen(line));
	assert_string_equal(
		line, "F-TICKS/eduroam/1.0#REALM=bezoek.nl#VISCOUNTRY=NL#VISINST=1beuningen.nl#"
		      "CSI=undisclosed#RESULT=OK#");
	tick.accepted = false;
	tick.institution[0] = '\0';
	how.federation = "govroam";
	how.mac = FTICKS_ORIGINAL;
	fticks_line(line, &how, &tick);
	assert_string_equal(line, "F-TICKS/govroam/1.0#REALM=bezoek.nl#VISCOUNTRY=NL#CSI=" MAC
				  "#RESULT=FAIL#");
}

static void O6_no_name_ends_its_value_or_the_line(void **state)
{
	char line[FTICKS_LINE_MOST];
	struct fticks_format how = format(FTICKS_STATIC);
	struct fticks_tick tick = {.realm = "a#RESULT=OK#\r\n\x1b[2J\\x23\xc3\xab\x80%{q}",
				   .institution = "stad #1\n"};
	(void)state;
	fticks_line(line, &how, &tick);
	assert_string_equal(
		line, "F-TICKS/eduroam/"
		      "1.0#REALM=a\\x23RESULT=OK\\x23\\x0d\\x0a\\x1b[2J\\x5cx23\\xc3\\xab\\x80%{q}"
		      "#VISCOUNTRY=NL#VISINST=stad \\x231\\x0a#CSI=undisclosed#RESULT=FAIL#");
}

static void the_longest_names_fit(void **state)
{
	char line[FTICKS_LINE_MOST];
	struct fticks_format how = format(FTICKS_FULLY_KEY_HASHED);
	struct fticks_tick tick = {.mac = MAC};
	(void)state;
	memset(tick.realm, '#', sizeof(tick.realm) - 1);
	memset(tick.institution, '#', sizeof(tick.institution) - 1);
	how.federation = "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-0123456789";
	size_t length = fticks_line(line, &how, &tick);
	assert_string_equal(line + length - 13, "#RESULT=FAIL#");
}

static void words_of_modes(void **state)
{
	static const struct {
		const char *words;
		enum fticks_mac plain, keyed;
	} cases[] = {
		{"static", FTICKS_STATIC, FTICKS_STATIC},
		{"Original", FTICKS_ORIGINAL, FTICKS_ORIGINAL},
		{"vendor-hashed", FTICKS_VENDOR_HASHED, FTICKS_VENDOR_KEY_HASHED},
		{"VendorKeyHashed", FTICKS_VENDOR_KEY_HASHED, FTICKS_VENDOR_KEY_HASHED},
		{"fully_hashed", FTICKS_FULLY_HASHED, FTICKS_FULLY_KEY_HASHED},
		{"fully-key-hashed", FTICKS_FULLY_KEY_HASHED, FTICKS_FULLY_KEY_HASHED},
		{"", FTICKS_MAC_UNKNOWN, FTICKS_MAC_UNKNOWN},
		{"hashed", FTICKS_MAC_UNKNOWN, FTICKS_MAC_UNKNOWN},
		{"fully-key-hashed-and-then-some-more-of-it", FTICKS_MAC_UNKNOWN,
		 FTICKS_MAC_UNKNOWN},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(fticks_mac_of(cases[i].words, false), cases[i].plain);
		assert_int_equal(fticks_mac_of(cases[i].words, true), cases[i].keyed);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(csi_is_radsecproxy_s),
		cmocka_unit_test(a_device_without_mac_is_nobody),
		cmocka_unit_test(line_of_a_visitor),
		cmocka_unit_test(O6_no_name_ends_its_value_or_the_line),
		cmocka_unit_test(the_longest_names_fit),
		cmocka_unit_test(words_of_modes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "core/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/clock.h"

static void escapes(const char *input, size_t length, const char *expected)
{
	char out[256];
	assert_int_equal(text_escape(out, sizeof(out), span_of(input, length)), strlen(expected));
	assert_string_equal(out, expected);
}

static void O6_control_characters_and_quotes_are_escaped(void **state)
{
	(void)state;
	escapes("bob@x", 5, "bob@x");
	escapes("", 0, "");
	escapes("a\r\nb", 4, "a\\x0d\\x0ab");
	escapes("\x1b[31m", 5, "\\x1b[31m");
	escapes("a\0b", 3, "a\\x00b");
	escapes("\x7f\"\\", 3, "\\x7f\\x22\\x5c");
	escapes("%{User-Name}", 12, "%{User-Name}"); /* nothing expands it */
}

static void O6_invalid_utf8_is_escaped(void **state)
{
	(void)state;
	escapes("caf\xc3\xa9", 5, "caf\xc3\xa9");
	escapes("\xe2\x82\xac\xf0\x9f\x98\x80", 7, "\xe2\x82\xac\xf0\x9f\x98\x80");
	escapes("\xc2\x85", 2, "\\xc2\\x85");          /* NEL, a C1 control */
	escapes("\xc0\xaf", 2, "\\xc0\\xaf");          /* overlong */
	escapes("\xe0\x80\xaf", 3, "\\xe0\\x80\\xaf"); /* overlong */
	escapes("\xed\xa0\x80", 3, "\\xed\\xa0\\x80"); /* surrogate */
	escapes("\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80");
	escapes("\xe2\x82", 2, "\\xe2\\x82"); /* cut off */
	escapes("\x80z", 2, "\\x80z");
	escapes("\xff", 1, "\\xff");
}

static void O6_what_turns_or_hides_text_is_escaped(void **state)
{
	static const char *const misleading[] = {
		"\xe2\x80\xae",     /* U+202E, right to left from here */
		"\xe2\x81\xa6",     /* U+2066, an isolate */
		"\xd8\x9c",         /* U+061C, the Arabic letter mark */
		"\xc2\xad",         /* U+00AD, a hyphen that does not show */
		"\xe2\x80\x8b",     /* U+200B, no space */
		"\xef\xbb\xbf",     /* U+FEFF */
		"\xf3\xa0\x81\xa1", /* U+E0061, a letter that does not show */
	};
	char out[64];
	(void)state;
	for (size_t i = 0; i < sizeof(misleading) / sizeof(misleading[0]); i++) {
		text_escape(out, sizeof(out), span_text(misleading[i]));
		assert_int_equal(strlen(out), 4 * strlen(misleading[i]));
		assert_memory_equal(out, "\\x", 2);
	}
	escapes("\xd8\x9b\xc2\xae", 4, "\xd8\x9b\xc2\xae"); /* their neighbours */
	escapes("\xf3\xa0\x84\x80", 4, "\xf3\xa0\x84\x80");
}

static void O6_what_does_not_fit_ends_in_dots(void **state)
{
	char out[32];
	(void)state;
	memset(out, '#', sizeof(out));
	assert_int_equal(text_escape(out, 9, span_text("12345678")), 8);
	assert_string_equal(out, "12345678");
	assert_int_equal(text_escape(out, 9, span_text("123456789")), 8);
	assert_string_equal(out, "12345...");
	assert_int_equal(text_escape(out, 9, span_text("12\n\n\n")), 5);
	assert_string_equal(out, "12...");
	for (size_t capacity = 0; capacity < 20; capacity++) {
		memset(out, '#', sizeof(out));
		size_t length =
			text_escape(out, capacity, span_text("a\n\xc3\xa9long input indeed"));
		assert_int_equal(out[capacity], '#');
		if (capacity != 0) {
			assert_true(length < capacity);
			assert_int_equal(out[length], '\0');
		}
	}
}

static void names_from_spans(void **state)
{
	char out[5];
	(void)state;
	assert_true(text_from_span(out, sizeof(out), span_text("four")));
	assert_string_equal(out, "four");
	assert_false(text_from_span(out, sizeof(out), span_text("fives")));
	assert_string_equal(out, "");
	assert_false(text_from_span(out, sizeof(out), span_of("a\0b", 3)));
	assert_true(text_from_span(out, sizeof(out), span_of(NULL, 0)));
	assert_string_equal(out, "");
}

static void case_is_folded_in_ascii_only(void **state)
{
	char text[] = "BEUNINGEN.nl\xc3\x89";
	(void)state;
	assert_true(text_equal_nocase(span_text("Beuningen.NL"), span_text("bEUNINGEN.nl")));
	assert_false(text_equal_nocase(span_text("a"), span_text("ab")));
	assert_false(text_equal_nocase(span_text("\xc3\x89"), span_text("\xc3\xa9")));
	assert_false(text_equal_nocase(span_text("[@"), span_text("{`")));
	text_lower(text);
	assert_string_equal(text, "beuningen.nl\xc3\x89");
}

static void hints_are_near(void **state)
{
	static const char *const words[] = {"secret", "secret_file", "addresses", "site", NULL};
	static const char *const none[] = {NULL};
	char *longest = malloc(200);
	(void)state;
	assert_string_equal(text_nearest("secrt", words), "secret");
	assert_string_equal(text_nearest("Secret_File", words), "secret_file");
	assert_string_equal(text_nearest("adresses", words), "addresses");
	assert_null(text_nearest("completely-else", words));
	assert_null(text_nearest("site", none));
	memset(longest, 'a', 199);
	longest[199] = '\0';
	assert_null(text_nearest(longest, words));
	free(longest);
}

static void globs(void **state)
{
	(void)state;
	assert_true(text_glob("*", ""));
	assert_true(text_glob("*.local", "printer.LOCAL"));
	assert_false(text_glob("*.local", "local"));
	assert_true(text_glob("host/*", "host/pc1.beuningen.nl"));
	assert_true(text_glob("a?c*e", "abcde"));
	assert_false(text_glob("a?c", "ac"));
	assert_false(text_glob("", "a"));
	assert_true(text_glob("a*b*c", "a-b-b-c"));
	assert_false(text_glob("a*b*c", "a-b-b-d"));
}

static void globs_take_no_exponential_time(void **state)
{
	char text[4001];
	(void)state;
	memset(text, 'a', 4000);
	text[4000] = '\0';
	assert_false(text_glob("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", text));
}

static void macs_of_every_maker(void **state)
{
	static const char *const good[] = {"aa-bb-cc-dd-ee-0f", "AA:BB:CC:DD:EE:0F",
					   "aabb.ccdd.ee0f", "AABBCCDDEE0f"};
	static const char *const bad[] = {"",
					  "aabbccddee0",
					  "aabbccddee0f0",
					  "aabbccddee0g",
					  "aa-bb-cc-dd-ee-0f:govroam",
					  "aa bb cc dd ee 0f"};
	char out[18];
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(text_mac(out, span_text(good[i])));
		assert_string_equal(out, "AA-BB-CC-DD-EE-0F");
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(text_mac(out, span_text(bad[i])));
		assert_string_equal(out, "");
	}
}

static void times_are_rfc3339(void **state)
{
	char out[32];
	(void)state;
	text_time(out, 0);
	assert_string_equal(out, "1970-01-01T00:00:00.000Z");
	text_time(out, 1709210096u * RG_SECOND + 789 * RG_MS + 999999);
	assert_string_equal(out, "2024-02-29T12:34:56.789Z");
}

static void hex_is_lower_case(void **state)
{
	char out[7];
	(void)state;
	text_hex(out, span_of("\x00\xfe\x19", 3));
	assert_string_equal(out, "00fe19");
	text_hex(out, span_of(NULL, 0));
	assert_string_equal(out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(O6_control_characters_and_quotes_are_escaped),
		cmocka_unit_test(O6_invalid_utf8_is_escaped),
		cmocka_unit_test(O6_what_turns_or_hides_text_is_escaped),
		cmocka_unit_test(O6_what_does_not_fit_ends_in_dots),
		cmocka_unit_test(names_from_spans),
		cmocka_unit_test(case_is_folded_in_ascii_only),
		cmocka_unit_test(hints_are_near),
		cmocka_unit_test(globs),
		cmocka_unit_test(globs_take_no_exponential_time),
		cmocka_unit_test(macs_of_every_maker),
		cmocka_unit_test(times_are_rfc3339),
		cmocka_unit_test(hex_is_lower_case),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

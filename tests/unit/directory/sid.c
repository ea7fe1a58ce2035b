/* Security identifiers, the presets of products, and certificates that are none. */
#include "directory/sid.h"

#include "directory/filter.h"
#include "directory/mapping.h"
#include "directory/preset.h"
#include "support.h"

/* BUILTIN\Administrators, and an account of a domain. */
static const uint8_t administrators[] = {1, 2, 0, 0, 0, 0, 0, 5, 0x20, 0, 0, 0, 0x20, 2, 0, 0};

static void text_and_octets(void **state)
{
	struct rg_sid sid, other;
	char text[RG_SID_TEXT];
	(void)state;
	assert_true(sid_parse(&sid, span_text("S-1-5-32-544")));
	assert_int_equal(sid.length, sizeof(administrators));
	assert_memory_equal(sid.octets, administrators, sizeof(administrators));
	assert_true(sid_read(&other, span_of(administrators, sizeof(administrators))));
	assert_true(sid_equal(&sid, &other));
	sid_text(&other, text);
	assert_string_equal(text, "S-1-5-32-544");
	other = sid_sibling(&sid, 4294967295u);
	sid_text(&other, text);
	assert_string_equal(text, "S-1-5-32-4294967295");
	assert_false(sid_equal(&sid, &other));
}

static void longest(void **state)
{
	static const char most[] =
		"S-1-281474976710655-4294967295-4294967295-4294967295-4294967295-"
		"4294967295-4294967295-4294967295-4294967295-4294967295-"
		"4294967295-4294967295-4294967295-4294967295-4294967295-"
		"4294967295";
	struct rg_sid sid;
	char text[RG_SID_TEXT], more[sizeof(most) + 2];
	(void)state;
	assert_true(sid_parse(&sid, span_text(most)));
	sid_text(&sid, text);
	assert_string_equal(text, most);
	strcpy(more, most);
	strcat(more, "-1");
	assert_false(sid_parse(&sid, span_text(more)));
}

static void what_is_none(void **state)
{
	static const char *const texts[] = {"",
					    "S-1-5",
					    "S-1-5-",
					    "S-1-5-x",
					    "S-2-5-32",
					    "s-1-5-32",
					    "S-1-5-32-",
					    "S-1-5-32--1",
					    "S-1-5-32 ",
					    "S-1-5-4294967296",
					    "S-1-5-00000000000000032",
					    "S-1--32-544"};
	static const uint8_t wrong[] = {2, 1, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0};
	struct rg_sid sid, none = {.length = 0};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_false(sid_parse(&sid, span_text(texts[i])));
		assert_int_equal(sid.length, 0);
	}
	assert_false(sid_read(&sid, span_of(wrong, sizeof(wrong))));
	for (size_t length = 0; length < sizeof(administrators); length++)
		assert_false(sid_read(&sid, span_of(administrators, length)));
	assert_false(sid_equal(&none, &none));
}

static void presets_are_filters(void **state)
{
	const unsigned people = RG_NAMES_IDENTITY | RG_NAMES_USER | RG_NAMES_REALM;
	char why[160];
	(void)state;
	for (int type = RG_LOOKUP_LDAP; type <= RG_LOOKUP_FREEIPA; type++) {
		const struct rg_preset *preset = &presets[type];
		assert_true(filter_check(preset->filter, people, NULL, why));
		assert_true(
			filter_check(preset->machine_filter, people | RG_NAMES_HOST, NULL, why));
		assert_true(filter_check(preset->disabled, RG_NAMES_FILETIME, NULL, why));
		assert_true(filter_check(preset->disabled_bind, RG_NAMES_FILETIME, NULL, why));
	}
}

static void filetime(void **state)
{
	char text[64];
	struct rg_buffer out = buffer_over(text, sizeof(text));
	/* 2001-09-09T01:46:40Z */
	const struct rg_filter_names names = {.wall_ns = UINT64_C(1000000000) * 1000000000u};
	(void)state;
	assert_true(filter_expand(&out, "(accountExpires<=%{filetime})", &names));
	assert_string_equal(text, "(accountExpires<=126444736000000000)");
}

static void no_certificate_no_mapping(void **state)
{
	static const uint8_t garbage[] = {0x30, 0x82, 0xff, 0xff, 1, 2, 3};
	(void)state;
	assert_null(mapping_new(span_of(garbage, sizeof(garbage))));
	assert_null(mapping_new(span_of(garbage, 0)));
}

static void a_key_wins_over_its_preset(void **state)
{
	static const int off[] = {RG_MAPPING_OFF};
	struct rg_lookup lookup = {.type = RG_LOOKUP_AD};
	(void)state;
	assert_int_equal(lookup_mapping(&lookup).count, 3);
	assert_true(lookup_groups(&lookup)->primary);
	assert_non_null(strstr(lookup_filter(&lookup, ""), "sAMAccountName"));
	assert_non_null(strstr(lookup_filter(&lookup, "pc1.b.nl"), "objectClass=computer"));
	assert_non_null(lookup_account_control(&lookup));
	lookup = (struct rg_lookup){.type = RG_LOOKUP_AD,
				    .filter = "(uid=%{user})",
				    .disabled = "",
				    .groups = {.present = true, .attribute = "own"},
				    .certificate_mapping = {off, 1},
				    .account_control = ""};
	assert_int_equal(lookup_mapping(&lookup).count, 0);
	assert_string_equal(lookup_groups(&lookup)->attribute, "own");
	assert_string_equal(lookup_filter(&lookup, ""), "(uid=%{user})");
	assert_string_equal(lookup_disabled(&lookup, true), "");
	assert_null(lookup_account_control(&lookup));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_and_octets),
		cmocka_unit_test(longest),
		cmocka_unit_test(what_is_none),
		cmocka_unit_test(presets_are_filters),
		cmocka_unit_test(filetime),
		cmocka_unit_test(no_certificate_no_mapping),
		cmocka_unit_test(a_key_wins_over_its_preset),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

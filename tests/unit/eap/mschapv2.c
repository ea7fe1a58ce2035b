/* The vectors of RFC 2759 §9.2 and RFC 3079 §3.5.3, and whose name a Response may bear. */
#include "roamgate/mschapv2.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t challenge[16] = {0x5b, 0x5d, 0x7c, 0x7d, 0x7b, 0x3f, 0x2f, 0x3e,
				      0x3c, 0x2c, 0x60, 0x21, 0x32, 0x26, 0x26, 0x28};
static const uint8_t response[49] = {
	0x21, 0x40, 0x23, 0x24, 0x25, 0x5e, 0x26, 0x2a, 0x28, 0x29, 0x5f, 0x2b, 0x3a, 0x33, 0x7c, 0x7e,
	0,    0,    0,	  0,	0,    0,    0,	  0,	0x82, 0x30, 0x9e, 0xcd, 0x8d, 0x70, 0x8b, 0x5e,
	0xa0, 0x8f, 0xaa, 0x39, 0x81, 0xcd, 0x83, 0x54, 0x42, 0x33, 0x11, 0x4a, 0x3d, 0x85, 0xd6, 0xdf,
	0};
static const uint8_t hash_hash[16] = {0x41, 0xc0, 0x0c, 0x58, 0x4b, 0xd2, 0xd9, 0x1c,
				      0x40, 0x17, 0xa2, 0xa1, 0x2f, 0xa5, 0x9f, 0x3f};

static const char *take(struct rg_mschapv2 *mschapv2, const char *name, const char *identity)
{
	*mschapv2 = (struct rg_mschapv2){0};
	memcpy(mschapv2->challenge, challenge, sizeof(challenge));
	return mschapv2_take(mschapv2, span_of(response, sizeof(response)), span_text(name),
			     identity);
}

static void vectors_of_rfc_2759(void **state)
{
	static const uint8_t hash[8] = {0xd0, 0x2e, 0x43, 0x86, 0xbc, 0xe9, 0x12, 0x26};
	static const uint8_t send_key[16] = {0x8b, 0x7c, 0xdc, 0x14, 0x9b, 0x99, 0x3a, 0x1b,
					     0xa1, 0x18, 0xcb, 0x15, 0x3f, 0x56, 0xdc, 0xcb};
	struct rg_mschapv2 mschapv2;
	char text[RG_MSCHAPV2_AUTHENTICATOR + 1];
	uint8_t keys[32];
	(void)state;
	assert_null(take(&mschapv2, "User", "User"));
	assert_memory_equal(mschapv2.claim.challenge, hash, sizeof(hash));
	assert_memory_equal(mschapv2.claim.nt_response, response + 24, 24);
	assert_true(mschapv2_authenticator(&mschapv2, hash_hash, text));
	assert_string_equal(text, "S=407A5589115FD0D6209F510FE9C04566932CDA56");
	assert_true(mschapv2_keys(&mschapv2, hash_hash, keys));
	assert_memory_equal(keys + 16, send_key, sizeof(send_key));
}

static void the_domain_is_left_out_of_the_hash(void **state)
{
	static const uint8_t hash[8] = {0xd0, 0x2e, 0x43, 0x86, 0xbc, 0xe9, 0x12, 0x26};
	struct rg_mschapv2 mschapv2;
	(void)state;
	assert_null(take(&mschapv2, "BEUNINGEN\\User", "user@beuningen.nl"));
	assert_memory_equal(mschapv2.claim.challenge, hash, sizeof(hash));
	assert_string_equal(mschapv2.claim.mschap_name, "User");
}

static void E7_a_response_bears_the_name_of_the_identity(void **state)
{
	static const struct {
		const char *name, *identity;
		bool fits;
	} cases[] = {
		{"jan@beuningen.nl", "jan@beuningen.nl", true},
		{"jan", "jan@beuningen.nl", true},
		{"jan@beuningen.nl", "jan", true},
		{"JAN", "BEUNINGEN\\jan", true},
		{"host/pc1.beuningen.nl", "host/pc1.beuningen.nl", true},
		{"piet", "jan@beuningen.nl", false},
		{"jan@druten.nl", "jan@beuningen.nl", false},
		{"BEUNINGEN\\piet", "jan", false},
		{"", "jan", false},
		{"jan", "", false},
	};
	struct rg_mschapv2 mschapv2;
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(!take(&mschapv2, cases[i].name, cases[i].identity), cases[i].fits);
}

static void broken_responses(void **state)
{
	struct rg_mschapv2 mschapv2 = {0};
	(void)state;
	for (size_t length = 0; length < sizeof(response); length++)
		assert_non_null(mschapv2_take(&mschapv2, span_of(response, length),
					      span_text("jan"), "jan"));
	assert_non_null(mschapv2_take(&mschapv2, span_of(response, sizeof(response)),
				      span_of("ja\0n", 4), "jan"));
}

static void codes_that_windows_shows(void **state)
{
	static const struct {
		enum rg_reason reason;
		const char *begins;
	} cases[] = {
		{RG_REASON_PASSWORD_WRONG, "E=691 R=1 C=5B5D7C7D7B3F2F3E3C2C602132262628 V=3 M="},
		{RG_REASON_DIRECTORY_NO_ENTRY, "E=691 R=1 "},
		{RG_REASON_DIRECTORY_DISABLED, "E=647 "},
		{RG_REASON_ACCOUNT_LOCKED, "E=647 "},
		{RG_REASON_PASSWORD_EXPIRED, "E=648 "},
		{RG_REASON_PASSWORD_MUST_CHANGE, "E=648 "},
		{RG_REASON_TOO_MANY_ATTEMPTS, "E=646 "},
		{RG_REASON_NOT_AUTHORIZED, "E=649 "},
	};
	char text[128];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t length = mschapv2_failure(text, cases[i].reason, true, challenge);
		assert_int_equal(length, strlen(text));
		assert_memory_equal(text, cases[i].begins, strlen(cases[i].begins));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_of_rfc_2759),
		cmocka_unit_test(the_domain_is_left_out_of_the_hash),
		cmocka_unit_test(E7_a_response_bears_the_name_of_the_identity),
		cmocka_unit_test(broken_responses),
		cmocka_unit_test(codes_that_windows_shows),
	};
	return cmocka_run_group_tests_name("eap/mschapv2", tests, NULL, NULL);
}

/* MSCHAPv2's arithmetic against the vectors of RFC 2759 §9.2, and passwords that are no ASCII. */
#include "directory/nt_hash.h"

#include <stdlib.h>

#include "core/secret.h"
#include "shortage.h"
#include "support.h"

/* §9.2: user "User", password "clientPass". */
static const uint8_t rfc_challenge[8] = {0xD0, 0x2E, 0x43, 0x86, 0xBC, 0xE9, 0x12, 0x26};
static const uint8_t rfc_hash[16] = {0x44, 0xEB, 0xBA, 0x8D, 0x53, 0x12, 0xB8, 0xD6,
				     0x11, 0x47, 0x44, 0x11, 0xF5, 0x69, 0x89, 0xAE};
static const uint8_t rfc_response[24] = {0x82, 0x30, 0x9E, 0xCD, 0x8D, 0x70, 0x8B, 0x5E,
					 0xA0, 0x8F, 0xAA, 0x39, 0x81, 0xCD, 0x83, 0x54,
					 0x42, 0x33, 0x11, 0x4A, 0x3D, 0x85, 0xD6, 0xDF};
static const uint8_t rfc_hash_hash[16] = {0x41, 0xC0, 0x0C, 0x58, 0x4B, 0xD2, 0xD9, 0x1C,
					  0x40, 0x17, 0xA2, 0xA1, 0x2F, 0xA5, 0x9F, 0x3F};

/* MSCHAPv2 was impossible then for as long as the directory lasted: its provider was taken for missing. */
static void O3_no_memory_for_a_moment_is_no_missing_provider(void **state)
{
	(void)state;
	/* Loading it asks a few thousand times; each seventh tells enough. */
	for (unsigned at = 1; at == 1 || shortage.failed; at += 7) {
		shortage.failed = false;
		shortage.left = at;
		struct rg_nt_digests *digests = nt_digests_new();
		shortage.left = 0;
		assert_non_null(digests);
		nt_digests_free(&digests);
	}
}

static int setup(void **state)
{
	*state = nt_digests_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	struct rg_nt_digests *digests = *state;
	nt_digests_free(&digests);
	return digests ? -1 : 0;
}

static void vectors_of_rfc_2759(void **state)
{
	uint8_t hash[16], response[24];
	assert_true(nt_hash_make(*state, span_text("clientPass"), hash));
	assert_memory_equal(hash, rfc_hash, sizeof(hash));
	assert_true(nt_response_make(*state, rfc_challenge, hash, response));
	assert_memory_equal(response, rfc_response, sizeof(response));
}

static struct rg_question rfc_question(void)
{
	struct rg_question question = {.kind = RG_ASK_MSCHAPV2, .mschap_name = "User"};
	memcpy(question.challenge, rfc_challenge, sizeof(question.challenge));
	memcpy(question.nt_response, rfc_response, sizeof(question.nt_response));
	return question;
}

static void the_right_response_gives_the_hash_of_the_hash(void **state)
{
	struct rg_question question = rfc_question();
	assert_int_equal(nt_hash_verify(*state, rfc_hash, &question), RG_OUTCOME_FOUND);
	assert_memory_equal(question.hash_hash, rfc_hash_hash, sizeof(question.hash_hash));
}

static void any_other_response_gives_nothing(void **state)
{
	const uint8_t none[16] = {0};
	for (size_t i = 0; i < 24 * 8; i++) {
		struct rg_question question = rfc_question();
		question.nt_response[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_equal(nt_hash_verify(*state, rfc_hash, &question),
				 RG_OUTCOME_WRONG_SECRET);
		assert_memory_equal(question.hash_hash, none, sizeof(none));
	}
	struct rg_question question = rfc_question();
	question.challenge[0] ^= 1;
	assert_int_equal(nt_hash_verify(*state, rfc_hash, &question), RG_OUTCOME_WRONG_SECRET);
	question = rfc_question();
	assert_int_equal(nt_hash_verify(*state, none, &question), RG_OUTCOME_WRONG_SECRET);
}

/* Computed with iconv -t UTF-16LE | openssl dgst -provider legacy -md4. */
static void passwords_are_unicode(void **state)
{
	static const struct {
		const char *password;
		uint8_t hash[16];
	} known[] = {
		{"",
		 {0x31, 0xd6, 0xcf, 0xe0, 0xd1, 0x6a, 0xe9, 0x31, 0xb7, 0x3c, 0x59, 0xd7, 0xe0,
		  0xc0, 0x89, 0xc0}},
		{"geheim",
		 {0xc2, 0xae, 0x1f, 0xe6, 0xe6, 0x48, 0x84, 0x63, 0x52, 0x45, 0x3e, 0x81, 0x6f,
		  0x2a, 0xeb, 0x93}},
		{"wachtw\xc3\xb6\xc3\xb6"
		 "rd",
		 {0x1e, 0x40, 0x53, 0xd8, 0xd9, 0x5d, 0xa4, 0x93, 0xfd, 0xee, 0x86, 0xd3, 0xc3,
		  0x08, 0x13, 0xef}},
		{"\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac",
		 {0x18, 0x1d, 0x21, 0xee, 0x29, 0x0b, 0x53, 0x31, 0x18, 0xfa, 0x1a, 0x7c, 0x88,
		  0x89, 0xe0, 0x4a}},
		{"\xf0\x9f\x98\x80",
		 {0x4b, 0x58, 0xa1, 0x0c, 0xc2, 0x0a, 0x4e, 0x7d, 0x80, 0x8d, 0x21, 0x8e, 0x1f,
		  0x80, 0xaa, 0xbc}},
	};
	uint8_t hash[16];
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		assert_true(nt_hash_make(*state, span_text(known[i].password), hash));
		assert_memory_equal(hash, known[i].hash, sizeof(hash));
	}
}

static void what_is_no_UTF_8_has_no_hash(void **state)
{
	static const char *const broken[] = {"\x80",
					     "a\xc3",
					     "\xc0\xaf",
					     "\xe0\x80\xaf",
					     "\xed\xa0\x80",
					     "\xf8\x88\x80\x80\x80",
					     "\xf4\x90\x80\x80",
					     "\xf0\x80\x80\x80",
					     "\xff",
					     "\xe2\x82",
					     "\xc3g"};
	uint8_t hash[16];
	char many[258];
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		assert_false(nt_hash_make(*state, span_text(broken[i]), hash));
	memset(many, 'x', sizeof(many));
	assert_true(nt_hash_make(*state, span_of(many, 256), hash));
	assert_false(nt_hash_make(*state, span_of(many, 257), hash));
}

static void stored_as_digits_or_octets(void **state)
{
	uint8_t hash[16];
	(void)state;
	assert_true(nt_hash_read(span_text("44EBBA8D5312B8D611474411F56989AE"), hash));
	assert_memory_equal(hash, rfc_hash, sizeof(hash));
	assert_true(nt_hash_read(span_text("44ebba8d5312b8d611474411f56989ae"), hash));
	assert_memory_equal(hash, rfc_hash, sizeof(hash));
	assert_true(nt_hash_read(span_of(rfc_hash, 16), hash));
	assert_memory_equal(hash, rfc_hash, sizeof(hash));
	assert_false(nt_hash_read(span_text("44EBBA8D5312B8D611474411F56989A"), hash));
	assert_false(nt_hash_read(span_text("44EBBA8D5312B8D611474411F56989AG"), hash));
	assert_false(nt_hash_read(span_text("XNO PASSWORDXXXXXXXXXXXXXXXXXXXXX"), hash));
	/* What Samba writes for an account without password: 32 octets that are no digits. */
	assert_false(nt_hash_read(span_text("NO PASSWORDXXXXXXXXXXXXXXXXXXXXX"), hash));
	assert_false(nt_hash_read(span_text(""), hash));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(O3_no_memory_for_a_moment_is_no_missing_provider),
		cmocka_unit_test(vectors_of_rfc_2759),
		cmocka_unit_test(the_right_response_gives_the_hash_of_the_hash),
		cmocka_unit_test(any_other_response_gives_nothing),
		cmocka_unit_test(passwords_are_unicode),
		cmocka_unit_test(what_is_no_UTF_8_has_no_hash),
		cmocka_unit_test(stored_as_digits_or_octets),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}

/* Reasons: exactly the words of the command-line contract, and a sentence for each. */
#include "roamgate/reason.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* In the contract's order. */
static const char *const contract[] = {
	"accepted", "realm-unknown", "realm-malformed", "realm-refused", "realm-loop", "client-unknown",
	"client-secret", "ssid-refused", "method-refused", "supplicant-abandoned",
	"supplicant-distrusts-server", "certificate-expired", "certificate-revoked",
	"certificate-unknown-ca", "certificate-invalid", "certificate-other-realm",
	"revocation-unavailable", "identity-mismatch", "directory-no-entry", "directory-ambiguous",
	"directory-disabled", "directory-unavailable", "password-wrong",
	"password-expired", "password-must-change", "account-locked", "not-authorized",
	"too-many-attempts", "upstream-refused", "upstream-timeout", "upstream-unavailable", "overload",
	"internal"};

static void words_are_those_of_the_contract(void **state)
{
	(void)state;
	assert_int_equal(RG_REASON_COUNT, sizeof(contract) / sizeof(contract[0]) + 1);
	for (int i = 1; i < RG_REASON_COUNT; i++)
		assert_string_equal(reason_word((enum rg_reason)i), contract[i - 1]);
	assert_string_equal(reason_word(RG_REASON_NONE), "none");
	assert_string_equal(reason_word((enum rg_reason)1000), "internal");
}

static void each_has_one_sentence_of_its_own(void **state)
{
	(void)state;
	for (int i = 0; i < RG_REASON_COUNT; i++) {
		const char *advice = reason_advice((enum rg_reason)i);
		size_t length = strlen(advice);
		assert_in_range(length, 20, 250);
		assert_int_equal(advice[length - 1], '.');
		assert_null(strstr(advice, ". "));
		assert_null(strpbrk(advice, "\"\\\n"));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(advice, reason_advice((enum rg_reason)j));
	}
	assert_string_equal(reason_advice((enum rg_reason)1000), reason_advice(RG_REASON_INTERNAL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_those_of_the_contract),
		cmocka_unit_test(each_has_one_sentence_of_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

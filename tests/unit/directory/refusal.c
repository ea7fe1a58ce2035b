/* What servers of each make say when they take no password. */
#include "modules/dir_ldap/refusal.h"

#include <ldap.h>
#include <stdio.h>

#include "support.h"

static enum rg_outcome read_refusal(int code, const char *text, int policy, bool expired)
{
	const struct rg_bind_answer answer = {code, text, policy, expired};
	const char *why = NULL;
	enum rg_outcome outcome = refusal_read(&answer, &why);
	assert_non_null(why);
	return outcome;
}

static void active_directory(void **state)
{
	static const struct {
		const char *data;
		enum rg_outcome outcome;
	} known[] = {
		{"525", RG_OUTCOME_WRONG_SECRET},     {"52e", RG_OUTCOME_WRONG_SECRET},
		{"530", RG_OUTCOME_DISABLED},         {"531", RG_OUTCOME_DISABLED},
		{"532", RG_OUTCOME_PASSWORD_EXPIRED}, {"533", RG_OUTCOME_DISABLED},
		{"701", RG_OUTCOME_DISABLED},         {"773", RG_OUTCOME_MUST_CHANGE},
		{"775", RG_OUTCOME_LOCKED},           {"999", RG_OUTCOME_WRONG_SECRET},
		{"", RG_OUTCOME_WRONG_SECRET},        {"7755", RG_OUTCOME_WRONG_SECRET},
	};
	char text[200];
	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		snprintf(text, sizeof(text),
			 "80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, "
			 "data %s, v4563",
			 known[i].data);
		assert_int_equal(read_refusal(LDAP_INVALID_CREDENTIALS, text, PP_noError, false),
				 known[i].outcome);
	}
}

static void password_policies(void **state)
{
	(void)state;
	assert_int_equal(read_refusal(LDAP_SUCCESS, "", PP_noError, false), RG_OUTCOME_FOUND);
	assert_int_equal(read_refusal(LDAP_SUCCESS, "", PP_changeAfterReset, false),
			 RG_OUTCOME_MUST_CHANGE);
	assert_int_equal(read_refusal(LDAP_INVALID_CREDENTIALS, "", PP_noError, false),
			 RG_OUTCOME_WRONG_SECRET);
	assert_int_equal(read_refusal(LDAP_INVALID_CREDENTIALS, "", PP_passwordExpired, false),
			 RG_OUTCOME_PASSWORD_EXPIRED);
	assert_int_equal(read_refusal(LDAP_INVALID_CREDENTIALS, "", PP_accountLocked, false),
			 RG_OUTCOME_LOCKED);
}

static void other_servers(void **state)
{
	(void)state;
	assert_int_equal(read_refusal(LDAP_INVALID_CREDENTIALS, "", PP_noError, true),
			 RG_OUTCOME_PASSWORD_EXPIRED);
	assert_int_equal(read_refusal(LDAP_CONSTRAINT_VIOLATION,
				      "Exceed password retry limit. Please try later.", PP_noError,
				      false),
			 RG_OUTCOME_LOCKED);
	assert_int_equal(read_refusal(LDAP_UNWILLING_TO_PERFORM,
				      "Account inactivated. Contact system administrator.",
				      PP_noError, false),
			 RG_OUTCOME_DISABLED);
	assert_int_equal(read_refusal(LDAP_INAPPROPRIATE_AUTH, "", PP_noError, false),
			 RG_OUTCOME_WRONG_SECRET);
}

/* Nothing of these is about the person. */
static void trouble_is_no_refusal(void **state)
{
	static const int codes[] = {LDAP_BUSY,
				    LDAP_UNAVAILABLE,
				    LDAP_OTHER,
				    LDAP_STRONG_AUTH_REQUIRED,
				    LDAP_UNWILLING_TO_PERFORM,
				    LDAP_CONSTRAINT_VIOLATION,
				    LDAP_OPERATIONS_ERROR,
				    LDAP_CONFIDENTIALITY_REQUIRED,
				    LDAP_DECODING_ERROR,
				    LDAP_REFERRAL};
	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		assert_int_equal(read_refusal(codes[i], "", PP_noError, false),
				 RG_OUTCOME_UNAVAILABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(active_directory),
		cmocka_unit_test(password_policies),
		cmocka_unit_test(other_servers),
		cmocka_unit_test(trouble_is_no_refusal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "refusal.h"

#include <ldap.h>
#include <stdlib.h>
#include <string.h>

struct saying {
	unsigned long code;
	enum rg_outcome outcome;
	const char *why;
};

/* Active Directory: "… AcceptSecurityContext error, data 52e, v1db1"; the number is a Windows error
 * ([MS-ERREF] 2.2), in hexadecimal. */
static const struct saying windows[] = {
	{0x525, RG_OUTCOME_WRONG_SECRET, "the server knows no such user"},
	{0x52e, RG_OUTCOME_WRONG_SECRET, ""},
	{0x530, RG_OUTCOME_DISABLED, "not at this time of the week"},
	{0x531, RG_OUTCOME_DISABLED, "not from here"},
	{0x532, RG_OUTCOME_PASSWORD_EXPIRED, ""},
	{0x533, RG_OUTCOME_DISABLED, ""},
	{0x701, RG_OUTCOME_DISABLED, "the account has expired"},
	{0x773, RG_OUTCOME_MUST_CHANGE, ""},
	{0x775, RG_OUTCOME_LOCKED, ""},
};

static const struct saying *windows_find(const char *text)
{
	const char *at = strstr(text, ", data ");
	char *end;
	if (!at)
		return NULL;
	unsigned long code = strtoul(at + 7, &end, 16);
	for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++)
		if (end != at + 7 && windows[i].code == code)
			return &windows[i];
	return NULL;
}

static enum rg_outcome invalid_credentials(const struct rg_bind_answer *answer, const char **why)
{
	const struct saying *saying = windows_find(answer->text);
	if (answer->expired || answer->policy == PP_passwordExpired)
		return RG_OUTCOME_PASSWORD_EXPIRED;
	if (answer->policy == PP_accountLocked)
		return RG_OUTCOME_LOCKED;
	if (!saying)
		return RG_OUTCOME_WRONG_SECRET;
	*why = saying->why;
	return saying->outcome;
}

enum rg_outcome refusal_read(const struct rg_bind_answer *answer, const char **why)
{
	*why = "";
	switch (answer->code) {
	case LDAP_SUCCESS:
		/* Draft §5.2.2: nothing but a change of the password is allowed now. */
		if (answer->policy == PP_changeAfterReset)
			return RG_OUTCOME_MUST_CHANGE;
		return answer->policy == PP_passwordExpired || answer->expired
			       ? RG_OUTCOME_PASSWORD_EXPIRED
			       : RG_OUTCOME_FOUND;
	case LDAP_INVALID_CREDENTIALS:
		return invalid_credentials(answer, why);
	case LDAP_INAPPROPRIATE_AUTH: /* RFC 4511, appendix A: no password can be right */
		*why = "the entry has no password";
		return RG_OUTCOME_WRONG_SECRET;
	case LDAP_CONSTRAINT_VIOLATION: /* 389 Directory Server, after too many wrong ones */
		if (strstr(answer->text, "retry limit"))
			return RG_OUTCOME_LOCKED;
		return RG_OUTCOME_UNAVAILABLE;
	case LDAP_UNWILLING_TO_PERFORM: /* 389 Directory Server, nsAccountLock */
		if (strstr(answer->text, "inactivated"))
			return RG_OUTCOME_DISABLED;
		return RG_OUTCOME_UNAVAILABLE;
	}
	return RG_OUTCOME_UNAVAILABLE;
}

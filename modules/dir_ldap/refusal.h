/* What a server means by its answer to a bind: which directories say what, and how. */
#ifndef DIR_LDAP_REFUSAL_H
#define DIR_LDAP_REFUSAL_H
#include <stdbool.h>

#include "roamgate/directory.h"

/* The answer to a simple bind (RFC 4511 §4.2.2). */
struct rg_bind_answer {
	int code;         /* LDAP result code */
	const char *text; /* the diagnostic message; "" for none */
	int policy;       /* error of the password policy's response control
			   * (draft-behera-ldap-password-policy §6.2), or PP_noError */
	bool expired;     /* 389 Directory Server's control 2.16.840.1.113730.3.4.4 is there */
};

/* UNAVAILABLE: it says nothing about the person. why, where it is not "", says more than the
 * outcome; static. */
enum rg_outcome refusal_read(const struct rg_bind_answer *, const char **why);
#endif

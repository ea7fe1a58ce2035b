/* A realm's `authorize` rules: the first whose conditions all hold decides. */
#ifndef RG_HOME_AUTHORIZE_H
#define RG_HOME_AUTHORIZE_H
#include "config/raddb.h"

struct rg_circumstances {
	const char *identity; /* that counts */
	const char *method;   /* "tls" */
	const char *site, *operator; /* the client's; "" for a federation peer */
	const bool *member;   /* by the realm's groups */
};

/* The rule that decides, or NULL: none matches, which refuses. */
const struct rg_rule *authorize(const struct rg_realm *, const struct rg_circumstances *);
#endif

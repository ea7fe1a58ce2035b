/* Who somebody is, once proven: the name that counts, taken apart for filters, and held against the realm and the
 * outer identity (configuration.md, "Outer and certificate", "Names in filters"). */
#ifndef RG_HOME_IDENTITY_H
#define RG_HOME_IDENTITY_H
#include "config/raddb.h"
#include "roamgate/eap.h"
#include "route/table.h"

struct rg_identity {
	char identity[256]; /* "jan@beuningen.nl", "jan", "host/laptop7.beuningen.nl" */
	char user[256];     /* "jan", "laptop7" */
	char realm[256];    /* "beuningen.nl" */
	char host[256];     /* "laptop7.beuningen.nl" of a machine, else "" */
};

/* RG_REASON_NONE: it lies in the realm (by the table that requests are routed by) and goes with the outer name, and
 * `identity` is filled. Otherwise why not; detail (160 octets) says it in words, escaped. */
enum rg_reason identity_settle(struct rg_identity *identity, const struct rg_realm *,
			       const struct rg_route_table *, const struct rg_proof *,
			       const char *outer, char *detail);
#endif

/* A realm of this region in use: its configuration and what runs for it. One a snapshot. */
#ifndef RG_HOME_REALM_H
#define RG_HOME_REALM_H
#include "config/raddb.h"
#include "directory/broker.h"
#include "eap/tls_context.h"
#include "route/table.h"

struct rg_home {
	const struct rg_realm *realm;
	struct rg_tls_context *tls;
	struct rg_directory *directory;
	const struct rg_tls_trust_set *trust; /* the client CAs of all local realms */
	const struct rg_route_table *routes;  /* whose name is whose, of all realms and routes */
};
#endif

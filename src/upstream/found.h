/* Routes to peers that discovery found: one for each realm, made when its first request goes there,
 * renewed as DNS says, gone after a time without use. A worker has its own, and its own
 * connections. */
#ifndef RG_UPSTREAM_FOUND_H
#define RG_UPSTREAM_FOUND_H
#include "discover/discover.h"
#include "upstream/upstream.h"

#define RG_FOUND_PEERS_MOST 4 /* of one realm; the written ones of its route come behind them */

struct rg_found_order {
	struct rg_discover *discover; /* of the same configuration as: */
	const struct rg_route *route; /* the written one, with `discover` */
	struct rg_span realm;         /* of the User-Name */
	uint64_t now;
};

/* The way to the found peers of that realm, to be sent to with upstream_send at once. Where it has
 * come into its last part discovery is asked for it anew meanwhile. NULL: ask, and tell
 * found_learn. */
const struct rg_route *found_route(struct rg_upstream *, const struct rg_found_order *);
/* What discovery has told, RG_FOUND_PEERS. NULL: as many realms as may be have found peers and all
 * are in use, or the route is not configured any more, or there is no memory. */
const struct rg_route *found_learn(struct rg_upstream *, const struct rg_found_order *,
				   struct rg_found *);
#endif

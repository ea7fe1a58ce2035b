/* Which peer of a route is asked. Private to this folder. */
#ifndef RG_UPSTREAM_POOL_H
#define RG_UPSTREAM_POOL_H
#include "upstream/peer.h"

#define RG_POOL_MOST 64 /* peers of a route: RG_ROUTE_PEERS_MOST, and those that discovery found */

struct rg_choice {
	const struct rg_route *route;
	uint32_t realm;
	const struct rg_packet *packet; /* the request */
	uint64_t tried;                 /* by place in the route; what is chosen is added */
	enum rg_fitness worst;          /* none that is less fit */
	uint8_t place;                  /* of what is chosen */
	uint64_t now;
};

/* The fittest peer that was not tried: of a conversation under way the one that gave its State; else by the
 * route's strategy. Where all are down, one that is: someone must find out that it lives again. NULL: all were tried. */
struct rg_peer *pool_choose(struct rg_upstream *, struct rg_choice *);
uint32_t realm_hash(struct rg_span realm); /* without case; never 0 */
#endif

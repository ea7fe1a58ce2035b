/* Requests of others' realms: sent to a peer, and what their worker does when it answers. */
#ifndef RG_REQUEST_AWAY_H
#define RG_REQUEST_AWAY_H
#include "request/path.h"
#include "upstream/upstream.h"

/* Sends the request, as packet says it, to a peer of the route. RG_DROP: none could take it; the
 * request is gone. */
enum rg_next away_send(struct rg_request *, const struct rg_packet *, const struct rg_route *,
		       struct rg_span realm, uint64_t now);
/* It could be sent to nobody: a record says why, and the request is gone; a repeat tries again.
 * Always RG_DROP. */
enum rg_next away_silence(struct rg_request *, const struct rg_packet *, const char *detail);

extern const struct rg_upstream_events away_events; /* context: the worker */
#endif

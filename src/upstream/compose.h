/* The packet that goes on to a peer: the client's, less what may not cross (federation.md), plus what must. */
#ifndef RG_UPSTREAM_COMPOSE_H
#define RG_UPSTREAM_COMPOSE_H
#include "config/raddb.h"
#include "radius/key.h"
#include "radius/packet.h"
#include "radius/rehide.h"

#define RG_PROXY_STATES_MOST 16 /* more is a loop */

struct rg_composition {
	const struct rg_packet *source;         /* as the client sent it, or as we sent it to a former peer */
	const struct rg_radius_key *source_key;
	bool again;                             /* the latter: our marks are on it already */
	const char *operator_name;              /* RFC 5580: said in place of what the client says; may be NULL */
	const struct rg_radius_key *key;        /* the peer's */
	uint32_t token;
	uint8_t node;                           /* of this gateway, in its Proxy-State */
	const uint8_t *authenticator;           /* random; of an Accounting-Request it is computed instead */
};

/* Writes into out (RG_RADIUS_MOST octets) what is still to be sealed (radius/key.h), but for an Accounting-Request, which is.
 * Empty span: it does not fit, or its password is broken. */
struct rg_span compose_request(const struct rg_composition *, uint8_t *out);

/* The answer of a peer as the client gets it. */
struct rg_reply_composition {
	const struct rg_packet *answer;
	const struct rg_radius_key *peer_key;
	const uint8_t *peer_authenticator;    /* of our request to the peer */
	const struct rg_radius_key *key;      /* the client's */
	const uint8_t *authenticator;         /* of the client's request */
	uint32_t token;
	struct rg_span proxy_states;          /* the client's, as whole attributes */
	struct rg_span visitor_reply;         /* added to an Accept; empty for a federation peer */
	const struct rg_rehiding *rehidden;   /* its MS-MPPE keys, where that was done already */
	size_t rehidden_count;
};

/* What is to be hidden anew of it, at most so many; returns how many. */
size_t compose_reply_keys(const struct rg_reply_composition *, struct rg_rehiding *, size_t most);

/* Writes into out (RG_RADIUS_MOST octets) what is still to be sealed. Empty span: it does not fit, or an MS-MPPE key of it is
 * broken. */
struct rg_span compose_reply(const struct rg_reply_composition *, uint8_t *out);
#endif

/* One request, from the moment it is known to be genuine and new until its answer need not be
 * repeated any more. It lives in its worker's window (window.h). */
#ifndef RG_REQUEST_REQUEST_H
#define RG_REQUEST_REQUEST_H
#include <stdbool.h>
#include <stdint.h>

#include "client/policy.h"
#include "config/raddb.h"
#include "core/timer.h"
#include "radius/key.h"
#include "route/nai.h"
#include "route/table.h"
#include "transport/udp.h"

struct rg_lease;
struct rg_link;
struct rg_session;
struct rg_forward;
struct rg_wait;
struct rg_worker;

enum rg_request_state {
	RG_REQUEST_UNDER_WAY, /* a session or a peer works on it */
	RG_REQUEST_DELAYED,   /* its Reject is ready and waits for its time */
	RG_REQUEST_SILENT,    /* it could not be decided, and its repeats are met with silence too */
	RG_REQUEST_ANSWERED,  /* kept to be answered again, byte for byte (RFC 5080 §2.2.2) */
};

struct rg_request {
	struct rg_request *next; /* in its window's bucket */
	struct rg_request *older, *newer; /* among the answered ones */
	struct rg_worker *worker;
	struct rg_timer timer;
	enum rg_request_state state;
	/* Where it came from and how an answer must look. */
	struct rg_link *link;
	struct rg_request *link_next, **link_self; /* among those of its link */
	union rg_address source;
	struct rg_local local;
	uint8_t code;
	uint32_t token; /* the Identifier; in RADIUS/1.1 the Token */
	uint8_t authenticator[RG_AUTHENTICATOR];
	uint64_t received_ns;
	struct rg_lease *lease; /* the configuration that it began with */
	const struct rg_client *client;
	const struct rg_radius_key *key; /* of the client's two, the one that it used */
	bool wants_cui;                  /* RFC 4372 §2.1: a CUI of one NUL */
	bool wants_key_name;             /* RFC 3748 §7.10, RFC 4072: an empty EAP-Key-Name */
	char *operator_name;             /* of the visited place, for that CUI; NULL: unknown. The worker's slab */
	uint8_t *proxy_states;           /* as whole attributes, in their order; the worker's slab */
	uint16_t proxy_states_length;
	uint8_t *reply; /* ready but for its seal; the worker's slab */
	uint16_t reply_length;
	/* Who works on it; at most one is set. */
	struct rg_session *session;
	struct rg_forward *forward;
	struct rg_wait *wait;
};

/* A datagram on its way through the stages, before and until there is a request. On the stack. */
struct rg_inbound {
	struct rg_worker *worker;
	struct rg_link *link;
	const struct rg_datagram *datagram;
	struct rg_packet packet;
	const struct rg_client *client;
	const struct rg_radius_key *key;
	enum rg_authentic authentic; /* what its digests say under that key */
	struct rg_request *request;
	struct rg_nai nai;
	struct rg_destination destination;
	bool broken; /* no RADIUS packet at all */
};
#endif

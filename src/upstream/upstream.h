/* What one worker sends to federation peers and waits for: sockets, Identifiers, health, failover.
 *
 * Retransmission belongs to the NAS (RFC 5080 §2.2.1): a repeat is sent on as it was. A peer that is found
 * down gives up what it has not answered, and each such request goes to another peer of its route; so does a request of
 * one realm that stays silent behind a peer that lives. */
#ifndef RG_UPSTREAM_UPSTREAM_H
#define RG_UPSTREAM_UPSTREAM_H
#include <uv.h>

#include "client/policy.h"
#include "config/raddb.h"
#include "core/entropy.h"
#include "core/slab.h"
#include "core/timer.h"
#include "observe/counter.h"
#include "radsec/connection.h"
#include "transport/udp.h"

struct rg_affinity;
struct rg_channel;
struct rg_found_way;
struct rg_mailbox;
struct rg_peer;
struct rg_request;

/* One request on its way. Made here, freed here once answered, lost or cancelled. */
struct rg_forward {
	struct rg_timer timer;      /* its end */
	struct rg_peer *peer;
	struct rg_channel *channel; /* where its Identifier is taken; NULL: it waits for a connection (line.h) */
	struct rg_forward *next, **self; /* among those that wait */
	struct rg_request *request; /* NULL: our own Status-Server */
	const struct rg_route *route;
	uint64_t tried;             /* peers of the route, by their places */
	uint32_t realm;             /* a hash of it; never 0 */
	uint8_t place;              /* of its peer in the route */
	uint8_t code;
	uint8_t version;            /* of bytes: RG_RADIUS_1_0 or RG_RADIUS_1_1 */
	uint32_t token;             /* the Identifier; in RADIUS/1.1 the Token */
	uint8_t authenticator[RG_AUTHENTICATOR];
	uint8_t *bytes;             /* as composed (compose.h); the worker's slab */
	uint16_t length;
	uint64_t began_ns;
	uint64_t sent_ns;           /* to this peer, the first time */
};

enum rg_lost {
	RG_LOST_TIMEOUT,
	RG_LOST_UNAVAILABLE, /* every peer of the route is down */
	RG_LOST_DECLINED,    /* and whoever lives says that it cannot */
};

struct rg_rehiding;

struct rg_upstream_events {
	/* An answer that seems genuine will be given on: its keys that are to be hidden anew, at most so many. */
	size_t (*keys)(void *context, struct rg_request *, const struct rg_forward *,
		       const struct rg_packet *answer, struct rg_rehiding *, size_t most);
	/* A genuine answer of a right code, but for a Protocol-Error. True: taken, and the forward is freed
	 * afterwards. False: it cannot be given on (attacks.md W6), and another is waited for. keys: what
	 * became of those. */
	bool (*answered)(void *context, struct rg_request *, const struct rg_forward *,
			 const struct rg_packet *answer, const struct rg_rehiding *keys, size_t key_count);
	/* It went to another peer of the route: this is its forward from now on. */
	void (*moved)(void *context, struct rg_request *, struct rg_forward *);
	/* Nobody answered; the forward is freed afterwards. */
	void (*lost)(void *context, struct rg_request *, const struct rg_forward *, enum rg_lost);
	/* A peer of policy "auto" has shown that it signs. */
	void (*learned)(void *context);
};

struct rg_upstream {
	uv_loop_t *loop;
	unsigned worker;
	uint8_t node;        /* of this gateway, in its Proxy-State */
	struct rg_wheel *wheel;
	struct rg_slab *slab;
	struct rg_entropy *entropy; /* for authenticators */
	struct rg_inbox *inbox;
	struct rg_outbox *outbox;
	struct rg_connection_place *place; /* of RadSec connections */
	struct rg_counters *counters;
	const struct rg_upstream_events *events;
	void *context;
	struct rg_affinity *affinity;
	struct rg_peer *peers;
	struct rg_peer **by_number; /* of the current configuration */
	size_t by_number_count;
	unsigned turn;              /* of strategy "balance" */
	const struct rg_raddb *raddb; /* the current configuration */
	struct rg_radsec *const *radsec; /* its credentials, by number */
	struct rg_mailbox *mailbox; /* the worker's */
	struct rg_found_way *found; /* found.h */
	struct rg_timer tend;       /* of those */
};

/* The raddb's peers from now on: those of the same digest keep sockets and health; others end once what they have
 * under way has ended. learned: by peer->number. radsec: by credential->number; they live as long as this configuration. */
void upstream_configure(struct rg_upstream *, const struct rg_raddb *, rg_learned *const *learned,
			struct rg_radsec *const *radsec);

struct rg_forward_order {
	struct rg_request *request;
	const struct rg_route *route;
	struct rg_span realm;            /* of the User-Name; in any case */
	const struct rg_packet *packet;
	const struct rg_radius_key *key; /* the client's */
	const char *operator_name;       /* of the client's site, or NULL */
	uint64_t deadline_ns;
	uint64_t now;
};

/* Sends to the peer of the route that its strategy says, or that the conversation is with. NULL: none could take it
 * (then nothing is kept). */
struct rg_forward *upstream_send(struct rg_upstream *, const struct rg_forward_order *);
/* The client repeated its request. */
void upstream_repeat(struct rg_upstream *, struct rg_forward *, uint64_t now);
/* The request is gone. */
void upstream_cancel(struct rg_upstream *, struct rg_forward **);
const struct rg_peer_settings *forward_peer(const struct rg_forward *);
/* What was sent; false: nothing yet. */
bool forward_packet(const struct rg_forward *, struct rg_packet *);
/* What protects it on its way. */
const struct rg_radius_key *forward_key(const struct rg_forward *);
/* Frees peers that are configured no more and idle; between turns of the loop. */
void upstream_tidy(struct rg_upstream *);
/* Ends everything; run the loop once more after it so that its handles close. */
void upstream_close(struct rg_upstream *);
#endif

/* The way by which a request came, and by which its answer goes back. */
#ifndef RG_REQUEST_LINK_H
#define RG_REQUEST_LINK_H
#include "config/raddb.h"
#include "transport/udp.h"

struct rg_connection;
struct rg_request;
struct rg_worker;

enum rg_link_kind {
	RG_LINK_UDP,        /* a socket of this worker's */
	RG_LINK_CONNECTION, /* a RadSec connection of this worker's */
	RG_LINK_REMOTE,     /* one of another worker's, which handed requests over */
};

struct rg_link {
	enum rg_link_kind kind;
	struct rg_worker *worker;
	unsigned serves;             /* RG_SERVES_* */
	struct rg_request *requests; /* that came by it and are in the window */
	unsigned version;            /* RG_RADIUS_1_0 or RG_RADIUS_1_1 */
	int fd;                      /* RG_LINK_UDP */
	/* What follows belongs to the other two kinds. */
	struct rg_link *next;        /* of its bucket, by serial */
	uint64_t serial;             /* by which other workers know it, with owner */
	unsigned owner;              /* the number of the worker that has the connection */
	bool busy;                   /* RG_LINK_REMOTE: a packet that came by it is on its way through the stages */
	enum rg_transport transport; /* tls or dtls */
	const struct rg_client *client; /* of the worker's current configuration */
	struct rg_connection *connection; /* RG_LINK_CONNECTION */
};

#define RG_LINK_BUCKETS 1024u

/* The links of one worker that others know by owner and serial. */
struct rg_link_table {
	struct rg_link *buckets[RG_LINK_BUCKETS];
	uint64_t last_serial;
};

/* An answer leaves: with the others of this turn of the loop. Copied. key: what it is still to be sealed with
 * (radius/key.h); NULL: it is. to, local: where a datagram came from and the address of ours that it came to. */
void link_send(struct rg_link *, struct rg_span packet, const struct rg_radius_key *key,
	       const union rg_address *to, const struct rg_local *local);

/* What protects packets on it: the client's own secret, or what the transport fixes (RFC 6614 §2.3, RFC 7360 §2.1,
 * RFC 9765 §4). */
const struct rg_radius_key *link_key(const struct rg_link *, const struct rg_client *);

/* A request lives as long as its link at most. */
void link_hold(struct rg_link *, struct rg_request *);
void link_let_go(struct rg_request *);
/* The link ends: nobody can be answered by it any more. */
void link_drop_requests(struct rg_link *);

/* A link with a serial of its own is put down, and taken out again. */
void link_enter(struct rg_link *);
void link_leave(struct rg_link *);
/* NULL: it has ended. */
struct rg_link *link_find(struct rg_worker *, unsigned owner, uint64_t serial);
#endif

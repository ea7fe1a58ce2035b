/* One connection of RADIUS over TLS (RFC 6614) or DTLS (RFC 7360), of either side: knows TLS, and how packets lie in a stream;
 * not who may ask, nor what a packet means. One worker's. */
#ifndef RG_RADSEC_CONNECTION_H
#define RG_RADSEC_CONNECTION_H
#include <time.h>
#include <uv.h>

#include "core/timer.h"
#include "radsec/credential.h"
#include "transport/udp.h"

#define RG_CONNECTION_HANDSHAKE_NS (10 * RG_SECOND) /* attacks.md T1: until both know each other */
#define RG_CONNECTION_HALF_NS (10 * RG_SECOND)	    /* … and for the rest of a packet that has begun */
#define RG_CONNECTION_STUCK_NS (10 * RG_SECOND)	    /* T2: a peer that reads nothing */
#define RG_CONNECTION_QUEUE_MOST ((size_t)1 << 20)  /* octets that wait for it */
#define RG_CONNECTION_TOGETHER 16u
#define RG_CONNECTION_IDLE_NS (30 * 60 * RG_SECOND) /* a DTLS client that is gone says no goodbye */

struct rg_connection;

enum rg_connection_end {
	RG_CONNECTION_CLOSED,	   /* by the other side */
	RG_CONNECTION_UNREACHABLE, /* no address, refused, reset, no route */
	RG_CONNECTION_TIMEOUT,	   /* the handshake, or the rest of a packet */
	RG_CONNECTION_TLS,	   /* the handshake failed: the detail says why */
	RG_CONNECTION_MALFORMED,   /* what came is no RADIUS packet */
	RG_CONNECTION_STUCK,	   /* it reads nothing */
	RG_CONNECTION_IDLE,	   /* nothing came for long */
	RG_CONNECTION_DISTRUSTED,  /* its certificate ended, or is trusted no more */
	RG_CONNECTION_OURS,	   /* we ended it */
};

struct rg_connection_events {
	/* The handshake is over. False: it is nobody we want; refusal (160 octets) says why. */
	bool (*established)(void *owner, struct rg_connection *, char *refusal);
	/* Packets that came together, at most RG_CONNECTION_TOGETHER: Length octets of each, borrowed. False: one is malformed, and
	 * the connection ends; what comes after it means nothing. */
	bool (*packets)(void *owner, struct rg_connection *, const struct rg_span *packets, size_t count);
	/* Once, the last of all, and from place_flush alone: it is freed afterwards. */
	void (*ended)(void *owner, struct rg_connection *, enum rg_connection_end, const char *detail);
};

/* Who is at the other end. Borrowed. */
struct rg_connection_peer {
	union rg_address address;
	const char *tls;	  /* "1.2", "1.3"; "" before the handshake is over */
	const char *cipher;
	const char *subject;	  /* escaped; "" without a certificate */
	const char *psk_identity; /* NULL: by certificate */
	time_t not_after;	  /* 0: without a certificate */
	unsigned version;	  /* RG_RADIUS_1_0, or RG_RADIUS_1_1 (RFC 9765) */
};

/* Where connections live: one a worker. Zeroed but for what the owner fills in. */
struct rg_connection_place {
	uv_loop_t *loop;
	struct rg_wheel *wheel;
	struct rg_inbox *inbox;	  /* for DTLS */
	struct rg_outbox *outbox; /* for DTLS */
	struct rg_connection *connections, *dirty, *ending;
	bool busy; /* an event is being told: nothing may be freed */
};

/* Before the loop sleeps: what was said leaves, many packets in few records, and `ended` is called where it is due. What
 * leaves by DTLS is in outbox then. Does nothing from within an event. */
void place_flush(struct rg_connection_place *);
/* Ends all connections, without waiting. */
void place_close(struct rg_connection_place *);

struct rg_dial {
	enum rg_transport transport; /* tls or dtls */
	const char *host;	     /* a name, or an address */
	uint16_t port;
	/* What host was found to be, ports included: these alone are tried. None: it is looked up. Copied. */
	const union rg_address *addresses;
	size_t address_count;
	const char *psk_identity;	/* or NULL: certificates */
	const struct rg_secret *psk;	/* copied */
};

/* NULL: no memory. What comes of it is told by events; whether the server bears the right name is the owner's to ask
 * (connection_bears) once it is established. */
struct rg_connection *connection_dial(struct rg_connection_place *, struct rg_radsec *,
				      const struct rg_dial *, const struct rg_connection_events *,
				      void *owner);
/* Whose it is, from now on. */
void connection_own(struct rg_connection *, const struct rg_connection_events *, void *owner);
void *connection_owner(const struct rg_connection *);
bool connection_is_open(const struct rg_connection *);
/* Copied; leaves at the next place_flush. False: it is not open, or ends because too much waits. */
bool connection_send(struct rg_connection *, struct rg_span packet);
/* detail: copied. */
void connection_end(struct rg_connection *, enum rg_connection_end, const char *detail);
const struct rg_connection_peer *connection_peer(const struct rg_connection *);
/* Whether its certificate bears one of these names (names.h). */
bool connection_bears(const struct rg_connection *, const struct rg_strings *names, const char **which);
/* The same for the realms that it may answer for (RFC 7585 §2.2). */
bool connection_bears_realm(const struct rg_connection *, const char *realm);
/* Takes the credential that counts from now on: one in its handshake is judged by it at the end of that. False: the peer's
 * certificate is not trusted under it (or its key is another by now), and the connection ends. */
bool connection_recheck(struct rg_connection *, struct rg_radsec *);
const char *connection_end_text(enum rg_connection_end); /* static */
#endif

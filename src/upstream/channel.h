/* What carries packets to a peer, with its Identifiers: a connected UDP socket, or a RadSec connection (line.h). Private to
 * this folder. */
#ifndef RG_UPSTREAM_CHANNEL_H
#define RG_UPSTREAM_CHANNEL_H
#include <stdbool.h>
#include <uv.h>

#include "radsec/connection.h"
#include "upstream/line.h"
#include "upstream/upstream.h"

#define RG_CHANNELS_MOST 512 /* sockets to one port of one peer: 256 requests each */
#define RG_CHANNEL_IDLE_NS (60 * RG_SECOND) /* a socket too many is closed after it */

enum rg_port { RG_PORT_AUTH, RG_PORT_ACCT, RG_PORTS };

struct rg_channel {
	struct rg_channel *next;
	struct rg_channel *next_free; /* among those that have an Identifier to give */
	struct rg_peer *peer;
	enum rg_port port;
	bool listed; /* is among those */
	int fd;
	struct rg_connection *connection; /* RadSec; NULL: a socket */
	uint64_t open_ns;   /* RadSec: when it was established; 0: not yet */
	unsigned used;
	uint32_t next_token;
	uint32_t probes;    /* RADIUS/1.1: Status-Servers so far; each has a Token of its own */
	unsigned version;   /* RG_RADIUS_1_0 or RG_RADIUS_1_1 (RFC 9765) */
	struct rg_watch watch; /* RadSec */
	uint64_t used_ns;   /* when an Identifier was taken last */
	uv_poll_t poll;
	uint32_t slots;     /* a power of two */
	struct rg_forward *forwards[]; /* by Identifier; by Token, modulo slots */
};

/* Takes an Identifier, opening another socket where all are in use. Over RadSec it may have to wait for a connection: it has
 * no channel then, and goes when there is one; so does one of many that are moved there at once. NULL: none to be had. */
struct rg_forward *channel_take(struct rg_peer *, enum rg_port, bool moved, uint64_t now);
/* The same for a Status-Server on that RadSec connection, where it has Identifier 0 for itself. */
struct rg_forward *channel_take_probe(struct rg_channel *, uint64_t now);
/* Of one that waited: an Identifier of the first channel that has one. False: none has. */
bool channel_attach(struct rg_forward *, uint64_t now);
/* The one that waits for this answer; NULL: none. */
struct rg_forward *channel_find(const struct rg_channel *, uint32_t token);
/* Gives it back. */
void channel_return(struct rg_forward *);
/* What protects packets on it. */
const struct rg_radius_key *channel_key(const struct rg_channel *);
/* The same of a peer in RADIUS/1.0, whatever the channel. */
const struct rg_radius_key *peer_key(const struct rg_peer *);
/* Whether what is sent arrives, or the channel ends: nothing is repeated on it (RFC 5080 §2.2.1). */
bool channel_is_reliable(const struct rg_channel *);
/* A channel with room for so many Identifiers, among the peer's; not listed. NULL: no memory. */
struct rg_channel *channel_new(struct rg_peer *, enum rg_port, uint32_t slots);
/* It has Identifiers to give. */
void channel_list(struct rg_channel *);
/* Out of the peer's lists; nothing is under way on it. */
void channel_unlink(struct rg_channel *);
/* The packet leaves with all others of this turn. key: what it is still to be sealed with; NULL: it is. */
void channel_send(struct rg_channel *, struct rg_span, const struct rg_radius_key *key);
/* Closes sockets that stayed idle and are not needed. */
void channels_tidy(struct rg_peer *, uint64_t now);
/* Closes all; nothing is under way. */
void channels_close(struct rg_peer *);
bool channels_idle(const struct rg_peer *);
/* Each request under way, our own Status-Server included; each may free it. */
void channels_each(struct rg_peer *, void (*each)(void *context, struct rg_forward *), void *context);
#endif

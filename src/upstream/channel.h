/* What carries packets to a peer: a connected UDP socket with its Identifiers. Private to this folder. */
#ifndef RG_UPSTREAM_CHANNEL_H
#define RG_UPSTREAM_CHANNEL_H
#include <stdbool.h>
#include <uv.h>

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
	unsigned used;
	uint32_t next_token;
	uint64_t used_ns;   /* when an Identifier was taken last */
	uv_poll_t poll;
	uint32_t slots;     /* a power of two */
	struct rg_forward *forwards[]; /* by Identifier */
};

/* Takes an Identifier, opening another socket where all are in use. NULL: none to be had. */
struct rg_forward *channel_take(struct rg_peer *, enum rg_port, uint64_t now);
/* Gives it back. */
void channel_return(struct rg_forward *);
/* The packet leaves with all others of this turn. */
void channel_send(struct rg_channel *, struct rg_span);
/* Closes what stayed idle and is not needed. */
void channels_tidy(struct rg_peer *, uint64_t now);
/* Closes all; nothing is under way. */
void channels_close(struct rg_peer *);
bool channels_idle(const struct rg_peer *);
/* Each request under way, our own Status-Server included; each may free it. */
void channels_each(struct rg_peer *, void (*each)(void *context, struct rg_forward *), void *context);
#endif

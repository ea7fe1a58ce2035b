/* A peer as one worker sees it: its sockets with their Identifiers, and its health. Private to this folder. */
#ifndef RG_UPSTREAM_PEER_H
#define RG_UPSTREAM_PEER_H
#include "upstream/stats.h"
#include "upstream/upstream.h"

#define RG_CHANNELS_MOST 512 /* sockets to one port of one peer: 256 requests each */
#define RG_SILENT_NS (3 * RG_SECOND)  /* no answer at all for so long: probe it, or call it down */
#define RG_PROBE_NS (2 * RG_SECOND)   /* RFC 5080 §2.2.1: IRT */
#define RG_PROBES_MOST 2              /* unanswered: down */
#define RG_TWINIT_NS (30 * RG_SECOND) /* RFC 3539 §3.4.1 */
#define RG_DOWN_PROBE_NS (6 * RG_SECOND) /* and never under 6 s */

/* One connected socket. */
struct rg_channel {
	struct rg_channel *next;
	struct rg_peer *peer;
	uv_poll_t poll;
	int fd;
	unsigned used;
	uint8_t next_id;
	struct rg_forward *forwards[256]; /* by Identifier */
};

enum rg_port { RG_PORT_AUTH, RG_PORT_ACCT, RG_PORTS };

struct rg_peer {
	struct rg_peer *next;
	struct rg_upstream *upstream;
	const struct rg_peer_settings *settings; /* of the current configuration; of a gone peer: kept */
	struct rg_peer_settings kept;            /* what answers to a gone one need: transport and key */
	struct rg_radius_key *kept_key;
	char name[128], digest[65];
	rg_learned *learned; /* NULL: Message-Authenticator is required */
	bool gone;           /* not in the configuration any more: frees itself when idle */
	struct rg_channel *channels[RG_PORTS];
	unsigned channel_count[RG_PORTS];
	enum rg_peer_state state;
	unsigned probes;         /* unanswered in a row */
	uint64_t last_answer_ns, silent_since_ns; /* silent_since 0: nothing waits for an answer */
	struct rg_timer health;  /* the next thing to do about its health */
	struct rg_forward *probe;
	struct rg_peer_stats *stats;
};

/* Takes an Identifier, opening another socket where all are in use. NULL: none to be had. */
struct rg_forward *peer_take_id(struct rg_peer *, enum rg_port);
void peer_return_id(struct rg_forward *);
void peer_answered(struct rg_peer *, uint64_t now);
void peer_sent(struct rg_peer *, uint64_t now);
void peer_refused_connection(struct rg_peer *, uint64_t now);
void peer_set_state(struct rg_peer *, enum rg_peer_state, enum rg_peer_why);
/* What a timer of its health leads to. */
void peer_health_fire(struct rg_timer *, uint64_t now);
void peer_probe_lost(struct rg_peer *, uint64_t now);
/* It is down: all that it has under way goes elsewhere, or is lost. In upstream.c. */
void upstream_give_up(struct rg_upstream *, struct rg_peer *, uint64_t now);
/* Sends our own Status-Server (RFC 5997). In upstream.c. */
bool upstream_send_probe(struct rg_upstream *, struct rg_peer *, uint64_t now);
void channel_readable(uv_poll_t *, int status, int events); /* in upstream.c */
struct rg_peer *peer_new(struct rg_upstream *, const struct rg_peer_settings *, rg_learned *);
/* Its configuration goes, though something is under way. False: no memory. */
bool peer_keep_settings(struct rg_peer *);
void peer_free(struct rg_peer *); /* nothing under way */
#endif

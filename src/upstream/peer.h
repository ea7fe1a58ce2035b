/* A peer as one worker sees it: its sockets and its health. Private to this folder. */
#ifndef RG_UPSTREAM_PEER_H
#define RG_UPSTREAM_PEER_H
#include "upstream/channel.h"
#include "upstream/health.h"
#include "upstream/line.h"
#include "upstream/stats.h"
#include "upstream/upstream.h"

struct rg_peer {
	struct rg_peer *next;
	struct rg_upstream *upstream;
	const struct rg_peer_settings *settings; /* of the current configuration; of a gone peer: kept */
	struct rg_peer_settings kept;            /* what answers to a gone one need: transport and key */
	struct rg_radius_key *kept_key;
	char name[128], digest[65];
	uint16_t number;     /* the same in all workers */
	rg_learned *learned; /* NULL: Message-Authenticator is required */
	bool found;          /* by discovery */
	bool gone;           /* not in the configuration any more: frees itself when idle */
	struct rg_channel *channels[RG_PORTS], *free_channels[RG_PORTS];
	unsigned channel_count[RG_PORTS];
	unsigned under_way;  /* on all channels */
	struct rg_health health;
	struct rg_lines lines; /* of RadSec */
	struct rg_peer_stats *stats;
};

/* NULL: no memory. */
struct rg_peer *peer_new(struct rg_upstream *, const struct rg_peer_settings *, rg_learned *);
/* Its configuration goes, though something is under way. False: no memory. */
bool peer_keep_settings(struct rg_peer *);
void peer_free(struct rg_peer *); /* nothing under way */
/* The peer of these settings, which may be of a former configuration. NULL: it is gone. */
struct rg_peer *peer_find(const struct rg_upstream *, const struct rg_peer_settings *);
/* A peer that discovery found: the one of that name and digest, or a new one. NULL: no memory. In upstream.c. */
struct rg_peer *upstream_adopt(struct rg_upstream *, const struct rg_peer_settings *);
/* It is not wanted any more; it goes when nothing is under way. In upstream.c. */
void upstream_retire(struct rg_upstream *, struct rg_peer *);
/* Found peers under a new configuration, and at the end. In found.c. */
void found_configure(struct rg_upstream *);
void found_close(struct rg_upstream *);
#endif

/* A peer's RadSec connections: called when it is configured, called again when they end, more of them when Identifiers run
 * out. Private to this folder. */
#ifndef RG_UPSTREAM_LINE_H
#define RG_UPSTREAM_LINE_H
#include "core/timer.h"
#include "radsec/connection.h"

#define RG_LINES_MOST 64		      /* connections of one worker to one peer */
#define RG_LINE_SPARE 64u		      /* fewer Identifiers left than that: one more is called */
#define RG_REDIAL_LEAST_NS (RG_SECOND / 2)    /* federation.md */
#define RG_REDIAL_MOST_NS (60 * RG_SECOND)
#define RG_LINE_STEADY_NS (30 * RG_SECOND)    /* after which it is called again as if it had never failed */

struct rg_peer;

/* Of each peer. */
struct rg_lines {
	struct rg_radsec *radsec; /* of the current configuration; NULL: it is not called any more */
	struct rg_timer redial;
	uint64_t wait_ns; /* before it is called again */
	unsigned dialing, open;
};

void lines_init(struct rg_peer *);
/* The credential that counts from now on; the first time, the peer is called. Connections that it trusts no more end. */
void lines_configure(struct rg_peer *, struct rg_radsec *);
/* The peer says nothing: its connections are no good. */
void lines_give_up(struct rg_peer *);
/* An Identifier is taken: are there enough? */
void line_want(struct rg_peer *, uint64_t now);
void lines_end(struct rg_peer *);
#endif

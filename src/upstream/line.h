/* A peer's RadSec connections: called when it is configured, called again when they end, more of them when Identifiers run
 * out, each with its own watchdog. What finds no connection waits for one. Private to this folder. */
#ifndef RG_UPSTREAM_LINE_H
#define RG_UPSTREAM_LINE_H
#include "core/timer.h"
#include "radsec/connection.h"

#define RG_LINES_MOST 64		      /* connections of one worker to one peer */
#define RG_LINE_SPARE 64u		      /* fewer Identifiers left than that: one more is called */
#define RG_LINE_TOKENS 4096u		      /* requests under way on one of RADIUS/1.1 */
#define RG_LINE_IDLE_NS (60 * RG_SECOND)      /* one too many ends after it */
#define RG_LINES_WAITING_MOST 4096u	      /* requests that wait for one */
#define RG_LINE_PACE_NS (10 * RG_MS)	      /* that are moved or waited: … */
#define RG_LINE_PACE_MOST 64u		      /* so many in so long */
#define RG_REDIAL_LEAST_NS (RG_SECOND / 2)    /* federation.md */
#define RG_REDIAL_MOST_NS (60 * RG_SECOND)
#define RG_LINE_STEADY_NS (30 * RG_SECOND)    /* after which it is called again as if it had never failed */

struct rg_channel;
struct rg_forward;
struct rg_peer;

/* Of each peer. */
struct rg_lines {
	struct rg_radsec *radsec; /* of the current configuration; NULL: it is not called any more */
	struct rg_timer redial;
	uint64_t wait_ns; /* before it is called again */
	uint64_t rest_ns; /* no further one is called before it: the last that was never came about */
	unsigned dialing, open, room; /* room: requests that those that are open can have under way */
	struct rg_forward *waiting, **last_waiting;
	unsigned waiting_count;
	bool held; /* none of them goes on for now: they are being walked through */
	/* What fails over, or waited, comes in its hundreds: the peer gets it a few at a time. */
	struct rg_timer pace;
	uint64_t pace_ns; /* when it last began to count */
	unsigned paced;   /* since then */
};

/* Of each connection to a peer that answers Status-Server (RFC 3539 §3.4), and of all: whether it is needed. */
struct rg_watch {
	struct rg_timer timer;
	struct rg_forward *probe;	   /* under way */
	unsigned probes_lost;		   /* in a row */
	uint64_t heard_ns, probed_ns;
	uint64_t asked_ns;		   /* the first request after that; 0: nothing waits */
};

void lines_init(struct rg_peer *);
/* The credential that counts from now on; the first time, the peer is called. Connections that it trusts no more end. */
void lines_configure(struct rg_peer *, struct rg_radsec *);
/* The peer says nothing: its connections are no good. */
void lines_give_up(struct rg_peer *);
/* An Identifier is taken: are there enough? */
void line_want(struct rg_peer *, uint64_t now);
void lines_end(struct rg_peer *);

/* Requests that wait for a connection or an Identifier. */
bool lines_may_wait(const struct rg_peer *);
void lines_wait(struct rg_forward *);
void lines_wait_no_more(struct rg_forward *);
/* Whether one that is moved to the peer must wait, for as many have just gone. */
bool lines_pace(struct rg_peer *, uint64_t now);
/* Some of them may go. */
void lines_go_on(struct rg_peer *, uint64_t now);

/* Something was sent on it; something genuine came; a Status-Server was not answered. */
void line_sent(struct rg_channel *, uint64_t now);
void line_heard(struct rg_channel *, uint64_t now);
void line_probe_lost(struct rg_channel *, uint64_t now);
#endif

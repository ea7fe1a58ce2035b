/* Whether a peer lives: from live traffic, and from Status-Server where it answers that (RFC 3539 §3.4).
 * Private to this folder.
 *
 * A peer of which nobody hears anything is down. A realm of which nobody hears anything, while its peer says other
 * things, is silent: its requests try other peers, and everybody else's stay where they are. */
#ifndef RG_UPSTREAM_HEALTH_H
#define RG_UPSTREAM_HEALTH_H
#include "core/timer.h"
#include "upstream/stats.h"

#define RG_SILENT_NS (3 * RG_SECOND)  /* no answer at all for so long: probe it, or call it down */
#define RG_PROBE_NS (2 * RG_SECOND)   /* RFC 5080 §2.2.1: IRT */
#define RG_PROBES_MOST 2              /* unanswered: down */
#define RG_UNANSWERED_MANY 8          /* beside so many unanswered requests one lost probe is enough */
#define RG_TWINIT_NS (30 * RG_SECOND) /* RFC 3539 §3.4.1 */
#define RG_DOWN_PROBE_NS (6 * RG_SECOND) /* and never under 6 s */
#define RG_REALM_SILENT_NS (2 * RG_SILENT_NS) /* no answer of one realm for so long: elsewhere */
#define RG_REALM_AGAIN_NS (60 * RG_SECOND)    /* after which it is tried again */
#define RG_REALM_KNOWN_NS (300 * RG_SECOND)   /* a realm was answered within it: the peer serves others */
#define RG_SILENT_REALMS 32
#define RG_ANSWERED_REALMS 64
#define RG_SLOW_START_NS (10 * RG_SECOND) /* until a peer that came back has its whole share */
#define RG_WEIGHT 256u                    /* a whole share */

struct rg_forward;
struct rg_peer;

struct rg_silent_realm {
	uint32_t realm;
	uint64_t until_ns;
};

struct rg_health {
	enum rg_peer_state state;
	struct rg_timer timer;    /* the next thing to do about it; late is no harm, early looks again */
	struct rg_forward *probe; /* under way */
	unsigned probes_lost;     /* in a row */
	uint64_t last_answer_ns, last_probe_ns;
	uint64_t twinit_ns;       /* with its jitter */
	/* Since the first request after the last answer; 0: nothing waits. */
	uint64_t silent_since_ns;
	unsigned unanswered;
	uint32_t silent_realm; /* of that first request */
	bool silent_many;      /* requests of other realms are unanswered too */
	bool bad_since_answer; /* it says things, and none is genuine */
	/* Which realms were answered, and when; each at its own place, the later in place of the earlier. */
	struct {
		uint32_t realm;
		uint64_t ns;
	} answered[RG_ANSWERED_REALMS];
	/* Was down, and nobody but live traffic can tell whether it is: one request tries. */
	bool on_trial, tried;
	uint64_t recovered_ns; /* 0: its share is whole */
	unsigned credit;
	unsigned silent_count;
	struct rg_silent_realm silent[RG_SILENT_REALMS];
};

/* How fit a peer is for a new request; the lower the better. */
enum rg_fitness {
	RG_FIT,
	RG_FIT_RECOVERING, /* has had its share of new ones */
	RG_FIT_REALM_SILENT,
	RG_FIT_CONNECTING, /* RadSec: called, and not there yet */
	RG_UNFIT,          /* is down, or another tries it: for want of any better */
};

void health_init(struct rg_peer *, uint64_t now);
void health_end(struct rg_peer *);
void health_sent(struct rg_peer *, uint32_t realm, uint64_t now);
void health_answered(struct rg_peer *, const struct rg_forward *, uint64_t now);
void health_refused(struct rg_peer *, uint64_t now); /* its port is closed */
/* RadSec: a connection is up; the last one is gone. detail: why. */
void health_connected(struct rg_peer *, uint64_t now);
void health_disconnected(struct rg_peer *, const char *detail, uint64_t now);
/* RadSec: one connection is deaf; where none of the others has heard anything of late, so is the peer. */
void health_unheard(struct rg_peer *, uint64_t now);
void health_probe_lost(struct rg_peer *, uint64_t now);
/* The request has waited long, or for ever: it may be its realm. True: it is, and the peer is not to be asked. */
bool health_overdue(struct rg_peer *, const struct rg_forward *, uint64_t now);
enum rg_fitness health_fitness(const struct rg_peer *, uint32_t realm, uint64_t now);
/* Its share of new conversations, of RG_WEIGHT; never 0. */
unsigned health_weight(struct rg_peer *, uint64_t now);
/* Whether a new conversation is within that share. Each question is one conversation. */
bool health_admits(struct rg_peer *, uint64_t now);
#endif

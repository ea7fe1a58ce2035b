/* What each worker sees of each peer, for `status` and metrics: written by that worker alone, read by anyone. */
#ifndef RG_UPSTREAM_STATS_H
#define RG_UPSTREAM_STATS_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/raddb.h"

enum rg_peer_state { RG_PEER_UNKNOWN, RG_PEER_UP, RG_PEER_DOWN };
enum rg_peer_why { RG_WHY_NOTHING_YET, RG_WHY_ANSWERS, RG_WHY_SILENT, RG_WHY_REFUSED_CONNECTION, RG_WHY_NO_SOCKET,
		   RG_WHY_TRY_AGAIN, RG_WHY_NOT_GENUINE, RG_WHY_DISCONNECTED };

#define RG_PEER_NAME 128 /* with its NUL */
#define RG_LATENCY_CLASSES 64 /* quarters of powers of two, from 0.1 ms */

struct rg_peer_stats {
	_Atomic unsigned state, why;   /* enum rg_peer_state, enum rg_peer_why */
	_Atomic uint64_t since_wall_ns;
	_Atomic uint64_t outstanding, answered, refused /* of the answered: Access-Rejects */, lost, bad, failovers;
	_Atomic uint64_t latency[RG_LATENCY_CLASSES];
	/* Of RadSec; under the lock of all. */
	unsigned connections;
	char tls[8], subject[256], detail[160]; /* of the last connection; why there is none */
	int64_t not_after;
	unsigned version;
};

/* The same for the same name and worker, for the life of the process. number: the peer's, the same in all workers,
 * never 0; may be NULL. NULL: no memory. Any thread. */
struct rg_peer_stats *peer_stats_of(const char *peer, unsigned worker, uint16_t *number);
/* The same for a peer that discovery found: always a new one, forgotten with it. */
struct rg_peer_stats *peer_stats_found(const char *peer, enum rg_transport, unsigned worker, uint16_t *number);
void peer_stats_forget(struct rg_peer_stats **);
struct rg_found_peer {
	char name[RG_PEER_NAME];
	enum rg_transport transport;
};
/* The found peers that there are, each once, at most so many. Returns how many. Any thread. */
size_t peer_stats_found_peers(struct rg_found_peer *, size_t most);
/* For the log: whether no worker has told so of that peer yet since it was last told otherwise; from now on one has. Each
 * worker finds out by itself that a peer is down, and a line for each would hide the others. Any thread. */
bool peer_stats_is_news(const struct rg_peer_stats *, enum rg_peer_state);
/* By the one thread that writes it. */
static inline void stats_set(_Atomic uint64_t *figure, uint64_t value)
{
	atomic_store_explicit(figure, value, memory_order_relaxed);
}
static inline void stats_add(_Atomic uint64_t *figure, uint64_t more)
{
	stats_set(figure, atomic_load_explicit(figure, memory_order_relaxed) + more);
}
/* Who is at the other end of one. */
struct rg_peer_connection {
	const char *tls, *subject;
	unsigned version; /* RG_RADIUS_1_0, RG_RADIUS_1_1 */
	int64_t not_after;
};
/* A RadSec connection begins, or ends: so many are there now. */
void peer_stats_connected(struct rg_peer_stats *, unsigned connections, const struct rg_peer_connection *);
void peer_stats_disconnected(struct rg_peer_stats *, unsigned connections, const char *detail);
void peer_stats_latency(struct rg_peer_stats *, uint64_t ns);

/* All workers of one peer together. */
struct rg_peer_summary {
	enum rg_peer_state state; /* down if any worker finds it down; up if any finds it up */
	enum rg_peer_why why;
	uint64_t since_wall_ns; /* 0: never used */
	uint64_t outstanding, answered, refused, lost, bad, failovers;
	double p50_ms, p99_ms;  /* 0: no answer yet */
	unsigned connections;   /* of RadSec */
	char tls[8], subject[256], detail[160];
	int64_t not_after;
	unsigned version;
};
void peer_stats_summary(const char *peer, unsigned workers, struct rg_peer_summary *);
const char *peer_why_text(enum rg_peer_why); /* "no answer"; static */
#endif

/* Which peer gave a State: an EAP conversation stays with the peer that it began with.
 *
 * One table a worker, of bounded size, written by that worker alone and read by all: a NAS that changes its port may
 * land on another worker. What is forgotten early costs a conversation its peer at most. */
#ifndef RG_UPSTREAM_AFFINITY_H
#define RG_UPSTREAM_AFFINITY_H
#include <stdint.h>

#include "roamgate/span.h"

#define RG_AFFINITY_S 60 /* as long as a session may live (federation.md, EAP) */

struct rg_affinity;

/* The same for the same worker, for the life of the process. NULL: no memory; nothing is remembered then. */
struct rg_affinity *affinity_of(unsigned worker);
/* realm: a hash of it; home servers do not agree on whose States are whose. */
uint64_t affinity_key(struct rg_span state, uint32_t realm);
/* peer: its number (stats.h), never 0. now: of clock_now. The table may be NULL. */
void affinity_put(struct rg_affinity *, uint64_t key, uint16_t peer, uint64_t now);
/* The number of the peer; 0: unknown. Looks into the worker's own table first. */
uint16_t affinity_find(unsigned worker, uint64_t key, uint64_t now);
#endif

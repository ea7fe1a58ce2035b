/* Where a realm goes: signed in here, sent on, or refused. Exact beats wildcard, longer beats shorter;
 * one hash look-up a label, so ten thousand realms cost what ten cost. */
#ifndef RG_ROUTE_TABLE_H
#define RG_ROUTE_TABLE_H
#include "config/raddb.h"
#include "route/nai.h"

enum rg_way { RG_WAY_HOME, RG_WAY_AWAY, RG_WAY_REFUSED, RG_WAY_NOWHERE };

struct rg_destination {
	enum rg_way way;
	const struct rg_realm *realm; /* HOME */
	const struct rg_route *route; /* AWAY */
	const char *refused_by;       /* REFUSED: the pattern */
};

struct rg_route_table;

/* The raddb must outlive the table. NULL: no memory. */
struct rg_route_table *route_table_new(const struct rg_raddb *);
void route_table_free(struct rg_route_table **);
/* A realm name in any case; a machine's FQDN goes to the realm that is its longest suffix ("laptop7.beuningen.nl"
 * to beuningen.nl even without a wildcard) if that is local, else nowhere: host/… is never sent on. */
struct rg_destination route_table_find(const struct rg_route_table *, const struct rg_nai *);
/* Whether one of these names ("*" is everyone) is or covers that realm, in any case. For short lists. */
bool names_claim(const struct rg_strings *names, struct rg_span realm);
/* True: realm (lower or upper case) is one of this realm's names, by exact name or wildcard. */
bool realm_claims(const struct rg_realm *, struct rg_span realm);
#endif

/* One configuration in use: the raddb and all that is made from it. Immutable. Made, counted and freed on the
 * main thread; a worker holds it through a lease and gives the lease back by message. */
#ifndef RG_REQUEST_SNAPSHOT_H
#define RG_REQUEST_SNAPSHOT_H
#include "client/policy.h"
#include "client/table.h"
#include "core/mailbox.h"
#include "discover/discover.h"
#include "home/realm.h"
#include "radsec/credential.h"
#include "route/table.h"

/* A raddb may serve several snapshots: when only a CRL's file changed, the rest is kept. */
struct rg_raddb_share {
	unsigned users;
	struct rg_raddb *raddb;
};

struct rg_snapshot {
	unsigned users; /* main thread only */
	struct rg_raddb_share *share;
	const struct rg_raddb *raddb;
	struct rg_client_table *clients;
	struct rg_route_table *routes;
	struct rg_home *homes; /* by realm->number */
	struct rg_tls_trust_set *trust;
	struct rg_radsec **radsec; /* by credential->number */
	struct rg_discover *discover; /* NULL: no route has peers that are to be found */
	rg_learned **client_learned; /* by client->number; NULL where the policy is "require" */
	rg_learned **peer_learned;   /* by peer->number */
};

/* Takes the share (a reference of its own). fresh: a raddb just read, whose files were found good; otherwise a
 * refresh, in which a CRL that cannot be read makes its realm refuse. NULL: why (256 octets) is set. */
struct rg_snapshot *snapshot_new(struct rg_raddb_share *, bool fresh, char *why);
/* The two halves of it: all that wants files and keys, and then all that has threads of its own. */
struct rg_snapshot *snapshot_read(struct rg_raddb_share *, bool fresh, char *why);
bool snapshot_start(struct rg_snapshot *, char *why);
void snapshot_unref(struct rg_snapshot **);
struct rg_raddb_share *raddb_share_new(struct rg_raddb *); /* owns the raddb; users 1 */
void raddb_share_unref(struct rg_raddb_share **);
/* A file that one of the realms' TLS sides was made from has changed. */
bool snapshot_stale(const struct rg_snapshot *);

/* A worker's hold on a snapshot: counted without atomics, by one thread. */
struct rg_lease {
	struct rg_message message; /* in which it goes back */
	struct rg_snapshot *snapshot;
	unsigned holds; /* requests and sessions, and 1 while it is the worker's current one */
};
#endif

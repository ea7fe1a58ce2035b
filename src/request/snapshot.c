#include "request/snapshot.h"

#include <stdio.h>
#include <stdlib.h>

struct rg_raddb_share *raddb_share_new(struct rg_raddb *raddb)
{
	struct rg_raddb_share *share = malloc(sizeof(*share));
	if (share)
		*share = (struct rg_raddb_share){.users = 1, .raddb = raddb};
	return share;
}

void raddb_share_unref(struct rg_raddb_share **share)
{
	if (*share && --(*share)->users == 0) {
		raddb_free(&(*share)->raddb);
		free(*share);
	}
	*share = NULL;
}

/* What a refresh finds wrong was right when the raddb was read: it is said, and the caller keeps going. */
static void complain(void *context, bool error, const char *key, const char *message)
{
	char *why = context;
	if (error)
		snprintf(why, 256, "%s: %s", key, message);
}

static bool read_homes(struct rg_snapshot *snapshot, bool fresh, char *why)
{
	const struct rg_raddb *raddb = snapshot->raddb;
	struct rg_tls_context **contexts = calloc(raddb->realm_count + 1, sizeof(struct rg_tls_context *));
	bool fine = contexts;
	for (size_t i = 0; fine && i < raddb->realm_count; i++) {
		struct rg_home *home = &snapshot->homes[i];
		home->realm = &raddb->realms[i];
		home->tls = tls_context_get(&home->realm->eap, home->realm->name,
					    fresh ? complain : NULL, why);
		fine = home->tls;
		if (!fine && why[0] == '\0')
			snprintf(why, 256, "realm %s: its certificates cannot be used", home->realm->name);
		contexts[i] = home->tls;
	}
	if (fine) {
		snapshot->trust = tls_trust_set_new(contexts, raddb->realm_count);
		for (size_t i = 0; i < raddb->realm_count; i++) {
			snapshot->homes[i].trust = snapshot->trust;
			snapshot->homes[i].routes = snapshot->routes;
		}
	}
	free(contexts);
	return fine && snapshot->trust;
}

static bool open_directories(struct rg_snapshot *snapshot, char *why)
{
	for (size_t i = 0; i < snapshot->raddb->realm_count; i++) {
		struct rg_home *home = &snapshot->homes[i];
		home->directory = directory_get(home->realm);
		if (home->directory)
			continue;
		snprintf(why, 256, "realm %s: its directory cannot be used: %m", home->realm->name);
		return false;
	}
	return true;
}

static bool read_credentials(struct rg_snapshot *snapshot, bool fresh, char *why)
{
	const struct rg_raddb *raddb = snapshot->raddb;
	for (size_t i = 0; i < raddb->credential_count; i++)
		if (!(snapshot->radsec[i] = radsec_get(&raddb->credentials[i], fresh, why)))
			return false;
	return true;
}

static rg_learned *cell_for(const char *kind, const char *name, enum rg_ma_policy policy)
{
	char full[256];
	if (policy == RG_MA_REQUIRE)
		return NULL;
	snprintf(full, sizeof(full), "%s %s", kind, name);
	return policy_cell(full);
}

static void find_cells(struct rg_snapshot *snapshot)
{
	const struct rg_raddb *raddb = snapshot->raddb;
	for (size_t i = 0; i < raddb->client_count; i++)
		snapshot->client_learned[i] = cell_for("client", raddb->clients[i].name,
						       raddb->clients[i].message_authenticator);
	for (size_t i = 0; i < raddb->peer_count; i++)
		snapshot->peer_learned[i] = cell_for("peer", raddb->peers[i].name,
						     raddb->peers[i].message_authenticator);
}

static bool open_discovery(struct rg_snapshot *snapshot, char *why)
{
	const struct rg_raddb *raddb = snapshot->raddb;
	for (size_t i = 0; i < raddb->route_count; i++)
		if (raddb->routes[i].discover_count != 0) {
			snapshot->discover = discover_get(&raddb->discovery, why);
			return snapshot->discover;
		}
	return true;
}

struct rg_snapshot *snapshot_read(struct rg_raddb_share *share, bool fresh, char *why)
{
	struct rg_snapshot *snapshot = calloc(1, sizeof(*snapshot));
	why[0] = '\0';
	if (!snapshot) {
		snprintf(why, 256, "out of memory");
		return NULL;
	}
	const struct rg_raddb *raddb = share->raddb;
	snapshot->users = 1;
	snapshot->share = share;
	snapshot->raddb = raddb;
	share->users++;
	snapshot->clients = client_table_new(raddb->clients, raddb->client_count, RG_OVER_UDP);
	snapshot->routes = route_table_new(raddb);
	snapshot->homes = calloc(raddb->realm_count + 1, sizeof(*snapshot->homes));
	snapshot->client_learned = calloc(raddb->client_count + 1, sizeof(rg_learned *));
	snapshot->peer_learned = calloc(raddb->peer_count + 1, sizeof(rg_learned *));
	snapshot->radsec = calloc(raddb->credential_count + 1, sizeof(struct rg_radsec *));
	if (!snapshot->clients || !snapshot->routes || !snapshot->homes || !snapshot->radsec ||
	    !snapshot->client_learned || !snapshot->peer_learned ||
	    !read_homes(snapshot, fresh, why) || !read_credentials(snapshot, fresh, why)) {
		if (why[0] == '\0')
			snprintf(why, 256, "out of memory");
		snapshot_unref(&snapshot);
		return NULL;
	}
	find_cells(snapshot);
	return snapshot;
}

bool snapshot_start(struct rg_snapshot *snapshot, char *why)
{
	why[0] = '\0';
	return open_directories(snapshot, why) && open_discovery(snapshot, why);
}

struct rg_snapshot *snapshot_new(struct rg_raddb_share *share, bool fresh, char *why)
{
	struct rg_snapshot *snapshot = snapshot_read(share, fresh, why);
	if (snapshot && !snapshot_start(snapshot, why))
		snapshot_unref(&snapshot);
	return snapshot;
}

void snapshot_unref(struct rg_snapshot **held)
{
	struct rg_snapshot *snapshot = *held;
	*held = NULL;
	if (!snapshot || --snapshot->users != 0)
		return;
	for (size_t i = 0; snapshot->homes && i < snapshot->raddb->realm_count; i++) {
		directory_unref(&snapshot->homes[i].directory);
		tls_context_unref(&snapshot->homes[i].tls);
	}
	for (size_t i = 0; snapshot->radsec && i < snapshot->raddb->credential_count; i++)
		radsec_unref(&snapshot->radsec[i]);
	tls_trust_set_free(&snapshot->trust);
	discover_unref(&snapshot->discover);
	client_table_free(&snapshot->clients);
	route_table_free(&snapshot->routes);
	raddb_share_unref(&snapshot->share);
	free(snapshot->homes);
	free(snapshot->radsec);
	free(snapshot->client_learned);
	free(snapshot->peer_learned);
	free(snapshot);
}

bool snapshot_stale(const struct rg_snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->raddb->realm_count; i++)
		if (tls_context_stale(snapshot->homes[i].tls))
			return true;
	for (size_t i = 0; i < snapshot->raddb->credential_count; i++)
		if (radsec_stale(snapshot->radsec[i]))
			return true;
	return false;
}

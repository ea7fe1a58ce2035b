#include "upstream/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"

struct rg_peer *peer_new(struct rg_upstream *upstream, const struct rg_peer_settings *settings,
			 rg_learned *learned)
{
	struct rg_peer *peer = calloc(1, sizeof(*peer));
	if (!peer)
		return NULL;
	peer->upstream = upstream;
	peer->settings = settings;
	snprintf(peer->name, sizeof(peer->name), "%s", settings->name);
	snprintf(peer->digest, sizeof(peer->digest), "%s", settings->digest);
	peer->learned = learned;
	peer->found = settings->found_realm;
	peer->stats = peer->found
			      ? peer_stats_found(settings->name, settings->transport,
						 upstream->worker, &peer->number)
			      : peer_stats_of(settings->name, upstream->worker, &peer->number);
	if (!peer->stats) {
		free(peer);
		return NULL;
	}
	lines_init(peer);
	health_init(peer, clock_now());
	return peer;
}

bool peer_keep_settings(struct rg_peer *peer)
{
	const struct rg_peer_settings *settings = peer->settings;
	if (settings == &peer->kept)
		return true;
	radius_key_free(&peer->kept_key);
	peer->kept_key = settings->key ? radius_key_copy(settings->key) : NULL;
	if (settings->key && !peer->kept_key)
		return false;
	peer->kept = (struct rg_peer_settings){
		.name = peer->name,
		.transport = settings->transport,
		.status_server = settings->status_server,
		.key = peer->kept_key,
	};
	peer->settings = &peer->kept;
	return true;
}

void peer_free(struct rg_peer *peer)
{
	health_end(peer);
	lines_end(peer);
	channels_close(peer);
	radius_key_free(&peer->kept_key);
	if (peer->found)
		peer_stats_forget(&peer->stats);
	free(peer);
}

struct rg_peer *peer_find(const struct rg_upstream *upstream,
			  const struct rg_peer_settings *settings)
{
	struct rg_peer *peer = settings->number < upstream->by_number_count
				       ? upstream->by_number[settings->number]
				       : NULL;
	if (peer && peer->settings == settings) /* the usual case: of the current configuration */
		return peer;
	for (peer = upstream->peers; peer; peer = peer->next)
		if (strcmp(peer->name, settings->name) == 0 &&
		    strcmp(peer->digest, settings->digest) == 0)
			return peer;
	return NULL;
}

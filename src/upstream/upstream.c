#include "upstream/upstream.h"

#include <stdlib.h>

#include "core/log.h"
#include "upstream/affinity.h"
#include "upstream/forward.h"
#include "upstream/peer.h"

void upstream_tidy(struct rg_upstream *upstream)
{
	for (struct rg_peer **at = &upstream->peers; *at;) {
		struct rg_peer *peer = *at;
		if (peer->gone && channels_idle(peer)) {
			*at = peer->next;
			peer_free(peer);
		} else {
			at = &peer->next;
		}
	}
}

static void lose(void *context, struct rg_forward *forward)
{
	forward_lost(context, forward, RG_LOST_UNAVAILABLE);
}

static void end(void *context, struct rg_forward *forward)
{
	forward_free(context, forward);
}

/* What is under way may have begun before the configuration that the peer is taken from now, and
 * outlive it. */
void upstream_retire(struct rg_upstream *upstream, struct rg_peer *peer)
{
	peer->gone = true;
	if (peer->health.probe)
		forward_free(upstream, peer->health.probe);
	if (peer->settings->transport != RG_TRANSPORT_UDP)
		lines_configure(peer, NULL);
	if (!peer_keep_settings(peer)) /* answered to nobody */
		channels_each(peer, lose, upstream);
}

static struct rg_peer *peer_for(struct rg_upstream *upstream,
				const struct rg_peer_settings *settings, rg_learned *learned)
{
	struct rg_peer *peer = peer_find(upstream, settings);
	if (peer)
		return peer;
	peer = peer_new(upstream, settings, learned);
	if (!peer) {
		log_write(RG_LOG_ERROR, "peer %s: out of memory", settings->name);
		return NULL;
	}
	peer->next = upstream->peers;
	upstream->peers = peer;
	return peer;
}

struct rg_peer *upstream_adopt(struct rg_upstream *upstream, const struct rg_peer_settings *settings)
{
	struct rg_peer *peer = peer_for(upstream, settings, NULL);
	if (!peer)
		return NULL;
	peer->gone = false;
	peer->settings = settings;
	lines_configure(peer, upstream->radsec[settings->credential->number]);
	return peer;
}

void upstream_configure(struct rg_upstream *upstream, const struct rg_raddb *raddb,
			rg_learned *const *learned, struct rg_radsec *const *radsec)
{
	upstream_tidy(upstream); /* what is gone may point to settings that are gone too */
	upstream->node = (uint8_t)raddb->gateway.node;
	upstream->raddb = raddb;
	upstream->radsec = radsec;
	if (!upstream->affinity)
		upstream->affinity = affinity_of(upstream->worker);
	for (struct rg_peer *peer = upstream->peers; peer; peer = peer->next)
		peer->gone = true;
	upstream->by_number_count = 0;
	struct rg_peer **by_number =
		realloc(upstream->by_number, (raddb->peer_count + 1) * sizeof(struct rg_peer *));
	if (by_number)
		upstream->by_number = by_number;
	for (size_t i = 0; i < raddb->peer_count; i++) {
		const struct rg_peer_settings *settings = &raddb->peers[i];
		struct rg_peer *peer = peer_for(upstream, settings, learned[i]);
		if (by_number)
			by_number[i] = peer;
		if (!peer)
			continue;
		peer->gone = false;
		peer->settings = settings;
		peer->learned = learned[i];
		if (settings->transport != RG_TRANSPORT_UDP)
			lines_configure(peer, radsec[settings->credential->number]);
	}
	upstream->by_number_count = by_number ? raddb->peer_count : 0;
	found_configure(upstream);
	for (struct rg_peer *peer = upstream->peers; peer; peer = peer->next)
		if (peer->gone)
			upstream_retire(upstream, peer);
}

void upstream_close(struct rg_upstream *upstream)
{
	for (struct rg_peer *peer = upstream->peers; peer; peer = peer->next)
		while (peer->under_way != 0) /* in place of one that goes one that waited may come */
			channels_each(peer, end, upstream);
	found_close(upstream);
	while (upstream->peers) {
		struct rg_peer *peer = upstream->peers;
		upstream->peers = peer->next;
		peer_free(peer);
	}
	free(upstream->by_number);
	upstream->by_number = NULL;
	upstream->by_number_count = 0;
}

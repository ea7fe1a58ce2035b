#include "upstream/peer.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"

void peer_set_state(struct rg_peer *peer, enum rg_peer_state state, enum rg_peer_why why)
{
	if (peer->state == state && atomic_load(&peer->stats->since_wall_ns) != 0)
		return;
	if (state == RG_PEER_DOWN)
		log_write(RG_LOG_WARNING, "peer %s is down: %s", peer->name,
			  peer_why_text(why));
	else if (peer->state == RG_PEER_DOWN && state == RG_PEER_UP)
		log_write(RG_LOG_INFO, "peer %s is up again", peer->name);
	peer->state = state;
	atomic_store(&peer->stats->state, state);
	atomic_store(&peer->stats->why, why);
	atomic_store(&peer->stats->since_wall_ns, clock_wall());
}

static uint64_t jitter(uint64_t interval)
{
	uint16_t random = 0;
	RAND_bytes((unsigned char *)&random, sizeof(random));
	return interval + interval / 8 * random / 65536;
}

static const struct sockaddr *port_address(const struct rg_peer_settings *settings, enum rg_port port)
{
	return (const struct sockaddr *)(port == RG_PORT_AUTH ? &settings->address
							      : &settings->accounting_address);
}

static struct rg_channel *channel_open(struct rg_peer *peer, enum rg_port port)
{
	const struct sockaddr *address = port_address(peer->settings, port);
	if (peer->settings->transport != RG_TRANSPORT_UDP || address->sa_family == AF_UNSPEC ||
	    peer->channel_count[port] >= RG_CHANNELS_MOST)
		return NULL;
	struct rg_channel *channel = calloc(1, sizeof(*channel));
	if (!channel)
		return NULL;
	channel->peer = peer;
	channel->fd = udp_connect(address);
	if (channel->fd < 0 ||
	    uv_poll_init(peer->upstream->loop, &channel->poll, channel->fd) != 0) {
		if (channel->fd >= 0)
			close(channel->fd);
		free(channel);
		return NULL;
	}
	channel->poll.data = channel;
	uv_poll_start(&channel->poll, UV_READABLE, channel_readable);
	channel->next = peer->channels[port];
	peer->channels[port] = channel;
	peer->channel_count[port]++;
	return channel;
}

static void channel_closed(uv_handle_t *handle)
{
	struct rg_channel *channel = handle->data;
	close(channel->fd);
	free(channel);
}

/* Round robin, so that an Identifier rests as long as it can before it is used again. */
static uint8_t free_id(struct rg_channel *channel)
{
	while (channel->forwards[channel->next_id])
		channel->next_id++;
	return channel->next_id++;
}

struct rg_forward *peer_take_id(struct rg_peer *peer, enum rg_port port)
{
	struct rg_channel *channel = peer->channels[port];
	while (channel && channel->used == 256)
		channel = channel->next;
	if (!channel)
		channel = channel_open(peer, port);
	struct rg_forward *forward =
		channel ? slab_alloc(peer->upstream->slab, sizeof(*forward)) : NULL;
	if (!forward)
		return NULL;
	*forward = (struct rg_forward){.peer = peer, .channel = channel, .id = free_id(channel)};
	channel->forwards[forward->id] = forward;
	channel->used++;
	atomic_fetch_add_explicit(&peer->stats->outstanding, 1, memory_order_relaxed);
	return forward;
}

void peer_return_id(struct rg_forward *forward)
{
	struct rg_channel *channel = forward->channel;
	channel->forwards[forward->id] = NULL;
	channel->used--;
	atomic_fetch_sub_explicit(&forward->peer->stats->outstanding, 1, memory_order_relaxed);
}

static void schedule(struct rg_peer *peer, uint64_t due)
{
	timer_arm(peer->upstream->wheel, &peer->health, due);
}

void peer_sent(struct rg_peer *peer, uint64_t now)
{
	if (peer->silent_since_ns == 0)
		peer->silent_since_ns = now;
	uint64_t due = peer->silent_since_ns + RG_SILENT_NS;
	if (peer->state != RG_PEER_DOWN &&
	    (!timer_armed(&peer->health) || peer->health.due_ns > due))
		schedule(peer, due);
}

void peer_answered(struct rg_peer *peer, uint64_t now)
{
	peer->last_answer_ns = now;
	peer->silent_since_ns = 0;
	peer->probes = 0;
	if (peer->state != RG_PEER_UP)
		peer_set_state(peer, RG_PEER_UP, RG_WHY_ANSWERS);
	if (peer->settings->status_server && !peer->gone)
		schedule(peer, now + jitter(RG_TWINIT_NS));
	else
		timer_cancel(peer->upstream->wheel, &peer->health);
}

static void go_down(struct rg_peer *peer, enum rg_peer_why why, uint64_t now)
{
	peer->silent_since_ns = 0;
	peer_set_state(peer, RG_PEER_DOWN, why);
	if (!peer->gone)
		schedule(peer, now + jitter(peer->settings->status_server ? RG_DOWN_PROBE_NS
									  : RG_TWINIT_NS));
	upstream_give_up(peer->upstream, peer, now);
}

void peer_refused_connection(struct rg_peer *peer, uint64_t now)
{
	if (peer->state != RG_PEER_DOWN)
		go_down(peer, RG_WHY_REFUSED_CONNECTION, now);
}

void peer_probe_lost(struct rg_peer *peer, uint64_t now)
{
	peer->probes++;
	if (peer->state == RG_PEER_DOWN)
		schedule(peer, now + jitter(RG_DOWN_PROBE_NS));
	else if (peer->probes < RG_PROBES_MOST)
		schedule(peer, now);
	else
		go_down(peer, RG_WHY_SILENT, now);
}

/* RFC 3539 §3.4: a peer that says nothing is asked; one that does not answer even that is down. Where it
 * is not to be asked, silence alone decides, and live traffic tries it again later. */
void peer_health_fire(struct rg_timer *timer, uint64_t now)
{
	struct rg_peer *peer =
		(struct rg_peer *)((char *)timer - offsetof(struct rg_peer, health));
	if (peer->gone)
		return;
	if (peer->settings->status_server) {
		if (!peer->probe && !upstream_send_probe(peer->upstream, peer, now))
			schedule(peer, now + jitter(RG_DOWN_PROBE_NS));
	} else if (peer->state == RG_PEER_DOWN) {
		peer_set_state(peer, RG_PEER_UNKNOWN, RG_WHY_TRY_AGAIN);
	} else if (peer->silent_since_ns != 0) {
		/* Twice as patient: one dead realm behind a living peer looks the same. */
		if (now >= peer->silent_since_ns + 2 * RG_SILENT_NS)
			go_down(peer, RG_WHY_SILENT, now);
		else
			schedule(peer, peer->silent_since_ns + 2 * RG_SILENT_NS);
	}
}

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
	peer->health.fire = peer_health_fire;
	peer->stats = peer_stats_of(settings->name, upstream->worker);
	if (!peer->stats) {
		free(peer);
		return NULL;
	}
	atomic_store(&peer->stats->state, RG_PEER_UNKNOWN);
	atomic_store(&peer->stats->since_wall_ns, 0);
	if (settings->status_server && settings->transport == RG_TRANSPORT_UDP)
		schedule(peer, clock_now()); /* whether it is there is known before anyone needs it */
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
	timer_cancel(peer->upstream->wheel, &peer->health);
	for (unsigned port = 0; port < RG_PORTS; port++) {
		while (peer->channels[port]) {
			struct rg_channel *channel = peer->channels[port];
			peer->channels[port] = channel->next;
			uv_close((uv_handle_t *)&channel->poll, channel_closed);
		}
	}
	radius_key_free(&peer->kept_key);
	free(peer);
}

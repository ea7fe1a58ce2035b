#include "upstream/channel.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/clock.h"
#include "radsec/key.h"
#include "upstream/line.h"
#include "upstream/peer.h"
#include "upstream/response.h"

#define IDENTIFIERS 256u

static void readable(uv_poll_t *poll, int status, int events)
{
	struct rg_channel *channel = poll->data;
	struct rg_peer *peer = channel->peer;
	(void)events;
	int received = status == 0 ? inbox_receive_batch(peer->upstream->inbox, channel->fd,
							 response_take, channel)
				   : -1;
	if (received >= 0)
		return;
	/* An ICMP port unreachable shows as an error of the socket; taking it clears it. */
	int error = errno;
	if (status != 0) {
		socklen_t length = sizeof(error);
		if (getsockopt(channel->fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
			error = errno;
		/* libuv stops a poll that reports an error. */
		uv_poll_start(poll, UV_READABLE, readable);
	}
	if (error == ECONNREFUSED)
		health_refused(peer, clock_now());
}

static const struct sockaddr *port_address(const struct rg_peer_settings *settings,
					   enum rg_port port)
{
	return (const struct sockaddr *)(port == RG_PORT_AUTH ? &settings->address
							      : &settings->accounting_address);
}

/* The last that got an Identifier back is the first to give one: those behind it come to rest. */
void channel_list(struct rg_channel *channel)
{
	struct rg_peer *peer = channel->peer;
	channel->listed = true;
	channel->next_free = peer->free_channels[channel->port];
	peer->free_channels[channel->port] = channel;
}

struct rg_channel *channel_new(struct rg_peer *peer, enum rg_port port, uint32_t slots)
{
	struct rg_channel *channel =
		calloc(1, sizeof(*channel) + slots * sizeof(struct rg_forward *));
	if (!channel)
		return NULL;
	channel->peer = peer;
	channel->port = port;
	channel->slots = slots;
	channel->fd = -1;
	channel->version = RG_RADIUS_1_0;
	channel->next = peer->channels[port];
	peer->channels[port] = channel;
	peer->channel_count[port]++;
	return channel;
}

static struct rg_channel *open_socket(struct rg_peer *peer, enum rg_port port)
{
	const struct sockaddr *address = port_address(peer->settings, port);
	if (address->sa_family == AF_UNSPEC || peer->channel_count[port] >= RG_CHANNELS_MOST)
		return NULL;
	struct rg_channel *channel = channel_new(peer, port, IDENTIFIERS);
	if (!channel)
		return NULL;
	channel->fd = udp_connect(address);
	if (channel->fd < 0 ||
	    uv_poll_init(peer->upstream->loop, &channel->poll, channel->fd) != 0) {
		if (channel->fd >= 0)
			close(channel->fd);
		channel_unlink(channel);
		free(channel);
		return NULL;
	}
	channel->poll.data = channel;
	uv_poll_start(&channel->poll, UV_READABLE, readable);
	channel_list(channel);
	return channel;
}

static void socket_closed(uv_handle_t *handle)
{
	struct rg_channel *channel = handle->data;
	close(channel->fd);
	free(channel);
}

/* Round robin, so that an Identifier rests as long as it can before it is used again; a Token is
 * never used again on its connection (RFC 9765 §4.2). */
static uint32_t free_token(struct rg_channel *channel)
{
	uint32_t kept = channel->connection ? 1 : 0; /* for Status-Server */
	for (;; channel->next_token++) {
		uint32_t slot = channel->next_token % channel->slots;
		if (slot >= kept && !channel->forwards[slot])
			break;
	}
	uint32_t token = channel->next_token++;
	return channel->version == RG_RADIUS_1_1 ? token : token % channel->slots;
}

static bool is_full(const struct rg_channel *channel)
{
	return channel->used >= channel->slots - (channel->connection ? 1 : 0);
}

static struct rg_forward *forward_new(struct rg_peer *peer)
{
	struct rg_forward *forward = slab_alloc(peer->upstream->slab, sizeof(*forward));
	if (!forward)
		return NULL;
	*forward = (struct rg_forward){.peer = peer, .version = RG_RADIUS_1_0};
	peer->under_way++;
	stats_set(&peer->stats->outstanding, peer->under_way);
	return forward;
}

static void enter(struct rg_forward *forward, struct rg_channel *channel, uint32_t token,
		  uint64_t now)
{
	forward->channel = channel;
	forward->token = token;
	channel->forwards[token % channel->slots] = forward;
	channel->used_ns = now;
}

static void enter_as_request(struct rg_forward *forward, struct rg_channel *channel, uint64_t now)
{
	struct rg_peer *peer = channel->peer;
	enter(forward, channel, free_token(channel), now);
	channel->used++;
	if (is_full(channel)) {
		peer->free_channels[channel->port] = channel->next_free;
		channel->listed = false;
	}
}

struct rg_forward *channel_take_probe(struct rg_channel *channel, uint64_t now)
{
	struct rg_forward *forward = channel->forwards[0] ? NULL : forward_new(channel->peer);
	if (forward)
		enter(forward, channel,
		      channel->version == RG_RADIUS_1_1 ? channel->slots * channel->probes++ : 0,
		      now);
	return forward;
}

static bool is_udp(const struct rg_peer *peer)
{
	return peer->settings->transport == RG_TRANSPORT_UDP;
}

struct rg_forward *channel_take(struct rg_peer *peer, enum rg_port port, bool moved, uint64_t now)
{
	if (!is_udp(peer)) {
		port = RG_PORT_AUTH; /* RFC 6614 §2.2: one port for all */
		line_want(peer, now);
	}
	struct rg_channel *channel = peer->free_channels[port];
	if (moved && channel && !is_udp(peer) && lines_pace(peer, now))
		channel = NULL;
	if (!channel && is_udp(peer))
		channel = open_socket(peer, port);
	if (!channel && (is_udp(peer) || !lines_may_wait(peer)))
		return NULL;
	struct rg_forward *forward = forward_new(peer);
	if (forward && channel)
		enter_as_request(forward, channel, now);
	else if (forward)
		lines_wait(forward);
	return forward;
}

bool channel_attach(struct rg_forward *forward, uint64_t now)
{
	struct rg_channel *channel = forward->peer->free_channels[RG_PORT_AUTH];
	if (channel)
		enter_as_request(forward, channel, now);
	return channel;
}

struct rg_forward *channel_find(const struct rg_channel *channel, uint32_t token)
{
	struct rg_forward *forward = channel->forwards[token % channel->slots];
	return forward && forward->token == token ? forward : NULL;
}

void channel_return(struct rg_forward *forward)
{
	struct rg_channel *channel = forward->channel;
	struct rg_peer *peer = forward->peer;
	peer->under_way--;
	stats_set(&peer->stats->outstanding, peer->under_way);
	if (!channel) {
		lines_wait_no_more(forward);
		return;
	}
	uint32_t slot = forward->token % channel->slots;
	channel->forwards[slot] = NULL;
	if (slot == 0 && channel->connection)
		return;
	channel->used--;
	if (!channel->listed && (channel->open_ns != 0 || !channel->connection))
		channel_list(channel);
}

void channel_send(struct rg_channel *channel, struct rg_span packet, const struct rg_radius_key *key)
{
	uint8_t sealed[RG_RADIUS_MOST];
	struct rg_outbox *outbox = channel->peer->upstream->outbox;
	if (channel->connection)
		connection_send(channel->connection, key ? packet_seal(sealed, packet, key) : packet);
	else if (key)
		outbox_add_unsealed(outbox, channel->fd, packet, key, NULL, NULL);
	else
		outbox_add(outbox, channel->fd, packet, NULL, NULL);
}

const struct rg_radius_key *peer_key(const struct rg_peer *peer)
{
	const struct rg_peer_settings *settings = peer->settings;
	return settings->key ? settings->key : radsec_key(settings->transport);
}

const struct rg_radius_key *channel_key(const struct rg_channel *channel)
{
	return channel->version == RG_RADIUS_1_1 ? radius_key_1_1() : peer_key(channel->peer);
}

bool channel_is_reliable(const struct rg_channel *channel)
{
	return channel->peer->settings->transport == RG_TRANSPORT_TLS;
}

static void relist(struct rg_peer *peer, enum rg_port port)
{
	peer->free_channels[port] = NULL;
	for (struct rg_channel *channel = peer->channels[port]; channel; channel = channel->next)
		if (channel->listed)
			channel_list(channel);
}

void channel_unlink(struct rg_channel *channel)
{
	struct rg_peer *peer = channel->peer;
	struct rg_channel **at = &peer->channels[channel->port];
	while (*at != channel)
		at = &(*at)->next;
	*at = channel->next;
	peer->channel_count[channel->port]--;
	relist(peer, channel->port);
}

/* Whoever it was for, nobody hears of it any more. */
static void channel_close(struct rg_channel *channel)
{
	if (!channel->connection) {
		uv_close((uv_handle_t *)&channel->poll, socket_closed);
		return;
	}
	timer_cancel(channel->peer->upstream->wheel, &channel->watch.timer);
	connection_own(channel->connection, NULL, NULL);
	connection_end(channel->connection, RG_CONNECTION_OURS, "");
	free(channel);
}

void channels_tidy(struct rg_peer *peer, uint64_t now)
{
	if (!is_udp(peer))
		return; /* connections are the lines' */
	for (enum rg_port port = RG_PORT_AUTH; port < RG_PORTS; port++) {
		struct rg_channel **at = &peer->channels[port];
		if (!*at || !(*at)->next)
			continue;
		while (*at) {
			struct rg_channel *channel = *at;
			if (channel->used != 0 || now < channel->used_ns + RG_CHANNEL_IDLE_NS ||
			    peer->channel_count[port] == 1) {
				at = &channel->next;
				continue;
			}
			*at = channel->next;
			peer->channel_count[port]--;
			channel_close(channel);
		}
		relist(peer, port);
	}
}

void channels_close(struct rg_peer *peer)
{
	for (enum rg_port port = RG_PORT_AUTH; port < RG_PORTS; port++) {
		while (peer->channels[port]) {
			struct rg_channel *channel = peer->channels[port];
			peer->channels[port] = channel->next;
			channel_close(channel);
		}
		peer->free_channels[port] = NULL;
		peer->channel_count[port] = 0;
	}
}

bool channels_idle(const struct rg_peer *peer)
{
	return peer->under_way == 0;
}

void channels_each(struct rg_peer *peer, void (*each)(void *context, struct rg_forward *),
		   void *context)
{
	/* Whatever ends makes room, and the next one would go in its place, or be lost for want of memory. */
	peer->lines.held = true;
	for (struct rg_forward *forward = peer->lines.waiting, *next; forward; forward = next) {
		next = forward->next;
		each(context, forward);
	}
	peer->lines.held = false;
	for (enum rg_port port = RG_PORT_AUTH; port < RG_PORTS; port++)
		for (struct rg_channel *channel = peer->channels[port]; channel;
		     channel = channel->next)
			for (uint32_t slot = 0;
			     slot < channel->slots && (channel->used != 0 || channel->connection);
			     slot++)
				if (channel->forwards[slot])
					each(context, channel->forwards[slot]);
}

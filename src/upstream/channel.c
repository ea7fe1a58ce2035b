#include "upstream/channel.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/clock.h"
#include "upstream/peer.h"
#include "upstream/response.h"

#define IDENTIFIERS 256u

static void readable(uv_poll_t *poll, int status, int events)
{
	struct rg_channel *channel = poll->data;
	struct rg_peer *peer = channel->peer;
	(void)events;
	int received = status == 0 ? inbox_receive(peer->upstream->inbox, channel->fd,
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
static void list(struct rg_channel *channel)
{
	struct rg_peer *peer = channel->peer;
	channel->listed = true;
	channel->next_free = peer->free_channels[channel->port];
	peer->free_channels[channel->port] = channel;
}

static struct rg_channel *open_socket(struct rg_peer *peer, enum rg_port port)
{
	const struct sockaddr *address = port_address(peer->settings, port);
	if (peer->settings->transport != RG_TRANSPORT_UDP || address->sa_family == AF_UNSPEC ||
	    peer->channel_count[port] >= RG_CHANNELS_MOST)
		return NULL;
	struct rg_channel *channel =
		calloc(1, sizeof(*channel) + IDENTIFIERS * sizeof(struct rg_forward *));
	if (!channel)
		return NULL;
	channel->peer = peer;
	channel->port = port;
	channel->slots = IDENTIFIERS;
	channel->fd = udp_connect(address);
	if (channel->fd < 0 ||
	    uv_poll_init(peer->upstream->loop, &channel->poll, channel->fd) != 0) {
		if (channel->fd >= 0)
			close(channel->fd);
		free(channel);
		return NULL;
	}
	channel->poll.data = channel;
	uv_poll_start(&channel->poll, UV_READABLE, readable);
	channel->next = peer->channels[port];
	peer->channels[port] = channel;
	peer->channel_count[port]++;
	list(channel);
	return channel;
}

static void socket_closed(uv_handle_t *handle)
{
	struct rg_channel *channel = handle->data;
	close(channel->fd);
	free(channel);
}

/* Round robin, so that an Identifier rests as long as it can before it is used again. */
static uint32_t free_slot(struct rg_channel *channel)
{
	while (channel->forwards[channel->next_token % channel->slots])
		channel->next_token++;
	return channel->next_token++ % channel->slots;
}

struct rg_forward *channel_take(struct rg_peer *peer, enum rg_port port, uint64_t now)
{
	struct rg_channel *channel = peer->free_channels[port];
	if (!channel)
		channel = open_socket(peer, port);
	struct rg_forward *forward =
		channel ? slab_alloc(peer->upstream->slab, sizeof(*forward)) : NULL;
	if (!forward)
		return NULL;
	uint32_t slot = free_slot(channel);
	*forward = (struct rg_forward){.peer = peer, .channel = channel, .token = slot};
	channel->forwards[slot] = forward;
	channel->used_ns = now;
	if (++channel->used == channel->slots) {
		peer->free_channels[port] = channel->next_free;
		channel->listed = false;
	}
	peer->under_way++;
	stats_set(&peer->stats->outstanding, peer->under_way);
	return forward;
}

void channel_return(struct rg_forward *forward)
{
	struct rg_channel *channel = forward->channel;
	struct rg_peer *peer = forward->peer;
	channel->forwards[forward->token] = NULL;
	channel->used--;
	if (!channel->listed)
		list(channel);
	peer->under_way--;
	stats_set(&peer->stats->outstanding, peer->under_way);
}

void channel_send(struct rg_channel *channel, struct rg_span packet)
{
	outbox_add(channel->peer->upstream->outbox, channel->fd, packet, NULL, NULL);
}

static void relist(struct rg_peer *peer, enum rg_port port)
{
	peer->free_channels[port] = NULL;
	for (struct rg_channel *channel = peer->channels[port]; channel; channel = channel->next)
		if (channel->listed)
			list(channel);
}

void channels_tidy(struct rg_peer *peer, uint64_t now)
{
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
			uv_close((uv_handle_t *)&channel->poll, socket_closed);
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
			uv_close((uv_handle_t *)&channel->poll, socket_closed);
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
	for (enum rg_port port = RG_PORT_AUTH; port < RG_PORTS; port++)
		for (struct rg_channel *channel = peer->channels[port]; channel;
		     channel = channel->next)
			for (uint32_t slot = 0; slot < channel->slots && channel->used != 0; slot++)
				if (channel->forwards[slot])
					each(context, channel->forwards[slot]);
}

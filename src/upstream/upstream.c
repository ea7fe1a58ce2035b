#include "upstream/upstream.h"

#include <errno.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "radius/writer.h"
#include "upstream/compose.h"
#include "upstream/peer.h"

const struct rg_peer_settings *forward_peer(const struct rg_forward *forward)
{
	return forward->peer->settings;
}

static struct rg_peer *peer_find(const struct rg_upstream *upstream,
				 const struct rg_peer_settings *settings)
{
	struct rg_peer *peer = upstream->peers;
	while (peer && peer->settings != settings)
		peer = peer->next;
	if (peer) /* the usual case: the configuration is the current one */
		return peer;
	for (peer = upstream->peers; peer; peer = peer->next)
		if (strcmp(peer->name, settings->name) == 0 &&
		    strcmp(peer->digest, settings->digest) == 0)
			return peer;
	return NULL;
}

static bool peer_idle(const struct rg_peer *peer)
{
	for (unsigned port = 0; port < RG_PORTS; port++)
		for (const struct rg_channel *channel = peer->channels[port]; channel;
		     channel = channel->next)
			if (channel->used != 0)
				return false;
	return true;
}

void upstream_tidy(struct rg_upstream *upstream)
{
	for (struct rg_peer **at = &upstream->peers; *at;) {
		struct rg_peer *peer = *at;
		if (peer->gone && peer_idle(peer)) {
			*at = peer->next;
			peer_free(peer);
		} else {
			at = &peer->next;
		}
	}
}

static void forward_free(struct rg_upstream *upstream, struct rg_forward *forward)
{
	if (forward->peer->probe == forward)
		forward->peer->probe = NULL;
	timer_cancel(upstream->wheel, &forward->timer);
	peer_return_id(forward);
	slab_free(upstream->slab, forward->bytes, forward->length);
	slab_free(upstream->slab, forward, sizeof(*forward));
}

static void forward_lost(struct rg_upstream *upstream, struct rg_forward *forward,
			 enum rg_lost how)
{
	count(upstream->counters, RG_COUNT_UPSTREAM_LOST);
	atomic_fetch_add_explicit(&forward->peer->stats->lost, 1, memory_order_relaxed);
	upstream->events->lost(upstream->context, forward->request, forward, how);
	forward_free(upstream, forward);
}

static struct rg_upstream *upstream_of(struct rg_timer *timer)
{
	return ((struct rg_forward *)timer)->peer->upstream;
}

static void on_deadline(struct rg_timer *timer, uint64_t now)
{
	(void)now;
	forward_lost(upstream_of(timer), (struct rg_forward *)timer, RG_LOST_TIMEOUT);
}

static void on_probe_deadline(struct rg_timer *timer, uint64_t now)
{
	struct rg_forward *forward = (struct rg_forward *)timer;
	struct rg_peer *peer = forward->peer;
	bool gone = peer->gone;
	forward_free(peer->upstream, forward);
	if (!gone)
		peer_probe_lost(peer, now);
}

static void leave(struct rg_upstream *upstream, struct rg_forward *forward, uint64_t now)
{
	outbox_add(upstream->outbox, forward->channel->fd,
		   span_of(forward->bytes, forward->length), NULL, NULL);
	count(upstream->counters, RG_COUNT_FORWARDED);
	forward->sent_ns = now;
	peer_sent(forward->peer, now);
}

static bool keep_bytes(struct rg_upstream *upstream, struct rg_forward *forward,
		       struct rg_span packet)
{
	forward->bytes = packet.length ? slab_alloc(upstream->slab, packet.length) : NULL;
	if (!forward->bytes)
		return false;
	memcpy(forward->bytes, packet.data, packet.length);
	/* An Accounting-Request's is computed, not drawn (RFC 2866 §3). */
	memcpy(forward->authenticator, packet.data + 4, RG_AUTHENTICATOR);
	forward->length = (uint16_t)packet.length;
	return true;
}

/* Sends to one peer, from the client's packet or (again) from what a former peer was sent. */
static struct rg_forward *send_to(struct rg_upstream *upstream, struct rg_peer *peer,
				  struct rg_composition *composition, uint64_t now)
{
	uint8_t out[RG_RADIUS_MOST];
	enum rg_port port = composition->source->code == RG_ACCOUNTING_REQUEST ? RG_PORT_ACCT
									       : RG_PORT_AUTH;
	struct rg_forward *forward = peer_take_id(peer, port);
	if (!forward)
		return NULL;
	forward->code = composition->source->code;
	composition->key = peer->settings->key;
	composition->id = forward->id;
	composition->node = upstream->node;
	composition->authenticator = forward->authenticator;
	if (!entropy_draw(upstream->entropy, forward->authenticator, RG_AUTHENTICATOR) ||
	    !keep_bytes(upstream, forward, compose_request(composition, out))) {
		forward_free(upstream, forward);
		return NULL;
	}
	leave(upstream, forward, now);
	return forward;
}

/* The first peer of the route, from the given place on, that is not down; if all are, the first that is: someone
 * must find out that it lives again. */
static struct rg_peer *choose(const struct rg_upstream *upstream, const struct rg_route *route,
			      unsigned *from, bool last_resort)
{
	for (unsigned i = *from; i < route->peer_count; i++) {
		struct rg_peer *peer = peer_find(upstream, route->peers[i]);
		if (peer && peer->settings->transport == RG_TRANSPORT_UDP &&
		    (last_resort || peer->state != RG_PEER_DOWN)) {
			*from = i + 1;
			return peer;
		}
	}
	return NULL;
}

struct rg_forward *upstream_send(struct rg_upstream *upstream, const struct rg_forward_order *order)
{
	struct rg_composition composition = {
		.source = order->packet,
		.source_key = order->key,
		.operator_name = order->operator_name,
	};
	struct rg_forward *forward = NULL;
	for (int last_resort = 0; last_resort < 2 && !forward; last_resort++) {
		unsigned tried = 0;
		struct rg_peer *peer;
		while (!forward && (peer = choose(upstream, order->route, &tried, last_resort)))
			forward = send_to(upstream, peer, &composition, order->now);
		if (forward)
			forward->tried = tried;
	}
	if (!forward)
		return NULL;
	forward->request = order->request;
	forward->route = order->route;
	forward->began_ns = order->now;
	forward->timer.fire = on_deadline;
	timer_arm(upstream->wheel, &forward->timer, order->deadline_ns);
	return forward;
}

/* The same request to the route's next peer, with an Identifier and an authenticator of its own. */
static bool move_on(struct rg_upstream *upstream, struct rg_forward *forward, uint64_t now)
{
	struct rg_packet packet;
	unsigned tried = forward->tried;
	struct rg_peer *peer = choose(upstream, forward->route, &tried, false);
	if (!peer || packet_view(&packet, span_of(forward->bytes, forward->length)) != RG_PACKET_OK)
		return false;
	struct rg_composition composition = {
		.source = &packet,
		.source_key = forward->peer->settings->key,
		.again = true,
	};
	struct rg_forward *next = send_to(upstream, peer, &composition, now);
	if (!next)
		return false;
	count(upstream->counters, RG_COUNT_FAILOVERS);
	atomic_fetch_add_explicit(&forward->peer->stats->failovers, 1, memory_order_relaxed);
	next->tried = tried;
	next->request = forward->request;
	next->route = forward->route;
	next->began_ns = forward->began_ns;
	next->timer.fire = on_deadline;
	timer_arm(upstream->wheel, &next->timer, forward->timer.due_ns);
	upstream->events->moved(upstream->context, forward->request, next);
	forward_free(upstream, forward);
	return true;
}

void upstream_give_up(struct rg_upstream *upstream, struct rg_peer *peer, uint64_t now)
{
	for (unsigned port = 0; port < RG_PORTS; port++)
		for (struct rg_channel *channel = peer->channels[port]; channel;
		     channel = channel->next)
			for (unsigned id = 0; id < 256 && channel->used != 0; id++)
				if (channel->forwards[id] && channel->forwards[id]->request)
					move_on(upstream, channel->forwards[id], now);
	/* What could not be moved stays until its deadline: the peer may answer yet. */
}

void upstream_repeat(struct rg_upstream *upstream, struct rg_forward *forward, uint64_t now)
{
	if (forward->peer->state == RG_PEER_DOWN && move_on(upstream, forward, now))
		return;
	count(upstream->counters, RG_COUNT_REFORWARDED);
	leave(upstream, forward, now);
}

void upstream_cancel(struct rg_upstream *upstream, struct rg_forward **forward)
{
	if (*forward)
		forward_free(upstream, *forward);
	*forward = NULL;
}

bool upstream_send_probe(struct rg_upstream *upstream, struct rg_peer *peer, uint64_t now)
{
	uint8_t out[RG_RADIUS_MOST];
	struct rg_writer writer;
	struct rg_forward *forward = peer_take_id(peer, RG_PORT_AUTH);
	if (!forward)
		return false;
	forward->code = RG_STATUS_SERVER;
	writer_begin(&writer, out, sizeof(out), RG_STATUS_SERVER, forward->id);
	writer_add(&writer, RG_NAS_IDENTIFIER, span_text("roamgate"));
	if (!entropy_draw(upstream->entropy, forward->authenticator, RG_AUTHENTICATOR) ||
	    !keep_bytes(upstream, forward,
			writer_request(&writer, forward->authenticator, peer->settings->key))) {
		forward_free(upstream, forward);
		return false;
	}
	forward->timer.fire = on_probe_deadline;
	timer_arm(upstream->wheel, &forward->timer, now + RG_PROBE_NS);
	peer->probe = forward;
	forward->began_ns = forward->sent_ns = now;
	outbox_add(upstream->outbox, forward->channel->fd, span_of(forward->bytes, forward->length),
		   NULL, NULL);
	return true;
}

static bool right_code(uint8_t asked, uint8_t answered)
{
	switch (asked) {
	case RG_ACCESS_REQUEST:
		return answered == RG_ACCESS_ACCEPT || answered == RG_ACCESS_REJECT ||
		       answered == RG_ACCESS_CHALLENGE;
	case RG_ACCOUNTING_REQUEST:
		return answered == RG_ACCOUNTING_RESPONSE;
	case RG_STATUS_SERVER: /* RFC 5997 §3; some answer as if to an Accounting-Request */
		return answered == RG_ACCESS_ACCEPT || answered == RG_ACCOUNTING_RESPONSE;
	default:
		return false;
	}
}

/* attacks.md B3. An Accounting-Response needs no Message-Authenticator, nor (configuration.md) does an answer to
 * Status-Server. */
static bool genuine(struct rg_upstream *upstream, const struct rg_forward *forward,
		    const struct rg_packet *answer)
{
	struct rg_peer *peer = forward->peer;
	if (!right_code(forward->code, answer->code))
		return false;
	switch (reply_verify(answer, forward->authenticator, peer->settings->key)) {
	case RG_FORGED:
		return false;
	case RG_AUTHENTIC:
		if (peer->learned && !atomic_exchange(peer->learned, true))
			upstream->events->learned(upstream->context);
		return true;
	case RG_AUTHENTIC_ABSENT:
		return forward->code != RG_ACCESS_REQUEST ||
		       (peer->learned && !atomic_load(peer->learned) &&
			!packet_must_be_authentic(answer));
	}
	return false;
}

static void drop_answer(struct rg_peer *peer, const char *why)
{
	static struct rg_log_limit limit = {.burst = 5, .every_s = 60};
	count(peer->upstream->counters, RG_COUNT_UPSTREAM_BAD);
	atomic_fetch_add_explicit(&peer->stats->bad, 1, memory_order_relaxed);
	log_limited(&limit, RG_LOG_WARNING, "peer %s: dropped an answer that is %s", peer->name, why);
}

static void take_answer(void *context, const struct rg_datagram *datagram)
{
	struct rg_channel *channel = context;
	struct rg_peer *peer = channel->peer;
	struct rg_upstream *upstream = peer->upstream;
	struct rg_packet answer;
	struct rg_forward *forward = NULL;
	if (packet_view(&answer, datagram->bytes) == RG_PACKET_OK)
		forward = channel->forwards[answer.id];
	if (!forward) {
		drop_answer(peer, "malformed, or to nothing that waits");
		return;
	}
	if (!genuine(upstream, forward, &answer)) {
		drop_answer(peer, "not genuine (is the secret the same on both sides?)");
		return;
	}
	uint64_t now = clock_now();
	count(upstream->counters, RG_COUNT_UPSTREAM_ANSWERS);
	peer_answered(peer, now);
	if (forward->request) {
		if (!upstream->events->answered(upstream->context, forward->request, forward,
						&answer)) {
			drop_answer(peer, "genuine, but bears a key that cannot be read");
			return;
		}
		atomic_fetch_add_explicit(&peer->stats->answered, 1, memory_order_relaxed);
		peer_stats_latency(peer->stats, now - forward->sent_ns);
	}
	forward_free(upstream, forward);
}

void channel_readable(uv_poll_t *poll, int status, int events)
{
	struct rg_channel *channel = poll->data;
	struct rg_peer *peer = channel->peer;
	(void)events;
	int received = status == 0 ? inbox_receive(peer->upstream->inbox, channel->fd, take_answer,
						   channel)
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
		uv_poll_start(poll, UV_READABLE, channel_readable);
	}
	if (error == ECONNREFUSED)
		peer_refused_connection(peer, clock_now());
}

/* Everything under way is over: answered to nobody. */
static void lose_all(struct rg_upstream *upstream, struct rg_peer *peer)
{
	for (unsigned port = 0; port < RG_PORTS; port++)
		for (struct rg_channel *channel = peer->channels[port]; channel;
		     channel = channel->next)
			for (unsigned id = 0; id < 256; id++)
				if (channel->forwards[id])
					forward_lost(upstream, channel->forwards[id],
						     RG_LOST_UNAVAILABLE);
}

/* What is under way may have begun before the configuration that the peer is taken from now, and outlive it. */
static void peer_retire(struct rg_upstream *upstream, struct rg_peer *peer)
{
	if (peer->probe)
		forward_free(upstream, peer->probe);
	if (!peer_keep_settings(peer))
		lose_all(upstream, peer);
}

void upstream_configure(struct rg_upstream *upstream, const struct rg_raddb *raddb,
			rg_learned *const *learned)
{
	upstream_tidy(upstream); /* what is gone may point to settings that are gone too */
	upstream->node = (uint8_t)raddb->gateway.node;
	for (struct rg_peer *peer = upstream->peers; peer; peer = peer->next)
		peer->gone = true;
	for (size_t i = 0; i < raddb->peer_count; i++) {
		const struct rg_peer_settings *settings = &raddb->peers[i];
		struct rg_peer *peer = peer_find(upstream, settings);
		if (!peer) {
			peer = peer_new(upstream, settings, learned[i]);
			if (!peer) {
				log_write(RG_LOG_ERROR, "peer %s: out of memory", settings->name);
				continue;
			}
			peer->next = upstream->peers;
			upstream->peers = peer;
		}
		peer->gone = false;
		peer->settings = settings;
		peer->learned = learned[i];
	}
	for (struct rg_peer *peer = upstream->peers; peer; peer = peer->next)
		if (peer->gone)
			peer_retire(upstream, peer);
}

void upstream_close(struct rg_upstream *upstream)
{
	for (struct rg_peer *peer = upstream->peers; peer; peer = peer->next) {
		for (unsigned port = 0; port < RG_PORTS; port++)
			for (struct rg_channel *channel = peer->channels[port]; channel;
			     channel = channel->next)
				for (unsigned id = 0; id < 256; id++)
					if (channel->forwards[id])
						forward_free(upstream, channel->forwards[id]);
	}
	while (upstream->peers) {
		struct rg_peer *peer = upstream->peers;
		upstream->peers = peer->next;
		peer_free(peer);
	}
}

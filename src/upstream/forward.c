#include "upstream/forward.h"

#include <string.h>

#include "core/clock.h"
#include "radius/writer.h"
#include "upstream/compose.h"
#include "upstream/pool.h"

const struct rg_peer_settings *forward_peer(const struct rg_forward *forward)
{
	return forward->peer->settings;
}

bool forward_packet(const struct rg_forward *forward, struct rg_packet *packet)
{
	return packet_view_version(packet, span_of(forward->bytes, forward->length),
				   forward->version) == RG_PACKET_OK;
}

const struct rg_radius_key *forward_key(const struct rg_forward *forward)
{
	return forward->version == RG_RADIUS_1_1 ? radius_key_1_1() : peer_key(forward->peer);
}

void forward_free(struct rg_upstream *upstream, struct rg_forward *forward)
{
	struct rg_peer *peer = forward->peer;
	if (peer->health.probe == forward)
		peer->health.probe = NULL;
	if (forward->channel && forward->channel->watch.probe == forward)
		forward->channel->watch.probe = NULL;
	timer_cancel(upstream->wheel, &forward->timer);
	channel_return(forward);
	slab_free(upstream->slab, forward->bytes, forward->length);
	slab_free(upstream->slab, forward, sizeof(*forward));
	if (peer->lines.waiting)
		lines_go_on(peer, clock_now());
}

void forward_lost(struct rg_upstream *upstream, struct rg_forward *forward, enum rg_lost how)
{
	count(upstream->counters, RG_COUNT_UPSTREAM_LOST);
	stats_add(&forward->peer->stats->lost, 1);
	upstream->events->lost(upstream->context, forward->request, forward, how);
	forward_free(upstream, forward);
}

static struct rg_upstream *upstream_of(struct rg_timer *timer)
{
	return ((struct rg_forward *)timer)->peer->upstream;
}

static void on_deadline(struct rg_timer *timer, uint64_t now)
{
	struct rg_forward *forward = (struct rg_forward *)timer;
	if (forward->channel)
		health_overdue(forward->peer, forward, now);
	forward_lost(upstream_of(timer), forward,
		     forward->channel ? RG_LOST_TIMEOUT : RG_LOST_UNAVAILABLE);
}

static void on_probe_deadline(struct rg_timer *timer, uint64_t now)
{
	struct rg_forward *forward = (struct rg_forward *)timer;
	struct rg_peer *peer = forward->peer;
	struct rg_channel *channel = forward->channel;
	bool gone = peer->gone;
	forward_free(peer->upstream, forward);
	if (channel->connection)
		line_probe_lost(channel, now);
	else if (!gone)
		health_probe_lost(peer, now);
}

static void send_bytes(const struct rg_forward *forward)
{
	bool sealed = forward->code == RG_ACCOUNTING_REQUEST;
	channel_send(forward->channel, span_of(forward->bytes, forward->length), sealed ? NULL : forward_key(forward));
}

static void leave(struct rg_upstream *upstream, struct rg_forward *forward, uint64_t now)
{
	if (!forward->channel)
		return; /* its time comes */
	send_bytes(forward);
	if (forward->channel->connection)
		line_sent(forward->channel, now);
	count(upstream->counters, RG_COUNT_FORWARDED);
	health_sent(forward->peer, forward->realm, now);
}

static bool keep_bytes(struct rg_upstream *upstream, struct rg_forward *forward,
		       struct rg_span packet)
{
	forward->bytes = packet.length ? slab_alloc(upstream->slab, packet.length) : NULL;
	if (!forward->bytes)
		return false;
	memcpy(forward->bytes, packet.data, packet.length);
	/* An Accounting-Request's is computed, not drawn. */
	memcpy(forward->authenticator, packet.data + 4, RG_AUTHENTICATOR);
	forward->length = (uint16_t)packet.length;
	return true;
}

/* As its channel will have it; without one, as RADIUS/1.0 of its peer. */
static bool compose(struct rg_forward *forward, struct rg_composition *composition)
{
	uint8_t out[RG_RADIUS_MOST];
	struct rg_upstream *upstream = forward->peer->upstream;
	forward->version = (uint8_t)(forward->channel ? forward->channel->version : RG_RADIUS_1_0);
	composition->key = forward_key(forward);
	composition->token = forward->token;
	composition->node = upstream->node;
	composition->authenticator = forward->authenticator;
	return entropy_draw(upstream->entropy, forward->authenticator, RG_AUTHENTICATOR) &&
	       keep_bytes(upstream, forward, compose_request(composition, out));
}

/* Sends to one peer, from the client's packet or (again) from what a former peer was sent. */
static struct rg_forward *send_to(struct rg_peer *peer, struct rg_composition *composition,
				  const struct rg_choice *choice)
{
	struct rg_upstream *upstream = peer->upstream;
	enum rg_port port =
		composition->source->code == RG_ACCOUNTING_REQUEST ? RG_PORT_ACCT : RG_PORT_AUTH;
	struct rg_forward *forward = channel_take(peer, port, composition->again, choice->now);
	if (!forward)
		return NULL;
	forward->code = composition->source->code;
	if (!compose(forward, composition)) {
		forward_free(upstream, forward);
		return NULL;
	}
	forward->route = choice->route;
	forward->realm = choice->realm;
	forward->tried = choice->tried;
	forward->place = choice->place;
	forward->sent_ns = choice->now;
	leave(upstream, forward, choice->now);
	return forward;
}

/* The first that can take it. */
static struct rg_forward *send_to_any(struct rg_upstream *upstream,
				      struct rg_composition *composition, struct rg_choice *choice)
{
	struct rg_forward *forward = NULL;
	struct rg_peer *peer;
	while (!forward && (peer = pool_choose(upstream, choice)))
		forward = send_to(peer, composition, choice);
	return forward;
}

struct rg_forward *upstream_send(struct rg_upstream *upstream, const struct rg_forward_order *order)
{
	struct rg_composition composition = {
		.source = order->packet,
		.source_key = order->key,
		.operator_name = order->operator_name,
	};
	struct rg_choice choice = {
		.route = order->route,
		.realm = realm_hash(order->realm),
		.packet = order->packet,
		.worst = RG_UNFIT,
		.now = order->now,
	};
	struct rg_forward *forward = send_to_any(upstream, &composition, &choice);
	if (!forward)
		return NULL;
	forward->request = order->request;
	forward->began_ns = order->now;
	forward->timer.fire = on_deadline;
	timer_arm(upstream->wheel, &forward->timer, order->deadline_ns);
	return forward;
}

/* To one that it was not sent to yet; or, where there is none, to a former one that lives again. */
static struct rg_forward *send_elsewhere(struct rg_forward *forward,
					 struct rg_composition *composition, enum rg_fitness worst,
					 uint64_t now)
{
	struct rg_choice choice = {
		.route = forward->route,
		.realm = forward->realm,
		.packet = composition->source,
		.tried = forward->tried,
		.worst = worst,
		.now = now,
	};
	struct rg_upstream *upstream = forward->peer->upstream;
	struct rg_forward *next = send_to_any(upstream, composition, &choice);
	if (next || worst == RG_UNFIT)
		return next;
	choice.tried = UINT64_C(1) << forward->place;
	return send_to_any(upstream, composition, &choice);
}

/* next is the same request's from now on. */
static void take_over(struct rg_upstream *upstream, struct rg_forward *forward,
		      struct rg_forward *next)
{
	if (next->peer != forward->peer) {
		count(upstream->counters, RG_COUNT_FAILOVERS);
		stats_add(&forward->peer->stats->failovers, 1);
	}
	next->tried |= forward->tried;
	next->request = forward->request;
	next->began_ns = forward->began_ns;
	next->timer.fire = on_deadline;
	timer_arm(upstream->wheel, &next->timer, forward->timer.due_ns);
	upstream->events->moved(upstream->context, forward->request, next);
	forward_free(upstream, forward);
}

static bool sent_before(const struct rg_forward *forward, struct rg_packet *packet,
			struct rg_composition *composition)
{
	if (!forward_packet(forward, packet))
		return false;
	*composition = (struct rg_composition){
		.source = packet,
		.source_key = forward_key(forward),
		.again = true,
	};
	return true;
}

static bool move(struct rg_upstream *upstream, struct rg_forward *forward, enum rg_fitness worst,
		 uint64_t now)
{
	struct rg_packet packet;
	struct rg_composition composition;
	if (!sent_before(forward, &packet, &composition))
		return false;
	struct rg_forward *next = send_elsewhere(forward, &composition, worst, now);
	if (next)
		take_over(upstream, forward, next);
	return next;
}

/* Its connection has ended: to the same peer by another one, or to another peer; or nobody will
 * ever answer it. */
static void move_or_lose(struct rg_forward *forward, uint64_t now)
{
	struct rg_packet packet;
	struct rg_composition composition;
	struct rg_upstream *upstream = forward->peer->upstream;
	struct rg_choice choice = {
		.route = forward->route, .realm = forward->realm, .worst = RG_UNFIT, .now = now};
	struct rg_forward *next = NULL;
	if (sent_before(forward, &packet, &composition)) {
		choice.packet = &packet;
		next = send_to_any(upstream, &composition, &choice);
	}
	if (next)
		take_over(upstream, forward, next);
	else
		forward_lost(upstream, forward, RG_LOST_UNAVAILABLE);
}

void forwards_move_from(struct rg_channel *channel, uint64_t now)
{
	struct rg_peer *peer = channel->peer;
	for (uint32_t slot = 0; slot < channel->slots; slot++) {
		struct rg_forward *forward = channel->forwards[slot];
		if (forward && forward->request)
			move_or_lose(forward, now);
		else if (forward)
			forward_free(peer->upstream, forward);
	}
}

void forward_go(struct rg_forward *forward, uint64_t now)
{
	struct rg_packet packet;
	struct rg_composition composition;
	struct rg_upstream *upstream = forward->peer->upstream;
	uint8_t *former = forward->bytes;
	uint16_t length = forward->length;
	bool fine = sent_before(forward, &packet, &composition);
	lines_wait_no_more(forward);
	if (!channel_attach(forward, now)) {
		lines_wait(forward);
		return;
	}
	forward->bytes = NULL;
	fine = fine && compose(forward, &composition);
	slab_free(upstream->slab, former, length);
	forward->sent_ns = now;
	if (fine)
		leave(upstream, forward, now);
	else
		forward_lost(upstream, forward, RG_LOST_UNAVAILABLE);
}

void forward_declined(struct rg_forward *forward, uint64_t now)
{
	struct rg_upstream *upstream = forward->peer->upstream;
	/* To none that has had it: two that both decline would send it to and fro. */
	if (!move(upstream, forward, RG_UNFIT, now))
		forward_lost(upstream, forward, RG_LOST_DECLINED);
}

struct giving_up {
	uint32_t realm;
	uint64_t now;
};

static void give_up(void *context, struct rg_forward *forward)
{
	const struct giving_up *giving_up = context;
	if (!forward->request || (giving_up->realm != 0 && giving_up->realm != forward->realm))
		return;
	move(forward->peer->upstream, forward,
	     giving_up->realm != 0 ? RG_FIT_RECOVERING : RG_FIT_REALM_SILENT, giving_up->now);
}

void forwards_give_up(struct rg_peer *peer, uint32_t realm, uint64_t now)
{
	struct giving_up giving_up = {realm, now};
	channels_each(peer, give_up, &giving_up);
	/* What could not be moved stays until its deadline: the peer may answer yet. */
}

void upstream_repeat(struct rg_upstream *upstream, struct rg_forward *forward, uint64_t now)
{
	struct rg_peer *peer = forward->peer;
	bool down = peer->health.state == RG_PEER_DOWN;
	if ((down || !forward->channel) && move(upstream, forward, RG_FIT_REALM_SILENT, now))
		return;
	if (!forward->channel)
		return;
	/* Nobody is known to live. Who was called down before may be back, or was only asked for a realm that is silent behind
	 * it: each gets the request once, before its client loses patience. */
	if (down && move(upstream, forward, RG_UNFIT, now))
		return;
	if (health_overdue(peer, forward, now) && move(upstream, forward, RG_FIT_RECOVERING, now))
		return;
	if (channel_is_reliable(forward->channel))
		return; /* it has arrived, or its connection has ended */
	count(upstream->counters, RG_COUNT_REFORWARDED);
	leave(upstream, forward, now);
}

void upstream_cancel(struct rg_upstream *upstream, struct rg_forward **forward)
{
	if (*forward)
		forward_free(upstream, *forward);
	*forward = NULL;
}

bool forward_probe(struct rg_peer *peer, struct rg_channel *channel, uint64_t now)
{
	uint8_t out[RG_RADIUS_MOST];
	struct rg_writer writer;
	struct rg_upstream *upstream = peer->upstream;
	struct rg_forward *forward = channel ? channel_take_probe(channel, now)
					     : channel_take(peer, RG_PORT_AUTH, false, now);
	if (!forward)
		return false;
	forward->code = RG_STATUS_SERVER;
	forward->version = (uint8_t)forward->channel->version;
	writer_begin(&writer, out, sizeof(out), RG_STATUS_SERVER, forward->token,
		     channel_key(forward->channel));
	writer_add(&writer, RG_NAS_IDENTIFIER, span_text("roamgate"));
	if (!entropy_draw(upstream->entropy, forward->authenticator, RG_AUTHENTICATOR) ||
	    !keep_bytes(upstream, forward, writer_unsealed(&writer, forward->authenticator))) {
		forward_free(upstream, forward);
		return false;
	}
	forward->timer.fire = on_probe_deadline;
	timer_arm(upstream->wheel, &forward->timer, now + RG_PROBE_NS);
	if (channel)
		channel->watch.probe = forward;
	else
		peer->health.probe = forward;
	forward->began_ns = forward->sent_ns = now;
	send_bytes(forward);
	return true;
}

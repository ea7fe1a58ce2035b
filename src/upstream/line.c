#include "upstream/line.h"

#include <openssl/rand.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/log.h"
#include "upstream/forward.h"
#include "upstream/peer.h"
#include "upstream/response.h"

#define IDENTIFIERS 256u

static void watch_on(struct rg_channel *, uint64_t now);
static void on_watch(struct rg_timer *, uint64_t now);
static void on_pace(struct rg_timer *, uint64_t now);

/* Identifier 0 is Status-Server's. */
static unsigned room_of(const struct rg_channel *channel)
{
	return channel->slots - 1;
}

/* Whether it is who was to be called: of a found peer the realm counts as well (RFC 7585 §2.2). */
static bool is_right(const struct rg_connection *connection, const struct rg_peer_settings *settings)
{
	if (connection_peer(connection)->psk_identity)
		return true;
	if (settings->found_realm && connection_bears_realm(connection, settings->found_realm))
		return true;
	return connection_bears(connection, &settings->server_names, NULL);
}

static bool on_established(void *owner, struct rg_connection *connection, char *refusal)
{
	struct rg_channel *channel = owner;
	struct rg_peer *peer = channel->peer;
	const struct rg_connection_peer *other = connection_peer(connection);
	if (peer->gone || !peer->lines.radsec) {
		snprintf(refusal, 160, "it is not configured any more");
		return false;
	}
	if (!is_right(connection, peer->settings)) {
		snprintf(refusal, 160, "its certificate bears none of its %s (%.90s)",
			 peer->found ? "names" : "server_names", other->subject);
		return false;
	}
	channel->open_ns = clock_now();
	channel->version = other->version;
	channel->used_ns = channel->watch.heard_ns = channel->open_ns;
	if (channel->version == RG_RADIUS_1_1)
		channel->slots = RG_LINE_TOKENS;
	peer->lines.dialing--;
	peer->lines.open++;
	peer->lines.room += room_of(channel);
	channel_list(channel);
	peer_stats_connected(peer->stats, peer->lines.open,
			     &(struct rg_peer_connection){other->tls, other->subject,
							  other->version, other->not_after});
	log_write(RG_LOG_INFO, "peer %s: connected (TLS %s, RADIUS/%s, %s)", peer->name, other->tls,
		  other->version == RG_RADIUS_1_1 ? "1.1" : "1.0",
		  other->psk_identity ? "by its key" : other->subject);
	health_connected(peer, channel->open_ns);
	watch_on(channel, channel->open_ns);
	lines_go_on(peer, channel->open_ns);
	return true;
}

static bool on_packets(void *owner, struct rg_connection *connection, const struct rg_span *packets, size_t count)
{
	(void)connection;
	return response_take_packets(owner, packets, count);
}

/* Half as long again by chance, so that those that lost the same peer do not come back as one. */
static uint64_t next_wait(struct rg_lines *lines)
{
	uint16_t random = 0;
	RAND_bytes((unsigned char *)&random, sizeof(random));
	uint64_t wait = lines->wait_ns;
	lines->wait_ns = wait * 2 < RG_REDIAL_MOST_NS ? wait * 2 : RG_REDIAL_MOST_NS;
	wait += wait / 2 * random / 65536;
	return wait < RG_REDIAL_MOST_NS ? wait : RG_REDIAL_MOST_NS;
}

static void on_ended(void *owner, struct rg_connection *connection, enum rg_connection_end how,
		     const char *detail)
{
	struct rg_channel *channel = owner;
	struct rg_peer *peer = channel->peer;
	struct rg_lines *lines = &peer->lines;
	uint64_t now = clock_now();
	bool was_open = channel->open_ns != 0;
	(void)connection;
	if (was_open) {
		lines->open--;
		lines->room -= room_of(channel);
	} else {
		lines->dialing--;
		lines->rest_ns = now + RG_REDIAL_LEAST_NS;
	}
	if (was_open && now >= channel->open_ns + RG_LINE_STEADY_NS)
		lines->wait_ns = RG_REDIAL_LEAST_NS;
	timer_cancel(peer->upstream->wheel, &channel->watch.timer);
	channel->open_ns = 0; /* it gives no Identifiers any more */
	channel_unlink(channel);
	peer_stats_disconnected(peer->stats, lines->open,
				detail[0] ? detail : connection_end_text(how));
	if (lines->open == 0)
		health_disconnected(peer, detail, now);
	forwards_move_from(channel, now);
	free(channel);
	if (lines->open + lines->dialing == 0 && !peer->gone && lines->radsec &&
	    !timer_armed(&lines->redial))
		timer_arm(peer->upstream->wheel, &lines->redial, now + next_wait(lines));
}

static const struct rg_connection_events events = {
	.established = on_established,
	.packets = on_packets,
	.ended = on_ended,
};

static void call(struct rg_peer *peer)
{
	const struct rg_peer_settings *settings = peer->settings;
	const struct rg_dial dial = {
		.transport = settings->transport,
		.host = settings->host,
		.port = settings->port,
		.addresses = settings->found_addresses,
		.address_count = settings->found_address_count,
		.psk_identity = settings->psk_identity,
		.psk = settings->psk,
	};
	struct rg_channel *channel = channel_new(peer, RG_PORT_AUTH, RG_LINE_TOKENS);
	if (!channel)
		return;
	channel->slots = IDENTIFIERS; /* all, once RADIUS/1.1 is agreed on */
	channel->watch.timer.fire = on_watch;
	channel->used_ns = clock_now();
	channel->connection =
		connection_dial(peer->upstream->place, peer->lines.radsec, &dial, &events, channel);
	if (channel->connection) {
		peer->lines.dialing++;
		return;
	}
	channel_unlink(channel);
	free(channel);
}

static void on_redial(struct rg_timer *timer, uint64_t now)
{
	struct rg_peer *peer =
		(struct rg_peer *)((char *)timer - offsetof(struct rg_peer, lines.redial));
	if (peer->gone || !peer->lines.radsec || peer->lines.open + peer->lines.dialing != 0)
		return;
	call(peer);
	if (peer->lines.dialing == 0) /* no memory */
		timer_arm(peer->upstream->wheel, timer, now + RG_REDIAL_MOST_NS);
}

void lines_init(struct rg_peer *peer)
{
	peer->lines =
		(struct rg_lines){.redial = {.fire = on_redial}, .wait_ns = RG_REDIAL_LEAST_NS};
	peer->lines.pace.fire = on_pace;
	peer->lines.last_waiting = &peer->lines.waiting;
}

/* A handshake under way may use a key of the former configuration, which goes. */
static void recheck(struct rg_peer *peer, bool other)
{
	struct rg_channel *channel = peer->channels[RG_PORT_AUTH];
	for (; channel; channel = channel->next) {
		if (channel->open_ns == 0 && peer->settings->psk)
			connection_end(channel->connection, RG_CONNECTION_OURS,
				       "the configuration was read anew");
		else if (channel->open_ns != 0 && other)
			connection_recheck(channel->connection, peer->lines.radsec);
		if (channel->open_ns != 0 && !timer_armed(&channel->watch.timer))
			watch_on(channel, clock_now()); /* of a peer that was to go and stays */
	}
}

static void stop_asking(struct rg_peer *peer)
{
	for (struct rg_channel *channel = peer->channels[RG_PORT_AUTH]; channel;
	     channel = channel->next)
		if (channel->watch.probe)
			forward_free(peer->upstream, channel->watch.probe);
}

void lines_configure(struct rg_peer *peer, struct rg_radsec *radsec)
{
	struct rg_radsec *former = peer->lines.radsec;
	peer->lines.radsec = radsec;
	if (!radsec) {
		timer_cancel(peer->upstream->wheel, &peer->lines.redial);
		stop_asking(peer);
		return;
	}
	recheck(peer, former != radsec);
	if (peer->lines.open + peer->lines.dialing == 0 && !timer_armed(&peer->lines.redial))
		call(peer);
}

void lines_give_up(struct rg_peer *peer)
{
	for (struct rg_channel *channel = peer->channels[RG_PORT_AUTH]; channel;
	     channel = channel->next)
		if (channel->open_ns != 0)
			connection_end(channel->connection, RG_CONNECTION_OURS,
				       "it answers nothing");
}

void line_want(struct rg_peer *peer, uint64_t now)
{
	struct rg_lines *lines = &peer->lines;
	if (lines->open == 0 || lines->dialing != 0 || !lines->radsec || peer->gone ||
	    lines->open >= RG_LINES_MOST || peer->under_way + RG_LINE_SPARE < lines->room ||
	    now < lines->rest_ns)
		return;
	call(peer);
}

void lines_end(struct rg_peer *peer)
{
	timer_cancel(peer->upstream->wheel, &peer->lines.redial);
	timer_cancel(peer->upstream->wheel, &peer->lines.pace);
}

/* Waiting. */

bool lines_may_wait(const struct rg_peer *peer)
{
	return peer->lines.radsec && peer->lines.waiting_count < RG_LINES_WAITING_MOST;
}

void lines_wait(struct rg_forward *forward)
{
	struct rg_lines *lines = &forward->peer->lines;
	forward->self = lines->last_waiting;
	*lines->last_waiting = forward;
	lines->last_waiting = &forward->next;
	lines->waiting_count++;
}

void lines_wait_no_more(struct rg_forward *forward)
{
	struct rg_lines *lines = &forward->peer->lines;
	*forward->self = forward->next;
	if (forward->next)
		forward->next->self = forward->self;
	else
		lines->last_waiting = forward->self;
	forward->next = NULL;
	forward->self = NULL;
	lines->waiting_count--;
}

bool lines_pace(struct rg_peer *peer, uint64_t now)
{
	struct rg_lines *lines = &peer->lines;
	if (now >= lines->pace_ns + RG_LINE_PACE_NS) {
		lines->pace_ns = now;
		lines->paced = 0;
	}
	if (lines->paced < RG_LINE_PACE_MOST) {
		lines->paced++;
		return false;
	}
	if (!timer_armed(&lines->pace))
		timer_arm(peer->upstream->wheel, &lines->pace, lines->pace_ns + RG_LINE_PACE_NS);
	return true;
}

static void on_pace(struct rg_timer *timer, uint64_t now)
{
	lines_go_on((struct rg_peer *)((char *)timer - offsetof(struct rg_peer, lines.pace)), now);
}

void lines_go_on(struct rg_peer *peer, uint64_t now)
{
	struct rg_lines *lines = &peer->lines;
	if (lines->held)
		return;
	while (lines->waiting && lines->open != 0 && peer->free_channels[RG_PORT_AUTH] &&
	       peer->health.state != RG_PEER_DOWN && !lines_pace(peer, now))
		forward_go(lines->waiting, now);
	if (lines->waiting)
		line_want(peer, now);
}

/* The watchdog. */

static struct rg_channel *watched(struct rg_timer *timer)
{
	return (struct rg_channel *)((char *)timer - offsetof(struct rg_channel, watch.timer));
}

static void arm(struct rg_channel *channel, uint64_t due)
{
	timer_arm(channel->peer->upstream->wheel, &channel->watch.timer, due);
}

/* When it is to be asked: after silence, and every Twinit; never more often than every 6 s but for
 * the repeat of what was not answered. */
static uint64_t next_probe(const struct rg_channel *channel)
{
	const struct rg_watch *watch = &channel->watch;
	uint64_t due = watch->heard_ns + channel->peer->health.twinit_ns;
	if (watch->asked_ns != 0 && watch->asked_ns + RG_SILENT_NS < due)
		due = watch->asked_ns + RG_SILENT_NS;
	if (watch->probed_ns != 0 && due < watch->probed_ns + RG_DOWN_PROBE_NS)
		due = watch->probed_ns + RG_DOWN_PROBE_NS;
	return watch->probes_lost != 0 ? 0 : due;
}

/* One more than are needed, for a while. */
static bool is_needless(const struct rg_channel *channel, uint64_t now)
{
	const struct rg_peer *peer = channel->peer;
	return channel->used == 0 && peer->lines.open > 1 &&
	       now >= channel->used_ns + RG_LINE_IDLE_NS &&
	       peer->under_way + 2 * RG_LINE_SPARE < peer->lines.room - room_of(channel);
}

static void on_watch(struct rg_timer *timer, uint64_t now)
{
	struct rg_channel *channel = watched(timer);
	struct rg_peer *peer = channel->peer;
	if (!connection_is_open(channel->connection))
		return;
	if (is_needless(channel, now)) {
		connection_end(channel->connection, RG_CONNECTION_OURS,
			       "it is not needed any more");
		return;
	}
	if (peer->gone)
		return;
	watch_on(channel, now);
	if (!peer->settings->status_server || channel->watch.probe || now < next_probe(channel))
		return;
	channel->watch.probed_ns = now;
	if (!forward_probe(peer, channel, now))
		arm(channel, now + RG_DOWN_PROBE_NS);
}

static void watch_on(struct rg_channel *channel, uint64_t now)
{
	uint64_t due = now + RG_LINE_IDLE_NS;
	if (channel->peer->settings->status_server && !channel->watch.probe &&
	    next_probe(channel) < due)
		due = next_probe(channel);
	arm(channel, due);
}

void line_sent(struct rg_channel *channel, uint64_t now)
{
	struct rg_watch *watch = &channel->watch;
	if (watch->asked_ns != 0)
		return;
	watch->asked_ns = now;
	if (channel->peer->settings->status_server && watch->timer.due_ns > now + RG_SILENT_NS)
		arm(channel, now + RG_SILENT_NS);
}

void line_heard(struct rg_channel *channel, uint64_t now)
{
	channel->watch.heard_ns = now;
	channel->watch.asked_ns = 0;
	channel->watch.probes_lost = 0;
}

void line_probe_lost(struct rg_channel *channel, uint64_t now)
{
	if (++channel->watch.probes_lost < RG_PROBES_MOST) {
		arm(channel, now);
		return;
	}
	connection_end(channel->connection, RG_CONNECTION_TIMEOUT,
		       "it does not answer Status-Server");
	/* What was under way here must not go from one deaf connection to the next. */
	health_unheard(channel->peer, now);
}

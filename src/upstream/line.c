#include "upstream/line.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/log.h"
#include "upstream/forward.h"
#include "upstream/peer.h"
#include "upstream/response.h"

#define IDENTIFIERS 256u

static void call(struct rg_peer *);

static bool on_established(void *owner, struct rg_connection *connection, char *refusal)
{
	struct rg_channel *channel = owner;
	struct rg_peer *peer = channel->peer;
	const struct rg_connection_peer *other = connection_peer(connection);
	if (peer->gone || !peer->lines.radsec) {
		snprintf(refusal, 160, "it is not configured any more");
		return false;
	}
	if (!peer->settings->psk &&
	    !connection_bears(connection, &peer->settings->server_names, NULL)) {
		snprintf(refusal, 160, "its certificate bears none of its server_names (%.90s)", other->subject);
		return false;
	}
	channel->open_ns = clock_now();
	channel->version = other->version;
	channel->used_ns = channel->open_ns;
	peer->lines.dialing--;
	peer->lines.open++;
	channel_list(channel);
	peer_stats_connected(peer->stats, peer->lines.open, other->tls, other->subject, other->not_after);
	log_write(RG_LOG_INFO, "peer %s: connected (TLS %s, %s)", peer->name, other->tls,
		  other->psk_identity ? "by its key" : other->subject);
	health_connected(peer, channel->open_ns);
	return true;
}

static bool on_packet(void *owner, struct rg_connection *connection, struct rg_span packet)
{
	(void)connection;
	return response_take_packet(owner, packet);
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
	(void)how;
	if (was_open)
		lines->open--;
	else
		lines->dialing--;
	if (was_open && now >= channel->open_ns + RG_LINE_STEADY_NS)
		lines->wait_ns = RG_REDIAL_LEAST_NS;
	channel->open_ns = 0; /* it gives no Identifiers any more */
	channel_unlink(channel);
	peer_stats_disconnected(peer->stats, lines->open, detail);
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
	.packet = on_packet,
	.ended = on_ended,
};

static void call(struct rg_peer *peer)
{
	const struct rg_peer_settings *settings = peer->settings;
	const struct rg_dial dial = {
		.transport = settings->transport,
		.host = settings->host,
		.port = settings->port,
		.psk_identity = settings->psk_identity,
		.psk = settings->psk,
	};
	struct rg_channel *channel = channel_new(peer, RG_PORT_AUTH, IDENTIFIERS);
	if (!channel)
		return;
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
	peer->lines = (struct rg_lines){.redial = {.fire = on_redial}, .wait_ns = RG_REDIAL_LEAST_NS};
}

static void recheck(struct rg_peer *peer)
{
	for (struct rg_channel *channel = peer->channels[RG_PORT_AUTH]; channel; channel = channel->next)
		if (channel->open_ns != 0)
			connection_recheck(channel->connection, peer->lines.radsec);
}

void lines_configure(struct rg_peer *peer, struct rg_radsec *radsec)
{
	struct rg_radsec *former = peer->lines.radsec;
	peer->lines.radsec = radsec;
	if (!radsec)
		timer_cancel(peer->upstream->wheel, &peer->lines.redial);
	else if (former && former != radsec)
		recheck(peer);
	if (radsec && peer->lines.open + peer->lines.dialing == 0 && !timer_armed(&peer->lines.redial))
		call(peer);
}

void lines_give_up(struct rg_peer *peer)
{
	for (struct rg_channel *channel = peer->channels[RG_PORT_AUTH]; channel; channel = channel->next)
		if (channel->open_ns != 0)
			connection_end(channel->connection, RG_CONNECTION_OURS, "it answers nothing");
}

void line_want(struct rg_peer *peer, uint64_t now)
{
	struct rg_lines *lines = &peer->lines;
	unsigned room = lines->open * (IDENTIFIERS - 1);
	(void)now;
	if (lines->open == 0 || lines->dialing != 0 || !lines->radsec || peer->gone ||
	    lines->open >= RG_LINES_MOST || peer->under_way + RG_LINE_SPARE < room)
		return;
	call(peer);
}

void lines_end(struct rg_peer *peer)
{
	timer_cancel(peer->upstream->wheel, &peer->lines.redial);
}

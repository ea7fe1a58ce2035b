#include "upstream/response.h"

#include "core/clock.h"
#include "core/log.h"
#include "upstream/affinity.h"
#include "upstream/forward.h"
#include "upstream/peer.h"

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

/* attacks.md B3. An Accounting-Response needs no Message-Authenticator, nor (configuration.md) does
 * an answer to Status-Server. */
static bool genuine(struct rg_upstream *upstream, const struct rg_forward *forward,
		    const struct rg_packet *answer)
{
	struct rg_peer *peer = forward->peer;
	if (!right_code(forward->code, answer->code))
		return false;
	switch (reply_verify(answer, forward->authenticator, channel_key(forward->channel))) {
	case RG_FORGED:
		return false;
	case RG_AUTHENTIC:
		if (peer->learned && answer->version == RG_RADIUS_1_0 &&
		    !atomic_exchange(peer->learned, true))
			upstream->events->learned(upstream->context);
		return true;
	case RG_AUTHENTIC_ABSENT:
		return forward->code != RG_ACCESS_REQUEST ||
		       (peer->learned && !atomic_load(peer->learned) &&
			!packet_must_be_authentic(answer));
	}
	return false;
}

static void drop(struct rg_peer *peer, const char *why)
{
	static struct rg_log_limit limit = {.burst = 5, .every_s = 60};
	count(peer->upstream->counters, RG_COUNT_UPSTREAM_BAD);
	stats_add(&peer->stats->bad, 1);
	log_limited(&limit, RG_LOG_WARNING, "peer %s: dropped an answer that is %s", peer->name,
		    why);
}

/* Given on. What its conversation says next goes where this came from. */
static void settle(struct rg_forward *forward, const struct rg_packet *answer, uint64_t now)
{
	struct rg_peer *peer = forward->peer;
	stats_add(&peer->stats->answered, 1);
	if (answer->code == RG_ACCESS_REJECT)
		stats_add(&peer->stats->refused, 1);
	peer_stats_latency(peer->stats, now - forward->sent_ns);
	if (answer->code == RG_ACCESS_CHALLENGE && answer->first[RG_STATE] != 0)
		affinity_put(peer->upstream->affinity,
			     affinity_key(packet_find(answer, RG_STATE), forward->realm),
			     peer->number, now);
}

static void take(struct rg_forward *forward, const struct rg_packet *answer)
{
	struct rg_peer *peer = forward->peer;
	struct rg_upstream *upstream = peer->upstream;
	if (!genuine(upstream, forward, answer)) {
		peer->health.bad_since_answer = true;
		drop(peer, "not genuine (is the secret the same on both sides?)");
		return;
	}
	uint64_t now = clock_now();
	count(upstream->counters, RG_COUNT_UPSTREAM_ANSWERS);
	health_answered(peer, forward, now);
	if (forward->channel->connection)
		line_heard(forward->channel, now);
	if (forward->request) {
		if (!upstream->events->answered(upstream->context, forward->request, forward,
						answer)) {
			drop(peer, "genuine, but bears a key that cannot be read");
			return;
		}
		settle(forward, answer, now);
	}
	forward_free(upstream, forward);
}

void response_take(void *context, const struct rg_datagram *datagram)
{
	response_take_packet(context, datagram->bytes);
}

bool response_take_packet(struct rg_channel *channel, struct rg_span bytes)
{
	struct rg_packet answer;
	enum rg_packet_fault fault = packet_view_version(&answer, bytes, channel->version);
	struct rg_forward *forward =
		fault == RG_PACKET_OK ? channel_find(channel, answer.token) : NULL;
	if (forward)
		take(forward, &answer);
	else
		drop(channel->peer, fault == RG_PACKET_OK ? "to nothing that waits" : "malformed");
	return fault == RG_PACKET_OK || fault == RG_PACKET_CODE;
}

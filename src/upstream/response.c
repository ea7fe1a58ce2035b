#include "upstream/response.h"

#include "core/clock.h"
#include "core/log.h"
#include "radius/rehide.h"
#include "upstream/affinity.h"
#include "upstream/forward.h"
#include "upstream/peer.h"

#define TOGETHER  16u /* as many as are verified in step */
#define FEW       3u  /* whose keys are hidden anew for less by compose_reply, one by one */
#define KEYS_MOST 2u  /* an Accept has one to send and one to receive with (RFC 2548 §2.4) */

static bool right_code(uint8_t asked, uint8_t answered)
{
	if (answered == RG_PROTOCOL_ERROR) /* to whatever was asked; of RADIUS/1.1 alone (packet.c) */
		return true;
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
		    const struct rg_packet *answer, enum rg_authentic authentic)
{
	struct rg_peer *peer = forward->peer;
	if (!right_code(forward->code, answer->code))
		return false;
	switch (authentic) {
	case RG_FORGED:
		return false;
	case RG_AUTHENTIC:
		if (peer->learned && answer->version == RG_RADIUS_1_0 &&
		    !atomic_load_explicit(peer->learned, memory_order_relaxed) &&
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

/* An answer, and whose it may be. */
struct response {
	enum rg_packet_fault fault;
	struct rg_packet answer;
	struct rg_forward *forward;              /* NULL: nobody waits for it */
	uint8_t authenticator[RG_AUTHENTICATOR]; /* that it was verified by */
	enum rg_authentic authentic;
	const struct rg_rehiding *keys; /* of it, for who waits */
	size_t key_count;
};

static void take(const struct response *response)
{
	struct rg_forward *forward = response->forward;
	struct rg_peer *peer = forward->peer;
	struct rg_upstream *upstream = peer->upstream;
	if (!genuine(upstream, forward, &response->answer, response->authentic)) {
		peer->health.bad_since_answer = true;
		drop(peer, "not genuine (is the secret the same on both sides?)");
		return;
	}
	uint64_t now = clock_now();
	count(upstream->counters, RG_COUNT_UPSTREAM_ANSWERS);
	health_answered(peer, forward, now);
	if (forward->channel->connection)
		line_heard(forward->channel, now);
	if (forward->request && response->answer.code == RG_PROTOCOL_ERROR) {
		forward_declined(forward, now);
		return;
	}
	if (forward->request) {
		if (!upstream->events->answered(upstream->context, forward->request, forward,
						&response->answer, response->keys,
						response->key_count)) {
			drop(peer, "genuine, but bears a key that cannot be read");
			return;
		}
		settle(forward, &response->answer, now);
	}
	forward_free(upstream, forward);
}

static void find(struct response *response, const struct rg_channel *channel, struct rg_span bytes)
{
	response->fault = packet_view_version(&response->answer, bytes, channel->version);
	response->forward = response->fault == RG_PACKET_OK
				    ? channel_find(channel, response->answer.token)
				    : NULL;
	if (response->forward)
		memcpy(response->authenticator, response->forward->authenticator, RG_AUTHENTICATOR);
}

static void verify(struct response *responses, size_t count, const struct rg_channel *channel)
{
	struct rg_check checks[TOGETHER];
	size_t found = 0, next = 0;
	for (size_t i = 0; i < count; i++)
		if (responses[i].forward)
			checks[found++] =
				(struct rg_check){.packet = &responses[i].answer,
						  .key = channel_key(channel),
						  .reply = true,
						  .authenticator = responses[i].authenticator};
	packets_verify(checks, found);
	for (size_t i = 0; i < count; i++)
		if (responses[i].forward)
			responses[i].authentic = checks[next++].result;
}

static void rehide(struct response *responses, size_t count, struct rg_rehiding *keys)
{
	size_t used = 0;
	for (size_t i = 0; i < count; i++) {
		struct response *response = &responses[i];
		struct rg_forward *forward = response->forward;
		response->keys = keys + used;
		response->key_count = 0;
		if (count < FEW || !forward || !forward->request ||
		    response->authentic == RG_FORGED)
			continue;
		struct rg_upstream *upstream = forward->peer->upstream;
		response->key_count =
			upstream->events->keys(upstream->context, forward->request, forward,
					       &response->answer, keys + used, KEYS_MOST);
		used += response->key_count;
	}
	mppe_rehide(keys, used);
}

/* One that was answered by a former response of the batch waits no more; another may have its
 * Identifier by now. */
static bool still_waits(const struct response *response, const struct rg_channel *channel)
{
	return response->forward &&
	       channel_find(channel, response->answer.token) == response->forward &&
	       memcmp(response->forward->authenticator, response->authenticator,
		      RG_AUTHENTICATOR) == 0;
}

/* At most TOGETHER of them, found already. */
static void take_together(struct response *responses, size_t count, struct rg_channel *channel)
{
	struct rg_rehiding keys[TOGETHER * KEYS_MOST];
	verify(responses, count, channel);
	rehide(responses, count, keys);
	for (size_t i = 0; i < count; i++) {
		if (still_waits(&responses[i], channel))
			take(&responses[i]);
		else
			drop(channel->peer, responses[i].fault == RG_PACKET_OK
						    ? "to nothing that waits"
						    : "malformed");
	}
}

static bool is_whole(const struct response *response)
{
	return response->fault == RG_PACKET_OK || response->fault == RG_PACKET_CODE;
}

void response_take(void *context, const struct rg_datagram *datagrams, size_t count)
{
	struct rg_channel *channel = context;
	struct rg_outbox *outbox = channel->peer->upstream->outbox;
	struct response responses[TOGETHER];
	outbox_gather(outbox);
	for (size_t at = 0; at < count; at += TOGETHER) {
		size_t together = count - at < TOGETHER ? count - at : TOGETHER;
		for (size_t i = 0; i < together; i++)
			find(&responses[i], channel, datagrams[at + i].bytes);
		take_together(responses, together, channel);
	}
	outbox_seal(outbox);
}

bool response_take_packets(struct rg_channel *channel, const struct rg_span *packets, size_t count)
{
	struct rg_outbox *outbox = channel->peer->upstream->outbox;
	struct response responses[TOGETHER];
	bool whole = true;
	outbox_gather(outbox);
	for (size_t at = 0, together; at < count && whole; at += together) {
		for (together = 0; whole && together < TOGETHER && at + together < count;
		     together++) {
			find(&responses[together], channel, packets[at + together]);
			whole = is_whole(&responses[together]);
		}
		take_together(responses, together, channel);
	}
	outbox_seal(outbox);
	return whole;
}

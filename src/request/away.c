/* Somebody else's realm: the request goes to a peer of its route, and the answer back. */
#include "request/away.h"

#include <stdio.h>

#include "core/clock.h"
#include "request/answer.h"
#include "request/note.h"
#include "request/path.h"
#include "request/refuse.h"
#include "request/search.h"
#include "request/worker.h"
#include "upstream/compose.h"

/* How long a NAS may go on repeating (RFC 5080 §2.2.1: MRD 30 s). */
#define AWAY_NS (30 * RG_SECOND)

/* What a visitor may be sent on with: EAP, or where the route says so a password. */
static const char *unfit(const struct rg_inbound *inbound)
{
	const struct rg_packet *packet = &inbound->packet;
	if (packet->code != RG_ACCESS_REQUEST || packet->first[RG_EAP_MESSAGE] != 0)
		return NULL;
	if (!inbound->destination.route->pap)
		return "no EAP, and its route does not say pap = true";
	return packet->first[RG_USER_PASSWORD] != 0 ? NULL : "neither EAP nor User-Password";
}

enum rg_next away_send(struct rg_request *request, const struct rg_packet *packet,
		       const struct rg_route *route, struct rg_span realm, uint64_t now)
{
	struct rg_forward_order order = {
		.request = request,
		.route = route,
		.realm = realm,
		.packet = packet,
		.key = request->key,
		.operator_name = request->client->operator_name,
		.now = now,
		.deadline_ns = request->received_ns + AWAY_NS,
	};
	request->forward = upstream_send(&request->worker->upstream, &order);
	if (request->forward)
		return RG_WAIT;
	return away_silence(request, packet, "no peer of the route could take it");
}

enum rg_next away_silence(struct rg_request *request, const struct rg_packet *packet, const char *detail)
{
	if (packet->code == RG_ACCESS_REQUEST) {
		struct rg_signin signin;
		note_begin(&signin, packet, request->client, "visitor", request->received_ns);
		note_end(request->worker, &signin, RG_RESULT_NO_ANSWER,
			 RG_REASON_UPSTREAM_UNAVAILABLE, detail);
	}
	request_drop(request);
	return RG_DROP;
}

enum rg_next away_stage(struct rg_inbound *inbound)
{
	const struct rg_route *route = inbound->destination.route;
	const char *why = unfit(inbound);
	if (why)
		return refuse(inbound, RG_REASON_METHOD_REFUSED, why);
	if (route->discover_count != 0)
		return search_stage(inbound);
	return away_send(inbound->request, &inbound->packet, route, inbound->nai.realm,
			 inbound->request->received_ns);
}

/* One line a sign-in: its last answer. What the client said of itself stands in what we sent. */
static void note(struct rg_worker *worker, const struct rg_request *request,
		 const struct rg_forward *forward, enum rg_result result, enum rg_reason reason,
		 const char *detail)
{
	struct rg_packet sent;
	struct rg_signin signin;
	uint64_t now = clock_now();
	if (request->code != RG_ACCESS_REQUEST ||
	    !forward_packet(forward, &sent))
		return;
	note_begin(&signin, &sent, request->client, "visitor", request->received_ns);
	signin_step_text(&signin, "client", request->client->name, " at ", request->client->site);
	signin_step_text(&signin, "forward", "to ", forward_peer(forward)->name, NULL);
	signin_step_text(&signin, "answer",
			 result == RG_RESULT_ACCEPT   ? "Access-Accept"
			 : result == RG_RESULT_REJECT ? "Access-Reject"
						      : "none",
			 NULL, NULL);
	signin.upstream_us = (uint32_t)((now - forward->began_ns) / 1000);
	note_end(worker, &signin, result, reason, detail);
}

static void note_answer(struct rg_worker *worker, const struct rg_request *request,
			const struct rg_forward *forward, uint8_t code)
{
	static const char by[] = "by way of ";
	const char *peer = forward_peer(forward)->name;
	char detail[sizeof(by) + 100];
	if (code != RG_ACCESS_ACCEPT && code != RG_ACCESS_REJECT)
		return;
	memcpy(detail, by, sizeof(by));
	strncat(detail, peer, 100);
	if (code == RG_ACCESS_ACCEPT)
		note(worker, request, forward, RG_RESULT_ACCEPT, RG_REASON_ACCEPTED, detail);
	else
		note(worker, request, forward, RG_RESULT_REJECT, RG_REASON_UPSTREAM_REFUSED, detail);
}

static struct rg_reply_composition composition_of(const struct rg_request *request,
						  const struct rg_forward *forward,
						  const struct rg_packet *answer)
{
	return (struct rg_reply_composition){
		.answer = answer,
		.peer_key = forward_key(forward),
		.peer_authenticator = forward->authenticator,
		.key = request->key,
		.authenticator = request->authenticator,
		.token = request->token,
		.proxy_states = span_of(request->proxy_states, request->proxy_states_length),
		.visitor_reply = request->client->visitor_reply,
	};
}

static size_t on_keys(void *context, struct rg_request *request, const struct rg_forward *forward,
		      const struct rg_packet *answer, struct rg_rehiding *keys, size_t most)
{
	struct rg_reply_composition composition = composition_of(request, forward, answer);
	(void)context;
	return compose_reply_keys(&composition, keys, most);
}

static bool on_answered(void *context, struct rg_request *request, const struct rg_forward *forward,
			const struct rg_packet *answer, const struct rg_rehiding *keys, size_t key_count)
{
	uint8_t out[RG_RADIUS_MOST];
	struct rg_worker *worker = context;
	struct rg_reply_composition composition = composition_of(request, forward, answer);
	composition.rehidden = keys;
	composition.rehidden_count = key_count;
	struct rg_span packet = compose_reply(&composition, out);
	if (packet.length == 0)
		return false;
	note_answer(worker, request, forward, answer->code);
	request->forward = NULL;
	answer_packet(request, packet);
	return true;
}

static void on_moved(void *context, struct rg_request *request, struct rg_forward *forward)
{
	(void)context;
	request->forward = forward;
}

static void on_lost(void *context, struct rg_request *request, const struct rg_forward *forward,
		    enum rg_lost how)
{
	char detail[160];
	const char *peer = forward_peer(forward)->name;
	if (how == RG_LOST_DECLINED)
		snprintf(detail, sizeof(detail), "%.100s says that it cannot serve this (Protocol-Error)", peer);
	else
		snprintf(detail, sizeof(detail), "no answer from %.100s", peer);
	switch (how) {
	case RG_LOST_TIMEOUT:
		note(context, request, forward, RG_RESULT_NO_ANSWER, RG_REASON_UPSTREAM_TIMEOUT,
		     detail);
		break;
	case RG_LOST_UNAVAILABLE:
	case RG_LOST_DECLINED:
		note(context, request, forward, RG_RESULT_NO_ANSWER, RG_REASON_UPSTREAM_UNAVAILABLE,
		     detail);
		break;
	}
	request->forward = NULL;
	request_drop(request);
}

static void on_learned(void *context)
{
	worker_has_learned(context);
}

const struct rg_upstream_events away_events = {
	.keys = on_keys,
	.answered = on_answered,
	.moved = on_moved,
	.lost = on_lost,
	.learned = on_learned,
};

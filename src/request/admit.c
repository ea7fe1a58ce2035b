/* The first stages: is it RADIUS, does somebody we know ask, is it really them? */
#include "client/table.h"
#include "core/log.h"
#include "reply/reply.h"
#include "request/link.h"
#include "request/note.h"
#include "request/path.h"
#include "request/worker.h"

static struct rg_counters *counters(const struct rg_inbound *inbound)
{
	return inbound->worker->counters;
}

static void complain(const struct rg_inbound *inbound, enum rg_packet_fault fault)
{
	static struct rg_log_limit limit = {.burst = 10, .every_s = 60};
	char from[64];
	if (log_limit_reached(&limit))
		return;
	address_text(from, &inbound->datagram->source);
	log_limited(&limit, RG_LOG_WARNING, "dropped a malformed packet from %s: %s", from,
		    packet_fault_word(fault));
}

enum rg_next view_stage(struct rg_inbound *inbound)
{
	enum rg_packet_fault fault = packet_view_version(&inbound->packet,
						      inbound->datagram->bytes,
						      inbound->link->version);
	count(counters(inbound), RG_COUNT_DATAGRAMS_IN);
	if (fault == RG_PACKET_OK)
		return RG_NEXT;
	complain(inbound, fault);
	count(counters(inbound), RG_COUNT_DROP_MALFORMED);
	count(counters(inbound), (enum rg_counter)(RG_COUNT_FAULT + fault));
	inbound->broken = fault != RG_PACKET_CODE; /* a code that we do not know is still a packet */
	return RG_DROP;
}

static bool served_here(const struct rg_inbound *inbound)
{
	switch (inbound->packet.code) {
	case RG_ACCESS_REQUEST:
		count(counters(inbound), RG_COUNT_ACCESS_REQUEST);
		return inbound->link->serves & RG_SERVES_AUTH;
	case RG_ACCOUNTING_REQUEST:
		count(counters(inbound), RG_COUNT_ACCOUNTING_REQUEST);
		return inbound->link->serves & RG_SERVES_ACCT;
	case RG_STATUS_SERVER:
		count(counters(inbound), RG_COUNT_STATUS_SERVER);
		return true;
	default: /* answers to nothing that was asked from here */
		return false;
	}
}

enum rg_next client_stage(struct rg_inbound *inbound)
{
	inbound->client = inbound->link->kind == RG_LINK_UDP
				  ? client_table_find(inbound->worker->lease->snapshot->clients,
						      &inbound->datagram->source.any)
				  : inbound->link->client;
	if (!inbound->client) {
		count(counters(inbound), RG_COUNT_DROP_UNKNOWN_CLIENT);
		note_dropped(inbound, RG_REASON_CLIENT_UNKNOWN,
			     "no client of clients.d has this address");
		return RG_DROP;
	}
	if (!served_here(inbound)) {
		count(counters(inbound), RG_COUNT_DROP_NOT_SERVED);
		return RG_DROP;
	}
	return RG_NEXT;
}

void verify_digests(struct rg_inbound *inbounds[], size_t count)
{
	struct rg_check checks[RG_BATCH];
	for (size_t i = 0; i < count; i++) {
		inbounds[i]->key = link_key(inbounds[i]->link, inbounds[i]->client);
		checks[i] = (struct rg_check){.packet = &inbounds[i]->packet, .key = inbounds[i]->key};
	}
	packets_verify(checks, count);
	for (size_t i = 0; i < count; i++)
		inbounds[i]->authentic = checks[i].result;
}

static enum rg_authentic verify(struct rg_inbound *inbound)
{
	const struct rg_client *client = inbound->client;
	enum rg_authentic result = inbound->authentic;
	if (result == RG_FORGED && client->previous_key) { /* a secret being rotated */
		result = request_verify(&inbound->packet, client->previous_key);
		inbound->key = client->previous_key;
	}
	return result;
}

/* Whether an Access-Request without Message-Authenticator may pass (draft-ietf-radext-deprecating-radius;
 * CVE-2024-3596): never with EAP (RFC 3579 §3.3), never from a client that is known to sign. */
static bool may_lack_it(const struct rg_inbound *inbound)
{
	const rg_learned *learned =
		inbound->worker->lease->snapshot->client_learned[inbound->client->number];
	if (inbound->packet.code == RG_ACCOUNTING_REQUEST)
		return true;
	return inbound->packet.code == RG_ACCESS_REQUEST && learned && !atomic_load(learned) &&
	       inbound->packet.first[RG_EAP_MESSAGE] == 0 &&
	       inbound->packet.first[RG_PROXY_STATE] == 0;
}

static void learn(const struct rg_inbound *inbound)
{
	rg_learned *learned =
		inbound->worker->lease->snapshot->client_learned[inbound->client->number];
	/* RADIUS/1.1 has no Message-Authenticator to learn of (RFC 9765). */
	if (learned && inbound->packet.version == RG_RADIUS_1_0 &&
	    !atomic_load_explicit(learned, memory_order_relaxed) &&
	    inbound->packet.code == RG_ACCESS_REQUEST && !atomic_exchange(learned, true))
		worker_has_learned(inbound->worker);
}

enum rg_next verify_stage(struct rg_inbound *inbound)
{
	switch (verify(inbound)) {
	case RG_AUTHENTIC:
		learn(inbound);
		return RG_NEXT;
	case RG_AUTHENTIC_ABSENT:
		if (may_lack_it(inbound))
			return RG_NEXT;
		count(counters(inbound), RG_COUNT_DROP_NO_MESSAGE_AUTHENTICATOR);
		note_dropped(inbound, RG_REASON_CLIENT_SECRET, "no Message-Authenticator");
		return RG_DROP;
	case RG_FORGED:
		count(counters(inbound), RG_COUNT_DROP_AUTHENTICATOR);
		note_dropped(inbound, RG_REASON_CLIENT_SECRET,
			     "the authenticator is wrong: not the secret of this client");
		return RG_DROP;
	}
	return RG_DROP;
}

/* Status-Server (RFC 5997): answered at once, never forwarded, nothing kept. */
enum rg_next status_stage(struct rg_inbound *inbound)
{
	uint8_t out[RG_RADIUS_MOST], proxy_states[RG_RADIUS_MOST];
	struct rg_buffer states = buffer_over(proxy_states, sizeof(proxy_states));
	struct rg_attribute attribute = {0};
	if (inbound->packet.code != RG_STATUS_SERVER)
		return RG_NEXT;
	while (packet_next_of(&inbound->packet, RG_PROXY_STATE, &attribute)) {
		buffer_u8(&states, RG_PROXY_STATE);
		buffer_u8(&states, (uint8_t)(attribute.value.length + 2));
		buffer_put(&states, attribute.value);
	}
	struct rg_reply reply = {
		.code = inbound->link->serves & RG_SERVES_AUTH ? RG_ACCESS_ACCEPT : RG_ACCOUNTING_RESPONSE,
		.reply_message = span_text(inbound->worker->lease->snapshot->raddb->gateway.name),
		.to_status_server = true,
	};
	struct rg_reply_to to = {
		.token = inbound->packet.token,
		.authenticator = packet_authenticator(&inbound->packet),
		.key = inbound->key,
		.proxy_states = buffer_span(&states),
	};
	struct rg_span packet = reply_compose(&reply, &to, out);
	if (packet.length == 0)
		return RG_DROP;
	link_send(inbound->link, packet, inbound->key, &inbound->datagram->source,
		  &inbound->datagram->local);
	return RG_REPLY;
}

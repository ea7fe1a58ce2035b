#include "request/answer.h"

#include <openssl/rand.h>
#include <stdatomic.h>

#include "core/clock.h"
#include "core/text.h"
#include "request/home.h"
#include "request/link.h"
#include "request/search.h"
#include "request/worker.h"

static void on_request_timer(struct rg_timer *timer, uint64_t now);

static uint8_t *keep(struct rg_slab *slab, struct rg_span bytes)
{
	uint8_t *copy = bytes.length ? slab_alloc(slab, bytes.length) : NULL;
	if (copy)
		memcpy(copy, bytes.data, bytes.length);
	return copy;
}

/* All Proxy-State attributes in their order (RFC 2865 §5.33), to be given back with the answer. */
static bool keep_proxy_states(struct rg_request *request, const struct rg_packet *packet)
{
	uint8_t memory[RG_RADIUS_MOST];
	struct rg_buffer buffer = buffer_over(memory, sizeof(memory));
	struct rg_attribute attribute = {0};
	if (packet->first[RG_PROXY_STATE] == 0)
		return true;
	while (packet_next_of(packet, RG_PROXY_STATE, &attribute)) {
		buffer_u8(&buffer, RG_PROXY_STATE);
		buffer_u8(&buffer, (uint8_t)(attribute.value.length + 2));
		buffer_put(&buffer, attribute.value);
	}
	request->proxy_states = keep(&request->worker->slab, buffer_span(&buffer));
	request->proxy_states_length = (uint16_t)buffer.length;
	return request->proxy_states;
}

/* A client's own, or what a request from the federation says (RFC 5580 §4.1). */
static void keep_operator_name(struct rg_request *request, const struct rg_packet *packet)
{
	char name[254];
	const char *own = request->client->operator_name;
	struct rg_span said = packet_find(packet, RG_OPERATOR_NAME);
	if (!request->wants_cui)
		return;
	if (!text_from_span(name, sizeof(name), own ? span_text(own) : said) || name[0] == '\0')
		return;
	request->operator_name =
		(char *)keep(&request->worker->slab, span_of(name, strlen(name) + 1));
}

struct rg_request *request_new(const struct rg_inbound *inbound)
{
	struct rg_worker *worker = inbound->worker;
	const struct rg_packet *packet = &inbound->packet;
	struct rg_request *request = slab_alloc(&worker->slab, sizeof(*request));
	if (!request)
		return NULL;
	struct rg_span cui = packet_find(packet, RG_CUI);
	*request = (struct rg_request){
		.worker = worker,
		.timer = {.fire = on_request_timer},
		.state = RG_REQUEST_UNDER_WAY,
		.source = inbound->datagram->source,
		.local = inbound->datagram->local,
		.code = packet->code,
		.token = packet->token,
		.received_ns = clock_now(),
		.lease = worker->lease,
		.client = inbound->client,
		.key = inbound->key,
		.wants_cui = cui.length == 1 && cui.data[0] == 0,
		.wants_key_name = packet->first[RG_EAP_KEY_NAME] != 0,
	};
	memcpy(request->authenticator, packet_authenticator(packet), RG_AUTHENTICATOR);
	if (!keep_proxy_states(request, packet)) {
		slab_free(&worker->slab, request, sizeof(*request));
		return NULL;
	}
	keep_operator_name(request, packet);
	worker->lease->holds++;
	worker->open++;
	link_hold(inbound->link, request);
	return request;
}

/* Whether it still waits for somebody or for its time. */
static bool is_open(const struct rg_request *request)
{
	switch (request->state) {
	case RG_REQUEST_UNDER_WAY:
	case RG_REQUEST_DELAYED:
		return true;
	case RG_REQUEST_SILENT:
	case RG_REQUEST_ANSWERED:
		return false;
	}
	return false;
}

/* Out of the window and away; whoever worked on it is told. */
static void request_free(struct rg_request *request)
{
	struct rg_worker *worker = request->worker;
	if (is_open(request))
		worker->open--;
	if (request->session)
		home_forget(request);
	if (request->forward)
		upstream_cancel(&worker->upstream, &request->forward);
	if (request->wait)
		wait_end(request);
	timer_cancel(&worker->wheel, &request->timer);
	window_remove(&worker->window, request);
	link_let_go(request);
	if (request->operator_name)
		slab_free(&worker->slab, request->operator_name, strlen(request->operator_name) + 1);
	slab_free(&worker->slab, request->proxy_states, request->proxy_states_length);
	slab_free(&worker->slab, request->reply, request->reply_length);
	lease_drop(worker, request->lease);
	slab_free(&worker->slab, request, sizeof(*request));
}

void request_drop(struct rg_request *request)
{
	request_free(request);
}

void request_silence(struct rg_request *request)
{
	struct rg_worker *worker = request->worker;
	if (request->session)
		home_forget(request);
	worker->open--;
	request->state = RG_REQUEST_SILENT;
	window_answered(&worker->window, request);
	timer_arm(&worker->wheel, &request->timer, clock_now() + RG_SILENCE_NS);
}

static enum rg_counter counter_of(uint8_t code)
{
	switch (code) {
	case RG_ACCESS_ACCEPT:
		return RG_COUNT_ACCEPT;
	case RG_ACCESS_REJECT:
		return RG_COUNT_REJECT;
	case RG_ACCESS_CHALLENGE:
		return RG_COUNT_CHALLENGE;
	default:
		return RG_COUNT_ACCOUNTING_RESPONSE;
	}
}

void answer_again(struct rg_request *request)
{
	struct rg_span bytes = span_of(request->reply, request->reply_length);
	link_send(request->link, bytes, request->key, &request->source, &request->local);
}

static void leave(struct rg_request *request, uint64_t now)
{
	request->state = RG_REQUEST_ANSWERED;
	request->worker->open--;
	count(request->worker->counters, counter_of(request->reply[0]));
	answer_again(request);
	window_answered(&request->worker->window, request);
	timer_arm(&request->worker->wheel, &request->timer, now + RG_WINDOW_REPEAT_NS);
}

static void on_request_timer(struct rg_timer *timer, uint64_t now)
{
	struct rg_request *request =
		(struct rg_request *)((char *)timer - offsetof(struct rg_request, timer));
	switch (request->state) {
	case RG_REQUEST_DELAYED:
		leave(request, now);
		break;
	case RG_REQUEST_UNDER_WAY:
	case RG_REQUEST_SILENT:
	case RG_REQUEST_ANSWERED:
		request_free(request);
		break;
	}
}

static bool keep_reply(struct rg_request *request, struct rg_span packet)
{
	request->reply = keep(&request->worker->slab, packet);
	request->reply_length = (uint16_t)packet.length;
	return request->reply;
}

bool answer_packet(struct rg_request *request, struct rg_span packet)
{
	if (!keep_reply(request, packet)) {
		request_drop(request);
		return false;
	}
	leave(request, clock_now());
	return true;
}

/* The configured delay and up to a quarter more, so that a storm of refusals does not come back as one. */
static uint64_t reject_delay_ns(const struct rg_request *request)
{
	uint64_t delay =
		(uint64_t)request->lease->snapshot->raddb->gateway.reject_delay_ms * RG_MS;
	uint16_t random = 0;
	RAND_bytes((unsigned char *)&random, sizeof(random));
	return delay + delay / 4 * random / 65536;
}

bool answer_reply(struct rg_request *request, const struct rg_reply *reply)
{
	uint8_t out[RG_RADIUS_MOST];
	struct rg_reply_to to = {
		.token = request->token,
		.authenticator = request->authenticator,
		.key = request->key,
		.proxy_states = span_of(request->proxy_states, request->proxy_states_length),
	};
	struct rg_span packet = reply_compose(reply, &to, out);
	uint64_t delay = reply->code == RG_ACCESS_REJECT ? reject_delay_ns(request) : 0;
	if (delay == 0 || !keep_reply(request, packet))
		return answer_packet(request, packet);
	request->state = RG_REQUEST_DELAYED;
	timer_arm(&request->worker->wheel, &request->timer, clock_now() + delay);
	return true;
}

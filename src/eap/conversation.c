#include "eap/conversation.h"

#include "core/clock.h"
#include "core/text.h"

#define OFFERS_MOST 8 /* method changes by NAK: one each at most, and never without end */

void conversation_begin(struct rg_conversation *conversation,
			const struct rg_eap_method *const *methods, const struct rg_eap_start *start)
{
	*conversation = (struct rg_conversation){
		.state = RG_CONVERSATION_IDENTITY,
		.methods = methods,
		.start = *start,
	};
}

void conversation_begin_inner(struct rg_conversation *conversation,
			      const struct rg_eap_start *outer, const char *tunnel)
{
	conversation_begin(conversation, outer->inner->methods, outer);
	conversation->start.inner = NULL;
	conversation->start.within = tunnel;
	conversation->start.identity = conversation->identity;
}

void conversation_invite(struct rg_conversation *conversation, struct rg_buffer *out)
{
	eap_request_write(out, conversation->id, RG_EAP_IDENTITY, (struct rg_span){0});
}

/* What the host said no to is why it ends: a supplicant that hears of it may fall silent, send an
 * alert or say anything. */
static enum rg_turn fail(struct rg_conversation *conversation, enum rg_reason reason,
			 const char *detail, struct rg_buffer *out, struct rg_turn_result *result)
{
	conversation->state = RG_CONVERSATION_ENDED;
	result->reason = conversation->refused ? conversation->pending : reason;
	result->detail = conversation->refused ? conversation->pending_detail : detail;
	eap_result_write(out, RG_EAP_CODE_FAILURE, conversation->id);
	return RG_TURN_FAILURE;
}

static enum rg_turn succeed(struct rg_conversation *conversation, struct rg_buffer *out)
{
	conversation->state = RG_CONVERSATION_ENDED;
	eap_result_write(out, RG_EAP_CODE_SUCCESS, conversation->id);
	return RG_TURN_SUCCESS;
}

/* The header in front of the Type-Data that the method has written behind it. */
static enum rg_turn send_request(struct rg_conversation *conversation, struct rg_buffer *data,
				 struct rg_buffer *out)
{
	struct rg_span written = buffer_span(data);
	conversation->id++;
	eap_request_write(out, conversation->id, conversation->method->type, (struct rg_span){0});
	/* The method wrote in place, where the Type-Data belongs: only Length is to be set right. */
	buffer_room(out, written.length);
	struct rg_buffer length = buffer_over(out->data + 2, 2);
	buffer_u16(&length, (uint16_t)(RG_EAP_HEADER + written.length));
	return RG_TURN_REQUEST;
}

typedef enum rg_eap_verdict method_call(void *method, struct rg_eap_step *);

/* Lets the method take a turn; what it writes goes behind the header's place in out. */
static enum rg_turn call_method(struct rg_conversation *conversation, method_call *call,
				struct rg_eap_step step, size_t room, struct rg_buffer *out,
				struct rg_turn_result *result)
{
	size_t most = out->capacity < room ? out->capacity : room;
	if (most < RG_EAP_HEADER + 16)
		return fail(conversation, RG_REASON_INTERNAL, "no room for EAP", out, result);
	struct rg_buffer data = buffer_over(out->data + RG_EAP_HEADER, most - RG_EAP_HEADER);
	step.output = &data;
	step.room = data.capacity;
	uint64_t began = clock_now();
	enum rg_eap_verdict verdict = call(conversation->running, &step);
	conversation->method_us += (uint32_t)((clock_now() - began) / 1000);
	if (step.reason != RG_REASON_NONE && !conversation->refused) {
		conversation->pending = step.reason;
		conversation->pending_detail = step.detail;
	}
	switch (verdict) {
	case RG_EAP_REQUEST:
		if (data.failed)
			return fail(conversation, RG_REASON_INTERNAL, "method overran its room", out,
				    result);
		return send_request(conversation, &data, out);
	case RG_EAP_PROVEN:
		conversation->state = RG_CONVERSATION_PROVEN;
		return RG_TURN_PROVEN;
	case RG_EAP_ASK:
		conversation->state = RG_CONVERSATION_ASKED;
		return RG_TURN_ASK;
	case RG_EAP_SUCCESS:
		return succeed(conversation, out);
	case RG_EAP_FAILURE:
		return fail(conversation, conversation->pending, conversation->pending_detail, out,
			    result);
	case RG_EAP_DISCARD:
		return RG_TURN_DISCARD;
	}
	return RG_TURN_DISCARD;
}

static enum rg_turn begin_method(struct rg_conversation *conversation, unsigned index, size_t room,
				 struct rg_buffer *out, struct rg_turn_result *result)
{
	if (conversation->running)
		conversation->method->end(&conversation->running);
	conversation->chosen = index;
	conversation->method = conversation->methods[index];
	conversation->spoke = false;
	conversation->state = RG_CONVERSATION_METHOD;
	conversation->running = conversation->method->start(&conversation->start);
	if (!conversation->running)
		return fail(conversation, RG_REASON_INTERNAL, "out of memory", out, result);
	return call_method(conversation, conversation->method->begin, (struct rg_eap_step){0}, room,
			   out, result);
}

static enum rg_turn take_identity(struct rg_conversation *conversation,
				  const struct rg_eap_response *response, struct rg_span user_name,
				  size_t room, struct rg_buffer *out, struct rg_turn_result *result)
{
	conversation->id = response->id;
	bool inner = conversation->start.within;
	if (inner && !text_from_span(conversation->identity, sizeof(conversation->identity),
				     response->data))
		return fail(conversation, RG_REASON_IDENTITY_MISMATCH,
			    "the Identity inside the tunnel is no name", out, result);
	/* RFC 3579 §2.1: the NAS copies the Identity into User-Name, so that proxies can route on it. */
	if (!inner && !text_equal_nocase(response->data, user_name))
		return fail(conversation, RG_REASON_IDENTITY_MISMATCH,
			    "EAP-Identity and User-Name differ", out, result);
	conversation->named = true;
	if (!conversation->methods[0])
		return fail(conversation, RG_REASON_METHOD_REFUSED, "the realm offers no method", out,
			    result);
	return begin_method(conversation, 0, room, out, result);
}

/* RFC 3748 §5.3.1: the first of the realm's methods that the supplicant wants. */
static enum rg_turn take_nak(struct rg_conversation *conversation, struct rg_span wanted,
			     size_t room, struct rg_buffer *out, struct rg_turn_result *result)
{
	if (conversation->spoke)
		return fail(conversation, RG_REASON_METHOD_REFUSED, "NAK in the middle of a method",
			    out, result);
	for (unsigned i = 0; conversation->methods[i]; i++) {
		if (i == conversation->chosen || conversation->offers >= OFFERS_MOST)
			continue;
		if (wanted.length && memchr(wanted.data, conversation->methods[i]->type, wanted.length)) {
			conversation->offers++;
			return begin_method(conversation, i, room, out, result);
		}
	}
	return fail(conversation, RG_REASON_METHOD_REFUSED,
		    "the supplicant wants none of the realm's methods", out, result);
}

enum rg_turn conversation_turn(struct rg_conversation *conversation, struct rg_span packet,
			       struct rg_span user_name, size_t room, struct rg_buffer *out,
			       struct rg_turn_result *result)
{
	struct rg_eap_response response;
	*result = (struct rg_turn_result){0};
	/* What is over, or with the host, nothing of the supplicant's ends. */
	if (conversation_waits(conversation) || conversation->state == RG_CONVERSATION_ENDED)
		return RG_TURN_DISCARD;
	if (!eap_response_read(&response, packet)) {
		if (packet.length > 1 && conversation->state == RG_CONVERSATION_IDENTITY)
			conversation->id = packet.data[1];
		return fail(conversation, RG_REASON_METHOD_REFUSED, "broken EAP: no Response of its length",
			    out, result);
	}
	switch (conversation->state) {
	case RG_CONVERSATION_IDENTITY:
		if (response.type == RG_EAP_IDENTITY)
			return take_identity(conversation, &response, user_name, room, out, result);
		conversation->id = response.id;
		return fail(conversation, RG_REASON_METHOD_REFUSED,
			    "broken EAP: begins without Identity", out, result);
	case RG_CONVERSATION_METHOD:
		break;
	case RG_CONVERSATION_PROVEN:
	case RG_CONVERSATION_ASKED:
	case RG_CONVERSATION_ENDED:
		return RG_TURN_DISCARD;
	}
	if (response.id != conversation->id)
		return RG_TURN_DISCARD;
	if (response.type == RG_EAP_NAK)
		return take_nak(conversation, response.data, room, out, result);
	if (response.type != conversation->method->type)
		return fail(conversation, RG_REASON_METHOD_REFUSED,
			    "broken EAP: answers with another method", out, result);
	conversation->spoke = true;
	return call_method(conversation, conversation->method->respond,
			   (struct rg_eap_step){.input = response.data}, room, out, result);
}

bool conversation_answered_by(const struct rg_conversation *conversation, struct rg_span packet)
{
	struct rg_eap_response response;
	return eap_response_read(&response, packet) && response.id == conversation->id;
}

enum rg_turn conversation_granted(struct rg_conversation *conversation, size_t room,
				  struct rg_buffer *out, struct rg_turn_result *result)
{
	*result = (struct rg_turn_result){0};
	conversation->state = RG_CONVERSATION_METHOD;
	return call_method(conversation, conversation->method->granted, (struct rg_eap_step){0}, room,
			   out, result);
}

enum rg_turn conversation_answered(struct rg_conversation *conversation,
				   const struct rg_answer *answer, size_t room,
				   struct rg_buffer *out, struct rg_turn_result *result)
{
	*result = (struct rg_turn_result){0};
	conversation->state = RG_CONVERSATION_METHOD;
	/* A wrong secret that was followed by the right one is not how it ends. */
	conversation->refused = !answer->granted;
	conversation->pending = answer->granted ? RG_REASON_NONE : answer->reason;
	conversation->pending_detail = answer->granted ? NULL : answer->detail;
	return call_method(conversation, conversation->method->answered,
			   (struct rg_eap_step){.answer = answer}, room, out, result);
}

void conversation_refused(struct rg_conversation *conversation, struct rg_buffer *out)
{
	conversation->state = RG_CONVERSATION_ENDED;
	eap_result_write(out, RG_EAP_CODE_FAILURE, conversation->id);
}

const struct rg_proof *conversation_proof(const struct rg_conversation *conversation)
{
	return conversation->running ? conversation->method->proof(conversation->running) : NULL;
}

const struct rg_claim *conversation_claim(const struct rg_conversation *conversation)
{
	return conversation->state == RG_CONVERSATION_ASKED && conversation->method->claim
		       ? conversation->method->claim(conversation->running)
		       : NULL;
}

void conversation_end(struct rg_conversation *conversation)
{
	if (conversation->running)
		conversation->method->end(&conversation->running);
	conversation->state = RG_CONVERSATION_ENDED;
}

/* PEAP version 0 (draft-kamath-pppext-peapv0-00, [MS-PEAP]; with TLS 1.3: RFC 9427): an EAP
 * conversation in a tunnel, its headers left out, and at its end a result that both sides say. */
#include <stdlib.h>

#include "core/secret.h"
#include "eap/tunnel.h"
#include "extensions.h"
#include "roamgate/directory.h"
#include "roamgate/module.h"

#define EAP_LENGTH 4 /* of the header that is left out: Code, Identifier, Length */

enum peap_state {
	PEAP_HANDSHAKE,
	PEAP_RESUMED, /* the session says who; the host decides */
	PEAP_OPENED,  /* TLS 1.2: our Finished is out, and has to be acknowledged first */
	PEAP_INNER,   /* the supplicant is to answer the inner conversation */
	PEAP_ASKED,   /* the host decides about what it said there */
	PEAP_AGREED,  /* our Result says success; the supplicant's is due */
	PEAP_REFUSED, /* our Result says failure; the supplicant's is due */
};

struct peap {
	struct rg_tunnel tunnel;
	enum peap_state state;
	uint8_t result_id;
	bool binds, bound; /* we can offer cryptobinding; the supplicant took it */
	struct rg_peap_binding binding;
	enum rg_reason reason; /* of the refusal that is out */
	const char *detail;
};

static enum rg_eap_verdict say_result(struct peap *peap, bool success, struct rg_eap_step *step)
{
	uint8_t memory[128];
	struct rg_buffer out = buffer_over(memory, sizeof(memory));
	peap->result_id = (uint8_t)(peap->tunnel.inner.id + 1);
	if (!extensions_write(&out, peap->result_id, success,
			      success && peap->binds ? &peap->binding : NULL)) {
		step->reason = RG_REASON_INTERNAL;
		step->detail = "no memory";
		return RG_EAP_FAILURE;
	}
	peap->state = success ? PEAP_AGREED : PEAP_REFUSED;
	return tunnel_say(&peap->tunnel, buffer_span(&out), step);
}

/* A refusal is said inside as well, so that nobody outside could have made it up. */
static enum rg_eap_verdict say_refusal(struct peap *peap, struct rg_eap_step *step)
{
	peap->reason = step->reason;
	peap->detail = step->detail;
	return say_result(peap, false, step);
}

/* The keys that the two layers make together. A method without keys counts as zeros. */
static bool bind(struct peap *peap)
{
	const struct rg_conversation *inner = &peap->tunnel.inner;
	struct rg_eap_keys keys = {0};
	uint8_t material[128];
	bool resumed = peap->state == PEAP_RESUMED;
	bool good = tls_material(peap->tunnel.tls, material);
	if (!resumed && !inner->method->keys(inner->running, &keys))
		keys = (struct rg_eap_keys){0};
	peap->binds = good && binding_make(&peap->binding, material, resumed ? NULL : keys.msk);
	secret_wipe(&keys, sizeof(keys));
	secret_wipe(material, sizeof(material));
	return peap->binds;
}

static enum rg_eap_verdict say_success(struct peap *peap, struct rg_eap_step *step)
{
	if (bind(peap))
		return say_result(peap, true, step);
	step->reason = RG_REASON_INTERNAL;
	step->detail = "no keys for the cryptobinding";
	return RG_EAP_FAILURE;
}

static enum rg_eap_verdict carry(struct rg_tunnel *tunnel, enum rg_eap_verdict verdict,
				 struct rg_span packet, struct rg_eap_step *step)
{
	struct peap *peap = (struct peap *)tunnel;
	struct rg_cursor cursor = cursor_over(packet);
	switch (verdict) {
	case RG_EAP_REQUEST:
		cursor_take(&cursor, EAP_LENGTH);
		peap->state = PEAP_INNER;
		return tunnel_say(tunnel, cursor_rest(&cursor), step);
	case RG_EAP_PROVEN:
	case RG_EAP_ASK:
		peap->state = PEAP_ASKED;
		return verdict;
	case RG_EAP_SUCCESS:
		return say_success(peap, step);
	case RG_EAP_FAILURE:
	case RG_EAP_DISCARD:
		return say_refusal(peap, step);
	}
	return RG_EAP_FAILURE;
}

/* Draft §2.3: Code, Identifier and Length are those that the outer packet makes plain. Some
 * supplicants send them all the same. */
static enum rg_eap_verdict take_inner(struct peap *peap, struct rg_span clear,
				      struct rg_eap_step *step)
{
	uint8_t memory[RG_TUNNEL_MESSAGE + EAP_LENGTH];
	struct rg_buffer in = buffer_over(memory, sizeof(memory));
	struct rg_cursor cursor = cursor_over(clear);
	bool whole = cursor_u8(&cursor) == RG_EAP_CODE_RESPONSE &&
		     cursor_u8(&cursor) == peap->tunnel.inner.id &&
		     cursor_u16(&cursor) == clear.length && !cursor.failed;
	if (!whole) {
		buffer_u8(&in, RG_EAP_CODE_RESPONSE);
		buffer_u8(&in, peap->tunnel.inner.id);
		buffer_u16(&in, (uint16_t)(EAP_LENGTH + clear.length));
	}
	buffer_put(&in, clear);
	enum rg_eap_verdict verdict = tunnel_take(&peap->tunnel, buffer_span(&in), step);
	secret_wipe(memory, sizeof(memory));
	return verdict;
}

static enum rg_eap_verdict succeed(struct peap *peap, const struct peap_result *result,
				   struct rg_eap_step *step)
{
	bool required = peap->tunnel.start.inner->binding_required;
	if (!result->success)
		return tunnel_fail(step, "the supplicant says that the tunnel failed");
	if (result->binding.data &&
	    !binding_fits(&peap->binding, RG_BINDING_RESPONSE, result->binding))
		return tunnel_fail(step, "wrong cryptobinding: somebody else made this tunnel");
	if (!result->binding.data && required)
		return tunnel_fail(step, "no cryptobinding, which the realm requires");
	peap->bound = result->binding.data;
	return tunnel_succeed(&peap->tunnel, step);
}

static enum rg_eap_verdict take_result(struct peap *peap, struct rg_span clear,
				       struct rg_eap_step *step)
{
	struct peap_result result;
	const char *wrong = extensions_read(clear, peap->result_id, &result);
	if (peap->state == PEAP_REFUSED) { /* whatever it says to that */
		step->reason = peap->reason;
		step->detail = peap->detail;
		return RG_EAP_FAILURE;
	}
	if (peap->state != PEAP_AGREED)
		return tunnel_fail(step, "broken PEAP: a result before there is one");
	return wrong ? tunnel_fail(step, wrong) : succeed(peap, &result, step);
}

static enum rg_eap_verdict heard(struct rg_tunnel *tunnel, struct rg_span clear,
				 struct rg_eap_step *step)
{
	struct peap *peap = (struct peap *)tunnel;
	if (extensions_is(clear) || peap->state == PEAP_REFUSED)
		return take_result(peap, clear, step);
	if (peap->state != PEAP_INNER)
		return tunnel_fail(step, "broken PEAP: no Result where one is due");
	return take_inner(peap, clear, step);
}

static enum rg_eap_verdict invite(struct peap *peap, struct rg_eap_step *step)
{
	uint8_t memory[RG_EAP_HEADER];
	struct rg_buffer out = buffer_over(memory, sizeof(memory));
	conversation_invite(&peap->tunnel.inner, &out);
	return carry(&peap->tunnel, RG_EAP_REQUEST, buffer_span(&out), step);
}

static enum rg_eap_verdict established(struct rg_tunnel *tunnel, struct rg_eap_step *step)
{
	struct peap *peap = (struct peap *)tunnel;
	const struct rg_proof *proof = tls_proof(tunnel->tls);
	if (proof && proof->resumed) {
		peap->state = PEAP_RESUMED;
		return RG_EAP_PROVEN;
	}
	if (!proof || !tls_open(tunnel->tls, step))
		return RG_EAP_FAILURE;
	/* Supplicants look for nothing behind our Finished; in TLS 1.3 theirs is the last. */
	if (strcmp(proof->tls_version, "1.3") == 0)
		return invite(peap, step);
	peap->state = PEAP_OPENED;
	return tunnel_say(tunnel, (struct rg_span){0}, step);
}

static enum rg_eap_verdict acknowledged(struct rg_tunnel *tunnel, struct rg_eap_step *step)
{
	struct peap *peap = (struct peap *)tunnel;
	if (peap->state == PEAP_OPENED)
		return invite(peap, step);
	if (peap->state != PEAP_REFUSED)
		return tunnel_fail(step, "broken PEAP: an acknowledgement of nothing");
	step->reason = peap->reason;
	step->detail = peap->detail;
	return RG_EAP_FAILURE;
}

static const struct rg_tunnel_kind kind = {
	.tls = {.type = 25, .label = "peap", .key_label = "client EAP encryption"},
	.established = established,
	.acknowledged = acknowledged,
	.heard = heard,
	.carry = carry,
};

static void *method_start(const struct rg_eap_start *start)
{
	return tunnel_new(sizeof(struct peap), start, &kind);
}

static enum rg_eap_verdict method_granted(void *method, struct rg_eap_step *step)
{
	struct peap *peap = method;
	if (peap->state != PEAP_RESUMED)
		return tunnel_granted(&peap->tunnel, step);
	return tls_open(peap->tunnel.tls, step) ? say_success(peap, step) : RG_EAP_FAILURE;
}

static enum rg_eap_verdict method_answered(void *method, struct rg_eap_step *step)
{
	struct peap *peap = method;
	return tunnel_answered(&peap->tunnel, step);
}

static const struct rg_claim *method_claim(void *method)
{
	struct peap *peap = method;
	return conversation_claim(&peap->tunnel.inner);
}

static bool method_keys(void *method, struct rg_eap_keys *keys)
{
	struct peap *peap = method;
	return tls_keys(peap->tunnel.tls, keys) &&
	       (!peap->bound || binding_msk(&peap->binding, keys->msk));
}

static void method_end(void **method)
{
	struct peap *peap = *method;
	*method = NULL;
	tunnel_end(&peap->tunnel);
	secret_wipe(&peap->binding, sizeof(peap->binding));
	free(peap);
}

static const struct rg_eap_method method_peap = {
	.type = 25,
	.label = "peap",
	.needs = RG_OFFERS_IDENTITY,
	.tunnel = true,
	.start = method_start,
	.begin = tunnel_begin,
	.respond = tunnel_respond,
	.proof = tunnel_proof,
	.claim = method_claim,
	.granted = method_granted,
	.answered = method_answered,
	.keys = method_keys,
	.accepted = tunnel_accepted,
	.end = method_end,
};

static const char *const uses[] = {"eap_mschapv2", "eap_gtc", NULL};

const struct rg_module roamgate_module = {
	.abi = RG_MODULE_ABI,
	.kind = RG_MODULE_EAP,
	.name = "eap_peap",
	.uses = uses,
	.ops.eap = &method_peap,
};

/* EAP-TTLS (RFC 5281; with TLS 1.3: RFC 9427): TLS shows who we are, and inside its tunnel the
 * supplicant shows who it is: by a password, by MSCHAPv2, or by an EAP method. */
#include <stdlib.h>

#include "core/secret.h"
#include "core/text.h"
#include "eap/avp.h"
#include "phase2.h"
#include "roamgate/directory.h"
#include "roamgate/module.h"
#include "roamgate/mschapv2.h"

enum ttls_state {
	TTLS_HANDSHAKE,
	TTLS_RESUMED,  /* the session says who; the host decides, and the last flight is ready */
	TTLS_OPEN,     /* the supplicant is to say something in the tunnel */
	TTLS_ASKED,    /* the host decides about what it said */
	TTLS_ACCEPTED, /* the last word is out; its acknowledgement is due */
	TTLS_REFUSED,  /* the same, and it is a no */
};

struct ttls {
	struct rg_tunnel tunnel;
	enum ttls_state state;
	struct rg_claim claim;
	struct rg_secret *password;
	struct rg_mschapv2 mschapv2;
	uint8_t ident; /* of MSCHAPv2 */
	char why[96];
};

static enum rg_eap_verdict carry(struct rg_tunnel *tunnel, enum rg_eap_verdict verdict,
				 struct rg_span packet, struct rg_eap_step *step)
{
	struct ttls *ttls = (struct ttls *)tunnel;
	uint8_t memory[RG_TUNNEL_MESSAGE + 16];
	struct rg_buffer clear = buffer_over(memory, sizeof(memory));
	switch (verdict) {
	case RG_EAP_REQUEST:
		avp_write(&clear, AVP_EAP_MESSAGE, 0, packet);
		ttls->state = TTLS_OPEN;
		return tunnel_say(tunnel, buffer_span(&clear), step);
	case RG_EAP_PROVEN:
	case RG_EAP_ASK:
		ttls->state = TTLS_ASKED;
		return verdict;
	case RG_EAP_SUCCESS: /* said outside only (RFC 5281 §11.2.1) */
		return tunnel_succeed(tunnel, step);
	case RG_EAP_FAILURE:
	case RG_EAP_DISCARD:
		return RG_EAP_FAILURE;
	}
	return RG_EAP_FAILURE;
}

static bool take_name(struct ttls *ttls, struct rg_span name, const char *plain)
{
	ttls->tunnel.plain = plain;
	return text_from_span(ttls->tunnel.name, sizeof(ttls->tunnel.name), name);
}

static enum rg_eap_verdict no_name(struct rg_eap_step *step)
{
	step->reason = RG_REASON_IDENTITY_MISMATCH;
	step->detail = "the User-Name in the tunnel is no name";
	return RG_EAP_FAILURE;
}

static enum rg_eap_verdict take_password(struct ttls *ttls, const struct phase2 *phase2,
					 struct rg_eap_step *step)
{
	size_t length = phase2->password.length;
	if (!ttls->tunnel.start.inner || !ttls->tunnel.start.inner->pap)
		return tunnel_fail(step, "PAP is none of the realm's inner methods");
	if (!take_name(ttls, phase2->user_name, "pap"))
		return no_name(step);
	/* RFC 5281 §11.2.5: padded with NULs, which hide its length. */
	while (length != 0 && phase2->password.data[length - 1] == 0)
		length--;
	ttls->password = secret_new(phase2->password.data, length);
	if (!ttls->password)
		return tunnel_fail(step, "no memory");
	ttls->claim = (struct rg_claim){.kind = RG_CLAIM_PASSWORD,
					.password = secret_span(ttls->password)};
	ttls->state = TTLS_ASKED;
	return RG_EAP_ASK;
}

/* RFC 5281 §11.2.4: challenge and Ident come out of TLS, so that nobody else's Response fits. */
static bool challenge_ours(struct ttls *ttls, const struct phase2 *phase2)
{
	uint8_t implicit[RG_MSCHAPV2_CHALLENGE + 1];
	struct rg_cursor cursor = cursor_over(phase2->response);
	ttls->ident = cursor_u8(&cursor);
	if (!tls_export(ttls->tunnel.tls, "ttls challenge", (struct rg_span){0}, implicit,
			sizeof(implicit)))
		return false;
	memcpy(ttls->mschapv2.challenge, implicit, RG_MSCHAPV2_CHALLENGE);
	return ttls->ident == implicit[RG_MSCHAPV2_CHALLENGE] &&
	       secret_equal(phase2->challenge.data, phase2->challenge.length, implicit,
			    RG_MSCHAPV2_CHALLENGE);
}

static enum rg_eap_verdict take_mschapv2(struct ttls *ttls, const struct phase2 *phase2,
					 struct rg_eap_step *step)
{
	uint8_t memory[RG_MSCHAPV2_RESPONSE];
	struct rg_buffer response = buffer_over(memory, sizeof(memory));
	struct rg_cursor cursor = cursor_over(phase2->response);
	if (!ttls->tunnel.start.inner || !ttls->tunnel.start.inner->mschapv2)
		return tunnel_fail(step, "MSCHAPv2 is none of the realm's inner methods");
	if (!take_name(ttls, phase2->user_name, "mschapv2"))
		return no_name(step);
	if (!challenge_ours(ttls, phase2))
		return tunnel_fail(step, "broken TTLS: MSCHAPv2 on another tunnel's challenge");
	/* Ident, Flags, and then as in EAP, where the flags come last (RFC 2548 §2.3.2). */
	cursor_u8(&cursor);
	uint8_t flags = cursor_u8(&cursor);
	buffer_put(&response, cursor_rest(&cursor));
	buffer_u8(&response, flags);
	const char *wrong = cursor.failed || response.failed
				    ? "broken MSCHAPv2: a Response of a wrong length"
				    : mschapv2_take(&ttls->mschapv2, buffer_span(&response),
						    phase2->user_name, ttls->tunnel.name);
	if (wrong)
		return tunnel_fail(step, wrong);
	ttls->claim = ttls->mschapv2.claim;
	ttls->state = TTLS_ASKED;
	return RG_EAP_ASK;
}

static enum rg_eap_verdict take_clear(struct ttls *ttls, struct rg_span clear,
				      struct rg_eap_step *step)
{
	struct phase2 phase2;
	enum phase2_way way = phase2_read(&phase2, clear);
	enum rg_eap_verdict verdict = RG_EAP_FAILURE;
	/* Who has begun with EAP goes on with EAP. */
	if (way != PHASE2_EAP && way != PHASE2_REFUSED && ttls->tunnel.speaks_eap)
		verdict = tunnel_fail(step, "broken TTLS: another way of signing in, half-way");
	else
		switch (way) {
		case PHASE2_EAP:
			verdict = tunnel_take(&ttls->tunnel, buffer_span(&phase2.eap), step);
			break;
		case PHASE2_PAP:
			verdict = take_password(ttls, &phase2, step);
			break;
		case PHASE2_MSCHAPV2:
			verdict = take_mschapv2(ttls, &phase2, step);
			break;
		case PHASE2_REFUSED:
			memcpy(ttls->why, phase2.why, sizeof(ttls->why));
			verdict = tunnel_fail(step, ttls->why);
			break;
		}
	secret_wipe(&phase2, sizeof(phase2));
	return verdict;
}

static enum rg_eap_verdict heard(struct rg_tunnel *tunnel, struct rg_span clear,
				 struct rg_eap_step *step)
{
	struct ttls *ttls = (struct ttls *)tunnel;
	bool first = ttls->state == TTLS_HANDSHAKE;
	if (first)
		ttls->state = TTLS_OPEN;
	/* Nothing came behind the handshake: it will, once ours is over as well. */
	if (first && clear.length == 0)
		return tunnel_say(tunnel, clear, step);
	if (ttls->state != TTLS_OPEN)
		return tunnel_fail(step, "broken TTLS: data behind the last word");
	return take_clear(ttls, clear, step);
}

static enum rg_eap_verdict established(struct rg_tunnel *tunnel, struct rg_eap_step *step)
{
	struct ttls *ttls = (struct ttls *)tunnel;
	const struct rg_proof *proof = tls_proof(tunnel->tls);
	if (proof && proof->resumed) {
		ttls->state = TTLS_RESUMED;
		return tls_seal(tunnel->tls, step) ? RG_EAP_PROVEN : RG_EAP_FAILURE;
	}
	return tls_open(tunnel->tls, step) ? tunnel_listen(tunnel, step) : RG_EAP_FAILURE;
}

static enum rg_eap_verdict acknowledged(struct rg_tunnel *tunnel, struct rg_eap_step *step)
{
	struct ttls *ttls = (struct ttls *)tunnel;
	switch (ttls->state) {
	case TTLS_RESUMED: /* keys were made when it was sealed */
		return RG_EAP_SUCCESS;
	case TTLS_ACCEPTED:
		return tunnel_succeed(tunnel, step);
	case TTLS_REFUSED:
		return RG_EAP_FAILURE;
	case TTLS_HANDSHAKE:
	case TTLS_OPEN:
	case TTLS_ASKED:
		break;
	}
	return tunnel_fail(step, "broken TTLS: an acknowledgement of nothing");
}

static enum rg_eap_verdict resumed_granted(struct ttls *ttls, struct rg_eap_step *step)
{
	switch (tls_release(ttls->tunnel.tls, step)) {
	case RG_TLS_SEND: /* TLS 1.3: a ticket and the protected success (RFC 9427 §4) */
		return RG_EAP_REQUEST;
	case RG_TLS_ACKNOWLEDGED: /* TLS 1.2: the supplicant had the last word */
		return RG_EAP_SUCCESS;
	case RG_TLS_ESTABLISHED:
	case RG_TLS_DATA:
	case RG_TLS_REFUSED:
		return RG_EAP_FAILURE;
	}
	return RG_EAP_FAILURE;
}

static enum rg_eap_verdict method_granted(void *method, struct rg_eap_step *step)
{
	struct ttls *ttls = method;
	return ttls->state == TTLS_RESUMED ? resumed_granted(ttls, step)
					   : tunnel_granted(&ttls->tunnel, step);
}

/* MS-CHAP2-Success, or MS-CHAP-Error: Ident, and the text (RFC 5281 §11.2.4). */
static enum rg_eap_verdict say_mschapv2(struct ttls *ttls, uint32_t code, struct rg_span text,
					struct rg_eap_step *step)
{
	uint8_t value_memory[160], memory[192];
	struct rg_buffer value = buffer_over(value_memory, sizeof(value_memory));
	struct rg_buffer clear = buffer_over(memory, sizeof(memory));
	buffer_u8(&value, ttls->ident);
	buffer_put(&value, text);
	avp_write(&clear, code, VENDOR_MICROSOFT, buffer_span(&value));
	return tunnel_say(&ttls->tunnel, buffer_span(&clear), step);
}

static enum rg_eap_verdict mschapv2_answered(struct ttls *ttls, struct rg_eap_step *step)
{
	char text[128];
	const struct rg_answer *answer = step->answer;
	if (!answer->granted) {
		size_t length =
			mschapv2_failure(text, answer->reason, false, ttls->mschapv2.challenge);
		ttls->state = TTLS_REFUSED;
		step->reason = answer->reason;
		step->detail = answer->detail;
		return say_mschapv2(ttls, AVP_MS_CHAP_ERROR, span_of(text, length), step);
	}
	if (!mschapv2_authenticator(&ttls->mschapv2, answer->hash_hash, text))
		return tunnel_fail(step, "no memory");
	ttls->state = TTLS_ACCEPTED;
	return say_mschapv2(ttls, AVP_MS_CHAP2_SUCCESS, span_of(text, RG_MSCHAPV2_AUTHENTICATOR),
			    step);
}

static enum rg_eap_verdict method_answered(void *method, struct rg_eap_step *step)
{
	struct ttls *ttls = method;
	if (ttls->tunnel.speaks_eap)
		return tunnel_answered(&ttls->tunnel, step);
	secret_free(&ttls->password);
	if (ttls->claim.kind == RG_CLAIM_MSCHAPV2)
		return mschapv2_answered(ttls, step);
	if (step->answer->granted)
		return tunnel_succeed(&ttls->tunnel, step);
	step->reason = step->answer->reason;
	step->detail = step->answer->detail;
	return RG_EAP_FAILURE;
}

static const struct rg_claim *method_claim(void *method)
{
	struct ttls *ttls = method;
	return ttls->tunnel.speaks_eap ? conversation_claim(&ttls->tunnel.inner) : &ttls->claim;
}

static bool method_keys(void *method, struct rg_eap_keys *keys)
{
	struct ttls *ttls = method;
	return tls_keys(ttls->tunnel.tls, keys);
}

static void method_end(void **method)
{
	struct ttls *ttls = *method;
	*method = NULL;
	tunnel_end(&ttls->tunnel);
	secret_free(&ttls->password);
	secret_wipe(&ttls->mschapv2, sizeof(ttls->mschapv2));
	secret_wipe(&ttls->claim, sizeof(ttls->claim));
	free(ttls);
}

static const struct rg_tunnel_kind kind = {
	.tls = {.type = 21, .label = "ttls", .key_label = "ttls keying material"},
	.established = established,
	.acknowledged = acknowledged,
	.heard = heard,
	.carry = carry,
};

static void *method_start(const struct rg_eap_start *start)
{
	return tunnel_new(sizeof(struct ttls), start, &kind);
}

static const struct rg_eap_method method_ttls = {
	.type = 21,
	.label = "ttls",
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
	.name = "eap_ttls",
	.uses = uses,
	.ops.eap = &method_ttls,
};

/* EAP-MSCHAPv2 (draft-kamath-pppext-eap-mschapv2-02; RFC 2759), inside tunnels only: both sides
 * show that they know the password, the directory speaking for ours. A wrong one may be followed by
 * another. Changing passwords (RFC 2759 §7) is left to the organisation. */
#include <openssl/rand.h>
#include <stdlib.h>

#include "core/secret.h"
#include "roamgate/directory.h"
#include "roamgate/module.h"
#include "roamgate/mschapv2.h"

#define TRIES_MOST 3

enum opcode {
	OPCODE_CHALLENGE = 1,
	OPCODE_RESPONSE = 2,
	OPCODE_SUCCESS = 3,
	OPCODE_FAILURE = 4,
	OPCODE_CHANGE_PASSWORD = 7,
};

enum state {
	STATE_CHALLENGED, /* a Response is due */
	STATE_ASKED,      /* the host has it verified */
	STATE_AGREED,     /* we have said Success; the supplicant has to agree */
	STATE_REFUSED,    /* we have said Failure; another Response is welcome where `again` */
};

struct mschapv2 {
	enum state state;
	struct rg_proof proof;
	struct rg_mschapv2 core;
	uint8_t id; /* MS-CHAPv2-ID of what is out */
	unsigned tries;
	bool again;
	enum rg_reason reason; /* of the refusal that is out */
	const char *detail;
	uint8_t keys[32];
};

static void *method_start(const struct rg_eap_start *start)
{
	struct mschapv2 *mschapv2 = calloc(1, sizeof(*mschapv2));
	if (mschapv2)
		mschapv2->proof =
			(struct rg_proof){.identity = start->identity, .kind = RG_NAME_INNER};
	return mschapv2;
}

static enum rg_eap_verdict fail(struct rg_eap_step *step, enum rg_reason reason, const char *detail)
{
	step->reason = reason;
	step->detail = detail;
	return RG_EAP_FAILURE;
}

static enum rg_eap_verdict broken(struct rg_eap_step *step, const char *detail)
{
	return fail(step, RG_REASON_METHOD_REFUSED, detail);
}

/* OpCode, MS-CHAPv2-ID, MS-Length; then what the caller puts there. */
static void say(struct mschapv2 *mschapv2, struct rg_eap_step *step, enum opcode opcode,
		struct rg_span body)
{
	buffer_u8(step->output, (uint8_t)opcode);
	buffer_u8(step->output, mschapv2->id);
	buffer_u16(step->output, (uint16_t)(4 + body.length));
	buffer_put(step->output, body);
}

static enum rg_eap_verdict method_begin(void *method, struct rg_eap_step *step)
{
	static const char name[] = "roamgate";
	struct mschapv2 *mschapv2 = method;
	uint8_t memory[64];
	struct rg_buffer body = buffer_over(memory, sizeof(memory));
	if (RAND_bytes(mschapv2->core.challenge, RG_MSCHAPV2_CHALLENGE) != 1 ||
	    RAND_bytes(&mschapv2->id, 1) != 1)
		return fail(step, RG_REASON_INTERNAL, "no randomness");
	buffer_u8(&body, RG_MSCHAPV2_CHALLENGE);
	buffer_put(&body, span_of(mschapv2->core.challenge, RG_MSCHAPV2_CHALLENGE));
	buffer_put(&body, span_text(name));
	say(mschapv2, step, OPCODE_CHALLENGE, buffer_span(&body));
	return RG_EAP_REQUEST;
}

static enum rg_eap_verdict take_response(struct mschapv2 *mschapv2, struct rg_eap_step *step)
{
	struct rg_cursor cursor = cursor_over(step->input);
	cursor_u8(&cursor);
	uint8_t id = cursor_u8(&cursor);
	size_t length = cursor_u16(&cursor);
	size_t size = cursor_u8(&cursor);
	struct rg_span value = cursor_take(&cursor, size);
	struct rg_span name = cursor_rest(&cursor);
	/* A Response after a Failure counts up (RFC 2759 §6), or does not. */
	bool id_fits = id == mschapv2->id ||
		       (mschapv2->state == STATE_REFUSED && id == (uint8_t)(mschapv2->id + 1));
	if (cursor.failed || length != step->input.length || size != RG_MSCHAPV2_RESPONSE)
		return broken(step, "broken MSCHAPv2: a Response of a wrong length");
	if (!id_fits)
		return broken(step, "broken MSCHAPv2: a Response to another Challenge");
	const char *wrong = mschapv2_take(&mschapv2->core, value, name, mschapv2->proof.identity);
	if (wrong)
		return broken(step, wrong);
	mschapv2->id = id;
	mschapv2->tries++;
	mschapv2->state = STATE_ASKED;
	return RG_EAP_ASK;
}

static enum rg_eap_verdict take_verdict(struct mschapv2 *mschapv2, enum opcode opcode,
					struct rg_eap_step *step)
{
	if (mschapv2->state == STATE_REFUSED && opcode == OPCODE_FAILURE)
		return fail(step, mschapv2->reason, mschapv2->detail);
	if (mschapv2->state == STATE_AGREED && opcode == OPCODE_SUCCESS)
		return RG_EAP_SUCCESS;
	if (mschapv2->state == STATE_AGREED && opcode == OPCODE_FAILURE)
		return fail(
			step, RG_REASON_SUPPLICANT_DISTRUSTS_SERVER,
			"the supplicant does not believe that the directory knows the password");
	return broken(step, "broken MSCHAPv2: an answer out of turn");
}

static enum rg_eap_verdict method_respond(void *method, struct rg_eap_step *step)
{
	struct mschapv2 *mschapv2 = method;
	struct rg_cursor cursor = cursor_over(step->input);
	uint8_t opcode = cursor_u8(&cursor);
	bool response_due = mschapv2->state == STATE_CHALLENGED ||
			    (mschapv2->state == STATE_REFUSED && mschapv2->again);
	if (opcode == OPCODE_RESPONSE && response_due)
		return take_response(mschapv2, step);
	if (opcode == OPCODE_CHANGE_PASSWORD && mschapv2->state == STATE_REFUSED)
		return fail(step, mschapv2->reason, mschapv2->detail);
	if (opcode == OPCODE_SUCCESS || opcode == OPCODE_FAILURE)
		return take_verdict(mschapv2, opcode, step);
	return broken(step, "broken MSCHAPv2: an answer out of turn");
}

static enum rg_eap_verdict say_success(struct mschapv2 *mschapv2, struct rg_eap_step *step)
{
	char text[RG_MSCHAPV2_AUTHENTICATOR + 8];
	const uint8_t *hash_hash = step->answer->hash_hash;
	if (!mschapv2_authenticator(&mschapv2->core, hash_hash, text) ||
	    !mschapv2_keys(&mschapv2->core, hash_hash, mschapv2->keys))
		return fail(step, RG_REASON_INTERNAL, "no memory");
	memcpy(text + RG_MSCHAPV2_AUTHENTICATOR, " M=OK", 6);
	mschapv2->state = STATE_AGREED;
	say(mschapv2, step, OPCODE_SUCCESS, span_text(text));
	return RG_EAP_REQUEST;
}

static enum rg_eap_verdict method_answered(void *method, struct rg_eap_step *step)
{
	struct mschapv2 *mschapv2 = method;
	const struct rg_answer *answer = step->answer;
	char text[128];
	if (answer->granted)
		return say_success(mschapv2, step);
	if (RAND_bytes(mschapv2->core.challenge, RG_MSCHAPV2_CHALLENGE) != 1)
		return fail(step, RG_REASON_INTERNAL, "no randomness");
	mschapv2->again = answer->again && mschapv2->tries < TRIES_MOST;
	mschapv2->reason = step->reason = answer->reason;
	mschapv2->detail = step->detail = answer->detail;
	mschapv2->state = STATE_REFUSED;
	size_t length =
		mschapv2_failure(text, answer->reason, mschapv2->again, mschapv2->core.challenge);
	say(mschapv2, step, OPCODE_FAILURE, span_of(text, length));
	return RG_EAP_REQUEST;
}

static const struct rg_proof *method_proof(void *method)
{
	struct mschapv2 *mschapv2 = method;
	return &mschapv2->proof;
}

static const struct rg_claim *method_claim(void *method)
{
	struct mschapv2 *mschapv2 = method;
	return &mschapv2->core.claim;
}

static bool method_keys(void *method, struct rg_eap_keys *keys)
{
	struct mschapv2 *mschapv2 = method;
	*keys = (struct rg_eap_keys){0};
	memcpy(keys->msk, mschapv2->keys, sizeof(mschapv2->keys));
	return true;
}

static void method_end(void **method)
{
	struct mschapv2 *mschapv2 = *method;
	*method = NULL;
	secret_wipe(mschapv2, sizeof(*mschapv2));
	free(mschapv2);
}

static const struct rg_eap_method method_mschapv2 = {
	.type = 26,
	.label = "mschapv2",
	.needs = RG_OFFERS_MSCHAPV2,
	.inner_only = true,
	.start = method_start,
	.begin = method_begin,
	.respond = method_respond,
	.proof = method_proof,
	.claim = method_claim,
	.answered = method_answered,
	.keys = method_keys,
	.end = method_end,
};

const struct rg_module roamgate_module = {
	.abi = RG_MODULE_ABI,
	.kind = RG_MODULE_EAP,
	.name = "eap_mschapv2",
	.ops.eap = &method_mschapv2,
};

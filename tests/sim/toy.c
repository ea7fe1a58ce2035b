/* EAP methods so small that a sign-in costs nothing, which reach all of the state machine above
 * them: rounds of any size, proof of a secret ("toy"), or a password that the directory is asked
 * about ("toyask"), which may be tried again.
 *
 * Request: 1, round, of how many, nonce of 8, filling. Or 4: the password was wrong, another one.
 * Response: 1, round, laptop's nonce of 8, filling. Or 2, nonce, tag of 16, name. Or 3, nonce,
 * length of password, it, name. */
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "roamgate/directory.h"
#include "roamgate/eap.h"
#include "roamgate/module.h"
#include "sim.h"

unsigned toys_running;

struct toy {
	uint8_t nonce[8];
	uint64_t laptop;
	unsigned round, rounds;
	char name[64];
	uint8_t password[64];
	struct rg_proof proof;
	struct rg_claim claim;
	bool proven, granted;
};

static void *start(const struct rg_eap_start *with)
{
	struct toy *toy = calloc(1, sizeof(*toy));
	must(with->realm);
	if (!toy)
		return NULL;
	chance_fill(&world.town, toy->nonce, sizeof(toy->nonce));
	toy->rounds = chance_below(&world.town, 4);
	toys_running++;
	return toy;
}

static enum rg_eap_verdict next_round(struct toy *toy, struct rg_eap_step *step)
{
	size_t filling = chance_below(&world.town, 1200);
	buffer_u8(step->output, 1);
	buffer_u8(step->output, (uint8_t)toy->round);
	buffer_u8(step->output, (uint8_t)toy->rounds);
	buffer_put(step->output, span_of(toy->nonce, sizeof(toy->nonce)));
	if (filling > step->room - step->output->length)
		filling = step->room - step->output->length;
	for (size_t i = 0; i < filling; i++)
		buffer_u8(step->output, (uint8_t)i);
	return RG_EAP_REQUEST;
}

static enum rg_eap_verdict begin(void *self, struct rg_eap_step *step)
{
	return next_round(self, step);
}

static enum rg_eap_verdict fail(struct rg_eap_step *step, enum rg_reason reason)
{
	step->reason = reason;
	step->detail = "the toy says so";
	return RG_EAP_FAILURE;
}

static bool take_name(struct toy *toy, struct rg_cursor *cursor)
{
	struct rg_span name = cursor_rest(cursor);
	if (cursor->failed || name.length == 0 || name.length >= sizeof(toy->name))
		return false;
	memcpy(toy->name, name.data, name.length);
	toy->name[name.length] = '\0';
	toy->proof.identity = toy->name;
	return true;
}

static enum rg_eap_verdict take_proof(struct toy *toy, struct rg_cursor *cursor,
				      struct rg_eap_step *step)
{
	uint8_t wanted[16];
	struct rg_span tag = cursor_take(cursor, sizeof(wanted));
	if (!take_name(toy, cursor))
		return fail(step, RG_REASON_METHOD_REFUSED);
	struct signin *signin = signin_of_name(toy->name, strlen(toy->name));
	if (signin)
		laptop_tag(signin, toy->nonce, wanted);
	if (!signin || signin->nonce != toy->laptop ||
	    memcmp(wanted, tag.data, sizeof(wanted)) != 0)
		return fail(step, RG_REASON_CERTIFICATE_INVALID);
	signin->proven = true;
	toy->proven = true;
	toy->proof.kind = RG_NAME_SAN_UPN;
	return RG_EAP_PROVEN;
}

static enum rg_eap_verdict take_password(struct toy *toy, struct rg_cursor *cursor,
					 struct rg_eap_step *step)
{
	struct rg_span password = cursor_take(cursor, cursor_u8(cursor));
	if (password.length > sizeof(toy->password) || !take_name(toy, cursor))
		return fail(step, RG_REASON_METHOD_REFUSED);
	if (password.length)
		memcpy(toy->password, password.data, password.length);
	toy->claim = (struct rg_claim){.kind = RG_CLAIM_PASSWORD,
				       .password = span_of(toy->password, password.length)};
	toy->proof.kind = RG_NAME_INNER;
	return RG_EAP_ASK;
}

static enum rg_eap_verdict respond(void *self, struct rg_eap_step *step)
{
	struct toy *toy = self;
	struct rg_cursor cursor = cursor_over(step->input);
	uint8_t what = cursor_u8(&cursor);
	if (what == 1) {
		if (cursor_u8(&cursor) != toy->round || toy->round >= toy->rounds || cursor.failed)
			return fail(step, RG_REASON_METHOD_REFUSED);
		toy->round++;
		return next_round(toy, step);
	}
	toy->laptop = (uint64_t)cursor_u32(&cursor) << 32;
	toy->laptop |= cursor_u32(&cursor);
	if (cursor.failed || toy->round != toy->rounds)
		return fail(step, RG_REASON_METHOD_REFUSED);
	if (what == 2)
		return take_proof(toy, &cursor, step);
	if (what == 3)
		return take_password(toy, &cursor, step);
	return fail(step, RG_REASON_METHOD_REFUSED);
}

static const struct rg_proof *proof(void *self)
{
	return &((struct toy *)self)->proof;
}

static const struct rg_claim *claim(void *self)
{
	return &((struct toy *)self)->claim;
}

static enum rg_eap_verdict granted(void *self, struct rg_eap_step *step)
{
	struct toy *toy = self;
	(void)step;
	must(toy->proven && !toy->granted);
	toy->granted = true;
	return RG_EAP_SUCCESS;
}

static enum rg_eap_verdict answered(void *self, struct rg_eap_step *step)
{
	struct toy *toy = self;
	if (step->answer->granted) {
		struct signin *signin = signin_of_name(toy->name, strlen(toy->name));
		must(!toy->granted && signin);
		signin->proven = true; /* the password was the directory's to judge */
		toy->granted = true;
		return RG_EAP_SUCCESS;
	}
	if (!step->answer->again)
		return fail(step, step->answer->reason);
	buffer_u8(step->output, 4);
	return RG_EAP_REQUEST;
}

static bool keys(void *self, struct rg_eap_keys *out)
{
	struct toy *toy = self;
	struct signin *signin = signin_of_name(toy->name, strlen(toy->name));
	must(toy->granted && signin);
	laptop_msk(signin, toy->nonce, out->msk);
	out->session_id_length = 0;
	return true;
}

static void accepted(void *self)
{
	must(((struct toy *)self)->granted);
}

static void end(void **self)
{
	free(*self);
	*self = NULL;
	toys_running--;
}

static const struct rg_eap_method toy_kind = {
	.type = TOY_TYPE,
	.label = "toy",
	.needs = RG_OFFERS_IDENTITY,
	.start = start,
	.begin = begin,
	.respond = respond,
	.proof = proof,
	.granted = granted,
	.answered = answered,
	.keys = keys,
	.accepted = accepted,
	.end = end,
};
static const struct rg_eap_method toyask_kind = {
	.type = TOYASK_TYPE,
	.label = "toyask",
	.needs = RG_OFFERS_PASSWORD,
	.start = start,
	.begin = begin,
	.respond = respond,
	.proof = proof,
	.claim = claim,
	.granted = granted,
	.answered = answered,
	.keys = keys,
	.accepted = accepted,
	.end = end,
};
const struct rg_module toy_module = {
	.abi = RG_MODULE_ABI, .kind = RG_MODULE_EAP, .name = "eap_toy", .ops.eap = &toy_kind};
const struct rg_module toyask_module = {
	.abi = RG_MODULE_ABI, .kind = RG_MODULE_EAP, .name = "eap_toyask", .ops.eap = &toyask_kind};

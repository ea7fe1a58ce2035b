/* A whole EAP conversation with the server, TLS in the clear (toy_tls.h): EAP-TLS, TTLS and PEAP,
 * what runs inside them, and coming back with a session. The input is the supplicant's, step by
 * step, and the host's decisions.
 *
 * Never a Success without the host's yes, nor keys before it; a refusal has its reason; who comes
 * back is who came in. */
#include "fuzz.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "eap/conversation.h"
#include "eap/tls_cache.h"
#include "roamgate/module.h"
#include "supplicant_says.h"
#include "toy_tls.h"

extern const struct rg_module module_eap_tls, module_eap_ttls, module_eap_peap, module_eap_gtc,
	module_eap_mschapv2;

#define REMEMBERED 64

static const struct rg_eap_method *const *orders[4], *const *inners[4];
static const char *const realms[] = {"beuningen.nl", "druten.nl"};

struct play {
	struct rg_cursor script;
	struct rg_conversation conversation;
	struct rg_eap_inner inner;
	struct rg_eap_start start;
	struct says says; /* the supplicant */
	size_t room;
	bool granted; /* the host's last word on this conversation was yes */
	bool ended;
	uint8_t id; /* of the Request that is out */
	/* Whom sessions of this input stand for: those that were accepted. */
	struct {
		char identity[256];
		const char *method;
	} accepted[REMEMBERED];
	unsigned accepted_count;
};

static X509 *certificate_new(X509 *issuer, EVP_PKEY *key, const char *cn)
{
	X509 *certificate = X509_new();
	MUST(certificate && key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
				   (const uint8_t *)cn, -1, -1, 0);
	X509_set_issuer_name(certificate, X509_get_subject_name(issuer ? issuer : certificate));
	X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 400L * 86400);
	MUST(X509_set_pubkey(certificate, key) && X509_sign(certificate, key, EVP_sha256()) > 0);
	return certificate;
}

static struct rg_tls_context *set_up(void)
{
	static struct rg_tls_context *context;
	static const struct rg_eap_method *order[4][4], *inner[4][4];
	const struct rg_eap_method *tls = module_eap_tls.ops.eap, *ttls = module_eap_ttls.ops.eap;
	const struct rg_eap_method *peap = module_eap_peap.ops.eap, *gtc = module_eap_gtc.ops.eap;
	const struct rg_eap_method *mschapv2 = module_eap_mschapv2.ops.eap;
	if (context)
		return context;
	const struct rg_eap_method *outer[4][4] = {
		{tls, ttls, peap}, {ttls, peap}, {peap, tls}, {peap}};
	const struct rg_eap_method *inside[4][4] = {
		{mschapv2, gtc, tls}, {gtc}, {tls, mschapv2}, {NULL}};
	memcpy(order, outer, sizeof(order));
	memcpy(inner, inside, sizeof(inner));
	for (unsigned i = 0; i < 4; i++) {
		orders[i] = order[i];
		inners[i] = inner[i];
	}
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *issuer = certificate_new(NULL, key, "CA");
	context = toy_context(certificate_new(issuer, key, "jan@beuningen.nl"), issuer);
	EVP_PKEY_free(key);
	return context;
}

static void conversation_start(struct play *play)
{
	uint8_t how = cursor_u8(&play->script), size = cursor_u8(&play->script);
	play->inner = (struct rg_eap_inner){
		.methods = inners[how >> 2 & 3],
		.pap = how & 0x10,
		.mschapv2 = how & 0x20,
		.binding_required = how & 0x40,
	};
	play->start = (struct rg_eap_start){
		.tls = set_up(),
		.fragment = 40u + 20u * (size & 15u),
		.realm = realms[how >> 7],
		.inner = &play->inner,
	};
	play->room = 64u + 8u * (size >> 4) * (size >> 4);
	play->granted = play->ended = false;
	play->id = 0;
	conversation_begin(&play->conversation, orders[how & 3], &play->start);
	says_begin(&play->says);
}

/* It may be resumed from now on: as whom, and by which method. */
static void accept(struct play *play)
{
	const struct rg_eap_method *method = play->conversation.method;
	const struct rg_proof *proof = conversation_proof(&play->conversation);
	struct rg_eap_keys keys;
	MUST(play->granted);
	MUST(method->keys(play->conversation.running, &keys));
	MUST(keys.session_id[0] == method->type && keys.session_id_length == 65);
	MUST(!method->keys(play->conversation.running, &keys));
	MUST(proof && proof->identity);
	MUST(method->tunnel ? (bool)proof->inner : (bool)proof->x509);
	if (method->accepted)
		method->accepted(play->conversation.running);
	if (play->accepted_count == REMEMBERED)
		return;
	snprintf(play->accepted[play->accepted_count].identity, 256, "%s", proof->identity);
	play->accepted[play->accepted_count++].method = method->label;
}

static bool was_accepted(const struct play *play, const struct rg_proof *proof)
{
	for (unsigned i = 0; i < play->accepted_count; i++)
		if (strcmp(play->accepted[i].identity, proof->identity) == 0 &&
		    strcmp(play->accepted[i].method, play->conversation.method->label) == 0)
			return true;
	return false;
}

static void judge_packet(struct play *play, enum rg_turn turn, const struct rg_buffer *out,
			 const struct rg_turn_result *result)
{
	struct rg_cursor cursor = cursor_over(buffer_span(out));
	uint8_t code = cursor_u8(&cursor), id = cursor_u8(&cursor);
	MUST(cursor_u16(&cursor) == out->length && !out->failed);
	if (turn == RG_TURN_REQUEST) {
		MUST(code == RG_EAP_CODE_REQUEST && out->length > RG_EAP_HEADER);
		MUST(out->length <= play->room && id != play->id);
		MUST(cursor_u8(&cursor) == play->conversation.method->type);
		play->id = id;
		says_hear(&play->says, play->conversation.method->type, cursor_rest(&cursor));
		return;
	}
	MUST(out->length == 4);
	play->ended = true;
	MUST(code == (turn == RG_TURN_SUCCESS ? RG_EAP_CODE_SUCCESS : RG_EAP_CODE_FAILURE));
	MUST(turn == RG_TURN_SUCCESS ||
	     (result->reason > RG_REASON_ACCEPTED && result->reason < RG_REASON_COUNT));
	if (turn == RG_TURN_SUCCESS)
		accept(play);
}

static enum rg_turn decide(struct play *, enum rg_turn, struct rg_buffer *,
			   struct rg_turn_result *);

/* Until the supplicant is to speak, or it is over. */
static void settle(struct play *play, enum rg_turn turn, struct rg_buffer *out,
		   struct rg_turn_result *result)
{
	while (turn == RG_TURN_PROVEN || turn == RG_TURN_ASK)
		turn = decide(play, turn, out, result);
	if (turn == RG_TURN_DISCARD)
		MUST(out->length == 0 || play->ended);
	else
		judge_packet(play, turn, out, result);
}

static enum rg_turn refuse(struct play *play, struct rg_buffer *out, struct rg_turn_result *result)
{
	conversation_refused(&play->conversation, out);
	result->reason = RG_REASON_NOT_AUTHORIZED;
	return RG_TURN_FAILURE;
}

/* The host, as the script has it. A name that is none is refused in any case. */
static enum rg_turn decide(struct play *play, enum rg_turn turn, struct rg_buffer *out,
			   struct rg_turn_result *result)
{
	uint8_t word = cursor_u8(&play->script);
	const struct rg_proof *proof = conversation_proof(&play->conversation);
	const struct rg_claim *claim = conversation_claim(&play->conversation);
	bool yes = (word & 1) && proof && proof->identity && proof->identity[0];
	MUST(proof && conversation_waits(&play->conversation));
	MUST((turn == RG_TURN_ASK) == (claim != NULL));
	if (proof->resumed)
		MUST(proof->identity && was_accepted(play, proof));
	if (claim && claim->kind == RG_CLAIM_MSCHAPV2)
		MUST(claim->mschap_name && strlen(claim->mschap_name) < 256);
	play->granted = yes;
	if (turn == RG_TURN_PROVEN && !yes)
		return refuse(play, out, result);
	if (turn == RG_TURN_PROVEN)
		return conversation_granted(&play->conversation, play->room, out, result);
	struct rg_answer answer = {
		.granted = yes,
		.reason = yes ? RG_REASON_NONE : RG_REASON_PASSWORD_WRONG + (word >> 2) % 4u,
		.detail = yes ? NULL : "the directory says no",
		.again = word & 2,
		.hash_hash = "0123456789abcde",
	};
	return conversation_answered(&play->conversation, &answer, play->room, out, result);
}

static void say(struct play *play, struct rg_span packet)
{
	uint8_t memory[4096];
	struct rg_buffer out = buffer_over(memory, sizeof(memory));
	struct rg_turn_result result;
	bool binds = play->says.binds, turned = play->says.turned;
	enum rg_turn turn = conversation_turn(&play->conversation, packet, span_text(SAYS_IDENTITY),
					      play->room, &out, &result);
	if (play->ended) { /* whatever comes then */
		MUST(turn == RG_TURN_DISCARD);
		return;
	}
	/* Who spoke inside has to have made the tunnel. */
	if (turn == RG_TURN_SUCCESS && play->conversation.method->type == 25)
		MUST(!turned && (binds || !play->inner.binding_required));
	settle(play, turn, &out, &result);
}

static void conversation_over(struct play *play)
{
	conversation_end(&play->conversation);
	says_end(&play->says);
}

static void play_all(struct play *play)
{
	uint8_t memory[1200];
	conversation_start(play);
	while (!play->script.failed && cursor_left(&play->script) != 0) {
		struct rg_buffer packet = buffer_over(memory, sizeof(memory));
		uint8_t type = play->conversation.method ? play->conversation.method->type : 0;
		if (says_next(&play->says, &play->script, type, play->id, &packet)) {
			say(play, buffer_span(&packet));
		} else {
			conversation_over(play);
			conversation_start(play);
		}
	}
	conversation_over(play);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct play play;
	set_up();
	play.script = cursor_over(span_of(data, size));
	play.accepted_count = 0;
	toy_begin();
	play_all(&play);
	MUST(tls_cache_count() <= play.accepted_count);
	tls_cache_clear();
	ERR_clear_error();
	return 0;
}

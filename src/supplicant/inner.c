#include "supplicant/inner.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/secret.h"
#include "core/text.h"
#include "eap/frame.h"

#define TYPE_GTC      6
#define TYPE_TLS      13
#define TYPE_MSCHAPV2 26
#define TLS_ROOM      1200 /* of one Response of EAP-TLS inside a tunnel */

enum { OPCODE_CHALLENGE = 1, OPCODE_RESPONSE, OPCODE_SUCCESS, OPCODE_FAILURE };

bool inner_mschapv2_answer(struct rg_inner *inner, uint8_t response[RG_MSCHAPV2_RESPONSE])
{
	const struct rg_supplicant_profile *profile = inner->profile;
	struct rg_mschapv2 *core = &inner->mschapv2.core;
	struct rg_question question = {0};
	uint8_t hash[RG_NT_HASH];
	struct rg_span name = span_text(inner->identity);
	memset(response, 0, RG_MSCHAPV2_RESPONSE);
	bool good = RAND_bytes(response, RG_MSCHAPV2_CHALLENGE) == 1 &&
		    !mschapv2_take(core, span_of(response, RG_MSCHAPV2_RESPONSE), name,
				   inner->identity) &&
		    nt_hash_make(profile->digests, secret_span(profile->password), hash) &&
		    nt_response_make(profile->digests, core->claim.challenge, hash,
				     core->claim.nt_response);
	if (good) {
		struct rg_buffer out = buffer_over(response + RG_MSCHAPV2_CHALLENGE + 8, 24);
		buffer_put(&out, span_of(core->claim.nt_response, 24));
		memcpy(question.challenge, core->claim.challenge, sizeof(question.challenge));
		memcpy(question.nt_response, core->claim.nt_response, sizeof(question.nt_response));
		good = nt_hash_verify(profile->digests, hash, &question) == RG_OUTCOME_FOUND &&
		       mschapv2_authenticator(core, question.hash_hash, inner->mschapv2.expected) &&
		       mschapv2_keys(core, question.hash_hash, inner->mschapv2.keys);
	}
	secret_wipe(hash, sizeof(hash));
	secret_wipe(&question, sizeof(question));
	return good;
}

bool inner_mschapv2_proven(const struct rg_inner_mschapv2 *inner, struct rg_span text)
{
	return inner->expected[0] && text.length >= RG_MSCHAPV2_AUTHENTICATOR &&
	       secret_equal(text.data, RG_MSCHAPV2_AUTHENTICATOR, inner->expected,
			    RG_MSCHAPV2_AUTHENTICATOR);
}

void inner_begin(struct rg_inner *inner, struct rg_supplicant_profile *profile,
		 const char *identity)
{
	*inner = (struct rg_inner){.profile = profile, .identity = identity};
}

void inner_end(struct rg_inner *inner)
{
	secret_wipe(&inner->mschapv2, sizeof(inner->mschapv2));
	if (inner->tls)
		peer_method_tls.end(&inner->tls);
}

void inner_binding_key(struct rg_inner *inner, uint8_t isk[32])
{
	uint8_t msk[64];
	memcpy(isk, inner->mschapv2.keys, sizeof(inner->mschapv2.keys));
	if (inner->tls && peer_method_tls.keys(inner->tls, msk)) {
		memcpy(isk, msk, 32);
		secret_wipe(msk, sizeof(msk));
	}
}

static bool broken(struct rg_inner *inner, const char *how)
{
	snprintf(inner->why, sizeof(inner->why), "%s", how);
	return false;
}

static const struct {
	unsigned code;
	enum rg_reason reason;
} codes[] = {
	{646, RG_REASON_TOO_MANY_ATTEMPTS}, {647, RG_REASON_DIRECTORY_DISABLED},
	{648, RG_REASON_PASSWORD_EXPIRED},  {649, RG_REASON_NOT_AUTHORIZED},
	{691, RG_REASON_PASSWORD_WRONG},
};

void inner_refused(struct rg_inner *inner, struct rg_span text)
{
	char shown[128], copy[128];
	unsigned code = 0;
	inner->state = RG_INNER_REFUSED;
	text_escape(shown, sizeof(shown), text);
	snprintf(inner->why, sizeof(inner->why), "the server says inside the tunnel: %s", shown);
	if (text_from_span(copy, sizeof(copy), text) && sscanf(copy, "E=%u", &code) != 1)
		return;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].code == code)
			inner->reason = codes[i].reason;
}

/* A Response's header; the Type-Data is added by the caller, then response_end. */
static void response_begin(struct rg_buffer *out, uint8_t id, uint8_t type)
{
	out->length = 0;
	buffer_u8(out, RG_EAP_CODE_RESPONSE);
	buffer_u8(out, id);
	buffer_u16(out, 0);
	buffer_u8(out, type);
}

static bool response_end(struct rg_inner *inner, struct rg_buffer *out)
{
	struct rg_buffer length = buffer_over(out->data + 2, 2);
	buffer_u16(&length, (uint16_t)out->length);
	return !out->failed || broken(inner, "no room for a Response in the tunnel");
}

static bool take_challenge(struct rg_inner *inner, uint8_t id, struct rg_cursor *cursor,
			   struct rg_buffer *out)
{
	uint8_t response[RG_MSCHAPV2_RESPONSE];
	size_t size = cursor_u8(cursor);
	struct rg_span challenge = cursor_take(cursor, size);
	if (cursor->failed || size != RG_MSCHAPV2_CHALLENGE)
		return broken(inner, "the server's MSCHAPv2 Challenge is none");
	memcpy(inner->mschapv2.core.challenge, challenge.data, challenge.length);
	if (!inner_mschapv2_answer(inner, response))
		return broken(inner, "MSCHAPv2 takes no such password: at most 256 characters of "
				     "UTF-8");
	struct rg_span name = span_text(inner->identity);
	buffer_u8(out, OPCODE_RESPONSE);
	buffer_u8(out, id);
	buffer_u16(out, (uint16_t)(5 + sizeof(response) + name.length));
	buffer_u8(out, (uint8_t)sizeof(response));
	buffer_put(out, span_of(response, sizeof(response)));
	buffer_put(out, name);
	return true;
}

static bool take_mschapv2(struct rg_inner *inner, struct rg_span data, struct rg_buffer *out)
{
	struct rg_cursor cursor = cursor_over(data);
	uint8_t opcode = cursor_u8(&cursor), id = cursor_u8(&cursor);
	cursor_u16(&cursor);
	switch (opcode) {
	case OPCODE_CHALLENGE:
		return take_challenge(inner, id, &cursor, out);
	case OPCODE_SUCCESS:
		if (!inner_mschapv2_proven(&inner->mschapv2, cursor_rest(&cursor)))
			return broken(inner, "the server does not know the password itself");
		inner->state = RG_INNER_AGREED;
		buffer_u8(out, OPCODE_SUCCESS);
		return true;
	case OPCODE_FAILURE: /* another password is not at hand, whether or not it may be tried */
		inner_refused(inner, cursor_rest(&cursor));
		buffer_u8(out, OPCODE_FAILURE);
		return true;
	}
	return broken(inner, "the server sent MSCHAPv2 that is none");
}

/* A certificate inside the tunnel. Once TLS has failed an acknowledgement is all that is said. */
static bool take_tls(struct rg_inner *inner, struct rg_span data, struct rg_buffer *out)
{
	uint8_t memory[TLS_ROOM + 16];
	struct rg_buffer response = buffer_over(memory, sizeof(memory));
	struct rg_supplicant_report report = {0};
	if (!inner->tls)
		inner->tls = peer_method_tls.start(inner->profile, inner->identity, TLS_ROOM);
	if (!inner->tls)
		return broken(inner, "no memory");
	bool fine = peer_method_tls.respond(inner->tls, data, &response);
	peer_method_tls.report(inner->tls, &report);
	if (report.why)
		snprintf(inner->why, sizeof(inner->why), "inside the tunnel %s", report.why);
	inner->reason = report.reason;
	if (fine && !peer_method_tls.unproven(inner->tls))
		inner->state = RG_INNER_AGREED;
	buffer_put(out, buffer_span(&response));
	return fine;
}

/* What the profile wants, or whatever of the passwords' two the server begins with. */
static uint8_t wanted(const struct rg_inner *inner, uint8_t offered)
{
	if (inner->type != 0)
		return inner->type;
	const char *inner_method = inner->profile->inner;
	if (inner_method && strcmp(inner_method, "tls") == 0)
		return TYPE_TLS;
	if (inner_method)
		return strcmp(inner_method, "gtc") == 0 ? TYPE_GTC : TYPE_MSCHAPV2;
	return offered == TYPE_GTC ? TYPE_GTC : TYPE_MSCHAPV2;
}

static bool take_method(struct rg_inner *inner, uint8_t type, struct rg_span data,
			struct rg_buffer *out)
{
	inner->type = type;
	inner->label = peer_method_word(type);
	if (type == TYPE_MSCHAPV2)
		return take_mschapv2(inner, data, out);
	if (type == TYPE_TLS)
		return take_tls(inner, data, out);
	inner->state = RG_INNER_AGREED; /* nothing more will be asked */
	buffer_put(out, secret_span(inner->profile->password));
	return true;
}

bool inner_take(struct rg_inner *inner, struct rg_span request, struct rg_buffer *out)
{
	struct rg_cursor cursor = cursor_over(request);
	uint8_t code = cursor_u8(&cursor), id = cursor_u8(&cursor);
	uint16_t length = cursor_u16(&cursor);
	uint8_t type = cursor_u8(&cursor);
	struct rg_span data = cursor_rest(&cursor);
	if (cursor.failed || code != RG_EAP_CODE_REQUEST || length != request.length)
		return broken(inner, "the server sent no EAP-Request into the tunnel");
	if (type == RG_EAP_IDENTITY) {
		response_begin(out, id, type);
		buffer_put(out, span_text(inner->identity));
	} else if (type == wanted(inner, type)) {
		response_begin(out, id, type);
		if (!take_method(inner, type, data, out))
			return false;
	} else {
		response_begin(out, id, RG_EAP_NAK);
		buffer_u8(out, wanted(inner, type));
		snprintf(inner->why, sizeof(inner->why),
			 "inside the tunnel the server offers EAP method %s",
			 peer_method_word(type));
	}
	return response_end(inner, out);
}

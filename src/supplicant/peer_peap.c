/* PEAPv0 as the supplicant plays it ([MS-PEAP], RFC 9427): EAP inside, its headers left out, and a
 * result at the end that both sides say, with cryptobinding. */
#include <openssl/ssl.h>
#include <stdlib.h>

#include "core/secret.h"
#include "eap/frame.h"
#include "eap/peap_binding.h"
#include "supplicant/peer_tunnel.h"

#define EAP_LENGTH        4 /* of the header that is left out */
#define TYPE_EXTENSIONS   33
#define TLV_RESULT        3
#define TLV_CRYPTOBINDING 12
#define TLV_MANDATORY     0x8000u
#define TLV_TYPE          0x3fffu
#define STATUS_SUCCESS    1
#define STATUS_FAILURE    2

struct peer_peap {
	struct rg_peer_tunnel tunnel;
	bool succeeded; /* the server's Result, and ours */
	bool bound;
	struct rg_peap_binding binding;
};

/* The server's cryptobinding TLV: right, or somebody else's tunnel. */
static bool bind(struct peer_peap *peer, struct rg_span value)
{
	uint8_t material[128], isk[RG_BINDING_ISK];
	static const uint8_t header = 4; /* reserved, Version, RecvVersion, SubType */
	struct rg_cursor cursor = cursor_over(value);
	inner_binding_key(&peer->tunnel.inner, isk);
	bool made = tls_peer_material(&peer->tunnel.tls, peer->tunnel.kind->type,
				      peer->tunnel.kind->key_label, material) &&
		    binding_make(&peer->binding, material, peer->tunnel.resumed ? NULL : isk);
	secret_wipe(isk, sizeof(isk));
	secret_wipe(material, sizeof(material));
	cursor_take(&cursor, header);
	struct rg_span nonce = cursor_take(&cursor, RG_BINDING_NONCE);
	if (nonce.length == RG_BINDING_NONCE)
		memcpy(peer->binding.nonce, nonce.data, nonce.length);
	peer->bound = made && binding_fits(&peer->binding, RG_BINDING_REQUEST, value);
	return peer->bound ||
	       tls_peer_broken(&peer->tunnel.tls,
			       "the server's cryptobinding is wrong: whoever knows the "
			       "password is not whoever made the tunnel");
}

static bool take_tlvs(struct peer_peap *peer, struct rg_span tlvs, bool *success)
{
	struct rg_cursor cursor = cursor_over(tlvs);
	while (cursor_left(&cursor) != 0) {
		uint16_t type = cursor_u16(&cursor), length = cursor_u16(&cursor);
		struct rg_span value = cursor_take(&cursor, length);
		struct rg_cursor inside = cursor_over(value);
		if (cursor.failed)
			return tls_peer_broken(&peer->tunnel.tls, "the server sent broken TLVs");
		if ((type & TLV_TYPE) == TLV_RESULT)
			*success = cursor_u16(&inside) == STATUS_SUCCESS;
		else if ((type & TLV_TYPE) == TLV_CRYPTOBINDING && !bind(peer, value))
			return false;
		else if ((type & TLV_TYPE) != TLV_CRYPTOBINDING && type & TLV_MANDATORY)
			return tls_peer_broken(&peer->tunnel.tls,
					       "the server sent a mandatory TLV that is not known");
	}
	return true;
}

static bool take_extensions(struct peer_peap *peer, struct rg_span packet, struct rg_buffer *answer)
{
	struct rg_cursor cursor = cursor_over(packet);
	cursor_u8(&cursor);
	uint8_t id = cursor_u8(&cursor);
	cursor_take(&cursor, 3);
	bool success = false;
	if (!take_tlvs(peer, cursor_rest(&cursor), &success))
		return false;
	/* A success that nobody has earned is answered by a failure. */
	peer->succeeded =
		success && (peer->tunnel.resumed || peer->tunnel.inner.state == RG_INNER_AGREED);
	if (success && !peer->succeeded)
		return tls_peer_broken(&peer->tunnel.tls,
				       "the server says success before anybody signed in");
	bool bound = success && peer->bound;
	buffer_u8(answer, RG_EAP_CODE_RESPONSE);
	buffer_u8(answer, id);
	buffer_u16(answer, (uint16_t)(5 + 6 + (bound ? RG_BINDING_TLV : 0)));
	buffer_u8(answer, TYPE_EXTENSIONS);
	buffer_u16(answer, TLV_MANDATORY | TLV_RESULT);
	buffer_u16(answer, 2);
	buffer_u16(answer, success ? STATUS_SUCCESS : STATUS_FAILURE);
	return !bound || binding_write(&peer->binding, RG_BINDING_RESPONSE, answer);
}

/* Header and all, as the Extensions packet comes. */
static bool is_extensions(struct rg_span clear)
{
	struct rg_cursor cursor = cursor_over(clear);
	uint8_t code = cursor_u8(&cursor);
	cursor_u8(&cursor);
	uint16_t length = cursor_u16(&cursor);
	uint8_t type = cursor_u8(&cursor);
	return !cursor.failed && code == RG_EAP_CODE_REQUEST && length == clear.length &&
	       type == TYPE_EXTENSIONS;
}

/* The header that the server left out is that of the outer packet. */
static bool take_inner(struct peer_peap *peer, struct rg_span clear, struct rg_buffer *answer)
{
	uint8_t in_memory[RG_PEER_TUNNEL_MESSAGE + EAP_LENGTH], out_memory[RG_PEER_TUNNEL_MESSAGE];
	struct rg_buffer in = buffer_over(in_memory, sizeof(in_memory));
	struct rg_buffer out = buffer_over(out_memory, sizeof(out_memory));
	buffer_u8(&in, RG_EAP_CODE_REQUEST);
	buffer_u8(&in, 0);
	buffer_u16(&in, (uint16_t)(EAP_LENGTH + clear.length));
	buffer_put(&in, clear);
	if (!inner_take(&peer->tunnel.inner, buffer_span(&in), &out))
		return tls_peer_broken(&peer->tunnel.tls, peer->tunnel.inner.why);
	struct rg_cursor cursor = cursor_over(buffer_span(&out));
	cursor_take(&cursor, EAP_LENGTH);
	buffer_put(answer, cursor_rest(&cursor));
	secret_wipe(out_memory, sizeof(out_memory));
	return true;
}

/* RFC 9427 §4: how some servers end a session that is resumed, in place of a Result. */
static bool is_protected_success(const struct peer_peap *peer, struct rg_span clear)
{
	return peer->tunnel.resumed && tls_peer_is_1_3(&peer->tunnel.tls) && clear.length == 1 &&
	       clear.data[0] == 0;
}

static bool hear(struct rg_peer_tunnel *tunnel, struct rg_span clear, struct rg_buffer *answer)
{
	struct peer_peap *peer = (struct peer_peap *)tunnel;
	if (is_protected_success(peer, clear))
		peer->succeeded = true;
	else if (is_extensions(clear))
		return take_extensions(peer, clear, answer);
	else if (clear.length != 0)
		return take_inner(peer, clear, answer);
	return true;
}

static const struct rg_peer_tunnel_kind kind = {
	.type = 25,
	.key_label = "client EAP encryption",
	.hear = hear,
};

static void *method_start(struct rg_supplicant_profile *profile, const char *identity, size_t room)
{
	return peer_tunnel_new(sizeof(struct peer_peap), &kind, profile, identity, room);
}

static void method_end(void **method)
{
	struct peer_peap *peer = *method;
	*method = NULL;
	if (peer) {
		peer_tunnel_end(&peer->tunnel);
		secret_wipe(&peer->binding, sizeof(peer->binding));
	}
	free(peer);
}

static const char *method_unproven(void *method)
{
	struct peer_peap *peer = method;
	if (!peer->tunnel.tls.finished || peer->tunnel.tls.failed)
		return "an EAP-Success before the TLS handshake was over";
	return peer->succeeded ? NULL : "an EAP-Success without a result inside the tunnel";
}

static bool method_keys(void *method, uint8_t msk[64])
{
	struct peer_peap *peer = method;
	return peer->bound ? binding_msk(&peer->binding, msk) : peer_tunnel_keys(method, msk);
}

const struct rg_peer_method peer_method_peap = {
	.type = 25,
	.label = "peap",
	.start = method_start,
	.respond = peer_tunnel_respond,
	.unproven = method_unproven,
	.keys = method_keys,
	.accepted = peer_tunnel_accepted,
	.report = peer_tunnel_report,
	.end = method_end,
};

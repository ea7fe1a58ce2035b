/* EAP-TTLS as the supplicant plays it (RFC 5281, RFC 9427): PAP, MSCHAPv2, or EAP inside. */
#include <openssl/ssl.h>
#include <stdlib.h>

#include "core/secret.h"
#include "eap/avp.h"
#include "eap/frame.h"
#include "supplicant/peer_tunnel.h"

#define VENDOR_MICROSOFT     311u
#define AVP_USER_NAME        1u
#define AVP_USER_PASSWORD    2u
#define AVP_EAP_MESSAGE      79u
#define AVP_MSCHAP_ERROR     2u /* Microsoft's, as the following */
#define AVP_MSCHAP_CHALLENGE 11u
#define AVP_MSCHAP2_RESPONSE 25u
#define AVP_MSCHAP2_SUCCESS  26u

struct peer_ttls {
	struct rg_peer_tunnel tunnel;
	bool begun; /* what we have to say has been said, or its first part */
	bool protected_success;
};

/* §11.2.5: padded with NULs to a multiple of 16. */
static void say_pap(struct peer_ttls *peer, struct rg_buffer *clear)
{
	uint8_t memory[512 + 16] = {0};
	struct rg_buffer value = buffer_over(memory, sizeof(memory));
	buffer_put(&value, secret_span(peer->tunnel.tls.profile->password));
	do
		buffer_u8(&value, 0);
	while (value.length % 16 != 0 && !value.failed);
	clear->failed |= value.failed;
	avp_write(clear, AVP_USER_NAME, 0, span_text(peer->tunnel.inner.identity));
	avp_write(clear, AVP_USER_PASSWORD, 0, buffer_span(&value));
	secret_wipe(memory, sizeof(memory));
	peer->tunnel.inner.label = "pap";
	peer->tunnel.inner.state = RG_INNER_AGREED;
}

/* §11.2.4: the challenge comes out of TLS. */
static bool say_mschapv2(struct peer_ttls *peer, struct rg_buffer *clear)
{
	static const char label[] = "ttls challenge";
	uint8_t implicit[RG_MSCHAPV2_CHALLENGE + 1], response[RG_MSCHAPV2_RESPONSE], memory[64];
	struct rg_buffer value = buffer_over(memory, sizeof(memory));
	struct rg_inner_mschapv2 *mschapv2 = &peer->tunnel.inner.mschapv2;
	if (SSL_export_keying_material(peer->tunnel.tls.ssl, implicit, sizeof(implicit), label,
				       sizeof(label) - 1, NULL, 0, 0) != 1)
		return tls_peer_broken(&peer->tunnel.tls, "no challenge comes out of TLS");
	memcpy(mschapv2->core.challenge, implicit, RG_MSCHAPV2_CHALLENGE);
	if (!inner_mschapv2_answer(&peer->tunnel.inner, response))
		return tls_peer_broken(&peer->tunnel.tls,
				       "MSCHAPv2 takes no such password: at most 256 "
				       "characters of UTF-8");
	/* Ident, Flags, and what EAP has before its flags (RFC 2548 §2.3.2). */
	buffer_u8(&value, implicit[RG_MSCHAPV2_CHALLENGE]);
	buffer_u8(&value, 0);
	buffer_put(&value, span_of(response, sizeof(response) - 1));
	avp_write(clear, AVP_USER_NAME, 0, span_text(peer->tunnel.inner.identity));
	avp_write(clear, AVP_MSCHAP_CHALLENGE, VENDOR_MICROSOFT,
		  span_of(implicit, RG_MSCHAPV2_CHALLENGE));
	avp_write(clear, AVP_MSCHAP2_RESPONSE, VENDOR_MICROSOFT, buffer_span(&value));
	peer->tunnel.inner.label = "mschapv2";
	return true;
}

/* EAP begins without being asked: its Identity (§11.2.1). */
static bool say_identity(struct peer_ttls *peer, struct rg_buffer *clear)
{
	static const uint8_t question[] = {RG_EAP_CODE_REQUEST, 0, 0, 5, RG_EAP_IDENTITY};
	uint8_t memory[RG_PEER_TUNNEL_MESSAGE];
	struct rg_buffer out = buffer_over(memory, sizeof(memory));
	if (!inner_take(&peer->tunnel.inner, span_of(question, sizeof(question)), &out))
		return tls_peer_broken(&peer->tunnel.tls, peer->tunnel.inner.why);
	avp_write(clear, AVP_EAP_MESSAGE, 0, buffer_span(&out));
	return true;
}

static bool begin(struct peer_ttls *peer, struct rg_buffer *clear)
{
	const char *inner = peer->tunnel.tls.profile->inner;
	peer->begun = true;
	if (!inner || strcmp(inner, "pap") == 0) {
		say_pap(peer, clear);
		return true;
	}
	return strcmp(inner, "mschapv2") == 0 ? say_mschapv2(peer, clear)
					      : say_identity(peer, clear);
}

static bool take_eap(struct peer_ttls *peer, struct rg_span packet, struct rg_buffer *clear)
{
	uint8_t memory[RG_PEER_TUNNEL_MESSAGE];
	struct rg_buffer out = buffer_over(memory, sizeof(memory));
	if (!inner_take(&peer->tunnel.inner, packet, &out))
		return tls_peer_broken(&peer->tunnel.tls, peer->tunnel.inner.why);
	avp_write(clear, AVP_EAP_MESSAGE, 0, buffer_span(&out));
	secret_wipe(memory, sizeof(memory));
	return true;
}

static struct rg_span behind_ident(struct rg_span value)
{
	struct rg_cursor cursor = cursor_over(value);
	cursor_u8(&cursor);
	return cursor_rest(&cursor);
}

static bool take_avp(struct peer_ttls *peer, const struct rg_avp *avp, struct rg_buffer *clear)
{
	if (avp->vendor == 0 && avp->code == AVP_EAP_MESSAGE)
		return take_eap(peer, avp->data, clear);
	if (avp->vendor == VENDOR_MICROSOFT && avp->code == AVP_MSCHAP_ERROR) {
		inner_refused(&peer->tunnel.inner, behind_ident(avp->data));
		return true;
	}
	if (avp->vendor == VENDOR_MICROSOFT && avp->code == AVP_MSCHAP2_SUCCESS) {
		if (!inner_mschapv2_proven(&peer->tunnel.inner.mschapv2, behind_ident(avp->data)))
			return tls_peer_broken(&peer->tunnel.tls,
					       "the server does not know the password itself");
		peer->tunnel.inner.state = RG_INNER_AGREED;
		return true;
	}
	return !avp->mandatory ||
	       tls_peer_broken(&peer->tunnel.tls,
			       "the server sent a mandatory AVP that is not known");
}

static bool take_clear(struct peer_ttls *peer, struct rg_span clear, struct rg_buffer *answer)
{
	struct rg_cursor cursor = cursor_over(clear);
	struct rg_avp avp;
	if (peer->tunnel.resumed && clear.length == 1 && clear.data[0] == 0) { /* RFC 9427 §4 */
		peer->protected_success = true;
		return true;
	}
	while (avp_next(&cursor, &avp))
		if (!take_avp(peer, &avp, answer))
			return false;
	return !cursor.failed || tls_peer_broken(&peer->tunnel.tls, "the server sent broken AVPs");
}

static bool hear(struct rg_peer_tunnel *tunnel, struct rg_span clear, struct rg_buffer *answer)
{
	struct peer_ttls *peer = (struct peer_ttls *)tunnel;
	if (clear.length != 0)
		return take_clear(peer, clear, answer);
	/* Where our Finished is the last it leaves alone, as laptops do it. */
	if (peer->begun || tunnel->resumed || (!tunnel->was_open && tls_peer_is_1_3(&tunnel->tls)))
		return true;
	return begin(peer, answer);
}

static const struct rg_peer_tunnel_kind kind = {
	.type = 21,
	.key_label = "ttls keying material",
	.takes_empty = true,
	.hear = hear,
};

static void *method_start(struct rg_supplicant_profile *profile, const char *identity, size_t room)
{
	return peer_tunnel_new(sizeof(struct peer_ttls), &kind, profile, identity, room);
}

static void method_end(void **method)
{
	struct peer_ttls *peer = *method;
	*method = NULL;
	if (peer)
		peer_tunnel_end(&peer->tunnel);
	free(peer);
}

static const char *method_unproven(void *method)
{
	struct peer_ttls *peer = method;
	if (!peer->tunnel.tls.finished || peer->tunnel.tls.failed)
		return "an EAP-Success before the TLS handshake was over";
	if (peer->tunnel.resumed && tls_peer_is_1_3(&peer->tunnel.tls) && !peer->protected_success)
		return "an EAP-Success without the protected success of RFC 9427";
	if (!peer->tunnel.resumed && peer->tunnel.inner.state != RG_INNER_AGREED)
		return "an EAP-Success before anybody signed in inside the tunnel";
	return NULL;
}

const struct rg_peer_method peer_method_ttls = {
	.type = 21,
	.label = "ttls",
	.start = method_start,
	.respond = peer_tunnel_respond,
	.unproven = method_unproven,
	.keys = peer_tunnel_keys,
	.accepted = peer_tunnel_accepted,
	.report = peer_tunnel_report,
	.end = method_end,
};

/* EAP-TTLS as the supplicant plays it (RFC 5281, RFC 9427): PAP, MSCHAPv2, or EAP inside. */
#include <openssl/ssl.h>
#include <stdlib.h>

#include "core/secret.h"
#include "eap/avp.h"
#include "eap/frame.h"
#include "supplicant/inner.h"
#include "supplicant/tls_peer.h"

#define MESSAGE_MOST         4096
#define VENDOR_MICROSOFT     311u
#define AVP_USER_NAME        1u
#define AVP_USER_PASSWORD    2u
#define AVP_EAP_MESSAGE      79u
#define AVP_MSCHAP_ERROR     2u /* Microsoft's, as the following */
#define AVP_MSCHAP_CHALLENGE 11u
#define AVP_MSCHAP2_RESPONSE 25u
#define AVP_MSCHAP2_SUCCESS  26u

static const char key_label[] = "ttls keying material";

struct peer_ttls {
	struct rg_tls_peer tls;
	struct rg_inner inner;
	bool begun; /* what we have to say has been said, or its first part */
	bool resumed, protected_success;
	const char *label; /* of what runs inside without EAP */
};

static void *method_start(struct rg_supplicant_profile *profile, const char *identity, size_t room)
{
	struct peer_ttls *peer = calloc(1, sizeof(*peer));
	if (peer && tls_peer_open(&peer->tls, profile, room)) {
		inner_begin(&peer->inner, profile, identity);
		peer->tls.frame.takes_empty = true;
		return peer;
	}
	free(peer);
	return NULL;
}

static void method_end(void **method)
{
	struct peer_ttls *peer = *method;
	*method = NULL;
	if (!peer)
		return;
	tls_peer_close(&peer->tls);
	inner_end(&peer->inner);
	free(peer);
}

/* §11.2.5: padded with NULs to a multiple of 16. */
static void say_pap(struct peer_ttls *peer, struct rg_buffer *clear)
{
	uint8_t memory[512 + 16] = {0};
	struct rg_buffer value = buffer_over(memory, sizeof(memory));
	buffer_put(&value, secret_span(peer->tls.profile->password));
	do
		buffer_u8(&value, 0);
	while (value.length % 16 != 0 && !value.failed);
	clear->failed |= value.failed;
	avp_write(clear, AVP_USER_NAME, 0, span_text(peer->inner.identity));
	avp_write(clear, AVP_USER_PASSWORD, 0, buffer_span(&value));
	secret_wipe(memory, sizeof(memory));
	peer->label = "pap";
	peer->inner.state = RG_INNER_AGREED;
}

/* §11.2.4: the challenge comes out of TLS. */
static bool say_mschapv2(struct peer_ttls *peer, struct rg_buffer *clear)
{
	static const char label[] = "ttls challenge";
	uint8_t implicit[RG_MSCHAPV2_CHALLENGE + 1], response[RG_MSCHAPV2_RESPONSE], memory[64];
	struct rg_buffer value = buffer_over(memory, sizeof(memory));
	struct rg_inner_mschapv2 *mschapv2 = &peer->inner.mschapv2;
	if (SSL_export_keying_material(peer->tls.ssl, implicit, sizeof(implicit), label,
				       sizeof(label) - 1, NULL, 0, 0) != 1)
		return tls_peer_broken(&peer->tls, "no challenge comes out of TLS");
	memcpy(mschapv2->core.challenge, implicit, RG_MSCHAPV2_CHALLENGE);
	if (!inner_mschapv2_answer(&peer->inner, response))
		return tls_peer_broken(&peer->tls, "MSCHAPv2 takes no such password: at most 256 "
						   "characters of UTF-8");
	/* Ident, Flags, and what EAP has before its flags (RFC 2548 §2.3.2). */
	buffer_u8(&value, implicit[RG_MSCHAPV2_CHALLENGE]);
	buffer_u8(&value, 0);
	buffer_put(&value, span_of(response, sizeof(response) - 1));
	avp_write(clear, AVP_USER_NAME, 0, span_text(peer->inner.identity));
	avp_write(clear, AVP_MSCHAP_CHALLENGE, VENDOR_MICROSOFT,
		  span_of(implicit, RG_MSCHAPV2_CHALLENGE));
	avp_write(clear, AVP_MSCHAP2_RESPONSE, VENDOR_MICROSOFT, buffer_span(&value));
	peer->label = "mschapv2";
	return true;
}

/* EAP begins without being asked: its Identity (§11.2.1). */
static bool say_identity(struct peer_ttls *peer, struct rg_buffer *clear)
{
	static const uint8_t question[] = {RG_EAP_CODE_REQUEST, 0, 0, 5, RG_EAP_IDENTITY};
	uint8_t memory[MESSAGE_MOST];
	struct rg_buffer out = buffer_over(memory, sizeof(memory));
	if (!inner_take(&peer->inner, span_of(question, sizeof(question)), &out))
		return tls_peer_broken(&peer->tls, peer->inner.why);
	avp_write(clear, AVP_EAP_MESSAGE, 0, buffer_span(&out));
	return true;
}

static bool begin(struct peer_ttls *peer, struct rg_buffer *clear)
{
	const char *inner = peer->tls.profile->inner;
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
	uint8_t memory[MESSAGE_MOST];
	struct rg_buffer out = buffer_over(memory, sizeof(memory));
	if (!inner_take(&peer->inner, packet, &out))
		return tls_peer_broken(&peer->tls, peer->inner.why);
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
		inner_refused(&peer->inner, behind_ident(avp->data));
		return true;
	}
	if (avp->vendor == VENDOR_MICROSOFT && avp->code == AVP_MSCHAP2_SUCCESS) {
		if (!inner_mschapv2_proven(&peer->inner.mschapv2, behind_ident(avp->data)))
			return tls_peer_broken(&peer->tls,
					       "the server does not know the password itself");
		peer->inner.state = RG_INNER_AGREED;
		return true;
	}
	return !avp->mandatory ||
	       tls_peer_broken(&peer->tls, "the server sent a mandatory AVP that is not known");
}

static bool take_clear(struct peer_ttls *peer, struct rg_span clear, struct rg_buffer *answer)
{
	struct rg_cursor cursor = cursor_over(clear);
	struct rg_avp avp;
	if (peer->resumed && clear.length == 1 && clear.data[0] == 0) { /* RFC 9427 §4 */
		peer->protected_success = true;
		return true;
	}
	while (avp_next(&cursor, &avp))
		if (!take_avp(peer, &avp, answer))
			return false;
	return !cursor.failed || tls_peer_broken(&peer->tls, "the server sent broken AVPs");
}

/* TLS has taken the Request in: what there is to say in the tunnel. */
static bool speak(struct peer_ttls *peer)
{
	uint8_t heard[MESSAGE_MOST], said[MESSAGE_MOST + 32];
	struct rg_buffer clear = buffer_over(heard, sizeof(heard));
	struct rg_buffer answer = buffer_over(said, sizeof(said));
	bool was_over = SSL_is_init_finished(peer->tls.ssl);
	if (!tls_peer_shake(&peer->tls))
		return true;
	peer->resumed = SSL_session_reused(peer->tls.ssl);
	if (!tls_peer_read(&peer->tls, &clear))
		return tls_peer_broken(&peer->tls, "the server sent too much into the tunnel");
	bool good = clear.length == 0 || take_clear(peer, buffer_span(&clear), &answer);
	/* Where our Finished is the last it leaves alone, as laptops do it. */
	bool first = !peer->begun && !peer->resumed && clear.length == 0 &&
		     (was_over || !tls_peer_is_1_3(&peer->tls));
	if (good && first)
		good = begin(peer, &answer);
	if (good && answer.failed)
		good = tls_peer_broken(&peer->tls, "name or password are too long");
	if (good && !peer->tls.failed)
		tls_peer_write(&peer->tls, buffer_span(&answer));
	secret_wipe(said, sizeof(said));
	return good;
}

static bool method_respond(void *method, struct rg_span request, struct rg_buffer *response)
{
	struct peer_ttls *peer = method;
	bool whole;
	if (!tls_peer_take(&peer->tls, request, &whole) || (whole && !speak(peer)))
		return false;
	tls_peer_give(&peer->tls, response);
	return true;
}

static const char *method_unproven(void *method)
{
	struct peer_ttls *peer = method;
	if (!peer->tls.finished || peer->tls.failed)
		return "an EAP-Success before the TLS handshake was over";
	if (peer->resumed && tls_peer_is_1_3(&peer->tls) && !peer->protected_success)
		return "an EAP-Success without the protected success of RFC 9427";
	if (!peer->resumed && peer->inner.state != RG_INNER_AGREED)
		return "an EAP-Success before anybody signed in inside the tunnel";
	return NULL;
}

static bool method_keys(void *method, uint8_t msk[64])
{
	struct peer_ttls *peer = method;
	uint8_t material[128];
	bool fine = tls_peer_material(&peer->tls, peer_method_ttls.type, key_label, material);
	if (fine)
		memcpy(msk, material, 64);
	secret_wipe(material, sizeof(material));
	return fine;
}

static void method_accepted(void *method)
{
	struct peer_ttls *peer = method;
	tls_peer_accepted(&peer->tls);
}

static void method_report(void *method, struct rg_supplicant_report *report)
{
	struct peer_ttls *peer = method;
	tls_peer_report(&peer->tls, report);
	report->inner = peer->inner.label ? peer->inner.label : peer->label;
	if (!report->why && peer->inner.why[0]) {
		report->why = peer->inner.why;
		report->reason = peer->inner.reason;
	}
	if (peer->begun)
		report->stage = "in the tunnel";
}

const struct rg_peer_method peer_method_ttls = {
	.type = 21,
	.label = "ttls",
	.start = method_start,
	.respond = method_respond,
	.unproven = method_unproven,
	.keys = method_keys,
	.accepted = method_accepted,
	.report = method_report,
	.end = method_end,
};

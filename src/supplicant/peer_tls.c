/* EAP-TLS as the supplicant plays it: RFC 5216, and RFC 9190 for TLS 1.3. */
#include <stdlib.h>

#include "core/secret.h"
#include "supplicant/method.h"
#include "supplicant/profile.h"
#include "supplicant/tls_peer.h"

struct peer_tls {
	struct rg_tls_peer tls;
	bool protected_success; /* RFC 9190 §2.1.1: the octet 0x00 came */
};

static void *method_start(struct rg_supplicant_profile *profile, const char *identity, size_t room)
{
	struct peer_tls *peer = calloc(1, sizeof(*peer));
	(void)identity; /* its certificate says who that is */
	if (peer && tls_peer_open(&peer->tls, profile, room)) {
		/* Inside a tunnel: the session that the profile keeps is the tunnel's. */
		if (profile->method != &peer_method_tls)
			SSL_set_session(peer->tls.ssl, NULL);
		return peer;
	}
	free(peer);
	return NULL;
}

static void method_end(void **method)
{
	struct peer_tls *peer = *method;
	if (peer)
		tls_peer_close(&peer->tls);
	free(peer);
	*method = NULL;
}

/* After the handshake: tickets, alerts, and in TLS 1.3 the one octet of protected success. False:
 * the server broke the protocol. */
static bool read_on(struct peer_tls *peer)
{
	uint8_t data[2];
	struct rg_buffer clear = buffer_over(data, sizeof(data));
	tls_peer_read(&peer->tls, &clear);
	if (clear.length == 0)
		return true;
	if (!tls_peer_is_1_3(&peer->tls))
		return tls_peer_broken(&peer->tls, "the server sent application data in EAP-TLS");
	/* RFC 9190 §2.1.1: exactly one octet, 0x00, once. */
	if (clear.length != 1 || data[0] != 0 || peer->protected_success)
		return tls_peer_broken(&peer->tls,
				       "the server's protected success is not the octet 0x00");
	peer->protected_success = true;
	return true;
}

static bool method_respond(void *method, struct rg_span request, struct rg_buffer *response)
{
	struct peer_tls *peer = method;
	bool whole;
	if (!tls_peer_take(&peer->tls, request, &whole))
		return false;
	/* Once TLS has failed an ACK is all that is left to say (RFC 5216 §2.1.3). */
	if (whole && tls_peer_shake(&peer->tls) && !read_on(peer))
		return false;
	tls_peer_give(&peer->tls, response);
	return true;
}

static const char *method_unproven(void *method)
{
	struct peer_tls *peer = method;
	if (!peer->tls.finished || peer->tls.failed)
		return "an EAP-Success before the TLS handshake was over";
	/* RFC 9190 §2.5: without it a Success could be anybody's. */
	if (tls_peer_is_1_3(&peer->tls) && !peer->protected_success)
		return "an EAP-Success without the protected success of RFC 9190";
	return NULL;
}

static bool method_keys(void *method, uint8_t msk[64])
{
	struct peer_tls *peer = method;
	uint8_t material[128];
	bool fine = tls_peer_material(&peer->tls, peer_method_tls.type, "client EAP encryption",
				      material);
	if (fine)
		memcpy(msk, material, 64);
	secret_wipe(material, sizeof(material));
	return fine;
}

static void method_accepted(void *method)
{
	struct peer_tls *peer = method;
	tls_peer_accepted(&peer->tls);
}

static void method_report(void *method, struct rg_supplicant_report *report)
{
	struct peer_tls *peer = method;
	tls_peer_report(&peer->tls, report);
}

const struct rg_peer_method peer_method_tls = {
	.type = 13,
	.label = "tls",
	.start = method_start,
	.respond = method_respond,
	.unproven = method_unproven,
	.keys = method_keys,
	.accepted = method_accepted,
	.report = method_report,
	.end = method_end,
};

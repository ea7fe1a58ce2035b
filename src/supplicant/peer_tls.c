/* EAP-TLS as the supplicant plays it: RFC 5216, and RFC 9190 for TLS 1.3. */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/secret.h"
#include "supplicant/method.h"
#include "supplicant/profile.h"
#include "supplicant/server_certificate.h"
#include "supplicant/tls_frame.h"

struct peer_tls {
	struct rg_supplicant_profile *profile;
	SSL *ssl;
	BIO *in, *out; /* ssl's */
	size_t room;
	struct rg_tls_frame frame;
	struct rg_server_trust trust;
	struct rg_server_certificate described;
	const char *broken;             /* how the server broke the protocol */
	int alert_received, alert_sent; /* -1: none */
	bool failed;            /* the handshake ended badly: wait for the server's EAP-Failure */
	bool finished;          /* the handshake is over and all of it is sent */
	bool protected_success; /* RFC 9190 §2.1.1: the octet 0x00 came */
	char why[192];
};

/* Warnings such as close_notify are not what ends a sign-in, so only fatal alerts are kept, except
 * in TLS 1.3, where the level means nothing (RFC 8446 §6). */
static void alert_seen(const SSL *ssl, int where, int value)
{
	struct rg_server_trust *trust = SSL_get_app_data(ssl);
	struct peer_tls *tls =
		(struct peer_tls *)((char *)trust - offsetof(struct peer_tls, trust));
	if (!(where & SSL_CB_ALERT) || (value & 0xff) == SSL3_AD_CLOSE_NOTIFY)
		return;
	if (where & SSL_CB_READ)
		tls->alert_received = value;
	else
		tls->alert_sent = value;
}

static void tls_end(void **method)
{
	struct peer_tls *tls = *method;
	if (!tls)
		return;
	SSL_free(tls->ssl);
	X509_free(tls->trust.leaf);
	free(tls);
	*method = NULL;
}

static void *tls_start(struct rg_supplicant_profile *profile, size_t room)
{
	struct peer_tls *tls = calloc(1, sizeof(*tls));
	if (!tls)
		return NULL;
	tls->profile = profile;
	tls->room = room;
	tls->alert_received = tls->alert_sent = -1;
	tls->ssl = SSL_new(profile->tls);
	tls->in = BIO_new(BIO_s_mem());
	tls->out = BIO_new(BIO_s_mem());
	if (!tls->ssl || !tls->in || !tls->out) {
		BIO_free(tls->in);
		BIO_free(tls->out);
		void *method = tls;
		tls_end(&method);
		return NULL;
	}
	BIO_set_mem_eof_return(tls->in, -1);
	BIO_set_mem_eof_return(tls->out, -1);
	SSL_set_bio(tls->ssl, tls->in, tls->out);
	SSL_set_app_data(tls->ssl, &tls->trust);
	SSL_set_info_callback(tls->ssl, alert_seen);
	SSL_set_connect_state(tls->ssl);
	SSL_SESSION *session = profile->resume ? profile_session(profile) : NULL;
	if (session)
		SSL_set_session(tls->ssl, session);
	SSL_SESSION_free(session);
	return tls;
}

static bool broken(struct peer_tls *tls, const char *how)
{
	tls->broken = how;
	return false;
}

/* True: nothing more to be had of the input; false: an error that ends TLS, or data that must not
 * be. */
static bool wants_more(struct peer_tls *tls, int result)
{
	if (SSL_get_error(tls->ssl, result) == SSL_ERROR_WANT_READ)
		return true;
	tls->failed = true;
	return false;
}

/* After the handshake: tickets, alerts, and in TLS 1.3 the one octet of protected success. False:
 * the server broke the protocol. */
static bool read_on(struct peer_tls *tls)
{
	uint8_t data[2];
	for (;;) {
		int got = SSL_read(tls->ssl, data, sizeof(data));
		if (got <= 0) {
			wants_more(tls, got);
			return true;
		}
		if (SSL_version(tls->ssl) != TLS1_3_VERSION)
			return broken(tls, "the server sent application data in EAP-TLS");
		/* RFC 9190 §2.1.1: exactly one octet, 0x00, once. */
		if (got != 1 || data[0] != 0 || tls->protected_success)
			return broken(tls, "the server's protected success is not the octet 0x00");
		tls->protected_success = true;
	}
}

static bool drive(struct peer_tls *tls)
{
	ERR_clear_error();
	if (!SSL_is_init_finished(tls->ssl)) {
		int result = SSL_do_handshake(tls->ssl);
		if (result != 1) {
			wants_more(tls, result);
			return true;
		}
	}
	return read_on(tls);
}

static bool tls_respond(void *method, struct rg_span request, struct rg_buffer *response)
{
	struct peer_tls *tls = method;
	const char *why = NULL;
	switch (tls_frame_in(&tls->frame, request, tls->in, &why)) {
	case RG_TLS_FRAME_START:
	case RG_TLS_FRAME_COMPLETE:
		/* Once TLS has failed an ACK is all that is left to say (RFC 5216 §2.1.3). */
		if (!tls->failed && !drive(tls))
			return false;
		break;
	case RG_TLS_FRAME_MORE:
	case RG_TLS_FRAME_NEXT:
		break;
	case RG_TLS_FRAME_BROKEN:
		return broken(tls, why);
	}
	tls_frame_out(&tls->frame, tls->out, tls->room, response);
	tls->finished = SSL_is_init_finished(tls->ssl) && !tls->failed && !tls->frame.sending &&
			!tls->frame.receiving;
	ERR_clear_error();
	return true;
}

static const char *tls_unproven(void *method)
{
	struct peer_tls *tls = method;
	if (!tls->finished || tls->failed)
		return "an EAP-Success before the TLS handshake was over";
	/* RFC 9190 §2.5: without it a Success could be anybody's. */
	if (SSL_version(tls->ssl) == TLS1_3_VERSION && !tls->protected_success)
		return "an EAP-Success without the protected success of RFC 9190";
	return NULL;
}

/* RFC 5216 §2.3; RFC 9190 §2.3. */
static bool tls_keys(void *method, uint8_t msk[64])
{
	struct peer_tls *tls = method;
	static const char label_1_2[] = "client EAP encryption";
	static const char label_1_3[] = "EXPORTER_EAP_TLS_Key_Material";
	static const uint8_t type = 13;
	if (SSL_version(tls->ssl) != TLS1_3_VERSION)
		return SSL_export_keying_material(tls->ssl, msk, 64, label_1_2,
						  sizeof(label_1_2) - 1, NULL, 0, 0) == 1;
	uint8_t material[128];
	bool fine = SSL_export_keying_material(tls->ssl, material, sizeof(material), label_1_3,
					       sizeof(label_1_3) - 1, &type, 1, 1) == 1;
	if (fine)
		memcpy(msk, material, 64);
	secret_wipe(material, sizeof(material));
	return fine;
}

static void tls_accepted(void *method)
{
	struct peer_tls *tls = method;
	/* EAP-TLS has no close_notify of the peer; without this OpenSSL would take the end of the
	 * connection for a truncation and spoil the session. */
	SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	if (!tls->profile->resume)
		return;
	SSL_SESSION *session = SSL_get1_session(tls->ssl);
	if (session && SSL_SESSION_is_resumable(session))
		profile_remember(tls->profile, session);
	else
		SSL_SESSION_free(session);
}

/* What an alert says about the sign-in, as far as it says one thing only. */
static enum rg_reason alert_reason(int alert)
{
	switch (alert & 0xff) {
	case SSL_AD_CERTIFICATE_EXPIRED:
		return RG_REASON_CERTIFICATE_EXPIRED;
	case SSL_AD_CERTIFICATE_REVOKED:
		return RG_REASON_CERTIFICATE_REVOKED;
	case SSL_AD_UNKNOWN_CA:
		return RG_REASON_CERTIFICATE_UNKNOWN_CA;
	case SSL_AD_BAD_CERTIFICATE:
	case SSL_AD_UNSUPPORTED_CERTIFICATE:
	case SSL_AD_CERTIFICATE_UNKNOWN:
	case SSL_AD_CERTIFICATE_REQUIRED:
		return RG_REASON_CERTIFICATE_INVALID;
	case SSL_AD_ACCESS_DENIED:
		return RG_REASON_NOT_AUTHORIZED;
	default: /* one of some thirty numbers that a server may send */
		return RG_REASON_NONE;
	}
}

static void report_end(struct peer_tls *tls, struct rg_supplicant_report *report)
{
	const char *distrust = server_trust_error(&tls->trust);
	if (tls->alert_received >= 0)
		report->alert_received = SSL_alert_desc_string_long(tls->alert_received);
	if (tls->alert_sent >= 0)
		report->alert_sent = SSL_alert_desc_string_long(tls->alert_sent);
	if (tls->broken) {
		report->why = tls->broken;
	} else if (tls->alert_received >= 0) {
		snprintf(tls->why, sizeof(tls->why), "the server sent the TLS alert \"%s\"",
			 report->alert_received);
		report->why = tls->why;
		report->reason = alert_reason(tls->alert_received);
	} else if (tls->failed && tls->profile->verifies && distrust) {
		snprintf(tls->why, sizeof(tls->why), "the server is not trusted: %s", distrust);
		report->why = tls->why;
		report->reason = RG_REASON_SUPPLICANT_DISTRUSTS_SERVER;
	} else if (tls->alert_sent >= 0) {
		snprintf(tls->why, sizeof(tls->why), "TLS failed here with the alert \"%s\"",
			 report->alert_sent);
		report->why = tls->why;
	} else if (tls->failed) {
		report->why = "TLS failed here";
	}
}

static void tls_report(void *method, struct rg_supplicant_report *report)
{
	struct peer_tls *tls = method;
	X509 *leaf = tls->trust.leaf ? tls->trust.leaf : SSL_get0_peer_certificate(tls->ssl);
	bool done = SSL_is_init_finished(tls->ssl);
	if (leaf) {
		server_certificate_describe(&tls->described, leaf);
		report->tls = SSL_version(tls->ssl) == TLS1_3_VERSION ? "1.3" : "1.2";
		report->server_subject = tls->described.subject;
		report->server_issuer = tls->described.issuer;
		report->server_not_after = tls->described.not_after;
		report->server_sans = tls->described.sans;
	}
	report->resumed = done && SSL_session_reused(tls->ssl);
	/* A resumed session was verified when it was made, under this very profile. */
	report->server_trusted = tls->profile->verifies && leaf && done &&
				 SSL_get_verify_result(tls->ssl) == X509_V_OK;
	report->trust_error = tls->profile->verifies ? server_trust_error(&tls->trust)
						     : "no CA was given to check it with";
	report->stage = done ? "after the TLS handshake" : "in the TLS handshake";
	report_end(tls, report);
}

const struct rg_peer_method peer_method_tls = {
	.type = 13,
	.label = "tls",
	.start = tls_start,
	.respond = tls_respond,
	.unproven = tls_unproven,
	.keys = tls_keys,
	.accepted = tls_accepted,
	.report = tls_report,
	.end = tls_end,
};

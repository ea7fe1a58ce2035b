/* What EAP-TLS and the methods with a tunnel have in common, as the supplicant plays them. */
#include "supplicant/tls_peer.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stddef.h>
#include <stdio.h>

#include "core/secret.h"
#include "supplicant/profile.h"

/* Warnings such as close_notify are not what ends a sign-in, so only fatal alerts are kept, except
 * in TLS 1.3, where the level means nothing (RFC 8446 §6). */
static void alert_seen(const SSL *ssl, int where, int value)
{
	struct rg_server_trust *trust = SSL_get_app_data(ssl);
	struct rg_tls_peer *tls =
		(struct rg_tls_peer *)((char *)trust - offsetof(struct rg_tls_peer, trust));
	if (!(where & SSL_CB_ALERT) || (value & 0xff) == SSL3_AD_CLOSE_NOTIFY)
		return;
	if (where & SSL_CB_READ)
		tls->alert_received = value;
	else
		tls->alert_sent = value;
}

void tls_peer_close(struct rg_tls_peer *tls)
{
	SSL_free(tls->ssl);
	X509_free(tls->trust.leaf);
	*tls = (struct rg_tls_peer){0};
}

bool tls_peer_open(struct rg_tls_peer *tls, struct rg_supplicant_profile *profile, size_t room)
{
	*tls = (struct rg_tls_peer){
		.profile = profile, .room = room, .alert_received = -1, .alert_sent = -1};
	tls->ssl = SSL_new(profile->tls);
	tls->in = BIO_new(BIO_s_mem());
	tls->out = BIO_new(BIO_s_mem());
	if (!tls->ssl || !tls->in || !tls->out || !SSL_set_app_data(tls->ssl, &tls->trust)) {
		BIO_free(tls->in);
		BIO_free(tls->out);
		tls_peer_close(tls);
		return false;
	}
	BIO_set_mem_eof_return(tls->in, -1);
	BIO_set_mem_eof_return(tls->out, -1);
	SSL_set_bio(tls->ssl, tls->in, tls->out);
	SSL_set_info_callback(tls->ssl, alert_seen);
	SSL_set_connect_state(tls->ssl);
	SSL_SESSION *session = profile->resume ? profile_session(profile) : NULL;
	if (session)
		SSL_set_session(tls->ssl, session);
	SSL_SESSION_free(session);
	return true;
}

bool tls_peer_broken(struct rg_tls_peer *tls, const char *how)
{
	tls->broken = how;
	return false;
}

/* Nothing more to be had of the input; or an error that ends TLS. */
static void note_end(struct rg_tls_peer *tls, int result)
{
	if (SSL_get_error(tls->ssl, result) != SSL_ERROR_WANT_READ)
		tls->failed = true;
}

bool tls_peer_shake(struct rg_tls_peer *tls)
{
	ERR_clear_error();
	if (tls->failed || SSL_is_init_finished(tls->ssl))
		return !tls->failed;
	int result = SSL_do_handshake(tls->ssl);
	if (result != 1)
		note_end(tls, result);
	return result == 1;
}

bool tls_peer_read(struct rg_tls_peer *tls, struct rg_buffer *clear)
{
	while (!tls->failed && clear->length < clear->capacity) {
		int got = SSL_read(tls->ssl, clear->data + clear->length,
				   (int)(clear->capacity - clear->length));
		if (got <= 0) {
			note_end(tls, got);
			return true;
		}
		clear->length += (size_t)got;
	}
	return tls->failed || !SSL_has_pending(tls->ssl);
}

bool tls_peer_write(struct rg_tls_peer *tls, struct rg_span clear)
{
	return clear.length == 0 ||
	       SSL_write(tls->ssl, clear.data, (int)clear.length) == (int)clear.length;
}

bool tls_peer_is_1_3(const struct rg_tls_peer *tls)
{
	return SSL_version(tls->ssl) == TLS1_3_VERSION;
}

bool tls_peer_take(struct rg_tls_peer *tls, struct rg_span request, bool *whole)
{
	const char *why = NULL;
	*whole = false;
	switch (tls_frame_in(&tls->frame, request, tls->in, &why)) {
	case RG_TLS_FRAME_START:
	case RG_TLS_FRAME_COMPLETE:
		*whole = true;
		return true;
	case RG_TLS_FRAME_MORE:
	case RG_TLS_FRAME_NEXT:
		return true;
	case RG_TLS_FRAME_BROKEN:
		break;
	}
	return tls_peer_broken(tls, why);
}

void tls_peer_give(struct rg_tls_peer *tls, struct rg_buffer *response)
{
	tls_frame_out(&tls->frame, tls->out, tls->room, response);
	tls->finished = SSL_is_init_finished(tls->ssl) && !tls->failed && !tls->frame.sending &&
			!tls->frame.receiving;
	ERR_clear_error();
}

bool tls_peer_material(struct rg_tls_peer *tls, uint8_t type, const char *label,
		       uint8_t material[128])
{
	static const char label_1_3[] = "EXPORTER_EAP_TLS_Key_Material";
	if (!tls_peer_is_1_3(tls))
		return SSL_export_keying_material(tls->ssl, material, 128, label, strlen(label),
						  NULL, 0, 0) == 1;
	return SSL_export_keying_material(tls->ssl, material, 128, label_1_3, sizeof(label_1_3) - 1,
					  &type, 1, 1) == 1;
}

void tls_peer_accepted(struct rg_tls_peer *tls)
{
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

static void report_end(struct rg_tls_peer *tls, struct rg_supplicant_report *report)
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

void tls_peer_report(struct rg_tls_peer *tls, struct rg_supplicant_report *report)
{
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

/* What a method with a tunnel does with its TLS: opens it, speaks through it, and says whom it let
 * in. */
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "eap/tls_conversation.h"
#include "tls/certificate.h"

static bool fail(struct rg_tls *tls, struct rg_eap_step *step, enum rg_reason reason,
		 const char *detail)
{
	tls->reason = step->reason = reason;
	tls->detail = step->detail = detail;
	tls_ssl_end(tls);
	return false;
}

/* A ticket is a handle of the cache, where nothing stands until the Accept: before that it opens
 * nothing. It leaves with the first flight of the tunnel, for in TTLS there may be no other. */
bool tls_open(struct rg_tls *tls, struct rg_eap_step *step)
{
	ERR_clear_error();
	if (tls->state != RG_TLS_STATE_DONE || !tls_proof(tls))
		return fail(tls, step, RG_REASON_INTERNAL, "a tunnel opened before its handshake");
	tls->state = RG_TLS_STATE_OPEN;
	if (tls_is_1_3(tls) && tls->context->resume_s > 0 &&
	    (!SSL_new_session_ticket(tls->ssl) || SSL_do_handshake(tls->ssl) != 1)) {
		ERR_clear_error();
		return fail(tls, step, RG_REASON_INTERNAL, "OpenSSL could not make a ticket");
	}
	return true;
}

enum rg_tls_event tls_send(struct rg_tls *tls, struct rg_eap_step *step)
{
	if (tls->state != RG_TLS_STATE_OPEN || tls->overrun ||
	    !fragments_give(&tls->fragments, step->output, step->room, tls->fragment)) {
		fail(tls, step, RG_REASON_INTERNAL, "no room for a fragment");
		return RG_TLS_REFUSED;
	}
	return RG_TLS_SEND;
}

bool tls_write(struct rg_tls *tls, struct rg_span clear)
{
	ERR_clear_error();
	return tls->ssl && clear.length != 0 &&
	       SSL_write(tls->ssl, clear.data, (int)clear.length) == (int)clear.length;
}

bool tls_read(struct rg_tls *tls, struct rg_buffer *clear)
{
	while (tls->ssl && clear->length < clear->capacity) {
		size_t got = 0;
		ERR_clear_error();
		int read = SSL_read_ex(tls->ssl, clear->data + clear->length,
				       clear->capacity - clear->length, &got);
		clear->length += got;
		if (!read)
			return SSL_get_error(tls->ssl, 0) == SSL_ERROR_WANT_READ && !tls->overrun;
	}
	return tls->ssl && !SSL_has_pending(tls->ssl) && tls->input.length == 0;
}

bool tls_material(struct rg_tls *tls, uint8_t material[128])
{
	bool good = tls->ssl && tls_keys_material(tls, material);
	ERR_clear_error();
	return good;
}

bool tls_close(struct rg_tls *tls, struct rg_eap_step *step)
{
	if (!tls->ssl || tls->state != RG_TLS_STATE_OPEN || !tls_keys_derive(tls))
		return fail(tls, step, RG_REASON_INTERNAL, "no keys come out of the tunnel");
	tls_ssl_end(tls);
	ERR_clear_error();
	return true;
}

void tls_signed_in(struct rg_tls *tls, const struct rg_proof *proof)
{
	struct rg_tls_cached *to = &tls->signed_in;
	X509 *leaf = (X509 *)proof->x509, *issuer = (X509 *)proof->issuer;
	size_t length = proof->identity ? strlen(proof->identity) : 0;
	X509_free(to->leaf);
	X509_free(to->issuer);
	*to = (struct rg_tls_cached){.kind = proof->kind};
	if (!proof->inner || length == 0 || length >= sizeof(to->identity))
		return; /* nobody: it is never resumed */
	if (leaf) {
		to->expires =
			tls_chain_ends(proof->chain, certificate_time(X509_get0_notAfter(leaf)));
		if (to->expires <= 0 || !X509_up_ref(leaf))
			return;
		to->leaf = leaf;
	}
	if (issuer && X509_up_ref(issuer))
		to->issuer = issuer;
	to->inner = proof->inner;
	memcpy(to->identity, proof->identity, length);
}

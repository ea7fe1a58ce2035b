/* Which sessions come back, and under which scope. */
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <string.h>

#include "core/clock.h"
#include "eap/tls_conversation.h"

static void scope_add(struct rg_buffer *scope, const char *text)
{
	buffer_put(scope, span_text(text));
	buffer_u8(scope, 0);
}

/* What may run inside a tunnel: a session that was opened by a method that the realm has given up
 * is not resumed. */
static void scope_add_inner(struct rg_buffer *scope, const struct rg_eap_inner *inner)
{
	for (size_t i = 0; inner->methods && inner->methods[i]; i++)
		scope_add(scope, inner->methods[i]->label);
	buffer_u8(scope, (uint8_t)(inner->pap | inner->mschapv2 << 1));
}

/* The scope holds what a session must not outlive a change of: a new CA, CRL or certificate,
 * another realm, another method or another tunnel around it make everyone shake hands in full.
 * OpenSSL compares it too, as its session id context. */
bool tls_scope_set(struct rg_tls *tls, const struct rg_eap_start *start)
{
	uint8_t text[RG_TLS_SCOPE + 16 + 256 + 128];
	struct rg_buffer buffer = buffer_over(text, sizeof(text));
	buffer_put(&buffer, span_of(tls->context->trust, sizeof(tls->context->trust)));
	scope_add(&buffer, tls->kind->label);
	scope_add(&buffer, start->within);
	if (!tls->kind->client_certificate && start->inner)
		scope_add_inner(&buffer, start->inner);
	buffer_put(&buffer, span_text(start->realm));
	return !buffer.failed &&
	       EVP_Digest(text, buffer.length, tls->scope, NULL, EVP_sha256(), NULL) &&
	       SSL_set_session_id_context(tls->ssl, tls->scope, sizeof(tls->scope));
}

/* Nothing is cached before the Accept: the session waits with its conversation. */
int tls_session_new(SSL *ssl, SSL_SESSION *session)
{
	struct rg_tls *tls = tls_of(ssl);
	SSL_SESSION_free(tls->parked);
	tls->parked = session;
	return 1; /* the reference is ours now */
}

/* Declining means a full handshake, where the same fault gets its own reason. */
SSL_SESSION *tls_session_get(SSL *ssl, const unsigned char *id, int length, int *copy)
{
	struct rg_tls *tls = tls_of(ssl);
	time_t now = time(NULL);
	struct rg_tls_cached found;
	*copy = 0;
	if (length <= 0 || !tls_context_revocation_known(tls->context, now) ||
	    !tls_cache_find(id, (size_t)length, tls->scope, now, clock_now(), &found))
		return NULL;
	X509_free(tls->resumed.issuer);
	X509_free(tls->resumed.leaf);
	tls->resumed = found;
	tls->resumed.session = NULL; /* OpenSSL's from here on */
	memcpy(tls->resumed_id, id, (size_t)length);
	tls->resumed_id_length = (size_t)length;
	return found.session;
}

time_t tls_chain_ends(const STACK_OF(X509) * chain, time_t ends)
{
	for (int i = 0; i < sk_X509_num(chain); i++) {
		struct tm tm = {0};
		if (ASN1_TIME_to_tm(X509_get0_notAfter(sk_X509_value(chain, i)), &tm) != 1)
			return 0;
		time_t end = timegm(&tm);
		if (end < ends)
			ends = end;
	}
	return ends;
}

void tls_remember(struct rg_tls *tls)
{
	if (!tls->parked || tls->context->resume_s <= 0)
		return;
	time_t now = time(NULL);
	struct rg_tls_cached cached = tls->signed_in;
	/* A tunnel that cannot say who is in it must not be entered again. */
	if (!tls->kind->client_certificate && !cached.inner)
		return;
	cached.session = tls->parked;
	if (tls->kind->client_certificate)
		cached.issuer = tls->issuer;
	memcpy(cached.scope, tls->scope, sizeof(cached.scope));
	cached.lasts_ns = tls->proof.resumed ? tls->resumed.lasts_ns
					     : clock_now() + (uint64_t)tls->context->resume_s * RG_SECOND;
	if (tls->proof.resumed) {
		cached.expires = tls->resumed.expires;
		/* A TLS 1.3 ticket is for one use (RFC 8446 §C.4); its successor takes its place.
		 */
		tls_cache_remove(tls->resumed_id, tls->resumed_id_length);
	} else if (tls->kind->client_certificate) {
		cached.expires = tls_chain_ends(tls->chain, now + tls->context->resume_s);
	} else if (!cached.expires || cached.expires > now + tls->context->resume_s) {
		cached.expires = now + tls->context->resume_s;
	}
	if (cached.expires > now)
		tls_cache_put(&cached);
	SSL_SESSION_free(tls->parked);
	tls->parked = NULL;
}

#include "eap/tls_conversation.h"

#include <openssl/err.h>
#include <stdlib.h>

#include "core/secret.h"
#include "eap/tls_verify.h"
#include "tls/certificate.h"

/* OpenSSL hands the supplicant's chain over; what it says is kept for the proof. */
static int verify(X509_STORE_CTX *ctx, void *unused)
{
	(void)unused;
	SSL *ssl = X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct rg_tls *tls = tls_of(ssl);
	int good = tls_verify_chain(ctx, &tls->context->crl_memo);
	tls->verify_error = X509_STORE_CTX_get_error(ctx);
	if (!good) {
		X509 *leaf = X509_STORE_CTX_get0_cert(ctx);
		if (leaf && !tls->leaf && X509_up_ref(leaf))
			tls->leaf = leaf;
		if (!tls->chain && X509_STORE_CTX_get0_untrusted(ctx))
			tls->chain = X509_chain_up_ref(X509_STORE_CTX_get0_untrusted(ctx));
	}
	return good;
}

static int staple(SSL *ssl, void *unused)
{
	(void)unused;
	size_t length;
	uint8_t *der = tls_staple_get(tls_of(ssl)->context, &length);
	if (!der)
		return SSL_TLSEXT_ERR_NOACK;
	SSL_set_tlsext_status_ocsp_resp(ssl, der, (long)length); /* takes it over */
	return SSL_TLSEXT_ERR_OK;
}

void tls_context_callbacks(struct rg_tls_context *context)
{
	SSL_CTX_set_cert_verify_callback(context->ssl, verify, NULL);
	if (context->ocsp != RG_OCSP_OFF)
		SSL_CTX_set_tlsext_status_cb(context->ssl, staple);
	if (context->resume_s > 0) {
		SSL_CTX_sess_set_new_cb(context->ssl, tls_session_new);
		SSL_CTX_sess_set_get_cb(context->ssl, tls_session_get);
	}
}

struct rg_tls *tls_start(const struct rg_eap_start *start, const struct rg_tls_kind *kind)
{
	struct rg_tls *tls = calloc(1, sizeof(*tls));
	if (!tls)
		return NULL;
	tls->context = start->tls;
	tls->kind = kind;
	tls->fragment = start->fragment;
	fragments_init(&tls->fragments, kind->version);
	tls->ssl = SSL_new(start->tls->ssl);
	BIO *bio = tls_bio_new(tls);
	if (!tls->ssl || !bio || !SSL_set_app_data(tls->ssl, tls)) {
		BIO_free(bio);
		goto out;
	}
	SSL_set_bio(tls->ssl, bio, bio);
	SSL_set_accept_state(tls->ssl);
	SSL_set_verify(tls->ssl,
		       kind->client_certificate ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
						: SSL_VERIFY_NONE,
		       NULL);
	if (tls_scope_set(tls, start))
		return tls;
out:
	tls_end(&tls);
	ERR_clear_error();
	return NULL;
}

/* Without a word on the wire: EAP has its own end. Not marked so, OpenSSL would take the session
 * for a bad one. */
void tls_ssl_end(struct rg_tls *tls)
{
	if (!tls->ssl)
		return;
	SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(tls->ssl);
	tls->ssl = NULL;
}

void tls_end(struct rg_tls **holder)
{
	struct rg_tls *tls = *holder;
	*holder = NULL;
	if (!tls)
		return;
	tls_ssl_end(tls);
	fragments_free(&tls->fragments);
	SSL_SESSION_free(tls->parked);
	X509_free(tls->resumed.issuer);
	X509_free(tls->resumed.leaf);
	X509_free(tls->signed_in.issuer);
	X509_free(tls->signed_in.leaf);
	X509_free(tls->leaf);
	X509_free(tls->issuer);
	sk_X509_pop_free(tls->chain, X509_free);
	OPENSSL_free(tls->der);
	secret_wipe(&tls->keys, sizeof(tls->keys));
	free(tls);
}

static enum rg_tls_event refuse(struct rg_tls *tls, struct rg_eap_step *step)
{
	step->reason = tls->reason;
	step->detail = tls->detail;
	tls_ssl_end(tls);
	return RG_TLS_REFUSED;
}

static enum rg_tls_event refuse_for(struct rg_tls *tls, struct rg_eap_step *step,
				    enum rg_reason reason, const char *detail)
{
	/* What was found before counts: a doomed conversation keeps its reason. */
	if (tls->state != RG_TLS_STATE_DOOMED) {
		tls->reason = reason;
		tls->detail = detail;
	}
	return refuse(tls, step);
}

static enum rg_tls_event broken(struct rg_tls *tls, struct rg_eap_step *step, const char *detail)
{
	return refuse_for(tls, step, RG_REASON_METHOD_REFUSED, detail);
}

static enum rg_tls_event give(struct rg_tls *tls, struct rg_eap_step *step)
{
	if (!fragments_give(&tls->fragments, step->output, step->room, tls->fragment))
		return refuse_for(tls, step, RG_REASON_INTERNAL, "no room for a fragment");
	step->reason = tls->reason;
	step->detail = tls->detail;
	return RG_TLS_SEND;
}

enum rg_tls_event tls_greet(struct rg_tls *tls, struct rg_eap_step *step)
{
	fragments_start(&tls->fragments, step->output);
	return step->output->failed
		       ? refuse_for(tls, step, RG_REASON_INTERNAL, "no room for a fragment")
		       : RG_TLS_SEND;
}

static enum rg_tls_event handshake(struct rg_tls *tls, struct rg_eap_step *step)
{
	ERR_clear_error();
	int done = SSL_do_handshake(tls->ssl);
	if (done == 1) {
		tls->state = RG_TLS_STATE_DONE;
		return RG_TLS_ESTABLISHED;
	}
	if (SSL_get_error(tls->ssl, done) == SSL_ERROR_WANT_READ && !tls->overrun) {
		if (fragments_pending(&tls->fragments) != 0)
			return give(tls, step);
		return broken(tls, step, "broken EAP-TLS: a TLS message that ends too early");
	}
	tls_explain(tls);
	bool alert = fragments_pending(&tls->fragments) != 0 && !tls->overrun;
	tls_ssl_end(tls);
	tls->state = RG_TLS_STATE_DOOMED;
	return alert ? give(tls, step) : refuse(tls, step);
}

/* A whole message, or an empty one, has come. */
static enum rg_tls_event message(struct rg_tls *tls, struct rg_eap_step *step, bool empty)
{
	switch (tls->state) {
	case RG_TLS_STATE_HANDSHAKE:
		if (empty)
			return broken(tls, step, "broken EAP-TLS: an acknowledgement of nothing");
		return handshake(tls, step);
	case RG_TLS_STATE_DONE:
		return refuse_for(tls, step, RG_REASON_INTERNAL,
				  "a Response before the host agreed");
	case RG_TLS_STATE_OPEN:
		if (empty)
			return RG_TLS_ACKNOWLEDGED;
		if (!tls->ssl)
			return broken(tls, step,
				      "broken EAP-TLS: data in place of an acknowledgement");
		return RG_TLS_DATA;
	case RG_TLS_STATE_DOOMED:
		return refuse(tls, step);
	}
	return refuse(tls, step);
}

enum rg_tls_event tls_respond(struct rg_tls *tls, struct rg_eap_step *step)
{
	const char *why;
	if (++tls->rounds > RG_TLS_ROUNDS_MOST)
		return broken(tls, step, "broken EAP-TLS: too many packets");
	switch (fragments_take(&tls->fragments, step->input, &tls->input, &why)) {
	case RG_FRAGMENT_MESSAGE:
		return message(tls, step, false);
	case RG_FRAGMENT_EMPTY:
		return message(tls, step, true);
	case RG_FRAGMENT_MORE:
	case RG_FRAGMENT_NEXT:
		return give(tls, step);
	case RG_FRAGMENT_BROKEN:
		return broken(tls, step, why);
	case RG_FRAGMENT_NO_MEMORY:
		return refuse_for(tls, step, RG_REASON_INTERNAL, "no memory");
	}
	return refuse(tls, step);
}

enum rg_tls_event tls_release(struct rg_tls *tls, struct rg_eap_step *step)
{
	if (tls->state == RG_TLS_STATE_DONE)
		tls->state = RG_TLS_STATE_OPEN;
	if (tls->state != RG_TLS_STATE_OPEN)
		return refuse_for(tls, step, RG_REASON_INTERNAL, "released before it was proven");
	if (fragments_pending(&tls->fragments) == 0)
		return RG_TLS_ACKNOWLEDGED;
	return give(tls, step);
}

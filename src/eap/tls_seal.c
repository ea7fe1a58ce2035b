/* What a finished handshake yields: who it was, the keys, and the last flight. */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include "core/secret.h"
#include "eap/tls_conversation.h"
#include "tls/certificate.h"

bool tls_export(struct rg_tls *tls, const char *label, struct rg_span context, uint8_t *out,
		size_t length)
{
	bool use = context.length != 0 || (tls->ssl && tls_is_1_3(tls));
	return tls->ssl && SSL_export_keying_material(tls->ssl, out, length, label, strlen(label),
						      context.data, context.length, use) == 1;
}

/* MSK and EMSK in one: RFC 5216 §2.3, RFC 9190 §2.3, and for tunnels RFC 9427 §2.1. */
bool tls_keys_material(struct rg_tls *tls, uint8_t material[128])
{
	if (tls_is_1_3(tls))
		return tls_export(tls, "EXPORTER_EAP_TLS_Key_Material",
				  span_of(&tls->kind->type, 1), material, 128);
	return tls_export(tls, tls->kind->key_label, span_of(NULL, 0), material, 128);
}

static bool method_id(struct rg_tls *tls)
{
	uint8_t *to = tls->keys.session_id + 1;
	tls->keys.session_id_length = 1 + 64;
	if (tls_is_1_3(tls))
		return tls_export(tls, "EXPORTER_EAP_TLS_Method-Id", span_of(&tls->kind->type, 1),
				  to, 64);
	return SSL_get_client_random(tls->ssl, to, 32) == 32 &&
	       SSL_get_server_random(tls->ssl, to + 32, 32) == 32;
}

bool tls_keys_derive(struct rg_tls *tls)
{
	uint8_t material[128];
	bool good = tls_keys_material(tls, material) && method_id(tls);
	tls->keys.session_id[0] = tls->kind->type;
	if (good)
		memcpy(tls->keys.msk, material, sizeof(tls->keys.msk));
	secret_wipe(material, sizeof(material));
	tls->keys_ready = good;
	return good;
}

bool tls_keys(struct rg_tls *tls, struct rg_eap_keys *keys)
{
	if (!tls->keys_ready)
		return false;
	*keys = tls->keys;
	secret_wipe(&tls->keys, sizeof(tls->keys));
	tls->keys_ready = false;
	return true;
}

/* References to what the proof shows, so that the TLS state can go. */
static void proof_collect(struct rg_tls *tls)
{
	tls->proof.resumed = SSL_session_reused(tls->ssl);
	tls->proof.tls_version = tls_is_1_3(tls) ? "1.3" : "1.2";
	if (tls->kind->client_certificate)
		tls->leaf = SSL_get1_peer_certificate(tls->ssl);
	if (tls->proof.resumed) {
		tls->issuer = tls->resumed.issuer;
		tls->resumed.issuer = NULL;
		return;
	}
	STACK_OF(X509) *chain = SSL_get0_verified_chain(tls->ssl);
	if (chain)
		tls->chain = X509_chain_up_ref(chain);
	if (sk_X509_num(tls->chain) > 1 && X509_up_ref(sk_X509_value(tls->chain, 1)))
		tls->issuer = sk_X509_value(tls->chain, 1);
}

/* A tunnel that is resumed stands for whoever opened it. */
static void proof_resume(struct rg_tls *tls)
{
	struct rg_proof *proof = &tls->proof;
	tls->leaf = tls->resumed.leaf;
	tls->resumed.leaf = NULL;
	memcpy(tls->identity, tls->resumed.identity, sizeof(tls->identity));
	proof->identity = tls->identity;
	proof->kind = tls->resumed.kind;
	proof->inner = tls->resumed.inner;
}

static void proof_fill(struct rg_tls *tls)
{
	struct rg_proof *proof = &tls->proof;
	bool tunnel = !tls->kind->client_certificate;
	if (tunnel && proof->resumed)
		proof_resume(tls);
	proof->x509 = tls->leaf;
	proof->chain = tls->chain;
	proof->issuer = tls->issuer;
	if (tls->leaf) {
		int length = i2d_X509(tls->leaf, &tls->der);
		if (length > 0)
			proof->certificate = span_of(tls->der, (size_t)length);
		certificate_subject(tls->leaf, proof->subject, sizeof(proof->subject));
		if (!tunnel &&
		    certificate_identity(tls->leaf, &tls->context->identity_from, tls->identity,
					 sizeof(tls->identity), &proof->kind))
			proof->identity = tls->identity;
	}
	if (tunnel && proof->resumed)
		tls_signed_in(tls, proof);
	tls->proof_ready = true;
}

const struct rg_proof *tls_proof(struct rg_tls *tls)
{
	if (!tls->proof_ready && tls->state == RG_TLS_STATE_HANDSHAKE)
		return NULL;
	if (!tls->proof_ready) {
		if (tls->ssl && tls->state != RG_TLS_STATE_DOOMED)
			proof_collect(tls);
		proof_fill(tls);
	}
	bool known = tls->leaf || tls->proof.tls_version; /* of one that failed */
	return known || tls->state != RG_TLS_STATE_DOOMED ? &tls->proof : NULL;
}

/* A ticket if sessions resume here, then the octet that says "this is all" (RFC 9190 §2.5). */
static bool last_flight_1_3(struct rg_tls *tls)
{
	static const uint8_t success;
	if (tls->context->resume_s > 0 && !SSL_new_session_ticket(tls->ssl))
		return false;
	return tls_write(tls, span_of(&success, 1));
}

bool tls_seal(struct rg_tls *tls, struct rg_eap_step *step)
{
	ERR_clear_error();
	tls->reason = RG_REASON_INTERNAL;
	tls->detail = "OpenSSL could not finish the session";
	if (tls->input.length != 0 || SSL_has_pending(tls->ssl)) {
		tls->reason = RG_REASON_METHOD_REFUSED;
		tls->detail = "broken EAP-TLS: data behind the handshake";
	} else if (tls_proof(tls) && (tls->leaf || !tls->kind->client_certificate) && tls_keys_derive(tls) &&
		   (!tls_is_1_3(tls) || last_flight_1_3(tls)) && !tls->overrun) {
		tls->reason = RG_REASON_NONE;
		tls->detail = NULL;
	}
	step->reason = tls->reason;
	step->detail = tls->detail;
	tls_ssl_end(tls);
	ERR_clear_error();
	return tls->reason == RG_REASON_NONE;
}

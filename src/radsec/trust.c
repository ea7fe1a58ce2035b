/* Whether a peer that was let in is still good under the credential that counts by now. */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>

#include "core/secret.h"
#include "radsec/private.h"

static bool key_digest(const struct rg_secret *psk, uint8_t digest[32])
{
	return psk && EVP_Digest(psk->data, psk->length, digest, NULL, EVP_sha256(), NULL) == 1;
}

void trust_note_key(struct rg_connection *connection, const struct rg_secret *psk)
{
	if (!key_digest(psk, connection->psk_digest))
		memset(connection->psk_digest, 0, sizeof(connection->psk_digest));
}

/* Who is called has the key of our own configuration: its owner calls anew when that changes. */
static bool key_holds(const struct rg_connection *connection, char *detail)
{
	uint8_t digest[32];
	if (!connection->port)
		return true;
	const struct rg_secret *psk = port_psk(connection, connection->psk_identity);
	if (key_digest(psk, digest) &&
	    secret_equal(digest, sizeof(digest), connection->psk_digest, sizeof(digest)))
		return true;
	snprintf(detail, 160, "its key is %s", psk ? "another by now" : "nobody's any more");
	return false;
}

static bool certificate_holds(const struct rg_connection *connection, char *detail)
{
	X509 *certificate = SSL_get0_peer_certificate(connection->ssl);
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	bool good = false;
	snprintf(detail, 160, "its certificate is trusted no more");
	if (certificate && context &&
	    X509_STORE_CTX_init(context, connection->radsec->store, certificate,
				SSL_get_peer_cert_chain(connection->ssl)) == 1) {
		X509_STORE_CTX_set_default(context,
					   connection->server ? "ssl_client" : "ssl_server");
		X509_STORE_CTX_set_verify_cb(context, SSL_CTX_get_verify_callback(
							      connection->radsec->tls));
		good = X509_verify_cert(context) == 1;
		if (!good)
			snprintf(detail, 160, "its certificate: %s",
				 X509_verify_cert_error_string(
					 X509_STORE_CTX_get_error(context)));
	}
	X509_STORE_CTX_free(context);
	ERR_clear_error();
	return good;
}

bool trust_holds(struct rg_connection *connection, char *detail)
{
	return connection->peer.psk_identity ? key_holds(connection, detail)
					     : certificate_holds(connection, detail);
}

bool connection_recheck(struct rg_connection *connection, struct rg_radsec *radsec)
{
	char detail[160];
	if (radsec != connection->radsec) {
		radsec_unref(&connection->radsec);
		connection->radsec = radsec_ref(radsec);
	}
	if (connection->state != OPEN || trust_holds(connection, detail))
		return connection->state != ENDING;
	connection_end(connection, RG_CONNECTION_DISTRUSTED, detail);
	return false;
}

/* TLS-PSK (RFC 9813). OpenSSL asks these in TLS 1.3 as well, for a key of SHA-256 (RFC 8446 §4.2.11). */
#include <string.h>

#include "radsec/private.h"

static unsigned on_client(SSL *ssl, const char *hint, char *identity, unsigned identity_most,
			  unsigned char *key, unsigned key_most)
{
	struct rg_connection *connection = SSL_get_app_data(ssl);
	size_t length = strlen(connection->psk_identity);
	(void)hint;
	if (!connection->psk || length >= identity_most || connection->psk->length > key_most)
		return 0;
	memcpy(identity, connection->psk_identity, length + 1);
	memcpy(key, connection->psk->data, connection->psk->length);
	return (unsigned)connection->psk->length;
}

/* What would be by certificate is not offered: the key is what both sides know each other by. */
bool psk_offer(struct rg_connection *connection)
{
	SSL_set_psk_client_callback(connection->ssl, on_client);
	return SSL_set_cipher_list(connection->ssl, "ECDHE-PSK-CHACHA20-POLY1305:DHE-PSK-AES128-GCM-SHA256:"
						    "ECDHE-PSK-AES128-CBC-SHA256") &&
	       SSL_set_ciphersuites(connection->ssl, "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256");
}

static unsigned on_server(SSL *ssl, const char *identity, unsigned char *key, unsigned key_most)
{
	struct rg_connection *connection = SSL_get_app_data(ssl);
	size_t length = strlen(identity);
	const struct rg_secret *psk = NULL;
	if (length < sizeof(connection->psk_identity))
		psk = port_psk(connection, identity);
	if (!psk || psk->length > key_most)
		return 0;
	memcpy(connection->psk_identity, identity, length + 1);
	trust_note_key(connection, psk);
	memcpy(key, psk->data, psk->length);
	return (unsigned)psk->length;
}

void psk_serve(struct rg_connection *connection)
{
	/* A key of TLS 1.3 is a session to OpenSSL, which has a context where clients are verified. */
	SSL_set_session_id_context(connection->ssl, (const unsigned char *)"radsec", 6);
	SSL_set_psk_server_callback(connection->ssl, on_server);
}

bool psk_was_used(const SSL *ssl)
{
	if (SSL_version(ssl) == TLS1_3_VERSION)
		return SSL_session_reused(ssl); /* we resume nothing, so that it can only be this */
	const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
	return cipher && SSL_CIPHER_get_auth_nid(cipher) == NID_auth_psk;
}

/* TLS-PSK (RFC 9813). OpenSSL asks these in TLS 1.3 as well, for a key of SHA-256 (RFC 8446 §4.2.11). */
#include <string.h>

#include "radsec/private.h"

static unsigned on_client(SSL *ssl, const char *hint, char *identity, unsigned identity_most,
			  unsigned char *key, unsigned key_most)
{
	struct rg_connection *connection = SSL_get_app_data(ssl);
	size_t length = strlen(connection->psk_identity);
	(void)hint;
	if (length >= identity_most || connection->psk->length > key_most)
		return 0;
	memcpy(identity, connection->psk_identity, length + 1);
	memcpy(key, connection->psk->data, connection->psk->length);
	return (unsigned)connection->psk->length;
}

void psk_offer(struct rg_connection *connection)
{
	SSL_set_psk_client_callback(connection->ssl, on_client);
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
	memcpy(key, psk->data, psk->length);
	return (unsigned)psk->length;
}

void psk_serve(struct rg_connection *connection)
{
	SSL_set_psk_server_callback(connection->ssl, on_server);
}

bool psk_was_used(const SSL *ssl)
{
	if (SSL_version(ssl) == TLS1_3_VERSION)
		return SSL_session_reused(ssl); /* we resume nothing, so that it can only be this */
	const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
	return cipher && SSL_CIPHER_get_auth_nid(cipher) == NID_auth_psk;
}

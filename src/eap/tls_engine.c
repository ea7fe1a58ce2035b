#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include "eap/tls_private.h"
#include "eap/tls_verify.h"
#include "tls/library.h"

/* Loads what the first handshake would otherwise load, before there are threads. */
void tls_engine_open(void)
{
	OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS | OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL);
	(void)tls_verify_open(); /* else it is tried again */
	SSL_CTX *ssl = SSL_CTX_new_ex(tls_library(), NULL, TLS_server_method());
	SSL *warm = ssl ? SSL_new(ssl) : NULL;
	SSL_free(warm);
	SSL_CTX_free(ssl);
}

void tls_engine_close(void)
{
	tls_ocsp_close();
	tls_cache_clear();
}

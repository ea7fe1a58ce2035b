#include "radsec/cookie.h"

#include <netinet/in.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <string.h>

#include "radsec/private.h"

#define LENGTH 32

static uint8_t key[32]; /* of this process */
static bool drawn;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void draw(void)
{
	drawn = RAND_bytes(key, sizeof(key)) == 1;
}

int cookie_make(SSL *ssl, unsigned char *cookie, unsigned *length)
{
	const struct rg_connection *connection = SSL_get_app_data(ssl);
	const union rg_address *address = &connection->peer.address;
	uint8_t source[18] = {0};
	pthread_once(&once, draw);
	if (address->any.sa_family == AF_INET6) {
		memcpy(source, &address->v6.sin6_addr, 16);
		memcpy(source + 16, &address->v6.sin6_port, 2);
	} else {
		memcpy(source, &address->v4.sin_addr, 4);
		memcpy(source + 16, &address->v4.sin_port, 2);
	}
	*length = LENGTH;
	return drawn &&
	       HMAC(EVP_sha256(), key, sizeof(key), source, sizeof(source), cookie, length) != NULL;
}

int cookie_check(SSL *ssl, const unsigned char *cookie, unsigned length)
{
	uint8_t good[EVP_MAX_MD_SIZE];
	unsigned good_length;
	return length == LENGTH && cookie_make(ssl, good, &good_length) &&
	       CRYPTO_memcmp(cookie, good, LENGTH) == 0;
}

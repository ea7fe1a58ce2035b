#include "radsec/cookie.h"

#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "core/once.h"
#include "radsec/private.h"

#define LENGTH	 32
#define PERIOD_NS (60 * RG_SECOND) /* a cookie is good in its own and the next one */

static uint8_t key[32]; /* of this process */
static struct rg_once drawn = RG_ONCE;

static bool draw(void)
{
	return RAND_bytes(key, sizeof(key)) == 1;
}

static bool make(const union rg_address *address, uint64_t period, uint8_t cookie[LENGTH])
{
	uint8_t octets[2 + 2 + 16 + 8];
	struct rg_buffer buffer = buffer_over(octets, sizeof(octets));
	unsigned length = LENGTH;
	bool v6 = address->any.sa_family == AF_INET6;
	buffer_u16(&buffer, address->any.sa_family);
	buffer_u16(&buffer, v6 ? address->v6.sin6_port : address->v4.sin_port);
	buffer_put(&buffer, v6 ? span_of(&address->v6.sin6_addr, 16) : span_of(&address->v4.sin_addr, 4));
	buffer_u32(&buffer, (uint32_t)(period >> 32));
	buffer_u32(&buffer, (uint32_t)period);
	return once_made(&drawn, draw) &&
	       HMAC(EVP_sha256(), key, sizeof(key), octets, buffer.length, cookie, &length);
}

int cookie_make(SSL *ssl, unsigned char *cookie, unsigned *length)
{
	const struct rg_connection *connection = SSL_get_app_data(ssl);
	*length = LENGTH;
	return make(&connection->peer.address, clock_now() / PERIOD_NS, cookie);
}

int cookie_check(SSL *ssl, const unsigned char *cookie, unsigned length)
{
	const struct rg_connection *connection = SSL_get_app_data(ssl);
	uint64_t period = clock_now() / PERIOD_NS;
	uint8_t good[LENGTH];
	for (unsigned i = 0; i < 2 && length == LENGTH; i++)
		if (make(&connection->peer.address, period - i, good) &&
		    secret_equal(cookie, LENGTH, good, LENGTH))
			return 1;
	return 0;
}

#include "core/entropy.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

bool entropy_draw(struct rg_entropy *entropy, void *out, size_t length)
{
	if (length > RG_ENTROPY_POOL)
		return false;
	if (entropy->left < length) {
		if (RAND_bytes(entropy->pool, sizeof(entropy->pool)) != 1)
			return false;
		entropy->left = sizeof(entropy->pool);
	}
	uint8_t *next = entropy->pool + sizeof(entropy->pool) - entropy->left;
	memcpy(out, next, length);
	OPENSSL_cleanse(next, length); /* what was given out is the asker's alone */
	entropy->left -= length;
	return true;
}

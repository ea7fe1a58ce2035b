#include "core/secret.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

struct rg_secret *secret_new(const void *data, size_t length)
{
	struct rg_secret *secret = malloc(sizeof(*secret) + length);
	if (!secret)
		return NULL;
	secret->length = length;
	if (length != 0)
		memcpy(secret->data, data, length);
	return secret;
}

void secret_free(struct rg_secret **secret)
{
	if (!*secret)
		return;
	OPENSSL_cleanse((*secret)->data, (*secret)->length);
	free(*secret);
	*secret = NULL;
}

bool secret_equal(const void *a, size_t a_length, const void *b, size_t b_length)
{
	return a_length == b_length && CRYPTO_memcmp(a, b, a_length) == 0;
}

void secret_wipe(void *data, size_t length)
{
	OPENSSL_cleanse(data, length);
}

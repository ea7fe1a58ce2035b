#include "core/secret.h"

#include <openssl/crypto.h>
#include <string.h>

#include "core/reserve.h"

#define RESERVED ((size_t)64 << 20) /* address space: memory it becomes where it is used */
#define TABLES	 ((size_t)1 << 20)  /* of what is used of it; OpenSSL aborts where there is no memory for them */
#define LEAST    ((size_t)64)
#define LARGE    ((size_t)16384) /* certificates and CRLs, which are read as secrets are, are none */

static bool locked;

bool secret_memory_open(void)
{
	if (!memory_is_there(TABLES))
		return false;
#ifndef __SANITIZE_ADDRESS__ /* which neither sees who writes beyond his room in it, nor what it points to */
	/* 2: that memory is there, and may not be locked. */
	locked = CRYPTO_secure_malloc_init(RESERVED, LEAST) == 1;
#endif
	return true;
}

bool secret_memory_locked(void)
{
	return locked;
}

void *secret_room(size_t size)
{
	void *room = size <= LARGE ? OPENSSL_secure_malloc(size) : NULL;
	return room ? room : OPENSSL_malloc(size);
}

void secret_room_free(void *room, size_t size)
{
	OPENSSL_secure_clear_free(room, size);
}

struct rg_secret *secret_new(const void *data, size_t length)
{
	struct rg_secret *secret = secret_room(sizeof(*secret) + length);
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
	secret_room_free(*secret, sizeof(**secret) + (*secret)->length);
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

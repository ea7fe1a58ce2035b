#include "radius/key.h"

#include <openssl/crypto.h>

#include "core/secret.h"
#include "radius/key_private.h"

#define PASSWORD_MOST 128 /* RFC 2865 §5.2 */
#define MPPE_KEY_MOST 64

/* No other key is without a secret. */
static const struct rg_radius_key none = {.length = 0};

const struct rg_radius_key *radius_key_1_1(void)
{
	return &none;
}

unsigned radius_key_version(const struct rg_radius_key *key)
{
	return key_is_1_1(key) ? RG_RADIUS_1_1 : RG_RADIUS_1_0;
}

struct rg_radius_key *radius_key_new(struct rg_span secret)
{
	if (secret.length == 0)
		return NULL;
	struct rg_radius_key *key = secret_room(sizeof(*key) + secret.length);
	if (!key)
		return NULL;
	*key = none;
	key->length = secret.length;
	memcpy(key->secret, secret.data, secret.length);
	hmac_md5_key(&key->hmac, secret);
	md5_begin(&key->prefix);
	md5_add(&key->prefix, secret);
	return key;
}

struct rg_radius_key *radius_key_copy(const struct rg_radius_key *key)
{
	if (key_is_1_1(key)) {
		struct rg_radius_key *copy = secret_room(sizeof(*copy));
		if (copy)
			*copy = none;
		return copy;
	}
	return radius_key_new(span_of(key->secret, key->length));
}

void radius_key_free(struct rg_radius_key **key)
{
	if (!*key)
		return;
	secret_room_free(*key, sizeof(**key) + (*key)->length);
	*key = NULL;
}

/* The MD5 that hides a block: of the secret and the authenticator (and salt), later of the secret
 * and the block of cipher text before. */
static void hiding_block(uint8_t pad[RG_MD5_LENGTH], const struct rg_radius_key *key,
			 struct rg_span before, struct rg_span salt)
{
	struct rg_md5 md5 = key->prefix;
	md5_add(&md5, before);
	md5_add(&md5, salt);
	md5_end(&md5, pad);
}

/* in and out may be the same; length is a multiple of 16. */
static void hide_blocks(uint8_t *out, const uint8_t *in, size_t length,
			const uint8_t *authenticator, struct rg_span salt, bool reveal,
			const struct rg_radius_key *key)
{
	uint8_t pad[RG_MD5_LENGTH], before[RG_MD5_LENGTH];
	memcpy(before, authenticator, sizeof(before));
	for (size_t at = 0; at < length; at += RG_MD5_LENGTH) {
		hiding_block(pad, key, span_of(before, sizeof(before)),
			     at == 0 ? salt : span_of(NULL, 0));
		if (reveal)
			memcpy(before, in + at, sizeof(before));
		for (size_t i = 0; i < RG_MD5_LENGTH; i++)
			out[at + i] = in[at + i] ^ pad[i];
		if (!reveal)
			memcpy(before, out + at, sizeof(before));
	}
	OPENSSL_cleanse(pad, sizeof(pad));
}

static size_t whole_blocks(size_t length)
{
	return (length + RG_MD5_LENGTH - 1) / RG_MD5_LENGTH * RG_MD5_LENGTH;
}

int password_reveal(uint8_t out[128], struct rg_span hidden, const uint8_t authenticator[16],
		    const struct rg_radius_key *key)
{
	if (hidden.length == 0 || hidden.length > PASSWORD_MOST)
		return -1;
	if (key_is_1_1(key)) {
		memcpy(out, hidden.data, hidden.length);
		return (int)hidden.length;
	}
	if (hidden.length % RG_MD5_LENGTH != 0)
		return -1;
	hide_blocks(out, hidden.data, hidden.length, authenticator, span_of(NULL, 0), true, key);
	size_t length = hidden.length;
	while (length != 0 && out[length - 1] == 0)
		length--;
	return (int)length;
}

int password_hide(uint8_t out[128], struct rg_span clear, const uint8_t authenticator[16],
		  const struct rg_radius_key *key)
{
	if (clear.length > PASSWORD_MOST)
		return -1;
	if (key_is_1_1(key) && clear.length != 0) {
		memcpy(out, clear.data, clear.length);
		return (int)clear.length;
	}
	if (key_is_1_1(key)) { /* RFC 9765 §5.1.1: never empty, though RFC 2865's may be */
		out[0] = 0;
		return 1;
	}
	size_t length = clear.length == 0 ? RG_MD5_LENGTH : whole_blocks(clear.length);
	memset(out, 0, length);
	if (clear.length != 0)
		memcpy(out, clear.data, clear.length);
	hide_blocks(out, out, length, authenticator, span_of(NULL, 0), false, key);
	return (int)length;
}

int mppe_hide(uint8_t *out, size_t capacity, struct rg_span key, uint16_t salt,
	      const uint8_t authenticator[16], const struct rg_radius_key *secret)
{
	size_t length = whole_blocks(1 + key.length);
	struct rg_buffer buffer = buffer_over(out, capacity);
	if (key.length > MPPE_KEY_MOST)
		return -1;
	if (key_is_1_1(secret)) {
		buffer_put(&buffer, key);
		return buffer.failed || key.length == 0 ? -1 : (int)buffer.length;
	}
	buffer_u16(&buffer, salt | 0x8000);
	uint8_t *string = buffer_room(&buffer, length);
	if (!string)
		return -1;
	memset(string, 0, length);
	string[0] = (uint8_t)key.length;
	if (key.length != 0)
		memcpy(string + 1, key.data, key.length);
	hide_blocks(string, string, length, authenticator, span_of(out, 2), false, secret);
	return (int)buffer.length;
}

int mppe_reveal(uint8_t *out, struct rg_span hidden, const uint8_t authenticator[16],
		const struct rg_radius_key *key)
{
	if (key_is_1_1(key)) {
		if (hidden.length == 0 || hidden.length > MPPE_KEY_MOST)
			return -1;
		memcpy(out, hidden.data, hidden.length);
		return (int)hidden.length;
	}
	struct rg_cursor cursor = cursor_over(hidden);
	struct rg_span salt = cursor_take(&cursor, 2);
	struct rg_span string = cursor_rest(&cursor);
	if (cursor.failed || (salt.data[0] & 0x80) == 0)
		return -1;
	if (string.length == 0 || string.length > 240 || string.length % RG_MD5_LENGTH != 0)
		return -1;
	hide_blocks(out, string.data, string.length, authenticator, salt, true, key);
	size_t length = out[0];
	if (length > string.length - 1) {
		OPENSSL_cleanse(out, string.length);
		return -1;
	}
	memmove(out, out + 1, length);
	OPENSSL_cleanse(out + length, string.length - length);
	return (int)length;
}

#include "password.h"

#include <crypt.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "core/secret.h"
#include "core/text.h"

#define STORED_MOST 512u
#define GIVEN_MOST  1024u

#define ROUNDS_MOST 10000000u

enum scheme_kind { SCHEME_PLAIN, SCHEME_SALTED, SCHEME_PBKDF2, SCHEME_CRYPT };

struct scheme {
	const char *prefix;
	enum scheme_kind kind;
	const EVP_MD *(*digest)(void); /* CRYPT: NULL */
};

static const struct scheme schemes[] = {
	{"{SSHA}", SCHEME_SALTED, EVP_sha1},
	{"{SHA}", SCHEME_PLAIN, EVP_sha1},
	{"{SSHA256}", SCHEME_SALTED, EVP_sha256},
	{"{SHA256}", SCHEME_PLAIN, EVP_sha256},
	{"{SSHA512}", SCHEME_SALTED, EVP_sha512},
	{"{SHA512}", SCHEME_PLAIN, EVP_sha512},
	{"{PBKDF2}", SCHEME_PBKDF2, EVP_sha1},
	{"{PBKDF2-SHA1}", SCHEME_PBKDF2, EVP_sha1},
	{"{PBKDF2-SHA256}", SCHEME_PBKDF2, EVP_sha256},
	{"{PBKDF2-SHA512}", SCHEME_PBKDF2, EVP_sha512},
	{"{CRYPT}", SCHEME_CRYPT, NULL},
};

/* Octets of base64, without its padding; 0: it is none. */
static size_t decode(uint8_t out[STORED_MOST], struct rg_span text)
{
	size_t padding = 0;
	if (text.length == 0 || text.length % 4 != 0 || text.length / 4 * 3 > STORED_MOST)
		return 0;
	while (padding < 2 && text.data[text.length - 1 - padding] == '=')
		padding++;
	int length = EVP_DecodeBlock(out, text.data, (int)text.length);
	return length < (int)padding ? 0 : (size_t)length - padding;
}

static enum rg_password verify_digest(const struct scheme *scheme, struct rg_span text,
				      struct rg_span given)
{
	const EVP_MD *digest = scheme->digest();
	uint8_t stored[STORED_MOST], computed[EVP_MAX_MD_SIZE];
	size_t length = decode(stored, text), size = (size_t)EVP_MD_get_size(digest);
	unsigned written = 0;
	if (length < size || (scheme->kind == SCHEME_PLAIN && length != size))
		return RG_PASSWORD_WRONG;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good = context && EVP_DigestInit_ex(context, digest, NULL) &&
		    EVP_DigestUpdate(context, given.data, given.length) &&
		    EVP_DigestUpdate(context, stored + size, length - size) &&
		    EVP_DigestFinal_ex(context, computed, &written);
	EVP_MD_CTX_free(context);
	good = good && secret_equal(computed, written, stored, size);
	secret_wipe(computed, sizeof(computed));
	return good ? RG_PASSWORD_RIGHT : RG_PASSWORD_WRONG;
}

/* Base64 with '.' for '+' and without padding. */
static size_t decode_adapted(uint8_t out[STORED_MOST], struct rg_span text)
{
	char usual[STORED_MOST];
	size_t length = text.length;
	if (length + 3 > sizeof(usual))
		return 0;
	for (size_t i = 0; i < length; i++)
		usual[i] = text.data[i] == '.' ? '+' : (char)text.data[i];
	while (length % 4 != 0)
		usual[length++] = '=';
	return decode(out, span_of(usual, length));
}

/* What stands before the next '$', or at the end. */
static struct rg_span next_field(struct rg_cursor *from)
{
	const uint8_t *dollar = memchr(from->at, '$', cursor_left(from));
	struct rg_span field =
		cursor_take(from, dollar ? (size_t)(dollar - from->at) : cursor_left(from));
	if (dollar)
		cursor_u8(from);
	return field;
}

static unsigned read_rounds(struct rg_span digits)
{
	unsigned rounds = 0;
	for (size_t i = 0; i < digits.length; i++) {
		if (digits.data[i] < '0' || digits.data[i] > '9' || rounds > ROUNDS_MOST / 10)
			return 0;
		rounds = rounds * 10 + (digits.data[i] - '0');
	}
	return rounds;
}

/* ROUNDS$SALT$KEY (RFC 8018 §5.2) */
static enum rg_password verify_pbkdf2(const struct scheme *scheme, struct rg_span text,
				      struct rg_span given)
{
	uint8_t salt[STORED_MOST], stored[STORED_MOST], computed[EVP_MAX_MD_SIZE];
	struct rg_cursor from = cursor_over(text);
	unsigned rounds = read_rounds(next_field(&from));
	size_t salt_length = decode_adapted(salt, next_field(&from));
	size_t length = decode_adapted(stored, next_field(&from));
	if (rounds == 0 || salt_length == 0 || cursor_left(&from) > 0 ||
	    length != (size_t)EVP_MD_get_size(scheme->digest()) || given.length > GIVEN_MOST)
		return RG_PASSWORD_WRONG;
	bool good = PKCS5_PBKDF2_HMAC((const char *)given.data, (int)given.length, salt,
				      (int)salt_length, (int)rounds, scheme->digest(), (int)length,
				      computed) == 1 &&
		    secret_equal(computed, length, stored, length);
	secret_wipe(computed, sizeof(computed));
	return good ? RG_PASSWORD_RIGHT : RG_PASSWORD_WRONG;
}

static enum rg_password verify_crypt(struct rg_span stored, struct rg_span given)
{
	char setting[STORED_MOST], phrase[GIVEN_MOST];
	bool good = false;
	struct crypt_data *data = calloc(1, sizeof(*data));
	if (!data || stored.length >= sizeof(setting) || given.length >= sizeof(phrase) ||
	    memchr(given.data, 0, given.length))
		goto out;
	memcpy(setting, stored.data, stored.length);
	setting[stored.length] = 0;
	memcpy(phrase, given.data, given.length);
	phrase[given.length] = 0;
	const char *result = crypt_r(phrase, setting, data);
	good = result && result[0] != '*' &&
	       secret_equal(result, strlen(result), setting, strlen(setting));
	secret_wipe(phrase, sizeof(phrase));
	secret_wipe(data, sizeof(*data));
out:
	free(data);
	return good ? RG_PASSWORD_RIGHT : RG_PASSWORD_WRONG;
}

static enum rg_password verify_scheme(const struct scheme *scheme, struct rg_span text,
				      struct rg_span given)
{
	switch (scheme->kind) {
	case SCHEME_PLAIN:
	case SCHEME_SALTED:
		return verify_digest(scheme, text, given);
	case SCHEME_PBKDF2:
		return verify_pbkdf2(scheme, text, given);
	case SCHEME_CRYPT:
		return verify_crypt(text, given);
	}
	return RG_PASSWORD_UNKNOWN_SCHEME;
}

bool password_is_clear(struct rg_span stored)
{
	return stored.length > 0 &&
	       !(stored.data[0] == '{' && memchr(stored.data, '}', stored.length));
}

enum rg_password password_verify(struct rg_span stored, struct rg_span given)
{
	/* RFC 4513 §5.1.2: no password is no proof, even where none is stored. */
	if (given.length == 0)
		return RG_PASSWORD_WRONG;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t length = strlen(schemes[i].prefix);
		if (stored.length < length ||
		    !text_equal_nocase(span_of(stored.data, length), span_text(schemes[i].prefix)))
			continue;
		struct rg_span rest = span_of(stored.data + length, stored.length - length);
		return verify_scheme(&schemes[i], rest, given);
	}
	if (stored.length > 0 && !password_is_clear(stored))
		return RG_PASSWORD_UNKNOWN_SCHEME;
	return secret_equal(stored.data, stored.length, given.data, given.length)
		       ? RG_PASSWORD_RIGHT
		       : RG_PASSWORD_WRONG;
}

#include "password.h"

#include <crypt.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "core/secret.h"
#include "core/text.h"

#define STORED_MOST 512u
#define GIVEN_MOST  1024u

struct scheme {
	const char *prefix;
	const EVP_MD *(*digest)(void); /* NULL: crypt(3) */
	bool salted;
};

static const struct scheme schemes[] = {
	{"{SSHA}", EVP_sha1, true},      {"{SHA}", EVP_sha1, false},
	{"{SSHA256}", EVP_sha256, true}, {"{SHA256}", EVP_sha256, false},
	{"{SSHA512}", EVP_sha512, true}, {"{SHA512}", EVP_sha512, false},
	{"{CRYPT}", NULL, false},
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
	if (length < size || (!scheme->salted && length != size))
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
		return schemes[i].digest ? verify_digest(&schemes[i], rest, given)
					 : verify_crypt(rest, given);
	}
	if (stored.length > 0 && stored.data[0] == '{' && memchr(stored.data, '}', stored.length))
		return RG_PASSWORD_UNKNOWN_SCHEME;
	return secret_equal(stored.data, stored.length, given.data, given.length)
		       ? RG_PASSWORD_RIGHT
		       : RG_PASSWORD_WRONG;
}

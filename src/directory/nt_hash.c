#include "directory/nt_hash.h"

#include <openssl/evp.h>
#include <openssl/provider.h>
#include <stdlib.h>

#include "core/reserve.h"
#include "core/secret.h"

#define PROVIDER_ROOM ((size_t)1 << 20)
#define PASSWORD_MOST 256u /* characters; RFC 2759 §8.3: "0-to-256-unicode-char Password" */

struct rg_nt_digests {
	OSSL_LIB_CTX *library;
	OSSL_PROVIDER *legacy;
	EVP_MD *md4;
	EVP_CIPHER *des;
};

static struct rg_nt_digests *digests_make(void)
{
	/* OpenSSL 3.0 frees what it has not made where a provider's own context has no memory. */
	struct rg_nt_digests *digests = memory_is_there(PROVIDER_ROOM) ? calloc(1, sizeof(*digests)) : NULL;
	if (!digests)
		return NULL;
	digests->library = OSSL_LIB_CTX_new();
	if (digests->library)
		digests->legacy = OSSL_PROVIDER_load(digests->library, "legacy");
	if (digests->legacy) {
		digests->md4 = EVP_MD_fetch(digests->library, "MD4", NULL);
		digests->des = EVP_CIPHER_fetch(digests->library, "DES-ECB", NULL);
	}
	if (!digests->md4 || !digests->des)
		nt_digests_free(&digests);
	return digests;
}

/* What fails for want of memory does not always say so, and would be taken for a provider that is missing for as
 * long as the directory lasts. */
struct rg_nt_digests *nt_digests_new(void)
{
	struct rg_nt_digests *digests = digests_make();
	return digests ? digests : digests_make();
}

void nt_digests_free(struct rg_nt_digests **freed)
{
	struct rg_nt_digests *digests = *freed;
	*freed = NULL;
	if (!digests)
		return;
	EVP_MD_free(digests->md4);
	EVP_CIPHER_free(digests->des);
	if (digests->legacy)
		OSSL_PROVIDER_unload(digests->legacy);
	OSSL_LIB_CTX_free(digests->library);
	free(digests);
}

/* One character of UTF-8 (RFC 3629 §4: shortest form, no surrogates). */
static bool read_character(struct rg_cursor *from, uint32_t *character)
{
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
	uint8_t lead = cursor_u8(from);
	unsigned more = lead < 0x80 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
	if ((lead >= 0x80 && lead < 0xc0) || lead >= 0xf8)
		return false;
	*character = more ? lead & (0x3fu >> more) : lead;
	for (unsigned i = 0; i < more; i++) {
		uint8_t octet = cursor_u8(from);
		if ((octet & 0xc0) != 0x80)
			return false;
		*character = *character << 6 | (octet & 0x3fu);
	}
	return !from->failed && *character >= least[more] && *character < 0x110000 &&
	       (*character & 0xfffff800u) != 0xd800;
}

static void write_unit(struct rg_buffer *to, uint32_t unit)
{
	buffer_u8(to, (uint8_t)unit);
	buffer_u8(to, (uint8_t)(unit >> 8));
}

/* UTF-16, the lower octet of each unit first. */
static bool write_password(struct rg_buffer *to, struct rg_span password)
{
	struct rg_cursor from = cursor_over(password);
	while (cursor_left(&from) > 0) {
		uint32_t character = 0;
		bool good = read_character(&from, &character);
		if (good && character >= 0x10000) {
			write_unit(to, 0xd800 + ((character - 0x10000) >> 10));
			character = 0xdc00 + (character & 0x3ff);
		}
		if (good)
			write_unit(to, character);
		secret_wipe(&character, sizeof(character));
		if (!good || to->failed)
			return false;
	}
	return true;
}

static bool hash_octets(const struct rg_nt_digests *digests, struct rg_span octets,
			uint8_t hash[RG_NT_HASH])
{
	return EVP_Digest(octets.data, octets.length, hash, NULL, digests->md4, NULL) == 1;
}

bool nt_hash_make(const struct rg_nt_digests *digests, struct rg_span password,
		  uint8_t hash[RG_NT_HASH])
{
	uint8_t units[2 * PASSWORD_MOST];
	struct rg_buffer to = buffer_over(units, sizeof(units));
	bool good = write_password(&to, password) && hash_octets(digests, buffer_span(&to), hash);
	secret_wipe(units, sizeof(units));
	return good;
}

static int digit_value(uint8_t digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	digit |= 0x20;
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

bool nt_hash_read(struct rg_span value, uint8_t hash[RG_NT_HASH])
{
	struct rg_cursor from = cursor_over(value);
	if (value.length == RG_NT_HASH) {
		memcpy(hash, value.data, RG_NT_HASH);
		return true;
	}
	if (value.length != (size_t)2 * RG_NT_HASH)
		return false;
	for (size_t i = 0; i < RG_NT_HASH; i++) {
		int high = digit_value(cursor_u8(&from)), low = digit_value(cursor_u8(&from));
		if (high < 0 || low < 0)
			return false;
		hash[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* DesEncrypt (§8.6): the 56 bits of seven octets, spread over eight whose lowest bits are parity,
 * which DES ignores. */
static bool encrypt(const struct rg_nt_digests *digests, const uint8_t challenge[8],
		    const uint8_t seven[7], uint8_t out[8])
{
	uint8_t key[8], block[16];
	int length = 0;
	uint64_t bits = 0;
	for (size_t i = 0; i < 7; i++)
		bits = bits << 8 | seven[i];
	for (size_t i = 0; i < 8; i++)
		key[i] = (uint8_t)(bits >> (49 - 7 * i) << 1);
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	bool good = context && EVP_EncryptInit_ex2(context, digests->des, key, NULL, NULL) == 1 &&
		    EVP_CIPHER_CTX_set_padding(context, 0) == 1 &&
		    EVP_EncryptUpdate(context, block, &length, challenge, 8) == 1 && length == 8;
	if (good)
		memcpy(out, block, 8);
	EVP_CIPHER_CTX_free(context);
	secret_wipe(key, sizeof(key));
	secret_wipe(block, sizeof(block));
	secret_wipe(&bits, sizeof(bits));
	return good;
}

bool nt_response_make(const struct rg_nt_digests *digests, const uint8_t challenge[8],
		      const uint8_t hash[RG_NT_HASH], uint8_t response[24])
{
	uint8_t padded[21] = {0}; /* §8.5: "zero-padded to 21 octets" */
	bool good = true;
	memcpy(padded, hash, RG_NT_HASH);
	for (size_t i = 0; i < 3; i++)
		good = good && encrypt(digests, challenge, padded + 7 * i, response + 8 * i);
	secret_wipe(padded, sizeof(padded));
	return good;
}

enum rg_outcome nt_hash_verify(const struct rg_nt_digests *digests, const uint8_t hash[RG_NT_HASH],
			       struct rg_question *question)
{
	uint8_t response[24];
	enum rg_outcome outcome = RG_OUTCOME_UNAVAILABLE;
	if (!nt_response_make(digests, question->challenge, hash, response))
		goto out;
	if (!secret_equal(response, sizeof(response), question->nt_response,
			  sizeof(question->nt_response)))
		outcome = RG_OUTCOME_WRONG_SECRET;
	else if (hash_octets(digests, span_of(hash, RG_NT_HASH), question->hash_hash))
		outcome = RG_OUTCOME_FOUND;
out:
	secret_wipe(response, sizeof(response));
	return outcome;
}

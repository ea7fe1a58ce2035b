/* OpenSSL's plain MD5_CTX, deprecated as it is: a state of EVP_MD_CTX lives on the heap and copying
 * one allocates, and a packet on its way must not. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "radius/md5.h"

#include <openssl/crypto.h>
#include <openssl/md5.h>

_Static_assert(sizeof(MD5_CTX) <= sizeof(struct rg_md5), "struct rg_md5 holds an MD5_CTX");
_Static_assert(_Alignof(MD5_CTX) <= _Alignof(struct rg_md5), "struct rg_md5 holds an MD5_CTX");

static MD5_CTX *state(struct rg_md5 *md5)
{
	return (MD5_CTX *)(void *)md5;
}

void md5_begin(struct rg_md5 *md5)
{
	MD5_Init(state(md5));
}

void md5_add(struct rg_md5 *md5, struct rg_span span)
{
	if (span.length != 0)
		MD5_Update(state(md5), span.data, span.length);
}

void md5_end(struct rg_md5 *md5, uint8_t digest[RG_MD5_LENGTH])
{
	MD5_Final(digest, state(md5));
	OPENSSL_cleanse(md5, sizeof(*md5));
}

uint64_t md5_words(const struct rg_md5 *md5, uint32_t words[4])
{
	static const uint32_t begun[4] = {0x67452301, 0xefcdab89, 0x98badcfe,
					  0x10325476}; /* RFC 1321 §3.3 */
	const MD5_CTX *context = (const MD5_CTX *)(const void *)md5;
	if (!context) {
		memcpy(words, begun, sizeof(begun));
		return 0;
	}
	words[0] = context->A;
	words[1] = context->B;
	words[2] = context->C;
	words[3] = context->D;
	return ((uint64_t)context->Nh << 32 | context->Nl) / 8;
}

void hmac_md5_key(struct rg_hmac_md5 *hmac, struct rg_span key)
{
	uint8_t pad[MD5_CBLOCK] = {0};
	if (key.length > sizeof(pad)) {
		struct rg_md5 md5;
		md5_begin(&md5);
		md5_add(&md5, key);
		md5_end(&md5, pad);
	} else if (key.length != 0) {
		memcpy(pad, key.data, key.length);
	}
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36;
	md5_begin(&hmac->inner);
	md5_add(&hmac->inner, span_of(pad, sizeof(pad)));
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36 ^ 0x5c;
	md5_begin(&hmac->outer);
	md5_add(&hmac->outer, span_of(pad, sizeof(pad)));
	OPENSSL_cleanse(pad, sizeof(pad));
}

void hmac_md5_end(const struct rg_hmac_md5 *key, struct rg_md5 *inner,
		  uint8_t digest[RG_MD5_LENGTH])
{
	struct rg_md5 outer = key->outer;
	md5_end(inner, digest);
	md5_add(&outer, span_of(digest, RG_MD5_LENGTH));
	md5_end(&outer, digest);
}

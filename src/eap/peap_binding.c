#include "eap/peap_binding.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "core/secret.h"

#define TLV_CRYPTOBINDING 12
#define PEAP_VERSION      0 /* PEAPv0 */
#define MAC               20
#define PEAP              25 /* the EAP type, which the MAC covers as well */

static bool hmac_sha1(struct rg_span key, struct rg_span data, uint8_t out[MAC])
{
	unsigned length = MAC;
	return HMAC(EVP_sha1(), key.data, (int)key.length, data.data, data.length, out, &length);
}

/* PRF+ (§3.1.5.5.2.2): T1 = HMAC-SHA1(K, S | 0x01 | 0x00 | 0x00), Tn = HMAC-SHA1(K, Tn-1 | S | n |
 * …). */
static bool prf_plus(struct rg_span key, const char *label, struct rg_span seed, uint8_t *out,
		     size_t length)
{
	uint8_t memory[MAC + 128], block[MAC];
	bool good = true;
	size_t done = 0;
	for (uint8_t n = 1; good && done < length; n++) {
		struct rg_buffer text = buffer_over(memory, sizeof(memory));
		if (n > 1)
			buffer_put(&text, span_of(block, MAC));
		buffer_put(&text, span_text(label));
		buffer_put(&text, seed);
		buffer_u8(&text, n);
		buffer_u16(&text, 0);
		good = !text.failed && hmac_sha1(key, buffer_span(&text), block);
		size_t piece = length - done < MAC ? length - done : MAC;
		if (good)
			memcpy(out + done, block, piece);
		done += piece;
	}
	secret_wipe(memory, sizeof(memory));
	secret_wipe(block, sizeof(block));
	return good;
}

bool binding_make(struct rg_peap_binding *binding, const uint8_t material[128], const uint8_t *isk)
{
	uint8_t both[60];
	bool good = RAND_bytes(binding->nonce, sizeof(binding->nonce)) == 1;
	/* The tunnel key is the first 60 octets of what TLS gives. */
	if (isk)
		good = good && prf_plus(span_of(material, 40), "Inner Methods Compound Keys",
					span_of(isk, RG_BINDING_ISK), both, sizeof(both));
	else
		memcpy(both, material, sizeof(both));
	if (good) {
		memcpy(binding->ipmk, both, sizeof(binding->ipmk));
		memcpy(binding->cmk, both + sizeof(binding->ipmk), sizeof(binding->cmk));
	}
	secret_wipe(both, sizeof(both));
	return good;
}

static void header_write(struct rg_buffer *out, enum rg_binding_subtype subtype,
			 const uint8_t *nonce)
{
	buffer_u16(out, TLV_CRYPTOBINDING);
	buffer_u16(out, RG_BINDING_TLV - 4);
	buffer_u8(out, 0);
	buffer_u8(out, PEAP_VERSION);
	buffer_u8(out, PEAP_VERSION);
	buffer_u8(out, (uint8_t)subtype);
	buffer_put(out, span_of(nonce, RG_BINDING_NONCE));
}

/* Compound_MAC: over the TLV with zeros in its own place, and the EAP type. */
static bool mac_make(const struct rg_peap_binding *binding, enum rg_binding_subtype subtype,
		     uint8_t mac[MAC])
{
	static const uint8_t zeros[MAC];
	uint8_t memory[RG_BINDING_TLV + 1];
	struct rg_buffer text = buffer_over(memory, sizeof(memory));
	header_write(&text, subtype, binding->nonce);
	buffer_put(&text, span_of(zeros, MAC));
	buffer_u8(&text, PEAP);
	return !text.failed &&
	       hmac_sha1(span_of(binding->cmk, sizeof(binding->cmk)), buffer_span(&text), mac);
}

bool binding_write(const struct rg_peap_binding *binding, enum rg_binding_subtype subtype,
		   struct rg_buffer *out)
{
	uint8_t mac[MAC];
	if (!mac_make(binding, subtype, mac))
		return false;
	header_write(out, subtype, binding->nonce);
	buffer_put(out, span_of(mac, MAC));
	return !out->failed;
}

bool binding_fits(const struct rg_peap_binding *binding, enum rg_binding_subtype subtype,
		  struct rg_span value)
{
	uint8_t mac[MAC];
	struct rg_cursor cursor = cursor_over(value);
	cursor_u8(&cursor); /* reserved */
	uint8_t version = cursor_u8(&cursor), received = cursor_u8(&cursor);
	uint8_t given_subtype = cursor_u8(&cursor);
	struct rg_span nonce = cursor_take(&cursor, RG_BINDING_NONCE);
	struct rg_span given = cursor_take(&cursor, MAC);
	if (cursor.failed || cursor_left(&cursor) != 0 || version != PEAP_VERSION ||
	    received != PEAP_VERSION || given_subtype != subtype)
		return false;
	return secret_equal(nonce.data, nonce.length, binding->nonce, RG_BINDING_NONCE) &&
	       mac_make(binding, subtype, mac) && secret_equal(given.data, given.length, mac, MAC);
}

bool binding_msk(const struct rg_peap_binding *binding, uint8_t msk[64])
{
	/* The seed is the NUL that ends the label; PRF+ makes 128 octets, the MSK is their first
	 * half. */
	uint8_t csk[128];
	bool good = prf_plus(span_of(binding->ipmk, sizeof(binding->ipmk)),
			     "Session Key Generating Function", span_of("", 1), csk, sizeof(csk));
	if (good)
		memcpy(msk, csk, 64);
	secret_wipe(csk, sizeof(csk));
	return good;
}

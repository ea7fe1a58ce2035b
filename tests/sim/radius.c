/* RADIUS as others write and read it (RFC 2865, RFC 2548, RFC 3579). It shares no code with the
 * gateway's, so that a mistake there is not forgiven here. */
#include <openssl/evp.h>

#include "sim.h"

#define MESSAGE_AUTHENTICATOR 80

static void md5(uint8_t out[16], const struct iovec *parts, unsigned count)
{
	static EVP_MD *digest;
	static EVP_MD_CTX *ctx;
	if (!ctx) {
		digest = EVP_MD_fetch(NULL, "MD5", NULL);
		ctx = EVP_MD_CTX_new();
	}
	must(digest && ctx && EVP_DigestInit_ex(ctx, digest, NULL));
	for (unsigned i = 0; i < count; i++)
		EVP_DigestUpdate(ctx, parts[i].iov_base, parts[i].iov_len);
	EVP_DigestFinal_ex(ctx, out, NULL);
}

static struct iovec part(const void *octets, size_t length)
{
	return (struct iovec){(void *)(uintptr_t)octets, length};
}

/* RFC 2104, over the packet with that authenticator in its place. */
static void hmac(uint8_t out[16], const char *secret, const uint8_t *packet, size_t length,
		 const uint8_t authenticator[16])
{
	uint8_t inner[64] = {0}, outer[64] = {0}, digest[16];
	memcpy(inner, secret, strlen(secret));
	memcpy(outer, secret, strlen(secret));
	for (unsigned i = 0; i < 64; i++) {
		inner[i] ^= 0x36;
		outer[i] ^= 0x5c;
	}
	md5(digest,
	    (struct iovec[]){part(inner, 64), part(packet, 4), part(authenticator, 16),
			     part(packet + 20, length - 20)},
	    4);
	md5(out, (struct iovec[]){part(outer, 64), part(digest, 16)}, 2);
}

static void set_length(struct pdu *pdu)
{
	pdu->bytes[2] = (uint8_t)(pdu->length >> 8);
	pdu->bytes[3] = (uint8_t)pdu->length;
}

void pdu_begin(struct pdu *pdu, uint8_t code, uint8_t id, const uint8_t authenticator[16],
	       bool sign)
{
	static const uint8_t zeros[16];
	pdu->length = 20;
	pdu->bytes[0] = code;
	pdu->bytes[1] = id;
	memcpy(pdu->bytes + 4, authenticator, 16);
	if (sign)
		pdu_add(pdu, MESSAGE_AUTHENTICATOR, zeros, sizeof(zeros));
	set_length(pdu);
}

void pdu_add(struct pdu *pdu, uint8_t type, const void *value, size_t length)
{
	must(length <= 253 && pdu->length + 2 + length <= sizeof(pdu->bytes));
	pdu->bytes[pdu->length] = type;
	pdu->bytes[pdu->length + 1] = (uint8_t)(length + 2);
	memcpy(pdu->bytes + pdu->length + 2, value, length);
	pdu->length += 2 + length;
	set_length(pdu);
}

void pdu_add_text(struct pdu *pdu, uint8_t type, const char *text)
{
	pdu_add(pdu, type, text, strlen(text));
}

void pdu_add_eap(struct pdu *pdu, const void *eap, size_t length)
{
	const uint8_t *octets = eap;
	for (size_t at = 0; at < length; at += 253)
		pdu_add(pdu, RG_EAP_MESSAGE, octets + at, length - at < 253 ? length - at : 253);
}

/* RFC 2865 §5.2 and RFC 2548 §2.4.2 hide alike: MD5 of the secret and what came before. */
static void hide(uint8_t *blocks, size_t length, const char *secret, const void *first,
		 size_t first_length, bool reveal)
{
	uint8_t pad[16], before[16];
	for (size_t at = 0; at < length; at += 16) {
		md5(pad,
		    (struct iovec[]){part(secret, strlen(secret)),
				     at == 0 ? part(first, first_length) : part(before, 16)},
		    2);
		if (reveal)
			memcpy(before, blocks + at, 16);
		for (unsigned i = 0; i < 16; i++)
			blocks[at + i] ^= pad[i];
		if (!reveal)
			memcpy(before, blocks + at, 16);
	}
}

void pdu_add_password(struct pdu *pdu, const char *password, const char *secret)
{
	uint8_t blocks[128] = {0};
	size_t length = (strlen(password) + 15) / 16 * 16;
	memcpy(blocks, password, strlen(password));
	hide(blocks, length, secret, pdu->bytes + 4, 16, false);
	pdu_add(pdu, RG_USER_PASSWORD, blocks, length);
}

static void add_key(struct pdu *pdu, uint8_t type, const uint8_t key[32], uint16_t salt,
		    const uint8_t authenticator[16], const char *secret)
{
	/* Vendor, sub-attribute, salt, and the key with its length before it. */
	uint8_t value[4 + 2 + 2 + 48] = {0, 0, 1, 55, type, 2 + 2 + 48}, first[18];
	value[6] = (uint8_t)(salt >> 8 | 0x80);
	value[7] = (uint8_t)salt;
	value[8] = 32;
	memcpy(value + 9, key, 32);
	memcpy(first, authenticator, 16);
	memcpy(first + 16, value + 6, 2);
	hide(value + 8, 48, secret, first, sizeof(first), false);
	pdu_add(pdu, RG_VENDOR_SPECIFIC, value, sizeof(value));
}

void pdu_add_keys(struct pdu *pdu, const uint8_t msk[64], const uint8_t authenticator[16],
		  const char *secret)
{
	uint16_t salt = (uint16_t)chance_draw(&world.peer);
	add_key(pdu, 17, msk, salt, authenticator, secret);
	add_key(pdu, 16, msk + 32, salt ^ 1, authenticator, secret);
}

void pdu_sign_request(struct pdu *pdu, const char *secret)
{
	if (pdu->bytes[20] == MESSAGE_AUTHENTICATOR)
		hmac(pdu->bytes + 22, secret, pdu->bytes, pdu->length, pdu->bytes + 4);
}

static void sign(struct pdu *pdu, const uint8_t authenticator[16], const char *secret)
{
	md5(pdu->bytes + 4,
	    (struct iovec[]){part(pdu->bytes, 4), part(authenticator, 16),
			     part(pdu->bytes + 20, pdu->length - 20), part(secret, strlen(secret))},
	    4);
}

void pdu_sign_accounting(struct pdu *pdu, const char *secret)
{
	static const uint8_t zeros[16];
	sign(pdu, zeros, secret);
}

bool pdu_accounting_is_genuine(const uint8_t *packet, size_t length, const char *secret)
{
	struct pdu copy = {.length = length};
	memcpy(copy.bytes, packet, length);
	pdu_sign_accounting(&copy, secret);
	return memcmp(copy.bytes, packet, 20) == 0;
}

void pdu_sign_reply(struct pdu *pdu, const uint8_t authenticator[16], const char *secret)
{
	if (pdu->length > 20 && pdu->bytes[20] == MESSAGE_AUTHENTICATOR)
		hmac(pdu->bytes + 22, secret, pdu->bytes, pdu->length, authenticator);
	sign(pdu, authenticator, secret);
}

/* Reading. */

bool pdu_whole(const uint8_t *packet, size_t length)
{
	if (length < 20 || length > RG_RADIUS_MOST ||
	    (size_t)(packet[2] << 8 | packet[3]) != length)
		return false;
	for (size_t at = 20; at < length; at += packet[at + 1])
		if (length - at < 2 || packet[at + 1] < 2 || packet[at + 1] > length - at)
			return false;
	return true;
}

const uint8_t *pdu_find(const uint8_t *packet, size_t length, uint8_t type, unsigned nth,
			size_t *value_length)
{
	for (size_t at = 20; at < length; at += packet[at + 1]) {
		if (packet[at] != type || nth-- != 0)
			continue;
		*value_length = packet[at + 1] - 2u;
		return packet + at + 2;
	}
	return NULL;
}

unsigned pdu_count(const uint8_t *packet, size_t length, uint8_t type)
{
	unsigned count = 0;
	for (size_t at = 20; at < length; at += packet[at + 1])
		count += packet[at] == type;
	return count;
}

size_t pdu_eap(const uint8_t *packet, size_t length, uint8_t out[RG_RADIUS_MOST])
{
	size_t total = 0, piece;
	const uint8_t *value;
	for (unsigned nth = 0; (value = pdu_find(packet, length, RG_EAP_MESSAGE, nth, &piece));
	     nth++) {
		memcpy(out + total, value, piece);
		total += piece;
	}
	return total;
}

static enum signature message_authenticator(const uint8_t *packet, size_t length,
					    const uint8_t authenticator[16], const char *secret)
{
	uint8_t copy[RG_RADIUS_MOST], digest[16];
	size_t value_length;
	const uint8_t *value = pdu_find(packet, length, MESSAGE_AUTHENTICATOR, 0, &value_length);
	if (!value)
		return UNSIGNED;
	if (value_length != 16)
		return WRONG;
	memcpy(copy, packet, length);
	memset(copy + (value - packet), 0, 16);
	hmac(digest, secret, copy, length, authenticator);
	return memcmp(digest, value, 16) == 0 ? SIGNED : WRONG;
}

enum signature pdu_request_signature(const uint8_t *packet, size_t length, const char *secret)
{
	return message_authenticator(packet, length, packet + 4, secret);
}

enum signature pdu_reply_signature(const uint8_t *packet, size_t length,
				   const uint8_t authenticator[16], const char *secret)
{
	uint8_t digest[16];
	md5(digest,
	    (struct iovec[]){part(packet, 4), part(authenticator, 16),
			     part(packet + 20, length - 20), part(secret, strlen(secret))},
	    4);
	return memcmp(digest, packet + 4, 16) == 0
		       ? message_authenticator(packet, length, authenticator, secret)
		       : WRONG;
}

bool pdu_keys(const uint8_t *packet, size_t length, const uint8_t authenticator[16],
	      const char *secret, uint8_t msk[64])
{
	unsigned found = 0;
	size_t value_length;
	const uint8_t *value;
	for (unsigned nth = 0;
	     (value = pdu_find(packet, length, RG_VENDOR_SPECIFIC, nth, &value_length)); nth++) {
		uint8_t blocks[48], first[18];
		if (value_length != 56 || memcmp(value, "\0\0\1\67", 4) != 0 || value[5] != 52)
			continue;
		memcpy(first, authenticator, 16);
		memcpy(first + 16, value + 6, 2);
		memcpy(blocks, value + 8, 48);
		hide(blocks, 48, secret, first, 18, true);
		if (blocks[0] != 32 || (value[4] != 16 && value[4] != 17))
			return false;
		memcpy(msk + (value[4] == 17 ? 0 : 32), blocks + 1, 32);
		found |= value[4] == 17 ? 1 : 2;
	}
	return found == 3;
}

bool pdu_password(const uint8_t *packet, size_t length, const char *secret, char out[129])
{
	size_t value_length;
	const uint8_t *value = pdu_find(packet, length, RG_USER_PASSWORD, 0, &value_length);
	if (!value || value_length == 0 || value_length % 16 != 0 || value_length > 128)
		return false;
	memcpy(out, value, value_length);
	out[value_length] = '\0';
	hide((uint8_t *)out, value_length, secret, packet + 4, 16, true);
	return true;
}

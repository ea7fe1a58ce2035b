/* What supplicants answer, each in its manner. */
#include <openssl/sha.h>
#include <string.h>

#include "sim.h"

static void digest(const void *a, size_t a_length, const void *b, size_t b_length, const void *c,
		   size_t c_length, uint8_t out[32])
{
	uint8_t text[128];
	must(a_length + b_length + c_length <= sizeof(text));
	memcpy(text, a, a_length);
	memcpy(text + a_length, b, b_length);
	memcpy(text + a_length + b_length, c, c_length);
	SHA256(text, a_length + b_length + c_length, out);
}

void laptop_msk(struct signin *signin, const uint8_t server_nonce[8], uint8_t msk[64])
{
	digest("left", 4, signin->secret, 16, server_nonce, 8, msk);
	digest("right", 5, signin->secret, 16, server_nonce, 8, msk + 32);
}

void laptop_tag(const struct signin *signin, const uint8_t server_nonce[8], uint8_t tag[16])
{
	uint8_t whole[32];
	digest("tag", 3, signin->secret, 16, server_nonce, 8, whole);
	memcpy(tag, whole, 16);
}

static void put(struct signin *signin, const void *octets, size_t length)
{
	must(signin->eap_length + length <= sizeof(signin->eap));
	memcpy(signin->eap + signin->eap_length, octets, length);
	signin->eap_length += length;
}

static void put_u8(struct signin *signin, unsigned value)
{
	uint8_t octet = (uint8_t)value;
	put(signin, &octet, 1);
}

static void response_begin(struct signin *signin, uint8_t id, uint8_t type)
{
	signin->eap_length = 0;
	put(signin, (const uint8_t[]){2, id, 0, 0, type}, 5);
}

static bool response_end(struct signin *signin)
{
	signin->eap[2] = (uint8_t)(signin->eap_length >> 8);
	signin->eap[3] = (uint8_t)signin->eap_length;
	return true;
}

static bool identity_response(struct signin *signin, uint8_t id)
{
	response_begin(signin, id, 1);
	put(signin, signin->user, strlen(signin->user));
	return response_end(signin);
}

bool laptop_begin(struct signin *signin)
{
	if (!signin->eap_start)
		return identity_response(signin, (uint8_t)chance_draw(&world.nas));
	signin->eap_length = 0; /* the NAS asks for a question (RFC 3579 §2.1) */
	return true;
}

static void put_nonce(struct signin *signin)
{
	for (unsigned i = 8; i-- != 0;)
		put_u8(signin, (unsigned)(signin->nonce >> 8 * i) & 0xff);
}

static void put_filling(struct signin *signin)
{
	uint8_t filling[1200];
	size_t length = chance_below(&world.nas, sizeof(filling));
	memset(filling, 'f', length);
	put(signin, filling, length);
}

static bool round_response(struct signin *signin, uint8_t id, uint8_t type, unsigned round)
{
	response_begin(signin, id, type);
	put_u8(signin, 1);
	put_u8(signin, round);
	put_nonce(signin);
	put_filling(signin);
	return response_end(signin);
}

static bool proof_response(struct signin *signin, uint8_t id, const uint8_t *server_nonce)
{
	uint8_t tag[16];
	laptop_tag(signin, server_nonce, tag);
	if (signin->manner == WRONG_PROOF)
		tag[chance_below(&world.nas, 16)] ^= 1;
	laptop_msk(signin, server_nonce, signin->msk);
	response_begin(signin, id, TOY_TYPE);
	put_u8(signin, 2);
	put_nonce(signin);
	put(signin, tag, sizeof(tag));
	put(signin, signin->person, strlen(signin->person));
	return response_end(signin);
}

static bool password_response(struct signin *signin, uint8_t id, const uint8_t *server_nonce)
{
	char password[24];
	memcpy(password, signin->password, sizeof(password));
	if (signin->manner == WRONG_PROOF || signin->wrong_password_first)
		password[3] = 'X';
	signin->wrong_password_first = false;
	if (server_nonce)
		laptop_msk(signin, server_nonce, signin->msk);
	response_begin(signin, id, TOYASK_TYPE);
	put_u8(signin, 3);
	put_nonce(signin);
	put_u8(signin, (unsigned)strlen(password));
	put(signin, password, strlen(password));
	put(signin, signin->person, strlen(signin->person));
	return response_end(signin);
}

/* Anything but what was asked for. */
static bool babble(struct signin *signin, uint8_t id, uint8_t type)
{
	switch (chance_below(&world.nas, 6)) {
	case 0: /* a length that is not its own */
		response_begin(signin, id, type);
		put_filling(signin);
		response_end(signin);
		signin->eap[3] ^= 4;
		return true;
	case 1: /* wants a method that nobody has */
		response_begin(signin, id, 3);
		put_u8(signin, 99);
		return response_end(signin);
	case 2: /* another method */
		response_begin(signin, id, 13);
		put_filling(signin);
		return response_end(signin);
	case 3: /* an Identifier of its own */
		response_begin(signin, (uint8_t)(id + 3), type);
		put_filling(signin);
		return response_end(signin);
	case 4: /* a Request */
		response_begin(signin, id, type);
		signin->eap[0] = 1;
		return response_end(signin);
	default:
		response_begin(signin, id, type);
		put_filling(signin);
		return response_end(signin);
	}
}

bool laptop_answer(struct signin *signin, const uint8_t *eap, size_t length)
{
	if (length < 5 || eap[0] != 1 || (size_t)(eap[2] << 8 | eap[3]) != length)
		broken("p%u: a Challenge without an EAP-Request", signin->number);
	uint8_t id = eap[1], type = eap[4];
	if (signin->manner == ABANDONS && signin->dropout-- == 0)
		return false;
	if (type == 1)
		return identity_response(signin, id);
	if (length < 6)
		broken("p%u: an empty Request", signin->number);
	if (signin->manner == BABBLER && chance_permille(&world.nas, 500))
		return babble(signin, id, type);
	uint8_t wanted = signin->kind == HOME_ASK ? TOYASK_TYPE : TOY_TYPE;
	if (type != wanted) { /* RFC 3748 §5.3.1 */
		response_begin(signin, id, 3);
		put_u8(signin, wanted);
		return response_end(signin);
	}
	if (eap[5] == 4)
		return password_response(signin, id, NULL);
	if (eap[5] != 1 || length < 5 + 3 + 8)
		broken("p%u: a Request of the toy that it never makes", signin->number);
	if (eap[6] < eap[7])
		return round_response(signin, id, type, eap[6]);
	return type == TOY_TYPE ? proof_response(signin, id, eap + 8)
				: password_response(signin, id, eap + 8);
}

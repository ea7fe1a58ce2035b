/* FreeRADIUS as the referee: what one accepts the other accepts, and both see the same.
 *
 * Where the two differ on purpose, besides what referee_view.h names:
 * - Accounting-Request whose authenticator is all zeros: FreeRADIUS takes it unsigned, for clients
 * older than RFC 2866; we do not.
 * - Message-Authenticator of an Accounting-Response: FreeRADIUS computes it over zeros unless it
 * answers Status-Server; we take either.
 * - A password with a NUL inside: FreeRADIUS ends it there; we give it whole.
 * - MPPE keys: FreeRADIUS takes a salt without its first bit and cut blocks; we take neither (W6).
 */
#include "radius/shim/libradius.h"

#include <arpa/inet.h>

#include "radius/dictionary.h"
#include "radius/key.h"
#include "radius/writer.h"
#include "referee_view.h"
#include "support.h"

#define PACKETS         100000
#define SIGNED          3000
#define SECRET_MOST     100

static int setup(void **state)
{
	const char *why = "";
	(void)state;
	fr_max_attributes = RG_ATTRIBUTES_MOST;
	if (dictionary_open(NULL, &why))
		return 0;
	print_error("%s\n", why);
	return -1;
}

static int teardown(void **state)
{
	(void)state;
	dictionary_close();
	return 0;
}

/* Some random attribute, with a liking for those that have rules of their own. */
static void add_attribute(uint64_t *seed, struct rg_buffer *out)
{
	static const uint8_t liked[] = {1,  2,  3,  4,  24, 26, 26, 26,
					26, 27, 33, 64, 79, 80, 81, 245};
	uint8_t value[253];
	size_t length = chance(seed, 4) == 0 ? chance(seed, 254) : chance(seed, 24);
	uint8_t type = chance(seed, 4) == 0 ? (uint8_t)(1 + chance(seed, 255))
					    : liked[chance(seed, sizeof(liked))];
	chance_fill(seed, value, sizeof(value));
	if (type == RG_MESSAGE_AUTHENTICATOR)
		length = 16;
	if (type == RG_VENDOR_SPECIFIC && length >= 4)
		memcpy(value, chance(seed, 2) ? "\0\0\x01\x37" : "\0\0\0\x09", 4);
	if (type == RG_VENDOR_SPECIFIC && length >= 6 && chance(seed, 4) != 0)
		value[5] = (uint8_t)(length - 4);
	buffer_u8(out, type);
	buffer_u8(out, (uint8_t)(length + 2));
	buffer_put(out, span_of(value, length));
}

static void put_length(uint8_t *data, size_t length)
{
	data[2] = (uint8_t)(length >> 8);
	data[3] = (uint8_t)length;
}

static void mutate(uint64_t *seed, uint8_t *data, size_t *length)
{
	switch (chance(seed, 6)) {
	case 0:
		data[chance(seed, (uint32_t)*length)] = (uint8_t)chance(seed, 256);
		break;
	case 1:
		data[chance(seed, (uint32_t)*length)] ^= (uint8_t)(1u << chance(seed, 8));
		break;
	case 2:
		*length = chance(seed, (uint32_t)*length + 1);
		break;
	case 3:
		chance_fill(seed, data + *length, 30);
		*length += chance(seed, 30);
		break;
	case 4:
		put_length(data, *length + chance(seed, 7) - 3);
		break;
	case 5:
		/* Length and datagram agree, the last attribute does not. */
		*length -= *length > 23 ? chance(seed, 4) : 0;
		put_length(data, *length);
		break;
	}
}

static size_t random_packet(uint64_t *seed, uint8_t *data, size_t capacity)
{
	static const uint8_t codes[] = {1, 1, 1, 1, 2, 3, 4, 5, 11, 12};
	struct rg_buffer out = buffer_over(data, capacity);
	uint32_t many = chance(seed, 100);
	uint8_t *header = buffer_room(&out, RG_RADIUS_HEADER);
	chance_fill(seed, header, RG_RADIUS_HEADER);
	header[0] = chance(seed, 50) == 0 ? (uint8_t)chance(seed, 256)
					  : codes[chance(seed, sizeof(codes))];
	if (many == 0) {
		many = 195 + chance(seed, 10);
		while (many--)
			buffer_put(&out, span_of("\x21\x03z", 3));
	} else {
		many = chance(seed, 12);
		while (many-- && out.length + 255 < capacity)
			add_attribute(seed, &out);
	}
	put_length(data, out.length);
	return out.length;
}

static void referee_sees_the_same(void **state)
{
	uint64_t seed = 0x5eed;
	uint8_t data[RG_RADIUS_MOST + 64];
	unsigned accepted = 0, refused = 0;
	(void)state;
	for (int i = 0; i < PACKETS; i++) {
		char why[160];
		size_t length = random_packet(&seed, data, RG_RADIUS_MOST);
		for (uint32_t times = chance(&seed, 3); times > 0 && length != 0; times--)
			mutate(&seed, data, &length);
		switch (referee_view(span_of(data, length), why)) {
		case RG_REFEREE_BOTH_TAKE:
			accepted++;
			break;
		case RG_REFEREE_BOTH_REFUSE:
			refused++;
			break;
		case RG_REFEREE_APART:
			break;
		case RG_REFEREE_DIFFERS:
			fail_msg("packet %d: %s", i, why);
		}
	}
	/* Both kinds in plenty, or the comparison shows nothing. */
	assert_true(accepted > PACKETS / 4);
	assert_true(refused > PACKETS / 8);
}

static void random_secret(uint64_t *seed, char secret[SECRET_MOST + 1])
{
	size_t length = 1 + chance(seed, SECRET_MOST);
	for (size_t i = 0; i < length; i++)
		secret[i] = (char)(1 + chance(seed, 255));
	secret[length] = '\0';
}

static bool referee_verifies(struct rg_span sent, uint8_t original_code,
			     const uint8_t authenticator[16], const char *secret)
{
	uint8_t copy[RG_RADIUS_MOST];
	RADIUS_PACKET packet = {.data = copy, .data_len = sent.length, .sockfd = -1};
	RADIUS_PACKET original = {.code = original_code, .sockfd = -1};
	memcpy(copy, sent.data, sent.length);
	packet.code = copy[0];
	memcpy(packet.vector, copy + 4, 16);
	memcpy(original.vector, authenticator, 16);
	return rad_verify(&packet, &original, secret) == 0;
}

/* Any of the packets that we send; request_code says what it is a reply to, 0 if it is none. */
static struct rg_span random_sent(uint64_t *seed, uint8_t *memory, const uint8_t authenticator[16],
				  const struct rg_radius_key *key, uint8_t *request_code)
{
	static const uint8_t codes[] = {1, 2, 3, 4, 5, 5, 11, 12};
	static const uint8_t asked[] = {0, 1, 1, 0, 4, 12, 1, 0};
	struct rg_writer writer;
	uint8_t value[253];
	uint32_t which = chance(seed, sizeof(codes));
	uint8_t code = codes[which];
	*request_code = asked[which];
	writer_begin(&writer, memory, RG_RADIUS_MOST, code, (uint8_t)chance(seed, 256), key);
	if (code == RG_ACCOUNTING_RESPONSE && *request_code == RG_STATUS_SERVER)
		writer_add_message_authenticator(&writer);
	for (uint32_t many = chance(seed, 10); many > 0; many--) {
		chance_fill(seed, value, sizeof(value));
		writer_add(&writer, RG_PROXY_STATE, span_of(value, chance(seed, 254)));
	}
	if (*request_code != 0)
		return writer_reply(&writer, authenticator);
	return writer_request(&writer, code == RG_ACCOUNTING_REQUEST ? NULL : authenticator);
}

static void referee_verifies_what_we_sign(void **state)
{
	uint64_t seed = 0x519;
	uint8_t memory[RG_RADIUS_MOST], authenticator[16];
	char secret[SECRET_MOST + 1];
	(void)state;
	for (int i = 0; i < SIGNED; i++) {
		struct rg_packet packet;
		uint8_t request_code;
		random_secret(&seed, secret);
		chance_fill(&seed, authenticator, sizeof(authenticator));
		struct rg_radius_key *key = radius_key_new(span_text(secret));
		struct rg_span sent = random_sent(&seed, memory, authenticator, key, &request_code);
		assert_non_null(sent.data);
		assert_true(referee_verifies(sent, request_code, authenticator, secret));
		/* Some octet changes: the same verdict from both, whatever it is. */
		memory[4 + chance(&seed, (uint32_t)sent.length - 4)] ^=
			(uint8_t)(1 + chance(&seed, 255));
		if (packet_view(&packet, sent) == RG_PACKET_OK) {
			bool theirs = referee_verifies(sent, request_code, authenticator, secret);
			enum rg_authentic ours = request_code
							 ? reply_verify(&packet, authenticator, key)
							 : request_verify(&packet, key);
			assert_int_equal(theirs, ours != RG_FORGED);
		}
		radius_key_free(&key);
	}
}

static void we_verify_what_the_referee_signs(void **state)
{
	static const uint8_t codes[] = {1, 2, 3, 4, 5, 5, 11, 12};
	static const uint8_t asked[] = {0, 1, 1, 0, 4, 12, 1, 0};
	uint64_t seed = 0x12345;
	char secret[SECRET_MOST + 1];
	(void)state;
	for (int i = 0; i < SIGNED; i++) {
		TALLOC_CTX *context = talloc_new(NULL);
		RADIUS_PACKET *packet = rad_alloc(context, false);
		RADIUS_PACKET original = {.sockfd = -1};
		struct rg_packet view;
		uint32_t which = chance(&seed, sizeof(codes));
		random_secret(&seed, secret);
		chance_fill(&seed, original.vector, 16);
		chance_fill(&seed, packet->vector, 16);
		original.code = asked[which];
		packet->code = codes[which];
		packet->id = i & 255;
		fr_pair_make(packet, &packet->vps, "User-Name", "bob@beuningen.nl", T_OP_EQ);
		fr_pair_make(packet, &packet->vps, "Message-Authenticator", "0x00", T_OP_EQ);
		RADIUS_PACKET *request = asked[which] ? &original : NULL;
		assert_int_equal(rad_encode(packet, request, secret), 0);
		assert_int_equal(rad_sign(packet, request, secret), 0);
		struct rg_radius_key *key = radius_key_new(span_text(secret));
		assert_int_equal(packet_view(&view, span_of(packet->data, packet->data_len)),
				 RG_PACKET_OK);
		assert_int_equal(request ? reply_verify(&view, original.vector, key)
					 : request_verify(&view, key),
				 RG_AUTHENTIC);
		radius_key_free(&key);
		talloc_free(context);
	}
}

static void referee_reveals_what_we_hide(void **state)
{
	uint64_t seed = 0xabc;
	uint8_t authenticator[16], clear[128], hidden[256], out[256];
	char secret[SECRET_MOST + 1], theirs[256];
	(void)state;
	for (int i = 0; i < SIGNED; i++) {
		size_t length = 1 + chance(&seed, 128);
		random_secret(&seed, secret);
		struct rg_radius_key *key = radius_key_new(span_text(secret));
		chance_fill(&seed, authenticator, sizeof(authenticator));
		for (size_t at = 0; at < length; at++)
			clear[at] = (uint8_t)(1 + chance(&seed, 255));
		int size = password_hide(hidden, span_of(clear, length), authenticator, key);
		memcpy(theirs, hidden, (size_t)size);
		assert_int_equal(rad_pwdecode(theirs, (size_t)size, secret, authenticator), length);
		assert_memory_equal(theirs, clear, length);
		/* And back. */
		size_t room = length;
		memcpy(theirs, clear, length);
		assert_int_equal(rad_pwencode(theirs, &room, secret, authenticator), 0);
		assert_int_equal(room, size);
		assert_memory_equal(theirs, hidden, room);

		length = chance(&seed, 65);
		chance_fill(&seed, clear, length);
		size = mppe_hide(hidden, sizeof(hidden), span_of(clear, length),
				 (uint16_t)chance(&seed, 65536), authenticator, key);
		assert_true(size > 0);
		memcpy(out, hidden, (size_t)size);
		room = (size_t)size;
		ssize_t got = rad_tunnel_pwdecode(out, &room, secret, authenticator);
		assert_int_equal(got, length);
		assert_memory_equal(out, clear, length);
		radius_key_free(&key);
	}
}

static void we_reveal_what_the_referee_hides(void **state)
{
	uint64_t seed = 0xdef;
	uint8_t authenticator[16], clear[65], out[256];
	char secret[SECRET_MOST + 1], theirs[256];
	(void)state;
	for (int i = 0; i < SIGNED; i++) {
		size_t length = 1 + chance(&seed, 64), room = length;
		random_secret(&seed, secret);
		struct rg_radius_key *key = radius_key_new(span_text(secret));
		chance_fill(&seed, authenticator, sizeof(authenticator));
		chance_fill(&seed, clear, sizeof(clear));
		memcpy(theirs, clear, length);
		assert_int_equal(rad_tunnel_pwencode(theirs, &room, secret, authenticator), 0);
		assert_int_equal(mppe_reveal(out, span_of(theirs, room), authenticator, key),
				 length);
		assert_memory_equal(out, clear, length);
		radius_key_free(&key);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(referee_sees_the_same),
		cmocka_unit_test(referee_verifies_what_we_sign),
		cmocka_unit_test(we_verify_what_the_referee_signs),
		cmocka_unit_test(referee_reveals_what_we_hide),
		cmocka_unit_test(we_reveal_what_the_referee_hides),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}

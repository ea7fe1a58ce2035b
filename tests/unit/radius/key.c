#include "radius/key.h"

#include "radius/md5.h"
#include "radius/writer.h"
#include "support.h"

#define SECRET "xyzzy5461" /* of the examples in RFC 2865 §7 and RFC 5997 §6 */

static struct rg_radius_key *key_of(const char *secret)
{
	struct rg_radius_key *key = radius_key_new(span_text(secret));
	assert_non_null(key);
	return key;
}

static struct rg_packet view(const uint8_t *data, size_t length)
{
	struct rg_packet packet;
	assert_int_equal(packet_view(&packet, span_of(data, length)), RG_PACKET_OK);
	return packet;
}

static void md5_of_rfc1321(void **state)
{
	static const char *const cases[][2] = {
		{"", "d41d8cd98f00b204e9800998ecf8427e"},
		{"abc", "900150983cd24fb0d6963f7d28e17f72"},
		{"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
		{"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
		 "57edf4a22be3c955ac49da2e2107b67a"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t digest[16], expected[16];
		struct rg_md5 md5;
		octets(expected, cases[i][1]);
		md5_begin(&md5);
		md5_add(&md5, span_text(cases[i][0]));
		md5_end(&md5, digest);
		assert_memory_equal(digest, expected, 16);
	}
}

static void hmac_of(const uint8_t *key, size_t key_length, const char *text,
		    const char *expected_hex)
{
	uint8_t digest[16], expected[16];
	struct rg_hmac_md5 hmac;
	octets(expected, expected_hex);
	hmac_md5_key(&hmac, span_of(key, key_length));
	for (int again = 0; again < 2; again++) { /* a kept state serves more than once */
		struct rg_md5 inner = hmac.inner;
		md5_add(&inner, span_text(text));
		hmac_md5_end(&hmac, &inner, digest);
		assert_memory_equal(digest, expected, 16);
	}
}

static void hmac_md5_of_rfc2202(void **state)
{
	uint8_t key[80];
	(void)state;
	memset(key, 0x0b, 16);
	hmac_of(key, 16, "Hi There", "9294727a3638bb1c13f48ef8158bfc9d");
	hmac_of((const uint8_t *)"Jefe", 4, "what do ya want for nothing?",
		"750c783e6ab0b503eaa86e310a5db738");
	memset(key, 0xaa, sizeof(key));
	hmac_of(key, sizeof(key), "Test Using Larger Than Block-Size Key - Hash Key First",
		"6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd");
}

static const char request_rfc2865[] =
	"01 00 00 38 0f 40 3f 94 73 97 80 57 bd 83 d5 cb 98 f4 22 7a"
	"01 06 6e 65 6d 6f 02 12 0d be 70 8d 93 d4 13 ce 31 96 e4 3f 78 2a 0a ee"
	"04 06 c0 a8 01 10 05 06 00 00 00 03";
static const char accept_rfc2865[] = "02 00 00 26 86 fe 22 0e 76 24 ba 2a 10 05 f6 bf 9b 55 e0 b2"
				     "06 06 00 00 00 01 0f 06 00 00 00 00 0e 06 c0 a8 01 03";

static void sign_in_of_rfc2865(void **state)
{
	uint8_t request_data[64], accept_data[64], password[128];
	struct rg_packet request = view(request_data, octets(request_data, request_rfc2865));
	struct rg_packet accept = view(accept_data, octets(accept_data, accept_rfc2865));
	struct rg_radius_key *key = key_of(SECRET);
	(void)state;
	assert_int_equal(request_verify(&request, key), RG_AUTHENTIC_ABSENT);
	int length = password_reveal(password, packet_find(&request, RG_USER_PASSWORD),
				     packet_authenticator(&request), key);
	assert_int_equal(length, 10);
	assert_memory_equal(password, "arctangent", 10);
	assert_int_equal(password_hide(password, span_text("arctangent"),
				       packet_authenticator(&request), key),
			 16);
	assert_memory_equal(password, packet_find(&request, RG_USER_PASSWORD).data, 16);
	assert_int_equal(reply_verify(&accept, packet_authenticator(&request), key),
			 RG_AUTHENTIC_ABSENT);
	accept_data[25] ^= 1;
	assert_int_equal(reply_verify(&accept, packet_authenticator(&request), key), RG_FORGED);
	radius_key_free(&key);
	assert_null(key);
}

static void status_server_of_rfc5997(void **state)
{
	uint8_t request_data[64], answer_data[64];
	struct rg_packet request = view(
		request_data,
		octets(request_data, "0c da 00 26 8a 54 f4 68 6f b3 94 c5 28 66 e3 02 18 5d 06 23"
				     "50 12 5a 66 5e 2e 1e 84 11 f3 e2 43 82 20 97 c8 4f a3"));
	struct rg_packet answer = view(
		answer_data, octets(answer_data, "02 da 00 14 ef 0d 55 2a 4b f2 d6 93 ec 2b 6f e8"
						 "b5 41 1d 66"));
	struct rg_radius_key *key = key_of(SECRET), *other = key_of("xyzzy5462");
	(void)state;
	assert_int_equal(request_verify(&request, key), RG_AUTHENTIC);
	assert_int_equal(request_verify(&request, other), RG_FORGED);
	assert_int_equal(reply_verify(&answer, packet_authenticator(&request), key),
			 RG_AUTHENTIC_ABSENT);
	radius_key_free(&key);
	radius_key_free(&other);
}

/* Flips each bit of a signed packet in turn: whatever frame is left is never authentic. */
static void nothing_else_is_authentic(uint8_t *data, size_t length, const uint8_t *request,
				      const struct rg_radius_key *key)
{
	struct rg_packet packet;
	for (size_t bit = 0; bit < 8 * length; bit++) {
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (packet_view(&packet, span_of(data, length)) == RG_PACKET_OK)
			assert_int_not_equal(request ? reply_verify(&packet, request, key)
						     : request_verify(&packet, key),
					     RG_AUTHENTIC);
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void W5_message_authenticator_wrong(void **state)
{
	static const uint8_t authenticator[16] = "fifteen letters";
	uint8_t memory[128];
	struct rg_writer writer;
	struct rg_radius_key *key = key_of("a secret of nineteen");
	(void)state;
	writer_begin(&writer, memory, sizeof(memory), RG_ACCESS_REQUEST, 9, key);
	writer_add(&writer, RG_USER_NAME, span_text("bob@beuningen.nl"));
	struct rg_span sent = writer_request(&writer, authenticator);
	struct rg_packet packet = view(sent.data, sent.length);
	assert_int_equal(request_verify(&packet, key), RG_AUTHENTIC);
	nothing_else_is_authentic(memory, sent.length, NULL, key);

	writer_begin(&writer, memory, sizeof(memory), RG_ACCESS_REJECT, 9, key);
	writer_add(&writer, RG_REPLY_MESSAGE, span_text("no"));
	sent = writer_reply(&writer, authenticator);
	packet = view(sent.data, sent.length);
	assert_int_equal(reply_verify(&packet, authenticator, key), RG_AUTHENTIC);
	nothing_else_is_authentic(memory, sent.length, authenticator, key);
	radius_key_free(&key);
}

static void W5_request_authenticator_of_accounting(void **state)
{
	uint8_t memory[128];
	struct rg_writer writer;
	struct rg_packet packet;
	struct rg_radius_key *key = key_of("a secret of nineteen");
	(void)state;
	writer_begin(&writer, memory, sizeof(memory), RG_ACCOUNTING_REQUEST, 9, key);
	writer_add(&writer, RG_USER_NAME, span_text("bob@beuningen.nl"));
	struct rg_span sent = writer_request(&writer, NULL);
	packet = view(sent.data, sent.length);
	assert_int_equal(request_verify(&packet, key), RG_AUTHENTIC_ABSENT);
	for (size_t at = 4; at < sent.length; at++) {
		memory[at] ^= 0x10;
		if (packet_view(&packet, sent) == RG_PACKET_OK)
			assert_int_equal(request_verify(&packet, key), RG_FORGED);
		memory[at] ^= 0x10;
	}
	memset(memory + 4, 0, 16); /* some take zeros for "not signed" */
	packet = view(sent.data, sent.length);
	assert_int_equal(request_verify(&packet, key), RG_FORGED);
	radius_key_free(&key);
}

static void replies_are_no_requests(void **state)
{
	static const uint8_t authenticator[16] = {0};
	uint8_t memory[128];
	struct rg_writer writer;
	struct rg_radius_key *key = key_of("a secret of nineteen");
	(void)state;
	writer_begin(&writer, memory, sizeof(memory), RG_ACCESS_ACCEPT, 9, key);
	struct rg_span sent = writer_reply(&writer, authenticator);
	struct rg_packet packet = view(sent.data, sent.length);
	assert_int_equal(request_verify(&packet, key), RG_FORGED);
	writer_begin(&writer, memory, sizeof(memory), RG_ACCESS_REQUEST, 9, key);
	sent = writer_reply(&writer, authenticator);
	packet = view(sent.data, sent.length);
	assert_int_equal(reply_verify(&packet, authenticator, key), RG_FORGED);
	radius_key_free(&key);
}

static void W6_password_of_bad_length(void **state)
{
	static const uint8_t authenticator[16] = {1};
	uint8_t hidden[160] = {0}, out[128];
	struct rg_radius_key *key = key_of(SECRET);
	(void)state;
	for (size_t length = 0; length <= sizeof(hidden); length++) {
		bool good = length != 0 && length <= 128 && length % 16 == 0;
		int result = password_reveal(out, span_of(hidden, length), authenticator, key);
		assert_true(good ? result >= 0 : result == -1);
	}
	assert_int_equal(password_hide(out, span_of(hidden, 129), authenticator, key), -1);
	radius_key_free(&key);
}

static void passwords_come_back(void **state)
{
	uint64_t seed = 20250101;
	uint8_t clear[128], hidden[128], out[128], authenticator[16];
	struct rg_radius_key *key =
		key_of("a secret longer than one block of MD5, which has sixty-four octets");
	(void)state;
	for (size_t length = 0; length <= 128; length++) {
		chance_fill(&seed, authenticator, sizeof(authenticator));
		for (size_t i = 0; i < length; i++)
			clear[i] = (uint8_t)(1 + chance(&seed, 255));
		int size = password_hide(hidden, span_of(clear, length), authenticator, key);
		assert_int_equal(size, length == 0 ? 16 : (length + 15) / 16 * 16);
		assert_int_equal(
			password_reveal(out, span_of(hidden, (size_t)size), authenticator, key),
			length);
		assert_memory_equal(out, clear, length);
	}
	radius_key_free(&key);
}

static void W6_mppe_key_of_bad_length_or_salt(void **state)
{
	static const uint8_t authenticator[16] = {1};
	uint8_t hidden[256] = {0}, out[256], msk[64] = {5};
	struct rg_radius_key *key = key_of(SECRET);
	(void)state;
	for (size_t length = 0; length < 253; length++) {
		hidden[0] = 0x80;
		int result = mppe_reveal(out, span_of(hidden, length), authenticator, key);
		if (length < 18 || (length - 2) % 16 != 0)
			assert_int_equal(result, -1);
	}
	int length =
		mppe_hide(hidden, sizeof(hidden), span_of(msk, 32), 0x0102, authenticator, key);
	assert_int_equal(length, 50);
	assert_int_equal(hidden[0], 0x81);
	assert_int_equal(mppe_reveal(out, span_of(hidden, 50), authenticator, key), 32);
	/* Whatever comes out, some of it with a length that would do. */
	for (unsigned salt = 0; salt < 0x8000; salt += 31) {
		hidden[0] = (uint8_t)(salt >> 8);
		hidden[1] = (uint8_t)salt;
		assert_int_equal(mppe_reveal(out, span_of(hidden, 50), authenticator, key), -1);
	}
	mppe_hide(hidden, sizeof(hidden), span_of(msk, 32), 0x0102, authenticator, key);
	hidden[2] ^= 0x80; /* the inner length is now over what is there */
	assert_int_equal(mppe_reveal(out, span_of(hidden, 50), authenticator, key), -1);
	assert_int_equal(mppe_hide(hidden, 49, span_of(msk, 32), 1, authenticator, key), -1);
	assert_int_equal(mppe_hide(hidden, 256, span_of(out, 65), 1, authenticator, key), -1);
	radius_key_free(&key);
}

static void mppe_keys_come_back(void **state)
{
	uint64_t seed = 7;
	uint8_t clear[64], hidden[82], out[256], authenticator[16];
	struct rg_radius_key *key = key_of(SECRET);
	(void)state;
	for (size_t length = 0; length <= 64; length++) {
		chance_fill(&seed, authenticator, sizeof(authenticator));
		chance_fill(&seed, clear, sizeof(clear));
		int size = mppe_hide(hidden, sizeof(hidden), span_of(clear, length),
				     (uint16_t)chance(&seed, 65536), authenticator, key);
		assert_int_equal(size, 2 + (length + 16) / 16 * 16);
		assert_int_equal(
			mppe_reveal(out, span_of(hidden, (size_t)size), authenticator, key),
			length);
		assert_memory_equal(out, clear, length);
	}
	radius_key_free(&key);
}

static void an_empty_secret_is_none(void **state)
{
	struct rg_radius_key *none = NULL;
	(void)state;
	assert_null(radius_key_new(span_text("")));
	radius_key_free(&none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(md5_of_rfc1321),
		cmocka_unit_test(hmac_md5_of_rfc2202),
		cmocka_unit_test(sign_in_of_rfc2865),
		cmocka_unit_test(status_server_of_rfc5997),
		cmocka_unit_test(W5_message_authenticator_wrong),
		cmocka_unit_test(W5_request_authenticator_of_accounting),
		cmocka_unit_test(replies_are_no_requests),
		cmocka_unit_test(W6_password_of_bad_length),
		cmocka_unit_test(passwords_come_back),
		cmocka_unit_test(W6_mppe_key_of_bad_length_or_salt),
		cmocka_unit_test(mppe_keys_come_back),
		cmocka_unit_test(an_empty_secret_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

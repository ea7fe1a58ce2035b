/* What is done for many at once gives what it gives one by one. */
#include "radius/md5_many.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "radius/key.h"
#include "radius/rehide.h"
#include "radius/writer.h"
#include "support.h"

#define MOST 70 /* several times what goes in step, and some */

static uint64_t seed = 20261126;
static uint8_t noise[4096];

static int set_up(void **state)
{
	(void)state;
	chance_fill(&seed, noise, sizeof(noise));
	return 0;
}

/* A message of that length, in pieces. */
static void cut(struct rg_md5_job *job, size_t length)
{
	struct rg_cursor cursor = cursor_over(span_of(noise + chance(&seed, 64), length));
	*job = (struct rg_md5_job){.count = 0};
	for (unsigned piece = 1; piece < RG_MD5_PARTS; piece++)
		md5_job_add(job, cursor_take(&cursor,
					     chance(&seed, (uint32_t)cursor_left(&cursor) + 1)));
	md5_job_add(job, cursor_rest(&cursor));
}

static void expect(const struct rg_md5_job *job, struct rg_span key)
{
	uint8_t whole[sizeof(noise)], digest[RG_MD5_LENGTH];
	unsigned length = sizeof(digest);
	struct rg_buffer buffer = buffer_over(whole, sizeof(whole));
	for (unsigned i = 0; i < job->count; i++)
		buffer_put(&buffer, job->parts[i]);
	if (job->key)
		HMAC(EVP_md5(), key.data, (int)key.length, whole, buffer.length, digest, &length);
	else
		EVP_Digest(whole, buffer.length, digest, &length, EVP_md5(), NULL);
	assert_memory_equal(job->digest, digest, sizeof(digest));
}

static void digests_of_every_length_in_every_company(void **state)
{
	struct rg_md5_job jobs[MOST];
	struct rg_hmac_md5 key;
	struct rg_span secret = span_text("a secret of nineteen");
	(void)state;
	hmac_md5_key(&key, secret);
	for (size_t count = 0; count <= MOST; count++) {
		for (size_t i = 0; i < count; i++) {
			cut(&jobs[i], count % 3 == 0 ? chance(&seed, 1500) : (count * 5 + i) % 260);
			jobs[i].key = (i + count) % 2 ? &key : NULL;
		}
		md5_many(jobs, count);
		for (size_t i = 0; i < count; i++)
			expect(&jobs[i], secret);
	}
}

struct company {
	struct rg_radius_key *keys[2];
	uint8_t memory[MOST][512];
	uint8_t asked[MOST][RG_AUTHENTICATOR];
	struct rg_packet packets[MOST];
	struct rg_check checks[MOST];
	struct rg_unsealed unsealed[MOST];
};

/* Packets of all codes, lengths and either key, as the writer ends them unsealed. */
static void write_all(struct company *all)
{
	static const uint8_t codes[] = {RG_ACCESS_REQUEST,     RG_ACCESS_ACCEPT,
					RG_ACCOUNTING_REQUEST, RG_ACCESS_CHALLENGE,
					RG_STATUS_SERVER,      RG_ACCOUNTING_RESPONSE};
	for (size_t i = 0; i < MOST; i++) {
		struct rg_writer writer;
		uint8_t code = codes[i % sizeof(codes)];
		bool reply = i % 2;
		chance_fill(&seed, all->asked[i], RG_AUTHENTICATOR);
		writer_begin(&writer, all->memory[i], sizeof(all->memory[i]), code, (uint32_t)i,
			     all->keys[i % 5 == 0]);
		writer_add(&writer, RG_CLASS, span_of(noise, chance(&seed, 200)));
		bool none = code == RG_ACCOUNTING_REQUEST;
		struct rg_span packet = writer_unsealed(&writer, none ? NULL : all->asked[i]);
		all->unsealed[i] =
			(struct rg_unsealed){all->memory[i], packet.length, all->keys[i % 5 == 0]};
		all->checks[i] = (struct rg_check){.packet = &all->packets[i],
						   .key = all->keys[i % 5 == 0],
						   .reply = reply,
						   .authenticator = all->asked[i]};
	}
}

static void view_all(struct company *all)
{
	for (size_t i = 0; i < MOST; i++)
		assert_int_equal(packet_view(&all->packets[i],
					     span_of(all->memory[i], all->unsealed[i].length)),
				 RG_PACKET_OK);
}

static enum rg_authentic expected(const struct company *all, size_t i)
{
	return all->packets[i].first[RG_MESSAGE_AUTHENTICATOR] ? RG_AUTHENTIC : RG_AUTHENTIC_ABSENT;
}

/* W5, B3: of a batch each is judged by itself. */
static void W5_one_that_is_forged_among_many(void **state)
{
	static struct company all;
	(void)state;
	all.keys[0] = radius_key_new(span_text("a secret of nineteen"));
	all.keys[1] = radius_key_new(
		span_text("another one, which is longer than a block of sixty-four octets is"));
	write_all(&all);
	packets_seal(all.unsealed, MOST);
	view_all(&all);
	for (size_t forged = 0; forged <= MOST; forged++) {
		if (forged < MOST)
			all.memory[forged][all.unsealed[forged].length - 1] ^= 0x40;
		packets_verify(all.checks, MOST);
		for (size_t i = 0; i < MOST; i++)
			assert_int_equal(all.checks[i].result,
					 i == forged ? RG_FORGED : expected(&all, i));
		if (forged < MOST)
			all.memory[forged][all.unsealed[forged].length - 1] ^= 0x40;
	}
	radius_key_free(&all.keys[0]);
	radius_key_free(&all.keys[1]);
}

static void sealed_together_is_sealed_alone(void **state)
{
	static struct company all;
	uint8_t alone[MOST][RG_RADIUS_MOST];
	(void)state;
	all.keys[0] = radius_key_new(span_text("a secret of nineteen"));
	all.keys[1] = radius_key_copy(radius_key_1_1());
	write_all(&all);
	for (size_t i = 0; i < MOST; i++) {
		struct rg_span packet = span_of(all.memory[i], all.unsealed[i].length);
		assert_int_equal(packet_seal(alone[i], packet, all.unsealed[i].key).length,
				 packet.length);
	}
	packets_seal(all.unsealed, MOST);
	for (size_t i = 0; i < MOST; i++)
		assert_memory_equal(alone[i], all.memory[i], all.unsealed[i].length);
	radius_key_free(&all.keys[0]);
	radius_key_free(&all.keys[1]);
}

/* Of every length, among them some that W6 forbids; expected is what one alone comes to. */
static void W6_keys_hidden_anew_together(void **state)
{
	static uint8_t hidden[MOST][2 + 256];
	static const uint8_t here[RG_AUTHENTICATOR] = "fifteen letters",
			     there[RG_AUTHENTICATOR] = "and more of them";
	struct rg_rehiding keys[MOST];
	struct rg_radius_key
		*from = radius_key_new(span_text("a secret of nineteen")),
		*to = radius_key_new(span_text(
			"another one, which is longer than a block of sixty-four octets is"));
	(void)state;
	for (size_t i = 0; i < MOST; i++) {
		uint16_t salt = (uint16_t)chance(&seed, 65536);
		int length = mppe_hide(hidden[i], sizeof(hidden[i]),
				       span_of(noise + i, i < 65 ? i : 32), salt, here, from);
		assert_true(length > 0);
		if (i == 65) /* no salt */
			hidden[i][0] &= 0x7f;
		if (i == 66) /* a length that is not there */
			hidden[i][2] ^= 0x80;
		length -= i == 67 ? 1 : i == 68 ? length : i == 69 ? length - 2 : 0;
		keys[i] = (struct rg_rehiding){.hidden = span_of(hidden[i], (size_t)length),
					       .from = from,
					       .to = to,
					       .from_authenticator = here,
					       .to_authenticator = there};
	}
	mppe_rehide(keys, MOST);
	for (size_t i = 0; i < MOST; i++) {
		uint8_t clear[256], anew[RG_MPPE_HIDDEN_MOST];
		int length = mppe_reveal(clear, keys[i].hidden, here, from);
		if (length >= 0)
			length = mppe_hide(anew, sizeof(anew), span_of(clear, (size_t)length),
					   (uint16_t)(hidden[i][0] << 8 | hidden[i][1]), there, to);
		assert_int_equal(keys[i].length, i < 65 ? (size_t)length : 0);
		if (i < 65)
			assert_memory_equal(keys[i].anew, anew, keys[i].length);
		else
			assert_int_equal(length, -1);
	}
	radius_key_free(&from);
	radius_key_free(&to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_of_every_length_in_every_company),
		cmocka_unit_test(W5_one_that_is_forged_among_many),
		cmocka_unit_test(sealed_together_is_sealed_alone),
		cmocka_unit_test(W6_keys_hidden_anew_together),
	};
	return cmocka_run_group_tests(tests, set_up, NULL);
}

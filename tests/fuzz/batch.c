/* Packets by the batch: digests in step are OpenSSL's, whatever lengths stand beside each other;
 * what was sealed together is verified together, and the one that was changed is the one that is
 * forged; a key that is hidden anew is the same key. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "fuzz.h"

#include <openssl/md5.h>

#include "radius/key.h"
#include "radius/md5_many.h"
#include "radius/rehide.h"
#include "radius/writer.h"

#define BATCH_MOST 40

static const uint8_t codes[] = {
	RG_ACCESS_REQUEST,      RG_ACCESS_ACCEPT,    RG_ACCESS_REJECT, RG_ACCOUNTING_REQUEST,
	RG_ACCOUNTING_RESPONSE, RG_ACCESS_CHALLENGE, RG_STATUS_SERVER,
};
static const uint8_t authenticator[RG_AUTHENTICATOR] = "an authenticator";
static const uint8_t other_authenticator[RG_AUTHENTICATOR] = "another of these";
static struct rg_radius_key *keys[2];

/* RFC 2104, by OpenSSL's MD5 alone. */
static void hmac(struct rg_span secret, struct rg_span text, uint8_t digest[16])
{
	static uint8_t inner[64 + 65536], outer[64 + 16];
	memset(inner, 0x36, 64);
	memset(outer, 0x5c, 64);
	for (size_t i = 0; i < secret.length; i++) {
		inner[i] ^= secret.data[i];
		outer[i] ^= secret.data[i];
	}
	memcpy(inner + 64, text.data, text.length);
	MD5(inner, 64 + text.length, outer + 64);
	MD5(outer, sizeof(outer), digest);
}

/* Messages of all lengths, in pieces; one in four with a key. */
static void digests(struct rg_cursor *cursor)
{
	static struct rg_md5_job jobs[BATCH_MOST];
	static uint8_t whole[BATCH_MOST][RG_MD5_PARTS * 255 + 1];
	static size_t lengths[BATCH_MOST];
	const struct rg_span secret = span_text("geheim van niemand");
	struct rg_hmac_md5 key;
	size_t count = 0;
	hmac_md5_key(&key, secret);
	for (; count < BATCH_MOST && cursor_left(cursor) != 0; count++) {
		struct rg_buffer text = buffer_over(whole[count], sizeof(whole[count]));
		uint8_t how = cursor_u8(cursor);
		jobs[count].key = (how & 3) == 3 ? &key : NULL;
		jobs[count].count = 0;
		for (unsigned part = 0; part < how % (RG_MD5_PARTS + 1u); part++) {
			struct rg_span piece = piece_next(cursor);
			md5_job_add(&jobs[count], piece);
			buffer_put(&text, piece);
		}
		lengths[count] = text.length;
	}
	md5_many(jobs, count);
	for (size_t i = 0; i < count; i++) {
		uint8_t expected[16];
		if (jobs[i].key)
			hmac(secret, span_of(whole[i], lengths[i]), expected);
		else
			MD5(whole[i], lengths[i], expected);
		MUST(memcmp(jobs[i].digest, expected, 16) == 0);
	}
}

/* Sealed together, one octet of one changed, verified together. */
static void seals(struct rg_cursor *cursor)
{
	static uint8_t memory[BATCH_MOST][600];
	static struct rg_packet views[BATCH_MOST];
	struct rg_unsealed unsealed[BATCH_MOST];
	struct rg_check checks[BATCH_MOST];
	uint16_t where = cursor_u16(cursor);
	size_t count = 0;
	for (; count < BATCH_MOST && cursor_left(cursor) != 0; count++) {
		struct rg_writer writer;
		uint8_t how = cursor_u8(cursor), code = codes[how % 7];
		const struct rg_radius_key *key = keys[how >> 7];
		writer_begin(&writer, memory[count], sizeof(memory[count]), code, how, key);
		writer_add(&writer, RG_PROXY_STATE, piece_next(cursor));
		struct rg_span packet = writer_unsealed(
			&writer, code == RG_ACCOUNTING_REQUEST ? NULL : authenticator);
		if (packet.length == 0)
			return;
		unsealed[count] = (struct rg_unsealed){memory[count], packet.length, key};
		checks[count] = (struct rg_check){
			.packet = &views[count],
			.key = key,
			.reply = code != RG_ACCESS_REQUEST && code != RG_STATUS_SERVER &&
				 code != RG_ACCOUNTING_REQUEST,
			.authenticator = authenticator,
		};
	}
	if (count == 0)
		return;
	packets_seal(unsealed, count);
	size_t changed = where % count, last = unsealed[changed].length - 1;
	/* The last octet: of the Proxy-State, or its length. */
	bool change = where & 0x8000 && last > RG_RADIUS_HEADER && memory[changed][last] != 2;
	if (change)
		memory[changed][last] ^= 1;
	for (size_t i = 0; i < count; i++)
		MUST(packet_view(&views[i], span_of(memory[i], unsealed[i].length)) ==
		     RG_PACKET_OK);
	packets_verify(checks, count);
	for (size_t i = 0; i < count; i++) {
		bool bears = views[i].first[RG_MESSAGE_AUTHENTICATOR] != 0;
		enum rg_authentic good = bears ? RG_AUTHENTIC : RG_AUTHENTIC_ABSENT;
		MUST(checks[i].result == (change && i == changed ? RG_FORGED : good));
	}
}

/* Hidden as they should be, or any octets. */
static void keys_anew(struct rg_cursor *cursor)
{
	static uint8_t hidden[BATCH_MOST][256];
	struct rg_rehiding rehidings[BATCH_MOST];
	size_t count = 0;
	for (; count < BATCH_MOST && cursor_left(cursor) != 0; count++) {
		uint8_t how = cursor_u8(cursor);
		struct rg_span piece = piece_next(cursor);
		int length = (int)piece.length;
		if (how & 1)
			length = mppe_hide(hidden[count], sizeof(hidden[count]), piece, how,
					   authenticator, keys[0]);
		else if (length)
			memcpy(hidden[count], piece.data, piece.length);
		rehidings[count] = (struct rg_rehiding){
			.hidden = span_of(hidden[count], length < 0 ? 0 : (size_t)length),
			.from = keys[0],
			.to = keys[1],
			.from_authenticator = authenticator,
			.to_authenticator = other_authenticator,
		};
	}
	mppe_rehide(rehidings, count);
	for (size_t i = 0; i < count; i++) {
		uint8_t before[256], after[256];
		int had = mppe_reveal(before, rehidings[i].hidden, authenticator, keys[0]);
		struct rg_span anew = span_of(rehidings[i].anew, rehidings[i].length);
		if (anew.length == 0) {
			MUST(had < 0 || had > RG_MPPE_KEY_MOST || rehidings[i].hidden.length > 82);
			continue;
		}
		int has = mppe_reveal(after, anew, other_authenticator, keys[1]);
		MUST(had >= 0 &&
		     span_equal(span_of(before, (size_t)had), span_of(after, (size_t)has)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rg_cursor cursor = cursor_over(span_of(data, size));
	if (!keys[0]) {
		keys[0] = radius_key_new(span_text("geheim van niemand"));
		keys[1] = radius_key_new(span_text("a secret that is longer than a block of MD5 "
						   "has octets, which RFC 2104 wants hashed"));
		MUST(keys[0] && keys[1]);
	}
	switch (cursor_u8(&cursor) % 3) {
	case 0:
		digests(&cursor);
		break;
	case 1:
		seals(&cursor);
		break;
	case 2:
		keys_anew(&cursor);
		break;
	}
	return 0;
}

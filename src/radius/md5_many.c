#include "radius/md5_many.h"

#include <endian.h>
#include <openssl/crypto.h>
#include <stdbool.h>

#define LANES 16u
#define BLOCK 64u
#define WORDS 16u
#define FEW   5u /* so many are cheaper one by one */

/* A word of each lane's. The compiler makes of it what the processor has: four registers of SSE2,
 * two of AVX2. */
typedef uint32_t lanes __attribute__((vector_size(LANES * sizeof(uint32_t))));

struct state {
	lanes a, b, c, d;
	lanes words[WORDS]; /* of the blocks that are worked on */
};

/* RFC 1321 §3.4: abs(sin(i + 1)) * 2^32. */
static const uint32_t sines[64] = {
	0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613,
	0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193,
	0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d,
	0x02441453, 0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed,
	0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122,
	0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa,
	0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 0xf4292244,
	0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
	0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb,
	0xeb86d391};

/* Compiled for each kind of processor; which it is shows when the program starts, before
 * ThreadSanitizer bears looking on. */
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
#define FOR_THIS_PROCESSOR __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FOR_THIS_PROCESSOR
#endif

/* One block of each lane (RFC 1321 §3.4). */
FOR_THIS_PROCESSOR
static void compress(struct state *state, const uint8_t *const blocks[LANES])
{
	lanes a = state->a, b = state->b, c = state->c, d = state->d;
	for (unsigned word = 0; word < WORDS; word++) {
		for (unsigned lane = 0; lane < LANES; lane++) {
			uint32_t value;
			memcpy(&value, blocks[lane] + word * sizeof(value), sizeof(value));
			state->words[word][lane] = le32toh(value);
		}
	}
#define STEP(mixed, word, shift)                                                                   \
	do {                                                                                       \
		lanes sum = a + (mixed) + state->words[(word) % WORDS] + sines[i];                 \
		a = d;                                                                             \
		d = c;                                                                             \
		c = b;                                                                             \
		b += sum << (shift) | sum >> (32 - (shift));                                       \
	} while (0)
#pragma GCC unroll 16
	for (unsigned i = 0; i < 16; i++)
		STEP(d ^ (b & (c ^ d)), i, 7 + i % 4 * 5);
#pragma GCC unroll 16
	for (unsigned i = 16; i < 32; i++)
		STEP(c ^ (d & (b ^ c)), 5 * i + 1, ((const unsigned[]){5, 9, 14, 20})[i % 4]);
#pragma GCC unroll 16
	for (unsigned i = 32; i < 48; i++)
		STEP(b ^ c ^ d, 3 * i + 5, ((const unsigned[]){4, 11, 16, 23})[i % 4]);
#pragma GCC unroll 16
	for (unsigned i = 48; i < 64; i++)
		STEP(c ^ (b | ~d), 7 * i, ((const unsigned[]){6, 10, 15, 21})[i % 4]);
#undef STEP
	state->a += a;
	state->b += b;
	state->c += c;
	state->d += d;
}

/* What a lane works on, and how far it is. */
struct feed {
	struct rg_md5_job *job; /* NULL: nothing */
	bool outer;             /* of an HMAC: its second half, over the digest of the first */
	const struct rg_span *part, *end;
	struct rg_span rest;   /* of the part that is being read */
	struct rg_span digest; /* the one part of an outer half */
	size_t blocks;         /* that are left */
	uint64_t bits;         /* of the whole message */
	bool marked;           /* the bit after its end is set already */
	uint8_t block[BLOCK];  /* where one does not lie in one piece */
};

static const uint8_t nothing[BLOCK];

/* From there on, so many parts. */
static void feed_begin(struct feed *feed, struct state *state, unsigned lane,
		       const struct rg_md5 *from, const struct rg_span *parts, unsigned count)
{
	uint32_t words[4];
	uint64_t octets = md5_words(from, words);
	size_t length = 0;
	for (unsigned i = 0; i < count; i++)
		length += parts[i].length;
	feed->part = parts;
	feed->end = parts + count;
	feed->rest = count ? parts[0] : span_of(NULL, 0);
	feed->blocks = (length + 1 + sizeof(feed->bits) + BLOCK - 1) / BLOCK;
	feed->bits = (octets + length) * 8;
	feed->marked = false;
	state->a[lane] = words[0];
	state->b[lane] = words[1];
	state->c[lane] = words[2];
	state->d[lane] = words[3];
}

static void job_begin(struct feed *feed, struct state *state, unsigned lane, struct rg_md5_job *job)
{
	feed->job = job;
	feed->outer = false;
	feed_begin(feed, state, lane, job->key ? &job->key->inner : NULL, job->parts, job->count);
}

/* False: an HMAC goes on with its outer half. */
static bool job_end(struct feed *feed, struct state *state, unsigned lane)
{
	struct rg_md5_job *job = feed->job;
	const uint32_t words[4] = {htole32(state->a[lane]), htole32(state->b[lane]),
				   htole32(state->c[lane]), htole32(state->d[lane])};
	memcpy(job->digest, words, sizeof(words));
	if (job->key && !feed->outer) {
		feed->outer = true;
		feed->digest = span_of(job->digest, sizeof(job->digest));
		feed_begin(feed, state, lane, &job->key->outer, &feed->digest, 1);
		return false;
	}
	feed->job = NULL;
	return true;
}

/* RFC 1321 §3.1, §3.2: a bit, zeros, and the length at the end of the last block. */
static void pad(struct feed *feed, size_t used)
{
	const uint64_t bits = htole64(feed->bits);
	if (used >= BLOCK)
		return;
	memset(feed->block + used, 0, BLOCK - used);
	if (!feed->marked)
		feed->block[used] = 0x80;
	feed->marked = true;
	if (feed->blocks == 1)
		memcpy(feed->block + BLOCK - sizeof(bits), &bits, sizeof(bits));
}

/* Puts a block together of the ends of parts; what there was no more of is padded. */
static void gather(struct feed *feed)
{
	size_t used = 0;
	while (used < BLOCK && feed->part != feed->end) {
		size_t left = feed->rest.length, room = BLOCK - used;
		size_t piece = left < room ? left : room;
		memcpy(feed->block + used, feed->rest.data, piece);
		used += piece;
		feed->rest = span_of(feed->rest.data + piece, left - piece);
		if (feed->rest.length == 0 && ++feed->part != feed->end)
			feed->rest = *feed->part;
	}
	pad(feed, used);
}

static const uint8_t *next_block(struct feed *feed)
{
	const uint8_t *block = feed->block;
	if (feed->rest.length > BLOCK) {
		block = feed->rest.data;
		feed->rest = span_of(block + BLOCK, feed->rest.length - BLOCK);
	} else {
		gather(feed);
	}
	feed->blocks--;
	return block;
}

static void one_by_one(struct rg_md5_job *jobs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct rg_md5 md5;
		if (jobs[i].key)
			md5 = jobs[i].key->inner;
		else
			md5_begin(&md5);
		for (unsigned part = 0; part < jobs[i].count; part++)
			md5_add(&md5, jobs[i].parts[part]);
		if (jobs[i].key)
			hmac_md5_end(jobs[i].key, &md5, jobs[i].digest);
		else
			md5_end(&md5, jobs[i].digest);
	}
}

/* Each lane takes the next job when it has ended one. */
static void in_step(struct rg_md5_job *jobs, size_t count)
{
	struct feed feeds[LANES];
	struct state state;
	size_t next = 0, left = count;
	memset(&state, 0, sizeof(state));
	for (unsigned lane = 0; lane < LANES; lane++) {
		feeds[lane].job = NULL;
		if (next < count)
			job_begin(&feeds[lane], &state, lane, &jobs[next++]);
	}
	while (left != 0) {
		const uint8_t *blocks[LANES];
		for (unsigned lane = 0; lane < LANES; lane++)
			blocks[lane] = feeds[lane].job ? next_block(&feeds[lane]) : nothing;
		compress(&state, blocks);
		for (unsigned lane = 0; lane < LANES; lane++) {
			if (!feeds[lane].job || feeds[lane].blocks != 0 ||
			    !job_end(&feeds[lane], &state, lane))
				continue;
			left--;
			if (next < count)
				job_begin(&feeds[lane], &state, lane, &jobs[next++]);
		}
	}
	OPENSSL_cleanse(feeds, sizeof(feeds));
	OPENSSL_cleanse(&state, sizeof(state));
}

void md5_many(struct rg_md5_job *jobs, size_t count)
{
	if (count < FEW)
		one_by_one(jobs, count);
	else
		in_step(jobs, count);
}

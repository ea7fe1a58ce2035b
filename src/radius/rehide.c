#include "radius/rehide.h"

#include <openssl/crypto.h>

#include "radius/key_private.h"
#include "radius/md5_many.h"

#define BATCH       16u /* keys that are worked on in step */
#define SALT        2u
#define BLOCK       RG_MD5_LENGTH
#define BLOCKS_MOST ((1 + RG_MPPE_KEY_MOST + BLOCK - 1) / BLOCK)

/* One key on its way. */
struct passage {
	struct rg_rehiding *rehiding;
	struct rg_span salt;
	const uint8_t *string;              /* blocks, as they came */
	size_t blocks;                      /* 0: it is bad */
	uint8_t clear[BLOCKS_MOST * BLOCK]; /* the length octet, the key, and what fills it up */
};

/* What is hidden with a secret: later blocks with the block of cipher text before, the first one
 * with authenticator and salt. */
static void add_pad(struct rg_md5_job *job, const struct rg_radius_key *key, const uint8_t *before,
		    struct rg_span salt)
{
	job->key = NULL;
	job->count = 0;
	md5_job_add(job, key_secret(key));
	md5_job_add(job, span_of(before, BLOCK));
	md5_job_add(job, salt);
}

static void exclusive_or(uint8_t *out, const uint8_t *a, const uint8_t *b)
{
	for (size_t i = 0; i < BLOCK; i++)
		out[i] = a[i] ^ b[i];
}

static void begin(struct passage *passage, struct rg_rehiding *rehiding)
{
	struct rg_cursor cursor = cursor_over(rehiding->hidden);
	passage->rehiding = rehiding;
	passage->salt = cursor_take(&cursor, SALT);
	struct rg_span string = cursor_rest(&cursor);
	bool good = !cursor.failed && (passage->salt.data[0] & 0x80) != 0 &&
		    string.length % BLOCK == 0 && string.length / BLOCK <= BLOCKS_MOST;
	passage->string = string.data;
	passage->blocks = good ? string.length / BLOCK : 0;
	rehiding->length = 0;
}

/* All blocks at once: what each was hidden with came with it. */
static void reveal(struct passage *passages, size_t count)
{
	struct rg_md5_job jobs[BATCH * BLOCKS_MOST];
	size_t used = 0;
	for (size_t i = 0; i < count; i++) {
		const struct rg_rehiding *rehiding = passages[i].rehiding;
		for (size_t block = 0; block < passages[i].blocks; block++)
			if (block == 0)
				add_pad(&jobs[used++], rehiding->from, rehiding->from_authenticator,
					passages[i].salt);
			else
				add_pad(&jobs[used++], rehiding->from,
					passages[i].string + (block - 1) * BLOCK, span_of(NULL, 0));
	}
	md5_many(jobs, used);
	used = 0;
	for (size_t i = 0; i < count; i++)
		for (size_t block = 0; block < passages[i].blocks; block++)
			exclusive_or(passages[i].clear + block * BLOCK,
				     passages[i].string + block * BLOCK, jobs[used++].digest);
	OPENSSL_cleanse(jobs, used * sizeof(jobs[0]));
}

/* Only as many blocks as the key needs, with zeros where it ends. */
static void measure(struct passage *passage)
{
	size_t length = passage->blocks ? passage->clear[0] : SIZE_MAX;
	if (length > passage->blocks * BLOCK - 1 || length > RG_MPPE_KEY_MOST) {
		passage->blocks = 0;
		return;
	}
	memset(passage->clear + 1 + length, 0, passage->blocks * BLOCK - 1 - length);
	passage->blocks = (1 + length + BLOCK - 1) / BLOCK;
	passage->rehiding->length = SALT + passage->blocks * BLOCK;
	memcpy(passage->rehiding->anew, passage->salt.data, SALT);
}

/* One block of each. */
static void hide_block(struct passage *passages, size_t count, size_t block)
{
	struct rg_md5_job jobs[BATCH];
	size_t used = 0;
	for (size_t i = 0; i < count; i++) {
		struct rg_rehiding *rehiding = passages[i].rehiding;
		if (block >= passages[i].blocks)
			continue;
		if (block == 0)
			add_pad(&jobs[used++], rehiding->to, rehiding->to_authenticator,
				passages[i].salt);
		else
			add_pad(&jobs[used++], rehiding->to,
				rehiding->anew + SALT + (block - 1) * BLOCK, span_of(NULL, 0));
	}
	md5_many(jobs, used);
	used = 0;
	for (size_t i = 0; i < count; i++)
		if (block < passages[i].blocks)
			exclusive_or(passages[i].rehiding->anew + SALT + block * BLOCK,
				     passages[i].clear + block * BLOCK, jobs[used++].digest);
	OPENSSL_cleanse(jobs, used * sizeof(jobs[0]));
}

static void rehide_batch(struct rg_rehiding *rehidings, size_t count)
{
	struct passage passages[BATCH];
	for (size_t i = 0; i < count; i++)
		begin(&passages[i], &rehidings[i]);
	reveal(passages, count);
	for (size_t i = 0; i < count; i++)
		measure(&passages[i]);
	for (size_t block = 0; block < BLOCKS_MOST; block++)
		hide_block(passages, count, block);
	OPENSSL_cleanse(passages, sizeof(passages));
}

void mppe_rehide(struct rg_rehiding *rehidings, size_t count)
{
	for (size_t at = 0; at < count; at += BATCH)
		rehide_batch(rehidings + at, count - at < BATCH ? count - at : BATCH);
}

/* Many MD5s at once. One alone waits for its own last step all the time; sixteen that go in step
 * fill a processor's registers, and each costs a third of what it costs alone (a fifth with
 * AVX-512). A batch of packets has that many. */
#ifndef RG_RADIUS_MD5_MANY_H
#define RG_RADIUS_MD5_MANY_H
#include <stddef.h>

#include "radius/md5.h"

#define RG_MD5_PARTS 5

/* One message, in pieces that are borrowed. */
struct rg_md5_job {
	const struct rg_hmac_md5 *key; /* HMAC-MD5 with it; NULL: MD5 */
	struct rg_span parts[RG_MD5_PARTS];
	unsigned count;
	uint8_t digest[RG_MD5_LENGTH]; /* the result */
};

static inline void md5_job_add(struct rg_md5_job *job, struct rg_span part)
{
	if (part.length != 0)
		job->parts[job->count++] = part;
}

/* Fills in their digests; leaves nothing of what went through them behind. */
void md5_many(struct rg_md5_job *, size_t count);
#endif

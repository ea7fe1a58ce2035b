/* The authenticators of what leaves. */
#include "radius/key_private.h"
#include "radius/md5_many.h"

#define BATCH 16u /* that are sealed in step */

struct signatures {
	struct rg_md5_job jobs[BATCH];
	uint8_t *places[BATCH]; /* where each digest goes */
	size_t count;
};

static struct rg_md5_job *add(struct signatures *signatures, const struct rg_unsealed *unsealed,
			      size_t offset)
{
	struct rg_buffer packet = buffer_over(unsealed->packet, unsealed->length);
	struct rg_md5_job *job = &signatures->jobs[signatures->count];
	buffer_room(&packet, offset);
	signatures->places[signatures->count++] = buffer_room(&packet, RG_MD5_LENGTH);
	job->key = NULL;
	job->count = 0;
	md5_job_add(job, span_of(unsealed->packet, unsealed->length));
	return job;
}

static void sign(struct signatures *signatures)
{
	md5_many(signatures->jobs, signatures->count);
	for (size_t i = 0; i < signatures->count; i++)
		memcpy(signatures->places[i], signatures->jobs[i].digest, RG_MD5_LENGTH);
	signatures->count = 0;
}

/* RFC 3579 §3.2. */
static void add_message_authenticator(struct signatures *signatures,
				      const struct rg_unsealed *unsealed)
{
	struct rg_cursor cursor = cursor_over(span_of(unsealed->packet, unsealed->length));
	cursor_take(&cursor, RG_RADIUS_HEADER);
	if (cursor_u8(&cursor) == RG_MESSAGE_AUTHENTICATOR)
		add(signatures, unsealed, RG_RADIUS_HEADER + 2)->key = &unsealed->key->hmac;
}

/* RFC 2865 §3, RFC 2866 §3: of all but what bears an authenticator that was drawn. */
static void add_authenticator(struct signatures *signatures, const struct rg_unsealed *unsealed)
{
	uint8_t code = unsealed->packet[0];
	if (code != RG_ACCESS_REQUEST && code != RG_STATUS_SERVER)
		md5_job_add(add(signatures, unsealed, 4), key_secret(unsealed->key));
}

static void seal_batch(const struct rg_unsealed *unsealed, size_t count)
{
	struct signatures signatures;
	signatures.count = 0;
	for (size_t i = 0; i < count; i++)
		if (!key_is_1_1(unsealed[i].key))
			add_message_authenticator(&signatures, &unsealed[i]);
	sign(&signatures); /* what comes next is computed over it */
	for (size_t i = 0; i < count; i++)
		if (!key_is_1_1(unsealed[i].key))
			add_authenticator(&signatures, &unsealed[i]);
	sign(&signatures);
}

void packets_seal(const struct rg_unsealed *unsealed, size_t count)
{
	for (size_t at = 0; at < count; at += BATCH)
		seal_batch(unsealed + at, count - at < BATCH ? count - at : BATCH);
}

struct rg_span packet_seal(uint8_t *out, struct rg_span unsealed, const struct rg_radius_key *key)
{
	struct rg_buffer packet = buffer_over(out, RG_RADIUS_MOST);
	buffer_put(&packet, unsealed);
	if (packet.length != 0)
		packets_seal(&(struct rg_unsealed){out, packet.length, key}, 1);
	return buffer_span(&packet);
}

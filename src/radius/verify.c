/* Are packets what their senders made of them? */
#include <openssl/crypto.h>

#include "radius/key_private.h"
#include "radius/md5_many.h"

#define BATCH 16u /* that are verified in step */

static const uint8_t zeros[RG_AUTHENTICATOR];

/* Which of its authenticators a packet has to be verified by; where it does not: NULL. */
struct digests {
	struct rg_md5_job jobs[2 * BATCH];
	size_t count;
	const struct rg_md5_job *authenticator[BATCH];         /* RFC 2865 §3, RFC 2866 §3 */
	const struct rg_md5_job *message_authenticator[BATCH]; /* RFC 3579 §3.2 */
};

/* Begins a digest with the packet's first four octets, and what stands in for its authenticator. */
static struct rg_md5_job *begin(struct digests *digests, struct rg_cursor *cursor,
				const uint8_t *authenticator)
{
	struct rg_md5_job *job = &digests->jobs[digests->count++];
	job->key = NULL;
	job->count = 0;
	md5_job_add(job, cursor_take(cursor, 4));
	md5_job_add(job, span_of(authenticator ? authenticator : zeros, RG_AUTHENTICATOR));
	cursor_take(cursor, RG_AUTHENTICATOR);
	return job;
}

static struct rg_cursor cursor_of(const struct rg_packet *packet)
{
	return cursor_over(span_of(packet->data, packet->length));
}

/* MD5 over the packet with that authenticator in place (NULL: zeros), and the secret. */
static const struct rg_md5_job *add_authenticator(struct digests *digests,
						  const struct rg_check *check,
						  const uint8_t *authenticator)
{
	struct rg_cursor cursor = cursor_of(check->packet);
	struct rg_md5_job *job = begin(digests, &cursor, authenticator);
	md5_job_add(job, cursor_rest(&cursor));
	md5_job_add(job, key_secret(check->key));
	return job;
}

/* HMAC-MD5 over the packet with that authenticator in place (NULL: zeros), and zeros as the value
 * of the attribute itself. */
static const struct rg_md5_job *add_message_authenticator(struct digests *digests,
							  const struct rg_check *check,
							  const uint8_t *authenticator)
{
	size_t offset = check->packet->first[RG_MESSAGE_AUTHENTICATOR];
	struct rg_cursor cursor = cursor_of(check->packet);
	if (offset == 0)
		return NULL;
	struct rg_md5_job *job = begin(digests, &cursor, authenticator);
	job->key = &check->key->hmac;
	md5_job_add(job, cursor_take(&cursor, offset + 2 - RG_RADIUS_HEADER));
	md5_job_add(job, span_of(zeros, sizeof(zeros)));
	cursor_take(&cursor, RG_AUTHENTICATOR);
	md5_job_add(job, cursor_rest(&cursor));
	return job;
}

static bool asks(const struct rg_packet *packet)
{
	return packet->code == RG_ACCESS_REQUEST || packet->code == RG_STATUS_SERVER;
}

static bool answers(const struct rg_packet *packet)
{
	return packet->code == RG_ACCESS_ACCEPT || packet->code == RG_ACCESS_REJECT ||
	       packet->code == RG_ACCESS_CHALLENGE || packet->code == RG_ACCOUNTING_RESPONSE ||
	       packet->code == RG_PROTOCOL_ERROR;
}

static bool right_code(const struct rg_check *check)
{
	if (check->reply)
		return answers(check->packet);
	return asks(check->packet) || check->packet->code == RG_ACCOUNTING_REQUEST;
}

/* By what number i is to be judged. */
static void prepare(struct digests *digests, size_t i, const struct rg_check *check)
{
	const uint8_t *in_place = check->reply ? check->authenticator : NULL;
	digests->authenticator[i] = digests->message_authenticator[i] = NULL;
	if (!right_code(check) || key_is_1_1(check->key))
		return;
	if (asks(check->packet)) /* its authenticator is drawn, and so says nothing */
		in_place = packet_authenticator(check->packet);
	else
		digests->authenticator[i] = add_authenticator(digests, check, in_place);
	digests->message_authenticator[i] = add_message_authenticator(digests, check, in_place);
}

static bool matches(const struct rg_md5_job *job, struct rg_span said)
{
	return said.length == sizeof(job->digest) &&
	       CRYPTO_memcmp(job->digest, said.data, said.length) == 0;
}

static enum rg_authentic judge_message_authenticator(const struct rg_packet *packet,
						     const struct rg_md5_job *job)
{
	if (!job)
		return RG_AUTHENTIC_ABSENT;
	return matches(job, packet_find(packet, RG_MESSAGE_AUTHENTICATOR)) ? RG_AUTHENTIC
									   : RG_FORGED;
}

/* No RFC says with what in place an Accounting-Response's Message-Authenticator is computed;
 * FreeRADIUS takes zeros, but for an answer to Status-Server. The Response Authenticator has
 * vouched for it already. */
static enum rg_authentic judge_with_zeros(const struct rg_check *check)
{
	struct digests digests = {.count = 0};
	const struct rg_md5_job *job = add_message_authenticator(&digests, check, NULL);
	md5_many(digests.jobs, digests.count);
	return judge_message_authenticator(check->packet, job);
}

static enum rg_authentic judge(const struct digests *digests, size_t i,
			       const struct rg_check *check)
{
	const struct rg_packet *packet = check->packet;
	const struct rg_md5_job *authenticator = digests->authenticator[i];
	if (!right_code(check))
		return RG_FORGED;
	if (key_is_1_1(check->key))
		return RG_AUTHENTIC;
	if (authenticator &&
	    !matches(authenticator, span_of(packet_authenticator(packet), RG_AUTHENTICATOR)))
		return RG_FORGED;
	enum rg_authentic result =
		judge_message_authenticator(packet, digests->message_authenticator[i]);
	if (result == RG_FORGED && packet->code == RG_ACCOUNTING_RESPONSE)
		result = judge_with_zeros(check);
	return result;
}

static void verify_batch(struct rg_check *checks, size_t count)
{
	struct digests digests;
	digests.count = 0;
	for (size_t i = 0; i < count; i++)
		prepare(&digests, i, &checks[i]);
	md5_many(digests.jobs, digests.count);
	for (size_t i = 0; i < count; i++)
		checks[i].result = judge(&digests, i, &checks[i]);
}

void packets_verify(struct rg_check *checks, size_t count)
{
	for (size_t at = 0; at < count; at += BATCH)
		verify_batch(checks + at, count - at < BATCH ? count - at : BATCH);
}

enum rg_authentic request_verify(const struct rg_packet *packet, const struct rg_radius_key *key)
{
	struct rg_check check = {.packet = packet, .key = key};
	packets_verify(&check, 1);
	return check.result;
}

enum rg_authentic reply_verify(const struct rg_packet *packet,
			       const uint8_t authenticator[RG_AUTHENTICATOR],
			       const struct rg_radius_key *key)
{
	struct rg_check check = {
		.packet = packet, .key = key, .reply = true, .authenticator = authenticator};
	packets_verify(&check, 1);
	return check.result;
}

/* Who asked, and what the gateway may say to it: no answer to nobody, one answer to one request, no
 * Accept without every check, nothing gained by a State that is somebody else's. */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define BUCKETS 1024

static struct exchange *buckets[BUCKETS]; /* newest first */

static struct exchange **bucket_of(struct spot from, uint8_t id)
{
	return &buckets[(from.ip * 7 + from.port * 263 + id) % BUCKETS];
}

static bool same_place(const struct exchange *exchange, struct spot from, uint8_t id)
{
	return exchange->id == id && spot_equal(exchange->from, from);
}

struct exchange *exchange_new(struct nas *nas, struct spot from, struct spot to,
			      const struct pdu *pdu)
{
	/* A laptop that asks under the same Identifier again has said the same octets again. */
	for (struct exchange *other = *bucket_of(from, pdu->bytes[1]); other; other = other->next)
		if (same_place(other, from, pdu->bytes[1]) && other->length == pdu->length &&
		    memcmp(other->bytes, pdu->bytes, pdu->length) == 0)
			return other;
	struct exchange *exchange = own(sizeof(*exchange) + pdu->length);
	exchange->nas = nas;
	exchange->from = from;
	exchange->to = to;
	exchange->code = pdu->bytes[0];
	exchange->id = pdu->bytes[1];
	exchange->is_signed = exchange->code == RG_ACCOUNTING_REQUEST ||
			      pdu_count(pdu->bytes, pdu->length, 80) != 0;
	memcpy(exchange->authenticator, pdu->bytes + 4, 16);
	exchange->length = pdu->length;
	memcpy(exchange->bytes, pdu->bytes, pdu->length);
	struct exchange **bucket = bucket_of(from, exchange->id);
	exchange->next = *bucket;
	*bucket = exchange;
	return exchange;
}

void exchange_delivered(struct exchange *exchange)
{
	struct nas *nas = exchange->nas;
	/* Longer ago than any worker lets it lie. A repeat comes to what was taken in before. */
	if (!exchange->delivered && !exchange->is_signed && nas->signed_ns != 0)
		exchange->late = world.now > nas->signed_ns + 6 * RG_SECOND;
	exchange->delivered = true;
	if (exchange->code == RG_ACCESS_REQUEST && exchange->is_signed && nas->signed_ns == 0)
		nas->signed_ns = world.now;
	/* One under the same Identifier is given up by that (RFC 5080 §2.2.2). */
	for (struct exchange *other = *bucket_of(exchange->from, exchange->id); other;
	     other = other->next)
		if (other != exchange && same_place(other, exchange->from, exchange->id))
			other->disturbed = true;
}

static bool answers(const struct exchange *exchange, const uint8_t *bytes, size_t length)
{
	return pdu_reply_signature(bytes, length, exchange->authenticator, exchange->nas->secret) !=
	       WRONG;
}

static struct exchange *find(struct spot to, const uint8_t *bytes, size_t length)
{
	struct exchange *exchange = *bucket_of(to, bytes[1]);
	while (exchange && !(same_place(exchange, to, bytes[1]) && exchange->delivered &&
			     answers(exchange, bytes, length)))
		exchange = exchange->next;
	return exchange;
}

static void check_home_accept(const struct signin *signin)
{
	if (!signin->proven)
		broken("p%u: accepted without proof", signin->number);
	if (!signin->granted_by_directory)
		broken("p%u: accepted without the directory's word", signin->number);
}

/* Who it is, is for our own clients; the federation learns nothing. */
static void check_name(const struct exchange *exchange, const uint8_t *bytes, size_t length)
{
	const struct signin *signin = exchange->signin;
	size_t name_length = 0;
	const uint8_t *name = pdu_find(bytes, length, RG_USER_NAME, 0, &name_length);
	if (exchange->nas == &nases[FEDERATION]) {
		if (name)
			broken("p%u: the federation is told who it is", signin->number);
	} else if (!name || signin_of_name((const char *)name, name_length) != signin) {
		broken("p%u: accepted under another name", signin->number);
	}
}

static void check_keys(const struct exchange *exchange, const uint8_t *bytes, size_t length)
{
	uint8_t msk[64];
	if (!pdu_keys(bytes, length, exchange->authenticator, exchange->nas->secret, msk))
		broken("p%u: an Accept without keys", exchange->signin->number);
	if (exchange->signin->kind != HOME_TLS && memcmp(msk, exchange->signin->msk, 64) != 0)
		broken("p%u: an Accept with keys of another conversation",
		       exchange->signin->number);
}

static void check_accept(const struct exchange *exchange, const uint8_t *bytes, size_t length)
{
	struct signin *signin = exchange->signin;
	if (exchange->code == RG_STATUS_SERVER)
		return;
	if (!signin_may(signin))
		broken("p%u: accepted, and may not come in", signin->number);
	switch (signin->kind) {
	case HOME_TOY:
	case HOME_ASK:
	case HOME_TLS:
		check_home_accept(signin);
		check_name(exchange, bytes, length);
		check_keys(exchange, bytes, length);
		if (++signin->accepts > 1)
			broken("p%u: one conversation, accepted twice", signin->number);
		return;
	case VISITOR:
		check_keys(exchange, bytes, length);
		break;
	case PAP:
		break;
	case LOOP:
	case FOREIGN:
	case KINDS:
		broken("p%u: accepted, of a realm that nobody serves", signin->number);
	}
	if (!signin->accepted_by_home)
		broken("p%u: a visitor whose home never accepted", signin->number);
	if (pdu_count(bytes, length, 11) != 0) /* Filter-Id: the visited network's own business */
		broken("p%u: an attribute of the federation that is not for here", signin->number);
}

static void check_reject(const struct exchange *exchange)
{
	const struct signin *signin = exchange->signin;
	if (exchange->futile)
		return;
	if ((signin->kind == VISITOR || signin->kind == PAP) && !signin->rejected_by_home)
		broken("p%u: a visitor is rejected whose home did not", signin->number);
}

/* RFC 2865 §5.33: all of them, unchanged, in their order. */
static void check_proxy_states(const struct exchange *exchange, const uint8_t *bytes, size_t length)
{
	size_t asked_length, told_length;
	for (unsigned nth = 0;; nth++) {
		const uint8_t *asked = pdu_find(exchange->bytes, exchange->length, RG_PROXY_STATE,
						nth, &asked_length);
		const uint8_t *told = pdu_find(bytes, length, RG_PROXY_STATE, nth, &told_length);
		if (!asked && !told)
			return;
		if (!asked || !told || asked_length != told_length ||
		    memcmp(asked, told, asked_length) != 0)
			broken("an answer whose Proxy-States are not the request's");
	}
}

static void check_accounting(const struct exchange *exchange, const uint8_t *bytes)
{
	if (bytes[0] != RG_ACCOUNTING_RESPONSE || !exchange->signin->accounted)
		broken("p%u: accounting is acknowledged that nobody keeps",
		       exchange->signin->number);
}

/* RFC 3579 §2.4: what fits through a link of that MTU, where it is one. */
static void check_room(const struct exchange *exchange, const uint8_t *bytes, size_t length)
{
	uint8_t eap[RG_RADIUS_MOST];
	const struct signin *signin = exchange->signin;
	if (signin->kind <= HOME_ASK && signin->mtu >= 64 &&
	    pdu_eap(bytes, length, eap) > signin->mtu)
		broken("p%u: an EAP packet larger than its Framed-MTU", signin->number);
}

static void check_first(const struct exchange *exchange, const uint8_t *bytes, size_t length)
{
	uint8_t code = bytes[0];
	bool status = exchange->code == RG_STATUS_SERVER;
	check_proxy_states(exchange, bytes, length);
	if (exchange->late)
		broken("an unsigned request of a client that signs is answered");
	if (exchange->code == RG_ACCOUNTING_REQUEST) {
		check_accounting(exchange, bytes);
		return;
	}
	if (!status)
		check_room(exchange, bytes, length);
	if (exchange->futile && code != RG_ACCESS_REJECT)
		broken("code %u to p%u, who had nothing to go on with", code,
		       exchange->signin->number);
	if (bytes[20] != 80)
		broken("an answer that does not begin with a Message-Authenticator");
	if (code == RG_ACCESS_ACCEPT)
		check_accept(exchange, bytes, length);
	else if (code == RG_ACCESS_REJECT && !status)
		check_reject(exchange);
	else if (code != RG_ACCESS_CHALLENGE || status)
		broken("code %u is no answer to code %u", code, exchange->code);
}

/* RFC 5080 §2.2.2: the same again, byte for byte, for as long as it is kept. Where another worker
 * has the conversation it is kept there, and a repeat finds the way no more once the configuration
 * has lost its realm. */
static void check_repeat(const struct exchange *exchange, const uint8_t *bytes, size_t length)
{
	bool same =
		exchange->answer_length == length && memcmp(exchange->answer, bytes, length) == 0;
	if (!same && !exchange->disturbed && exchange->answered_ns > world.lessened_ns &&
	    world.now < exchange->answered_ns + RG_WINDOW_REPEAT_NS)
		broken("a repeat (Identifier %u) is answered otherwise than before: code %u, then "
		       "%u",
		       exchange->id, exchange->answer[0], bytes[0]);
}

void exchange_answered(struct spot from, struct spot to, const uint8_t *bytes, size_t length)
{
	if (!pdu_whole(bytes, length))
		broken("the gateway sends what is no packet");
	struct exchange *exchange = find(to, bytes, length);
	if (!exchange)
		broken("code %u, Identifier %u to %x:%u, which asked nothing", bytes[0], bytes[1],
		       to.ip, to.port);
	if (!spot_equal(from, exchange->to))
		broken("an answer comes from another address than was asked");
	say("  gateway: code %u, id %u to p%d%s", bytes[0], bytes[1],
	    exchange->signin ? (int)exchange->signin->number : -1,
	    exchange->answer ? " again" : "");
	if (exchange->answer) {
		check_repeat(exchange, bytes, length);
		if (exchange->answer_length == length &&
		    memcmp(exchange->answer, bytes, length) == 0)
			return;
		free(exchange->answer);
	}
	check_first(exchange, bytes, length);
	exchange->answered_ns = world.now;
	exchange->answer = own(length);
	memcpy(exchange->answer, bytes, length);
	exchange->answer_length = length;
}

void exchanges_forget(void)
{
	for (unsigned i = 0; i < BUCKETS; i++) {
		while (buckets[i]) {
			struct exchange *exchange = buckets[i];
			buckets[i] = exchange->next;
			free(exchange->answer);
			free(exchange);
		}
	}
}

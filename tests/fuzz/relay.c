/* What crosses the gateway: a client's request on its way to a peer, and the peer's answer on its
 * way back, in RADIUS and in RADIUS/1.1 on either side. Only what federation.md names crosses, in
 * its order; passwords and keys arrive as they were sent; what leaves is a packet that is believed.
 */
#include "fuzz.h"

#include "radius/key.h"
#include "radius/writer.h"
#include "upstream/compose.h"

#define SESSION_TIMEOUT_MOST 28800

static const uint8_t theirs[RG_AUTHENTICATOR] = "of their packet.",
		     ours[RG_AUTHENTICATOR] = "of our packet...";
static struct rg_radius_key *secrets[2];

/* Types that may cross, but for passwords and keys. */
static const uint8_t out[] = {1, 4, 6, 12, 24, 25, 30, 31, 32, 33, 61, 77, 79, 89, 95, 102, 126};
static const uint8_t out_accounting[] = {5,  40, 41, 42, 43, 44, 45, 46, 47,
					 48, 49, 50, 51, 52, 53, 55, 87};
static const uint8_t in[] = {1, 24, 25, 79, 89, 101};

/* How both sides of the gateway speak. */
struct hops {
	const struct rg_radius_key *from, *to;
	unsigned from_version, to_version;
};

static bool among(const uint8_t *types, size_t count, uint8_t type)
{
	return memchr(types, type, count);
}

static void set_up(void)
{
	if (secrets[0])
		return;
	secrets[0] = radius_key_new(span_text("geheim van niemand"));
	secrets[1] = radius_key_new(span_text("geheim van iemand anders"));
	MUST(secrets[0] && secrets[1]);
}

/* One attribute of a packet: as it is, or a password or a key that is hidden as it should be. */
static void attribute_put(struct rg_buffer *packet, uint8_t type, uint8_t how, struct rg_span value,
			  const struct rg_radius_key *key)
{
	uint8_t memory[256];
	struct rg_buffer hidden = buffer_over(memory, sizeof(memory));
	int length = -1;
	if (type == RG_USER_PASSWORD && (how & 1)) {
		length = password_hide(memory, value, theirs, key);
	} else if (type == RG_VENDOR_SPECIFIC && (how & 1)) {
		buffer_u32(&hidden, RG_VENDOR_MICROSOFT);
		buffer_u8(&hidden, 16 + (how >> 1 & 1));
		length = mppe_hide(memory + 6, sizeof(memory) - 6, value, how, theirs, key);
		buffer_u8(&hidden, (uint8_t)(2 + length));
		length = length < 0 ? -1 : length + 6;
	} else if (type == RG_SESSION_TIMEOUT && (how & 1)) {
		buffer_u32(&hidden, (uint32_t)how << (how >> 3));
		length = 4;
	}
	if (length >= 0 && length <= 253)
		value = span_of(memory, (size_t)length);
	if (value.length > 253)
		return;
	buffer_u8(packet, type);
	buffer_u8(packet, (uint8_t)(2 + value.length));
	buffer_put(packet, value);
}

/* A packet that somebody sent us. False: it is none. */
static bool packet_read(struct rg_packet *packet, uint8_t memory[RG_RADIUS_MOST], uint8_t code,
			struct rg_cursor *cursor, const struct rg_radius_key *key)
{
	struct rg_buffer buffer = buffer_over(memory, RG_RADIUS_MOST);
	unsigned version = radius_key_version(key);
	buffer_u8(&buffer, code);
	buffer_u8(&buffer, version == RG_RADIUS_1_0 ? 7 : 0);
	buffer_u16(&buffer, 0);
	buffer_put(&buffer, span_of(theirs, RG_AUTHENTICATOR));
	for (unsigned many = cursor_u8(cursor) % 32u; many > 0 && cursor_left(cursor) != 0;
	     many--) {
		uint8_t type = cursor_u8(cursor), how = cursor_u8(cursor);
		attribute_put(&buffer, type, how, piece_next(cursor), key);
	}
	if (buffer.failed)
		return false;
	memory[2] = (uint8_t)(buffer.length >> 8);
	memory[3] = (uint8_t)buffer.length;
	return packet_view_version(packet, buffer_span(&buffer), version) == RG_PACKET_OK;
}

/* What left, sealed and read as who gets it does. */
static void arrive(struct rg_packet *packet, uint8_t sealed[RG_RADIUS_MOST],
		   struct rg_span unsealed, const struct hops *hops, bool request)
{
	/* An Accounting-Request has its digests already. */
	struct rg_span whole = unsealed.data[0] == RG_ACCOUNTING_REQUEST
				       ? unsealed
				       : packet_seal(sealed, unsealed, hops->to);
	MUST(packet_view_version(packet, whole, hops->to_version) == RG_PACKET_OK);
	MUST((request ? request_verify(packet, hops->to) : reply_verify(packet, ours, hops->to)) !=
	     RG_FORGED);
}

/* The next attribute but a Message-Authenticator. */
static bool next(const struct rg_packet *packet, struct rg_attribute *attribute)
{
	while (packet_next(packet, attribute))
		if (attribute->type != RG_MESSAGE_AUTHENTICATOR)
			return true;
	return false;
}

/* In RADIUS/1.0 NULs at its end are padding (RFC 2865 §5.2). */
static int password_of(uint8_t clear[128], const struct rg_packet *packet, struct rg_span hidden,
		       const struct rg_radius_key *key)
{
	int length = password_reveal(clear, hidden, packet_authenticator(packet), key);
	while (length > 0 && clear[length - 1] == '\0')
		length--;
	return length;
}

static void same_password(const struct rg_packet *sent, struct rg_span hidden,
			  const struct rg_packet *got, struct rg_span hidden_anew,
			  const struct hops *hops)
{
	uint8_t clear[128], clear_too[128];
	int length = password_of(clear, sent, hidden, hops->from);
	MUST(length >= 0 && length == password_of(clear_too, got, hidden_anew, hops->to) &&
	     memcmp(clear, clear_too, (size_t)length) == 0);
}

static void request(struct rg_cursor *cursor, uint8_t head, const struct hops *hops)
{
	static uint8_t memory[RG_RADIUS_MOST], composed[RG_RADIUS_MOST], sealed[RG_RADIUS_MOST];
	static const uint8_t codes[] = {RG_ACCESS_REQUEST, RG_ACCESS_REQUEST, RG_ACCESS_REQUEST,
					RG_ACCOUNTING_REQUEST};
	struct rg_packet sent, got;
	struct rg_composition composition = {
		.source = &sent,
		.source_key = hops->from,
		.again = head & 8,
		.operator_name = head & 16 ? "1beuningen.nl" : NULL,
		.key = hops->to,
		.token = 9,
		.node = 3,
		.authenticator = ours,
	};
	bool accounting = codes[head >> 5 & 3] == RG_ACCOUNTING_REQUEST;
	bool named = composition.operator_name && !composition.again;
	if (!packet_read(&sent, memory, codes[head >> 5 & 3], cursor, hops->from))
		return;
	struct rg_span unsealed = compose_request(&composition, composed);
	if (unsealed.length == 0)
		return;
	if (sent.attributes + 3 > RG_ATTRIBUTES_MOST)
		return;
	arrive(&got, sealed, unsealed, hops, true);
	struct rg_attribute from = {0}, to = {0};
	while (next(&sent, &from)) {
		bool password = from.type == RG_USER_PASSWORD && !accounting;
		if (!password && !among(out, sizeof(out), from.type) &&
		    !(accounting && among(out_accounting, sizeof(out_accounting), from.type)))
			continue;
		if (from.type == RG_OPERATOR_NAME && named)
			continue;
		MUST(next(&got, &to) && to.type == from.type);
		if (password)
			same_password(&sent, from.value, &got, to.value, hops);
		else
			MUST(span_equal(from.value, to.value));
	}
	if (named)
		MUST(next(&got, &to) && to.type == RG_OPERATOR_NAME &&
		     span_equal(to.value, span_text(composition.operator_name)));
	if (!composition.again)
		MUST(next(&got, &to) && to.type == RG_PROXY_STATE && to.value.length == 3);
	MUST(!next(&got, &to));
}

/* The keys that it bears, one after the other, each behind its type and length. */
static bool keys_of(const struct rg_packet *packet, const uint8_t *authenticator,
		    const struct rg_radius_key *key, struct rg_buffer *keys)
{
	struct rg_attribute attribute = {0};
	bool good = true;
	while (packet_next_of(packet, RG_VENDOR_SPECIFIC, &attribute)) {
		struct rg_cursor cursor = cursor_over(attribute.value);
		if (cursor_u32(&cursor) != RG_VENDOR_MICROSOFT)
			continue;
		while (cursor_left(&cursor) >= 2) {
			uint8_t clear[256], type = cursor_u8(&cursor), length = cursor_u8(&cursor);
			if (length < 2 || cursor_left(&cursor) < length - 2u)
				break;
			struct rg_span hidden = cursor_take(&cursor, length - 2u);
			if (type != 16 && type != 17)
				continue;
			int octets = mppe_reveal(clear, hidden, authenticator, key);
			good = good && octets >= 0;
			buffer_u8(keys, type);
			buffer_u8(keys, (uint8_t)(octets < 0 ? 0 : octets));
			buffer_put(keys, span_of(clear, octets < 0 ? 0 : (size_t)octets));
		}
	}
	return good && !keys->failed;
}

static void same_keys(const struct rg_packet *sent, const struct rg_packet *got,
		      const struct hops *hops)
{
	static uint8_t memory[2][RG_RADIUS_MOST];
	struct rg_buffer before = buffer_over(memory[0], RG_RADIUS_MOST);
	struct rg_buffer after = buffer_over(memory[1], RG_RADIUS_MOST);
	MUST(keys_of(sent, theirs, hops->from, &before) && keys_of(got, ours, hops->to, &after));
	MUST(span_equal(buffer_span(&before), buffer_span(&after)));
}

/* Vendor-Specific ones are keys and nothing else, of which same_keys speaks. */
static bool next_plain(const struct rg_packet *packet, struct rg_attribute *attribute)
{
	while (next(packet, attribute)) {
		if (attribute->type != RG_VENDOR_SPECIFIC)
			return true;
		struct rg_cursor cursor = cursor_over(attribute->value);
		MUST(cursor_u32(&cursor) == RG_VENDOR_MICROSOFT);
		uint8_t type = cursor_u8(&cursor);
		MUST((type == 16 || type == 17) && cursor_u8(&cursor) == cursor_left(&cursor) + 2);
	}
	return false;
}

static void same_reply(const struct rg_packet *sent, const struct rg_packet *got,
		       const struct rg_reply_composition *composition)
{
	struct rg_attribute from = {0}, to = {0};
	uint32_t seconds;
	while (next(sent, &from)) {
		bool timeout = from.type == RG_SESSION_TIMEOUT && from.value.length == 4;
		if (!timeout && !among(in, sizeof(in), from.type))
			continue;
		MUST(next_plain(got, &to) && to.type == from.type);
		if (!timeout) {
			MUST(span_equal(from.value, to.value));
			continue;
		}
		struct rg_cursor cursor = cursor_over(from.value);
		uint32_t asked = cursor_u32(&cursor);
		cursor = cursor_over(to.value);
		seconds = cursor_u32(&cursor);
		MUST(seconds == (asked < SESSION_TIMEOUT_MOST ? asked : SESSION_TIMEOUT_MOST));
	}
	/* And then what we add: to an Accept the site's, and in any case the client's own. */
	if (sent->code == RG_ACCESS_ACCEPT)
		for (struct rg_cursor ends = cursor_over(composition->visitor_reply);
		     cursor_left(&ends) != 0;) {
			MUST(next_plain(got, &to) && to.type == cursor_u8(&ends));
			MUST(span_equal(to.value, cursor_take(&ends, cursor_u8(&ends) - 2u)));
		}
	for (struct rg_cursor states = cursor_over(composition->proxy_states);
	     cursor_left(&states) != 0;) {
		MUST(next_plain(got, &to) && to.type == cursor_u8(&states));
		MUST(span_equal(to.value, cursor_take(&states, cursor_u8(&states) - 2u)));
	}
	MUST(!next_plain(got, &to));
}

static void reply(struct rg_cursor *cursor, uint8_t head, const struct hops *hops)
{
	static uint8_t memory[RG_RADIUS_MOST], composed[RG_RADIUS_MOST], sealed[RG_RADIUS_MOST];
	static const uint8_t codes[] = {RG_ACCESS_ACCEPT, RG_ACCESS_ACCEPT, RG_ACCESS_REJECT,
					RG_ACCESS_CHALLENGE};
	static const uint8_t vlan[] = {64, 6, 0, 0, 0, 13, 65, 6, 0, 0, 0, 6, 81, 4, '4', '2'};
	static const uint8_t states[] = {33, 5, 'a', 'b', 'c', 33, 2, 33, 4, 0, 0xff};
	struct rg_rehiding rehidden[2];
	struct rg_packet sent, got;
	struct rg_reply_composition composition = {
		.answer = &sent,
		.peer_key = hops->from,
		.peer_authenticator = theirs,
		.key = hops->to,
		.authenticator = ours,
		.token = 9,
		.proxy_states = span_of(states, head & 8 ? sizeof(states) : 0),
		.visitor_reply = span_of(vlan, head & 16 ? sizeof(vlan) : 0),
	};
	if (!packet_read(&sent, memory, codes[head >> 5 & 3], cursor, hops->from))
		return;
	/* By the batch, or one by one as it is written. */
	if (head & 0x80) {
		composition.rehidden_count = compose_reply_keys(&composition, rehidden, 2);
		mppe_rehide(rehidden, composition.rehidden_count);
		composition.rehidden = rehidden;
	}
	struct rg_span unsealed = compose_reply(&composition, composed);
	if (unsealed.length == 0)
		return;
	if (sent.attributes + 32 > RG_ATTRIBUTES_MOST)
		return;
	arrive(&got, sealed, unsealed, hops, false);
	MUST(got.code == sent.code && got.token == 9);
	same_reply(&sent, &got, &composition);
	if (sent.code == RG_ACCESS_ACCEPT)
		same_keys(&sent, &got, hops);
	else
		MUST(got.first[RG_VENDOR_SPECIFIC] == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rg_cursor cursor = cursor_over(span_of(data, size));
	uint8_t head = cursor_u8(&cursor);
	set_up();
	struct hops hops = {
		.from = head & 2 ? radius_key_1_1() : secrets[0],
		.to = head & 4 ? radius_key_1_1() : secrets[1],
		.from_version = head & 2 ? RG_RADIUS_1_1 : RG_RADIUS_1_0,
		.to_version = head & 4 ? RG_RADIUS_1_1 : RG_RADIUS_1_0,
	};
	if (head & 1)
		reply(&cursor, head, &hops);
	else
		request(&cursor, head, &hops);
	return 0;
}

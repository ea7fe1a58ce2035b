/* A packet written as the input says, read again and verified: what went in comes out, our own
 * check believes it, and no bit of it may change on its way. */
#include "fuzz.h"

#include "radius/key.h"
#include "radius/packet.h"
#include "radius/writer.h"

static const uint8_t codes[] = {
	RG_ACCESS_REQUEST,      RG_ACCESS_ACCEPT,    RG_ACCESS_REJECT, RG_ACCOUNTING_REQUEST,
	RG_ACCOUNTING_RESPONSE, RG_ACCESS_CHALLENGE, RG_STATUS_SERVER, RG_PROTOCOL_ERROR,
};
static const uint8_t authenticator[RG_AUTHENTICATOR] = "an authenticator";

struct script {
	const struct rg_radius_key *key;
	uint8_t code;
	bool request, v11;
	struct rg_writer writer;
	struct rg_buffer
		expected; /* attributes as they should lie in the packet; MPPE keys blank */
	uint8_t mppe[64]; /* what the last key of type 16 holds */
	size_t mppe_length;
	bool may_fail;
};

static const struct rg_radius_key *key_of_all(void)
{
	static struct rg_radius_key *key;
	if (!key)
		key = radius_key_new(span_text("geheim van niemand"));
	MUST(key);
	return key;
}

static void expect(struct script *script, uint8_t type, struct rg_span value)
{
	buffer_u8(&script->expected, type);
	buffer_u8(&script->expected, (uint8_t)(2 + value.length));
	buffer_put(&script->expected, value);
}

static void add_vendor(struct script *script, uint8_t type, struct rg_span value)
{
	uint8_t memory[256];
	struct rg_buffer whole = buffer_over(memory, sizeof(memory));
	buffer_u32(&whole, RG_VENDOR_MICROSOFT);
	buffer_u8(&whole, type);
	buffer_u8(&whole, (uint8_t)(2 + value.length));
	buffer_put(&whole, value);
	writer_add_vendor(&script->writer, RG_VENDOR_MICROSOFT, type, value);
	if (value.length > 247)
		script->may_fail = true;
	else
		expect(script, RG_VENDOR_SPECIFIC, buffer_span(&whole));
}

static void add_eap(struct script *script, struct rg_span value)
{
	uint8_t memory[1020];
	struct rg_buffer long_one = buffer_over(memory, sizeof(memory));
	for (unsigned i = 0; i < 4; i++)
		buffer_put(&long_one, value);
	struct rg_cursor cursor = cursor_over(buffer_span(&long_one));
	writer_add_eap(&script->writer, buffer_span(&long_one));
	while (cursor_left(&cursor) != 0) {
		size_t left = cursor_left(&cursor);
		expect(script, RG_EAP_MESSAGE, cursor_take(&cursor, left < 253 ? left : 253));
	}
}

/* Of which only the length is known beforehand. */
static void add_mppe(struct script *script, struct rg_span key)
{
	static const uint8_t blank[128];
	size_t hidden = script->v11 ? key.length : 2 + (1 + key.length + 15) / 16 * 16;
	writer_add_mppe_key(&script->writer, 16, key, 0, authenticator);
	if (key.length > 64 || (script->v11 && key.length == 0)) {
		script->may_fail = true;
		return;
	}
	expect(script, RG_VENDOR_SPECIFIC, span_of(blank, 6 + hidden));
	script->mppe_length = key.length;
	if (key.length)
		memcpy(script->mppe, key.data, key.length);
}

static void add(struct script *script, struct rg_cursor *cursor)
{
	uint8_t kind = cursor_u8(cursor), type = cursor_u8(cursor), octets[257];
	struct rg_span value = piece_next(cursor);
	struct rg_buffer encoded = buffer_over(octets, sizeof(octets));
	switch (kind % 6) {
	case 0:
		writer_add(&script->writer, type, value);
		if (value.length > 253 || type == 0 || type == RG_MESSAGE_AUTHENTICATOR)
			script->may_fail = true;
		else
			expect(script, type, value);
		break;
	case 1:
		writer_add_u32(&script->writer, RG_NAS_PORT, kind);
		expect(script, RG_NAS_PORT, span_of((const uint8_t[]){0, 0, 0, kind}, 4));
		break;
	case 2:
		add_vendor(script, type, value);
		break;
	case 3:
		if (type == 0 || type == RG_MESSAGE_AUTHENTICATOR || value.length > 253)
			break;
		buffer_u8(&encoded, type);
		buffer_u8(&encoded, (uint8_t)(2 + value.length));
		buffer_put(&encoded, value);
		writer_add_encoded(&script->writer, buffer_span(&encoded));
		expect(script, type, value);
		break;
	case 4:
		add_eap(script, value);
		break;
	case 5:
		add_mppe(script, value);
		break;
	}
}

static bool is_reply(uint8_t code)
{
	return code == RG_ACCESS_ACCEPT || code == RG_ACCESS_REJECT ||
	       code == RG_ACCESS_CHALLENGE || code == RG_ACCOUNTING_RESPONSE ||
	       code == RG_PROTOCOL_ERROR;
}

static enum rg_authentic verify(const struct script *script, const struct rg_packet *packet)
{
	return script->request ? request_verify(packet, script->key)
			       : reply_verify(packet, authenticator, script->key);
}

/* The attributes in their order; a Message-Authenticator is the first or is not there. */
static void same_attributes(const struct script *script, const struct rg_packet *packet)
{
	struct rg_attribute attribute = {0};
	struct rg_cursor expected = cursor_over(buffer_span(&script->expected));
	bool owed = !script->v11 && script->code != RG_ACCOUNTING_REQUEST &&
		    script->code != RG_ACCOUNTING_RESPONSE;
	if (owed) {
		MUST(packet_next(packet, &attribute));
		MUST(attribute.type == RG_MESSAGE_AUTHENTICATOR && attribute.offset == 20);
	}
	while (packet_next(packet, &attribute)) {
		uint8_t type = cursor_u8(&expected), length = cursor_u8(&expected);
		struct rg_span value = cursor_take(&expected, (size_t)(length - 2));
		MUST(!expected.failed && type == attribute.type);
		MUST(value.length == attribute.value.length);
		bool blank = type == RG_VENDOR_SPECIFIC && value.length > 5 && value.data[0] == 0 &&
			     value.data[2] == 0;
		MUST(blank || span_equal(value, attribute.value));
	}
	MUST(cursor_left(&expected) == 0);
}

static void same_key(const struct script *script, const struct rg_packet *packet)
{
	struct rg_attribute attribute = {0};
	uint8_t out[256];
	bool found = script->mppe_length == 0;
	while (packet_next_of(packet, RG_VENDOR_SPECIFIC, &attribute)) {
		struct rg_cursor cursor = cursor_over(attribute.value);
		cursor_take(&cursor, 6);
		int length = mppe_reveal(out, cursor_rest(&cursor), authenticator, script->key);
		found = found ||
			(length >= 0 && span_equal(span_of(out, (size_t)length),
						   span_of(script->mppe, script->mppe_length)));
	}
	MUST(found);
}

static void bit_turned(const struct script *script, struct rg_span packet, uint16_t where)
{
	uint8_t copy[RG_RADIUS_MOST];
	struct rg_packet view;
	if (script->v11)
		return;
	memcpy(copy, packet.data, packet.length);
	copy[where / 8u % packet.length] ^= (uint8_t)(1u << where % 8u);
	if (packet_view(&view, span_of(copy, packet.length)) != RG_PACKET_OK)
		return;
	enum rg_authentic verdict = verify(script, &view);
	/* Its type was turned: nothing but policy can miss a Message-Authenticator then. */
	bool missed = verdict == RG_AUTHENTIC_ABSENT &&
		      (view.code == RG_ACCESS_REQUEST || packet_must_be_authentic(&view));
	MUST(verdict == RG_FORGED || missed);
}

static void judge(const struct script *script, struct rg_span packet, uint16_t where)
{
	struct rg_packet view;
	unsigned version = script->v11 ? RG_RADIUS_1_1 : RG_RADIUS_1_0;
	if (packet.length == 0) {
		MUST(script->may_fail || script->expected.failed ||
		     script->expected.length + 38 > script->writer.out.capacity);
		return;
	}
	MUST(!script->may_fail);
	enum rg_packet_fault fault = packet_view_version(&view, packet, version);
	if (fault != RG_PACKET_OK) {
		MUST(fault == RG_PACKET_ATTRIBUTES_MANY || fault == RG_PACKET_EAP_WITH_PASSWORD ||
		     (fault == RG_PACKET_CODE && script->code == RG_PROTOCOL_ERROR));
		return;
	}
	MUST(view.length == packet.length && view.code == script->code);
	same_attributes(script, &view);
	same_key(script, &view);
	MUST(verify(script, &view) != RG_FORGED);
	bit_turned(script, packet, where);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t memory[RG_RADIUS_MOST], expected[2 * RG_RADIUS_MOST];
	struct rg_cursor cursor = cursor_over(span_of(data, size));
	uint8_t head = cursor_u8(&cursor), token = cursor_u8(&cursor);
	uint16_t where = cursor_u16(&cursor);
	struct script script = {
		.v11 = head & 8,
		.code = codes[head % 8],
		.expected = buffer_over(expected, sizeof(expected)),
	};
	script.request = !is_reply(script.code);
	script.key = script.v11 ? radius_key_1_1() : key_of_all();
	/* One in two is short of room. */
	size_t capacity = head & 16 ? sizeof(memory) : 20 + where % 1024u;
	writer_begin(&script.writer, memory, capacity, script.code, token, script.key);
	while (!cursor.failed && cursor_left(&cursor) != 0)
		add(&script, &cursor);
	bool accounting = script.code == RG_ACCOUNTING_REQUEST;
	struct rg_span packet =
		script.request ? writer_request(&script.writer, accounting ? NULL : authenticator)
			       : writer_reply(&script.writer, authenticator);
	judge(&script, packet, where);
	return 0;
}

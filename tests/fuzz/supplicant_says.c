#include "supplicant_says.h"

#include "eap/avp.h"
#include "eap/frame.h"
#include "eap/peap_binding.h"
#include "fuzz.h"
#include "roamgate/mschapv2.h"
#include "toy_tls.h"

#define TTLS         21
#define PEAP         25
#define MSCHAPV2     26
#define EXTENSIONS   33
#define MICROSOFT    311
#define FLAG_LENGTH  0x80
#define FLAG_MORE    0x40
#define NONCE_OFFSET (5 + 6 + 8) /* of the server's Result with cryptobinding */

enum saying {
	SAYS_RAW,
	SAYS_RESPONSE, /* of the type that is spoken: a piece as Type-Data */
	SAYS_NAME,
	SAYS_NAK,
	SAYS_HANDSHAKE, /* a piece as a handshake record */
	SAYS_CLEAR,     /* … as a data record */
	SAYS_NOTHING,   /* acknowledges */
	SAYS_INNER,     /* a piece as a Response of the conversation inside */
	SAYS_MSCHAPV2,  /* what is due there of EAP-MSCHAPv2 */
	SAYS_RESULT,    /* PEAP's, with cryptobinding */
	SAYS_PLAIN,     /* TTLS: PAP, or MSCHAPv2 on the tunnel's challenge */
	SAYS_GOODBYE,
	SAYS_HALF, /* a piece as a handshake record, in two */
	SAYS_REST,
	SAYS_BOTH, /* a handshake record, and data behind it in the same message */
	SAYS_RECORDS,
};

void says_begin(struct says *says)
{
	*says = (struct says){.binds = false};
}

void says_end(struct says *says)
{
	says->binds = false;
}

/* What the data records of a message hold. */
static void hear_message(struct says *says)
{
	struct rg_cursor cursor = cursor_over(span_of(says->message, says->message_length));
	struct rg_buffer clear = buffer_over(says->clear, sizeof(says->clear));
	while (cursor_left(&cursor) >= TOY_RECORD) {
		uint8_t type = cursor_u8(&cursor);
		MUST(cursor_u16(&cursor) == 0x0303);
		struct rg_span body = cursor_take(&cursor, cursor_u16(&cursor));
		MUST(!cursor.failed);
		if (type == TOY_DATA)
			buffer_put(&clear, body);
	}
	MUST(cursor_left(&cursor) == 0);
	says->clear_length = clear.length;
}

void says_hear(struct says *says, uint8_t type, struct rg_span typedata)
{
	struct rg_cursor cursor = cursor_over(typedata);
	uint8_t flags = cursor_u8(&cursor);
	if (type != 13 && type != TTLS && type != PEAP)
		return;
	MUST((flags & 0x1f) == 0); /* version 0 of all of them */
	if (flags & FLAG_LENGTH)
		cursor_u32(&cursor);
	struct rg_span data = cursor_rest(&cursor);
	MUST(!cursor.failed);
	says->too_long |= data.length > sizeof(says->message) - says->message_length;
	if (data.length != 0 && !says->too_long) {
		memcpy(says->message + says->message_length, data.data, data.length);
		says->message_length += data.length;
	}
	if (flags & FLAG_MORE)
		return;
	if (!says->too_long)
		hear_message(says);
	says->message_length = 0;
	says->too_long = false;
}

static void response(struct rg_buffer *packet, uint8_t id, uint8_t type, struct rg_span data)
{
	buffer_u8(packet, RG_EAP_CODE_RESPONSE);
	buffer_u8(packet, id);
	buffer_u16(packet, (uint16_t)(RG_EAP_HEADER + data.length));
	buffer_u8(packet, type);
	buffer_put(packet, data);
}

static void record(struct rg_buffer *out, uint8_t type, struct rg_span body)
{
	buffer_u8(out, type);
	buffer_u16(out, 0x0303);
	buffer_u16(out, (uint16_t)body.length);
	buffer_put(out, body);
}

/* In one piece. */
static void message(struct rg_buffer *packet, uint8_t id, uint8_t type, struct rg_span records)
{
	uint8_t memory[1100];
	struct rg_buffer data = buffer_over(memory, sizeof(memory));
	buffer_u8(&data, 0);
	buffer_put(&data, records);
	response(packet, id, type, buffer_span(&data));
}

static void message_of(struct rg_buffer *packet, uint8_t id, uint8_t type, uint8_t kind,
		       struct rg_span body)
{
	uint8_t memory[1000];
	struct rg_buffer records = buffer_over(memory, sizeof(memory));
	record(&records, kind, body);
	message(packet, id, type, buffer_span(&records));
}

static void half(struct says *says, struct rg_buffer *packet, uint8_t id, uint8_t type,
		 struct rg_span body)
{
	uint8_t memory[300], data_memory[300];
	struct rg_buffer records = buffer_over(memory, sizeof(memory));
	struct rg_buffer data = buffer_over(data_memory, sizeof(data_memory));
	record(&records, TOY_HANDSHAKE, body);
	size_t first = records.length / 2;
	buffer_u8(&data, FLAG_LENGTH | FLAG_MORE);
	buffer_u32(&data, (uint32_t)records.length);
	buffer_put(&data, span_of(memory, first));
	says->queued_length = records.length - first;
	memcpy(says->queued, memory + first, says->queued_length);
	response(packet, id, type, buffer_span(&data));
}

/* The EAP packet that the server says in the tunnel: TTLS has it in a pair, PEAP without its
 * header. */
static struct rg_span inner_heard(const struct says *says, uint8_t outer)
{
	struct rg_cursor cursor = cursor_over(span_of(says->clear, says->clear_length));
	struct rg_avp avp;
	if (outer == TTLS)
		return avp_next(&cursor, &avp) ? avp.data : (struct rg_span){0};
	return buffer_span(
		&(struct rg_buffer){(uint8_t *)says->clear, says->clear_length, 0, false});
}

/* A Response inside, as the outer method bears it. */
static void inner_say(const struct says *says, struct rg_buffer *packet, uint8_t id, uint8_t outer,
		      uint8_t type, struct rg_span data)
{
	uint8_t memory[600], pair_memory[640];
	struct rg_buffer inside = buffer_over(memory, sizeof(memory));
	struct rg_buffer pair = buffer_over(pair_memory, sizeof(pair_memory));
	struct rg_span heard = inner_heard(says, outer);
	if (outer == TTLS) {
		response(&inside, heard.length > 1 ? heard.data[1] : 0, type, data);
		avp_write(&pair, 79, 0, buffer_span(&inside));
	} else {
		buffer_u8(&pair, type);
		buffer_put(&pair, data);
	}
	message_of(packet, id, outer, TOY_DATA, buffer_span(&pair));
}

/* Identifier and challenge of MSCHAPv2, wherever the server has put them. */
static void mschapv2_say(struct says *says, struct rg_buffer *packet, uint8_t id, uint8_t outer,
			 uint8_t how, struct rg_span name)
{
	uint8_t memory[400];
	struct rg_buffer data = buffer_over(memory, sizeof(memory));
	struct rg_cursor heard = cursor_over(inner_heard(says, outer));
	if (outer == TTLS)
		cursor_take(&heard, 4);
	cursor_u8(&heard); /* type */
	uint8_t opcode = cursor_u8(&heard), identifier = cursor_u8(&heard);
	if (opcode == 3 || (opcode == 4 && how & 1)) { /* agrees; gives up */
		inner_say(says, packet, id, outer, MSCHAPV2, span_of(&opcode, 1));
		return;
	}
	if (name.length == 0)
		name = span_text(SAYS_IDENTITY);
	memset(says->nt_response, 0x40 + how, sizeof(says->nt_response));
	buffer_u8(&data, 2);
	buffer_u8(&data, identifier);
	buffer_u16(&data, (uint16_t)(5 + RG_MSCHAPV2_RESPONSE + name.length));
	buffer_u8(&data, RG_MSCHAPV2_RESPONSE);
	buffer_put(&data, span_of("a peer challenge\0\0\0\0\0\0\0\0", 24));
	buffer_put(&data, span_of(says->nt_response, 24));
	buffer_u8(&data, 0);
	buffer_put(&data, name);
	inner_say(says, packet, id, outer, MSCHAPV2, buffer_span(&data));
}

/* Of the inner method: EAP-MSCHAPv2's keys, EAP-TLS's, none; NULL: the tunnel was resumed. */
static const uint8_t *isk_of(const struct says *says, uint8_t how, uint8_t isk[RG_BINDING_ISK])
{
	struct rg_mschapv2 core = {.name = ""};
	memset(isk, 0, RG_BINDING_ISK);
	memcpy(core.claim.nt_response, says->nt_response, sizeof(says->nt_response));
	if (how % 4 == 0)
		MUST(mschapv2_keys(&core, (const uint8_t *)"0123456789abcde", isk));
	if (how % 4 == 1)
		toy_exports(isk, RG_BINDING_ISK);
	return how % 4 == 3 ? NULL : isk;
}

/* turned: a bit of the cryptobinding that is not as it should be; empty: none. */
static void result_say(struct says *says, struct rg_buffer *packet, uint8_t id, uint8_t how,
		       struct rg_span turned)
{
	uint8_t memory[128], tlv_memory[6 + RG_BINDING_TLV], material[128], isk[RG_BINDING_ISK];
	struct rg_buffer clear = buffer_over(memory, sizeof(memory));
	struct rg_buffer tlvs = buffer_over(tlv_memory, sizeof(tlv_memory));
	struct rg_peap_binding binding;
	bool heard = says->clear_length >= NONCE_OFFSET + RG_BINDING_NONCE;
	toy_exports(material, sizeof(material));
	MUST(binding_make(&binding, material, isk_of(says, how, isk)));
	if (heard)
		memcpy(binding.nonce, says->clear + NONCE_OFFSET, RG_BINDING_NONCE);
	buffer_u16(&tlvs, 0x8003);
	buffer_u16(&tlvs, 2);
	buffer_u16(&tlvs, how & 4 ? 2 : 1);
	if (how & 8)
		says->binds = false;
	else
		says->binds = binding_write(&binding, RG_BINDING_RESPONSE, &tlvs) && heard;
	/* The reserved octet that begins it is anybody's. */
	if (turned.length != 0 && !(how & 8)) {
		size_t bit = 8 + turned.data[0] % (8u * (RG_BINDING_TLV - 5));
		tlv_memory[6 + 4 + bit / 8] ^= (uint8_t)(1u << bit % 8);
		says->turned = true;
	}
	response(&clear, says->clear_length > 1 ? says->clear[1] : 0, EXTENSIONS,
		 buffer_span(&tlvs));
	message_of(packet, id, PEAP, TOY_DATA, buffer_span(&clear));
}

static void plain_say(struct rg_buffer *packet, uint8_t id, uint8_t outer, uint8_t how,
		      struct rg_span secret)
{
	uint8_t memory[512], challenge[17], value[50] = {0};
	struct rg_buffer clear = buffer_over(memory, sizeof(memory));
	toy_exports(challenge, sizeof(challenge));
	avp_write(&clear, 1, 0, span_text(how & 2 ? "els@beuningen.nl" : SAYS_IDENTITY));
	if (how & 1) {
		avp_write(&clear, 2, 0, secret);
	} else {
		value[0] = challenge[16];
		avp_write(&clear, 11, MICROSOFT, span_of(challenge, 16));
		avp_write(&clear, 25, MICROSOFT, span_of(value, sizeof(value)));
	}
	message_of(packet, id, outer, TOY_DATA, buffer_span(&clear));
}

static void both_say(struct rg_buffer *packet, uint8_t id, uint8_t type, struct rg_span one,
		     struct rg_span other)
{
	uint8_t memory[600];
	struct rg_buffer records = buffer_over(memory, sizeof(memory));
	record(&records, TOY_HANDSHAKE, one);
	record(&records, TOY_DATA, other);
	message(packet, id, type, buffer_span(&records));
}

bool says_next(struct says *says, struct rg_cursor *script, uint8_t type, uint8_t id,
	       struct rg_buffer *packet)
{
	uint8_t octet = cursor_u8(script), how = octet >> 4;
	struct rg_span piece = piece_next(script);
	struct rg_cursor rest;
	uint8_t inner_type;
	says->binds = says->turned = false;
	switch ((enum saying)(octet & 15)) {
	case SAYS_RAW:
		buffer_put(packet, piece);
		break;
	case SAYS_RESPONSE:
		response(packet, how == 15 ? (uint8_t)(id + 1) : id, type, piece);
		break;
	case SAYS_NAME:
		response(packet, id, RG_EAP_IDENTITY, how & 1 ? piece : span_text(SAYS_IDENTITY));
		break;
	case SAYS_NAK:
		response(packet, id, RG_EAP_NAK, piece);
		break;
	case SAYS_HANDSHAKE:
		message_of(packet, id, type, TOY_HANDSHAKE, piece);
		break;
	case SAYS_CLEAR:
		message_of(packet, id, type, TOY_DATA, piece);
		break;
	case SAYS_NOTHING:
		message(packet, id, type, (struct rg_span){0});
		break;
	case SAYS_INNER: /* a type that has no room in the octet begins the piece */
		rest = cursor_over(piece);
		inner_type = how ? how : cursor_u8(&rest);
		inner_say(says, packet, id, type, inner_type, cursor_rest(&rest));
		break;
	case SAYS_MSCHAPV2:
		mschapv2_say(says, packet, id, type, how, piece);
		break;
	case SAYS_RESULT:
		result_say(says, packet, id, how, piece);
		break;
	case SAYS_PLAIN:
		plain_say(packet, id, type, how, piece);
		break;
	case SAYS_GOODBYE:
		return false;
	case SAYS_HALF:
		half(says, packet, id, type, piece);
		break;
	case SAYS_REST:
		message(packet, id, type, span_of(says->queued, says->queued_length));
		break;
	case SAYS_BOTH:
		both_say(packet, id, type, piece, piece_next(script));
		break;
	case SAYS_RECORDS: /* whatever its records are */
		message(packet, id, type, piece);
		break;
	}
	return true;
}

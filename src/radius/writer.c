#include "radius/writer.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>


#define ATTRIBUTE_MOST   253 /* octets of a value */
#define MS_MPPE_SEND_KEY 16
#define MS_MPPE_RECV_KEY 17
#define MPPE_HIDDEN      82 /* salt, length octet and up to 64 octets of key in blocks of 16 */

/* RFC 2865 §3; RADIUS/1.1 has a Token where the authenticator began, and nothing else (RFC 9765
 * §4.1). Length and authenticator follow once they are known. */
static void add_header(struct rg_writer *writer, uint8_t code, uint32_t token)
{
	uint8_t *header = buffer_room(&writer->out, RG_RADIUS_HEADER);
	if (!header)
		return;
	memset(header, 0, RG_RADIUS_HEADER);
	header[0] = code;
	if (writer->version == RG_RADIUS_1_1) {
		struct rg_buffer place = buffer_over(header + 4, 4);
		buffer_u32(&place, token);
	} else {
		header[1] = (uint8_t)token;
		writer->out.failed = token > UINT8_MAX;
	}
}

void writer_begin(struct rg_writer *writer, void *memory, size_t capacity, uint8_t code,
		  uint32_t token, const struct rg_radius_key *key)
{
	if (capacity > RG_RADIUS_MOST)
		capacity = RG_RADIUS_MOST;
	*writer = (struct rg_writer){
		.out = buffer_over(memory, capacity),
		.key = key,
		.version = radius_key_version(key),
	};
	add_header(writer, code, token);
	if (code != RG_ACCOUNTING_REQUEST && code != RG_ACCOUNTING_RESPONSE)
		writer_add_message_authenticator(writer);
}

void writer_add_message_authenticator(struct rg_writer *writer)
{
	if (writer->message_authenticator || writer->version == RG_RADIUS_1_1)
		return;
	if (writer->out.length != RG_RADIUS_HEADER) {
		writer->out.failed = true;
		return;
	}
	buffer_u8(&writer->out, RG_MESSAGE_AUTHENTICATOR);
	buffer_u8(&writer->out, 2 + RG_AUTHENTICATOR);
	uint8_t *value = buffer_room(&writer->out, RG_AUTHENTICATOR);
	if (value)
		memset(value, 0, RG_AUTHENTICATOR);
	writer->message_authenticator = true;
}

void writer_add(struct rg_writer *writer, uint8_t type, struct rg_span value)
{
	if (value.length > ATTRIBUTE_MOST || type == RG_MESSAGE_AUTHENTICATOR || type == 0) {
		writer->out.failed = true;
		return;
	}
	buffer_u8(&writer->out, type);
	buffer_u8(&writer->out, (uint8_t)(2 + value.length));
	buffer_put(&writer->out, value);
}

void writer_add_u32(struct rg_writer *writer, uint8_t type, uint32_t value)
{
	uint8_t octets[4];
	struct rg_buffer buffer = buffer_over(octets, sizeof(octets));
	buffer_u32(&buffer, value);
	writer_add(writer, type, buffer_span(&buffer));
}

void writer_add_vendor(struct rg_writer *writer, uint32_t vendor, uint8_t type,
		       struct rg_span value)
{
	if (value.length > ATTRIBUTE_MOST - 6) {
		writer->out.failed = true;
		return;
	}
	buffer_u8(&writer->out, RG_VENDOR_SPECIFIC);
	buffer_u8(&writer->out, (uint8_t)(8 + value.length));
	buffer_u32(&writer->out, vendor);
	buffer_u8(&writer->out, type);
	buffer_u8(&writer->out, (uint8_t)(2 + value.length));
	buffer_put(&writer->out, value);
}

void writer_add_encoded(struct rg_writer *writer, struct rg_span attributes)
{
	buffer_put(&writer->out, attributes);
}

void writer_add_eap(struct rg_writer *writer, struct rg_span eap)
{
	struct rg_cursor cursor = cursor_over(eap);
	while (cursor_left(&cursor) != 0) {
		size_t left = cursor_left(&cursor);
		writer_add(writer, RG_EAP_MESSAGE,
			   cursor_take(&cursor, left < ATTRIBUTE_MOST ? left : ATTRIBUTE_MOST));
	}
}

/* RFC 2548 §2.4.2: salts of one packet differ, or its keys were hidden with one pad. */
static bool next_salt(struct rg_writer *writer)
{
	uint8_t drawn[2];
	if (writer->salt != 0) {
		writer->salt = (uint16_t)(writer->salt + 1) | 0x8000;
		return true;
	}
	if (RAND_bytes(drawn, sizeof(drawn)) != 1)
		return false;
	struct rg_cursor cursor = cursor_over(span_of(drawn, sizeof(drawn)));
	writer->salt = cursor_u16(&cursor) | 0x8000;
	return true;
}

void writer_add_mppe_key(struct rg_writer *writer, uint8_t type, struct rg_span key, uint16_t salt,
			 const uint8_t authenticator[16])
{
	uint8_t hidden[MPPE_HIDDEN];
	if (salt == 0 && writer->version == RG_RADIUS_1_0) {
		if (!next_salt(writer)) {
			writer->out.failed = true;
			return;
		}
		salt = writer->salt;
	}
	int length = mppe_hide(hidden, sizeof(hidden), key, salt, authenticator, writer->key);
	if (length < 0)
		writer->out.failed = true;
	else
		writer_add_vendor(writer, RG_VENDOR_MICROSOFT, type,
				  span_of(hidden, (size_t)length));
	OPENSSL_cleanse(hidden, sizeof(hidden)); /* in RADIUS/1.1 it is the key itself */
}

void writer_add_mppe(struct rg_writer *writer, const uint8_t msk[64],
		     const uint8_t authenticator[16])
{
	writer_add_mppe_key(writer, MS_MPPE_RECV_KEY, span_of(msk, 32), 0, authenticator);
	writer_add_mppe_key(writer, MS_MPPE_SEND_KEY, span_of(msk + 32, 32), 0, authenticator);
}

/* Writes octets over those that writer_begin left room for. */
static void set(struct rg_writer *writer, size_t offset, struct rg_span value)
{
	struct rg_buffer window = buffer_over(writer->out.data, writer->out.length);
	buffer_room(&window, offset);
	buffer_put(&window, value);
}

struct rg_span writer_unsealed(struct rg_writer *writer, const uint8_t *authenticator)
{
	uint8_t length[2];
	struct rg_buffer buffer = buffer_over(length, sizeof(length));
	if (writer->out.failed)
		return span_of(NULL, 0);
	buffer_u16(&buffer, (uint16_t)writer->out.length);
	set(writer, 2, buffer_span(&buffer));
	if (authenticator && writer->version != RG_RADIUS_1_1)
		set(writer, 4, span_of(authenticator, RG_AUTHENTICATOR));
	return buffer_span(&writer->out);
}

static struct rg_span seal(struct rg_writer *writer, const uint8_t *authenticator)
{
	struct rg_span packet = writer_unsealed(writer, authenticator);
	if (packet.length != 0)
		packets_seal(&(struct rg_unsealed){writer->out.data, packet.length, writer->key}, 1);
	return packet;
}

struct rg_span writer_request(struct rg_writer *writer, const uint8_t authenticator[16])
{
	return seal(writer, authenticator);
}

struct rg_span writer_reply(struct rg_writer *writer, const uint8_t request_authenticator[16])
{
	return seal(writer, request_authenticator);
}

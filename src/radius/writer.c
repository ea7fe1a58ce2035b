#include "radius/writer.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "radius/key_digest.h"

#define ATTRIBUTE_MOST   253 /* octets of a value */
#define MS_MPPE_SEND_KEY 16
#define MS_MPPE_RECV_KEY 17
#define MPPE_HIDDEN      82 /* salt, length octet and up to 64 octets of key in blocks of 16 */

void writer_begin(struct rg_writer *writer, void *memory, size_t capacity, uint8_t code, uint8_t id)
{
	if (capacity > RG_RADIUS_MOST)
		capacity = RG_RADIUS_MOST;
	*writer = (struct rg_writer){.out = buffer_over(memory, capacity)};
	buffer_u8(&writer->out, code);
	buffer_u8(&writer->out, id);
	buffer_u16(&writer->out, 0); /* Length, once it is known */
	uint8_t *authenticator = buffer_room(&writer->out, RG_AUTHENTICATOR);
	if (authenticator)
		memset(authenticator, 0, RG_AUTHENTICATOR);
	if (code != RG_ACCOUNTING_REQUEST && code != RG_ACCOUNTING_RESPONSE)
		writer_add_message_authenticator(writer);
}

void writer_add_message_authenticator(struct rg_writer *writer)
{
	if (writer->message_authenticator)
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

static void add_mppe_key(struct rg_writer *writer, uint8_t type, const uint8_t *half, uint16_t salt,
			 const uint8_t authenticator[16], const struct rg_radius_key *key)
{
	uint8_t hidden[MPPE_HIDDEN];
	int length = mppe_hide(hidden, sizeof(hidden), span_of(half, 32), salt, authenticator, key);
	if (length < 0)
		writer->out.failed = true;
	else
		writer_add_vendor(writer, RG_VENDOR_MICROSOFT, type,
				  span_of(hidden, (size_t)length));
}

void writer_add_mppe(struct rg_writer *writer, const uint8_t msk[64],
		     const uint8_t authenticator[16], const struct rg_radius_key *key)
{
	uint8_t drawn[4];
	if (RAND_bytes(drawn, sizeof(drawn)) != 1) {
		writer->out.failed = true;
		return;
	}
	struct rg_cursor cursor = cursor_over(span_of(drawn, sizeof(drawn)));
	uint16_t receive = cursor_u16(&cursor) | 0x8000, send = cursor_u16(&cursor) | 0x8000;
	/* RFC 2548 §2.4.2: salts of one packet differ, or both keys were hidden with one pad. */
	if (send == receive)
		send ^= 1;
	add_mppe_key(writer, MS_MPPE_RECV_KEY, msk, receive, authenticator, key);
	add_mppe_key(writer, MS_MPPE_SEND_KEY, msk + 32, send, authenticator, key);
}

/* Writes octets over those that writer_begin left room for. */
static void set(struct rg_writer *writer, size_t offset, struct rg_span value)
{
	struct rg_buffer window = buffer_over(writer->out.data, writer->out.length);
	buffer_room(&window, offset);
	buffer_put(&window, value);
}

static bool set_length(struct rg_writer *writer)
{
	uint8_t length[2];
	struct rg_buffer buffer = buffer_over(length, sizeof(length));
	if (writer->out.failed)
		return false;
	buffer_u16(&buffer, (uint16_t)writer->out.length);
	set(writer, 2, buffer_span(&buffer));
	return true;
}

static void set_message_authenticator(struct rg_writer *writer, const uint8_t *authenticator,
				      const struct rg_radius_key *key)
{
	uint8_t digest[RG_AUTHENTICATOR];
	if (!writer->message_authenticator)
		return;
	key_message_authenticator(key, buffer_span(&writer->out), RG_RADIUS_HEADER, authenticator,
				  digest);
	set(writer, RG_RADIUS_HEADER + 2, span_of(digest, sizeof(digest)));
}

struct rg_span writer_request(struct rg_writer *writer, const uint8_t authenticator[16],
			      const struct rg_radius_key *key)
{
	uint8_t digest[RG_AUTHENTICATOR];
	if (!set_length(writer))
		return span_of(NULL, 0);
	set_message_authenticator(writer, authenticator, key);
	if (!authenticator) {
		key_packet_digest(key, buffer_span(&writer->out), NULL, digest);
		authenticator = digest;
	}
	set(writer, 4, span_of(authenticator, RG_AUTHENTICATOR));
	return buffer_span(&writer->out);
}

struct rg_span writer_reply(struct rg_writer *writer, const uint8_t request_authenticator[16],
			    const struct rg_radius_key *key)
{
	uint8_t digest[RG_AUTHENTICATOR];
	if (!set_length(writer))
		return span_of(NULL, 0);
	set_message_authenticator(writer, request_authenticator, key);
	key_packet_digest(key, buffer_span(&writer->out), request_authenticator, digest);
	set(writer, 4, span_of(digest, sizeof(digest)));
	return buffer_span(&writer->out);
}

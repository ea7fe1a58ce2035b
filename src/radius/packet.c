#include "radius/packet.h"

#define ARAP_PASSWORD 70 /* RFC 3579 §2.6.3 counts it among the passwords */

const char *packet_fault_word(enum rg_packet_fault fault)
{
	switch (fault) {
	case RG_PACKET_OK:
		return "ok";
	case RG_PACKET_SHORT:
		return "short";
	case RG_PACKET_LENGTH:
		return "length";
	case RG_PACKET_CODE:
		return "code";
	case RG_PACKET_ATTRIBUTE_LENGTH:
		return "attribute-length";
	case RG_PACKET_ATTRIBUTE_TYPE:
		return "attribute-type";
	case RG_PACKET_ATTRIBUTES_MANY:
		return "attributes-many";
	case RG_PACKET_MESSAGE_AUTHENTICATOR:
		return "message-authenticator";
	case RG_PACKET_EAP_WITH_PASSWORD:
		return "eap-with-password";
	case RG_PACKET_FAULT_COUNT:
		break;
	}
	return "unknown";
}

static bool code_known(uint8_t code, unsigned version)
{
	return code == RG_ACCESS_REQUEST || code == RG_ACCESS_ACCEPT || code == RG_ACCESS_REJECT ||
	       code == RG_ACCOUNTING_REQUEST || code == RG_ACCOUNTING_RESPONSE ||
	       code == RG_ACCESS_CHALLENGE || code == RG_STATUS_SERVER ||
	       (code == RG_PROTOCOL_ERROR && version == RG_RADIUS_1_1);
}

/* One attribute of the frame (RFC 2865 §5): Length counts its own two octets. */
static enum rg_packet_fault take_attribute(struct rg_packet *packet, struct rg_cursor *cursor)
{
	size_t offset = (size_t)(cursor->at - packet->data);
	uint8_t type = cursor_u8(cursor);
	uint8_t length = cursor_u8(cursor);
	if (cursor->failed || length < 2)
		return RG_PACKET_ATTRIBUTE_LENGTH;
	struct rg_span value = cursor_take(cursor, length - 2u);
	if (cursor->failed)
		return RG_PACKET_ATTRIBUTE_LENGTH;
	if (type == 0)
		return RG_PACKET_ATTRIBUTE_TYPE;
	if (packet->attributes == RG_ATTRIBUTES_MOST)
		return RG_PACKET_ATTRIBUTES_MANY;
	/* A second one would let its sender choose which of them is checked. None is in RADIUS/1.1,
	 * where it has to be ignored (RFC 9765 §5.2). */
	if (type == RG_MESSAGE_AUTHENTICATOR && packet->version == RG_RADIUS_1_0 &&
	    (packet->first[type] != 0 || value.length != RG_AUTHENTICATOR))
		return RG_PACKET_MESSAGE_AUTHENTICATOR;
	packet->attributes++;
	if (packet->first[type] == 0)
		packet->first[type] = (uint16_t)offset;
	return RG_PACKET_OK;
}

enum rg_packet_fault packet_view_version(struct rg_packet *packet, struct rg_span datagram,
					 unsigned version)
{
	memset(packet, 0, sizeof(*packet));
	if (datagram.length < RG_RADIUS_HEADER)
		return RG_PACKET_SHORT;
	struct rg_cursor cursor = cursor_over(datagram);
	packet->data = datagram.data;
	packet->code = cursor_u8(&cursor);
	packet->version = (uint8_t)version;
	packet->token = cursor_u8(&cursor); /* Reserved-1 of RADIUS/1.1 */
	packet->length = cursor_u16(&cursor);
	if (packet->length < RG_RADIUS_HEADER || packet->length > RG_RADIUS_MOST ||
	    packet->length > datagram.length)
		return RG_PACKET_LENGTH;
	if (!code_known(packet->code, version))
		return RG_PACKET_CODE;
	if (version == RG_RADIUS_1_1)
		packet->token = cursor_u32(&cursor);
	cursor = cursor_over(span_of(datagram.data, packet->length));
	cursor_take(&cursor, RG_RADIUS_HEADER);
	while (cursor_left(&cursor) != 0) {
		enum rg_packet_fault fault = take_attribute(packet, &cursor);
		if (fault != RG_PACKET_OK)
			return fault;
	}
	if (packet->first[RG_EAP_MESSAGE] != 0 &&
	    (packet->first[RG_USER_PASSWORD] != 0 || packet->first[RG_CHAP_PASSWORD] != 0 ||
	     packet->first[ARAP_PASSWORD] != 0))
		return RG_PACKET_EAP_WITH_PASSWORD;
	return RG_PACKET_OK;
}

/* The attribute at offset; false: the packet ends there. The frame was checked when it was viewed.
 */
static bool attribute_at(const struct rg_packet *packet, size_t offset,
			 struct rg_attribute *attribute)
{
	struct rg_cursor cursor = cursor_over(span_of(packet->data, packet->length));
	cursor_take(&cursor, offset);
	uint8_t type = cursor_u8(&cursor);
	uint8_t length = cursor_u8(&cursor);
	struct rg_span value = cursor_take(&cursor, length < 2 ? 0 : length - 2u);
	if (cursor.failed)
		return false;
	*attribute = (struct rg_attribute){type, (uint16_t)offset, value};
	return true;
}

struct rg_span packet_find(const struct rg_packet *packet, uint8_t type)
{
	struct rg_attribute attribute;
	if (packet->first[type] == 0 || !attribute_at(packet, packet->first[type], &attribute))
		return span_of(NULL, 0);
	return attribute.value;
}

bool packet_next(const struct rg_packet *packet, struct rg_attribute *attribute)
{
	size_t offset = RG_RADIUS_HEADER;
	if (attribute->offset != 0)
		offset = attribute->offset + 2u + attribute->value.length;
	return attribute_at(packet, offset, attribute);
}

bool packet_next_of(const struct rg_packet *packet, uint8_t type, struct rg_attribute *attribute)
{
	if (packet->first[type] == 0)
		return false;
	if (attribute->offset == 0)
		return attribute_at(packet, packet->first[type], attribute);
	while (packet_next(packet, attribute))
		if (attribute->type == type)
			return true;
	return false;
}

unsigned packet_count(const struct rg_packet *packet, uint8_t type)
{
	unsigned count = 0;
	struct rg_attribute attribute = {0};
	while (packet_next_of(packet, type, &attribute))
		count++;
	return count;
}

bool packet_u32(const struct rg_packet *packet, uint8_t type, uint32_t *value)
{
	struct rg_span span = packet_find(packet, type);
	if (span.length != 4)
		return false;
	struct rg_cursor cursor = cursor_over(span);
	*value = cursor_u32(&cursor);
	return true;
}

bool packet_eap(const struct rg_packet *packet, struct rg_buffer *out)
{
	struct rg_attribute attribute = {0};
	if (packet->first[RG_EAP_MESSAGE] == 0)
		return false;
	while (packet_next_of(packet, RG_EAP_MESSAGE, &attribute))
		buffer_put(out, attribute.value);
	return !out->failed;
}

/* In one Vendor-Specific attribute; data NULL: not there, another vendor's, or not of the usual
 * form throughout, in which case nothing of it is believed. */
static struct rg_span find_in_vendor(struct rg_span value, uint32_t vendor, uint8_t type)
{
	struct rg_span found = {NULL, 0};
	struct rg_cursor cursor = cursor_over(value);
	if (cursor_u32(&cursor) != vendor)
		return found;
	while (cursor_left(&cursor) != 0) {
		uint8_t sub_type = cursor_u8(&cursor);
		uint8_t length = cursor_u8(&cursor);
		struct rg_span sub_value = cursor_take(&cursor, length < 2 ? 0 : length - 2u);
		if (cursor.failed || length < 2)
			return span_of(NULL, 0);
		if (sub_type == type && !found.data)
			found = sub_value;
	}
	return found;
}

struct rg_span packet_find_vendor(const struct rg_packet *packet, uint32_t vendor, uint8_t type)
{
	struct rg_attribute attribute = {0};
	while (packet_next_of(packet, RG_VENDOR_SPECIFIC, &attribute)) {
		struct rg_span found = find_in_vendor(attribute.value, vendor, type);
		if (found.data)
			return found;
	}
	return span_of(NULL, 0);
}

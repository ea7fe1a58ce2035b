#include "radius/shim/libradius.h"

#include "referee_view.h"

#include <stdio.h>

#include "radius/packet.h"

#define VENDOR_CISCO    9

static bool referee_takes(struct rg_span datagram, decode_fail_t *fault)
{
	uint8_t copy[RG_RADIUS_MOST + 64] = {0};
	RADIUS_PACKET packet = {.data = copy, .data_len = datagram.length, .sockfd = -1};
	*fault = DECODE_FAIL_NONE;
	if (datagram.length > sizeof(copy))
		return false;
	if (datagram.length != 0)
		memcpy(copy, datagram.data, datagram.length);
	return rad_packet_ok(&packet, 0, fault);
}

static bool is_octets(const VALUE_PAIR *pair)
{
	return pair->da->type == PW_TYPE_STRING || pair->da->type == PW_TYPE_OCTETS;
}

/* It joins EAP-Message and the like, and fragments (RFC 6929 §2.2). */
static bool is_joined(const DICT_ATTR *known, uint8_t type)
{
	return (known && known->flags.concat) ||
	       (type >= 241 && type <= 246);
}

/* One attribute of ours as FreeRADIUS reads it at the same place; NULL: the same. */
static const char *compare_pairs(const struct rg_attribute *attribute, ssize_t used,
				 VALUE_PAIR *pairs)
{
	const DICT_ATTR *known = dict_attrbyvalue(attribute->type, 0);
	const uint8_t *octet;
	if (is_joined(known, attribute->type))
		return NULL;
	if (used <= 0)
		return "an attribute that it does not read";
	if ((size_t)used != attribute->value.length + 2)
		return "an attribute of another length";
	/* What is in a vendor's is compare_vendor's; it takes those of vendor 0 for attributes of
	 * no vendor. */
	if (!pairs || pairs->da->vendor != 0 || attribute->type == RG_VENDOR_SPECIFIC)
		return NULL;
	if ((pairs->da->attr & 0xff) != attribute->type)
		return "an attribute of another type";
	/* It blanks the tag, even of a Tunnel-Type whose length makes it an unknown one. */
	if ((known && known->flags.has_tag) || pairs->da->attr > 255 || pairs->next ||
	    !is_octets(pairs))
		return NULL;
	ssize_t length = rad_vp2data(&octet, pairs);
	if (length < 0 || !span_equal(span_of(octet, (size_t)length), attribute->value))
		return "an attribute of another value";
	return NULL;
}

static const char *compare_attribute(const struct rg_packet *packet,
				     const struct rg_attribute *attribute)
{
	RADIUS_PACKET outer = {.code = packet->code, .sockfd = -1};
	if (attribute->type == RG_NAS_FILTER_RULE)
		return NULL; /* joined, and read past the packet's end (radius/dictionary.c) */
	TALLOC_CTX *context = talloc_new(NULL);
	VALUE_PAIR *pairs = NULL;
	ssize_t used = rad_attr2vp(context, &outer, NULL, NULL, packet->data + attribute->offset,
				   packet->length - attribute->offset, &pairs);
	const char *fault = compare_pairs(attribute, used, pairs);
	talloc_free(context);
	return fault;
}

static const char *compare_sub_attribute(VALUE_PAIR *pairs, uint32_t vendor, uint8_t type,
					 struct rg_span found)
{
	/* It has no empty ones, and looks at the next. */
	if (found.data && found.length == 0)
		return NULL;
	/* Raw in the eyes of the one, not found by the other. */
	bool raw = !pairs || pairs->da->vendor != vendor;
	if (raw != !found.data)
		return "a sub-attribute that one of us does not find";
	if (raw || pairs->next || pairs->da->flags.has_tag || pairs->da->flags.has_tlv ||
	    !is_octets(pairs))
		return NULL;
	if ((pairs->da->attr & 0xff) != type)
		return "a sub-attribute of another type";
	if (!span_equal(span_of(pairs->vp_octets, pairs->vp_length), found))
		return "a sub-attribute of another value";
	return NULL;
}

/* The sub-attributes of Microsoft and Cisco, which are of the usual form. */
static const char *compare_vendor(const struct rg_packet *packet,
				  const struct rg_attribute *attribute)
{
	RADIUS_PACKET outer = {.code = packet->code, .sockfd = -1};
	struct rg_cursor cursor = cursor_over(attribute->value);
	uint32_t vendor = cursor_u32(&cursor);
	uint8_t type = cursor_u8(&cursor);
	struct rg_packet alone = *packet;
	VALUE_PAIR *pairs = NULL;
	if (cursor.failed || (vendor != RG_VENDOR_MICROSOFT && vendor != VENDOR_CISCO))
		return NULL;
	/* Look at this attribute alone. */
	alone.first[RG_VENDOR_SPECIFIC] = attribute->offset;
	alone.length = attribute->offset + 2u + attribute->value.length;
	TALLOC_CTX *context = talloc_new(NULL);
	ssize_t used = rad_attr2vp(context, &outer, NULL, NULL, packet->data + attribute->offset,
				   attribute->value.length + 2, &pairs);
	const char *fault =
		used > 0 ? compare_sub_attribute(pairs, vendor, type,
						 packet_find_vendor(&alone, vendor, type))
			 : "a vendor's attribute that it does not read";
	talloc_free(context);
	return fault;
}

static bool stands_apart(enum rg_packet_fault fault, const struct rg_packet *packet)
{
	return fault == RG_PACKET_CODE ||
	       (fault == RG_PACKET_LENGTH && packet->length > RG_RADIUS_MOST) ||
	       (fault == RG_PACKET_MESSAGE_AUTHENTICATOR &&
		packet->first[RG_MESSAGE_AUTHENTICATOR]);
}

enum rg_referee referee_view(struct rg_span datagram, char why[160])
{
	struct rg_packet packet;
	struct rg_attribute attribute = {0};
	decode_fail_t theirs;
	enum rg_packet_fault fault = packet_view(&packet, datagram);
	bool taken = referee_takes(datagram, &theirs);
	if (stands_apart(fault, &packet))
		return RG_REFEREE_APART;
	if (fault == RG_PACKET_OK && packet_must_be_authentic(&packet) &&
	    !packet.first[RG_MESSAGE_AUTHENTICATOR] && theirs == DECODE_FAIL_MA_MISSING)
		return RG_REFEREE_APART;
	if ((fault == RG_PACKET_OK) != taken) {
		snprintf(why, 160, "%s here, %d there", packet_fault_word(fault), (int)theirs);
		return RG_REFEREE_DIFFERS;
	}
	if (!taken)
		return RG_REFEREE_BOTH_REFUSE;
	while (packet_next(&packet, &attribute)) {
		const char *differs = compare_attribute(&packet, &attribute);
		if (!differs && attribute.type == RG_VENDOR_SPECIFIC)
			differs = compare_vendor(&packet, &attribute);
		if (differs) {
			snprintf(why, 160, "%s: type %u at %u", differs, attribute.type,
				 attribute.offset);
			return RG_REFEREE_DIFFERS;
		}
	}
	return RG_REFEREE_BOTH_TAKE;
}

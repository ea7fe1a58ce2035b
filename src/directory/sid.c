#include "directory/sid.h"

#include <inttypes.h>
#include <stdio.h>

#define PARTS_MOST 15u

static bool read_number(struct rg_cursor *from, uint64_t most, uint64_t *number)
{
	size_t digits = 0;
	*number = 0;
	while (cursor_left(from) > 0 && *from->at >= '0' && *from->at <= '9') {
		*number = *number * 10 + (cursor_u8(from) - '0');
		if (++digits > 15 || *number > most)
			return false;
	}
	return digits > 0;
}

static void put_part(struct rg_buffer *to, uint32_t part)
{
	for (unsigned shift = 0; shift < 32; shift += 8)
		buffer_u8(to, (uint8_t)(part >> shift));
}

bool sid_parse(struct rg_sid *sid, struct rg_span text)
{
	struct rg_cursor from = cursor_over(text);
	struct rg_buffer to = buffer_over(sid->octets, sizeof(sid->octets));
	uint64_t number = 0;
	unsigned parts = 0;
	sid->length = 0;
	struct rg_span head = cursor_take(&from, 4);
	if (!span_equal(head, span_text("S-1-")) ||
	    !read_number(&from, UINT64_C(0xffffffffffff), &number))
		return false;
	buffer_u8(&to, 1);
	buffer_u8(&to, 0);
	buffer_u16(&to, (uint16_t)(number >> 32));
	buffer_u32(&to, (uint32_t)number);
	while (cursor_left(&from) > 0) {
		if (cursor_u8(&from) != '-' || !read_number(&from, UINT32_MAX, &number))
			return false;
		put_part(&to, (uint32_t)number);
		parts++;
	}
	if (to.failed || parts == 0)
		return false;
	sid->octets[1] = (uint8_t)parts;
	sid->length = to.length;
	return true;
}

bool sid_read(struct rg_sid *sid, struct rg_span octets)
{
	struct rg_cursor from = cursor_over(octets);
	uint8_t revision = cursor_u8(&from), parts = cursor_u8(&from);
	sid->length = 0;
	if (from.failed || revision != 1 || parts == 0 || parts > PARTS_MOST ||
	    octets.length != 8 + 4 * (size_t)parts)
		return false;
	memcpy(sid->octets, octets.data, octets.length);
	sid->length = octets.length;
	return true;
}

bool sid_equal(const struct rg_sid *a, const struct rg_sid *b)
{
	return a->length > 0 &&
	       span_equal(span_of(a->octets, a->length), span_of(b->octets, b->length));
}

struct rg_sid sid_sibling(const struct rg_sid *sid, uint32_t relative)
{
	struct rg_sid sibling = *sid;
	if (sid->length == 0)
		return sibling;
	struct rg_buffer last = buffer_over(sibling.octets + sid->length - 4, 4);
	put_part(&last, relative);
	return sibling;
}

void sid_text(const struct rg_sid *sid, char text[RG_SID_TEXT])
{
	struct rg_cursor from = cursor_over(span_of(sid->octets, sid->length));
	cursor_u16(&from);
	uint64_t authority = (uint64_t)cursor_u16(&from) << 32;
	authority |= cursor_u32(&from);
	int length = snprintf(text, RG_SID_TEXT, "S-1-%" PRIu64, authority);
	while (cursor_left(&from) >= 4) {
		uint32_t part = 0;
		for (unsigned shift = 0; shift < 32; shift += 8)
			part |= (uint32_t)cursor_u8(&from) << shift;
		length += snprintf(text + length, RG_SID_TEXT - (size_t)length, "-%" PRIu32, part);
	}
}

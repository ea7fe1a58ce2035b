#include "eap/avp.h"

#define FLAG_VENDOR    0x80
#define FLAG_MANDATORY 0x40

static size_t padding_of(size_t length)
{
	return (4 - length % 4) % 4;
}

bool avp_next(struct rg_cursor *cursor, struct rg_avp *avp)
{
	if (cursor->failed || cursor_left(cursor) == 0)
		return false;
	avp->code = cursor_u32(cursor);
	uint8_t flags = cursor_u8(cursor);
	size_t length = cursor_u24(cursor); /* header included, padding not */
	size_t header = flags & FLAG_VENDOR ? 12 : 8;
	avp->mandatory = flags & FLAG_MANDATORY;
	avp->vendor = flags & FLAG_VENDOR ? cursor_u32(cursor) : 0;
	if (length < header)
		cursor->failed = true;
	avp->data = cursor_take(cursor, length < header ? 0 : length - header);
	/* The last one's padding is left out by some supplicants. */
	size_t padding = padding_of(length), left = cursor_left(cursor);
	cursor_take(cursor, padding < left ? padding : left);
	return !cursor->failed;
}

void avp_write(struct rg_buffer *out, uint32_t code, uint32_t vendor, struct rg_span data)
{
	static const uint8_t zeros[3];
	size_t length = (vendor ? 12 : 8) + data.length;
	buffer_u32(out, code);
	buffer_u32(out, (uint32_t)(FLAG_MANDATORY | (vendor ? FLAG_VENDOR : 0)) << 24 |
				(uint32_t)length);
	if (vendor)
		buffer_u32(out, vendor);
	buffer_put(out, data);
	buffer_put(out, span_of(zeros, padding_of(length)));
}

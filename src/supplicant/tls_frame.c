#include "supplicant/tls_frame.h"

#define FLAG_LENGTH 0x80
#define FLAG_MORE   0x40
#define FLAG_START  0x20

/* A handshake of certificates fits in this; RFC 5216 §2.1.5 leaves the bound to us. */
#define MESSAGE_MOST 65536

static enum rg_tls_frame_event broken(const char **why, const char *text)
{
	*why = text;
	return RG_TLS_FRAME_BROKEN;
}

static enum rg_tls_frame_event fragment_in(struct rg_tls_frame *frame, uint8_t flags, size_t total,
					   struct rg_span data, BIO *in, const char **why)
{
	if (!frame->receiving) {
		frame->announced = total;
		frame->received = 0;
	} else if (flags & FLAG_LENGTH && total != frame->announced) {
		return broken(why, "the server changed the length of a message within it");
	}
	frame->received += data.length;
	if (frame->received > MESSAGE_MOST || frame->announced > MESSAGE_MOST)
		return broken(why, "the server sent a message over 64 KiB");
	if (frame->announced != 0 && frame->received > frame->announced)
		return broken(why, "the server sent more than it announced");
	if (data.length != 0 && BIO_write(in, data.data, (int)data.length) != (int)data.length)
		return broken(why, "no memory");
	frame->receiving = flags & FLAG_MORE;
	if (frame->receiving)
		return RG_TLS_FRAME_MORE;
	if (frame->announced != 0 && frame->received != frame->announced)
		return broken(why, "the server sent less than it announced");
	return RG_TLS_FRAME_COMPLETE;
}

enum rg_tls_frame_event tls_frame_in(struct rg_tls_frame *frame, struct rg_span request, BIO *in,
				     const char **why)
{
	struct rg_cursor cursor = cursor_over(request);
	uint8_t flags = cursor_u8(&cursor);
	size_t total = flags & FLAG_LENGTH ? cursor_u32(&cursor) : 0;
	if (cursor.failed)
		return broken(why, "the server sent an EAP packet that is cut short");
	struct rg_span data = cursor_rest(&cursor);
	if (flags & FLAG_START) {
		if (frame->started)
			return broken(why, "the server started a second time");
		frame->started = true;
		return RG_TLS_FRAME_START;
	}
	if (!frame->started)
		return broken(why, "the server sent TLS before it started");
	if (frame->sending) {
		if (data.length != 0 || flags & (FLAG_LENGTH | FLAG_MORE))
			return broken(why, "the server sent data where it owed an ACK");
		return RG_TLS_FRAME_NEXT;
	}
	if (data.length == 0 && !(flags & FLAG_MORE) && !frame->receiving && frame->takes_empty)
		return RG_TLS_FRAME_COMPLETE;
	if (data.length == 0 && !(flags & FLAG_MORE) && !frame->receiving)
		return broken(why, "the server sent an ACK that nothing called for");
	return fragment_in(frame, flags, total, data, in, why);
}

void tls_frame_out(struct rg_tls_frame *frame, BIO *out, size_t room, struct rg_buffer *response)
{
	size_t waiting = BIO_ctrl_pending(out);
	bool first = !frame->sending;
	bool fits = waiting + 1 <= room;
	bool length = first && !fits;
	size_t piece = fits ? waiting : room - (length ? 5 : 1);
	frame->sending = piece < waiting;
	buffer_u8(response,
		  (uint8_t)((length ? FLAG_LENGTH : 0) | (frame->sending ? FLAG_MORE : 0)));
	if (length)
		buffer_u32(response, (uint32_t)waiting);
	uint8_t *data = piece ? buffer_room(response, piece) : NULL;
	if (data && BIO_read(out, data, (int)piece) != (int)piece)
		response->failed = true;
}

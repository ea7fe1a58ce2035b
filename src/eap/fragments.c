#include "eap/fragments.h"

#include <stdlib.h>
#include <string.h>

/* RFC 5216 §3.1 */
#define FLAG_LENGTH  0x80
#define FLAG_MORE    0x40
#define FLAG_START   0x20
#define FLAG_VERSION 0x07

void fragments_init(struct rg_fragments *fragments, uint8_t version)
{
	*fragments = (struct rg_fragments){.version = version & FLAG_VERSION};
}

static void pieces_free(struct rg_pieces *pieces)
{
	free(pieces->data);
	*pieces = (struct rg_pieces){0};
}

void fragments_free(struct rg_fragments *fragments)
{
	pieces_free(&fragments->in);
	pieces_free(&fragments->out);
}

/* Grows with what has arrived, never with what was announced: an announcement costs nothing. */
static bool pieces_add(struct rg_pieces *pieces, struct rg_span data)
{
	if (data.length > RG_FRAGMENTS_MOST - pieces->length)
		return false;
	size_t need = pieces->length + data.length;
	if (need > pieces->capacity) {
		size_t capacity = pieces->capacity ? pieces->capacity : 1024;
		while (capacity < need)
			capacity *= 2;
		uint8_t *grown = realloc(pieces->data, capacity);
		if (!grown)
			return false;
		pieces->data = grown;
		pieces->capacity = capacity;
	}
	if (data.length != 0)
		memcpy(pieces->data + pieces->length, data.data, data.length);
	pieces->length = need;
	return true;
}

/* What is wrong with a piece by itself and after those before it, or NULL. */
static const char *piece_fault(const struct rg_fragments *fragments, uint8_t flags, bool announces,
			       size_t total, size_t length)
{
	bool more = flags & FLAG_MORE;
	size_t announced = fragments->collecting ? fragments->announced : total;
	if (announces && total > RG_FRAGMENTS_MOST)
		return "broken EAP-TLS: a message over 64 KiB";
	if (announces && fragments->collecting && total != fragments->announced)
		return "broken EAP-TLS: the announced length changed";
	if (more && !fragments->collecting && !announces)
		return "broken EAP-TLS: a first fragment without length";
	if (length == 0 && (more || fragments->collecting))
		return "broken EAP-TLS: an empty fragment";
	if (!announces && !fragments->collecting)
		return NULL;
	size_t received = fragments->in.length + length;
	if (received > announced)
		return "broken EAP-TLS: more data than announced";
	if (more && received == announced)
		return "broken EAP-TLS: more fragments than announced";
	if (!more && received < announced)
		return "broken EAP-TLS: less data than announced";
	return NULL;
}

enum rg_fragment fragments_take(struct rg_fragments *fragments, struct rg_span typedata,
				struct rg_span *message, const char **why)
{
	struct rg_cursor cursor = cursor_over(typedata);
	uint8_t flags = cursor_u8(&cursor);
	bool announces = flags & FLAG_LENGTH;
	size_t total = announces ? cursor_u32(&cursor) : 0;
	struct rg_span data = cursor_rest(&cursor);

	*message = span_of(NULL, 0);
	*why = NULL;
	if (cursor.failed)
		*why = "broken EAP-TLS: a truncated header";
	else if (flags & FLAG_START)
		*why = "broken EAP-TLS: the Start flag from a supplicant";
	if (*why)
		return RG_FRAGMENT_BROKEN;

	bool empty = data.length == 0 && !(flags & FLAG_MORE) && total == 0;
	if (fragments->sent != 0 && fragments_pending(fragments) != 0) {
		if (empty)
			return RG_FRAGMENT_NEXT;
		*why = "broken EAP-TLS: data in place of an acknowledgement";
		return RG_FRAGMENT_BROKEN;
	}
	if (empty && !fragments->collecting)
		return RG_FRAGMENT_EMPTY;
	*why = piece_fault(fragments, flags, announces, total, data.length);
	if (*why)
		return RG_FRAGMENT_BROKEN;

	bool more = flags & FLAG_MORE;
	if (!more && !fragments->collecting) {
		*message = data;
		return RG_FRAGMENT_MESSAGE;
	}
	if (!fragments->collecting) {
		fragments->in.length = 0;
		fragments->announced = total;
	}
	if (!pieces_add(&fragments->in, data))
		return RG_FRAGMENT_NO_MEMORY;
	fragments->collecting = more;
	if (more)
		return RG_FRAGMENT_MORE;
	*message = span_of(fragments->in.data, fragments->in.length);
	return RG_FRAGMENT_MESSAGE;
}

bool fragments_append(struct rg_fragments *fragments, struct rg_span data)
{
	return pieces_add(&fragments->out, data);
}

bool fragments_give(struct rg_fragments *fragments, struct rg_buffer *output, size_t room,
		    size_t most)
{
	size_t pending = fragments_pending(fragments);
	if (!fragments->collecting)
		pieces_free(&fragments->in);
	if (room == 0)
		return false;
	if (pending == 0) {
		buffer_u8(output, fragments->version);
		return !output->failed;
	}
	bool first = fragments->sent == 0;
	size_t header = 1;
	size_t piece = room - header < most ? room - header : most;
	if (piece < pending && first) {
		header += 4;
		piece = room <= header ? 0 : room - header < most ? room - header : most;
	}
	if (piece == 0)
		return false;
	bool more = piece < pending;
	if (!more)
		piece = pending;
	buffer_u8(output, (uint8_t)(fragments->version | (header > 1 ? FLAG_LENGTH : 0) |
				    (more ? FLAG_MORE : 0)));
	if (header > 1)
		buffer_u32(output, (uint32_t)fragments->out.length);
	buffer_put(output, span_of(fragments->out.data + fragments->sent, piece));
	if (output->failed)
		return false;
	fragments->sent += piece;
	if (!more) {
		pieces_free(&fragments->out);
		fragments->sent = 0;
	}
	return true;
}

void fragments_start(const struct rg_fragments *fragments, struct rg_buffer *output)
{
	buffer_u8(output, fragments->version | FLAG_START);
}

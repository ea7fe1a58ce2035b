/* What a supplicant sends: EAP packets whose Type-Data are pieces of EAP-TLS messages, one after
 * the other. Each packet of the input is one octet of length and its octets; the collected message
 * is told by a second, simple reading. */
#include "fuzz.h"

#include "eap/fragments.h"
#include "eap/frame.h"

#define FLAG_LENGTH 0x80u
#define FLAG_MORE   0x40u

struct collected {
	uint8_t *data; /* RG_FRAGMENTS_MOST octets */
	size_t length, announced; /* announced: by its first piece; 0: not */
};

/* A piece that was taken: without its flags and length. */
static struct rg_span piece_of(struct rg_span typedata)
{
	struct rg_cursor cursor = cursor_over(typedata);
	if (cursor_u8(&cursor) & FLAG_LENGTH)
		cursor_u32(&cursor);
	return cursor_rest(&cursor);
}

static void collect(struct collected *collected, struct rg_span typedata)
{
	struct rg_span piece = piece_of(typedata);
	struct rg_cursor cursor = cursor_over(typedata);
	bool announces = cursor_u8(&cursor) & FLAG_LENGTH;
	if (collected->length == 0)
		collected->announced = announces ? cursor_u32(&cursor) : 0;
	MUST(piece.length <= RG_FRAGMENTS_MOST - collected->length);
	if (piece.length != 0)
		memcpy(collected->data + collected->length, piece.data, piece.length);
	collected->length += piece.length;
}

/* Gives what is to be said in pieces of that size, as long as the other side asks for more. */
static void give(struct rg_fragments *fragments, size_t room)
{
	uint8_t memory[512];
	struct rg_buffer out = buffer_over(memory, sizeof(memory));
	size_t before = fragments_pending(fragments);
	if (fragments_give(fragments, &out, room, 200)) {
		MUST(out.length >= 1 && out.length <= room);
		MUST(before == 0 || fragments_pending(fragments) < before);
	}
}

/* False: the conversation ends here. */
static bool turn(struct rg_fragments *fragments, struct collected *collected, struct rg_span packet)
{
	struct rg_eap_response response;
	struct rg_span message;
	const char *why;
	if (!eap_response_read(&response, packet))
		return true; /* dropped (RFC 3748 §4.1) */
	MUST(lies_in(response.data, packet) && packet.length >= RG_EAP_HEADER);
	switch (fragments_take(fragments, response.data, &message, &why)) {
	case RG_FRAGMENT_MESSAGE:
		collect(collected, response.data);
		MUST(span_equal(message, span_of(collected->data, collected->length)));
		MUST(collected->announced == 0 || collected->length == collected->announced);
		collected->length = 0;
		MUST(fragments_append(fragments, span_of(collected->data, message.length / 2)));
		break;
	case RG_FRAGMENT_MORE:
		MUST((response.data.data[0] & FLAG_MORE) != 0);
		collect(collected, response.data);
		break;
	case RG_FRAGMENT_NEXT:
	case RG_FRAGMENT_EMPTY:
		MUST(message.length == 0);
		break;
	case RG_FRAGMENT_BROKEN:
		MUST(why);
		return false;
	case RG_FRAGMENT_NO_MEMORY:
		return false;
	}
	MUST(fragments->in.capacity <= RG_FRAGMENTS_MOST);
	give(fragments, 1 + response.id);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t memory[RG_FRAGMENTS_MOST];
	struct collected collected = {memory, 0, 0};
	struct rg_cursor cursor = cursor_over(span_of(data, size));
	struct rg_fragments fragments;
	fragments_init(&fragments, 0);
	while (cursor_left(&cursor) != 0) {
		uint8_t length = cursor_u8(&cursor);
		size_t left = cursor_left(&cursor);
		/* A copy of its own, so that a read past its end is seen. */
		struct rg_span packet = cursor_take(&cursor, length < left ? length : left);
		uint8_t *copy = malloc(packet.length + 1);
		MUST(copy);
		if (packet.length != 0)
			memcpy(copy, packet.data, packet.length);
		bool on = turn(&fragments, &collected, span_of(copy, packet.length));
		free(copy);
		if (!on)
			break;
	}
	fragments_free(&fragments);
	return 0;
}

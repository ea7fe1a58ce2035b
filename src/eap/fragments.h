/* EAP-TLS messages in pieces, both ways (RFC 5216 §2.1.5 and §3): the flags octet, the length, and
 * who has to acknowledge what. Knows nothing of TLS. */
#ifndef RG_EAP_FRAGMENTS_H
#define RG_EAP_FRAGMENTS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "roamgate/span.h"

#define RG_FRAGMENTS_MOST 65536 /* octets of one message, in or out */

struct rg_pieces {
	uint8_t *data;
	size_t length, capacity;
};

struct rg_fragments {
	uint8_t version;      /* low three bits of every flags octet */
	struct rg_pieces in;  /* collected so far; unused by a message in one piece */
	size_t announced;     /* its total, 0: none announced */
	bool collecting;      /* an M flag said that more comes */
	struct rg_pieces out; /* the message to send */
	size_t sent;          /* of it; 0 < sent < out.length: an acknowledgement is due */
};

enum rg_fragment {
	RG_FRAGMENT_MESSAGE, /* a message is complete */
	RG_FRAGMENT_MORE,    /* acknowledge, and wait for the next piece */
	RG_FRAGMENT_NEXT,    /* our piece was acknowledged: give the next */
	RG_FRAGMENT_EMPTY,   /* no data, and none of our pieces waits for an acknowledgement */
	RG_FRAGMENT_BROKEN,  /* *why, static */
	RG_FRAGMENT_NO_MEMORY,
};

void fragments_init(struct rg_fragments *, uint8_t version);
void fragments_free(struct rg_fragments *);

/* Reads the Type-Data of a Response. message is borrowed: from typedata, or until the next call. */
enum rg_fragment fragments_take(struct rg_fragments *, struct rg_span typedata,
				struct rg_span *message, const char **why);

/* More of the message to send. False: too long, or no memory. */
bool fragments_append(struct rg_fragments *, struct rg_span data);
/* Octets not sent yet. */
static inline size_t fragments_pending(const struct rg_fragments *fragments)
{
	return fragments->out.length - fragments->sent;
}

/* Writes the next piece: at most `room` octets of Type-Data, at most `most` of TLS data. With
 * nothing pending it writes an acknowledgement. False: no room. */
bool fragments_give(struct rg_fragments *, struct rg_buffer *output, size_t room, size_t most);

/* Writes the Start packet. */
void fragments_start(const struct rg_fragments *, struct rg_buffer *output);
#endif

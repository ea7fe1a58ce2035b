/* What a supplicant says to the server of conversation.c, each time as an octet of the input has
 * it: anything at all, or what an honest one would say there, so that a fuzzer comes through to the
 * end. It hears what the server says in the tunnel, which toy_tls.h leaves in the clear. */
#ifndef TESTS_FUZZ_SUPPLICANT_SAYS_H
#define TESTS_FUZZ_SUPPLICANT_SAYS_H
#include "roamgate/span.h"

#define SAYS_IDENTITY "jan@beuningen.nl"

struct says {
	uint8_t message[4096],
		clear[4096]; /* of the server: TLS so far; what its last data records held */
	size_t message_length, clear_length;
	bool too_long;       /* the message under way: nobody hears it */
	uint8_t queued[300]; /* the rest of a message in two pieces */
	size_t queued_length;
	uint8_t nt_response[24]; /* said last in MSCHAPv2 */
	/* The packet made last bears PEAP's cryptobinding; and there is a wrong bit in it. */
	bool binds, turned;
};

void says_begin(struct says *);
void says_end(struct says *);
/* The server's Request. */
void says_hear(struct says *, uint8_t type, struct rg_span typedata);
/* The next packet, to a Request of that type (0: none yet) and Identifier. False: it leaves and
 * begins anew. */
bool says_next(struct says *, struct rg_cursor *script, uint8_t type, uint8_t id,
	       struct rg_buffer *packet);
#endif

/* The framing that EAP-TLS and its relatives share, as the peer sees it (RFC 5216 §2.1.5, §3.1):
 * flags, total length, fragments both ways, and ACKs. Octets go straight into and out of the TLS
 * engine's BIOs. */
#ifndef RG_SUPPLICANT_TLS_FRAME_H
#define RG_SUPPLICANT_TLS_FRAME_H
#include <openssl/bio.h>
#include <stdbool.h>
#include <stddef.h>

#include "roamgate/span.h"

struct rg_tls_frame {
	size_t announced, received; /* of the message that is coming in; announced 0: not said */
	bool started, receiving, sending;
	bool takes_empty; /* an empty Request is a turn to speak, as in TTLS (RFC 5281 §9.2) */
};

enum rg_tls_frame_event {
	RG_TLS_FRAME_START,    /* begin */
	RG_TLS_FRAME_MORE,     /* a fragment is kept: answer with an ACK */
	RG_TLS_FRAME_COMPLETE, /* a whole message is in the BIO */
	RG_TLS_FRAME_NEXT,     /* an ACK: send the next fragment */
	RG_TLS_FRAME_BROKEN,   /* *why says how */
};

enum rg_tls_frame_event tls_frame_in(struct rg_tls_frame *, struct rg_span request, BIO *in,
				     const char **why);
/* As much of what waits in `out` as room allows; an ACK where nothing waits. */
void tls_frame_out(struct rg_tls_frame *, BIO *out, size_t room, struct rg_buffer *response);
#endif

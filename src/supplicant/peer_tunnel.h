/* What TTLS and PEAP have in common, as the supplicant plays them: TLS, and a conversation inside.
 */
#ifndef RG_SUPPLICANT_PEER_TUNNEL_H
#define RG_SUPPLICANT_PEER_TUNNEL_H
#include "supplicant/inner.h"
#include "supplicant/tls_peer.h"

#define RG_PEER_TUNNEL_MESSAGE 4096 /* most octets of clear text in one message, either way */

struct rg_peer_tunnel;

/* What one of them does in its own way. Static. */
struct rg_peer_tunnel_kind {
	uint8_t type;          /* EAP method type */
	const char *key_label; /* TLS 1.2's exporter */
	bool takes_empty;      /* an empty Request is one to answer, and no acknowledgement */
	/* TLS is open, and the server said that, or nothing: what to say is added to the answer.
	 * False: the server broke the protocol (tls_peer_broken). */
	bool (*hear)(struct rg_peer_tunnel *, struct rg_span clear, struct rg_buffer *answer);
};

/* The state of such a method begins with one. */
struct rg_peer_tunnel {
	const struct rg_peer_tunnel_kind *kind;
	struct rg_tls_peer tls;
	struct rg_inner inner;
	bool was_open; /* before this Request */
	bool resumed;
};

/* A method's state of that size, zeros but for its tunnel; identity is borrowed. NULL: no memory.
 */
void *peer_tunnel_new(size_t size, const struct rg_peer_tunnel_kind *,
		      struct rg_supplicant_profile *, const char *identity, size_t room);
/* Leaves it to be freed. */
void peer_tunnel_end(struct rg_peer_tunnel *);

/* As struct rg_peer_method has them. */
bool peer_tunnel_respond(void *method, struct rg_span request, struct rg_buffer *response);
void peer_tunnel_accepted(void *method);
void peer_tunnel_report(void *method, struct rg_supplicant_report *);
/* As TLS alone gives them. */
bool peer_tunnel_keys(void *method, uint8_t msk[64]);

/* Takes a Request in. OPEN: clear holds what the server said in the tunnel, or nothing. */
enum rg_peer_tunnel_turn {
	RG_PEER_TUNNEL_OPEN,
	RG_PEER_TUNNEL_SHUT,  /* fragments, the handshake, or a failure of TLS: nothing to hear */
	RG_PEER_TUNNEL_BROKEN /* the server broke the protocol */
};
enum rg_peer_tunnel_turn peer_tunnel_take(struct rg_peer_tunnel *, struct rg_span request,
					  struct rg_buffer *clear);
#endif

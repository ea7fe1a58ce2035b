/* What methods with a tunnel (TTLS, PEAP) share around the TLS engine: the EAP conversation inside,
 * and who it is that the host is asked about. */
#ifndef RG_EAP_TUNNEL_H
#define RG_EAP_TUNNEL_H
#include "eap/conversation.h"
#include "roamgate/tls.h"

#define RG_TUNNEL_MESSAGE 4096 /* most octets of clear text in one message, either way */

struct rg_tunnel {
	const char *label;
	struct rg_tls *tls;
	struct rg_eap_start start;
	bool speaks_eap; /* inner has begun */
	struct rg_conversation inner;
	/* Without EAP inside: who by which method; set by the tunnel's own code. */
	const char *plain;
	char name[256];
	struct rg_proof proof;
};

/* False: no memory. */
bool tunnel_start(struct rg_tunnel *, const struct rg_eap_start *, const struct rg_tls_kind *);
void tunnel_end(struct rg_tunnel *);
/* Sets the step's reason; FAILURE. detail: static, or the method's. */
enum rg_eap_verdict tunnel_fail(struct rg_eap_step *, const char *detail);

/* What the conversation inside has come to, as the tunnel's own verdict. REQUEST: out holds the
 * packet to carry; SUCCESS: the inner method is content. */
enum rg_eap_verdict tunnel_take(struct rg_tunnel *, struct rg_span packet, struct rg_buffer *out,
				struct rg_eap_step *);
enum rg_eap_verdict tunnel_granted(struct rg_tunnel *, struct rg_buffer *out, struct rg_eap_step *);
enum rg_eap_verdict tunnel_answered(struct rg_tunnel *, struct rg_buffer *out,
				    struct rg_eap_step *);

/* Says it in the tunnel, with whatever else waits to be sent; empty: nothing but that. REQUEST, or
 * FAILURE. */
enum rg_eap_verdict tunnel_say(struct rg_tunnel *, struct rg_span clear, struct rg_eap_step *);
/* The last word has been said and heard: SUCCESS, with keys and somebody to resume as; or FAILURE.
 */
enum rg_eap_verdict tunnel_succeed(struct rg_tunnel *, struct rg_eap_step *);

/* As a method's own: after PROVEN, ASK and FAILURE. */
const struct rg_proof *tunnel_proof(struct rg_tunnel *);
#endif

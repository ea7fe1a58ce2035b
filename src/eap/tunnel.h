/* What methods with a tunnel (TTLS, PEAP) share around the TLS engine: what is said in it, the EAP
 * conversation inside, and who it is that the host is asked about. */
#ifndef RG_EAP_TUNNEL_H
#define RG_EAP_TUNNEL_H
#include "eap/conversation.h"
#include "roamgate/tls.h"

#define RG_TUNNEL_MESSAGE 4096 /* most octets of clear text in one message, either way */

struct rg_tunnel;

/* What one of them does in its own way. Static. */
struct rg_tunnel_kind {
	struct rg_tls_kind tls;
	/* TLS is done: nothing is said inside yet, or the session is a resumed one (tls_proof). */
	enum rg_eap_verdict (*established)(struct rg_tunnel *, struct rg_eap_step *);
	/* The supplicant has had what was sent, and says nothing itself. */
	enum rg_eap_verdict (*acknowledged)(struct rg_tunnel *, struct rg_eap_step *);
	/* The supplicant says that. */
	enum rg_eap_verdict (*heard)(struct rg_tunnel *, struct rg_span clear,
				     struct rg_eap_step *);
	/* What the conversation inside has come to. REQUEST: its packet is to be carried over;
	 * SUCCESS: the inner method is content; FAILURE: step->reason says why. */
	enum rg_eap_verdict (*carry)(struct rg_tunnel *, enum rg_eap_verdict, struct rg_span packet,
				     struct rg_eap_step *);
};

/* The state of such a method begins with one. */
struct rg_tunnel {
	const struct rg_tunnel_kind *kind;
	struct rg_tls *tls;
	struct rg_eap_start start;
	bool speaks_eap; /* inner has begun */
	struct rg_conversation inner;
	/* Without EAP inside: who by which method; set by the tunnel's own code. */
	const char *plain;
	char name[256];
	struct rg_proof proof;
};

/* A method's state of that size, zeros but for its tunnel; NULL: no memory. tunnel_end leaves it to
 * be freed. */
void *tunnel_new(size_t size, const struct rg_eap_start *, const struct rg_tunnel_kind *);
void tunnel_end(struct rg_tunnel *);

/* As struct rg_eap_method has them. */
enum rg_eap_verdict tunnel_begin(void *method, struct rg_eap_step *);
enum rg_eap_verdict tunnel_respond(void *method, struct rg_eap_step *);
const struct rg_proof *tunnel_proof(void *method);
void tunnel_accepted(void *method);

/* Sets the step's reason; FAILURE. detail: static, or the method's. */
enum rg_eap_verdict tunnel_fail(struct rg_eap_step *, const char *detail);
/* Has `heard` called with what came behind the handshake already, or with nothing. */
enum rg_eap_verdict tunnel_listen(struct rg_tunnel *, struct rg_eap_step *);
/* Says it in the tunnel, with whatever else waits to be sent; empty: nothing but that. REQUEST, or
 * FAILURE. */
enum rg_eap_verdict tunnel_say(struct rg_tunnel *, struct rg_span clear, struct rg_eap_step *);
/* The last word has been said and heard: SUCCESS, with keys and somebody to resume as; or FAILURE.
 */
enum rg_eap_verdict tunnel_succeed(struct rg_tunnel *, struct rg_eap_step *);

/* The conversation inside goes on: with a packet of the supplicant's, or with what the host has
 * decided. Ends in `carry`. */
enum rg_eap_verdict tunnel_take(struct rg_tunnel *, struct rg_span packet, struct rg_eap_step *);
enum rg_eap_verdict tunnel_granted(struct rg_tunnel *, struct rg_eap_step *);
enum rg_eap_verdict tunnel_answered(struct rg_tunnel *, struct rg_eap_step *);
#endif

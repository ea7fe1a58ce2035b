/* The authenticator's side of one EAP conversation (RFC 3748, RFC 4137): Identity, the choice of a method and
 * NAK, Identifiers, and the method's turns. Knows neither RADIUS nor who is allowed. A tunnel runs a second
 * one inside itself. */
#ifndef RG_EAP_CONVERSATION_H
#define RG_EAP_CONVERSATION_H
#include "eap/frame.h"
#include "roamgate/eap.h"

enum rg_conversation_state {
	RG_CONVERSATION_IDENTITY, /* waits for the Identity */
	RG_CONVERSATION_METHOD,   /* a method speaks */
	RG_CONVERSATION_PROVEN,   /* the method has proof; the host decides */
	RG_CONVERSATION_ASKED,    /* the method has a claim; the host has it verified, and decides */
	RG_CONVERSATION_ENDED,
};

struct rg_conversation {
	enum rg_conversation_state state;
	uint8_t id;                            /* of the Request that is out */
	bool named;                            /* the Identity has come */
	bool spoke;                            /* the supplicant answered this method: no NAK any more */
	char identity[256];                    /* inside a tunnel: the Identity that came; else "" */
	unsigned chosen, offers;
	const struct rg_eap_method *const *methods; /* the realm's, in order, NULL-terminated */
	const struct rg_eap_method *method;
	void *running;                         /* the method's own state */
	struct rg_eap_start start;
	enum rg_reason pending;                /* settled by the method before the conversation ended */
	const char *pending_detail;
	bool refused;                          /* by the host: pending is its answer, and stays until its next */
	uint32_t method_us;                    /* spent inside methods */
};

/* What a turn leads to. */
enum rg_turn {
	RG_TURN_REQUEST, /* out holds the EAP-Request to send */
	RG_TURN_PROVEN,  /* decide, then conversation_granted or conversation_refused */
	RG_TURN_ASK,     /* verify and decide, then conversation_answered */
	RG_TURN_SUCCESS, /* out holds EAP-Success */
	RG_TURN_FAILURE, /* out holds EAP-Failure; result->reason */
	RG_TURN_DISCARD, /* say nothing (RFC 3748 §4.1: wrong Identifier) */
};

struct rg_turn_result {
	enum rg_reason reason;
	const char *detail; /* or NULL; the method's until its end */
};

void conversation_begin(struct rg_conversation *, const struct rg_eap_method *const *methods,
			const struct rg_eap_start *);
/* The one inside a tunnel: its Identity need not be anybody's User-Name, and is kept for the methods. */
void conversation_begin_inner(struct rg_conversation *, const struct rg_eap_start *outer,
			      const char *tunnel);
/* The NAS saw a link come up and has no Identity yet (RFC 3579 §2.1, EAP-Start): out holds the Request for it. */
void conversation_invite(struct rg_conversation *, struct rg_buffer *out);
/* Takes the supplicant's packet. user_name: RADIUS's User-Name, which the EAP-Identity must equal (RFC 3579 §2.1).
 * room: most octets of an EAP packet that the way back carries. out: at least room octets. */
enum rg_turn conversation_turn(struct rg_conversation *, struct rg_span packet,
			       struct rg_span user_name, size_t room, struct rg_buffer *out,
			       struct rg_turn_result *);
/* The packet answers the Request that is out, by its Identifier: while the host decides, another one is none of ours
 * (RFC 3748 §4.1). */
bool conversation_answered_by(const struct rg_conversation *, struct rg_span packet);
/* The host agrees with the proof: the method says its last words. */
enum rg_turn conversation_granted(struct rg_conversation *, size_t room, struct rg_buffer *out,
				  struct rg_turn_result *);
/* What became of the claim: the method says so to the supplicant. */
enum rg_turn conversation_answered(struct rg_conversation *, const struct rg_answer *, size_t room,
				   struct rg_buffer *out, struct rg_turn_result *);
/* The host waits for no packet: it decides. */
static inline bool conversation_waits(const struct rg_conversation *conversation)
{
	return conversation->state == RG_CONVERSATION_PROVEN ||
	       conversation->state == RG_CONVERSATION_ASKED;
}
/* The host does not: EAP-Failure in out. */
void conversation_refused(struct rg_conversation *, struct rg_buffer *out);
const struct rg_proof *conversation_proof(const struct rg_conversation *);
const struct rg_claim *conversation_claim(const struct rg_conversation *); /* NULL: nothing is claimed */
void conversation_end(struct rg_conversation *);
#endif

/* What a turn of a session, or a decision, leads to: a Challenge, an Accept, a Reject, or patience. */
#ifndef RG_REQUEST_VERDICT_H
#define RG_REQUEST_VERDICT_H
#include "eap/session.h"
#include "request/path.h"

/* Acts on a turn. session->request is set; the session may be gone afterwards. */
enum rg_next verdict_turn(struct rg_worker *, struct rg_session *, enum rg_turn, struct rg_buffer *out,
			  const struct rg_turn_result *);
/* Acts on the session's decision, if it is made. */
enum rg_next verdict_decided(struct rg_session *);
/* The method's reason, seen with the eyes of the whole region: a CA that this realm does not know may be that of
 * another of its municipalities. */
enum rg_reason verdict_reason(const struct rg_session *, enum rg_reason);
/* Which method spoke, and over what: for the record of a sign-in that ends, however it does. */
void verdict_note_method(struct rg_session *);
#endif

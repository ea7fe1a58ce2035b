#include "eap/tunnel.h"

bool tunnel_start(struct rg_tunnel *tunnel, const struct rg_eap_start *start,
		  const struct rg_tls_kind *kind)
{
	*tunnel = (struct rg_tunnel){.label = kind->label, .start = *start};
	tunnel->tls = tls_start(start, kind);
	if (tunnel->tls && start->inner)
		conversation_begin_inner(&tunnel->inner, &tunnel->start, kind->label);
	return tunnel->tls;
}

void tunnel_end(struct rg_tunnel *tunnel)
{
	conversation_end(&tunnel->inner);
	tls_end(&tunnel->tls);
}

enum rg_eap_verdict tunnel_fail(struct rg_eap_step *step, const char *detail)
{
	step->reason = RG_REASON_METHOD_REFUSED;
	step->detail = detail;
	return RG_EAP_FAILURE;
}

static enum rg_eap_verdict verdict_of(struct rg_tunnel *tunnel, enum rg_turn turn,
				      const struct rg_turn_result *result, struct rg_eap_step *step)
{
	switch (turn) {
	case RG_TURN_REQUEST:
		/* Where the end is settled inside it is outside as well. */
		step->reason = tunnel->inner.pending;
		step->detail = tunnel->inner.pending_detail;
		return RG_EAP_REQUEST;
	case RG_TURN_PROVEN:
		return RG_EAP_PROVEN;
	case RG_TURN_ASK:
		return RG_EAP_ASK;
	case RG_TURN_SUCCESS:
		return RG_EAP_SUCCESS;
	case RG_TURN_FAILURE:
		step->reason = result->reason;
		step->detail = result->detail;
		return RG_EAP_FAILURE;
	case RG_TURN_DISCARD:
		/* TLS has delivered it, once and in order: there is no right one to wait for. */
		return tunnel_fail(step,
				   "broken EAP in the tunnel: a wrong Identifier, or out of turn");
	}
	return RG_EAP_FAILURE;
}

enum rg_eap_verdict tunnel_take(struct rg_tunnel *tunnel, struct rg_span packet,
				struct rg_buffer *out, struct rg_eap_step *step)
{
	struct rg_turn_result result;
	if (!tunnel->start.inner || !tunnel->start.inner->methods[0])
		return tunnel_fail(step, "the realm offers no EAP method in this tunnel");
	tunnel->speaks_eap = true;
	enum rg_turn turn = conversation_turn(&tunnel->inner, packet, (struct rg_span){0},
					      out->capacity, out, &result);
	return verdict_of(tunnel, turn, &result, step);
}

enum rg_eap_verdict tunnel_granted(struct rg_tunnel *tunnel, struct rg_buffer *out,
				   struct rg_eap_step *step)
{
	struct rg_turn_result result;
	enum rg_turn turn = conversation_granted(&tunnel->inner, out->capacity, out, &result);
	return verdict_of(tunnel, turn, &result, step);
}

enum rg_eap_verdict tunnel_answered(struct rg_tunnel *tunnel, struct rg_buffer *out,
				    struct rg_eap_step *step)
{
	struct rg_turn_result result;
	enum rg_turn turn =
		conversation_answered(&tunnel->inner, step->answer, out->capacity, out, &result);
	return verdict_of(tunnel, turn, &result, step);
}

enum rg_eap_verdict tunnel_say(struct rg_tunnel *tunnel, struct rg_span clear,
			       struct rg_eap_step *step)
{
	if (clear.length != 0 && !tls_write(tunnel->tls, clear)) {
		step->reason = RG_REASON_INTERNAL;
		step->detail = "nothing can be written into the tunnel";
		return RG_EAP_FAILURE;
	}
	return tls_send(tunnel->tls, step) == RG_TLS_SEND ? RG_EAP_REQUEST : RG_EAP_FAILURE;
}

enum rg_eap_verdict tunnel_succeed(struct rg_tunnel *tunnel, struct rg_eap_step *step)
{
	tls_signed_in(tunnel->tls, tunnel_proof(tunnel));
	return tls_close(tunnel->tls, step) ? RG_EAP_SUCCESS : RG_EAP_FAILURE;
}

const struct rg_proof *tunnel_proof(struct rg_tunnel *tunnel)
{
	const struct rg_proof *outer = tls_proof(tunnel->tls), *inner = NULL;
	if (!outer || outer->resumed)
		return outer;
	if (tunnel->speaks_eap)
		inner = conversation_proof(&tunnel->inner);
	if (inner)
		tunnel->proof = *inner;
	else
		tunnel->proof = (struct rg_proof){
			.kind = RG_NAME_INNER,
			.identity = tunnel->name[0] ? tunnel->name : NULL,
		};
	tunnel->proof.inner = tunnel->plain;
	if (tunnel->speaks_eap)
		tunnel->proof.inner = tunnel->inner.method ? tunnel->inner.method->label : NULL;
	tunnel->proof.resumed = false;
	tunnel->proof.tls_version = outer->tls_version;
	return &tunnel->proof;
}

#include "eap/tunnel.h"

#include <stdlib.h>

#include "core/secret.h"

void *tunnel_new(size_t size, const struct rg_eap_start *start, const struct rg_tunnel_kind *kind)
{
	struct rg_tunnel *tunnel = calloc(1, size);
	if (!tunnel)
		return NULL;
	tunnel->kind = kind;
	tunnel->start = *start;
	tunnel->tls = tls_start(start, &kind->tls);
	if (!tunnel->tls) {
		free(tunnel);
		return NULL;
	}
	if (start->inner)
		conversation_begin_inner(&tunnel->inner, &tunnel->start, kind->tls.label);
	return tunnel;
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

enum rg_eap_verdict tunnel_begin(void *method, struct rg_eap_step *step)
{
	struct rg_tunnel *tunnel = method;
	return tls_greet(tunnel->tls, step) == RG_TLS_SEND ? RG_EAP_REQUEST : RG_EAP_FAILURE;
}

enum rg_eap_verdict tunnel_listen(struct rg_tunnel *tunnel, struct rg_eap_step *step)
{
	uint8_t memory[RG_TUNNEL_MESSAGE];
	struct rg_buffer clear = buffer_over(memory, sizeof(memory));
	enum rg_eap_verdict verdict =
		tls_read(tunnel->tls, &clear)
			? tunnel->kind->heard(tunnel, buffer_span(&clear), step)
			: tunnel_fail(step, "the tunnel broke, or a message in it is too long");
	secret_wipe(memory, sizeof(memory));
	return verdict;
}

enum rg_eap_verdict tunnel_respond(void *method, struct rg_eap_step *step)
{
	struct rg_tunnel *tunnel = method;
	switch (tls_respond(tunnel->tls, step)) {
	case RG_TLS_SEND:
		return RG_EAP_REQUEST;
	case RG_TLS_ESTABLISHED:
		return tunnel->kind->established(tunnel, step);
	case RG_TLS_ACKNOWLEDGED:
		return tunnel->kind->acknowledged(tunnel, step);
	case RG_TLS_DATA:
		return tunnel_listen(tunnel, step);
	case RG_TLS_REFUSED:
		return RG_EAP_FAILURE;
	}
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

/* A turn of the conversation inside, and what the tunnel makes of it. */
struct turn {
	uint8_t memory[RG_TUNNEL_MESSAGE];
	struct rg_buffer out;
	struct rg_turn_result result;
};

static enum rg_eap_verdict carry(struct rg_tunnel *tunnel, enum rg_turn came_to,
				 const struct turn *turn, struct rg_eap_step *step)
{
	enum rg_eap_verdict verdict = verdict_of(tunnel, came_to, &turn->result, step);
	return tunnel->kind->carry(tunnel, verdict, buffer_span(&turn->out), step);
}

enum rg_eap_verdict tunnel_take(struct rg_tunnel *tunnel, struct rg_span packet,
				struct rg_eap_step *step)
{
	struct turn turn;
	if (!tunnel->start.inner || !tunnel->start.inner->methods[0])
		return tunnel->kind->carry(
			tunnel, tunnel_fail(step, "the realm offers no EAP method in this tunnel"),
			(struct rg_span){0}, step);
	tunnel->speaks_eap = true;
	turn.out = buffer_over(turn.memory, sizeof(turn.memory));
	enum rg_turn came_to = conversation_turn(&tunnel->inner, packet, (struct rg_span){0},
						 sizeof(turn.memory), &turn.out, &turn.result);
	return carry(tunnel, came_to, &turn, step);
}

enum rg_eap_verdict tunnel_granted(struct rg_tunnel *tunnel, struct rg_eap_step *step)
{
	struct turn turn;
	turn.out = buffer_over(turn.memory, sizeof(turn.memory));
	enum rg_turn came_to =
		conversation_granted(&tunnel->inner, sizeof(turn.memory), &turn.out, &turn.result);
	return carry(tunnel, came_to, &turn, step);
}

enum rg_eap_verdict tunnel_answered(struct rg_tunnel *tunnel, struct rg_eap_step *step)
{
	struct turn turn;
	turn.out = buffer_over(turn.memory, sizeof(turn.memory));
	enum rg_turn came_to = conversation_answered(&tunnel->inner, step->answer,
						     sizeof(turn.memory), &turn.out, &turn.result);
	return carry(tunnel, came_to, &turn, step);
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

const struct rg_proof *tunnel_proof(void *method)
{
	struct rg_tunnel *tunnel = method;
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

void tunnel_accepted(void *method)
{
	struct rg_tunnel *tunnel = method;
	tls_remember(tunnel->tls);
}

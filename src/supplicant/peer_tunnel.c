#include "supplicant/peer_tunnel.h"

#include <openssl/ssl.h>
#include <stdlib.h>

#include "core/secret.h"

void *peer_tunnel_new(size_t size, const struct rg_peer_tunnel_kind *kind,
		      struct rg_supplicant_profile *profile, const char *identity, size_t room)
{
	struct rg_peer_tunnel *tunnel = calloc(1, size);
	if (!tunnel || !tls_peer_open(&tunnel->tls, profile, room)) {
		free(tunnel);
		return NULL;
	}
	tunnel->kind = kind;
	tunnel->tls.frame.takes_empty = kind->takes_empty;
	inner_begin(&tunnel->inner, profile, identity);
	return tunnel;
}

void peer_tunnel_end(struct rg_peer_tunnel *tunnel)
{
	tls_peer_close(&tunnel->tls);
	inner_end(&tunnel->inner);
}

enum rg_peer_tunnel_turn peer_tunnel_take(struct rg_peer_tunnel *tunnel, struct rg_span request,
					  struct rg_buffer *clear)
{
	struct rg_tls_peer *tls = &tunnel->tls;
	bool whole;
	if (!tls_peer_take(tls, request, &whole))
		return RG_PEER_TUNNEL_BROKEN;
	tunnel->was_open = SSL_is_init_finished(tls->ssl);
	if (!whole || !tls_peer_shake(tls))
		return RG_PEER_TUNNEL_SHUT;
	tunnel->resumed = SSL_session_reused(tls->ssl);
	if (tls_peer_read(tls, clear))
		return RG_PEER_TUNNEL_OPEN;
	tls_peer_broken(tls, "the server sent too much into the tunnel");
	return RG_PEER_TUNNEL_BROKEN;
}

static bool speak(struct rg_peer_tunnel *tunnel, struct rg_span clear)
{
	uint8_t memory[RG_PEER_TUNNEL_MESSAGE + 32];
	struct rg_buffer answer = buffer_over(memory, sizeof(memory));
	bool good = tunnel->kind->hear(tunnel, clear, &answer);
	if (good && answer.failed)
		good = tls_peer_broken(&tunnel->tls, "name or password are too long");
	if (good && !tunnel->tls.failed)
		tls_peer_write(&tunnel->tls, buffer_span(&answer));
	secret_wipe(memory, sizeof(memory));
	return good;
}

bool peer_tunnel_respond(void *method, struct rg_span request, struct rg_buffer *response)
{
	struct rg_peer_tunnel *tunnel = method;
	uint8_t memory[RG_PEER_TUNNEL_MESSAGE];
	struct rg_buffer clear = buffer_over(memory, sizeof(memory));
	switch (peer_tunnel_take(tunnel, request, &clear)) {
	case RG_PEER_TUNNEL_OPEN:
		if (!speak(tunnel, buffer_span(&clear)))
			return false;
		break;
	case RG_PEER_TUNNEL_SHUT:
		break;
	case RG_PEER_TUNNEL_BROKEN:
		return false;
	}
	tls_peer_give(&tunnel->tls, response);
	return true;
}

bool peer_tunnel_keys(void *method, uint8_t msk[64])
{
	struct rg_peer_tunnel *tunnel = method;
	uint8_t material[128];
	bool fine = tls_peer_material(&tunnel->tls, tunnel->kind->type, tunnel->kind->key_label,
				      material);
	if (fine)
		memcpy(msk, material, 64);
	secret_wipe(material, sizeof(material));
	return fine;
}

void peer_tunnel_accepted(void *method)
{
	struct rg_peer_tunnel *tunnel = method;
	tls_peer_accepted(&tunnel->tls);
}

void peer_tunnel_report(void *method, struct rg_supplicant_report *report)
{
	struct rg_peer_tunnel *tunnel = method;
	tls_peer_report(&tunnel->tls, report);
	report->inner = tunnel->inner.label;
	if (!report->why && tunnel->inner.why[0]) {
		report->why = tunnel->inner.why;
		report->reason = tunnel->inner.reason;
	}
	if (tunnel->inner.label)
		report->stage = "in the tunnel";
}

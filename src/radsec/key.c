#include "radsec/key.h"

#include "core/once.h"

static struct rg_radius_key *tls, *dtls;
static struct rg_once made = RG_ONCE;

static bool make(void)
{
	if (!tls)
		tls = radius_key_new(span_text("radsec"));
	if (!dtls)
		dtls = radius_key_new(span_text("radius/dtls"));
	return tls && dtls;
}

const struct rg_radius_key *radsec_key(enum rg_transport transport)
{
	if (!once_made(&made, make))
		return NULL;
	switch (transport) {
	case RG_TRANSPORT_TLS:
		return tls;
	case RG_TRANSPORT_DTLS:
		return dtls;
	case RG_TRANSPORT_UDP:
	case RG_TRANSPORT_HTTP:
		break;
	}
	return NULL;
}

#include "radsec/key.h"

#include <pthread.h>

static struct rg_radius_key *tls, *dtls;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make(void)
{
	tls = radius_key_new(span_text("radsec"));
	dtls = radius_key_new(span_text("radius/dtls"));
}

const struct rg_radius_key *radsec_key(enum rg_transport transport)
{
	pthread_once(&once, make);
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

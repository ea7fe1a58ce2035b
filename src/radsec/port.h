/* A port of one worker where RadSec connections come in. */
#ifndef RG_RADSEC_PORT_H
#define RG_RADSEC_PORT_H
#include "radsec/connection.h"

#define RG_PORT_HALF_OPEN_MOST 1024u /* handshakes under way at one port */
#define RG_PORT_CONNECTIONS_MOST 20000u

struct rg_radsec_port;

struct rg_radsec_port_events {
	/* Whether anybody from there is worth a handshake. */
	bool (*knock)(void *owner, const union rg_address *source);
	/* The key of a TLS-PSK identity (RFC 9813), or NULL. Lives until the handshake is over. */
	const struct rg_secret *(*psk)(void *owner, const union rg_address *source,
				       const char *identity);
	/* Somebody came: connection_own it, or connection_end it. */
	void (*arrived)(void *owner, struct rg_connection *);
};

/* transport: tls (fd listens) or dtls (fd is bound). The descriptor is the port's from now on. NULL: no memory, and fd is the
 * caller's. */
struct rg_radsec_port *radsec_port_open(struct rg_connection_place *, enum rg_transport, int fd,
					struct rg_radsec *, const struct rg_radsec_port_events *,
					void *owner);
/* What comes from now on is shown this. */
void radsec_port_renew(struct rg_radsec_port *, struct rg_radsec *);
/* With its connections. */
void radsec_port_close(struct rg_radsec_port **);
/* Each connection that came by it and is open. */
void radsec_port_each(struct rg_radsec_port *, void (*each)(void *context, struct rg_connection *),
		      void *context);
#endif

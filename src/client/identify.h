/* Who is at the other end of a RadSec connection: the client whose name its certificate bears, or whose key it has. */
#ifndef RG_CLIENT_IDENTIFY_H
#define RG_CLIENT_IDENTIFY_H
#include "config/raddb.h"
#include "radsec/connection.h"

/* The first client of that transport (tls or dtls) that the connection may be: by address block, then by TLS-PSK identity or
 * a name of the certificate (draft-ietf-radext-radiusdtls-bis). NULL: nobody. */
const struct rg_client *client_identify(const struct rg_raddb *, enum rg_transport,
					const struct rg_connection *);
/* Whether any client may come by that transport from there: nobody else is worth a handshake. */
bool client_may_come(const struct rg_raddb *, enum rg_transport, const union rg_address *source);
/* The key of a TLS-PSK identity among those that may come from there. NULL: nobody has it. */
const struct rg_secret *client_psk(const struct rg_raddb *, enum rg_transport,
				   const union rg_address *source, const char *identity);
#endif

/* The secrets that RADIUS over TLS and DTLS fixes: TLS is what protects, and the packets keep their form. */
#ifndef RG_RADSEC_KEY_H
#define RG_RADSEC_KEY_H
#include "config/raddb.h"

/* "radsec" (RFC 6614 §2.3) or "radius/dtls" (RFC 7360 §2.1), for the life of the process. transport: tls or dtls. NULL: no
 * memory, or another transport. Any thread. */
const struct rg_radius_key *radsec_key(enum rg_transport transport);
#endif

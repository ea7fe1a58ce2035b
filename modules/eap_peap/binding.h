/* Cryptobinding ([MS-PEAP] §3.1.5.5): a proof that who spoke inside the tunnel also made the
 * tunnel. */
#ifndef EAP_PEAP_BINDING_H
#define EAP_PEAP_BINDING_H
#include <stdbool.h>

#include "roamgate/span.h"

#define BINDING_TLV   60 /* octets, header included */
#define BINDING_NONCE 32
#define BINDING_ISK   32

struct peap_binding {
	uint8_t ipmk[40], cmk[20];
	uint8_t nonce[BINDING_NONCE];
};

/* material: MSK and EMSK as TLS gives them; isk: the inner method's keys, zeros where it has none;
 * NULL: the session was resumed, and there was no inner method. False: no memory. Secret. */
bool binding_make(struct peap_binding *, const uint8_t material[128], const uint8_t *isk);
/* The request's TLV. */
bool binding_write(struct peap_binding *, struct rg_buffer *out);
/* Whether it is the response's TLV to that; value: behind its header. */
bool binding_fits(const struct peap_binding *, struct rg_span value);
/* The MSK in place of that of TLS (§3.1.5.7). */
bool binding_msk(const struct peap_binding *, uint8_t msk[64]);
#endif

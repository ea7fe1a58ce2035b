/* Cryptobinding ([MS-PEAP] §3.1.5.5): a proof that who spoke inside the tunnel also made the
 * tunnel. */
#ifndef RG_EAP_PEAP_BINDING_H
#define RG_EAP_PEAP_BINDING_H
#include <stdbool.h>

#include "roamgate/span.h"

#define RG_BINDING_TLV   60 /* octets, header included */
#define RG_BINDING_NONCE 32
#define RG_BINDING_ISK   32

struct rg_peap_binding {
	uint8_t ipmk[40], cmk[20];
	uint8_t nonce[RG_BINDING_NONCE]; /* drawn by binding_make; a supplicant puts the server's
					    here */
};

/* material: MSK and EMSK as TLS gives them; isk: the inner method's keys, zeros where it has none;
 * NULL: the session was resumed, and there was no inner method. False: no memory. Secret. */
bool binding_make(struct rg_peap_binding *, const uint8_t material[128], const uint8_t *isk);
/* The TLV of the server's request or of the supplicant's response. */
enum rg_binding_subtype { RG_BINDING_REQUEST, RG_BINDING_RESPONSE };
bool binding_write(const struct rg_peap_binding *, enum rg_binding_subtype, struct rg_buffer *out);
/* Whether it is the other side's TLV of that subtype; value: behind its header. */
bool binding_fits(const struct rg_peap_binding *, enum rg_binding_subtype, struct rg_span value);
/* The MSK in place of that of TLS (§3.1.5.7). */
bool binding_msk(const struct rg_peap_binding *, uint8_t msk[64]);
#endif

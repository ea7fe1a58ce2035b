/* What a supplicant says in the tunnel, read: which way of signing in, and its parts. */
#ifndef EAP_TTLS_PHASE2_H
#define EAP_TTLS_PHASE2_H
#include "eap/tunnel.h"

#define VENDOR_MICROSOFT     311u
#define AVP_EAP_MESSAGE      79u
#define AVP_MS_CHAP_ERROR    2u  /* Microsoft's */
#define AVP_MS_CHAP2_SUCCESS 26u /* Microsoft's */

enum phase2_way {
	PHASE2_EAP,      /* eap */
	PHASE2_PAP,      /* user_name, password */
	PHASE2_MSCHAPV2, /* user_name, challenge, response */
	PHASE2_REFUSED,  /* why */
};

struct phase2 {
	struct rg_span user_name, password, challenge, response; /* borrowed; data NULL: absent */
	bool has_eap;
	struct rg_buffer eap;
	uint8_t eap_memory[RG_TUNNEL_MESSAGE];
	char why[96];
};

enum phase2_way phase2_read(struct phase2 *, struct rg_span clear);
#endif

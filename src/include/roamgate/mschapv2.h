/* MSCHAPv2's arithmetic that needs no password (RFC 2759 §8, RFC 3079 §3), as its two carriers
 * share it: EAP-MSCHAPv2 and the attributes inside TTLS. What needs one is the directory's. */
#ifndef ROAMGATE_MSCHAPV2_H
#define ROAMGATE_MSCHAPV2_H

#include "roamgate/eap.h"
#include "roamgate/span.h"

#define RG_MSCHAPV2_CHALLENGE     16u
#define RG_MSCHAPV2_RESPONSE      49u /* peer challenge, reserved, NT-Response, flags */
#define RG_MSCHAPV2_AUTHENTICATOR 42u /* "S=" and 40 digits */

struct rg_mschapv2 {
	uint8_t challenge[RG_MSCHAPV2_CHALLENGE]; /* the authenticator's */
	uint8_t peer_challenge[RG_MSCHAPV2_CHALLENGE];
	char name[256];        /* as the supplicant wrote it, without "DOMAIN\" */
	struct rg_claim claim; /* what to ask; borrows name */
};

/* Takes a supplicant's Response: its 49 octets and the name that goes with them. identity: who it
 * called itself in the tunnel. NULL: fine, and claim is filled. Else what is wrong, static: a
 * Response for another name would have the directory verify one person and the rules let in
 * another. */
const char *mschapv2_take(struct rg_mschapv2 *, struct rg_span response, struct rg_span name,
			  const char *identity);

/* "S=…" (§8.7), which proves to the supplicant that the directory knows the password. */
bool mschapv2_authenticator(const struct rg_mschapv2 *, const uint8_t hash_hash[16],
			    char out[RG_MSCHAPV2_AUTHENTICATOR + 1]);

/* MasterReceiveKey and MasterSendKey of the authenticator, 16 octets each (RFC 3079 §3.4): the MSK
 * of EAP-MSCHAPv2. */
bool mschapv2_keys(const struct rg_mschapv2 *, const uint8_t hash_hash[16], uint8_t keys[32]);

/* "E=691 R=1 C=… V=3 M=…" (§6), by which Windows tells the person why; challenge: that of the next
 * try. Returns the length. */
size_t mschapv2_failure(char out[128], enum rg_reason, bool again,
			const uint8_t challenge[RG_MSCHAPV2_CHALLENGE]);

#endif

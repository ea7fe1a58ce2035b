/* An EAP method as the supplicant plays it. Identity, Nak, Notification, Success and Failure are
 * the conversation's (supplicant.c); a method sees the Type-Data of its own Requests. */
#ifndef RG_SUPPLICANT_METHOD_H
#define RG_SUPPLICANT_METHOD_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "roamgate/span.h"
#include "supplicant/supplicant.h"

struct rg_peer_method {
	uint8_t type; /* IANA's EAP method type */
	const char *label;
	/* identity: who signs in inside a tunnel, borrowed; room: most octets of Type-Data in one
	 * Response. NULL: no memory. */
	void *(*start)(struct rg_supplicant_profile *, const char *identity, size_t room);
	/* One Request. False: the server broke the protocol, and report() says how. */
	bool (*respond)(void *method, struct rg_span request, struct rg_buffer *response);
	/* What is missing for an EAP-Success to be one that the server has earned; NULL: nothing.
	 * Static. */
	const char *(*unproven)(void *method);
	bool (*keys)(void *method, uint8_t msk[64]); /* once nothing is missing */
	void (*accepted)(void *method);              /* what may be remembered, now may be */
	/* Adds what it knows; sets why and reason where it knows better than "refused". */
	void (*report)(void *method, struct rg_supplicant_report *);
	void (*end)(void **method);
};

extern const struct rg_peer_method peer_method_tls, peer_method_ttls, peer_method_peap;

/* "tls", "ttls", "peap", or NULL. */
const struct rg_peer_method *peer_method_by_label(const char *label);
/* The name of any EAP method type that IANA knows and servers offer; "another" for the rest. */
const char *peer_method_word(uint8_t type);
#endif

/* A supplicant and its NAS: EAP over RADIUS as a laptop at a town hall does it. Serves `roamgate test`
 * and the load tool: a state machine without sockets or clocks; the caller moves packets. */
#ifndef RG_SUPPLICANT_SUPPLICANT_H
#define RG_SUPPLICANT_SUPPLICANT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "radius/key.h"
#include "radius/packet.h"

/* Shared by many conversations: credentials loaded once. */
struct rg_supplicant_profile;
struct rg_supplicant_settings {
	const char *certificate, *private_key; /* PEM */
	const char *ca;                        /* PEM; NULL: any server certificate is taken, and said so */
	const char *server_name;               /* NULL: any name */
	const char *tls_min, *tls_max;         /* "1.2", "1.3"; NULL: both */
	bool resume;
};
struct rg_supplicant_profile *supplicant_profile_new(const struct rg_supplicant_settings *, char why[256]);
void supplicant_profile_free(struct rg_supplicant_profile **);

struct rg_supplicant;
struct rg_supplicant_identity {
	const char *outer;           /* User-Name and EAP-Identity */
	const char *calling, *called; /* MAC, "AA-…:govroam" */
	uint32_t framed_mtu;         /* 0: none */
};
struct rg_supplicant *supplicant_new(struct rg_supplicant_profile *, const struct rg_supplicant_identity *,
				     const struct rg_radius_key *);
void supplicant_free(struct rg_supplicant **);

enum rg_supplicant_state { RG_SUPPLICANT_SEND, RG_SUPPLICANT_ACCEPTED, RG_SUPPLICANT_REFUSED,
			   RG_SUPPLICANT_FAILED /* the server broke the protocol: see why */ };

/* The next Access-Request with that Identifier; it stays valid until the next call. */
struct rg_span supplicant_request(struct rg_supplicant *, uint8_t id);
/* A reply as it came; one that does not verify is ignored (SEND: keep waiting, see *ignored). */
enum rg_supplicant_state supplicant_reply(struct rg_supplicant *, struct rg_span datagram, bool *ignored);

struct rg_supplicant_report {
	unsigned round_trips;
	const char *method, *tls; /* "tls", "1.3" */
	bool resumed, server_trusted, keys_match; /* keys_match: the Accept's MPPE keys are the MSK's halves */
	const char *server_subject, *server_issuer, *server_not_after, *server_sans, *trust_error;
	const char *why;          /* of REFUSED and FAILED, as far as a supplicant can tell */
	struct rg_packet *reply;  /* the Accept or Reject; NULL: none yet */
};
/* Borrowed until supplicant_free. */
const struct rg_supplicant_report *supplicant_report(struct rg_supplicant *);
#endif

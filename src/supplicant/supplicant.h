/* A supplicant and its NAS: EAP over RADIUS as a laptop at a town hall does it. Serves `roamgate
 * test` and the load tool: a state machine without sockets or clocks; the caller moves packets. */
#ifndef RG_SUPPLICANT_SUPPLICANT_H
#define RG_SUPPLICANT_SUPPLICANT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "radius/key.h"
#include "radius/packet.h"
#include "roamgate/reason.h"

/* Shared by many conversations, of any thread: credentials loaded once, and the last session to
 * resume. Must outlive its conversations. */
struct rg_supplicant_profile;
struct rg_supplicant_settings {
	const char *method;                    /* "tls"; NULL: that */
	const char *certificate, *private_key; /* PEM; private_key NULL: in certificate's file */
	const char *ca;          /* PEM; NULL: any server certificate is taken, and said so */
	const char *server_name; /* NULL: any name. A dNSName of the certificate, no wildcard */
	const char *tls_min, *tls_max; /* "1.2", "1.3"; NULL: both */
	bool resume;                   /* resume the session of the last accepted conversation */
	/* Methods with a tunnel ("ttls", "peap"): who signs in inside it, by which method ("pap",
	 * "mschapv2", "eap-mschapv2", "gtc", "tls"; NULL: "pap" in TTLS, whichever the server asks for in PEAP), and with
	 * what. Copied. */
	const char *identity, *inner;
	struct rg_span password;
};
struct rg_supplicant_profile *supplicant_profile_new(const struct rg_supplicant_settings *,
						     char why[256]);
void supplicant_profile_free(struct rg_supplicant_profile **);

struct rg_supplicant;
struct rg_supplicant_identity {
	const char *outer;            /* User-Name and EAP-Identity; at most 253 octets */
	const char *inner;            /* inside a tunnel; NULL: the profile's identity */
	const char *calling, *called; /* MAC, "AA-…:govroam"; NULL: none */
	uint32_t framed_mtu;          /* 0: none */
	const char *nas_identifier;   /* NULL: "roamgate" */
	const uint8_t *nas_address;   /* 4 octets of NAS-IP-Address; NULL: none */
};
/* Copies what it is given, but borrows profile and key until its end. NULL: no memory, or outer too
 * long. */
struct rg_supplicant *supplicant_new(struct rg_supplicant_profile *,
				     const struct rg_supplicant_identity *,
				     const struct rg_radius_key *);
void supplicant_free(struct rg_supplicant **);

enum rg_supplicant_state {
	RG_SUPPLICANT_SEND,
	RG_SUPPLICANT_ACCEPTED,
	RG_SUPPLICANT_REFUSED, /* by the server; or here, where the report says that the server is
				  not trusted */
	RG_SUPPLICANT_FAILED,  /* the server broke the protocol, or this side broke down: see why */
};

/* The next Access-Request with that Identifier; it stays valid until the next call. A repeat is the
 * same octets again. Empty: out of randomness, or too large for a packet. */
struct rg_span supplicant_request(struct rg_supplicant *, uint8_t id);
/* A reply as it came; one that does not verify is ignored (SEND: keep waiting, see *ignored). */
enum rg_supplicant_state supplicant_reply(struct rg_supplicant *, struct rg_span datagram,
					  bool *ignored);

struct rg_supplicant_report {
	unsigned round_trips;     /* replies that counted */
	unsigned ignored;         /* replies that did not verify */
	const char *ignored_why;  /* of the last of those; NULL: none */
	const char *method, *tls; /* "tls", "1.3"; NULL: not agreed on */
	const char *inner;        /* what ran in a tunnel, "mschapv2"; NULL: nothing, or none */
	const char *offered;      /* another method that the server proposed, "peap"; NULL: none */
	const char *stage;        /* what was going on last, for people: "TLS handshake" */
	bool resumed, server_trusted,
		keys_match; /* keys_match: the Accept's MPPE keys are the MSK's halves */
	const char *server_subject, *server_issuer, *server_not_after, *server_sans, *trust_error;
	const char *alert_received, *alert_sent; /* "certificate expired"; NULL: none */
	const char *why;         /* of REFUSED and FAILED, as far as a supplicant can tell */
	enum rg_reason reason;   /* the same as a word; NONE: a supplicant cannot tell */
	struct rg_packet *reply; /* the Accept or Reject; NULL: none yet */
	const uint8_t *request_authenticator; /* that it answers: 16 octets */
};
/* Borrowed until supplicant_free. */
const struct rg_supplicant_report *supplicant_report(struct rg_supplicant *);
#endif

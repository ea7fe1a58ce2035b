/* A shared secret in the form in which it is used: kept MD5 and HMAC-MD5 states, so that a packet costs
 * only its own octets. And everything that RADIUS does with a secret. Immutable once made; may be
 * shared between threads. */
#ifndef RG_RADIUS_KEY_H
#define RG_RADIUS_KEY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "radius/packet.h"
#include "roamgate/span.h"

struct rg_radius_key;

struct rg_radius_key *radius_key_new(struct rg_span secret); /* NULL: no memory, or an empty secret */
struct rg_radius_key *radius_key_copy(const struct rg_radius_key *); /* NULL: no memory */
void radius_key_free(struct rg_radius_key **);               /* wipes */

enum rg_authentic {
	RG_AUTHENTIC,        /* Message-Authenticator is there and right */
	RG_AUTHENTIC_ABSENT, /* there is none; for a reply and an Accounting-Request: its authenticator is right */
	RG_FORGED,           /* something is there and wrong */
};

/* Access-Request, Status-Server: Message-Authenticator (RFC 3579 §3.2). Accounting-Request: its
 * Request Authenticator (RFC 2866 §3), and Message-Authenticator if there is one. Constant time. */
enum rg_authentic request_verify(const struct rg_packet *, const struct rg_radius_key *);

/* A reply to a request that bore `authenticator`: Response Authenticator (RFC 2865 §3), and
 * Message-Authenticator if there is one. */
enum rg_authentic reply_verify(const struct rg_packet *, const uint8_t authenticator[RG_AUTHENTICATOR],
			       const struct rg_radius_key *);

/* User-Password (RFC 2865 §5.2). Returns the length, or -1 for a bad one (attacks.md W6). out: 128 octets. */
int password_reveal(uint8_t out[128], struct rg_span hidden, const uint8_t authenticator[16],
		    const struct rg_radius_key *);
/* Returns the length written: a multiple of 16, at most 128; -1: over 128 octets. */
int password_hide(uint8_t out[128], struct rg_span clear, const uint8_t authenticator[16],
		  const struct rg_radius_key *);

/* MS-MPPE-Send-Key and -Recv-Key (RFC 2548 §2.4.2): salt and string. out: 2 + 16 * n octets.
 * Returns the length, or -1: key over 64 octets. The salt's first bit is set here. */
int mppe_hide(uint8_t *out, size_t capacity, struct rg_span key, uint16_t salt,
	      const uint8_t authenticator[16], const struct rg_radius_key *);
/* The reverse; out holds 256 octets; -1: bad length or salt. */
int mppe_reveal(uint8_t *out, struct rg_span hidden, const uint8_t authenticator[16],
		const struct rg_radius_key *);
#endif

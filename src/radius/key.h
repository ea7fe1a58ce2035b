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

/* How a hop of RADIUS/1.1 protects packets: not at all, TLS does (RFC 9765 §1). It has no secret; whatever is done with
 * it is done in clear. Static, never freed; a copy is. */
const struct rg_radius_key *radius_key_1_1(void);
/* Which version of RADIUS is spoken with this key: RG_RADIUS_1_0 or RG_RADIUS_1_1. */
unsigned radius_key_version(const struct rg_radius_key *);

struct rg_radius_key *radius_key_new(struct rg_span secret); /* NULL: no memory, or an empty secret */
struct rg_radius_key *radius_key_copy(const struct rg_radius_key *); /* NULL: no memory */
void radius_key_free(struct rg_radius_key **);               /* wipes */

enum rg_authentic {
	RG_AUTHENTIC,        /* Message-Authenticator is there and right */
	RG_AUTHENTIC_ABSENT, /* there is none; for a reply and an Accounting-Request: its authenticator is right */
	RG_FORGED,           /* something is there and wrong */
};

/* Access-Request, Status-Server: Message-Authenticator (RFC 3579 §3.2). Accounting-Request: its
 * Request Authenticator (RFC 2866 §3), and Message-Authenticator if there is one. Constant time.
 * RADIUS/1.1: authentic, since it came through TLS, if a request at all. */
enum rg_authentic request_verify(const struct rg_packet *, const struct rg_radius_key *);

/* A reply to a request that bore `authenticator`: Response Authenticator (RFC 2865 §3), and
 * Message-Authenticator if there is one. RADIUS/1.1: authentic, if a reply at all; a Protocol-Error is one there. */
enum rg_authentic reply_verify(const struct rg_packet *, const uint8_t authenticator[RG_AUTHENTICATOR],
			       const struct rg_radius_key *);

/* The same of many, which costs less for each. */
struct rg_check {
	const struct rg_packet *packet;
	const struct rg_radius_key *key;
	bool reply;
	const uint8_t *authenticator; /* of a reply: that of its request */
	enum rg_authentic result; /* filled in */
};
void packets_verify(struct rg_check *, size_t count);

/* Puts authenticators on a packet that is whole but for them: the value of its Message-Authenticator, which comes first if
 * there is one, is zeros, and in place of its authenticator stands what the digests are computed over: an Access-Request's
 * and a Status-Server's own, zeros in an Accounting-Request (RFC 2866 §3), in a reply that of its request. RADIUS/1.1:
 * nothing is to be done. */
struct rg_unsealed {
	uint8_t *packet;
	size_t length;
	const struct rg_radius_key *key;
};
void packets_seal(const struct rg_unsealed *, size_t count);
/* A sealed copy of one. out: RG_RADIUS_MOST octets. */
struct rg_span packet_seal(uint8_t *out, struct rg_span unsealed, const struct rg_radius_key *);

/* User-Password (RFC 2865 §5.2; RADIUS/1.1: in clear, RFC 9765 §5.1.1). Returns the length, or -1 for a bad one
 * (attacks.md W6). out: 128 octets. */
int password_reveal(uint8_t out[128], struct rg_span hidden, const uint8_t authenticator[16],
		    const struct rg_radius_key *);
/* Returns the length written, at most 128: a multiple of 16 but for RADIUS/1.1, where an empty password is one NUL, none
 * being allowed; -1: over 128 octets. */
int password_hide(uint8_t out[128], struct rg_span clear, const uint8_t authenticator[16],
		  const struct rg_radius_key *);

/* MS-MPPE-Send-Key and -Recv-Key (RFC 2548 §2.4.2): salt and string. out: 2 + 16 * n octets.
 * Returns the length, or -1: key over 64 octets. The salt's first bit is set here.
 * RADIUS/1.1: the key in clear, salt and authenticator unused (RFC 9765 §5.1.4); -1: nobody could read an empty one. */
int mppe_hide(uint8_t *out, size_t capacity, struct rg_span key, uint16_t salt,
	      const uint8_t authenticator[16], const struct rg_radius_key *);
/* The reverse; out holds 256 octets; -1: bad length or salt; RADIUS/1.1: empty or over 64 octets. */
int mppe_reveal(uint8_t *out, struct rg_span hidden, const uint8_t authenticator[16],
		const struct rg_radius_key *);
#endif

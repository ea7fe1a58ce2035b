/* Writes a RADIUS packet. Message-Authenticator is the first attribute of all that leaves
 * (CVE-2024-3596), except where its answer's asker would not know it (Accounting-Response), and in RADIUS/1.1, which has
 * none (RFC 9765 §5.2). */
#ifndef RG_RADIUS_WRITER_H
#define RG_RADIUS_WRITER_H
#include <stdbool.h>
#include <stdint.h>

#include "radius/key.h"
#include "radius/packet.h"
#include "roamgate/span.h"

struct rg_writer {
	struct rg_buffer out;     /* the packet so far; failed: something did not fit */
	const struct rg_radius_key *key;
	unsigned version;         /* RG_RADIUS_1_0 or RG_RADIUS_1_1 */
	bool message_authenticator;
	uint16_t salt;            /* drawn for the MS-MPPE key written last; 0: none yet */
};

/* Begins a packet in memory of the caller; capacity at most RG_RADIUS_MOST counts. token: of RADIUS/1.0 the Identifier;
 * of an answer its request's. The key, borrowed, says which version is written. */
void writer_begin(struct rg_writer *, void *memory, size_t capacity, uint8_t code, uint32_t token,
		  const struct rg_radius_key *);

/* For an answer of code Accounting-Response to a Status-Server (RFC 5997 §3); every other code but those of
 * accounting has its Message-Authenticator from writer_begin. Directly after writer_begin, or it fails. In RADIUS/1.1:
 * nothing. */
void writer_add_message_authenticator(struct rg_writer *);

/* Over 253 octets, or type Message-Authenticator: failed. */
void writer_add(struct rg_writer *, uint8_t type, struct rg_span value);
void writer_add_u32(struct rg_writer *, uint8_t type, uint32_t value);
void writer_add_vendor(struct rg_writer *, uint32_t vendor, uint8_t type, struct rg_span value);
/* Whole attributes, as they are; no Message-Authenticator among them. */
void writer_add_encoded(struct rg_writer *, struct rg_span attributes);
/* In pieces of 253 (RFC 3579 §3.1); empty: nothing. */
void writer_add_eap(struct rg_writer *, struct rg_span eap);
/* MS-MPPE-Recv-Key and -Send-Key from an MSK of 64 octets (RFC 2548; RFC 5216 §2.3), hidden with the authenticator of
 * the request that is answered. */
void writer_add_mppe(struct rg_writer *, const uint8_t msk[64], const uint8_t authenticator[16]);
/* One of them, of RFC 2548's type 16 or 17; salt 0: another than that of the one before. Over 64 octets: failed. */
void writer_add_mppe_key(struct rg_writer *, uint8_t type, struct rg_span key, uint16_t salt,
			 const uint8_t authenticator[16]);

/* Ends a packet that packets_seal (key.h) is still to seal: sets Length, and in place of the authenticator what the digests
 * are computed over. authenticator: the request's own random one (Access-Request, Status-Server), of a reply that of its
 * request; NULL: zeros (Accounting-Request). RADIUS/1.1: nobody's. Empty span: something did not fit. */
struct rg_span writer_unsealed(struct rg_writer *, const uint8_t *authenticator);
/* The same, and seals it. */
struct rg_span writer_request(struct rg_writer *, const uint8_t authenticator[16]);
struct rg_span writer_reply(struct rg_writer *, const uint8_t request_authenticator[16]);
#endif

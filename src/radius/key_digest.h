/* The digests over a packet, for those who check one and those who write one. Of radius/ only. */
#ifndef RG_RADIUS_KEY_DIGEST_H
#define RG_RADIUS_KEY_DIGEST_H
#include <stddef.h>
#include <stdint.h>

#include "radius/key.h"

/* MD5 over the packet with that authenticator in place (NULL: zeros), and the secret: the Response
 * Authenticator (RFC 2865 §3), the Request Authenticator of accounting (RFC 2866 §3). */
void key_packet_digest(const struct rg_radius_key *, struct rg_span packet,
		       const uint8_t authenticator[RG_AUTHENTICATOR],
		       uint8_t digest[RG_AUTHENTICATOR]);

/* HMAC-MD5 over the packet with that authenticator in place (NULL: zeros), and zeros as the value
 * of the Message-Authenticator whose type octet stands at offset (RFC 3579 §3.2). */
void key_message_authenticator(const struct rg_radius_key *, struct rg_span packet, size_t offset,
			       const uint8_t authenticator[RG_AUTHENTICATOR],
			       uint8_t digest[RG_AUTHENTICATOR]);
#endif

/* Which addresses a found peer may have: whoever writes a realm's zone could otherwise have us
 * knock on doors of our own network. */
#ifndef RG_DISCOVER_ADDRESS_H
#define RG_DISCOVER_ADDRESS_H
#include <stdbool.h>

#include "transport/udp.h"

enum rg_address_kind {
	RG_ADDRESS_GLOBAL,
	RG_ADDRESS_PRIVATE, /* RFC 1918, RFC 4193, RFC 6598 */
	RG_ADDRESS_LOOPBACK,
	RG_ADDRESS_FORBIDDEN, /* unspecified, link-local, multicast, broadcast, reserved */
};

/* IPv4 inside IPv6 (mapped, compatible, NAT64, 6to4) is judged as IPv4. */
enum rg_address_kind address_kind(const union rg_address *);
#endif

#include "discover/address.h"

#include <arpa/inet.h>
#include <string.h>

struct block {
	uint32_t network;
	unsigned bits;
	enum rg_address_kind kind;
};

/* RFC 6890 and its registry; what is not here is global. */
static const struct block blocks[] = {
	{0x00000000, 8, RG_ADDRESS_FORBIDDEN}, /* this network */
	{0x0a000000, 8, RG_ADDRESS_PRIVATE},
	{0x64400000, 10, RG_ADDRESS_PRIVATE}, /* carrier-grade NAT */
	{0x7f000000, 8, RG_ADDRESS_LOOPBACK},
	{0xa9fe0000, 16, RG_ADDRESS_FORBIDDEN}, /* link-local */
	{0xac100000, 12, RG_ADDRESS_PRIVATE},
	{0xc0a80000, 16, RG_ADDRESS_PRIVATE},
	{0xe0000000, 4, RG_ADDRESS_FORBIDDEN}, /* multicast */
	{0xf0000000, 4, RG_ADDRESS_FORBIDDEN}, /* reserved, broadcast */
};

static enum rg_address_kind v4_kind(uint32_t address)
{
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		if ((address ^ blocks[i].network) >> (32 - blocks[i].bits) == 0)
			return blocks[i].kind;
	return RG_ADDRESS_GLOBAL;
}

static enum rg_address_kind v4_inside(const uint8_t *octets)
{
	return v4_kind((uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 |
		       (uint32_t)octets[2] << 8 | octets[3]);
}

static enum rg_address_kind v6_kind(const struct in6_addr *address)
{
	static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b}; /* RFC 6052 §2.1 */
	const uint8_t *octets = address->s6_addr;
	if (IN6_IS_ADDR_LOOPBACK(address))
		return RG_ADDRESS_LOOPBACK;
	if (IN6_IS_ADDR_UNSPECIFIED(address) || IN6_IS_ADDR_LINKLOCAL(address) ||
	    IN6_IS_ADDR_SITELOCAL(address) || IN6_IS_ADDR_MULTICAST(address))
		return RG_ADDRESS_FORBIDDEN;
	if (IN6_IS_ADDR_V4MAPPED(address) || IN6_IS_ADDR_V4COMPAT(address) ||
	    memcmp(octets, nat64, sizeof(nat64)) == 0)
		return v4_inside(octets + 12);
	if (octets[0] == 0x20 && octets[1] == 0x02) /* 6to4, RFC 3056 */
		return v4_inside(octets + 2);
	if ((octets[0] & 0xfe) == 0xfc)
		return RG_ADDRESS_PRIVATE;
	/* Of all unicast addresses only 2000::/3 is given out. */
	return (octets[0] & 0xe0) == 0x20 ? RG_ADDRESS_GLOBAL : RG_ADDRESS_FORBIDDEN;
}

enum rg_address_kind address_kind(const union rg_address *address)
{
	if (address->any.sa_family == AF_INET)
		return v4_kind(ntohl(address->v4.sin_addr.s_addr));
	if (address->any.sa_family == AF_INET6)
		return v6_kind(&address->v6.sin6_addr);
	return RG_ADDRESS_FORBIDDEN;
}

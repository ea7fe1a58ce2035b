#include "client/prefix.h"

#include <string.h>

bool prefix_address(const struct sockaddr *source, uint8_t address[16])
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	if (source->sa_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, source, sizeof(in));
		memcpy(address, mapped, 12);
		memcpy(address + 12, &in.sin_addr, 4);
		return true;
	}
	if (source->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, source, sizeof(in6));
		memcpy(address, &in6.sin6_addr, 16);
		return true;
	}
	return false;
}

void prefix_mask_address(uint8_t address[16], unsigned bits)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned kept = bits > 8 * i ? bits - 8 * i : 0;
		if (kept < 8)
			address[i] &= (uint8_t)(0xff00u >> kept);
	}
}

bool prefix_covers(const struct rg_prefix *prefix, const struct sockaddr *source)
{
	uint8_t address[16], wanted[16];
	memcpy(wanted, prefix->address, 16);
	prefix_mask_address(wanted, prefix->bits);
	if (!prefix_address(source, address))
		return false;
	prefix_mask_address(address, prefix->bits);
	return memcmp(address, wanted, 16) == 0;
}

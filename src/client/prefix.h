/* Addresses as prefixes see them: sixteen octets, IPv4 as ::ffff:a.b.c.d. */
#ifndef RG_CLIENT_PREFIX_H
#define RG_CLIENT_PREFIX_H
#include <sys/socket.h>

#include "config/raddb.h"

/* False: neither IPv4 nor IPv6. */
bool prefix_address(const struct sockaddr *, uint8_t address[16]);
/* Clears what lies beyond the first bits. */
void prefix_mask_address(uint8_t address[16], unsigned bits);
bool prefix_covers(const struct rg_prefix *, const struct sockaddr *);
#endif

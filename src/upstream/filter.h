/* Which attributes cross the border to and from the federation (federation.md). VLANs and ACLs never do. */
#ifndef RG_UPSTREAM_FILTER_H
#define RG_UPSTREAM_FILTER_H
#include <stdbool.h>
#include <stdint.h>

bool filter_towards_federation(uint8_t type);   /* of an Access-Request that leaves */
bool filter_towards_federation_accounting(uint8_t type); /* of an Accounting-Request */
/* Of an answer that comes in. EAP-Message, Message-Authenticator and Proxy-State are set by us, MS-MPPE keys
 * are hidden anew: none of them is copied. */
bool filter_from_federation(uint8_t type);
#endif

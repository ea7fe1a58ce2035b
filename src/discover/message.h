/* One answer of a resolver, read octet by octet (RFC 1035 §4): hostile until the contrary is shown.
 * Names must be host names (letters, digits, hyphens, underscores), pointers go back only, and
 * counts are capped. */
#ifndef RG_DISCOVER_MESSAGE_H
#define RG_DISCOVER_MESSAGE_H
#include <stdbool.h>

#include "transport/udp.h"

#define RG_DNS_NAME         254 /* of a name in text with its NUL */
#define RG_DNS_RECORDS_MOST 32  /* taken of one answer; what is beyond is left out */

enum rg_dns_type {
	RG_DNS_A = 1,
	RG_DNS_CNAME = 5,
	RG_DNS_SOA = 6,
	RG_DNS_AAAA = 28,
	RG_DNS_SRV = 33,   /* RFC 2782 */
	RG_DNS_NAPTR = 35, /* RFC 3403 */
};

enum rg_dns_outcome {
	RG_DNS_FOUND,
	RG_DNS_NONE,        /* there is no such name, or nothing of that type: a fact */
	RG_DNS_UNAVAILABLE, /* nobody could be asked, or the answer is broken: nothing is known */
};

struct rg_dns_naptr {
	uint16_t order, preference;
	char flag;        /* lower case; '\0': none */
	char service[64]; /* lower case */
	char replacement[RG_DNS_NAME];
};

struct rg_dns_srv {
	uint16_t priority, weight, port;
	char target[RG_DNS_NAME];
};

/* Names are lower case and without the last dot. */
struct rg_dns_record {
	union {
		struct rg_dns_naptr naptr;
		struct rg_dns_srv srv;
		union rg_address address; /* port 0 */
	} is;
};

struct rg_dns_answer {
	enum rg_dns_outcome outcome;
	uint32_t ttl_s; /* the least on the way there; of RG_DNS_NONE as RFC 2308 §5, 0 where it is
			   not said */
	size_t count;
	struct rg_dns_record records[RG_DNS_RECORDS_MOST];
};

/* Reads the answer to a question for name and type (A, AAAA, SRV or NAPTR). Records that cannot be
 * used (a regular expression, the root as target, a name that no host has) are left out; what
 * cannot be read makes it UNAVAILABLE. */
void dns_answer_read(struct rg_dns_answer *, struct rg_span message, const char *name,
		     enum rg_dns_type);

/* Whether it may be asked for: 1 to 253 octets in labels of 1 to 63, each octet one that a host
 * name or a service label (RFC 2782) has. */
bool dns_name_is_good(const char *name);
#endif

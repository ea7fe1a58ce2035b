/* What is known of the peers of one realm, and the way there: NAPTR, SRV, addresses (RFC 7585
 * §3.4.3). */
#ifndef RG_DISCOVER_LOOKUP_H
#define RG_DISCOVER_LOOKUP_H
#include <stdatomic.h>

#include "config/raddb.h"
#include "discover/resolver.h"

#define RG_FOUND_HOSTS     8
#define RG_FOUND_ADDRESSES 8    /* of one host */
#define RG_FOUND_PORT      2083 /* where a NAPTR record names a host itself */

enum rg_found_outcome {
	RG_FOUND_PEERS,
	RG_FOUND_NONE,        /* DNS says that there are none, or none that may be used */
	RG_FOUND_UNAVAILABLE, /* DNS could not be asked: nothing is known */
};

struct rg_found_host {
	char name[RG_DNS_NAME]; /* which its certificate must bear, unless that bears the realm */
	uint16_t port;
	enum rg_transport transport;
	size_t address_count;                           /* never 0 */
	union rg_address addresses[RG_FOUND_ADDRESSES]; /* with the port; IPv6 and IPv4 in turn */
};

/* Immutable, reference-counted. */
struct rg_found {
	atomic_uint references;
	enum rg_found_outcome outcome;
	uint64_t told_ns, expires_ns; /* CLOCK_MONOTONIC: when DNS said so; how long it serves */
	char why[120];      /* "found", or what was not found: a sentence, printable */
	size_t host_count;
	struct rg_found_host hosts[]; /* in the order in which they are tried */
};

struct rg_found *found_ref(struct rg_found *);
void found_unref(struct rg_found **);

/* Takes over a reference to what was found; NULL: no memory. Once; the resolver may still be asked
 * for what came too late, until it is closed. */
typedef void lookup_done(void *asker, struct rg_found *);

struct rg_lookup_order {
	uv_loop_t *loop;
	struct rg_resolver *resolver;
	const struct rg_discovery_settings *settings;
	const char *realm; /* a good DNS name, lower case */
	const struct rg_service_tag *tags;
	size_t tag_count;
	lookup_done *done;
	void *asker;
};

/* Copies realm and tags; settings and resolver must stay. done may be called before it returns.
 * False: no memory. */
bool lookup_begin(const struct rg_lookup_order *);
#endif

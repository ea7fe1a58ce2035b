/* Questions to DNS servers, from one loop: c-ares sends, repeats, goes over to TCP and matches;
 * what comes back is read here (message.h). */
#ifndef RG_DISCOVER_RESOLVER_H
#define RG_DISCOVER_RESOLVER_H
#include <uv.h>

#include "discover/message.h"
#include "roamgate/module.h"

struct rg_resolver;

/* Once; the answer is borrowed until it returns. It may ask. */
typedef void resolver_done(void *asker, const struct rg_dns_answer *);

/* servers: "ADDRESS:PORT"; none: those of this machine as they are now (resolv.conf). timeout_ms:
 * for the first try at one server. NULL: why (256 octets) says why. ares_library_init was called.
 */
struct rg_resolver *resolver_open(uv_loop_t *, const struct rg_strings *servers,
				  unsigned timeout_ms, char *why);
/* What is still asked is answered UNAVAILABLE before this returns; run the loop once more after it.
 */
void resolver_close(struct rg_resolver **);
/* The name as it is, no search list. done may be called before this returns. */
void resolver_ask(struct rg_resolver *, const char *name, enum rg_dns_type, resolver_done *,
		  void *asker);
#endif

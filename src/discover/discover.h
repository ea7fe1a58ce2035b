/* Finding the peers of a realm by DNS (RFC 7585): a thread that asks, and a memory of what it was
 * told. Open as long as a snapshot holds it; equal settings are one, whichever reload asks. */
#ifndef RG_DISCOVER_DISCOVER_H
#define RG_DISCOVER_DISCOVER_H
#include "core/mailbox.h"
#include "discover/lookup.h"

#define RG_SEARCHES_MOST 8192 /* who waits, all workers together */

struct rg_discover;
struct rg_search;
struct json_t;

/* Opens it, on a copy of the settings, or takes another reference. Main thread. NULL: why (256
 * octets) says why. */
struct rg_discover *discover_get(const struct rg_discovery_settings *, char *why);
/* The last reference closes it: what is still asked is answered UNAVAILABLE before this returns.
 * Not on a worker's thread: the answers go to its mailbox. */
void discover_unref(struct rg_discover **);

/* found NULL is as RG_FOUND_UNAVAILABLE. Borrowed until it returns; found_ref keeps it. */
typedef void discover_done(void *asker, struct rg_found *found);

struct rg_discover_order {
	struct rg_span realm; /* of a User-Name: any case, any octets */
	const struct rg_service_tag *tags;
	size_t tag_count;
	struct rg_mailbox *mailbox; /* the worker's; outlives the search */
	discover_done *done;
	void *asker;
};

/* Asks for the peers of a realm. What is known already is in *found at once (a reference for the
 * caller), and NULL returned. Otherwise done is called on the worker's loop, exactly once unless
 * cancelled; many may ask for one realm, DNS is asked once. NULL and *found NULL: it cannot be
 * asked now (too many are); as RG_FOUND_UNAVAILABLE. Copies what it is given. Once the mailbox is
 * closed done is not called any more: cancel. */
struct rg_search *discover_ask(struct rg_discover *, const struct rg_discover_order *,
			       struct rg_found **found);
/* done will not be called. On the worker's thread. What was asked goes on, for the next one. */
void search_cancel(struct rg_search **);

/* {"known", "asking", "realms": [{"realm", "servers": ["host:port/tls", …], "expires_s"}]}; of
 * realms the newest 200 whose peers were found. */
struct json_t *discover_status_json(struct rg_discover *);
#endif

/* The realms that were asked for: what is known of each, or who waits for it. Its user holds a
 * lock. */
#ifndef RG_DISCOVER_TABLE_H
#define RG_DISCOVER_TABLE_H
#include "discover/lookup.h"

struct rg_search;

enum rg_entry_state {
	RG_ENTRY_KNOWN, /* found says what, until it expires */
	RG_ENTRY_QUEUED,
	RG_ENTRY_ASKED,
};

struct rg_entry {
	struct rg_entry *next; /* of its bucket */
	struct rg_entry *older,
		*newer; /* among the known ones of its kind; of a queued one: newer is behind it */
	enum rg_entry_state state;
	struct rg_found *found; /* of a queued or asked one: what was known before, or NULL */
	struct rg_search *searches;
	uint64_t hash, queued_ns;
	size_t tag_count;
	struct rg_service_tag tags[RG_SERVICE_TAGS_MOST];
	const char *realm;
	char key[]; /* realm and tags, each with its NUL */
};

struct rg_entry_list {
	struct rg_entry *oldest, *newest;
};

struct rg_table {
	struct rg_entry **buckets;
	size_t mask, known, most;
	uint8_t seed[16];
	/* A flood of realms that are not there pushes out others of its kind, not what was found.
	 */
	struct rg_entry_list found, nothing;
};

/* most: known entries; when one more comes the oldest that holds no peers goes. False: no memory.
 */
bool table_init(struct rg_table *, size_t most);
void table_destroy(struct rg_table *); /* all entries are known */
/* realm: lower case. NULL: it is not there. */
struct rg_entry *table_find(const struct rg_table *, const char *realm,
			    const struct rg_service_tag *, size_t tag_count);
/* A new one, in no list, QUEUED. NULL: no memory. */
struct rg_entry *table_add(struct rg_table *, const char *realm, const struct rg_service_tag *,
			   size_t tag_count);
/* It is KNOWN from now on, and holds found (takes the reference). found NULL: it goes, and is
 * freed. */
void table_learn(struct rg_table *, struct rg_entry *, struct rg_found *found);
/* Out of the list of known ones: it is to be asked again. */
void table_forget(struct rg_table *, struct rg_entry *);
#endif

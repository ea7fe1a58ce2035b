/* Names seen so far and where, to find the second of a kind. */
#ifndef RG_CONFIG_NAMES_H
#define RG_CONFIG_NAMES_H
#include "config/raddb.h"

struct rg_names {
	struct rg_name_seen *slots;
	size_t count, capacity;
};

/* Where that name was seen before, or NULL: then it is remembered. Octets, compared exactly; the name
 * must outlive names. */
const struct rg_where *names_add(struct rg_names *, struct rg_span name, struct rg_where);
const struct rg_where *names_find(const struct rg_names *, struct rg_span name);
void names_free(struct rg_names *);
#endif

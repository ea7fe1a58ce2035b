/* Does an entry match a filter? As X.511 has it, an assertion is true, false or undefined; what
 * there is no schema for is compared as text without case, as a DN where both are one, or as
 * integers. */
#ifndef DIR_LDIF_MATCH_H
#define DIR_LDIF_MATCH_H
#include "directory/assertion.h"
#include "store.h"

struct rg_matcher {
	struct rg_filter *filter; /* its values folded */
	char **dn;                /* of each node whose value is a DN, the normal form */
};

/* False: no filter, or no memory; why says which. */
bool matcher_make(struct rg_matcher *, const char *filter, char why[160]);
void matcher_free(struct rg_matcher *);
bool matcher_matches(const struct rg_matcher *, const struct rg_store *, const struct rg_entry *);

/* Does the entry reach target, a normal name, by that attribute, through other entries? */
bool chain_reaches(const struct rg_store *, const struct rg_entry *, const char *attribute,
		   const char *target);
#endif

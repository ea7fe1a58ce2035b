/* The entries of an LDIF file (RFC 2849), immutable once read. */
#ifndef DIR_LDIF_STORE_H
#define DIR_LDIF_STORE_H
#include <stdatomic.h>

#include "core/arena.h"
#include "roamgate/span.h"

struct rg_value {
	struct rg_span raw;
	struct rg_span folded; /* lower case (ASCII), runs of spaces one space, none at the ends */
	const char *dn;        /* the normal form of a value that is a DN; else NULL */
};

struct rg_attribute {
	const char *name; /* with its options */
	struct rg_value *values;
	size_t count, room;
};

struct rg_entry {
	const char *dn, *normal;
	struct rg_attribute *attributes;
	size_t count, room;
};

struct rg_store {
	atomic_uint holders;
	struct rg_arena arena;
	struct rg_entry *entries; /* in the order of their normal names */
	size_t count;
};

/* NULL: it cannot be read or is no LDIF of entries; why says what is wrong and at which line.
 * Blocks. */
struct rg_store *store_read(const char *path, char why[160]);
struct rg_store *store_hold(struct rg_store *);
void store_release(struct rg_store **);

/* By its normal name; NULL: none. */
const struct rg_entry *store_find(const struct rg_store *, const char *normal);

/* Is an attribute what a filter or setting names: the same type and at least its options? */
bool attribute_named(const struct rg_attribute *, const char *name);

/* Folds in place; returns the new length. ends: spaces at both ends go too. */
size_t value_fold(uint8_t *data, size_t length, bool ends);
#endif

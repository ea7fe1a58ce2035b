/* Distinguished names, compared without a schema: attribute types and values without regard to case
 * (ASCII) and to runs of spaces, the parts of a multi-valued RDN in any order (RFC 4514). */
#ifndef RG_DIRECTORY_DN_H
#define RG_DIRECTORY_DN_H
#include <stdbool.h>

/* One text for all spellings of a name, one of them itself, to be freed; NULL: no DN. False: no
 * memory, nobody knows. */
bool dn_read(const char *text, char **normal);
/* The same where no memory may be taken for no DN. */
char *dn_normal(const char *text);

/* False also where one of them is no DN. */
bool dn_equal(const char *a, const char *b);

/* Of normal forms: name is below base (any depth), or is base itself. "" is above everything. */
bool dn_within(const char *name, const char *base);

/* Of a normal form: what stands above its first RDN; "" for the last one. */
const char *dn_parent(const char *name);
#endif

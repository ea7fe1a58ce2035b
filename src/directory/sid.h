/* Security identifiers of Windows: "S-1-5-21-…" and the octets that objectSid holds
 * ([MS-DTYP] 2.4.2). */
#ifndef RG_DIRECTORY_SID_H
#define RG_DIRECTORY_SID_H
#include <stdbool.h>
#include <stdint.h>

#include "roamgate/span.h"

#define RG_SID_MOST 68u  /* octets: revision, count, authority, fifteen sub-authorities */
#define RG_SID_TEXT 190u /* of its text, with the NUL */

struct rg_sid {
	uint8_t octets[RG_SID_MOST];
	size_t length; /* 0: none */
};

/* False: text is none; sid is then empty. */
bool sid_parse(struct rg_sid *, struct rg_span text);
/* From an attribute. False likewise. */
bool sid_read(struct rg_sid *, struct rg_span octets);
bool sid_equal(const struct rg_sid *, const struct rg_sid *); /* empty ones equal nothing */
/* Of the same domain, with another relative identifier: primaryGroupID is one. */
struct rg_sid sid_sibling(const struct rg_sid *, uint32_t relative);
void sid_text(const struct rg_sid *, char text[RG_SID_TEXT]);
#endif

/* Whether a certificate is mapped to an account as Active Directory maps it: by the SID that the CA
 * wrote into it
 * ([MS-WCCE] 2.2.2.7.7.4), by a strong value of altSecurityIdentities ([MS-PKCA] 3.1.5.2.1.3), or
 * by the account's own name in it. */
#ifndef RG_DIRECTORY_MAPPING_H
#define RG_DIRECTORY_MAPPING_H
#include "directory/sid.h"
#include "roamgate/module.h"
#include "roamgate/span.h"

/* Words of certificate_mapping, in the order of lookup_mappings. OFF: nothing is looked at,
 * whatever a preset says. */
enum rg_mapping_way { RG_MAPPING_SID, RG_MAPPING_ALTSECID, RG_MAPPING_UPN, RG_MAPPING_OFF };

struct rg_mapping;

/* Of a certificate in DER; freed with mapping_free. NULL: it is none, or no memory. */
struct rg_mapping *mapping_new(struct rg_span certificate);
void mapping_free(struct rg_mapping **);

/* Attributes of an entry that mapping_read wants; NULL-terminated. */
extern const char *const mapping_attributes[];
/* One value of an attribute of the entry; others than those above are passed over. */
void mapping_read(struct rg_mapping *, struct rg_span attribute, struct rg_span value);
/* Forgets what mapping_read read. */
void mapping_reset(struct rg_mapping *);

/* True: one of the ways maps it to the entry that was read. A SID in the certificate that is
 * another account's refuses, whatever else maps it. why, where false: static. */
bool mapping_holds(const struct rg_mapping *, const struct rg_choices *ways, const char **why);
#endif

/* Attribute-value pairs as TTLS carries them: Diameter's form (RFC 5281 §10.1). */
#ifndef RG_EAP_AVP_H
#define RG_EAP_AVP_H
#include "roamgate/span.h"

#define RG_AVP_MOST 32 /* in one message */

struct rg_avp {
	uint32_t code, vendor; /* vendor 0: none */
	bool mandatory;
	struct rg_span data;
};

/* The next one of a message; false: there is none, and the cursor has failed where one was broken.
 */
bool avp_next(struct rg_cursor *, struct rg_avp *);
/* With its padding; mandatory. */
void avp_write(struct rg_buffer *, uint32_t code, uint32_t vendor, struct rg_span data);
#endif

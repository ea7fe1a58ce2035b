/* PEAP's EAP Extensions packet (draft-kamath-pppext-peapv0 §2.1): type 33, whole headers, TLVs. */
#ifndef EAP_PEAP_EXTENSIONS_H
#define EAP_PEAP_EXTENSIONS_H
#include <stdbool.h>

#include "eap/peap_binding.h"
#include "roamgate/span.h"

struct peap_result {
	bool success;
	struct rg_span binding; /* the cryptobinding TLV's value; data NULL: none */
};

/* Whether a clear text is such a packet, and no Response with its header left out. */
bool extensions_is(struct rg_span clear);
/* NULL: read. Else what is wrong; static. */
const char *extensions_read(struct rg_span clear, uint8_t id, struct peap_result *);
/* A Result TLV; with binding a cryptobinding TLV as well. False: no room, or no memory. */
bool extensions_write(struct rg_buffer *out, uint8_t id, bool success,
		      struct rg_peap_binding *binding);
#endif

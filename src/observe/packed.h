/* A record without its empty space, as it waits in a ring and is kept for `roamgate trace`: a tenth
 * of its size, so that a busy gateway's records stay in the processor's cache. */
#ifndef RG_OBSERVE_PACKED_H
#define RG_OBSERVE_PACKED_H
#include <stddef.h>
#include <stdint.h>

#include "observe/signin.h"

/* No record packs into more. */
#define RG_PACKED_MOST (sizeof(struct rg_signin) + 64)

/* Returns the octets written; out holds RG_PACKED_MOST. */
size_t signin_pack(const struct rg_signin *, uint8_t *out);
/* packed: what signin_pack wrote, in this process. */
void signin_unpack(struct rg_signin *, const uint8_t *packed);
#endif

/* Octets that are never printed, and wiped where they are last used. */
#ifndef RG_CORE_SECRET_H
#define RG_CORE_SECRET_H
#include <stdbool.h>
#include <stddef.h>

#include "roamgate/module.h"

/* Reserves memory that is never swapped out nor part of a core, between pages that nobody may touch: for secrets and,
 * OpenSSL's being the same, for private keys and for what its random numbers come from. Once, before there is any: before
 * tls_library_begin. False: no memory. */
bool secret_memory_open(void);
/* Whether it may be locked (RLIMIT_MEMLOCK); it is as said otherwise. */
bool secret_memory_locked(void);
/* Room in it; what is large, or does not fit any more, elsewhere. NULL: no memory. */
void *secret_room(size_t size);
void secret_room_free(void *room, size_t size); /* wipes; NULL is fine */

/* A copy of data; NULL: no memory. */
struct rg_secret *secret_new(const void *data, size_t length);
void secret_free(struct rg_secret **);
/* In constant time for equal lengths. */
bool secret_equal(const void *a, size_t a_length, const void *b, size_t b_length);
void secret_wipe(void *data, size_t length);
static inline struct rg_span secret_span(const struct rg_secret *secret)
{
	return secret ? span_of(secret->data, secret->length) : span_of(NULL, 0);
}
#endif

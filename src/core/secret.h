/* Octets that are never printed, and wiped where they are last used. */
#ifndef RG_CORE_SECRET_H
#define RG_CORE_SECRET_H
#include <stdbool.h>
#include <stddef.h>

#include "roamgate/module.h"

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

/* Random octets that nobody can foretell, drawn from OpenSSL many at a time: asking it for sixteen costs as much as
 * asking it for a thousand. One thread's. */
#ifndef RG_CORE_ENTROPY_H
#define RG_CORE_ENTROPY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RG_ENTROPY_POOL 2048

struct rg_entropy {
	size_t left; /* octets at the end of pool that were not given out yet */
	uint8_t pool[RG_ENTROPY_POOL];
};

/* length: at most RG_ENTROPY_POOL. False: OpenSSL has none; out is not to be used. */
bool entropy_draw(struct rg_entropy *, void *out, size_t length);
#endif

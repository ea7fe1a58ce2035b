/* What the tests of src/radius share: octets written as hex, and chance that repeats itself. */
#ifndef RG_TESTS_RADIUS_SUPPORT_H
#define RG_TESTS_RADIUS_SUPPORT_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "radius/packet.h"
#include "roamgate/span.h"

/* Reads "01 00 0038"; returns how many octets. */
static inline size_t octets(uint8_t *out, const char *hex)
{
	size_t count = 0;
	unsigned value;
	int used;
	while (sscanf(hex, " %2x%n", &value, &used) == 1) {
		out[count++] = (uint8_t)value;
		hex += used;
	}
	return count;
}

/* xorshift64: the same numbers in every run. */
static inline uint32_t chance(uint64_t *state, uint32_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 32) % below;
}

static inline void chance_fill(uint64_t *state, uint8_t *out, size_t length)
{
	for (size_t i = 0; i < length; i++)
		out[i] = (uint8_t)chance(state, 256);
}
#endif

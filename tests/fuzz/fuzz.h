/* What the fuzzers share. Each is one file whose LLVMFuzzerTestOneInput takes octets that nobody
 * vouches for and states what must hold whatever they are; the sanitizers state the rest. */
#ifndef RG_TESTS_FUZZ_H
#define RG_TESTS_FUZZ_H
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "roamgate/span.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the run, and libFuzzer keeps the input that led here. */
#define MUST(claim)                                                                                \
	do {                                                                                       \
		if (!(claim)) {                                                                    \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #claim); \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* inner lies in outer; an empty one may lie anywhere. */
static inline bool lies_in(struct rg_span inner, struct rg_span outer)
{
	return inner.length == 0 ||
	       (inner.data >= outer.data && inner.length <= outer.length &&
		(size_t)(inner.data - outer.data) <= outer.length - inner.length);
}

/* The next piece of an input: an octet of length, and as many octets as it says or as there are. */
static inline struct rg_span piece_next(struct rg_cursor *cursor)
{
	size_t length = cursor_u8(cursor), left = cursor_left(cursor);
	return cursor_take(cursor, length < left ? length : left);
}
#endif

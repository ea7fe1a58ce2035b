/* Text from elsewhere, made safe to print and to compare. */
#ifndef RG_CORE_TEXT_H
#define RG_CORE_TEXT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "roamgate/span.h"

/* Writes input into out (capacity octets, always NUL-terminated) with control characters, quotes,
 * backslashes and what is no UTF-8 as \xNN; what does not fit ends in "...". Returns the length. */
size_t text_escape(char *out, size_t capacity, struct rg_span input);

/* The same without a NUL inside, for use as a name: false where input holds a NUL or does not fit. */
bool text_from_span(char *out, size_t capacity, struct rg_span input);

/* Octets of the well-formed character of UTF-8 (RFC 3629) that input begins with; 0: with none. */
size_t text_character(struct rg_span input);
/* Whether that character ends a line, is obeyed by a terminal, or misleads whoever reads it. */
bool text_controls(struct rg_span character);

/* ASCII case folding only (RFC 7542 §2.2). */
bool text_equal_nocase(struct rg_span a, struct rg_span b);
void text_lower(char *text);

/* The word of a NULL-terminated list that is nearest to word, or NULL where none is near. */
const char *text_nearest(const char *word, const char *const *words);

/* What stands behind a noun that is counted: "" for one, else "s". */
const char *text_plural(uint64_t count);

/* '*' and '?' only; ASCII case folded. */
bool text_glob(const char *pattern, const char *text);

/* "AA-BB-CC-DD-EE-FF" from any of dashes, colons, dots or nothing, in out[18]; false: no MAC. */
bool text_mac(char out[18], struct rg_span input);

/* RFC 3339 in UTC with milliseconds and Z, in out[32]; from nanoseconds since the epoch. */
void text_time(char out[32], uint64_t wall_ns);

/* Lower-case hex of input, NUL-terminated; out holds 2 * length + 1. */
void text_hex(char *out, struct rg_span input);
#endif

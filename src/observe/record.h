/* A sign-in in words: the log line, and the object of `roamgate trace`. Every name passes text_escape. */
#ifndef RG_OBSERVE_RECORD_H
#define RG_OBSERVE_RECORD_H
#include <stddef.h>
#include <stdint.h>

#include "observe/signin.h"

#define RG_RECORD_MOST 8192 /* octets of a text record, NUL included */

struct json_t;

/* sign-in id=… outer="…" … on one line. */
void record_text(const struct rg_signin *, char out[RG_RECORD_MOST]);
/* The same keys as one line of JSON, with time, level and message; the caller frees it. NULL: no memory. */
char *record_json_line(const struct rg_signin *);
/* The object of the contract, with "serial"; the caller owns it. NULL: no memory. */
struct json_t *record_trace(const struct rg_signin *, uint64_t serial);
#endif

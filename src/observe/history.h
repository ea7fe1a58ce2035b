/* The last sign-ins, in a ring of fixed size, to be found by person or device. Not locked: its owner
 * does that. */
#ifndef RG_OBSERVE_HISTORY_H
#define RG_OBSERVE_HISTORY_H
#include <stdint.h>

#include "observe/signin.h"

struct json_t;
struct rg_history;

struct rg_history *history_new(unsigned most); /* NULL: no memory */
void history_free(struct rg_history **);
/* packed: a record as signin_pack writes it; copied. */
void history_add(struct rg_history *, struct rg_span packed);
/* As observe_trace_json. */
struct json_t *history_find(const struct rg_history *, const char *who, unsigned most, uint64_t after,
			    uint64_t *last_serial);
#endif

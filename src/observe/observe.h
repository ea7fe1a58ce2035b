/* Where ended sign-ins go: the log line, the counters, the trace ring. Workers only copy the record
 * into a bounded ring; one thread does the rest. */
#ifndef RG_OBSERVE_OBSERVE_H
#define RG_OBSERVE_OBSERVE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "observe/counter.h"
#include "observe/signin.h"

struct json_t;
struct rg_observe_ring;

/* Starts the thread. workers: how many rings; trace_most: records that the trace ring holds (about 4 KiB each). False, with
 * errno: no memory, descriptors or threads. */
bool observe_open(unsigned workers, unsigned trace_most);
void observe_close(void); /* drains first; once nobody hands in or reads any more */
struct rg_observe_ring *observe_ring(unsigned worker); /* one producer each; NULL: no such worker */

/* Takes a copy; total_us, result and reason are set by the caller. Never waits: a full ring drops and counts
 * (RG_COUNT_OBSERVE_LOST of that worker). With ring NULL nothing happens. */
void observe_signin(struct rg_observe_ring *, const struct rg_signin *);

/* {"REALM": {"REASON": n}}; the caller owns it. From any thread. */
struct json_t *observe_signins_json(void);
/* The newest `most` sign-ins of an identity (outer or inner, case folded) or MAC (any notation; "" or
 * NULL: everyone), newest first, as the contract's array; after: only those with a serial above it
 * (--follow). last_serial, unless NULL, is set to the newest serial that was looked at. The caller owns it. */
struct json_t *observe_trace_json(const char *who, unsigned most, uint64_t after, uint64_t *last_serial);

/* Prometheus text of all counters and of what the daemon adds (gauges). Caller frees. From any thread. */
char *observe_metrics_text(void);
/* Something that adds lines to the metrics text: called with an open memory stream (FILE *), from the
 * http thread, and not after it was replaced (NULL: none). One may be set. */
void observe_metrics_gauges(void (*add)(void *context, void *file), void *context);
/* For such additions: a label's value, escaped as the exposition format wants it, into out. */
void metrics_label(char *out, size_t capacity, const char *value);
#endif

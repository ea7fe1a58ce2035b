/* The sinks in use (roamgate/sink.h): the observer hands each of them every sign-in that has ended.
 */
#ifndef RG_OBSERVE_SINKS_H
#define RG_OBSERVE_SINKS_H
#include <stdbool.h>
#include <stdio.h>

#include "config/raddb.h"
#include "observe/signin.h"

struct json_t;
struct rg_sink_set;

/* The sinks of a raddb: those in use whose settings are the same, and new ones, which are open but
 * are told of nothing yet. NULL: why (256 octets) says which one could not be opened. Main thread,
 * as what follows. */
struct rg_sink_set *sinks_prepare(const struct rg_raddb *, char *why);
/* From now on these are told; those in use that are not among them are closed, which may take two
 * seconds each. Takes the set; NULL: none. */
void sinks_use(struct rg_sink_set **);
/* A set that is not wanted after all. */
void sinks_discard(struct rg_sink_set **);

/* [{"sink","state","why","since","sent","dropped","waiting"}] of those in use; the caller owns it.
 */
struct json_t *sinks_status_json(void);
/* The same for /metrics. */
void sinks_metrics(FILE *);

/* For the observer, from whatever thread takes from the rings. */
void sinks_take(const struct rg_signin *);
#endif

/* The thread that carries lines to the target: it connects, and again with back-off, and waits for
 * nobody longer than it may. */
#ifndef SINK_FTICKS_SENDER_H
#define SINK_FTICKS_SENDER_H
#include "line.h"
#include "roamgate/sink.h"

struct fticks_sender;

/* Copies what it needs. NULL: why. */
struct fticks_sender *fticks_sender_open(const struct fticks_settings *, const char *country,
					 char why[RG_SINK_WHY]);
/* Never waits; a full queue drops. */
void fticks_sender_put(struct fticks_sender *, const struct fticks_tick *);
void fticks_sender_status(struct fticks_sender *, struct rg_sink_status *);
/* What waits has a second to leave. */
void fticks_sender_close(struct fticks_sender *);
#endif

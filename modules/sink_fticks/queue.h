/* Sign-ins that wait for the sender: bounded, of one that puts and one that takes. */
#ifndef SINK_FTICKS_QUEUE_H
#define SINK_FTICKS_QUEUE_H
#include <pthread.h>

#include "line.h"

struct fticks_queue {
	pthread_mutex_t lock; /* held for as long as a copy takes */
	struct fticks_tick *ticks;
	uint32_t most, first, count;
	uint64_t dropped;
	bool asleep; /* the sender waits for a put */
	int wake;    /* eventfd, readable once it need not wait any more */
};

bool fticks_queue_init(struct fticks_queue *,
		       uint32_t most); /* false: no memory, or no descriptor */
void fticks_queue_destroy(struct fticks_queue *);
/* Full: dropped and counted. */
void fticks_queue_put(struct fticks_queue *, const struct fticks_tick *);
/* The oldest, taken out; false: there is none, and the next put makes `wake` readable. */
bool fticks_queue_take(struct fticks_queue *, struct fticks_tick *);
uint64_t fticks_queue_dropped(struct fticks_queue *, uint32_t *waiting);
#endif

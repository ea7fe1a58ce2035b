#include "queue.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool fticks_queue_init(struct fticks_queue *queue, uint32_t most)
{
	*queue = (struct fticks_queue){
		.ticks = malloc(most * sizeof(struct fticks_tick)),
		.most = most,
		.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};
	pthread_mutex_init(&queue->lock, NULL);
	if (queue->ticks && queue->wake >= 0)
		return true;
	fticks_queue_destroy(queue);
	return false;
}

void fticks_queue_destroy(struct fticks_queue *queue)
{
	free(queue->ticks);
	if (queue->wake >= 0)
		close(queue->wake);
	pthread_mutex_destroy(&queue->lock);
}

void fticks_queue_put(struct fticks_queue *queue, const struct fticks_tick *tick)
{
	const uint64_t one = 1;
	pthread_mutex_lock(&queue->lock);
	bool room = queue->count < queue->most, asleep = queue->asleep && room;
	if (room)
		queue->ticks[(queue->first + queue->count++) % queue->most] = *tick;
	else
		queue->dropped++;
	if (asleep)
		queue->asleep = false;
	pthread_mutex_unlock(&queue->lock);
	if (asleep && write(queue->wake, &one, sizeof(one)) < 0)
		return; /* readable already */
}

bool fticks_queue_take(struct fticks_queue *queue, struct fticks_tick *tick)
{
	uint64_t wakes;
	pthread_mutex_lock(&queue->lock);
	bool any = queue->count != 0;
	if (any) {
		*tick = queue->ticks[queue->first];
		queue->first = (queue->first + 1) % queue->most;
		queue->count--;
	} else if (read(queue->wake, &wakes, sizeof(wakes)) < 0)
		wakes = 0; /* nobody had to wake us */
	queue->asleep = !any;
	pthread_mutex_unlock(&queue->lock);
	return any;
}

uint64_t fticks_queue_dropped(struct fticks_queue *queue, uint32_t *waiting)
{
	pthread_mutex_lock(&queue->lock);
	uint64_t dropped = queue->dropped;
	*waiting = queue->count;
	pthread_mutex_unlock(&queue->lock);
	return dropped;
}

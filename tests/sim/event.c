/* What happens later: a heap by time, and by the order of asking where times are the same. */
#include <stdlib.h>

#include "sim.h"

struct event {
	uint64_t at, order;
	void (*run)(void *context);
	void *context;
};

static struct {
	struct event *events;
	size_t count, room;
	uint64_t order;
} heap;

static bool before(const struct event *a, const struct event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void swap(size_t a, size_t b)
{
	struct event kept = heap.events[a];
	heap.events[a] = heap.events[b];
	heap.events[b] = kept;
}

void event_at(uint64_t at, void (*run)(void *context), void *context)
{
	if (heap.count == heap.room) {
		heap.room = heap.room ? 2 * heap.room : 256;
		struct event *larger = own(heap.room * sizeof(*larger));
		if (heap.count != 0)
			memcpy(larger, heap.events, heap.count * sizeof(*larger));
		free(heap.events);
		heap.events = larger;
	}
	size_t i = heap.count++;
	heap.events[i] =
		(struct event){at < world.now ? world.now : at, heap.order++, run, context};
	for (; i != 0 && before(&heap.events[i], &heap.events[(i - 1) / 2]); i = (i - 1) / 2)
		swap(i, (i - 1) / 2);
}

bool event_next(uint64_t *at)
{
	if (heap.count == 0)
		return false;
	*at = heap.events[0].at;
	return true;
}

void event_run(void)
{
	struct event event = heap.events[0];
	heap.events[0] = heap.events[--heap.count];
	for (size_t i = 0;;) {
		size_t least = i;
		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < heap.count; child++)
			if (before(&heap.events[child], &heap.events[least]))
				least = child;
		if (least == i)
			break;
		swap(i, least);
		i = least;
	}
	event.run(event.context);
}

void events_forget(void)
{
	free(heap.events);
	heap.events = NULL;
	heap.count = heap.room = 0;
}

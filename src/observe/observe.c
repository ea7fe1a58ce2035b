#include "observe/observe.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/log.h"
#include "core/sandbox.h"
#include "core/thread.h"
#include "observe/history.h"
#include "observe/metrics.h"
#include "observe/record.h"
#include "observe/ring.h"
#include "observe/sinks.h"
#include "observe/tally.h"

#define NAP_MS 10 /* how late a record of a busy gateway may be taken */

struct rg_observe_ring {
	struct rg_ring ring;
	struct rg_counters *counters;
};

/* The one observer of the process. */
static struct {
	struct rg_observe_ring *rings;
	unsigned workers;
	pthread_t thread;
	int wake;                  /* eventfd */
	_Atomic uint32_t patience; /* octets in one ring that it wants to be woken for; UINT32_MAX:
				      it is awake */
	atomic_bool closing;
	pthread_mutex_t lock; /* who holds it takes from the rings, and reads what follows */
	struct rg_tally *tally;
	struct rg_history *history;
} observer = {.wake = -1, .lock = PTHREAD_MUTEX_INITIALIZER};

static void write_line(const struct rg_signin *signin)
{
	static char text[RG_RECORD_MOST]; /* of who consumes */
	if (log_level() < RG_LOG_INFO)
		return;
	if (log_format() == RG_LOG_JSON) {
		char *line = record_json_line(signin);
		if (line)
			log_record(RG_LOG_INFO, line);
		free(line);
		return;
	}
	record_text(signin, text);
	log_record(RG_LOG_INFO, text);
}

static void take_oldest(struct rg_ring *ring)
{
	const struct rg_signin *signin = ring_oldest(ring);
	write_line(signin);
	tally_add(observer.tally, signin);
	history_add(observer.history, ring_oldest_packed(ring));
	sinks_take(signin);
	ring_drop(ring);
}

/* The ring whose oldest record ended first, so that records of several workers come in their order;
 * NULL: all empty. */
static struct rg_ring *earliest(void)
{
	struct rg_ring *found = NULL;
	uint64_t ended = UINT64_MAX;
	for (unsigned i = 0; i < observer.workers; i++) {
		const struct rg_signin *signin = ring_oldest(&observer.rings[i].ring);
		if (!signin || signin->began_ns + signin->total_us * UINT64_C(1000) >= ended)
			continue;
		ended = signin->began_ns + signin->total_us * UINT64_C(1000);
		found = &observer.rings[i].ring;
	}
	return found;
}

/* The lock is held. False: they were empty. */
static bool drain_all(void)
{
	bool any = false;
	for (struct rg_ring *ring; (ring = earliest()); any = true)
		take_oldest(ring);
	return any;
}

static bool drain_locked(void)
{
	pthread_mutex_lock(&observer.lock);
	bool any = drain_all();
	pthread_mutex_unlock(&observer.lock);
	return any;
}

static bool all_empty(void)
{
	for (unsigned i = 0; i < observer.workers; i++)
		if (!ring_empty(&observer.rings[i].ring))
			return false;
	return true;
}

static void sleep_until_woken(uint32_t patience, int timeout_ms)
{
	struct pollfd ready = {.fd = observer.wake, .events = POLLIN};
	uint64_t wakes;
	/* Sequentially consistent with the worker's ring_put and load of patience: either it sees
	 * that we sleep, or we see its record. */
	atomic_store(&observer.patience, patience);
	if ((patience != 1 || all_empty()) && !atomic_load(&observer.closing))
		while (poll(&ready, 1, timeout_ms) < 0 && errno == EINTR)
			continue;
	atomic_store(&observer.patience, UINT32_MAX);
	if (read(observer.wake, &wakes, sizeof(wakes)) < 0)
		wakes = 0; /* nobody had to wake us */
}

/* A busy gateway's records are taken many at a time: to wake a thread for each costs more than the
 * record. */
static void *observer_main(void *unused)
{
	(void)unused;
	sandbox_enter(RG_ROLE_OBSERVER);
	for (;;) {
		bool closing = atomic_load(&observer.closing);
		if (drain_locked())
			sleep_until_woken(RG_RING_SIZE / 2, NAP_MS);
		else if (!closing)
			sleep_until_woken(1, -1);
		else
			return NULL;
	}
}

static void wake_up(void)
{
	const uint64_t one = 1;
	if (write(observer.wake, &one, sizeof(one)) < 0)
		return; /* the counter is full: it is awake already */
}

static bool rings_new(unsigned workers)
{
	observer.rings =
		aligned_alloc(_Alignof(struct rg_observe_ring), workers * sizeof(*observer.rings));
	if (!observer.rings)
		return false;
	memset(observer.rings, 0, workers * sizeof(*observer.rings));
	observer.workers = workers;
	for (unsigned i = 0; i < workers; i++) {
		observer.rings[i].counters = counters_of(i);
		if (!ring_init(&observer.rings[i].ring))
			return false;
	}
	return true;
}

static void free_all(void)
{
	for (unsigned i = 0; observer.rings && i < observer.workers; i++)
		ring_destroy(&observer.rings[i].ring);
	free(observer.rings);
	observer.rings = NULL;
	observer.workers = 0;
	if (observer.wake >= 0)
		close(observer.wake);
	observer.wake = -1;
	tally_free(&observer.tally);
	history_free(&observer.history);
}

bool observe_open(unsigned workers, unsigned trace_most)
{
	observer.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	observer.tally = tally_new();
	observer.history = history_new(trace_most);
	atomic_store(&observer.closing, false);
	atomic_store(&observer.patience, UINT32_MAX);
	if (workers == 0 || observer.wake < 0 || !observer.tally || !observer.history ||
	    !rings_new(workers))
		goto out;
	if (thread_begin(&observer.thread, observer_main, NULL))
		return true;
out:;
	int error = errno;
	free_all();
	errno = error;
	return false;
}

void observe_close(void)
{
	if (!observer.rings)
		return;
	atomic_store(&observer.closing, true);
	wake_up();
	pthread_join(observer.thread, NULL);
	free_all();
}

struct rg_observe_ring *observe_ring(unsigned worker)
{
	return worker < observer.workers ? &observer.rings[worker] : NULL;
}

void observe_signin(struct rg_observe_ring *ring, const struct rg_signin *signin)
{
	if (!ring)
		return;
	if (!ring_put(&ring->ring, signin)) {
		count(ring->counters, RG_COUNT_OBSERVE_LOST);
		return;
	}
	/* The first of several workers that finds it asleep wakes it; the others save the system
	 * call. */
	if (ring_used(&ring->ring) >= atomic_load(&observer.patience) &&
	    atomic_exchange(&observer.patience, UINT32_MAX) != UINT32_MAX)
		wake_up();
}

static void add_row(void *context, const struct rg_tally_row *row)
{
	json_t *reasons = json_object();
	for (unsigned i = 0; i < RG_REASON_COUNT; i++)
		if (row->count[i] != 0)
			json_object_set_new(reasons, reason_word((enum rg_reason)i),
					    json_integer((json_int_t)row->count[i]));
	json_object_set_new(context, row->label, reasons);
}

json_t *observe_signins_json(void)
{
	json_t *signins = json_object();
	pthread_mutex_lock(&observer.lock);
	drain_all(); /* what ended before the question belongs to the answer */
	if (observer.tally)
		tally_each(observer.tally, add_row, signins);
	pthread_mutex_unlock(&observer.lock);
	return signins;
}

json_t *observe_trace_json(const char *who, unsigned most, uint64_t after, uint64_t *last_serial)
{
	json_t *found = NULL;
	pthread_mutex_lock(&observer.lock);
	drain_all();
	if (observer.history)
		found = history_find(observer.history, who, most, after, last_serial);
	pthread_mutex_unlock(&observer.lock);
	return found ? found : json_array();
}

static struct {
	pthread_mutex_t lock;
	void (*add)(void *context, void *file);
	void *context;
} gauges = {.lock = PTHREAD_MUTEX_INITIALIZER};

void observe_metrics_gauges(void (*add)(void *context, void *file), void *context)
{
	pthread_mutex_lock(&gauges.lock);
	gauges.add = add;
	gauges.context = context;
	pthread_mutex_unlock(&gauges.lock);
}

char *observe_metrics_text(void)
{
	char *text = NULL;
	size_t length = 0;
	FILE *file = open_memstream(&text, &length);
	if (!file)
		return NULL;
	drain_locked();
	metrics_write_process(file);
	metrics_write_counters(file);
	pthread_mutex_lock(&observer.lock);
	if (observer.tally)
		metrics_write_tally(file, observer.tally);
	pthread_mutex_unlock(&observer.lock);
	pthread_mutex_lock(&gauges.lock);
	if (gauges.add)
		gauges.add(gauges.context, file);
	pthread_mutex_unlock(&gauges.lock);
	if (fclose(file) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

#include "request/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/sandbox.h"
#include "core/thread.h"
#include "request/answer.h"
#include "request/away.h"
#include "request/doors.h"
#include "request/home.h"
#include "request/ports.h"

/* Leases. */

static void on_lease_returned(struct rg_message *message, void *owner, bool closing)
{
	struct rg_lease *lease = (struct rg_lease *)message;
	(void)owner;
	(void)closing;
	snapshot_unref(&lease->snapshot);
	free(lease);
}

void lease_drop(struct rg_worker *worker, struct rg_lease *lease)
{
	if (--lease->holds != 0)
		return;
	outbox_seal(worker->outbox); /* its keys go */
	/* Freeing may wait for a directory's threads: the main thread's business. */
	lease->message.deliver = on_lease_returned;
	mailbox_post(worker->home, &lease->message);
}

void worker_flush(struct rg_worker *worker)
{
	unsigned failed = outbox_flush(worker->outbox);
	while (failed-- != 0)
		count(worker->counters, RG_COUNT_SEND_FAILED);
}

/* A new configuration. */

struct rg_publication {
	struct rg_message message;
	struct rg_lease *lease;
	size_t count;
	struct rg_port_socket ports[];
};

static bool names(const struct rg_publication *publication, int fd)
{
	for (size_t i = 0; publication && i < publication->count; i++)
		if (publication->ports[i].fd == fd)
			return true;
	return false;
}

/* A socket for which there was no memory stays open, so that its number means no other, until it is
 * left out of a configuration: like those that are served. news NULL: the worker ends. */
static void close_unserved(struct rg_worker *worker, const struct rg_publication *news)
{
	const struct rg_publication *former = worker->publication;
	for (size_t i = 0; former && i < former->count; i++) {
		int fd = former->ports[i].fd;
		if (!names(news, fd) && !ports_serve(worker, fd) && !doors_serve(worker, fd))
			close(fd);
	}
}

static void on_publication(struct rg_message *message, void *owner, bool closing)
{
	struct rg_publication *news = (struct rg_publication *)message;
	struct rg_worker *worker = owner;
	if (closing) { /* the sockets were never this worker's: its end is the process's */
		news->lease->holds = 1;
		lease_drop(worker, news->lease);
		free(news);
		return;
	}
	struct rg_lease *former = worker->lease;
	close_unserved(worker, news);
	free(worker->publication);
	worker->publication = news;
	worker->lease = news->lease;
	ports_take(worker, news->ports, news->count);
	doors_take(worker, news->ports, news->count);
	doors_renew(worker);
	upstream_configure(&worker->upstream, worker->lease->snapshot->raddb,
			   worker->lease->snapshot->peer_learned,
			   worker->lease->snapshot->radsec);
	if (former)
		lease_drop(worker, former);
}

static void publication_free(struct rg_publication *news)
{
	if (news)
		free(news->lease);
	free(news);
}

struct rg_port_socket *worker_publication(struct rg_worker *worker, size_t count)
{
	struct rg_publication *news = malloc(sizeof(*news) + count * sizeof(news->ports[0]));
	if (news && !(news->lease = malloc(sizeof(*news->lease)))) {
		free(news);
		news = NULL;
	}
	publication_free(worker->room);
	worker->room = news;
	if (!news)
		return NULL;
	news->count = count;
	return news->ports;
}

void worker_publish(struct rg_worker *worker, struct rg_snapshot *snapshot)
{
	struct rg_publication *news = worker->room;
	worker->room = NULL;
	news->message = (struct rg_message){.deliver = on_publication};
	*news->lease = (struct rg_lease){.snapshot = snapshot, .holds = 1};
	snapshot->users++;
	mailbox_post(&worker->mailbox, &news->message);
}

/* Lessons. */

struct lesson {
	struct rg_message message;
	void (*learned)(void);
};

static void on_lesson(struct rg_message *message, void *owner, bool closing)
{
	struct lesson *lesson = (struct lesson *)message;
	(void)owner;
	(void)closing;
	lesson->learned();
	free(lesson);
}

void worker_has_learned(struct rg_worker *worker)
{
	struct lesson *lesson = malloc(sizeof(*lesson));
	if (!lesson)
		return; /* it is known, only not yet written down */
	*lesson = (struct lesson){{.deliver = on_lesson}, worker->learned};
	mailbox_post(worker->home, &lesson->message);
}

/* The loop. */

static void on_tick(uv_timer_t *tick)
{
	struct rg_worker *worker = tick->data;
	worker->tick_ns = UINT64_MAX;
	wheel_advance(&worker->wheel, clock_now());
}

/* Before the loop sleeps: all that was said leaves, and the wheel's next turn is set. */
static void on_prepare(uv_prepare_t *prepare)
{
	struct rg_worker *worker = prepare->data;
	place_flush(&worker->place);
	worker_flush(worker);
	upstream_tidy(&worker->upstream);
	atomic_store_explicit(&worker->under_way, worker->open, memory_order_relaxed);
	if (worker->wheel.soonest_ns >= worker->tick_ns)
		return;
	uint64_t now = clock_now();
	worker->tick_ns = worker->wheel.soonest_ns;
	uv_update_time(&worker->loop);
	uv_timer_start(&worker->tick, on_tick,
		       worker->tick_ns > now ? (worker->tick_ns - now) / RG_MS + 1 : 0, 0);
}

static void drop_request(void *context, struct rg_request *request)
{
	(void)context;
	request_drop(request);
}

static void shut(struct rg_worker *worker)
{
	struct rg_session *session;
	while ((session = session_any(&worker->sessions)))
		home_give_up(session, RG_REASON_SUPPLICANT_ABANDONED, "the gateway stops");
	window_each(&worker->window, drop_request, NULL);
	upstream_close(&worker->upstream);
	close_unserved(worker, NULL);
	free(worker->publication);
	worker->publication = NULL;
	ports_take(worker, NULL, 0);
	doors_take(worker, NULL, 0);
	place_close(&worker->place);
	uv_close((uv_handle_t *)&worker->tick, NULL);
	uv_close((uv_handle_t *)&worker->prepare, NULL);
	mailbox_close(&worker->mailbox);
	worker_flush(worker);
	if (worker->lease)
		lease_drop(worker, worker->lease);
	worker->lease = NULL;
}

static void on_drain(struct rg_message *message, void *owner, bool closing)
{
	struct rg_worker *worker = owner;
	(void)closing;
	worker->draining = true;
	free(message);
}

static void on_stop(struct rg_message *message, void *owner, bool closing)
{
	free(message);
	if (!closing)
		shut(owner);
}

static void tell(struct rg_worker *worker,
		 void (*deliver)(struct rg_message *, void *owner, bool closing))
{
	struct rg_message *message = malloc(sizeof(*message));
	if (!message)
		return;
	message->deliver = deliver;
	mailbox_post(&worker->mailbox, message);
}

void worker_drain(struct rg_worker *worker)
{
	tell(worker, on_drain);
}

void worker_stop(struct rg_worker *worker)
{
	if (worker->started)
		tell(worker, on_stop);
	else
		shut(worker);
}

static void *run(void *context)
{
	struct rg_worker *worker = context;
	sandbox_enter(RG_ROLE_WORKER);
	uv_run(&worker->loop, UV_RUN_DEFAULT);
	return NULL;
}

static void free_memory(struct rg_worker *worker)
{
	session_table_destroy(&worker->sessions);
	window_destroy(&worker->window);
	inbox_free(&worker->inbox);
	outbox_free(&worker->outbox);
	slab_destroy(&worker->slab);
}

static bool loop_open(struct rg_worker *worker)
{
	int failed = uv_loop_init(&worker->loop);
	if (failed == 0 && (failed = mailbox_init(&worker->mailbox, &worker->loop, worker)) != 0) {
		mailbox_destroy(&worker->mailbox);
		uv_loop_close(&worker->loop);
	}
	errno = -failed; /* libuv's errors are the system's */
	return failed == 0;
}

bool worker_init(struct rg_worker *worker, unsigned number, unsigned workers, uint32_t sessions,
		 uint8_t node, struct rg_worker *siblings, struct rg_mailbox *home)
{
	worker->number = number;
	worker->workers = workers;
	worker->siblings = siblings;
	worker->home = home;
	worker->counters = counters_of(number);
	worker->ring = observe_ring(number);
	worker->tick_ns = UINT64_MAX;
	wheel_init(&worker->wheel, clock_now());
	worker->inbox = inbox_new();
	worker->outbox = outbox_new();
	if (!worker->inbox || !worker->outbox || !window_init(&worker->window) ||
	    !session_table_init(&worker->sessions, sessions, node, (uint16_t)number) ||
	    !loop_open(worker)) {
		int error = errno;
		free_memory(worker);
		errno = error;
		return false;
	}
	uv_timer_init(&worker->loop, &worker->tick);
	uv_prepare_init(&worker->loop, &worker->prepare);
	worker->tick.data = worker;
	worker->prepare.data = worker;
	uv_prepare_start(&worker->prepare, on_prepare);
	worker->place = (struct rg_connection_place){
		.loop = &worker->loop,
		.wheel = &worker->wheel,
		.inbox = worker->inbox,
		.outbox = worker->outbox,
	};
	worker->upstream = (struct rg_upstream){
		.loop = &worker->loop,
		.worker = number,
		.node = node,
		.wheel = &worker->wheel,
		.slab = &worker->slab,
		.entropy = &worker->entropy,
		.inbox = worker->inbox,
		.outbox = worker->outbox,
		.mailbox = &worker->mailbox,
		.place = &worker->place,
		.counters = worker->counters,
		.events = &away_events,
		.context = worker,
	};
	return true;
}

bool worker_start(struct rg_worker *worker)
{
	worker->started = thread_begin(&worker->thread, run, worker);
	return worker->started;
}

void worker_join(struct rg_worker *worker)
{
	if (worker->started)
		pthread_join(worker->thread, NULL);
	else
		uv_run(&worker->loop, UV_RUN_DEFAULT); /* never ran: its handles close here */
	worker->started = false;
}

void worker_destroy(struct rg_worker *worker)
{
	uv_loop_close(&worker->loop);
	mailbox_destroy(&worker->mailbox);
	publication_free(worker->room);
	free_memory(worker);
}

/* libuv's place: loops whose turns the simulation takes, one at a time and in an order that the
 * seed decides. A turn is what uv_run does in one: what came in, closings, timers, and what is done
 * before it would sleep. */
#include <stdlib.h>

#include "sim.h"

#define LOOPS_MOST 8

enum what { TIMER, PREPARE, POLL, ASYNC };

struct handle {
	struct handle *next;
	uv_handle_t *uv;
	enum what what;
	bool active, closing, pending;
	int fd;
	uint64_t due_ms;
	uv_timer_cb on_timer;
	uv_prepare_cb on_prepare;
	uv_poll_cb on_poll;
	uv_async_cb on_async;
	uv_close_cb on_close;
};

struct loop {
	uv_loop_t *uv;
	struct handle *handles;
	uint64_t time_ms, stalled_until;
};

static struct loop loops[LOOPS_MOST];

int __wrap_uv_loop_init(uv_loop_t *loop);
int __wrap_uv_loop_close(uv_loop_t *loop);
int __wrap_uv_run(uv_loop_t *loop, uv_run_mode mode);
void __wrap_uv_update_time(uv_loop_t *loop);
void __wrap_uv_close(uv_handle_t *uv, uv_close_cb on_close);
int __wrap_uv_timer_init(uv_loop_t *loop, uv_timer_t *timer);
int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb on_timer, uint64_t timeout,
			  uint64_t repeat);
int __wrap_uv_prepare_init(uv_loop_t *loop, uv_prepare_t *prepare);
int __wrap_uv_prepare_start(uv_prepare_t *prepare, uv_prepare_cb on_prepare);
int __wrap_uv_poll_init(uv_loop_t *loop, uv_poll_t *poll, int fd);
int __wrap_uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb on_poll);
int __wrap_uv_poll_stop(uv_poll_t *poll);
int __wrap_uv_async_init(uv_loop_t *loop, uv_async_t *async, uv_async_cb on_async);
int __wrap_uv_async_send(uv_async_t *async);

static struct loop *loop_of(const uv_loop_t *uv)
{
	for (unsigned i = 0; i < LOOPS_MOST; i++)
		if (loops[i].uv == uv)
			return &loops[i];
	broken("a loop that nobody made");
}

static struct handle *handle_of(void *uv)
{
	return ((uv_handle_t *)uv)->u.reserved[0];
}

static struct handle *handle_new(uv_loop_t *loop, void *uv, enum what what)
{
	struct handle *handle = own(sizeof(*handle));
	handle->uv = uv;
	handle->what = what;
	handle->uv->loop = loop;
	handle->uv->u.reserved[0] = handle;
	handle->next = loop_of(loop)->handles;
	loop_of(loop)->handles = handle;
	return handle;
}

int __wrap_uv_loop_init(uv_loop_t *loop)
{
	unsigned i = 0;
	while (i < LOOPS_MOST && loops[i].uv)
		i++;
	must(i < LOOPS_MOST);
	loops[i] = (struct loop){.uv = loop, .time_ms = world.now / RG_MS};
	return 0;
}

int __wrap_uv_loop_close(uv_loop_t *loop)
{
	if (loop_of(loop)->handles)
		broken("a loop ends that has handles yet");
	loop_of(loop)->uv = NULL;
	return 0;
}

void __wrap_uv_update_time(uv_loop_t *loop)
{
	loop_of(loop)->time_ms = world.now / RG_MS;
}

void __wrap_uv_close(uv_handle_t *uv, uv_close_cb on_close)
{
	struct handle *handle = handle_of(uv);
	must(!handle->closing);
	handle->closing = true;
	handle->active = false;
	handle->on_close = on_close;
}

int __wrap_uv_timer_init(uv_loop_t *loop, uv_timer_t *timer)
{
	handle_new(loop, timer, TIMER);
	return 0;
}

int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb on_timer, uint64_t timeout,
			  uint64_t repeat)
{
	struct handle *handle = handle_of(timer);
	must(!handle->closing && repeat == 0);
	handle->active = true;
	handle->on_timer = on_timer;
	handle->due_ms = loop_of(timer->loop)->time_ms + timeout;
	return 0;
}

int __wrap_uv_prepare_init(uv_loop_t *loop, uv_prepare_t *prepare)
{
	handle_new(loop, prepare, PREPARE);
	return 0;
}

int __wrap_uv_prepare_start(uv_prepare_t *prepare, uv_prepare_cb on_prepare)
{
	handle_of(prepare)->active = true;
	handle_of(prepare)->on_prepare = on_prepare;
	return 0;
}

int __wrap_uv_poll_init(uv_loop_t *loop, uv_poll_t *poll, int fd)
{
	handle_new(loop, poll, POLL)->fd = fd;
	return 0;
}

int __wrap_uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb on_poll)
{
	must(events == UV_READABLE && !handle_of(poll)->closing);
	handle_of(poll)->active = true;
	handle_of(poll)->on_poll = on_poll;
	return 0;
}

int __wrap_uv_poll_stop(uv_poll_t *poll)
{
	handle_of(poll)->active = false;
	return 0;
}

int __wrap_uv_async_init(uv_loop_t *loop, uv_async_t *async, uv_async_cb on_async)
{
	struct handle *handle = handle_new(loop, async, ASYNC);
	handle->active = true;
	handle->on_async = on_async;
	return 0;
}

int __wrap_uv_async_send(uv_async_t *async)
{
	must(!handle_of(async)->closing);
	handle_of(async)->pending = true;
	return 0;
}

/* Turns. */

static bool has_come(const struct handle *handle)
{
	return handle->active && ((handle->what == ASYNC && handle->pending) ||
				  (handle->what == POLL && socket_readable(handle->fd)));
}

static bool is_due(const struct loop *loop, const struct handle *handle)
{
	(void)loop;
	return handle->active && handle->what == TIMER && world.now / RG_MS >= handle->due_ms;
}

static bool has_work(const struct loop *loop)
{
	if (!loop->uv || world.now < loop->stalled_until)
		return false;
	for (const struct handle *handle = loop->handles; handle; handle = handle->next)
		if (has_come(handle) || is_due(loop, handle) || handle->closing)
			return true;
	return false;
}

static void run(struct handle *handle)
{
	switch (handle->what) {
	case POLL:
		handle->on_poll((uv_poll_t *)handle->uv, 0, UV_READABLE);
		break;
	case ASYNC:
		handle->pending = false;
		handle->on_async((uv_async_t *)handle->uv);
		break;
	case TIMER:
		handle->active = false;
		handle->on_timer((uv_timer_t *)handle->uv);
		break;
	case PREPARE:
		handle->on_prepare((uv_prepare_t *)handle->uv);
		break;
	}
}

/* All that have something now, in any order: epoll promises none. One that another stops meanwhile
 * is left out. */
static void run_what_came(struct loop *loop)
{
	struct handle *ready[1024];
	unsigned count = 0;
	for (struct handle *handle = loop->handles; handle && count < 1024; handle = handle->next)
		if (has_come(handle))
			ready[count++] = handle;
	for (unsigned left = count; left > 1; left--) {
		unsigned other = chance_below(&world.loop, left);
		struct handle *kept = ready[left - 1];
		ready[left - 1] = ready[other];
		ready[other] = kept;
	}
	for (unsigned i = 0; i < count; i++)
		if (has_come(ready[i]))
			run(ready[i]);
}

static void run_closings(struct loop *loop)
{
	for (struct handle **at = &loop->handles; *at;) {
		struct handle *handle = *at;
		if (!handle->closing) {
			at = &handle->next;
			continue;
		}
		*at = handle->next;
		if (handle->on_close)
			handle->on_close(handle->uv);
		free(handle);
	}
}

static void run_kind(struct loop *loop, enum what what)
{
	for (struct handle *handle = loop->handles, *next; handle; handle = next) {
		next = handle->next;
		if (handle->what == what && handle->active &&
		    (what != TIMER || handle->due_ms <= loop->time_ms))
			run(handle);
	}
}

static void turn(struct loop *loop)
{
	loop->time_ms = world.now / RG_MS;
	world.within = true;
	run_what_came(loop);
	run_closings(loop);
	run_kind(loop, TIMER);
	run_kind(loop, PREPARE);
	world.within = false;
}

bool loops_turn(void)
{
	unsigned first = chance_below(&world.loop, LOOPS_MOST);
	for (unsigned i = 0; i < LOOPS_MOST; i++) {
		struct loop *loop = &loops[(first + i) % LOOPS_MOST];
		if (has_work(loop)) {
			turn(loop);
			return true;
		}
	}
	return false;
}

bool loops_next(uint64_t *at)
{
	*at = UINT64_MAX;
	for (unsigned i = 0; i < LOOPS_MOST; i++) {
		uint64_t soonest = UINT64_MAX;
		for (const struct handle *handle = loops[i].uv ? loops[i].handles : NULL; handle;
		     handle = handle->next)
			if (has_come(handle) || handle->closing)
				soonest = world.now;
			else if (handle->what == TIMER && handle->active &&
				 handle->due_ms * RG_MS < soonest)
				soonest = handle->due_ms * RG_MS;
		if (soonest < loops[i].stalled_until)
			soonest = loops[i].stalled_until;
		if (soonest != UINT64_MAX && soonest < *at)
			*at = soonest;
	}
	return *at != UINT64_MAX;
}

void loops_stall(const uv_loop_t *loop, uint64_t until)
{
	loop_of(loop)->stalled_until = until;
}

int __wrap_uv_run(uv_loop_t *loop, uv_run_mode mode)
{
	(void)mode;
	loop_of(loop)->stalled_until = 0;
	while (has_work(loop_of(loop)))
		turn(loop_of(loop));
	return 0;
}

void loops_check_closed(void)
{
	for (unsigned i = 0; i < LOOPS_MOST; i++)
		if (loops[i].uv)
			broken("a loop was left open");
}

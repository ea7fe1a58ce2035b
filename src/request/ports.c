/* The sockets of one worker: opened by the main thread, served and closed here. */
#include "request/ports.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/log.h"
#include "request/path.h"

/* One of its sockets. */
struct rg_receiver {
	struct rg_receiver *next;
	struct rg_link link;
	uv_poll_t poll;
	bool kept; /* while a new configuration is taken */
	uint32_t overflowed;
};

/* What the kernel dropped since the last batch: whoever was in it waits and asks again. */
static void count_overflow(struct rg_receiver *receiver, const struct rg_datagram *newest)
{
	static struct rg_log_limit limit = {.burst = 1, .every_s = 60};
	uint32_t more = newest->overflowed - receiver->overflowed;
	if (newest->overflowed == 0 || more == 0)
		return;
	receiver->overflowed = newest->overflowed;
	count_more(receiver->link.worker->counters, RG_COUNT_OVERFLOWED, more);
	log_limited(&limit, RG_LOG_WARNING,
		    "worker %u: more datagrams came than it could take, %u of them lost",
		    receiver->link.worker->number, more);
}

static void take_datagrams(void *context, const struct rg_datagram *datagrams, size_t count)
{
	struct rg_receiver *receiver = context;
	path_run_batch(receiver->link.worker, &receiver->link, datagrams, count);
	count_overflow(receiver, &datagrams[count - 1]);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct rg_receiver *receiver = poll->data;
	struct rg_link *link = &receiver->link;
	(void)status;
	(void)events;
	/* One batch a turn: a flooded port must not starve timers, peers and directories. */
	inbox_receive_batch(link->worker->inbox, link->fd, take_datagrams, receiver);
}

static void receiver_closed(uv_handle_t *handle)
{
	struct rg_receiver *receiver = handle->data;
	close(receiver->link.fd);
	free(receiver);
}

static void receiver_close(struct rg_receiver *receiver)
{
	link_drop_requests(&receiver->link);
	worker_flush(receiver->link.worker); /* its number may soon be another descriptor's */
	uv_close((uv_handle_t *)&receiver->poll, receiver_closed);
}

static void receiver_open(struct rg_worker *worker, const struct rg_port_socket *port)
{
	struct rg_receiver *receiver = calloc(1, sizeof(*receiver));
	if (!receiver || uv_poll_init(&worker->loop, &receiver->poll, port->fd) != 0) {
		log_write(RG_LOG_ERROR, "worker %u: a socket cannot be used before the next reload",
			  worker->number);
		free(receiver);
		return;
	}
	receiver->link = (struct rg_link){
		.kind = RG_LINK_UDP, .worker = worker, .serves = port->serves, .fd = port->fd, .version = RG_RADIUS_1_0};
	receiver->kept = true;
	receiver->poll.data = receiver;
	receiver->next = worker->receivers;
	worker->receivers = receiver;
	uv_poll_start(&receiver->poll, UV_READABLE, on_readable);
}

static struct rg_receiver *receiver_of(const struct rg_worker *worker, int fd)
{
	struct rg_receiver *receiver = worker->receivers;
	while (receiver && receiver->link.fd != fd)
		receiver = receiver->next;
	return receiver;
}

bool ports_serve(const struct rg_worker *worker, int fd)
{
	return receiver_of(worker, fd);
}

void ports_take(struct rg_worker *worker, const struct rg_port_socket *ports, size_t count)
{
	for (struct rg_receiver *receiver = worker->receivers; receiver; receiver = receiver->next)
		receiver->kept = false;
	for (size_t i = 0; i < count; i++) {
		if (ports[i].transport != RG_TRANSPORT_UDP)
			continue;
		struct rg_receiver *receiver = receiver_of(worker, ports[i].fd);
		if (receiver) {
			receiver->kept = true;
			receiver->link.serves = ports[i].serves;
		} else {
			receiver_open(worker, &ports[i]);
		}
	}
	for (struct rg_receiver **at = &worker->receivers; *at;) {
		struct rg_receiver *receiver = *at;
		if (receiver->kept) {
			at = &receiver->next;
			continue;
		}
		*at = receiver->next;
		receiver_close(receiver);
	}
}

struct rg_link *ports_find(const struct rg_worker *worker, const union rg_address *bound)
{
	for (struct rg_receiver *receiver = worker->receivers; receiver;
	     receiver = receiver->next) {
		union rg_address own = {0};
		socklen_t length = sizeof(own);
		if (getsockname(receiver->link.fd, &own.any, &length) == 0 &&
		    address_equal(&own, bound))
			return &receiver->link;
	}
	return NULL;
}

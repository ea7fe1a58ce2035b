#include "discover/resolver.h"

#include <ares.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

#define CLASS_IN    1
#define TRIES       2
#define EDNS_OCTETS 1232 /* what fits a datagram everywhere; more comes over TCP */

/* One of c-ares's sockets. */
struct watch {
	struct watch *next;
	struct rg_resolver *resolver;
	uv_poll_t poll;
	ares_socket_t fd;
};

struct rg_resolver {
	uv_loop_t *loop;
	ares_channel channel;
	uv_timer_t *timer; /* closes after us */
	struct watch *watches;
	bool closing; /* nothing is asked any more */
};

struct question {
	resolver_done *done;
	void *asker;
	enum rg_dns_type type;
	char name[RG_DNS_NAME];
};

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void on_timer_closed(uv_handle_t *handle)
{
	free(handle);
}

static void on_timer(uv_timer_t *timer);

/* When c-ares wants to be called again though nothing comes. */
static void timer_set(struct rg_resolver *resolver)
{
	struct timeval wait, *until = ares_timeout(resolver->channel, NULL, &wait);
	if (until)
		uv_timer_start(resolver->timer, on_timer,
			       (uint64_t)until->tv_sec * 1000 + (uint64_t)until->tv_usec / 1000 + 1,
			       0);
	else
		uv_timer_stop(resolver->timer);
}

static void on_timer(uv_timer_t *timer)
{
	struct rg_resolver *resolver = timer->data;
	ares_process_fd(resolver->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	timer_set(resolver);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = poll->data;
	struct rg_resolver *resolver = watch->resolver;
	/* An error shows when it is read. */
	bool readable = status != 0 || (events & UV_READABLE),
	     writable = status == 0 && (events & UV_WRITABLE);
	ares_process_fd(resolver->channel, readable ? watch->fd : ARES_SOCKET_BAD,
			writable ? watch->fd : ARES_SOCKET_BAD);
	timer_set(resolver);
}

static struct watch *watch_new(struct rg_resolver *resolver, ares_socket_t fd)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	if (!watch || uv_poll_init_socket(resolver->loop, &watch->poll, fd) != 0) {
		free(watch);
		return NULL;
	}
	watch->resolver = resolver;
	watch->fd = fd;
	watch->poll.data = watch;
	watch->next = resolver->watches;
	resolver->watches = watch;
	return watch;
}

/* c-ares says what it waits for at which socket; for nothing just before it closes it. */
static void on_socket(void *opaque, ares_socket_t fd, int readable, int writable)
{
	struct rg_resolver *resolver = opaque;
	struct watch **at = &resolver->watches;
	while (*at && (*at)->fd != fd)
		at = &(*at)->next;
	struct watch *watch = *at;
	if (!readable && !writable) {
		if (watch) {
			*at = watch->next;
			uv_close((uv_handle_t *)&watch->poll, on_closed);
		}
		return;
	}
	if (!watch)
		watch = watch_new(resolver, fd);
	if (watch) /* without memory the question runs into its timeout */
		uv_poll_start(&watch->poll,
			      (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0),
			      on_ready);
}

static bool servers_set(struct rg_resolver *resolver, const struct rg_strings *servers, char *why)
{
	struct rg_arena arena = {0};
	const char *list = "";
	for (size_t i = 0; i < servers->count; i++)
		list = arena_format(&arena, "%s%s%s", list, i == 0 ? "" : ",", servers->items[i]);
	int status = servers->count == 0 ? ARES_SUCCESS
					 : ares_set_servers_ports_csv(resolver->channel, list);
	arena_free(&arena);
	if (status != ARES_SUCCESS)
		snprintf(why, 256, "the resolvers cannot be used: %s", ares_strerror(status));
	return status == ARES_SUCCESS;
}

struct rg_resolver *resolver_open(uv_loop_t *loop, const struct rg_strings *servers,
				  unsigned timeout_ms, char *why)
{
	struct rg_resolver *resolver = calloc(1, sizeof(*resolver));
	uv_timer_t *timer = calloc(1, sizeof(*timer));
	struct ares_options options = {
		.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_EDNS,
		.timeout = (int)timeout_ms,
		.tries = TRIES,
		.ednspsz = EDNS_OCTETS,
		.sock_state_cb = on_socket,
		.sock_state_cb_data = resolver,
	};
	snprintf(why, 256, "out of memory");
	if (!resolver || !timer)
		goto out;
	int status = ares_init_options(&resolver->channel, &options,
				       ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
					       ARES_OPT_EDNSPSZ | ARES_OPT_SOCK_STATE_CB);
	if (status != ARES_SUCCESS) {
		snprintf(why, 256, "%s", ares_strerror(status));
		goto out;
	}
	if (!servers_set(resolver, servers, why)) {
		ares_destroy(resolver->channel);
		goto out;
	}
	resolver->loop = loop;
	resolver->timer = timer;
	uv_timer_init(loop, timer);
	timer->data = resolver;
	return resolver;
out:
	free(resolver);
	free(timer);
	return NULL;
}

void resolver_close(struct rg_resolver **held)
{
	struct rg_resolver *resolver = *held;
	if (!resolver)
		return;
	*held = NULL;
	resolver->closing = true;
	ares_destroy(resolver->channel); /* closes its sockets, and says so */
	uv_close((uv_handle_t *)resolver->timer, on_timer_closed);
	free(resolver);
}

static bool is_answer(int status)
{
	return status == ARES_SUCCESS || status == ARES_ENODATA || status == ARES_ENOTFOUND;
}

static void on_answer(void *opaque, int status, int timeouts, unsigned char *octets, int length)
{
	struct question *question = opaque;
	struct rg_dns_answer answer = {.outcome = RG_DNS_UNAVAILABLE};
	(void)timeouts;
	if (is_answer(status) && octets && length > 0)
		dns_answer_read(&answer, span_of(octets, (size_t)length), question->name,
				question->type);
	question->done(question->asker, &answer);
	free(question);
}

void resolver_ask(struct rg_resolver *resolver, const char *name, enum rg_dns_type type,
		  resolver_done *done, void *asker)
{
	bool fit = !resolver->closing && dns_name_is_good(name);
	struct question *question = fit ? calloc(1, sizeof(*question)) : NULL;
	if (!question) {
		done(asker, &(struct rg_dns_answer){.outcome = RG_DNS_UNAVAILABLE});
		return;
	}
	question->done = done;
	question->asker = asker;
	question->type = type;
	snprintf(question->name, sizeof(question->name), "%s", name);
	ares_query(resolver->channel, name, CLASS_IN, (int)type, on_answer, question);
	timer_set(resolver);
}

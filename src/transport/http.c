#include "transport/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/sandbox.h"
#include "core/thread.h"
#include "observe/observe.h"

#define CONNECTIONS_MOST 64u
#define TIMEOUT_S        10u
#define MEMORY_MOST      ((size_t)16384) /* octets of one connection's request */

/* The library's daemon has no thread of its own: libmicrohttpd 0.9.75 dies of a broken request that
 * comes while it stops one (its answer is refused, and written all the same). Ours ends first. */
struct rg_http {
	struct MHD_Daemon *daemon;
	pthread_t thread;
	bool serves; /* it has its thread */
	int wake; /* eventfd: the thread is to end */
	struct sockaddr_storage address;
	uint16_t port;
	int (*health)(void *context, char *why);
	void *context;
};

static const char index_page[] = "<!doctype html><html lang=\"en\"><title>roamgate</title>\n"
				 "<p>roamgate: <a href=\"/metrics\">metrics</a>, <a href=\"/health\">health</a>\n";

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type,
			      const char *text, enum MHD_ResponseMemoryMode mode)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, mode);
	if (!response) {
		if (mode == MHD_RESPMEM_MUST_FREE)
			free((void *)(uintptr_t)text);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	enum MHD_Result queued = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return queued;
}

static enum MHD_Result answer_text(struct MHD_Connection *connection, unsigned status, const char *text)
{
	return answer(connection, status, "text/plain; charset=utf-8", text, MHD_RESPMEM_MUST_COPY);
}

static enum MHD_Result answer_health(const struct rg_http *http, struct MHD_Connection *connection)
{
	char why[257] = "";
	if (!http->health || http->health(http->context, why) == 0)
		return answer_text(connection, MHD_HTTP_OK, "ok\n");
	why[255] = '\0';
	strcat(why, "\n");
	return answer_text(connection, MHD_HTTP_SERVICE_UNAVAILABLE, why);
}

static enum MHD_Result answer_metrics(struct MHD_Connection *connection)
{
	char *text = observe_metrics_text();
	if (!text)
		return answer_text(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "no memory\n");
	return answer(connection, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", text,
		      MHD_RESPMEM_MUST_FREE);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *upload_data,
				  size_t *upload_size, void **request)
{
	static char begun; /* its address marks a request whose headers have been seen */
	(void)version;
	(void)upload_data;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return answer_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
	if (!*request) {
		*request = &begun;
		return MHD_YES;
	}
	if (*upload_size != 0) {
		*upload_size = 0; /* a body that nobody reads */
		return MHD_YES;
	}
	if (strcmp(url, "/metrics") == 0)
		return answer_metrics(connection);
	if (strcmp(url, "/health") == 0)
		return answer_health(context, connection);
	if (strcmp(url, "/") == 0)
		return answer(connection, MHD_HTTP_OK, "text/html; charset=utf-8", index_page,
			      MHD_RESPMEM_PERSISTENT);
	return answer_text(connection, MHD_HTTP_NOT_FOUND, "not found\n");
}

/* The library's own messages are about single connections, and hold what strangers sent. When it
 * complains of accept() there is a lack of descriptors: it tries again at once, and would take a
 * whole processor for it. It is called on the listener's thread, so it is that one that waits. */
static void on_library_log(void *unused, const char *format, va_list args)
{
	static const struct timespec breath = {.tv_nsec = 50 * 1000 * 1000};
	(void)unused;
	(void)args;
	if (strstr(format, "accept"))
		nanosleep(&breath, NULL);
}

static socklen_t address_length(const struct sockaddr *address)
{
	return address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

/* Opened here and not by the library, so that what fails is said. -1 with errno. */
static int listen_on(const struct sockaddr *address, uint16_t *port)
{
	const int on = 1;
	struct sockaddr_storage bound;
	socklen_t length = sizeof(bound);
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    (address->sa_family == AF_INET6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) ||
	    bind(fd, address, address_length(address)) < 0 || listen(fd, CONNECTIONS_MOST) < 0 ||
	    getsockname(fd, (struct sockaddr *)&bound, &length) < 0) {
		int error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	*port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
						  : ((struct sockaddr_in *)&bound)->sin_port);
	return fd;
}

static void *run(void *context)
{
	struct rg_http *http = context;
	sandbox_enter(RG_ROLE_HTTP);
	const union MHD_DaemonInfo *epoll =
		MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	struct pollfd ready[2] = {
		{.fd = epoll->epoll_fd, .events = POLLIN},
		{.fd = http->wake, .events = POLLIN},
	};
	while (ready[1].revents == 0) {
		MHD_UNSIGNED_LONG_LONG ms;
		bool timed = MHD_get_timeout(http->daemon, &ms) == MHD_YES;
		int wait = timed && ms < TIMEOUT_S * 1000 ? (int)ms : (int)TIMEOUT_S * 1000;
		poll(ready, 2, wait);
		MHD_run(http->daemon);
		MHD_run(http->daemon); /* it listens again only after the run in which there was
					  room again */
	}
	return NULL;
}

static bool http_prepare(struct rg_http *http, char why[256])
{
	const struct sockaddr *address = (const struct sockaddr *)&http->address;
	/* epoll: a descriptor may be higher than select takes. A client that shuts down its half is
	 * noticed only when its time is over, as one that says nothing. */
	unsigned flags = MHD_USE_EPOLL | MHD_USE_ERROR_LOG;
	int fd = listen_on(address, &http->port);
	if (fd < 0) {
		snprintf(why, 256, "%s", strerror(errno));
		return false;
	}
	if (address->sa_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	http->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, http, MHD_OPTION_EXTERNAL_LOGGER,
					on_library_log, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
					MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MOST,
					MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_S,
					MHD_OPTION_CONNECTION_MEMORY_LIMIT, MEMORY_MOST, MHD_OPTION_END);
	if (!http->daemon) {
		int error = errno;
		close(fd);
		errno = error;
	}
	http->wake = http->daemon ? eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : -1;
	if (http->wake < 0)
		snprintf(why, 256, "the http server does not start: %m");
	return http->wake >= 0;
}

static void http_free(struct rg_http **http)
{
	if ((*http)->daemon)
		MHD_stop_daemon((*http)->daemon); /* closes the socket too */
	if ((*http)->wake >= 0)
		close((*http)->wake);
	free(*http);
	*http = NULL;
}

struct rg_http *http_open(const struct sockaddr *address, int (*health)(void *context, char *why),
			  void *context, char why[256])
{
	struct rg_http *http = calloc(1, sizeof(*http));
	if (!http) {
		snprintf(why, 256, "no memory");
		return NULL;
	}
	http->health = health;
	http->context = context;
	http->wake = -1;
	memcpy(&http->address, address, address_length(address));
	if (!http_prepare(http, why))
		http_free(&http);
	return http;
}

bool http_serve(struct rg_http *http, char why[256])
{
	if (!http->serves)
		http->serves = thread_begin(&http->thread, run, http);
	if (!http->serves)
		snprintf(why, 256, "the http server does not start: %m");
	return http->serves;
}

void http_close(struct rg_http **http)
{
	const uint64_t one = 1;
	if (!*http)
		return;
	ssize_t written = write((*http)->wake, &one, sizeof(one));
	(void)written; /* the first of them always fits */
	if ((*http)->serves)
		pthread_join((*http)->thread, NULL);
	http_free(http);
}

bool http_listens_on(const struct rg_http *http, const struct sockaddr *address)
{
	return memcmp(&http->address, address, address_length(address)) == 0;
}

uint16_t http_port(const struct rg_http *http)
{
	return http->port;
}

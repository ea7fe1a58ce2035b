/* The http listener, spoken to over a bare socket. */
#include "transport/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "observe/observe.h"

static struct sockaddr_storage address;
static char answer[1 << 20];
static pthread_mutex_t ill_lock = PTHREAD_MUTEX_INITIALIZER; /* written here, read on the server's thread */
static char ill[64];

static void fall_ill(const char *with)
{
	pthread_mutex_lock(&ill_lock);
	snprintf(ill, sizeof(ill), "%s", with);
	pthread_mutex_unlock(&ill_lock);
}

static int health(void *context, char *why)
{
	pthread_mutex_lock(&ill_lock);
	strcpy(why, context);
	pthread_mutex_unlock(&ill_lock);
	return why[0] ? 1 : 0;
}

static struct rg_http *open_on(int family)
{
	char why[256];
	struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;
	memset(&address, 0, sizeof(address));
	address.ss_family = (sa_family_t)family;
	if (family == AF_INET6)
		v6->sin6_addr = in6addr_loopback;
	else
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	struct rg_http *http = http_open((struct sockaddr *)&address, health, ill, why);
	assert_non_null(http);
	assert_true(http_serve(http, why));
	assert_int_not_equal(http_port(http), 0);
	v4->sin_port = htons(http_port(http)); /* at the same place in both */
	return http;
}

static int connected(void)
{
	int fd = socket(address.ss_family, SOCK_STREAM, 0);
	struct timeval patience = {.tv_sec = 30};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Sends octets, reads until the end, gives the status. */
static int exchange(const char *request)
{
	size_t length = 0;
	int fd = connected(), status = 0;
	send(fd, request, strlen(request), MSG_NOSIGNAL);
	for (ssize_t part; (part = recv(fd, answer + length, sizeof(answer) - 1 - length, 0)) > 0;)
		length += (size_t)part;
	answer[length] = '\0';
	close(fd);
	sscanf(answer, "HTTP/1.%*d %d", &status);
	return status;
}

static int get(const char *method, const char *url)
{
	char request[4096];
	snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", method,
		 url);
	return exchange(request);
}

static int setup(void **state)
{
	fall_ill("");
	*state = open_on(AF_INET);
	return 0;
}

static int teardown(void **state)
{
	struct rg_http *http = *state;
	http_close(&http);
	http_close(&http);
	return http ? -1 : 0;
}

static void metrics_health_and_index(void **state)
{
	(void)state;
	assert_int_equal(get("GET", "/metrics"), 200);
	assert_non_null(strstr(answer, "Content-Type: text/plain; version=0.0.4"));
	assert_non_null(strstr(answer, "\nroamgate_build_info{"));
	assert_int_equal(get("GET", "/health"), 200);
	assert_non_null(strstr(answer, "\r\n\r\nok\n"));
	assert_int_equal(get("GET", "/"), 200);
	assert_int_equal(get("GET", "/metrics?x=1"), 200);
}

static void health_says_why_not(void **state)
{
	(void)state;
	fall_ill("no worker serves");
	assert_int_equal(get("GET", "/health"), 503);
	assert_non_null(strstr(answer, "\r\n\r\nno worker serves\n"));
}

static void head_has_no_body(void **state)
{
	(void)state;
	assert_int_equal(get("HEAD", "/metrics"), 200);
	const char *end = strstr(answer, "\r\n\r\n");
	assert_non_null(end);
	assert_string_equal(end + 4, "");
}

static void nothing_else(void **state)
{
	static const char *const methods[] = {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"};
	(void)state;
	assert_int_equal(get("GET", "/etc/passwd"), 404);
	assert_int_equal(get("GET", "/metrics/../health"), 404);
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		assert_int_equal(get(methods[i], "/metrics"), 405);
		assert_non_null(strstr(answer, "Allow: GET, HEAD"));
	}
	assert_int_equal(exchange("POST /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
				  "Content-Length: 5\r\n\r\nhello"), 405);
}

/* Sends octets and no more, and waits until the other side has had enough, or waits for more. */
static void send_broken(const char *octets)
{
	int fd = connected();
	const struct timeval patience = {.tv_usec = 200000};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	send(fd, octets, strlen(octets), MSG_NOSIGNAL);
	shutdown(fd, SHUT_WR);
	while (recv(fd, answer, sizeof(answer), 0) > 0)
		continue;
	close(fd);
}

static void broken_requests_do_no_harm(void **state)
{
	static char request[70000];
	(void)state;
	send_broken("\r\n\r\n\r\n");
	send_broken("GET\r\n\r\n");
	send_broken("GET /metrics HTTP/9.9\r\n\r\n");
	send_broken("\x16\x03\x01\x02\x00\x01");
	memset(request, 'x', sizeof(request) - 1);
	memcpy(request, "GET /", 5);
	send_broken(request);
	assert_int_equal(get("GET", "/health"), 200);
}

static void connections_are_bounded(void **state)
{
	int fds[100];
	(void)state;
	for (int i = 0; i < 100; i++)
		fds[i] = connected();
	for (int i = 0; i < 100; i++)
		close(fds[i]);
	assert_int_equal(get("GET", "/health"), 200);
}

static void a_taken_port_is_said(void **state)
{
	char why[256] = "";
	(void)state;
	assert_null(http_open((struct sockaddr *)&address, NULL, NULL, why));
	assert_string_equal(why, strerror(EADDRINUSE));
}

static void ipv6_too(void **state)
{
	(void)state;
	struct rg_http *http = open_on(AF_INET6);
	assert_int_equal(get("GET", "/health"), 200);
	http_close(&http);
	assert_null(http);
}

static void *send_nonsense(void *context)
{
	atomic_bool *stopped = context;
	while (!atomic_load(stopped)) {
		int fd = socket(address.ss_family, SOCK_STREAM, 0);
		if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
			send(fd, "GET / HTTP/1.1\r\n", 16, MSG_NOSIGNAL);
			send(fd, " \x01 nonsense\r\n\r\n", 15, MSG_NOSIGNAL);
		}
		close(fd);
	}
	return NULL;
}

/* Seen in a soak: a broken request that came while it was stopped ended the process. */
static void closing_amid_broken_requests(void **state)
{
	(void)state;
	pthread_t threads[4];
	atomic_bool stopped = false;
	struct rg_http *http = open_on(AF_INET);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, send_nonsense, &stopped), 0);
	for (unsigned i = 0; i < 200; i++) {
		char why[256];
		usleep(500);
		http_close(&http);
		http = http_open((struct sockaddr *)&address, health, ill, why);
		assert_non_null(http);
	}
	atomic_store(&stopped, true);
	for (unsigned i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	http_close(&http);
}

#define WITH_HTTP(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_HTTP(metrics_health_and_index), WITH_HTTP(health_says_why_not),
		WITH_HTTP(head_has_no_body),	     WITH_HTTP(nothing_else),
		WITH_HTTP(broken_requests_do_no_harm), WITH_HTTP(connections_are_bounded),
		WITH_HTTP(a_taken_port_is_said),     cmocka_unit_test(ipv6_too),
		cmocka_unit_test(closing_amid_broken_requests),
	};
	alarm(300); /* what waits for ever fails */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

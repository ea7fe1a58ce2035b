/* The control socket, by its own client and by ones that misbehave. */
#include "daemon/control.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "command/control_client.h"
#include "core/clock.h"
#include "core/log.h"
#include "observe/observe.h"

#define WAIT_MS 30000

static char dir[] = "/tmp/control-test-XXXXXX";
static char path[64];

/* The daemon: a loop of its own. */
static struct {
	pthread_t thread;
	uv_loop_t loop;
	uv_async_t stop;
	struct rg_control *control;
	struct rg_control_operations operations;
	char why[256];
} host;

static json_t *on_status(void *context)
{
	/* Far larger than a socket's buffer. */
	json_t *filler = json_array();
	for (int i = 0; i < 100000; i++)
		json_array_append_new(filler, json_integer(i));
	return json_pack("{s:s, s:f, s:o}", "gateway", context, "uptime_s", 12.3, "filler", filler);
}

static json_t *on_reload(void *context)
{
	(void)context;
	return json_pack("{s:b, s:[s], s:[], s:[]}", "kept", 0, "changes", "realm x.nl added", "errors",
			 "warnings");
}

static void on_stop(uv_async_t *async)
{
	control_close(&host.control);
	assert_null(host.control);
	uv_close((uv_handle_t *)async, NULL);
}

static void *host_main(void *unused)
{
	(void)unused;
	uv_run(&host.loop, UV_RUN_DEFAULT);
	return NULL;
}

static bool host_start(unsigned slow_ms)
{
	host.operations = (struct rg_control_operations){on_status, on_reload, slow_ms};
	assert_int_equal(uv_loop_init(&host.loop), 0);
	host.control = control_open(&host.loop, path, &host.operations, (void *)"test", host.why);
	if (!host.control) {
		uv_run(&host.loop, UV_RUN_DEFAULT);
		assert_int_equal(uv_loop_close(&host.loop), 0);
		return false;
	}
	uv_async_init(&host.loop, &host.stop, on_stop);
	assert_int_equal(pthread_create(&host.thread, NULL, host_main, NULL), 0);
	return true;
}

static void host_stop(void)
{
	uv_async_send(&host.stop);
	pthread_join(host.thread, NULL);
	assert_int_equal(uv_loop_close(&host.loop), 0); /* every handle was closed */
}

static int setup(void **state)
{
	(void)state;
	unlink(path);
	if (!log_open("/dev/null", RG_LOG_INFO, RG_LOG_TEXT) || !observe_open(1, 64))
		return -1;
	return host_start(0) ? 0 : -1;
}

static int setup_impatient(void **state)
{
	(void)state;
	unlink(path);
	if (!log_open("/dev/null", RG_LOG_INFO, RG_LOG_TEXT) || !observe_open(1, 64))
		return -1;
	return host_start(100) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	host_stop();
	observe_close();
	log_close();
	return access(path, F_OK) == 0 ? -1 : 0; /* the socket goes with its gateway */
}

static struct rg_control_client *client(void)
{
	struct rg_control_client *connected;
	char why[256] = "";
	assert_int_equal(control_connect(&connected, path, why), RG_CONTROL_OK);
	return connected;
}

/* The answer to a request in text, and what why says. */
static json_t *ask(struct rg_control_client *connected, const char *request, char why[256])
{
	json_t *answer, *object = json_loads(request, JSON_DECODE_ANY, NULL);
	why[0] = '\0';
	assert_non_null(object);
	control_ask(connected, object, WAIT_MS, &answer, why);
	json_decref(object);
	return answer;
}

static void hand_in(const char *outer)
{
	struct rg_signin signin;
	signin_begin(&signin, clock_now());
	snprintf(signin.outer, sizeof(signin.outer), "%s", outer);
	signin.result = RG_RESULT_REJECT;
	signin.reason = RG_REASON_PASSWORD_WRONG;
	observe_signin(observe_ring(0), &signin);
}

static void answers_one_after_the_other(void **state)
{
	char why[256];
	(void)state;
	struct rg_control_client *connected = client();
	for (int i = 0; i < 3; i++) {
		json_t *answer = ask(connected, "{\"command\":\"ping\"}", why);
		assert_true(json_is_true(json_object_get(answer, "pong")));
		json_decref(answer);
		answer = ask(connected, "{\"command\":\"status\"}", why);
		assert_string_equal(json_string_value(json_object_get(answer, "gateway")), "test");
		assert_int_equal(json_array_size(json_object_get(answer, "filler")), 100000);
		json_decref(answer);
		answer = ask(connected, "{\"command\":\"reload\"}", why);
		assert_true(json_is_false(json_object_get(answer, "kept")));
		json_decref(answer);
	}
	control_disconnect(&connected);
}

static void what_it_cannot_do_is_said(void **state)
{
	static const char *const requests[][2] = {
		{"{\"command\":\"halt\"}", "unknown command"},
		{"{\"do\":\"halt\"}", "\"command\""},
		{"{\"command\":7}", "\"command\""},
		{"[]", "an object"},
		{"{\"command\":\"trace\",\"who\":7}", "\"who\""},
		{"{\"command\":\"trace\",\"most\":-1}", "\"most\""},
		{"{\"command\":\"trace\",\"most\":1000000}", "\"most\""},
	};
	char why[256];
	(void)state;
	struct rg_control_client *connected = client();
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		assert_null(ask(connected, requests[i][0], why));
		assert_non_null(strstr(why, requests[i][1]));
	}
	control_disconnect(&connected);
}

static void trace_finds_and_follow_follows(void **state)
{
	char why[256];
	json_t *answer;
	(void)state;
	struct rg_control_client *connected = client();
	hand_in("old@x.nl");
	do {
		answer = ask(connected, "{\"command\":\"trace\",\"who\":\"OLD@x.nl\"}", why);
		if (json_array_size(json_object_get(answer, "sign_ins")) == 1)
			break;
		json_decref(answer);
	} while (true);
	assert_int_equal(json_integer_value(json_object_get(answer, "serial")), 1);
	json_decref(answer);
	answer = json_pack("{s:s, s:s, s:b, s:i}", "command", "trace", "who", "new@x.nl", "follow", 1,
			   "after", 1);
	assert_int_equal(control_send(connected, answer, why), RG_CONTROL_OK);
	json_decref(answer);
	hand_in("other@x.nl");
	for (int i = 0; i < 3; i++) {
		hand_in("new@x.nl");
		assert_int_equal(control_next(connected, WAIT_MS, &answer, why), RG_CONTROL_OK);
		assert_string_equal(json_string_value(json_object_get(answer, "outer")), "new@x.nl");
		assert_int_equal(json_integer_value(json_object_get(answer, "serial")), 3 + i);
		assert_non_null(json_object_get(answer, "advice"));
		json_decref(answer);
	}
	assert_int_equal(control_next(connected, 300, &answer, why), RG_CONTROL_TIMEOUT);
	control_disconnect(&connected);
}

static void a_follower_without_serial_hears_what_is_new(void **state)
{
	char why[256];
	json_t *answer;
	(void)state;
	struct rg_control_client *connected = client(), *other = client();
	hand_in("old@x.nl");
	do {
		answer = ask(other, "{\"command\":\"trace\"}", why);
		size_t found = json_array_size(json_object_get(answer, "sign_ins"));
		json_decref(answer);
		if (found == 1)
			break;
	} while (true);
	json_t *request = json_pack("{s:s, s:b}", "command", "trace", "follow", 1);
	assert_int_equal(control_send(connected, request, why), RG_CONTROL_OK);
	json_decref(request);
	/* The loop serves in order of arrival: once another is answered the follower follows. */
	json_decref(ask(other, "{\"command\":\"ping\"}", why));
	json_decref(ask(other, "{\"command\":\"ping\"}", why));
	hand_in("new@x.nl");
	assert_int_equal(control_next(connected, WAIT_MS, &answer, why), RG_CONTROL_OK);
	assert_string_equal(json_string_value(json_object_get(answer, "outer")), "new@x.nl");
	json_decref(answer);
	control_disconnect(&connected);
	control_disconnect(&other);
}

static int raw(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	strcpy(address.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct timeval patience = {.tv_sec = WAIT_MS / 1000};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Reads until the end; the length, and the start in text. */
static size_t read_to_end(int fd, char *text, size_t capacity)
{
	char buffer[65536];
	size_t length = 0;
	for (ssize_t part; (part = recv(fd, buffer, sizeof(buffer), 0)) != 0;) {
		if (part < 0 && errno == ECONNRESET)
			break;
		assert_true(part > 0);
		for (ssize_t i = 0; i < part && length + 1 < capacity; i++)
			text[length++] = buffer[i];
	}
	text[length] = '\0';
	close(fd);
	return length;
}

static void several_requests_at_once_are_answered_in_order(void **state)
{
	static const char requests[] = "{\"command\":\"ping\"}\nnonsense\n{\"command\":\"reload\"}\n";
	static char text[4096];
	(void)state;
	int fd = raw();
	assert_int_equal(send(fd, requests, sizeof(requests) - 1, 0), sizeof(requests) - 1);
	shutdown(fd, SHUT_WR); /* as `nc -N` does */
	read_to_end(fd, text, sizeof(text));
	char *pong = strstr(text, "pong"), *error = strstr(text, "error"), *kept = strstr(text, "kept");
	assert_true(pong && error && kept && pong < error && error < kept);
}

static void a_request_in_pieces_is_one(void **state)
{
	static const char request[] = "{\"command\":\"ping\"}\n";
	static char text[4096];
	(void)state;
	int fd = raw();
	for (size_t i = 0; i < sizeof(request) - 1; i++)
		assert_int_equal(send(fd, request + i, 1, 0), 1);
	shutdown(fd, SHUT_WR);
	read_to_end(fd, text, sizeof(text));
	assert_non_null(strstr(text, "pong"));
}

static void a_longest_request_is_refused(void **state)
{
	static char request[70000], text[4096];
	(void)state;
	memset(request, 'x', sizeof(request));
	int fd = raw();
	for (size_t sent = 0; sent < sizeof(request);) {
		ssize_t part = send(fd, request + sent, sizeof(request) - sent, MSG_NOSIGNAL);
		if (part < 0)
			break;
		sent += (size_t)part;
	}
	read_to_end(fd, text, sizeof(text));
	assert_non_null(strstr(text, "64 KiB"));
}

static void T1_silent_clients_are_closed(void **state)
{
	static char text[4096];
	(void)state;
	int silent = raw(), half = raw(), slow = raw();
	assert_int_equal(send(half, "{\"comm", 6, 0), 6);
	/* Asks for what does not fit into the socket, and never reads. */
	assert_int_equal(send(slow, "{\"command\":\"status\"}\n", 21, 0), 21);
	assert_int_equal(read_to_end(silent, text, sizeof(text)), 0);
	assert_int_equal(read_to_end(half, text, sizeof(text)), 0);
	struct sockaddr_un peer;
	socklen_t length = sizeof(peer);
	while (send(slow, "\n", 1, MSG_NOSIGNAL) == 1 && getpeername(slow, (void *)&peer, &length) == 0)
		usleep(1000);
	close(slow);
}

static void a_follower_may_be_silent(void **state)
{
	char why[256];
	json_t *answer, *request = json_pack("{s:s, s:b}", "command", "trace", "follow", 1);
	(void)state;
	struct rg_control_client *connected = client();
	assert_int_equal(control_send(connected, request, why), RG_CONTROL_OK);
	json_decref(request);
	assert_int_equal(control_next(connected, 500, &answer, why), RG_CONTROL_TIMEOUT);
	hand_in("new@x.nl");
	assert_int_equal(control_next(connected, WAIT_MS, &answer, why), RG_CONTROL_OK);
	json_decref(answer);
	control_disconnect(&connected);
}

static void O3_too_many_clients_are_turned_away(void **state)
{
	int fds[40];
	char text[64];
	(void)state;
	for (int i = 0; i < 40; i++)
		fds[i] = raw();
	/* The last ones see the end at once, well before anybody is slow. */
	for (int i = 32; i < 40; i++)
		assert_int_equal(read_to_end(fds[i], text, sizeof(text)), 0);
	assert_int_equal(send(fds[31], "{\"command\":\"ping\"}\n", 19, 0), 19);
	assert_true(recv(fds[31], text, sizeof(text), 0) > 0);
	for (int i = 0; i < 32; i++)
		close(fds[i]);
	char why[256];
	json_t *answer = NULL;
	while (!answer) { /* their places are free again by and by */
		struct rg_control_client *connected = client();
		answer = ask(connected, "{\"command\":\"ping\"}", why);
		control_disconnect(&connected);
	}
	json_decref(answer);
}

static void only_owner_and_group_may_ask(void **state)
{
	struct stat st;
	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
}

static void a_live_gateway_is_not_replaced(void **state)
{
	uv_loop_t loop;
	char why[256];
	(void)state;
	uv_loop_init(&loop);
	assert_null(control_open(&loop, path, &host.operations, NULL, why));
	assert_non_null(strstr(why, "another roamgated is running"));
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	struct rg_control_client *connected = client();
	json_decref(ask(connected, "{\"command\":\"ping\"}", why));
	control_disconnect(&connected);
}

static void O11_the_socket_of_a_dead_gateway_is_replaced(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	(void)state;
	strcpy(address.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	struct rg_control_client *connected;
	char why[256];
	assert_int_equal(control_connect(&connected, path, why), RG_CONTROL_NOT_RUNNING);
	assert_true(host_start(0));
	assert_int_equal(control_connect(&connected, path, why), RG_CONTROL_OK);
	control_disconnect(&connected);
	host_stop();
	assert_int_equal(control_connect(&connected, path, why), RG_CONTROL_NOT_RUNNING);
	assert_non_null(strstr(why, "not running"));
}

static void what_is_no_socket_stays(void **state)
{
	(void)state;
	FILE *file = fopen(path, "w");
	fclose(file);
	assert_false(host_start(0));
	assert_non_null(strstr(host.why, "no socket"));
	assert_int_equal(unlink(path), 0);
}

static void paths_that_cannot_be(void **state)
{
	char former[sizeof(path)];
	(void)state;
	strcpy(former, path);
	strcpy(path, "/nonexistent/control.sock");
	assert_false(host_start(0));
	assert_non_null(strstr(host.why, "no such file"));
	strcpy(path, former);
	char longest[200], why[256];
	uv_loop_t loop;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	uv_loop_init(&loop);
	assert_null(control_open(&loop, longest, &host.operations, NULL, why));
	assert_non_null(strstr(why, "longer"));
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");
	fputs(text, file);
	fclose(file);
}

static void the_socket_is_found_by_the_configuration(void **state)
{
	static const char *const rows[][2] = {
		{"gateway = { name = \"x\"; control = \"run/c.sock\"; };\n", "%s/run/c.sock"},
		{"gateway = { control = \"/abs/c.sock\"; };\nlisten = ();\n", "/abs/c.sock"},
		{"gateway = { name = \"x\"; };\n", "/run/roamgate/control.sock"},
		{"gateway = { name = \"x\"\n // control = \"no\";\n  control = \"c.sock\";\n}; listen = (\n", "%s/c.sock"},
		{"gateway = { name = ; control : \"one.sock\"; }", "%s/one.sock"},
		{"remote_control = \"no\"; = broken\n", "/run/roamgate/control.sock"},
		{"", "/run/roamgate/control.sock"},
	};
	char file[64], wanted[128], found[256];
	(void)state;
	snprintf(file, sizeof(file), "%s/roamgate.cfg", dir);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		write_file(file, rows[i][0]);
		if (strncmp(rows[i][1], "%s", 2) == 0)
			snprintf(wanted, sizeof(wanted), "%s%s", dir, rows[i][1] + 2);
		else
			snprintf(wanted, sizeof(wanted), "%s", rows[i][1]);
		control_path(file, found, sizeof(found));
		assert_string_equal(found, wanted);
	}
	unlink(file);
	control_path(file, found, sizeof(found));
	assert_string_equal(found, "/run/roamgate/control.sock");
}

#define WITH_HOST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
#define IMPATIENT(test) cmocka_unit_test_setup_teardown(test, setup_impatient, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_HOST(answers_one_after_the_other),
		WITH_HOST(what_it_cannot_do_is_said),
		WITH_HOST(trace_finds_and_follow_follows),
		WITH_HOST(a_follower_without_serial_hears_what_is_new),
		WITH_HOST(several_requests_at_once_are_answered_in_order),
		WITH_HOST(a_request_in_pieces_is_one),
		WITH_HOST(a_longest_request_is_refused),
		WITH_HOST(O3_too_many_clients_are_turned_away),
		WITH_HOST(only_owner_and_group_may_ask),
		WITH_HOST(a_live_gateway_is_not_replaced),
		IMPATIENT(T1_silent_clients_are_closed),
		IMPATIENT(a_follower_may_be_silent),
		cmocka_unit_test(O11_the_socket_of_a_dead_gateway_is_replaced),
		cmocka_unit_test(what_is_no_socket_stays),
		cmocka_unit_test(paths_that_cannot_be),
		cmocka_unit_test(the_socket_is_found_by_the_configuration),
	};
	alarm(300); /* what waits for ever fails */
	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof(path), "%s/control.sock", dir);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	rmdir(dir);
	return failed;
}

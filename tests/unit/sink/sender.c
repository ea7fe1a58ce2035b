#include "modules/sink_fticks/sender.h"

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define LONG_MS 20000 /* none of this waits so long unless it is broken */

static const struct fticks_tick tick = {.wall_ns = 1, .realm = "bezoek.nl", .accepted = true};

/* Bound and, of a stream, listening on loopback. */
static int receiver(int type, uint16_t *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons(*port)};
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, type, 0), yes = 1;
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 5), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static struct fticks_sender *sender_to(const char *scheme, uint16_t port, int64_t queue)
{
	char target[64], why[RG_SINK_WHY];
	snprintf(target, sizeof(target), "%s://127.0.0.1:%u", scheme, port);
	struct fticks_settings settings = {.federation = "eduroam",
					   .target = target,
					   .mac = "static",
					   .facility = 4,
					   .queue = queue};
	struct fticks_sender *sender = fticks_sender_open(&settings, "NL", why);
	assert_non_null(sender);
	return sender;
}

static void wait_readable(int fd)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	assert_int_equal(poll(&ready, 1, LONG_MS), 1);
}

static int arrives(int listener)
{
	wait_readable(listener);
	int fd = accept(listener, NULL, NULL);
	assert_true(fd >= 0);
	return fd;
}

/* Reads until that many lines have come. */
static void reads_lines(int fd, unsigned lines)
{
	static char seen[1 << 20];
	size_t used = 0;
	for (unsigned found = 0; found < lines;) {
		wait_readable(fd);
		ssize_t got = recv(fd, seen + used, sizeof(seen) - 1 - used, 0);
		assert_true(got > 0);
		used += (size_t)got;
		seen[used] = '\0';
		found = 0;
		for (const char *at = seen; (at = strstr(at, "#RESULT=OK#")); at++)
			found++;
		assert_true(found <= lines);
	}
}

static struct rg_sink_status wait_status(struct fticks_sender *sender, enum rg_sink_state state)
{
	struct rg_sink_status status;
	for (int i = 0; i < LONG_MS; i++) {
		fticks_sender_status(sender, &status);
		if (status.state == state)
			return status;
		poll(NULL, 0, 1);
	}
	fail_msg("state %d: %s", status.state, status.why);
	return status;
}

static void over_udp(void **state)
{
	uint16_t port = 0;
	int fd = receiver(SOCK_DGRAM, &port);
	struct fticks_sender *sender = sender_to("udp", port, 100);
	char line[2048];
	(void)state;
	fticks_sender_put(sender, &tick);
	wait_readable(fd);
	ssize_t length = recv(fd, line, sizeof(line) - 1, 0);
	assert_true(length > 0);
	line[length] = '\0';
	assert_non_null(strstr(
		line,
		" F-TICKS - "
		"F-TICKS/eduroam/1.0#REALM=bezoek.nl#VISCOUNTRY=NL#CSI=undisclosed#RESULT=OK#"));
	assert_int_equal(wait_status(sender, RG_SINK_UP).dropped, 0);
	fticks_sender_close(sender);
	close(fd);
}

static void what_waits_at_the_end_still_leaves(void **state)
{
	uint16_t port = 0;
	int listener = receiver(SOCK_STREAM, &port);
	struct fticks_sender *sender = sender_to("tcp", port, 1000);
	(void)state;
	int fd = arrives(listener);
	wait_status(sender, RG_SINK_UP);
	for (int i = 0; i < 500; i++)
		fticks_sender_put(sender, &tick);
	fticks_sender_close(sender);
	reads_lines(fd, 500);
	close(fd);
	close(listener);
}

static void target_down_at_the_start(void **state)
{
	uint16_t port = 0;
	close(receiver(SOCK_STREAM, &port));
	struct fticks_sender *sender = sender_to("tcp", port, 100);
	(void)state;
	fticks_sender_put(sender, &tick);
	struct rg_sink_status status = wait_status(sender, RG_SINK_DOWN);
	assert_string_equal(status.why, "Connection refused");
	int listener = receiver(SOCK_STREAM, &port);
	int fd = arrives(listener);
	reads_lines(fd, 1);
	assert_string_equal(wait_status(sender, RG_SINK_UP).why, "");
	close(fd);
	close(listener);
	fticks_sender_close(sender);
}

static void receiver_that_closes_is_called_again(void **state)
{
	uint16_t port = 0;
	int listener = receiver(SOCK_STREAM, &port);
	struct fticks_sender *sender = sender_to("tcp", port, 100);
	(void)state;
	int fd = arrives(listener);
	fticks_sender_put(sender, &tick);
	reads_lines(fd, 1);
	close(fd);
	fd = arrives(listener);
	fticks_sender_put(sender, &tick);
	reads_lines(fd, 1);
	struct rg_sink_status status = {0};
	for (int i = 0; i < LONG_MS && status.sent < 2; i += poll(NULL, 0, 1) + 1)
		fticks_sender_status(sender, &status); /* it counts once it has written */
	assert_int_equal(status.sent, 2);
	close(fd);
	close(listener);
	fticks_sender_close(sender);
}

static void T2_hanging_receiver_fills_the_queue_and_no_more(void **state)
{
	uint16_t port = 0;
	int listener = receiver(SOCK_STREAM, &port);
	struct fticks_sender *sender = sender_to("tcp", port, 100);
	struct rg_sink_status status = {0};
	(void)state;
	int fd = arrives(listener);
	for (int i = 0; i < 1000000 && status.dropped == 0; i++) {
		fticks_sender_put(sender, &tick);
		fticks_sender_status(sender, &status);
	}
	assert_int_not_equal(status.dropped, 0);
	assert_int_equal(status.waiting, 100);
	fticks_sender_close(sender); /* gives up */
	close(fd);
	close(listener);
}

static void T2_reset_in_the_middle_of_a_message(void **state)
{
	uint16_t port = 0;
	int listener = receiver(SOCK_STREAM, &port), counted = 0, begins = 0;
	struct fticks_sender *sender = sender_to("tcp", port, 100);
	struct rg_sink_status status = {0};
	char seen[256];
	(void)state;
	int fd = arrives(listener);
	while (status.dropped == 0) {
		fticks_sender_put(sender, &tick);
		fticks_sender_status(sender, &status);
	}
	close(fd); /* with octets unread: a reset */
	fd = arrives(listener);
	wait_readable(fd);
	ssize_t got = recv(fd, seen, sizeof(seen) - 1, MSG_WAITALL);
	assert_true(got > 0);
	seen[got] = '\0';
	assert_int_equal(sscanf(seen, "%d <134>1 %n", &counted, &begins), 1);
	assert_int_not_equal(begins, 0); /* octets counted, and a message from its beginning */
	close(fd);
	close(listener);
	fticks_sender_close(sender);
}

static void files_that_are_no_certificates(void **state)
{
	uint16_t port = 0;
	int listener = receiver(SOCK_STREAM, &port);
	char why[RG_SINK_WHY], target[64];
	(void)state;
	snprintf(target, sizeof(target), "tls://127.0.0.1:%u", port);
	struct fticks_settings settings = {.federation = "eduroam",
					   .target = target,
					   .mac = "static",
					   .queue = 16,
					   .ca = "/nonexistent"};
	assert_null(fticks_sender_open(&settings, "NL", why));
	assert_int_equal(strncmp(why, "ca: ", 4), 0);
	settings.ca = "/dev/null";
	assert_null(fticks_sender_open(&settings, "NL", why));
	close(listener);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(over_udp),
		cmocka_unit_test(what_waits_at_the_end_still_leaves),
		cmocka_unit_test(target_down_at_the_start),
		cmocka_unit_test(receiver_that_closes_is_called_again),
		cmocka_unit_test(T2_hanging_receiver_fills_the_queue_and_no_more),
		cmocka_unit_test(T2_reset_in_the_middle_of_a_message),
		cmocka_unit_test(files_that_are_no_certificates),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

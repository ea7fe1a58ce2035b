#include "modules/sink_fticks/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define WHEN UINT64_C(1767323045006000000) /* 2026-01-02T03:04:05.006Z */

static struct fticks_frames frames;

static int setup(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	return 0;
}

static void begin(enum fticks_transport transport)
{
	fticks_frames_init(&frames, transport, 16);
	snprintf(frames.host, sizeof(frames.host), "gate");
	frames.pid = 42;
}

static void holds(const char *expected)
{
	assert_int_equal(frames.used, strlen(expected));
	assert_memory_equal(frames.data, expected, frames.used);
}

static void datagram_of_rfc5424(void **state)
{
	(void)state;
	begin(FTICKS_UDP);
	assert_false(fticks_frames_full(&frames));
	fticks_frames_add(&frames, "F-TICKS/x", WHEN);
	holds("<134>1 2026-01-02T03:04:05.006Z gate roamgated 42 F-TICKS - F-TICKS/x");
	assert_true(fticks_frames_full(&frames));
	assert_int_equal(fticks_frames_left(&frames, frames.used), 1);
	assert_false(fticks_frames_full(&frames));
	assert_int_equal(frames.used, 0);
}

static void local_as_syslog_3(void **state)
{
	(void)state;
	begin(FTICKS_LOCAL);
	fticks_frames_add(&frames, "F-TICKS/x", WHEN);
	holds("<134>Jan  2 03:04:05 roamgated[42]: F-TICKS/x");
	assert_true(fticks_frames_full(&frames));
}

#define FIRST  "67 <134>1 2026-01-02T03:04:05.006Z gate roamgated 42 F-TICKS - F-TICKS"
#define SECOND "68 <134>1 2026-01-02T03:04:05.006Z gate roamgated 42 F-TICKS - F-TICKS/"

static void stream_of_rfc6587(void **state)
{
	(void)state;
	begin(FTICKS_TCP);
	fticks_frames_add(&frames, "F-TICKS", WHEN);
	fticks_frames_add(&frames, "F-TICKS/", WHEN);
	holds(FIRST SECOND);
	assert_false(fticks_frames_full(&frames));
	while (frames.count < FTICKS_FRAMES_MOST)
		fticks_frames_add(&frames, "F-TICKS", WHEN);
	assert_true(fticks_frames_full(&frames));
}

static void what_left_half_leaves_again_whole(void **state)
{
	(void)state;
	begin(FTICKS_TLS);
	fticks_frames_add(&frames, "F-TICKS", WHEN);
	fticks_frames_add(&frames, "F-TICKS/", WHEN);
	assert_int_equal(fticks_frames_left(&frames, 10), 0);
	fticks_frames_again(&frames);
	holds(FIRST SECOND);
	assert_int_equal(fticks_frames_left(&frames, strlen(FIRST) + 3), 1);
	fticks_frames_again(&frames);
	holds(SECOND);
	assert_int_equal(frames.sent, 0);
	assert_int_equal(fticks_frames_left(&frames, 4), 0);
	assert_int_equal(fticks_frames_left(&frames, strlen(SECOND) - 4), 1);
	holds("");
	fticks_frames_again(&frames);
	holds("");
}

static void targets(void **state)
{
	static const struct {
		const char *text;
		enum fticks_transport transport;
		const char *host, *port;
	} good[] = {
		{"udp://192.0.2.1:1514", FTICKS_UDP, "192.0.2.1", "1514"},
		{"udp://fticks.example.nl", FTICKS_UDP, "fticks.example.nl", "514"},
		{"tcp://localhost", FTICKS_TCP, "localhost", "601"},
		{"tls://[2001:db8::1]", FTICKS_TLS, "2001:db8::1", "6514"},
		{"tls://[::1]:65535", FTICKS_TLS, "::1", "65535"},
	};
	static const char *const bad[] = {"",
					  "Syslog",
					  "udp://",
					  "udp://:514",
					  "udp:/a",
					  "tcp://a:",
					  "tcp://a:0",
					  "tcp://a:65536",
					  "tcp://a:1x",
					  "tcp://a/b",
					  "tcp://a b",
					  "tls://[::1",
					  "tls://[localhost]",
					  "tls://[::1]1",
					  "tls://::1",
					  "unix:log",
					  "unix:",
					  "http://a",
					  "192.0.2.1"};
	struct fticks_target target;
	const char *why;
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(fticks_target_parse(&target, good[i].text, &why));
		assert_int_equal(target.transport, good[i].transport);
		assert_string_equal(target.host, good[i].host);
		assert_string_equal(target.port, good[i].port);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why = NULL;
		if (fticks_target_parse(&target, bad[i], &why) || !why)
			fail_msg("\"%s\"", bad[i]);
	}
	assert_true(fticks_target_parse(&target, "syslog", &why));
	assert_string_equal(target.path, "/dev/log");
	assert_true(fticks_target_parse(&target, "unix:/run/log", &why));
	assert_int_equal(target.transport, FTICKS_LOCAL);
	assert_string_equal(target.path, "/run/log");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(datagram_of_rfc5424),
		cmocka_unit_test(local_as_syslog_3),
		cmocka_unit_test(stream_of_rfc6587),
		cmocka_unit_test(what_left_half_leaves_again_whole),
		cmocka_unit_test(targets),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}

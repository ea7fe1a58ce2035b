/* The log: what reaches its target, and what happens when the target takes nothing. */
#include "core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

static char dir[] = "/tmp/log-test-XXXXXX";
static char path[64];

static int setup(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "%s/log", dir);
	unlink(path);
	return 0;
}

/* The whole file; the caller frees it. */
static char *contents(const char *name)
{
	char *text = NULL;
	size_t length = 0;
	FILE *from = fopen(name, "r"), *to = open_memstream(&text, &length);
	assert_non_null(from);
	for (int c; (c = getc(from)) != EOF;)
		putc(c, to);
	fclose(from);
	fclose(to);
	return text;
}

static size_t lines_of(const char *text)
{
	size_t lines = 0;
	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

static void text_lines_bear_time_and_level(void **state)
{
	(void)state;
	assert_true(log_open(path, RG_LOG_INFO, RG_LOG_TEXT));
	log_write(RG_LOG_WARNING, "a %s of %d", "line", 3);
	log_write(RG_LOG_DEBUG, "not this");
	log_record(RG_LOG_INFO, "sign-in id=1");
	log_close();
	char *text = contents(path);
	char *space = strchr(text, ' ');
	assert_non_null(space);
	assert_int_equal(space[-1], 'Z');
	assert_memory_equal(space, " warning a line of 3\n", 21);
	assert_non_null(strstr(text, " info sign-in id=1\n"));
	assert_int_equal(lines_of(text), 2);
	free(text);
}

static void json_lines_are_objects(void **state)
{
	(void)state;
	assert_true(log_open(path, RG_LOG_INFO, RG_LOG_JSON));
	log_write(RG_LOG_ERROR, "a \"quoted\" \\x1b word\n and \xff");
	log_close();
	char *text = contents(path);
	json_t *object = json_loads(text, 0, NULL);
	assert_non_null(object);
	assert_string_equal(json_string_value(json_object_get(object, "level")), "error");
	assert_string_equal(json_string_value(json_object_get(object, "message")),
			    "a \"quoted\" \\x1b word\\x0a and \\xff");
	assert_non_null(json_object_get(object, "time"));
	json_decref(object);
	free(text);
}

static void O6_control_characters_stay_in_their_line(void **state)
{
	(void)state;
	assert_true(log_open(path, RG_LOG_INFO, RG_LOG_TEXT));
	log_write(RG_LOG_INFO, "name a\r\nb\033[2J %s \xc3\xa9 \xc2\x9b \xed\xa0\x80", "%{User-Name}");
	log_record(RG_LOG_INFO, "outer=\"x\ny\"");
	log_close();
	char *text = contents(path);
	assert_int_equal(lines_of(text), 2);
	assert_non_null(strstr(text, "name a\\x0d\\x0ab\\x1b[2J %{User-Name} \xc3\xa9 \\xc2\\x9b \\xed\\xa0\\x80\n"));
	assert_non_null(strstr(text, "outer=\"x\\x0ay\"\n"));
	free(text);
}

static void a_longest_line_is_cut(void **state)
{
	(void)state;
	static char line[70000];
	memset(line, 'x', sizeof(line) - 1);
	assert_true(log_open(path, RG_LOG_INFO, RG_LOG_TEXT));
	log_record(RG_LOG_INFO, line);
	log_write(RG_LOG_INFO, "%s", line);
	log_close();
	char *text = contents(path);
	assert_int_equal(lines_of(text), 2);
	assert_true(strlen(text) < 40000);
	free(text);
}

static void reopens_after_rotation(void **state)
{
	char rotated[80];
	(void)state;
	snprintf(rotated, sizeof(rotated), "%s.1", path);
	assert_true(log_open(path, RG_LOG_INFO, RG_LOG_TEXT));
	log_write(RG_LOG_INFO, "before");
	assert_int_equal(rename(path, rotated), 0);
	assert_true(log_open(path, RG_LOG_INFO, RG_LOG_TEXT));
	log_write(RG_LOG_INFO, "after");
	log_close();
	char *text = contents(path);
	assert_non_null(strstr(text, "after"));
	free(text);
	unlink(rotated);
}

static void O2_unwritable_target_keeps_the_former(void **state)
{
	char missing[96];
	(void)state;
	snprintf(missing, sizeof(missing), "%s/no/such", dir);
	assert_true(log_open(path, RG_LOG_INFO, RG_LOG_TEXT));
	assert_false(log_open(missing, RG_LOG_DEBUG, RG_LOG_JSON));
	assert_int_equal(errno, ENOENT);
	assert_false(log_open(dir, RG_LOG_DEBUG, RG_LOG_JSON));
	assert_int_equal(errno, EISDIR);
	assert_int_equal(log_level(), RG_LOG_INFO);
	assert_int_equal(log_format(), RG_LOG_TEXT);
	log_write(RG_LOG_INFO, "still here");
	log_close();
	char *text = contents(path);
	assert_non_null(strstr(text, "still here"));
	free(text);
}

static void O2_full_disk_loses_lines_and_says_so(void **state)
{
	(void)state;
	uint64_t before = log_lost();
	assert_true(log_open("/dev/full", RG_LOG_INFO, RG_LOG_TEXT));
	for (int i = 0; i < 100; i++)
		log_write(RG_LOG_INFO, "line %d", i);
	while (log_lost() - before < 100)
		usleep(1000);
	assert_true(log_open(path, RG_LOG_INFO, RG_LOG_TEXT));
	log_write(RG_LOG_INFO, "there is room again");
	log_close();
	char *text = contents(path);
	assert_non_null(strstr(text, "log: 0 lines dropped, 100 not written (No space left on device)\n"));
	assert_non_null(strstr(text, "there is room again\n"));
	assert_int_equal(lines_of(text), 2);
	free(text);
}

static int reader_of(const char *name)
{
	unlink(name);
	assert_int_equal(mkfifo(name, 0600), 0);
	int fd = open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void O2_log_pipe_gone(void **state)
{
	char buffer[4096];
	(void)state;
	int fd = reader_of(path);
	uint64_t before = log_lost();
	assert_true(log_open(path, RG_LOG_INFO, RG_LOG_TEXT));
	log_write(RG_LOG_INFO, "heard");
	while (read(fd, buffer, sizeof(buffer)) <= 0)
		usleep(1000);
	close(fd);
	log_write(RG_LOG_INFO, "not heard"); /* SIGPIPE would end this program */
	while (log_lost() == before)
		usleep(1000);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	log_write(RG_LOG_INFO, "heard again");
	log_close();
	ssize_t length = read(fd, buffer, sizeof(buffer) - 1);
	assert_true(length > 0);
	buffer[length] = '\0';
	assert_non_null(strstr(buffer, "1 not written (Broken pipe)"));
	assert_non_null(strstr(buffer, "heard again"));
	close(fd);
}

/* A named pipe that nobody reads: an error, not a wait. */
static void O2_pipe_without_reader_is_refused(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_false(log_open(path, RG_LOG_INFO, RG_LOG_TEXT));
	assert_int_equal(errno, ENXIO);
}

static void O2_blocked_pipe_only_fills_the_queue(void **state)
{
	(void)state;
	char other[80];
	int fd = reader_of(path);
	uint64_t before = log_lost();
	snprintf(other, sizeof(other), "%s.other", path);
	assert_true(log_open(path, RG_LOG_INFO, RG_LOG_TEXT));
	for (int i = 0; i < 40000; i++)
		log_write(RG_LOG_INFO, "a line that nobody reads, number %d", i);
	assert_true(log_lost() - before > 10000);
	/* A target that takes them lets the writer out of the one that does not. */
	assert_true(log_open(other, RG_LOG_INFO, RG_LOG_TEXT));
	log_close();
	char *text = contents(other);
	assert_non_null(strstr(text, "the log's target was too slow\n"));
	free(text);
	close(fd);
	unlink(other);
}

static void O2_closing_gives_a_blocked_pipe_up(void **state)
{
	(void)state;
	int fd = reader_of(path);
	uint64_t before = log_lost();
	assert_true(log_open(path, RG_LOG_INFO, RG_LOG_TEXT));
	for (int i = 0; i < 5000; i++)
		log_write(RG_LOG_INFO, "a line that nobody reads, number %d", i);
	log_close();
	assert_true(log_lost() > before);
	close(fd);
}

static void *flood(void *limit)
{
	for (int i = 0; i < 1000; i++)
		log_limited(limit, RG_LOG_INFO, "flood");
	return NULL;
}

static void O9_limited_lines_are_counted_and_told(void **state)
{
	(void)state;
	pthread_t threads[4];
	struct rg_log_limit limit = {.burst = 3, .every_s = 30};
	assert_true(log_open(path, RG_LOG_INFO, RG_LOG_TEXT));
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, flood, &limit), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(limit.written + limit.dropped, 4000);
	limit.window_ns -= UINT64_C(30000000000); /* half a minute later */
	log_limited(&limit, RG_LOG_INFO, "flood");
	log_close();
	char *text = contents(path);
	assert_int_equal(lines_of(text), 4);
	assert_non_null(strstr(text, "flood (3997 more like it left out)\n"));
	free(text);
}

static void *chat(void *unused)
{
	(void)unused;
	for (int i = 0; i < 2000; i++)
		log_write(RG_LOG_INFO, "one of many %d", i);
	return NULL;
}

static void many_threads_write_whole_lines(void **state)
{
	(void)state;
	pthread_t threads[4];
	assert_true(log_open(path, RG_LOG_INFO, RG_LOG_TEXT));
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, chat, NULL), 0);
	for (int i = 0; i < 20; i++)
		assert_true(log_open(path, RG_LOG_INFO, RG_LOG_TEXT));
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	log_close();
	char *text = contents(path);
	assert_int_equal(lines_of(text), 8000);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(text_lines_bear_time_and_level, setup),
		cmocka_unit_test_setup(json_lines_are_objects, setup),
		cmocka_unit_test_setup(O6_control_characters_stay_in_their_line, setup),
		cmocka_unit_test_setup(a_longest_line_is_cut, setup),
		cmocka_unit_test_setup(reopens_after_rotation, setup),
		cmocka_unit_test_setup(O2_unwritable_target_keeps_the_former, setup),
		cmocka_unit_test_setup(O2_full_disk_loses_lines_and_says_so, setup),
		cmocka_unit_test_setup(O2_log_pipe_gone, setup),
		cmocka_unit_test_setup(O2_pipe_without_reader_is_refused, setup),
		cmocka_unit_test_setup(O2_blocked_pipe_only_fills_the_queue, setup),
		cmocka_unit_test_setup(O2_closing_gives_a_blocked_pipe_up, setup),
		cmocka_unit_test_setup(O9_limited_lines_are_counted_and_told, setup),
		cmocka_unit_test_setup(many_threads_write_whole_lines, setup),
	};
	alarm(120); /* what blocks for ever fails */
	if (!mkdtemp(dir))
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	rmdir(dir);
	return failed;
}

#include "core/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log_target.h"
#include "core/sandbox.h"
#include "core/text.h"
#include "core/thread.h"

#define QUEUE_LINES  16384
#define QUEUE_OCTETS ((size_t)8 << 20)
#define LINE_MOST    16384 /* octets of one line; a longer one is cut */
#define CLOSE_NS     RG_SECOND

struct line {
	struct line *next;
	uint64_t wall_ns;
	enum rg_log_level level;
	bool record;
	size_t length;
	char text[];
};

/* The one log of the process. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	struct line *first, **last;
	size_t lines, octets; /* queued, what the writer holds included */
	uint64_t dropped;     /* by a full queue, not yet told */
	struct rg_log_target *next; /* to be taken by the writer */
	bool running, closing, finished;
	uint64_t close_by; /* CLOCK_MONOTONIC */
	_Atomic uint64_t lost;
	atomic_int level, format;
} journal = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.changed = PTHREAD_COND_INITIALIZER,
	.last = &journal.first,
	.level = RG_LOG_INFO,
	.format = RG_LOG_TEXT,
};

static const char *level_word(enum rg_log_level level)
{
	switch (level) {
	case RG_LOG_ERROR:
		return "error";
	case RG_LOG_WARNING:
		return "warning";
	case RG_LOG_INFO:
		return "info";
	case RG_LOG_DEBUG:
		return "debug";
	}
	return "info";
}

enum rg_log_level log_level(void)
{
	return (enum rg_log_level)atomic_load_explicit(&journal.level, memory_order_relaxed);
}

enum rg_log_format log_format(void)
{
	return (enum rg_log_format)atomic_load_explicit(&journal.format, memory_order_relaxed);
}

uint64_t log_lost(void)
{
	return atomic_load_explicit(&journal.lost, memory_order_relaxed);
}

/* Escapes what could break a line or a terminal; quotes and backslashes, which callers have dealt
 * with, stay. */
static size_t clean(char *out, size_t capacity, const char *text, size_t length)
{
	size_t used = 0;
	for (size_t i = 0; i < length && used + 1 < capacity;) {
		size_t plain = i;
		while (plain < length && text[plain] != '"' && text[plain] != '\\')
			plain++;
		if (plain == i)
			out[used++] = text[i++];
		else
			used += text_escape(out + used, capacity - used, span_of(text + i, plain - i));
		i = plain > i ? plain : i;
	}
	out[used] = '\0';
	return used;
}

static size_t json_quote(char *out, size_t capacity, const char *text)
{
	size_t used = 0;
	for (; *text && used + 3 < capacity; text++) {
		if (*text == '"' || *text == '\\')
			out[used++] = '\\';
		out[used++] = *text;
	}
	out[used] = '\0';
	return used;
}

/* The line as the target gets it, newline included; out holds 3 * LINE_MOST. */
static size_t compose(char *out, const struct line *line, bool syslog)
{
	char time[32], text[LINE_MOST + 1];
	size_t capacity = 3 * LINE_MOST, used = 0;
	text_time(time, line->wall_ns);
	if (log_format() == RG_LOG_JSON && !line->record) {
		clean(text, sizeof(text), line->text, line->length);
		used = (size_t)snprintf(out, capacity, "{\"time\":\"%s\",\"level\":\"%s\",\"message\":\"",
					time, level_word(line->level));
		used += json_quote(out + used, capacity - used - 4, text);
		used += (size_t)snprintf(out + used, capacity - used, "\"}\n");
		return used;
	}
	if (log_format() == RG_LOG_TEXT && !syslog)
		used = (size_t)snprintf(out, capacity, "%s %s ", time, level_word(line->level));
	used += clean(out + used, capacity - used - 1, line->text, line->length);
	out[used++] = '\n';
	return used;
}

static bool must_stop(void)
{
	pthread_mutex_lock(&journal.lock);
	bool stop = journal.next || (journal.closing && clock_now() >= journal.close_by);
	pthread_mutex_unlock(&journal.lock);
	return stop;
}

/* What only the writer thread touches. */
struct writer {
	struct rg_log_target target;
	uint64_t dropped, failed; /* not yet told */
	int error;                /* why the last one failed */
	bool given_up;            /* closing, and the target takes nothing */
	char buffer[3 * LINE_MOST];
};

/* False: there is no other target to go to. */
static bool take_target(struct writer *writer)
{
	pthread_mutex_lock(&journal.lock);
	struct rg_log_target *next = journal.next;
	journal.next = NULL;
	pthread_mutex_unlock(&journal.lock);
	if (!next)
		return false;
	log_target_close(&writer->target);
	writer->target = *next;
	free(next);
	return true;
}

static bool put_line(struct writer *writer, const struct line *line)
{
	enum rg_log_written written = RG_LOG_GIVEN_UP;
	if (writer->given_up)
		return false;
	do {
		size_t length = compose(writer->buffer, line, writer->target.fd < 0);
		written = log_target_write(&writer->target, line->level, writer->buffer, length, must_stop);
	} while (written == RG_LOG_GIVEN_UP && take_target(writer));
	writer->given_up = written == RG_LOG_GIVEN_UP;
	if (written == RG_LOG_FAILED)
		writer->error = writer->target.error;
	return written == RG_LOG_WRITTEN;
}

/* Says what was lost before it goes on; false: the target still takes nothing. */
static bool tell_losses(struct writer *writer)
{
	_Alignas(struct line) char memory[sizeof(struct line) + 256];
	struct line *notice = (struct line *)memory;
	if (writer->dropped == 0 && writer->failed == 0)
		return true;
	*notice = (struct line){.wall_ns = clock_wall(), .level = RG_LOG_WARNING};
	if (writer->failed == 0)
		snprintf(notice->text, 256, "log: %llu lines dropped, the log's target was too slow",
			 (unsigned long long)writer->dropped);
	else
		snprintf(notice->text, 256, "log: %llu lines dropped, %llu not written (%s)",
			 (unsigned long long)writer->dropped, (unsigned long long)writer->failed,
			 writer->error ? strerror(writer->error) : "it takes nothing");
	notice->length = strlen(notice->text);
	if (!put_line(writer, notice))
		return false;
	writer->dropped = writer->failed = 0;
	return true;
}

static void write_batch(struct writer *writer, struct line *line)
{
	while (line) {
		struct line *next = line->next;
		if (!tell_losses(writer) || !put_line(writer, line)) {
			writer->failed++;
			atomic_fetch_add_explicit(&journal.lost, 1, memory_order_relaxed);
		}
		pthread_mutex_lock(&journal.lock);
		journal.lines--;
		journal.octets -= line->length;
		pthread_mutex_unlock(&journal.lock);
		free(line);
		line = next;
	}
}

static void *writer_main(void *argument)
{
	struct writer *writer = argument;
	sandbox_enter(RG_ROLE_LOG);
	pthread_mutex_lock(&journal.lock);
	for (;;) {
		while (!journal.first && !journal.closing && !journal.next)
			pthread_cond_wait(&journal.changed, &journal.lock);
		struct line *batch = journal.first;
		journal.first = NULL;
		journal.last = &journal.first;
		writer->dropped += journal.dropped;
		journal.dropped = 0;
		bool end = !batch && journal.closing;
		pthread_mutex_unlock(&journal.lock);
		take_target(writer);
		write_batch(writer, batch);
		pthread_mutex_lock(&journal.lock);
		if (end)
			break;
	}
	pthread_mutex_unlock(&journal.lock);
	tell_losses(writer);
	log_target_close(&writer->target);
	free(writer);
	pthread_mutex_lock(&journal.lock);
	journal.finished = true;
	pthread_cond_broadcast(&journal.changed);
	pthread_mutex_unlock(&journal.lock);
	return NULL;
}

bool log_open(const char *target, enum rg_log_level level, enum rg_log_format format)
{
	struct rg_log_target opened;
	if (!log_target_open(&opened, target))
		return false;
	struct rg_log_target *next = NULL;
	struct writer *writer = NULL;
	if (journal.running) {
		next = malloc(sizeof(*next));
		if (!next)
			goto out;
		*next = opened;
	} else {
		writer = calloc(1, sizeof(*writer));
		if (!writer)
			goto out;
		writer->target = opened;
	}
	pthread_mutex_lock(&journal.lock);
	struct rg_log_target *unused = journal.next;
	journal.next = next;
	atomic_store(&journal.level, (int)level);
	atomic_store(&journal.format, (int)format);
	if (writer) {
		journal.closing = journal.finished = false;
		journal.running = thread_begin(&journal.thread, writer_main, writer);
	}
	pthread_cond_broadcast(&journal.changed);
	bool running = journal.running;
	pthread_mutex_unlock(&journal.lock);
	if (unused) {
		log_target_close(unused);
		free(unused);
	}
	if (running)
		return true;
out:
	free(writer);
	log_target_close(&opened);
	return false;
}

void log_close(void)
{
	pthread_mutex_lock(&journal.lock);
	if (!journal.running) {
		pthread_mutex_unlock(&journal.lock);
		return;
	}
	journal.running = false;
	journal.closing = true;
	journal.close_by = clock_now() + CLOSE_NS;
	pthread_cond_broadcast(&journal.changed);
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += 2; /* the writer gives up after one; a disk that hangs may hold it longer */
	while (!journal.finished &&
	       pthread_cond_clockwait(&journal.changed, &journal.lock, CLOCK_MONOTONIC, &until) == 0)
		continue;
	bool finished = journal.finished;
	pthread_mutex_unlock(&journal.lock);
	if (finished)
		pthread_join(journal.thread, NULL);
	else
		pthread_detach(journal.thread);
}

/* Without a writer: stderr, and never a wait for more than a second. */
static void write_at_once(const struct line *line)
{
	char buffer[3 * LINE_MOST];
	struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
	size_t length = compose(buffer, line, false);
	if (poll(&ready, 1, 1000) != 1 || write(STDERR_FILENO, buffer, length) < 0)
		atomic_fetch_add_explicit(&journal.lost, 1, memory_order_relaxed);
}

static void submit(enum rg_log_level level, bool record, const char *text, size_t length)
{
	if (length > LINE_MOST - 256)
		length = LINE_MOST - 256;
	struct line *line = malloc(sizeof(*line) + length + 1);
	if (!line) {
		atomic_fetch_add_explicit(&journal.lost, 1, memory_order_relaxed);
		return;
	}
	*line = (struct line){.wall_ns = clock_wall(), .level = level, .record = record, .length = length};
	memcpy(line->text, text, length);
	line->text[length] = '\0';
	pthread_mutex_lock(&journal.lock);
	bool running = journal.running;
	bool fits = journal.lines < QUEUE_LINES && journal.octets + length <= QUEUE_OCTETS;
	if (running && fits) {
		*journal.last = line;
		journal.last = &line->next;
		journal.lines++;
		journal.octets += length;
		line = NULL;
		pthread_cond_signal(&journal.changed);
	} else if (running) {
		journal.dropped++;
		atomic_fetch_add_explicit(&journal.lost, 1, memory_order_relaxed);
	}
	pthread_mutex_unlock(&journal.lock);
	if (!running)
		write_at_once(line);
	free(line);
}

static void submit_format(enum rg_log_level level, const char *format, va_list args, unsigned left_out)
	__attribute__((format(printf, 2, 0)));

static void submit_format(enum rg_log_level level, const char *format, va_list args, unsigned left_out)
{
	char text[4096];
	int length = vsnprintf(text, sizeof(text), format, args);
	if (length < 0)
		return;
	size_t used = (size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1;
	if (left_out != 0 && used < sizeof(text) - 64)
		used += (size_t)snprintf(text + used, sizeof(text) - used, " (%u more like it left out)",
					 left_out);
	submit(level, false, text, used);
}

void log_write(enum rg_log_level level, const char *format, ...)
{
	if (level > log_level())
		return;
	va_list args;
	va_start(args, format);
	submit_format(level, format, args, 0);
	va_end(args);
}

void log_record(enum rg_log_level level, const char *line)
{
	if (level <= log_level())
		submit(level, true, line, strlen(line));
}

/* Without the lock. */
static bool is_full(const struct rg_log_limit *limit, uint64_t now)
{
	uint64_t window = __atomic_load_n(&limit->window_ns, __ATOMIC_RELAXED);
	bool over = window == 0 || now - window >= limit->every_s * RG_SECOND;
	return !over && __atomic_load_n(&limit->written, __ATOMIC_RELAXED) >= limit->burst;
}

static bool leave_out(struct rg_log_limit *limit, uint64_t now)
{
	bool full = is_full(limit, now);
	if (full)
		__atomic_fetch_add(&limit->dropped, 1, __ATOMIC_RELAXED);
	return full;
}

bool log_limit_reached(struct rg_log_limit *limit)
{
	return leave_out(limit, clock_now());
}

/* True: a line may be written; *left_out says how many were not since the last. Lock-free while the
 * limit is reached, so that a flood costs its worker next to nothing. */
static bool limit_allows(struct rg_log_limit *limit, unsigned *left_out)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	uint64_t now = clock_now();
	if (leave_out(limit, now))
		return false;
	pthread_mutex_lock(&lock);
	uint64_t window = __atomic_load_n(&limit->window_ns, __ATOMIC_RELAXED);
	if (window == 0 || (now > window && now - window >= limit->every_s * RG_SECOND)) {
		__atomic_store_n(&limit->window_ns, now, __ATOMIC_RELAXED);
		__atomic_store_n(&limit->written, 0, __ATOMIC_RELAXED);
		*left_out = __atomic_exchange_n(&limit->dropped, 0, __ATOMIC_RELAXED);
	}
	bool allowed = __atomic_load_n(&limit->written, __ATOMIC_RELAXED) < limit->burst;
	__atomic_fetch_add(allowed ? &limit->written : &limit->dropped, 1, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&lock);
	return allowed;
}

void log_limited(struct rg_log_limit *limit, enum rg_log_level level, const char *format, ...)
{
	unsigned left_out = 0;
	if (level > log_level() || !limit_allows(limit, &left_out))
		return;
	va_list args;
	va_start(args, format);
	submit_format(level, format, args, left_out);
	va_end(args);
}

/* The log: one line a record, written by a thread of its own so that no caller ever waits for a
 * disk, a pipe or a terminal. A full queue drops lines and says how many. Text from outside is
 * escaped by the caller (text_escape); control characters and broken UTF-8 that come this far all
 * the same are escaped here. Before log_open and after log_close lines go to stderr at once. */
#ifndef RG_CORE_LOG_H
#define RG_CORE_LOG_H
#include <stdbool.h>
#include <stdint.h>

enum rg_log_level { RG_LOG_ERROR, RG_LOG_WARNING, RG_LOG_INFO, RG_LOG_DEBUG };
enum rg_log_format { RG_LOG_TEXT, RG_LOG_JSON };

/* target: "stderr", "syslog" or a path. Called again (reload, SIGHUP after rotation) it reopens.
 * False with errno: the target cannot be opened; the former one stays. Call it once the process has
 * its final pid: the writer thread does not survive a fork. From the main thread only. */
bool log_open(const char *target, enum rg_log_level, enum rg_log_format);
void log_close(void); /* writes what is queued, at most for a second; main thread only */
enum rg_log_level log_level(void);
enum rg_log_format log_format(void);

/* A sentence, without newline. In JSON format it becomes {"time","level","message"}. */
void log_write(enum rg_log_level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A complete record that is in the log's format already: a JSON object or "key=value …", no newline.
 * In text format the time and the level are put before it. */
void log_record(enum rg_log_level, const char *line);

/* Lines that never reached the target since the start: dropped by a full queue, or failed to be written. */
uint64_t log_lost(void);

/* At most `burst` lines a `every_s`; the first line after a silence says how many were left out. One
 * limit may be shared by several threads; the rest of it starts as zeroes. */
struct rg_log_limit {
	unsigned burst, every_s;
	uint64_t window_ns;
	unsigned written, dropped;
};
void log_limited(struct rg_log_limit *, enum rg_log_level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* True: log_limited would leave the line out, which is counted; for callers whose arguments cost more than that. */
bool log_limit_reached(struct rg_log_limit *);
#endif

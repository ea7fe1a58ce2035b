/* Where log lines end: stderr, syslog or a file; and how one line is written without hanging on it. */
#ifndef RG_CORE_LOG_TARGET_H
#define RG_CORE_LOG_TARGET_H
#include <stdbool.h>
#include <stddef.h>

#include "core/log.h"

struct rg_log_target {
	int fd;       /* -1: syslog */
	bool owned;   /* fd is ours to close */
	bool regular; /* a file on a disk: never worth a poll */
	bool torn;    /* the last line stopped half-way */
	int error;    /* errno of the last failure */
};

enum rg_log_written {
	RG_LOG_WRITTEN,
	RG_LOG_FAILED,   /* target->error says why */
	RG_LOG_GIVEN_UP, /* it takes no octets, and must_stop said so */
};

/* False with errno. */
bool log_target_open(struct rg_log_target *, const char *name);
void log_target_close(struct rg_log_target *);
/* data ends in a newline. While the target takes no octets must_stop is asked every 100 ms. */
enum rg_log_written log_target_write(struct rg_log_target *, enum rg_log_level, const char *data,
				     size_t length, bool (*must_stop)(void));
#endif

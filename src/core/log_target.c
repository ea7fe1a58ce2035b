#include "core/log_target.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#define POLL_MS 100

bool log_target_open(struct rg_log_target *target, const char *name)
{
	struct stat st;
	*target = (struct rg_log_target){.fd = STDERR_FILENO};
	if (strcmp(name, "syslog") == 0) {
		target->fd = -1;
		openlog("roamgated", LOG_PID, LOG_DAEMON);
		return true;
	}
	if (strcmp(name, "stderr") != 0) {
		/* O_NONBLOCK: a named pipe that nobody reads is an error, not a wait. */
		target->fd = open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
				  0640);
		if (target->fd < 0)
			return false;
		target->owned = true;
	}
	target->regular = fstat(target->fd, &st) == 0 && S_ISREG(st.st_mode);
	return true;
}

void log_target_close(struct rg_log_target *target)
{
	if (target->owned)
		close(target->fd);
	*target = (struct rg_log_target){.fd = STDERR_FILENO};
}

static int syslog_priority(enum rg_log_level level)
{
	switch (level) {
	case RG_LOG_ERROR:
		return LOG_ERR;
	case RG_LOG_WARNING:
		return LOG_WARNING;
	case RG_LOG_INFO:
		return LOG_INFO;
	case RG_LOG_DEBUG:
		return LOG_DEBUG;
	}
	return LOG_INFO;
}

static enum rg_log_written write_octets(struct rg_log_target *target, const char *data, size_t length,
					bool (*must_stop)(void))
{
	while (length != 0) {
		struct pollfd ready = {.fd = target->fd, .events = POLLOUT};
		/* A pipe or socket that polls writable takes PIPE_BUF octets without blocking; the
		 * descriptor may be shared with others, so O_NONBLOCK is not ours to set. */
		if (!target->regular && poll(&ready, 1, POLL_MS) == 0) {
			if (must_stop())
				return RG_LOG_GIVEN_UP;
			continue;
		}
		size_t part = target->regular || length < PIPE_BUF ? length : PIPE_BUF;
		ssize_t written = write(target->fd, data, part);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0 && errno == EAGAIN) {
			if (must_stop())
				return RG_LOG_GIVEN_UP;
			poll(NULL, 0, 10);
			continue;
		}
		if (written <= 0) {
			target->error = written < 0 ? errno : EIO;
			return RG_LOG_FAILED;
		}
		data += written;
		length -= (size_t)written;
		target->torn = length != 0;
	}
	return RG_LOG_WRITTEN;
}

enum rg_log_written log_target_write(struct rg_log_target *target, enum rg_log_level level,
				     const char *data, size_t length, bool (*must_stop)(void))
{
	if (target->fd < 0) {
		syslog(syslog_priority(level), "%.*s", (int)(length - 1), data);
		return RG_LOG_WRITTEN;
	}
	if (target->torn) {
		/* What a full disk cut short is ended, so that the next record stands on a line of its own. */
		enum rg_log_written ended = write_octets(target, "\n", 1, must_stop);
		if (ended != RG_LOG_WRITTEN)
			return ended;
	}
	return write_octets(target, data, length, must_stop);
}

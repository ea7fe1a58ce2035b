#include "load/process.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static bool read_file(char *text, size_t size, int pid, const char *name)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	size_t length = fread(text, 1, size - 1, file);
	fclose(file);
	text[length] = '\0';
	return length != 0;
}

static uint64_t status_kib(const char *status, const char *name)
{
	uint64_t kib = 0;
	const char *line = strstr(status, name);
	if (!line || sscanf(line + strlen(name), " %" SCNu64, &kib) != 1)
		return 0;
	return kib;
}

bool process_use(struct rg_process_use *use, int pid)
{
	char text[4096];
	clockid_t clock;
	struct timespec used;
	uint64_t user, system, tick_ns = UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK);
	memset(use, 0, sizeof(*use));
	if (!read_file(text, sizeof(text), pid, "stat"))
		return false;
	/* The second field is the program's name in parentheses and may hold anything: count from
	 * its end. */
	const char *rest = strrchr(text, ')');
	if (!rest ||
	    sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64,
		   &user, &system) != 2)
		return false;
	use->user_ns = user * tick_ns;
	use->system_ns = system * tick_ns;
	use->cpu_ns = use->user_ns + use->system_ns;
	/* A clock of its own tells what /proc rounds to a tick. */
	if (clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &used) == 0)
		use->cpu_ns = (uint64_t)used.tv_sec * UINT64_C(1000000000) + (uint64_t)used.tv_nsec;
	if (read_file(text, sizeof(text), pid, "status")) {
		use->memory_kib = status_kib(text, "VmRSS:");
		use->memory_peak_kib = status_kib(text, "VmHWM:");
	}
	return true;
}

/* The daemon's sandbox: which files it goes on writing, and what is said of what it was refused. */
#include <jansson.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "core/log.h"
#include "core/sandbox.h"
#include "core/secret.h"
#include "core/text.h"
#include "core/thread.h"
#include "daemon/daemon.h"

/* The folder of path, or path itself where the folder is one of devices. */
static const char *folder_of(const char *path, char *folder, size_t size)
{
	snprintf(folder, size, "%s", path);
	char *slash = strrchr(folder, '/');
	if (!slash)
		return ".";
	if (strncmp(path, "/dev/", 5) == 0)
		return path;
	slash[slash == folder ? 1 : 0] = '\0';
	return folder;
}

static void tell(void *context, enum rg_role role, const char *call, unsigned times, bool hostile)
{
	static struct rg_log_limit limit = {.burst = 20, .every_s = 60};
	(void)context;
	if (!hostile) { /* perhaps with each packet */
		log_limited(&limit, RG_LOG_ERROR,
			    "sandbox: %s was refused to a thread of %s (%u time%s); if something "
			    "fails by it, "
			    "set gateway.sandbox = false, restart, and report this line",
			    call, role_word(role), times, text_plural(times));
		return;
	}
	log_write(RG_LOG_ERROR,
		  "sandbox: a thread of %s asked for %s, which roamgated never does: somebody else "
		  "is in "
		  "this process, and it ends here",
		  role_word(role), call);
	log_close();
	signal(SIGSYS, SIG_DFL);
	raise(SIGSYS);
}

static void on_refusal(uv_async_t *async)
{
	(void)async;
	sandbox_tell(tell, NULL);
}

/* uv_async_send may be called in a signal handler. */
static void wake(void *async)
{
	uv_async_send(async);
}

/* The first thread whose memory malloc gives back has it look into /proc/sys/vm how that is done.
 */
static void *give_back(void *unused)
{
	void *rooms[16];
	(void)unused;
	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++)
		rooms[i] = malloc(
			100000); /* below what is mapped by itself, together above what is kept */
	for (size_t i = sizeof(rooms) / sizeof(rooms[0]); i-- > 0;)
		free(rooms[i]);
	return NULL;
}

/* What libraries would read at some time, in whichever thread comes first: now. */
static void read_beforehand(void)
{
	pthread_t thread;
	tzset(); /* for syslog */
	/* As malloc has it unasked: but then it looks into /sys how many processors there are. */
	mallopt(M_ARENA_MAX, 8 * get_nprocs());
	if (thread_begin(&thread, give_back, NULL))
		pthread_join(thread, NULL);
}

void confine_open(struct rg_daemon *daemon)
{
	uv_async_init(&daemon->loop, &daemon->refusal, on_refusal);
	sandbox_on_refusal(wake, &daemon->refusal);
}

void confine_close(struct rg_daemon *daemon)
{
	sandbox_on_refusal(NULL, NULL);
	uv_close((uv_handle_t *)&daemon->refusal, NULL);
}

bool confine_begin(struct rg_daemon *daemon, const struct rg_raddb *raddb, char *why)
{
	char control[4096], log[4096];
	const char *writable[] = {
		raddb->gateway.state_dir,
		folder_of(raddb->gateway.control, control, sizeof(control)),
		!daemon->foreground && raddb->log.target[0] == '/'
			? folder_of(raddb->log.target, log, sizeof(log))
			: NULL,
		NULL,
	};
	if (raddb->gateway.sandbox) {
		read_beforehand();
		return sandbox_begin(writable, why);
	}
	return true;
}

void confine_say(void)
{
	struct rg_sandbox is = sandbox_state();
	if (!is.calls)
		log_write(RG_LOG_WARNING, "sandbox: off: %s", is.why);
	else if (is.files == 0)
		log_write(RG_LOG_INFO,
			  "sandbox: system calls by thread; files are not confined: %s", is.why);
	else
		log_write(RG_LOG_INFO, "sandbox: system calls by thread, files by Landlock %d",
			  is.files);
	if (!secret_memory_locked())
		log_write(RG_LOG_WARNING,
			  "keys and secrets may be swapped out: the limit of locked memory "
			  "(LimitMEMLOCK, ulimit -l) is below 64 MiB");
}

json_t *confine_json(void)
{
	struct rg_sandbox is = sandbox_state();
	return json_pack("{s:b, s:b, s:s, s:I, s:b}", "calls", is.calls, "files", is.files > 0,
			 "why", is.why, "refused", (json_int_t)sandbox_refused(), "secrets_locked",
			 secret_memory_locked());
}

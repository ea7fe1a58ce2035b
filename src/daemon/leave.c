/* Stopping waits for threads, and one of them may hang where nobody can call it back: getaddrinfo, for as long as resolv.conf
 * says. What would be ended then by SIGKILL, with no word in the log, ends by itself. */
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/sandbox.h"
#include "core/thread.h"
#include "daemon/daemon.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static pthread_t thread;
static bool waits, ended;
static uint64_t due_ns;

static void *wait_for_end(void *unused)
{
	const struct timespec due = {(time_t)(due_ns / RG_SECOND), (long)(due_ns % RG_SECOND)};
	const struct timespec breath = {.tv_nsec = 200 * 1000 * 1000}; /* for the log's thread */
	(void)unused;
	sandbox_enter(RG_ROLE_OBSERVER);
	pthread_mutex_lock(&lock);
	while (!ended && clock_now() < due_ns)
		pthread_cond_timedwait(&changed, &lock, &due);
	bool hangs = !ended;
	pthread_mutex_unlock(&lock);
	if (!hangs)
		return NULL;
	log_write(RG_LOG_WARNING, "roamgated stops without a thread that hangs, looking up a name most likely");
	nanosleep(&breath, NULL);
	_exit(0);
}

void leave_begin(void)
{
	pthread_condattr_t monotonic;
	due_ns = clock_now() + RG_LEAVE_NS;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	waits = thread_begin(&thread, wait_for_end, NULL); /* without it we wait as long as it takes */
}

void leave_end(void)
{
	if (!waits)
		return;
	pthread_mutex_lock(&lock);
	ended = true;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
	pthread_join(thread, NULL);
	waits = false;
}

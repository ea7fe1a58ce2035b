#include "core/thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>

bool thread_begin(pthread_t *thread, void *(*run)(void *), void *argument)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* inherited */
	errno = pthread_create(thread, NULL, run, argument);
	pthread_sigmask(SIG_SETMASK, &before, NULL); /* cannot fail */
	return errno == 0;
}

void thread_patient(void)
{
	const struct sched_param none = {0};
	(void)pthread_setschedparam(pthread_self(), SCHED_BATCH, &none);
}

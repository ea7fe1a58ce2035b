/* Threads beside the main one. */
#ifndef RG_CORE_THREAD_H
#define RG_CORE_THREAD_H
#include <pthread.h>
#include <stdbool.h>

/* Begins a thread that no signal reaches: the daemon's are the main thread's, and a pipe or socket whose other end is gone
 * gives EPIPE there and no SIGPIPE. It is to be joined or detached. False: errno is set; 0 otherwise. */
bool thread_begin(pthread_t *, void *(*run)(void *), void *argument);
/* From now on the calling thread interrupts no other when something comes for it: where all processors are busy it waits for
 * its turn, has its share of them as before, and then finds more to do at once (SCHED_BATCH, sched(7)). For what nobody
 * waits for in microseconds. Before sandbox_enter or after it; where the kernel refuses, all stays as it is. */
void thread_patient(void);
#endif

/* Threads beside the main one. */
#ifndef RG_CORE_THREAD_H
#define RG_CORE_THREAD_H
#include <pthread.h>
#include <stdbool.h>

/* Begins a thread that no signal reaches: the daemon's are the main thread's, and a pipe or socket whose other end is gone
 * gives EPIPE there and no SIGPIPE. It is to be joined or detached. False: errno is set; 0 otherwise. */
bool thread_begin(pthread_t *, void *(*run)(void *), void *argument);
#endif

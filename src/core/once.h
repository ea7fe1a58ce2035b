/* What is made once a process, and may fail to be: whoever needs it next tries again, where pthread_once would leave it
 * unmade for good after one moment without memory. */
#ifndef RG_CORE_ONCE_H
#define RG_CORE_ONCE_H
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct rg_once {
	pthread_mutex_t lock;
	atomic_bool made;
};

#define RG_ONCE {.lock = PTHREAD_MUTEX_INITIALIZER}

/* Calls make, unless it has succeeded before; never twice at a time. True: what it made is there, for any thread. */
bool once_made(struct rg_once *, bool (*make)(void));
#endif

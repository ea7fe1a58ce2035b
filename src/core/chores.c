#include "core/chores.h"

#include <errno.h>
#include <pthread.h>

#include "core/thread.h"

#define THREADS 4 /* each may wait for a name's servers, for long */

/* libuv has such threads of its own, and ends the process where it cannot start them. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct rg_chore *first, **last;
	pthread_t threads[THREADS];
	unsigned started;
	enum rg_role role;
	bool closing;
} chores = {.lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER};

/* With the lock. */
static struct rg_chore *take(void)
{
	struct rg_chore *chore = chores.first;
	if (!chore)
		return NULL;
	chores.first = chore->next;
	if (!chores.first)
		chores.last = &chores.first;
	return chore;
}

static void *run(void *unused)
{
	(void)unused;
	sandbox_enter(chores.role);
	pthread_mutex_lock(&chores.lock);
	while (!chores.closing) {
		struct rg_chore *chore = take();
		if (!chore) {
			pthread_cond_wait(&chores.work, &chores.lock);
			continue;
		}
		pthread_mutex_unlock(&chores.lock);
		chore->work(chore);
		pthread_mutex_lock(&chores.lock);
		uv_async_send(&chore->async);
	}
	pthread_mutex_unlock(&chores.lock);
	return NULL;
}

bool chores_open(enum rg_role role)
{
	chores.last = &chores.first;
	chores.role = role;
	chores.closing = false;
	while (chores.started < THREADS && thread_begin(&chores.threads[chores.started], run, NULL))
		chores.started++;
	if (chores.started == THREADS)
		return true;
	int error = errno;
	chores_close();
	errno = error;
	return false;
}

static void on_closed(uv_handle_t *handle)
{
	struct rg_chore *chore = handle->data;
	chore->done(chore, chore->left_out);
}

static void on_done(uv_async_t *async)
{
	/* Whoever sent this may not have let go of it yet. */
	pthread_mutex_lock(&chores.lock);
	pthread_mutex_unlock(&chores.lock);
	uv_close((uv_handle_t *)async, on_closed);
}

bool chore_begin(struct rg_chore *chore, uv_loop_t *loop)
{
	if (chores.started != THREADS || uv_async_init(loop, &chore->async, on_done) != 0)
		return false;
	chore->async.data = chore;
	chore->next = NULL;
	chore->left_out = false;
	pthread_mutex_lock(&chores.lock);
	*chores.last = chore;
	chores.last = &chore->next;
	pthread_cond_signal(&chores.work);
	pthread_mutex_unlock(&chores.lock);
	return true;
}

void chore_leave_out(struct rg_chore *chore)
{
	pthread_mutex_lock(&chores.lock);
	struct rg_chore **at = &chores.first;
	while (*at && *at != chore)
		at = &(*at)->next;
	if (*at) {
		*at = chore->next;
		if (!*at)
			chores.last = at;
		chore->left_out = true;
		uv_async_send(&chore->async);
	}
	pthread_mutex_unlock(&chores.lock);
}

void chores_close(void)
{
	pthread_mutex_lock(&chores.lock);
	chores.closing = true;
	pthread_cond_broadcast(&chores.work);
	pthread_mutex_unlock(&chores.lock);
	while (chores.started > 0)
		pthread_join(chores.threads[--chores.started], NULL);
}

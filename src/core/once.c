#include "core/once.h"

bool once_made(struct rg_once *once, bool (*make)(void))
{
	if (atomic_load_explicit(&once->made, memory_order_acquire))
		return true;
	pthread_mutex_lock(&once->lock);
	bool made = atomic_load(&once->made) || make();
	atomic_store(&once->made, made);
	pthread_mutex_unlock(&once->lock);
	return made;
}

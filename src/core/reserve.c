#include "core/reserve.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* More than a piece of what is read takes: a key of a configuration, a record of LDIF. Nobody
 * writes to it, so that it is of the address space only. */
#define RESERVE ((size_t)4 << 20)

static _Atomic(void *) reserve;
static _Thread_local bool used;

bool reserve_begin(void)
{
	used = false;
	if (atomic_load(&reserve))
		return true;
	void *fresh = malloc(RESERVE), *none = NULL;
	if (!atomic_compare_exchange_strong(&reserve, &none, fresh))
		free(fresh); /* another thread was quicker */
	return none || fresh;
}

void *reserve_calloc(size_t count, size_t size)
{
	void *memory = calloc(count, size);
	if (memory)
		return memory;
	used = true;
	free(atomic_exchange(&reserve, NULL));
	memory = calloc(count, size);
	if (!memory) {
		fputs("roamgate: out of memory\n", stderr);
		abort();
	}
	return memory;
}

void reserve_note(void)
{
	used = true;
}

bool reserve_used(void)
{
	return used;
}

bool memory_is_there(size_t size)
{
	void *volatile some = malloc(size);
	free(some);
	return some != NULL;
}

#include "shortage.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

struct rg_shortage shortage;

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

static bool is_spared(const void *caller)
{
	Dl_info info;
	return shortage.spared && dladdr(caller, &info) && strstr(info.dli_fname, shortage.spared);
}

static bool fails(const void *caller)
{
	if (shortage.left == 0 || is_spared(caller))
		return false;
	if (shortage.left > 1) {
		shortage.left--;
		return false;
	}
	shortage.failed = true;
	if (shortage.after == 0)
		shortage.left = 0;
	else
		shortage.after--;
	return true;
}

void *malloc(size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(memory, size);
}
#endif

bool shortage_works(void)
{
	void *(*volatile allocate)(size_t) = malloc; /* the compiler knows malloc to heed nothing of ours */
	shortage.left = 1;
	void *some = allocate(1);
	shortage.left = 0;
	free(some);
	return !some;
}

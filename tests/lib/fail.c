/* LD_PRELOAD: while the file $FAIL_SWITCH exists, one allocation in $FAIL_ONE_IN fails. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static atomic_uint calls;
static atomic_int on;
static unsigned one_in = 1000;
static const char *file;

__attribute__((constructor)) static void start(void)
{
	file = getenv("FAIL_SWITCH");
	if (getenv("FAIL_ONE_IN"))
		one_in = (unsigned)atoi(getenv("FAIL_ONE_IN"));
}

static int fails(void)
{
	unsigned call = atomic_fetch_add(&calls, 1);
	if (call % 256 == 0)
		atomic_store(&on, file && access(file, F_OK) == 0);
	if (!atomic_load(&on) || call % one_in != one_in / 2)
		return 0;
	errno = ENOMEM;
	return 1;
}

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}

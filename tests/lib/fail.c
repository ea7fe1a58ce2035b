/* LD_PRELOAD: makes calls of one kind fail, as the file $FAIL_CONTROL says, which lib/failing.py and this share: the
 * n-th from now on, and as many as are wanted after it; or one in so many. Counts the calls of each kind. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* As in lib/failing.py. */
enum kind {
	MEMORY,
	READ,
	RECVMMSG,
	WRITE,
	SENDMMSG,
	ACCEPT,
	OPEN,
	CONNECT,
	DESCRIPTOR, /* socket, eventfd, dup, pipe … */
	THREAD,
	OPTION, /* setsockopt, bind, listen */
	ENTROPY,
	STATUS, /* of a file: stat */
	RENAME, /* and fsync */
	KINDS,
};
#define NONE  UINT32_MAX
#define SHORT (-1) /* in place of an error number: fewer octets or messages than could be */

static struct control {
	_Atomic uint32_t kind; /* NONE: no call fails */
	_Atomic int32_t error;
	_Atomic int64_t left;   /* calls until it fails; those below 1 do … */
	_Atomic int64_t last;   /* … and above this do */
	_Atomic uint32_t every; /* or one in so many; 0: not */
	_Atomic uint32_t fired;
	_Atomic uint64_t calls[KINDS];
} nothing = {.kind = NONE}, *control = &nothing;

/* Libraries that take no note of a lack of memory. libconfig 1.5: source.c sees to it that there is enough for it. libtasn1,
 * beneath GnuTLS, writes to NULL, and liblber hands libldap one that ldap_parse_result does not look at. */
static const char *const careless[] = {"libconfig.so", "libtasn1.so", "liblber"};
#define FRAMES 12

__attribute__((constructor)) static void start(void)
{
	void *frames[FRAMES];
	backtrace(frames, FRAMES); /* loads what it needs now, not in a malloc */
	const char *file = getenv("FAIL_CONTROL");
	int fd = file ? open(file, O_RDWR | O_CLOEXEC) : -1;
	void *memory = fd < 0 ? MAP_FAILED :
				mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	if (memory != MAP_FAILED)
		control = memory;
}

static int is_spared(enum kind kind)
{
	void *frames[FRAMES];
	int count = kind == MEMORY ? backtrace(frames, FRAMES) : 0;
	for (int i = 0; i < count; i++) {
		Dl_info info;
		for (unsigned j = 0; j < sizeof(careless) / sizeof(careless[0]); j++)
			if (dladdr(frames[i], &info) && strstr(info.dli_fname, careless[j]))
				return 1;
	}
	return 0;
}

/* 0: goes on. Else an error number, or SHORT. */
static int fails(enum kind kind)
{
	uint64_t call = atomic_fetch_add(&control->calls[kind], 1);
	if (atomic_load(&control->kind) != kind)
		return 0;
	uint32_t every = atomic_load(&control->every);
	if (every != 0) {
		if (call % every != every / 2)
			return 0;
	} else {
		int64_t left = atomic_fetch_sub(&control->left, 1) - 1;
		if (left > 0 || left <= atomic_load(&control->last))
			return 0;
	}
	if (is_spared(kind)) {
		atomic_fetch_add(&control->left, 1); /* the next one fails in its place */
		return 0;
	}
	atomic_fetch_add(&control->fired, 1);
	return atomic_load(&control->error);
}

/* What the next library has of that name. */
static void *next_of(_Atomic(void *) *kept, const char *name)
{
	void *found = atomic_load(kept);
	if (!found) {
		found = dlsym(RTLD_NEXT, name);
		atomic_store(kept, found);
	}
	return found;
}

#define REAL(result, name, ...) \
	static _Atomic(void *) kept_##name; \
	result (*real)(__VA_ARGS__) = (result(*)(__VA_ARGS__))next_of(&kept_##name, #name)

#define FAIL_OR(kind) \
	int error = fails(kind); \
	if (error > 0) { \
		errno = error; \
		return -1; \
	}

/* Memory. dlsym may allocate itself, when it has nothing good to tell. */
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
static __thread int looking __attribute__((tls_model("initial-exec")));

static void *no_memory(void)
{
	errno = ENOMEM;
	return NULL;
}

void *malloc(size_t size)
{
	if (looking)
		return __libc_malloc(size);
	looking = 1;
	REAL(void *, malloc, size_t);
	looking = 0;
	return fails(MEMORY) ? no_memory() : real(size);
}

void *calloc(size_t count, size_t size)
{
	if (looking)
		return __libc_calloc(count, size);
	looking = 1;
	REAL(void *, calloc, size_t, size_t);
	looking = 0;
	return fails(MEMORY) ? no_memory() : real(count, size);
}

void *realloc(void *old, size_t size)
{
	REAL(void *, realloc, void *, size_t);
	return fails(MEMORY) ? no_memory() : real(old, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
	REAL(int, posix_memalign, void **, size_t, size_t);
	return fails(MEMORY) ? ENOMEM : real(out, alignment, size);
}

/* An eventfd, a pipe of the loop: what the kernel never lets fail. */
static int may_fail(int fd)
{
	struct stat st;
	int before = errno;
	int may = fstat(fd, &st) == 0 && (S_ISSOCK(st.st_mode) || S_ISREG(st.st_mode));
	errno = before;
	return may;
}

static size_t shorter(int fd, int error, size_t length)
{
	int type = SOCK_STREAM;
	socklen_t size = sizeof(type);
	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
	return error == SHORT && type == SOCK_STREAM && length > 1 ? 1 : length;
}

#define FAIL_FD(kind, fd) \
	int error = may_fail(fd) ? fails(kind) : 0; \
	if (error > 0) { \
		errno = error; \
		return -1; \
	}

ssize_t read(int fd, void *data, size_t length)
{
	REAL(ssize_t, read, int, void *, size_t);
	FAIL_FD(READ, fd)
	return real(fd, data, shorter(fd, error, length));
}

ssize_t recv(int fd, void *data, size_t length, int flags)
{
	REAL(ssize_t, recv, int, void *, size_t, int);
	FAIL_FD(READ, fd)
	return real(fd, data, shorter(fd, error, length), flags);
}

ssize_t recvfrom(int fd, void *data, size_t length, int flags, struct sockaddr *from, socklen_t *size)
{
	REAL(ssize_t, recvfrom, int, void *, size_t, int, struct sockaddr *, socklen_t *);
	FAIL_FD(READ, fd)
	return real(fd, data, shorter(fd, error, length), flags, from, size);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	REAL(ssize_t, recvmsg, int, struct msghdr *, int);
	FAIL_FD(READ, fd)
	return real(fd, message, flags);
}

int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout)
{
	REAL(int, recvmmsg, int, struct mmsghdr *, unsigned, int, struct timespec *);
	FAIL_OR(RECVMMSG)
	return real(fd, messages, error == SHORT ? 1 : count, flags, timeout);
}

ssize_t write(int fd, const void *data, size_t length)
{
	REAL(ssize_t, write, int, const void *, size_t);
	FAIL_FD(WRITE, fd)
	return real(fd, data, shorter(fd, error, length));
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	REAL(ssize_t, writev, int, const struct iovec *, int);
	FAIL_FD(WRITE, fd)
	return real(fd, parts, error == SHORT ? 1 : count);
}

ssize_t send(int fd, const void *data, size_t length, int flags)
{
	REAL(ssize_t, send, int, const void *, size_t, int);
	FAIL_FD(WRITE, fd)
	return real(fd, data, shorter(fd, error, length), flags);
}

ssize_t sendto(int fd, const void *data, size_t length, int flags, const struct sockaddr *to, socklen_t size)
{
	REAL(ssize_t, sendto, int, const void *, size_t, int, const struct sockaddr *, socklen_t);
	FAIL_FD(WRITE, fd)
	return real(fd, data, shorter(fd, error, length), flags, to, size);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	REAL(ssize_t, sendmsg, int, const struct msghdr *, int);
	FAIL_FD(WRITE, fd)
	return real(fd, message, flags);
}

int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
	REAL(int, sendmmsg, int, struct mmsghdr *, unsigned, int);
	FAIL_OR(SENDMMSG)
	return real(fd, messages, error == SHORT ? 1 : count, flags);
}

int accept(int fd, struct sockaddr *address, socklen_t *size)
{
	REAL(int, accept, int, struct sockaddr *, socklen_t *);
	FAIL_OR(ACCEPT)
	return real(fd, address, size);
}

int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
	REAL(int, accept4, int, struct sockaddr *, socklen_t *, int);
	FAIL_OR(ACCEPT)
	return real(fd, address, size, flags);
}

static mode_t mode_of(int flags, va_list arguments)
{
	return flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
}

#define OPENS(name) \
	int name(const char *path, int flags, ...) \
	{ \
		va_list arguments; \
		va_start(arguments, flags); \
		mode_t mode = mode_of(flags, arguments); \
		va_end(arguments); \
		REAL(int, name, const char *, int, ...); \
		FAIL_OR(OPEN) \
		return real(path, flags, mode); \
	}
OPENS(open)
OPENS(open64)

#define OPENS_AT(name) \
	int name(int folder, const char *path, int flags, ...) \
	{ \
		va_list arguments; \
		va_start(arguments, flags); \
		mode_t mode = mode_of(flags, arguments); \
		va_end(arguments); \
		REAL(int, name, int, const char *, int, ...); \
		FAIL_OR(OPEN) \
		return real(folder, path, flags, mode); \
	}
OPENS_AT(openat)
OPENS_AT(openat64)

#define OPENS_FILE(type, name, ...) \
	{ \
		REAL(type *, name, __VA_ARGS__); \
		int error = fails(OPEN); \
		if (error > 0) { \
			errno = error; \
			return NULL; \
		}

FILE *fopen(const char *path, const char *mode)
OPENS_FILE(FILE, fopen, const char *, const char *)
	return real(path, mode);
}

FILE *fopen64(const char *path, const char *mode)
OPENS_FILE(FILE, fopen64, const char *, const char *)
	return real(path, mode);
}

DIR *opendir(const char *path)
OPENS_FILE(DIR, opendir, const char *)
	return real(path);
}

int connect(int fd, const struct sockaddr *address, socklen_t size)
{
	REAL(int, connect, int, const struct sockaddr *, socklen_t);
	FAIL_OR(CONNECT)
	return real(fd, address, size);
}

int socket(int family, int type, int protocol)
{
	REAL(int, socket, int, int, int);
	FAIL_OR(DESCRIPTOR)
	return real(family, type, protocol);
}

int eventfd(unsigned count, int flags)
{
	REAL(int, eventfd, unsigned, int);
	FAIL_OR(DESCRIPTOR)
	return real(count, flags);
}

int pipe2(int ends[2], int flags)
{
	REAL(int, pipe2, int *, int);
	FAIL_OR(DESCRIPTOR)
	return real(ends, flags);
}

int dup(int fd)
{
	REAL(int, dup, int);
	FAIL_OR(DESCRIPTOR)
	return real(fd);
}

int epoll_create1(int flags)
{
	REAL(int, epoll_create1, int);
	FAIL_OR(DESCRIPTOR)
	return real(flags);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
	REAL(int, pthread_create, pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
	return fails(THREAD) ? EAGAIN : real(thread, attributes, run, argument);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
	REAL(int, setsockopt, int, int, int, const void *, socklen_t);
	FAIL_OR(OPTION)
	return real(fd, level, name, value, size);
}

int bind(int fd, const struct sockaddr *address, socklen_t size)
{
	REAL(int, bind, int, const struct sockaddr *, socklen_t);
	FAIL_OR(OPTION)
	return real(fd, address, size);
}

int listen(int fd, int backlog)
{
	REAL(int, listen, int, int);
	FAIL_OR(OPTION)
	return real(fd, backlog);
}

ssize_t getrandom(void *data, size_t length, unsigned flags)
{
	REAL(ssize_t, getrandom, void *, size_t, unsigned);
	FAIL_OR(ENTROPY)
	return real(data, length, flags);
}

int getentropy(void *data, size_t length)
{
	REAL(int, getentropy, void *, size_t);
	FAIL_OR(ENTROPY)
	return real(data, length);
}

int stat(const char *restrict path, struct stat *restrict st)
{
	REAL(int, stat, const char *, struct stat *);
	FAIL_OR(STATUS)
	return real(path, st);
}

int rename(const char *old, const char *new)
{
	REAL(int, rename, const char *, const char *);
	FAIL_OR(RENAME)
	return real(old, new);
}

int fsync(int fd)
{
	REAL(int, fsync, int);
	FAIL_OR(RENAME)
	return real(fd);
}

/* The calls that fail on demand, in place of libc's: fail.c says which. */
#define _GNU_SOURCE
#include "fail.h"
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

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

void *aligned_alloc(size_t alignment, size_t size)
{
	REAL(void *, aligned_alloc, size_t, size_t);
	return fails(MEMORY) ? no_memory() : real(alignment, size);
}

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	REAL(void *, mmap, void *, size_t, int, int, int, off_t);
	if (!fails(MEMORY))
		return real(at, size, protection, flags, fd, offset);
	errno = ENOMEM;
	return MAP_FAILED;
}

/* An eventfd, a pipe of the loop: what the kernel never lets fail. */
static int may_fail(int fd)
{
	struct stat st;
	int before = errno;
	int may = fstatat(fd, "", &st, AT_EMPTY_PATH) == 0 && (S_ISSOCK(st.st_mode) || S_ISREG(st.st_mode));
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

/* stdio reads by itself: the stream is what it is after read() failed. */
static int stream_fails(FILE *stream)
{
	int error = fails(READ);
	if (error <= 0)
		return 0;
	stream->_flags |= _IO_ERR_SEEN;
	errno = error;
	return 1;
}

size_t fread(void *restrict data, size_t size, size_t count, FILE *restrict stream)
{
	REAL(size_t, fread, void *, size_t, size_t, FILE *);
	return stream_fails(stream) ? 0 : real(data, size, count, stream);
}

char *fgets(char *restrict line, int size, FILE *restrict stream)
{
	REAL(char *, fgets, char *, int, FILE *);
	return stream_fails(stream) ? NULL : real(line, size, stream);
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

int pipe(int ends[2])
{
	REAL(int, pipe, int *);
	FAIL_OR(DESCRIPTOR)
	return real(ends);
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

/* glibc knows who wrote under a lock by the number of the thread, which a child's is not: what was held when it was made is
 * its own to let go of. */
int pthread_rwlock_unlock(pthread_rwlock_t *lock)
{
	REAL(int, pthread_rwlock_unlock, pthread_rwlock_t *);
	int parent = fails_for();
	if (parent != 0 && lock->__data.__cur_writer == parent)
		lock->__data.__cur_writer = gettid();
	return real(lock);
}

/* So that fail.c can tell of a crash in a thread that holds all signals back. */
int pthread_sigmask(int how, const sigset_t *set, sigset_t *before)
{
	REAL(int, pthread_sigmask, int, const sigset_t *, sigset_t *);
	sigset_t but;
	if (!set || how == SIG_UNBLOCK)
		return real(how, set, before);
	but = *set;
	sigdelset(&but, SIGSEGV);
	return real(how, &but, before);
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

int lstat(const char *restrict path, struct stat *restrict st)
{
	REAL(int, lstat, const char *, struct stat *);
	FAIL_OR(STATUS)
	return real(path, st);
}

int fstat(int fd, struct stat *st)
{
	REAL(int, fstat, int, struct stat *);
	FAIL_OR(STATUS)
	return real(fd, st);
}

int scandir(const char *restrict path, struct dirent ***restrict found, int (*wanted)(const struct dirent *),
	    int (*order)(const struct dirent **, const struct dirent **))
{
	REAL(int, scandir, const char *, struct dirent ***, int (*)(const struct dirent *),
	     int (*)(const struct dirent **, const struct dirent **));
	FAIL_OR(OPEN)
	return real(path, found, wanted, order);
}

int getaddrinfo(const char *restrict host, const char *restrict port, const struct addrinfo *restrict hints,
		struct addrinfo **restrict found)
{
	REAL(int, getaddrinfo, const char *, const char *, const struct addrinfo *, struct addrinfo **);
	return fails(NAME) ? EAI_AGAIN : real(host, port, hints, found);
}

/* libc's calls what allocates as its last deed, and is not on the stack then: for fail.c to know that it was called. */
int __res_init(void)
{
	REAL(int, __res_init, void);
	volatile int result = real();
	return result;
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

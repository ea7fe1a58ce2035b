/* Preloaded into roamgated: who receives a datagram with the word INTRUDER in it (a worker) starts a
 * program, as somebody would who has taken that thread over. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout)
{
	static int (*real)(int, struct mmsghdr *, unsigned, int, struct timespec *);
	static char *const argv[] = {(char *)"touch", NULL, NULL};
	if (!real)
		real = (int (*)(int, struct mmsghdr *, unsigned, int, struct timespec *))dlsym(RTLD_NEXT, "recvmmsg");
	int got = real(fd, messages, count, flags, timeout);
	for (int i = 0; i < got; i++)
		if (memmem(messages[i].msg_hdr.msg_iov->iov_base, messages[i].msg_len, "INTRUDER", 8))
			execv("/usr/bin/touch", argv);
	return got;
}

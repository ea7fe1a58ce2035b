#include "transport/bind.h"

#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#define BACKLOG 512

static int close_failed(int fd)
{
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

static int option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

static int bound(const struct sockaddr *address, int type, bool v6_only, bool shared)
{
	bool v6 = address->sa_family == AF_INET6;
	int fd = socket(address->sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if ((shared && option(fd, SOL_SOCKET, SO_REUSEPORT, 1) != 0) ||
	    /* What a former gateway's connections left behind is no reason to wait. */
	    (type == SOCK_STREAM && option(fd, SOL_SOCKET, SO_REUSEADDR, 1) != 0) ||
	    (v6 && option(fd, IPPROTO_IPV6, IPV6_V6ONLY, v6_only) != 0) ||
	    bind(fd, address, v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in)) != 0)
		return close_failed(fd);
	return fd;
}

int bind_shared(const struct sockaddr *address, int type, bool v6_only)
{
	return bound(address, type, v6_only, true);
}

bool bind_is_free(const struct sockaddr *address, int type, bool v6_only)
{
	int fd = bound(address, type, v6_only, false);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

int tcp_listen(const struct sockaddr *address, bool v6_only)
{
	int fd = bind_shared(address, SOCK_STREAM, v6_only);
	if (fd >= 0 && listen(fd, BACKLOG) != 0)
		return close_failed(fd);
	return fd;
}

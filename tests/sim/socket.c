/* The kernel's place: UDP sockets of the gateway, its ephemeral ports, SO_REUSEPORT, IP_PKTINFO and
 * ICMP. What is sent goes to net.c. Other descriptors are the kernel's as ever. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim.h"

#define FIRST_FD     100000
#define SOCKETS_MOST 4096
#define QUEUE_MOST   512

struct queued {
	struct queued *next;
	struct spot from, to;
	size_t length;
	uint8_t bytes[];
};

struct socket {
	bool open, connected;
	struct spot local, remote;
	int error;
	unsigned count;
	struct queued *first, **last;
};

static struct socket sockets[SOCKETS_MOST];
static unsigned opened; /* none above it was ever used */
static uint16_t next_port = 40000;

int __wrap_socket(int family, int type, int protocol);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t length);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t length);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *length);
int __wrap_getsockname(int fd, struct sockaddr *address, socklen_t *length);
int __wrap_close(int fd);
int __wrap_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
		    struct timespec *timeout);
int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);
int __real_close(int fd);

static struct socket *socket_of(int fd)
{
	struct socket *found =
		fd >= FIRST_FD && fd < FIRST_FD + SOCKETS_MOST ? &sockets[fd - FIRST_FD] : NULL;
	if (!found || !found->open)
		broken("descriptor %d is used, which is no open socket", fd);
	return found;
}

static struct spot spot_of(const void *address)
{
	struct sockaddr_in v4;
	memcpy(&v4, address, sizeof(v4));
	must(v4.sin_family == AF_INET);
	return (struct spot){ntohl(v4.sin_addr.s_addr), ntohs(v4.sin_port)};
}

static struct sockaddr_in address_of(struct spot spot)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons(spot.port),
				    .sin_addr.s_addr = htonl(spot.ip)};
}

int __wrap_socket(int family, int type, int protocol)
{
	must(family == AF_INET && (type & 0xf) == SOCK_DGRAM && protocol == 0);
	unsigned i = 0;
	while (i < SOCKETS_MOST && sockets[i].open)
		i++;
	must(i < SOCKETS_MOST);
	if (i >= opened)
		opened = i + 1;
	sockets[i] = (struct socket){.open = true};
	sockets[i].last = &sockets[i].first;
	return FIRST_FD + (int)i;
}

int __wrap_bind(int fd, const struct sockaddr *address, socklen_t length)
{
	must(length >= sizeof(struct sockaddr_in));
	socket_of(fd)->local = spot_of(address);
	return 0;
}

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length)
{
	struct socket *socket = socket_of(fd);
	must(length >= sizeof(struct sockaddr_in));
	socket->remote = spot_of(address);
	socket->local = (struct spot){GATEWAY, next_port++};
	socket->connected = true;
	return 0;
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
	(void)level;
	(void)name;
	(void)value;
	(void)length;
	socket_of(fd);
	return 0;
}

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *length)
{
	must(level == SOL_SOCKET && name == SO_ERROR && *length == sizeof(int));
	memcpy(value, &socket_of(fd)->error, sizeof(int));
	socket_of(fd)->error = 0;
	return 0;
}

int __wrap_getsockname(int fd, struct sockaddr *address, socklen_t *length)
{
	struct sockaddr_in local = address_of(socket_of(fd)->local);
	memcpy(address, &local, sizeof(local) < *length ? sizeof(local) : *length);
	*length = sizeof(local);
	return 0;
}

static void drop_first(struct socket *socket)
{
	struct queued *first = socket->first;
	socket->first = first->next;
	if (!socket->first)
		socket->last = &socket->first;
	socket->count--;
	free(first);
}

int __wrap_close(int fd)
{
	if (fd < FIRST_FD)
		return __real_close(fd);
	struct socket *socket = socket_of(fd);
	while (socket->first)
		drop_first(socket);
	socket->open = false;
	return 0;
}

bool socket_readable(int fd)
{
	return socket_of(fd)->first || socket_of(fd)->error;
}

static void put_local(struct msghdr *header, struct spot to)
{
	struct in_pktinfo info = {.ipi_ifindex = 1,
				  .ipi_addr.s_addr = htonl(to.ip),
				  .ipi_spec_dst.s_addr = htonl(to.ip)};
	must(header->msg_controllen >= CMSG_SPACE(sizeof(info)));
	struct cmsghdr *c = CMSG_FIRSTHDR(header);
	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = IP_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(c), &info, sizeof(info));
	header->msg_controllen = CMSG_SPACE(sizeof(info));
}

int __wrap_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
		    struct timespec *timeout)
{
	struct socket *socket = socket_of(fd);
	unsigned taken = 0;
	must((flags & MSG_DONTWAIT) && !timeout);
	if (socket->error) {
		errno = socket->error;
		socket->error = 0;
		return -1;
	}
	for (; taken < count && socket->first; taken++) {
		struct msghdr *header = &messages[taken].msg_hdr;
		struct sockaddr_in from = address_of(socket->first->from);
		size_t room = header->msg_iov[0].iov_len, length = socket->first->length;
		memcpy(header->msg_iov[0].iov_base, socket->first->bytes,
		       length < room ? length : room);
		messages[taken].msg_len = (unsigned)(length < room ? length : room);
		memcpy(header->msg_name, &from, sizeof(from));
		header->msg_namelen = sizeof(from);
		if (!socket->connected)
			put_local(header, socket->first->to);
		else
			header->msg_controllen = 0;
		drop_first(socket);
	}
	if (taken == 0)
		errno = EAGAIN;
	return taken ? (int)taken : -1;
}

/* From the address that was asked, where that is said; else from the first of ours. */
static struct spot source_of(const struct socket *socket, struct msghdr *header)
{
	struct spot from = socket->local;
	if (from.ip == 0)
		from.ip = GATEWAY;
	struct cmsghdr *c = header->msg_control ? CMSG_FIRSTHDR(header) : NULL;
	if (c && c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo info;
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		from.ip = ntohl(info.ipi_spec_dst.s_addr);
	}
	return from;
}

/* Judged even if it does not leave: the gateway does not know. */
static unsigned send_one(const struct socket *socket, struct msghdr *header, bool leaves)
{
	struct spot from = source_of(socket, header);
	struct spot to = socket->connected ? socket->remote : spot_of(header->msg_name);
	const struct iovec *octets = &header->msg_iov[0];
	if (socket->connected)
		peer_sent(from, to, octets->iov_base, octets->iov_len);
	else
		exchange_answered(from, to, octets->iov_base, octets->iov_len);
	if (leaves)
		net_send(from, to, octets->iov_base, octets->iov_len, NULL);
	return (unsigned)octets->iov_len;
}

int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
	struct socket *socket = socket_of(fd);
	must(flags & MSG_DONTWAIT);
	if (socket->error) {
		errno = socket->error;
		socket->error = 0;
		return -1;
	}
	if (!world.plan.calm && chance_permille(&world.net, 3)) {
		send_one(socket, &messages[0].msg_hdr, false);
		errno = ENOBUFS;
		return -1;
	}
	for (unsigned i = 0; i < count; i++)
		messages[i].msg_len = send_one(socket, &messages[i].msg_hdr, true);
	return (int)count;
}

static void enqueue(struct socket *socket, const struct flight *flight)
{
	if (socket->count >= QUEUE_MOST)
		return;
	struct queued *queued = own(sizeof(*queued) + flight->length);
	queued->next = NULL;
	queued->from = flight->from;
	queued->to = flight->to;
	queued->length = flight->length;
	memcpy(queued->bytes, flight->bytes, flight->length);
	*socket->last = queued;
	socket->last = &queued->next;
	socket->count++;
	if (socket->connected && !flight->spoilt)
		peer_answered(flight->from, flight->to, flight->bytes, flight->length);
	else if (flight->origin && !flight->spoilt)
		exchange_delivered(flight->origin);
}

/* The kernel gives a flow to the same of several sockets that share a port. */
static struct socket *listener_of(const struct flight *flight)
{
	struct socket *shared[WORKERS_MOST];
	unsigned count = 0;
	for (unsigned i = 0; i < opened && count < WORKERS_MOST; i++)
		if (sockets[i].open && !sockets[i].connected &&
		    sockets[i].local.port == flight->to.port)
			shared[count++] = &sockets[i];
	return count ? shared[(flight->from.ip * 31 + flight->from.port) % count] : NULL;
}

static struct socket *connected_at(struct spot local, struct spot remote)
{
	for (unsigned i = 0; i < opened; i++)
		if (sockets[i].open && sockets[i].connected &&
		    spot_equal(sockets[i].local, local) && spot_equal(sockets[i].remote, remote))
			return &sockets[i];
	return NULL;
}

void socket_deliver(const struct flight *flight)
{
	struct socket *socket = connected_at(flight->to, flight->from);
	if (!socket)
		socket = listener_of(flight);
	if (socket)
		enqueue(socket, flight);
}

void socket_refused(struct spot from, struct spot to)
{
	struct socket *socket = connected_at(from, to);
	if (socket)
		socket->error = ECONNREFUSED;
}

void sockets_check_closed(void)
{
	for (unsigned i = 0; i < opened; i++)
		if (sockets[i].open)
			broken("a socket was left open");
}

/* The least that a proxy can cost: datagrams in, datagrams out and the answers back, batched as
 * roamgated does it, with nothing looked at. usage: floor PORT TARGET-PORT, both on 127.0.0.1. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH        64
#define CLIENTS_MOST 64
#define OCTETS_MOST  4097
#define CONTROL      64

/* Who asks, and the socket by which its requests go on. */
struct client {
	struct sockaddr_in address;
	int fd;
};

static struct client clients[CLIENTS_MOST];
static unsigned client_count;
static struct pollfd polled[1 + CLIENTS_MOST]; /* the first one is asked, the rest are clients' */
static struct mmsghdr messages[BATCH];
static struct iovec vectors[BATCH];
static struct sockaddr_in sources[BATCH];
static char data[BATCH][OCTETS_MOST], control[BATCH][CONTROL];

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static struct sockaddr_in loopback(const char *port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((in_port_t)atoi(port)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

static int udp_socket(void)
{
	int size = 4 * 1024 * 1024, fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (fd < 0)
		fail("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return fd;
}

static struct client *client_of(const struct sockaddr_in *source, const struct sockaddr_in *target)
{
	for (unsigned i = 0; i < client_count; i++)
		if (clients[i].address.sin_port == source->sin_port &&
		    clients[i].address.sin_addr.s_addr == source->sin_addr.s_addr)
			return &clients[i];
	if (client_count == CLIENTS_MOST)
		return NULL;
	struct client *client = &clients[client_count];
	*client = (struct client){.address = *source, .fd = udp_socket()};
	if (connect(client->fd, (const struct sockaddr *)target, sizeof(*target)) != 0)
		fail("connect");
	polled[++client_count] = (struct pollfd){.fd = client->fd, .events = POLLIN};
	return client;
}

static int receive(int fd)
{
	for (unsigned i = 0; i < BATCH; i++) {
		vectors[i] = (struct iovec){data[i], OCTETS_MOST};
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = &sources[i],
			.msg_namelen = sizeof(sources[i]),
			.msg_iov = &vectors[i],
			.msg_iovlen = 1,
			.msg_control = control[i],
			.msg_controllen = CONTROL,
		};
	}
	return recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);
}

static void give_on(int fd, int first, int end, struct sockaddr_in *to)
{
	for (int i = first; i < end; i++) {
		vectors[i].iov_len = messages[i].msg_len;
		messages[i].msg_hdr.msg_name = to;
		messages[i].msg_hdr.msg_namelen = to ? sizeof(*to) : 0;
		messages[i].msg_hdr.msg_control = NULL;
		messages[i].msg_hdr.msg_controllen = 0;
	}
	while (first < end) {
		int sent = sendmmsg(fd, messages + first, (unsigned)(end - first), MSG_DONTWAIT);
		if (sent <= 0 && errno != EINTR)
			return;
		first += sent > 0 ? sent : 0;
	}
}

static void requests(const struct sockaddr_in *target)
{
	int count = receive(polled[0].fd);
	for (int first = 0; first < count;) {
		struct client *client = client_of(&sources[first], target);
		int end = first + 1;
		while (end < count && sources[end].sin_port == sources[first].sin_port)
			end++;
		if (client)
			give_on(client->fd, first, end, NULL);
		first = end;
	}
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	struct sockaddr_in own = loopback(argv[1]), target = loopback(argv[2]);
	int on = 1;
	polled[0] = (struct pollfd){.fd = udp_socket(), .events = POLLIN};
	setsockopt(polled[0].fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	if (bind(polled[0].fd, (struct sockaddr *)&own, sizeof(own)) != 0)
		fail("bind");
	fprintf(stderr, "floor ready\n");
	for (;;) {
		if (poll(polled, 1 + client_count, -1) < 0)
			continue;
		if (polled[0].revents)
			requests(&target);
		for (unsigned i = 0; i < client_count; i++)
			if (polled[i + 1].revents)
				give_on(polled[0].fd, 0, receive(clients[i].fd),
					&clients[i].address);
	}
}

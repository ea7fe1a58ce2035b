#include "transport/udp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "transport/bind.h"

#define CONTROL_SIZE 64

socklen_t address_length(const union rg_address *address)
{
	return address->any.sa_family == AF_INET6 ? sizeof(address->v6) : sizeof(address->v4);
}

bool address_equal(const union rg_address *a, const union rg_address *b)
{
	if (a->any.sa_family != b->any.sa_family)
		return false;
	if (a->any.sa_family == AF_INET)
		return a->v4.sin_port == b->v4.sin_port &&
		       a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
	return a->v6.sin6_port == b->v6.sin6_port && a->v6.sin6_scope_id == b->v6.sin6_scope_id &&
	       memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof(a->v6.sin6_addr)) == 0;
}

void address_text(char out[64], const union rg_address *address)
{
	char host[INET6_ADDRSTRLEN] = "?";
	if (address->any.sa_family == AF_INET) {
		inet_ntop(AF_INET, &address->v4.sin_addr, host, sizeof(host));
		snprintf(out, 64, "%s:%u", host, ntohs(address->v4.sin_port));
	} else if (address->any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &address->v6.sin6_addr, host, sizeof(host));
		snprintf(out, 64, "[%s]:%u", host, ntohs(address->v6.sin6_port));
	} else {
		snprintf(out, 64, "unknown");
	}
}

static int option_on(int fd, int level, int name)
{
	int on = 1;
	return setsockopt(fd, level, name, &on, sizeof(on));
}

/* Bursts wait in the kernel while a worker does a handshake. Root may pass net.core.rmem_max;
 * others get what it allows. */
static void ask_for_buffers(int fd)
{
	int size = 4 * 1024 * 1024;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) != 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

static int close_failed(int fd)
{
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

int udp_listen(const struct sockaddr *address, bool v6_only)
{
	int fd = bind_shared(address, SOCK_DGRAM, v6_only);
	if (fd < 0)
		return -1;
	ask_for_buffers(fd);
	option_on(fd, SOL_SOCKET, SO_RXQ_OVFL); /* if it cannot be told, it is not */
	int failed = address->sa_family == AF_INET6 ? option_on(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO)
						    : option_on(fd, IPPROTO_IP, IP_PKTINFO);
	return failed ? close_failed(fd) : fd;
}

int udp_connect(const struct sockaddr *address)
{
	int fd = socket(address->sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	ask_for_buffers(fd);
	socklen_t length = address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
							  : sizeof(struct sockaddr_in);
	return connect(fd, address, length) == 0 ? fd : close_failed(fd);
}

struct rg_inbox {
	struct mmsghdr messages[RG_BATCH];
	struct iovec vectors[RG_BATCH];
	union rg_address sources[RG_BATCH];
	struct rg_datagram datagrams[RG_BATCH];
	_Alignas(struct cmsghdr) uint8_t control[RG_BATCH][CONTROL_SIZE];
	/* One octet more than a packet may have, so that a longer datagram is known as such. */
	uint8_t data[RG_BATCH][RG_DATAGRAM_MOST + 1];
};

struct rg_inbox *inbox_new(void)
{
	struct rg_inbox *inbox = calloc(1, sizeof(*inbox));
	if (!inbox)
		return NULL;
	for (unsigned i = 0; i < RG_BATCH; i++) {
		inbox->vectors[i] = (struct iovec){inbox->data[i], sizeof(inbox->data[i])};
		inbox->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &inbox->sources[i],
			.msg_iov = &inbox->vectors[i],
			.msg_iovlen = 1,
			.msg_control = inbox->control[i],
		};
	}
	return inbox;
}

void inbox_free(struct rg_inbox **inbox)
{
	free(*inbox);
	*inbox = NULL;
}

static struct rg_local local_of(struct msghdr *header)
{
	struct rg_local local = {.family = AF_UNSPEC};
	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			local.family = AF_INET;
			local.address.v4 = info.ipi_addr;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			local.family = AF_INET6;
			local.address.v6 = info.ipi6_addr;
			local.interface = info.ipi6_ifindex;
		}
	}
	return local;
}

/* The kernel says it with a datagram once there were any. */
static uint32_t overflowed(struct msghdr *header)
{
	uint32_t lost = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL)
			memcpy(&lost, CMSG_DATA(c), sizeof(lost));
	return lost;
}

int inbox_receive_batch(struct rg_inbox *inbox, int fd,
			void (*take)(void *context, const struct rg_datagram *, size_t count),
			void *context)
{
	for (unsigned i = 0; i < RG_BATCH; i++) {
		inbox->messages[i].msg_hdr.msg_namelen = sizeof(inbox->sources[i]);
		inbox->messages[i].msg_hdr.msg_controllen = CONTROL_SIZE;
	}
	int count = recvmmsg(fd, inbox->messages, RG_BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < count; i++) {
		inbox->datagrams[i] = (struct rg_datagram){
			.bytes = span_of(inbox->data[i], inbox->messages[i].msg_len),
			.source = inbox->sources[i],
			.local = local_of(&inbox->messages[i].msg_hdr),
			.overflowed = overflowed(&inbox->messages[i].msg_hdr),
		};
	}
	if (count > 0)
		take(context, inbox->datagrams, (size_t)count);
	return count;
}

struct one_by_one {
	void (*each)(void *context, const struct rg_datagram *);
	void *context;
};

static void take_each(void *context, const struct rg_datagram *datagrams, size_t count)
{
	const struct one_by_one *to = context;
	for (size_t i = 0; i < count; i++)
		to->each(to->context, &datagrams[i]);
}

int inbox_receive(struct rg_inbox *inbox, int fd,
		  void (*each)(void *context, const struct rg_datagram *), void *context)
{
	struct one_by_one to = {each, context};
	return inbox_receive_batch(inbox, fd, take_each, &to);
}

struct rg_outbox {
	unsigned count;
	int fds[RG_BATCH];
	struct mmsghdr messages[RG_BATCH];
	struct iovec vectors[RG_BATCH];
	union rg_address targets[RG_BATCH];
	_Alignas(struct cmsghdr) uint8_t control[RG_BATCH][CONTROL_SIZE];
	uint8_t data[RG_BATCH][RG_DATAGRAM_MOST];
	unsigned failed;
	bool gathers; /* what is unsealed may wait */
	size_t unsealed_count;
	struct rg_unsealed unsealed[RG_BATCH];
};

struct rg_outbox *outbox_new(void)
{
	return calloc(1, sizeof(struct rg_outbox));
}

void outbox_free(struct rg_outbox **outbox)
{
	free(*outbox);
	*outbox = NULL;
}

static void set_control(struct msghdr *header, uint8_t *control, const struct rg_local *local)
{
	bool v6 = local->family == AF_INET6;
	size_t size = v6 ? sizeof(struct in6_pktinfo) : sizeof(struct in_pktinfo);
	memset(control, 0, CONTROL_SIZE);
	header->msg_control = control;
	header->msg_controllen = CMSG_SPACE(size);
	struct cmsghdr *c = CMSG_FIRSTHDR(header);
	c->cmsg_level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
	c->cmsg_type = v6 ? IPV6_PKTINFO : IP_PKTINFO;
	c->cmsg_len = CMSG_LEN(size);
	if (v6) {
		struct in6_pktinfo info = {.ipi6_addr = local->address.v6,
					   .ipi6_ifindex = local->interface};
		/* An interface is needed for link-local addresses only; elsewhere routing decides.
		 */
		if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
			info.ipi6_ifindex = 0;
		memcpy(CMSG_DATA(c), &info, sizeof(info));
	} else {
		struct in_pktinfo info = {.ipi_spec_dst = local->address.v4};
		memcpy(CMSG_DATA(c), &info, sizeof(info));
	}
}

void outbox_add(struct rg_outbox *outbox, int fd, struct rg_span bytes, const union rg_address *to,
		const struct rg_local *local)
{
	if (bytes.length > RG_DATAGRAM_MOST)
		return;
	if (outbox->count == RG_BATCH)
		outbox->failed += outbox_flush(outbox);
	unsigned i = outbox->count++;
	memcpy(outbox->data[i], bytes.data, bytes.length);
	outbox->fds[i] = fd;
	outbox->vectors[i] = (struct iovec){outbox->data[i], bytes.length};
	struct msghdr *header = &outbox->messages[i].msg_hdr;
	*header = (struct msghdr){.msg_iov = &outbox->vectors[i], .msg_iovlen = 1};
	if (to) {
		outbox->targets[i] = *to;
		header->msg_name = &outbox->targets[i];
		header->msg_namelen = address_length(to);
	}
	if (local && local->family != AF_UNSPEC)
		set_control(header, outbox->control[i], local);
}

static void seal_all(struct rg_outbox *outbox)
{
	packets_seal(outbox->unsealed, outbox->unsealed_count);
	outbox->unsealed_count = 0;
}

void outbox_add_unsealed(struct rg_outbox *outbox, int fd, struct rg_span packet,
			 const struct rg_radius_key *key, const union rg_address *to,
			 const struct rg_local *local)
{
	if (packet.length > RG_DATAGRAM_MOST)
		return;
	outbox_add(outbox, fd, packet, to, local);
	outbox->unsealed[outbox->unsealed_count++] =
		(struct rg_unsealed){outbox->data[outbox->count - 1], packet.length, key};
	if (!outbox->gathers)
		seal_all(outbox);
}

void outbox_gather(struct rg_outbox *outbox)
{
	outbox->gathers = true;
}

void outbox_seal(struct rg_outbox *outbox)
{
	seal_all(outbox);
	outbox->gathers = false;
}

/* Sends the messages first … end - 1, all of one socket. Returns how many failed. */
static unsigned send_run(struct rg_outbox *outbox, unsigned first, unsigned end)
{
	unsigned failed = 0;
	bool again = false;
	while (first < end) {
		int sent = sendmmsg(outbox->fds[first], outbox->messages + first, end - first,
				    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent > 0) {
			first += (unsigned)sent;
			again = false;
		} else if (errno == ECONNREFUSED && !again) {
			again = true; /* an ICMP answer to an earlier one, taken now; this one is
					 unsent */
		} else if (errno != EINTR) {
			/* The error is the first message's: no route, or a full buffer. It is lost;
			 * the next is tried. */
			failed++;
			first++;
			again = false;
		}
	}
	return failed;
}

unsigned outbox_flush(struct rg_outbox *outbox)
{
	unsigned failed = outbox->failed;
	seal_all(outbox);
	outbox->failed = 0;
	for (unsigned first = 0; first < outbox->count;) {
		unsigned end = first + 1;
		while (end < outbox->count && outbox->fds[end] == outbox->fds[first])
			end++;
		failed += send_run(outbox, first, end);
		first = end;
	}
	outbox->count = 0;
	return failed;
}

/* Datagrams as fast as one core sends them, or as many a second as is said: those of each file come
 * from its address, and from many of its ports. usage: flood PORT RATE SECONDS ADDRESS=FILE…, to
 * 127.0.0.1; RATE 0: as fast as it can. A file holds datagrams, each after its length (two octets,
 * big-endian). Says how many went out, as JSON. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH      32
#define PORTS      16 /* of each file */
#define FILES_MOST 16

/* What is sent from one address. */
struct kind {
	int fds[PORTS];
	unsigned next_port;
	struct iovec *datagrams;
	size_t count, next;
};

static struct kind kinds[FILES_MOST];
static unsigned kind_count;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static double seconds_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void read_datagrams(struct kind *kind, const char *path)
{
	FILE *in = fopen(path, "rb");
	uint8_t head[2];
	if (!in)
		fail(path);
	while (fread(head, sizeof(head), 1, in) == 1) {
		size_t length = (size_t)head[0] << 8 | head[1];
		struct iovec *more = realloc(kind->datagrams, (kind->count + 1) * sizeof(*more));
		uint8_t *octets = malloc(length + 1);
		if (!more || !octets || (length != 0 && fread(octets, length, 1, in) != 1))
			fail(path);
		kind->datagrams = more;
		kind->datagrams[kind->count++] = (struct iovec){octets, length};
	}
	fclose(in);
	if (kind->count == 0)
		fail(path);
}

static void open_ports(struct kind *kind, const char *address, const char *port)
{
	struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET};
	int little = 0; /* answers are not read */
	to.sin_port = htons((in_port_t)atoi(port));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (inet_pton(AF_INET, address, &from.sin_addr) != 1)
		fail(address);
	for (unsigned i = 0; i < PORTS; i++) {
		kind->fds[i] = socket(AF_INET, SOCK_DGRAM, 0);
		if (kind->fds[i] < 0 ||
		    bind(kind->fds[i], (const struct sockaddr *)&from, sizeof(from)) != 0 ||
		    connect(kind->fds[i], (const struct sockaddr *)&to, sizeof(to)) != 0)
			fail(address);
		setsockopt(kind->fds[i], SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
	}
}

/* A batch by one port of one kind; the next one by another. Returns how many went out. */
static unsigned send_batch(struct kind *kind)
{
	struct mmsghdr messages[BATCH] = {0};
	for (unsigned i = 0; i < BATCH; i++) {
		messages[i].msg_hdr.msg_iov = &kind->datagrams[kind->next];
		messages[i].msg_hdr.msg_iovlen = 1;
		kind->next = (kind->next + 1) % kind->count;
	}
	int sent = sendmmsg(kind->fds[kind->next_port], messages, BATCH, MSG_DONTWAIT);
	kind->next_port = (kind->next_port + 1) % PORTS;
	return sent < 0 ? 0 : (unsigned)sent;
}

static void rest(double seconds)
{
	struct timespec time = {.tv_nsec = (long)(seconds * 1e9)};
	if (seconds > 0 && seconds < 1)
		nanosleep(&time, NULL);
}

int main(int argc, char **argv)
{
	if (argc < 5 || argc > 4 + FILES_MOST) {
		fprintf(stderr, "usage: flood PORT RATE SECONDS ADDRESS=FILE...\n");
		return 64;
	}
	double rate = atof(argv[2]), length = atof(argv[3]);
	for (int i = 4; i < argc; i++) {
		char *file = strchr(argv[i], '=');
		if (!file)
			fail(argv[i]);
		*file++ = '\0';
		read_datagrams(&kinds[kind_count], file);
		open_ports(&kinds[kind_count++], argv[i], argv[1]);
	}
	uint64_t tried = 0, sent = 0;
	double began = seconds_now(), now = began;
	for (; now < began + length; now = seconds_now()) {
		if (rate > 0)
			rest((double)tried / rate - (now - began));
		sent += send_batch(&kinds[tried / BATCH % kind_count]);
		tried += BATCH;
	}
	printf("{\"sent\": %llu, \"refused\": %llu, \"seconds\": %.3f}\n", (unsigned long long)sent,
	       (unsigned long long)(tried - sent), now - began);
	return 0;
}

/* Datagrams: many for one system call, each answered from the address that was asked. */
#ifndef RG_TRANSPORT_UDP_H
#define RG_TRANSPORT_UDP_H
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "radius/key.h"
#include "roamgate/span.h"

#define RG_BATCH 64
#define RG_DATAGRAM_MOST (4096 + 64) /* a packet, and what DTLS puts around it */

/* An address of either family, without the 100 octets that sockaddr_storage adds. */
union rg_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* The address of ours that a datagram came to (IP_PKTINFO, IPV6_PKTINFO); family AF_UNSPEC: unknown. */
struct rg_local {
	sa_family_t family;
	unsigned interface;
	union {
		struct in_addr v4;
		struct in6_addr v6;
	} address;
};

socklen_t address_length(const union rg_address *);
bool address_equal(const union rg_address *, const union rg_address *);
/* "192.0.2.1:1812" or "[2001:db8::1]:1812". */
void address_text(char out[64], const union rg_address *);

/* A bound socket, shareable by workers (SO_REUSEPORT), non-blocking. -1 with errno. v6_only: "::" leaves IPv4 to
 * another socket. */
int udp_listen(const struct sockaddr *, bool v6_only);
/* A connected one on a port of the kernel's choice: what comes from elsewhere is not ours. -1 with errno. */
int udp_connect(const struct sockaddr *);

/* Room to receive a batch in. About 270 KB. */
struct rg_inbox;
struct rg_inbox *inbox_new(void);
void inbox_free(struct rg_inbox **);

struct rg_datagram {
	struct rg_span bytes;
	union rg_address source;
	struct rg_local local;
	uint32_t overflowed; /* how many the socket had no room for since it was opened; 0: none, or not known */
};

/* Receives up to RG_BATCH datagrams and hands them over. Returns how many; -1 with errno (EAGAIN: none). */
int inbox_receive_batch(struct rg_inbox *, int fd,
			void (*take)(void *context, const struct rg_datagram *, size_t count), void *context);
/* The same, one by one. */
int inbox_receive(struct rg_inbox *, int fd, void (*each)(void *context, const struct rg_datagram *),
		  void *context);

/* Datagrams that wait to leave together. A full one flushes itself. */
struct rg_outbox;
struct rg_outbox *outbox_new(void);
void outbox_free(struct rg_outbox **);
/* Copies bytes. to NULL: a connected socket; local NULL: the kernel chooses. */
void outbox_add(struct rg_outbox *, int fd, struct rg_span bytes, const union rg_address *to,
		const struct rg_local *local);
/* The same of a packet that is still to be sealed (radius/key.h): at once, or after outbox_gather together with others, for
 * which outbox_seal (or outbox_flush) is called before a key of theirs can go. */
void outbox_add_unsealed(struct rg_outbox *, int fd, struct rg_span packet, const struct rg_radius_key *,
			 const union rg_address *to, const struct rg_local *local);
void outbox_gather(struct rg_outbox *);
void outbox_seal(struct rg_outbox *);
/* Sends all. Returns how many could not be sent; they are dropped, as a network may. */
unsigned outbox_flush(struct rg_outbox *);
#endif

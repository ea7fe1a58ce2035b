/* The way to the receiver: a socket, with TLS inside or not, that never waits longer than it may.
 */
#ifndef SINK_FTICKS_CONNECTION_H
#define SINK_FTICKS_CONNECTION_H
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "roamgate/sink.h"
#include "target.h"

/* What ends every wait: once fd is readable there is until `until` for what is left. */
struct fticks_stop {
	int fd;         /* eventfd */
	uint64_t until; /* CLOCK_MONOTONIC; 0: nobody stops us */
};

/* Until fd is ready or the time is over (false). */
bool fticks_wait(struct fticks_stop *, int fd, short events, uint64_t deadline);

struct fticks_connection {
	int fd; /* -1: none */
	bool datagrams;
	SSL *ssl;
};

/* server_name: what the certificate must bear; tls is NULL for other transports. False: why.
 * Resolving the name may take as long as the machine's resolver does. */
bool fticks_connection_open(struct fticks_connection *, const struct fticks_target *, SSL_CTX *tls,
			    const char *server_name, struct fticks_stop *, char why[RG_SINK_WHY]);
/* Returns how many octets were taken, at least one; 0: it cannot be written to any more, why. */
size_t fticks_connection_write(struct fticks_connection *, const char *data, size_t length,
			       struct fticks_stop *, char why[RG_SINK_WHY]);
/* Looks at what the receiver has to say, which is nothing. False: it has ended, why. */
bool fticks_connection_alive(struct fticks_connection *, char why[RG_SINK_WHY]);
void fticks_connection_close(struct fticks_connection *);

/* Credentials of tls://…; certificate and private_key may be NULL. NULL: why. */
SSL_CTX *fticks_tls_new(const char *ca, const char *certificate, const char *private_key,
			char why[RG_SINK_WHY]);
#endif

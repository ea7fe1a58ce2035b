/* Sockets bound to a port of ours, which workers share (SO_REUSEPORT). */
#ifndef RG_TRANSPORT_BIND_H
#define RG_TRANSPORT_BIND_H
#include <stdbool.h>
#include <sys/socket.h>

/* type: SOCK_DGRAM or SOCK_STREAM. Non-blocking; -1 with errno. v6_only: "::" leaves IPv4 to another socket. */
int bind_shared(const struct sockaddr *, int type, bool v6_only);
/* Whether a socket that shares its port with nobody would fit there: SO_REUSEPORT would let a second gateway of the same
 * user take half of what comes in without a word. */
bool bind_is_free(const struct sockaddr *, int type, bool v6_only);
/* A stream that listens. -1 with errno. */
int tcp_listen(const struct sockaddr *, bool v6_only);
#endif

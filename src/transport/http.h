/* The http listener: /metrics and /health, by libmicrohttpd in a thread of its own. GET and HEAD only; at
 * most 64 connections, each closed when it says nothing for 10 s. */
#ifndef RG_TRANSPORT_HTTP_H
#define RG_TRANSPORT_HTTP_H
#include <netinet/in.h>
#include <stdbool.h>

struct rg_http;
/* health: 0 fine, else a reason is written (256 octets) and 503 answered; called from the http thread;
 * NULL: always fine. NULL: why is set. Signals stay with the caller's threads. */
struct rg_http *http_open(const struct sockaddr *, int (*health)(void *context, char *why), void *context,
			  char why[256]);
/* Its thread begins, unless it has; before, who comes waits. False: why is set. */
bool http_serve(struct rg_http *, char why[256]);
/* Returns once its thread has ended; *http may be NULL. */
void http_close(struct rg_http **);
/* Whether it was opened for that address and port. */
bool http_listens_on(const struct rg_http *, const struct sockaddr *);
/* The port it listens on, for when the one asked for was 0. */
uint16_t http_port(const struct rg_http *);
#endif

/* The http listener: /metrics and /health, by libmicrohttpd in a thread of its own. */
#ifndef RG_TRANSPORT_HTTP_H
#define RG_TRANSPORT_HTTP_H
#include <netinet/in.h>

struct rg_http;
/* health: 0 fine, else a reason is written (256 octets) and 503 answered. NULL: why is set. */
struct rg_http *http_open(const struct sockaddr *, int (*health)(void *context, char *why), void *context,
			  char why[256]);
void http_close(struct rg_http **);
#endif

/* The RadSec ports of one worker, and the connections that come in by them. Private to this folder. */
#ifndef RG_REQUEST_DOORS_H
#define RG_REQUEST_DOORS_H
#include "request/worker.h"

/* As ports_take, for the ports of tls and dtls among these. Connections stay as long as their port. */
void doors_take(struct rg_worker *, const struct rg_port_socket *, size_t count);
bool doors_serve(const struct rg_worker *, int fd);
/* The worker has another configuration: whose certificate no client bears any more, or no CA signs any more, is cut off. */
void doors_renew(struct rg_worker *);
#endif

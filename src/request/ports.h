/* The sockets of one worker. Private to this folder. */
#ifndef RG_REQUEST_PORTS_H
#define RG_REQUEST_PORTS_H
#include "request/link.h"
#include "request/worker.h"

/* The UDP sockets among these and no others from now on: new ones are served, those left out are closed, with what waits
 * for an answer there. */
void ports_take(struct rg_worker *, const struct rg_port_socket *, size_t count);
bool ports_serve(const struct rg_worker *, int fd);
/* The worker's own socket of that address, or NULL. */
struct rg_link *ports_find(const struct rg_worker *, const union rg_address *bound);
#endif

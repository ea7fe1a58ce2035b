/* The way by which a request came, and by which its answer goes back. */
#ifndef RG_REQUEST_LINK_H
#define RG_REQUEST_LINK_H
#include "transport/udp.h"

struct rg_request;
struct rg_worker;

enum rg_link_kind {
	RG_LINK_UDP, /* a socket of this worker's */
};

struct rg_link {
	enum rg_link_kind kind;
	struct rg_worker *worker;
	unsigned serves;             /* RG_SERVES_* */
	struct rg_request *requests; /* that came by it and are in the window */
	int fd;                      /* RG_LINK_UDP */
};

/* An answer leaves: with the others of this turn of the loop. Copied. to, local: where a datagram
 * came from and the address of ours that it came to. */
void link_send(struct rg_link *, struct rg_span packet, const union rg_address *to,
	       const struct rg_local *local);

/* A request lives as long as its link at most. */
void link_hold(struct rg_link *, struct rg_request *);
void link_let_go(struct rg_request *);
/* The link ends: nobody can be answered by it any more. */
void link_drop_requests(struct rg_link *);
#endif

/* What crosses from one worker to another: a packet whose session is elsewhere, and the answer to one that came by
 * somebody else's connection. */
#ifndef RG_REQUEST_HANDOVER_H
#define RG_REQUEST_HANDOVER_H
#include "request/link.h"
#include "request/request.h"

/* The whole packet goes to the worker whose session it belongs to. Without memory it is lost, as a network may. */
void handover_packet(struct rg_worker *from, unsigned to, const struct rg_inbound *);
/* An answer goes back to the worker that has the connection, and leaves there if it still stands. */
void handover_answer(struct rg_link *remote, struct rg_span packet);
/* Frees what stands for another worker's connection, once nothing came by it. */
void handover_forget(struct rg_link *remote);
#endif

/* Requests of routes whose peers are to be found (RFC 7585): they wait for discovery, and go to
 * what it finds, to the route's written peers, or nowhere. */
#ifndef RG_REQUEST_SEARCH_H
#define RG_REQUEST_SEARCH_H
#include "request/path.h"

/* In place of sending it at once. The route has `discover`. */
enum rg_next search_stage(struct rg_inbound *);
/* The request goes, whatever discovery says. request->wait is set, and NULL afterwards. */
void wait_end(struct rg_request *);
#endif

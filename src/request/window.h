/* The duplicate window (RFC 5080 §2.2.2): every genuine request of the last seconds, by source address,
 * port, Identifier (RADIUS/1.1: Token) and link. One worker's; bounded. */
#ifndef RG_REQUEST_WINDOW_H
#define RG_REQUEST_WINDOW_H
#include "request/request.h"

#define RG_WINDOW_BUCKETS 65536u
#define RG_WINDOW_MOST 262144u           /* requests under way or repeatable, a worker */
#define RG_WINDOW_REPEAT_NS (10 * RG_SECOND) /* how long an answer is given again: 5 to 30 s; less when full */

struct rg_window {
	struct rg_request **buckets;
	uint32_t count;
	uint64_t seed;
	struct rg_request *oldest, *newest; /* answered, in the order of their answers */
};

bool window_init(struct rg_window *);
void window_destroy(struct rg_window *); /* must be empty */
struct rg_request *window_find(const struct rg_window *, const struct rg_link *, const union rg_address *source,
			       uint32_t token);
/* Have the processor fetch what window_find will look at: first where it begins, later, when that is there, what it finds. */
void window_fetch(const struct rg_window *, const struct rg_link *, const union rg_address *source, uint32_t token);
void window_fetch_found(const struct rg_window *, const struct rg_link *, const union rg_address *source,
			uint32_t token);
/* The request's link, source and token are set. False: full. */
bool window_add(struct rg_window *, struct rg_request *);
/* It has its answer, or will have none: from now on it may go when room is needed. */
void window_answered(struct rg_window *, struct rg_request *);
/* The one to go when the window is full; NULL: all are under way. */
struct rg_request *window_victim(const struct rg_window *);
void window_remove(struct rg_window *, struct rg_request *);
/* Calls each for every request; each may remove the one that it is given. */
void window_each(struct rg_window *, void (*each)(void *context, struct rg_request *),
		 void *context);
#endif

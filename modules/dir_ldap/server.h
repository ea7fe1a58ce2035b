/* The servers of a directory: which is up, and when one that is down may be tried again. */
#ifndef DIR_LDAP_SERVER_H
#define DIR_LDAP_SERVER_H
#include <stdbool.h>
#include <stdint.h>

#include "roamgate/directory.h"

struct rg_server {
	const char *uri;
	enum rg_directory_state state;
	char why[160];                /* as the server said it: to be escaped where it is shown */
	int64_t since;                /* of the state; seconds since the epoch */
	unsigned failures;            /* in a row, until a search is answered */
	uint64_t failed_ns, retry_ns; /* down: since when, and when its back-off ends */
	bool attempting;              /* a connection is being made */
};

void server_up(struct rg_server *, int64_t wall_s);

/* Its back-off doubles from 250 ms to most_ns, with jitter: random is any number. */
void server_down(struct rg_server *, const char *why, uint64_t now, int64_t wall_s,
		 uint64_t most_ns, uint32_t random);

/* When a connection may be tried: 0 where it is not down. While no server serves, no back-off is
 * longer than two seconds, so that a directory recovers by itself. */
uint64_t server_due(const struct rg_server *, bool another_serves);
#endif

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
	/* Binds of people, which may fail while searches are answered. */
	char bind_why[160];     /* "" while they are answered; likewise to be escaped */
	unsigned bind_failures; /* in a row */
	uint64_t bind_retry_ns; /* another server is asked until then, if there is one */
	unsigned bind_coming;   /* connections being made for them */
};

void server_up(struct rg_server *, int64_t wall_s);

/* Its back-off doubles from 250 ms to most_ns, with jitter: random is any number. */
void server_down(struct rg_server *, const char *why, uint64_t now, int64_t wall_s,
		 uint64_t most_ns, uint32_t random);

/* A bind was not answered, or there was no connection for it. Its back-off is that of server_down.
 */
void server_bind_failed(struct rg_server *, const char *why, uint64_t now, uint64_t most_ns,
			uint32_t random);
void server_bind_well(struct rg_server *);

/* When a connection may be tried: 0 where it is not down. While no server serves, no back-off is
 * longer than two seconds, so that a directory recovers by itself. */
uint64_t server_due(const struct rg_server *, bool another_serves);
#endif

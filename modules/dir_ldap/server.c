#include "server.h"

#include <stdio.h>

#include "core/clock.h"

#define BACKOFF_FIRST_NS (250 * RG_MS)
#define BACKOFF_ALONE_NS (2 * RG_SECOND)

void server_up(struct rg_server *server, int64_t wall_s)
{
	if (server->state != RG_DIRECTORY_UP)
		server->since = wall_s;
	server->state = RG_DIRECTORY_UP;
	server->why[0] = 0;
}

/* The next of a doubling back-off, with jitter: between three and five quarters of it. */
static uint64_t backoff_next(unsigned *failures, uint64_t most_ns, uint32_t random)
{
	unsigned doublings = *failures < 20 ? (*failures)++ : 20;
	uint64_t wait = BACKOFF_FIRST_NS << doublings;
	if (wait > most_ns)
		wait = most_ns;
	return wait / 4 * 3 + wait / 2 / 1024 * (random % 1024);
}

void server_down(struct rg_server *server, const char *why, uint64_t now, int64_t wall_s,
		 uint64_t most_ns, uint32_t random)
{
	if (server->state != RG_DIRECTORY_DOWN)
		server->since = wall_s;
	server->state = RG_DIRECTORY_DOWN;
	snprintf(server->why, sizeof(server->why), "%s", why);
	server->failed_ns = now;
	server->retry_ns = now + backoff_next(&server->failures, most_ns, random);
}

void server_bind_failed(struct rg_server *server, const char *why, uint64_t now, uint64_t most_ns,
			uint32_t random)
{
	snprintf(server->bind_why, sizeof(server->bind_why), "%s", why);
	server->bind_retry_ns = now + backoff_next(&server->bind_failures, most_ns, random);
}

void server_bind_well(struct rg_server *server)
{
	server->bind_why[0] = 0;
	server->bind_failures = 0;
	server->bind_retry_ns = 0;
}

uint64_t server_due(const struct rg_server *server, bool another_serves)
{
	if (server->state != RG_DIRECTORY_DOWN)
		return 0;
	uint64_t soonest = server->failed_ns + BACKOFF_ALONE_NS;
	return !another_serves && soonest < server->retry_ns ? soonest : server->retry_ns;
}

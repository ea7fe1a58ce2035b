/* The sockets of `listen`: opened by the main thread, one a worker, kept over reloads while they are configured. */
#ifndef RG_DAEMON_SOCKETS_H
#define RG_DAEMON_SOCKETS_H
#include "config/raddb.h"
#include "request/worker.h"

struct rg_binding {
	struct sockaddr_storage address;
	enum rg_transport transport;
	unsigned serves;
	size_t credential; /* of tls and dtls: its number in the raddb */
	bool fresh; /* opened for the set that is being made */
	int fds[RG_WORKERS_MOST];
};

struct rg_bindings {
	struct rg_binding *items;
	size_t count;
};

/* The sockets for this raddb: those of `from` at the same address are taken over, others opened. False: why (256
 * octets) is set, and nothing has changed. */
bool bindings_make(struct rg_bindings *, const struct rg_bindings *from, const struct rg_raddb *,
		   unsigned workers, char *why);
/* Closes what was opened for a set that is not used after all. */
void bindings_undo(struct rg_bindings *);
/* Forgets the set; the sockets are the workers'. */
void bindings_forget(struct rg_bindings *);
/* One worker's share: count entries in out. */
void bindings_of_worker(const struct rg_bindings *, unsigned worker, struct rg_port_socket *out);
#endif

/* A worker: one thread, one loop, its own sockets, sessions, window and upstream Identifiers. Workers
 * share nothing while they work; others reach one through its mailbox. */
#ifndef RG_REQUEST_WORKER_H
#define RG_REQUEST_WORKER_H
#include <pthread.h>
#include <uv.h>

#include "core/entropy.h"
#include "core/mailbox.h"
#include "core/slab.h"
#include "core/timer.h"
#include "eap/session.h"
#include "observe/counter.h"
#include "observe/observe.h"
#include "radsec/connection.h"
#include "request/link.h"
#include "request/request.h"
#include "request/snapshot.h"
#include "request/window.h"
#include "upstream/upstream.h"

#define RG_WORKERS_MOST 64

/* A bound socket that the main thread opened for this worker. */
struct rg_port_socket {
	int fd;
	unsigned serves;
	enum rg_transport transport;
	size_t credential; /* of tls and dtls: its number in the raddb */
};

struct rg_door;
struct rg_publication;
struct rg_receiver;

struct rg_worker {
	unsigned number, workers;
	pthread_t thread;
	bool started;
	uv_loop_t loop;
	uv_timer_t tick;
	uv_prepare_t prepare;
	struct rg_mailbox mailbox;
	struct rg_wheel wheel;
	uint64_t tick_ns;              /* when tick is set to fire; UINT64_MAX: it is not */
	struct rg_slab slab;
	struct rg_entropy entropy;
	struct rg_inbox *inbox;
	struct rg_outbox *outbox;
	struct rg_window window;
	unsigned waits; /* requests that wait for discovery */
	struct rg_session_table sessions;
	struct rg_connection_place place; /* of RadSec connections, in and out */
	struct rg_upstream upstream;
	struct rg_lease *lease;        /* the current configuration */
	struct rg_publication *publication; /* the last one, which names its sockets */
	struct rg_publication *room;   /* of the main thread: for the next one; NULL: none */
	struct rg_receiver *receivers; /* its UDP sockets */
	struct rg_door *doors;         /* its RadSec ports */
	struct rg_link_table links;    /* of RadSec connections */
	struct rg_worker *siblings;    /* all workers, by number */
	struct rg_mailbox *home;       /* the main thread's */
	struct rg_counters *counters;
	struct rg_observe_ring *ring;
	bool draining;                 /* the gateway stops: no new conversations */
	uint32_t open;                 /* requests in the window that have no answer yet */
	_Atomic uint32_t session_count; /* for status */
	_Atomic uint32_t under_way;    /* open, for status */
	/* Called on the main thread: a client or peer has shown that it signs. */
	void (*learned)(void);
};

/* The worker is zeroed. sessions: of this worker's table. False, with errno: no memory or descriptors, and nothing is kept. */
bool worker_init(struct rg_worker *, unsigned number, unsigned workers, uint32_t sessions,
		 uint8_t node, struct rg_worker *siblings, struct rg_mailbox *home);
bool worker_start(struct rg_worker *);

/* From the main thread: what worker_publish needs, so that it cannot fail where others have had their part already. The
 * sockets are to be filled in: new ones are opened by the main thread; those left out are closed by the worker, and nobody
 * else. Stays the worker's; one that is not published is replaced by the next. NULL: no memory. */
struct rg_port_socket *worker_publication(struct rg_worker *, size_t count);
/* From the main thread, after it: take this configuration (a reference is taken) and those sockets. */
void worker_publish(struct rg_worker *, struct rg_snapshot *);
/* Begin nothing new: the gateway stops. */
void worker_drain(struct rg_worker *);
/* Asks it to end; then join, and once nobody can post to it any more, destroy. */
void worker_stop(struct rg_worker *);
void worker_join(struct rg_worker *);
void worker_destroy(struct rg_worker *);

/* On the worker's thread. */
void lease_drop(struct rg_worker *, struct rg_lease *);
void worker_has_learned(struct rg_worker *);
/* All that was said leaves now: a socket is about to close. */
void worker_flush(struct rg_worker *);
#endif

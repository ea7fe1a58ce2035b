/* The daemon: one configuration in use, the workers that serve it, and what administrators ask of both. All of
 * it on the main thread. */
#ifndef RG_DAEMON_DAEMON_H
#define RG_DAEMON_DAEMON_H
#include <time.h>
#include <uv.h>

#include "core/mailbox.h"
#include "daemon/control.h"
#include "daemon/sockets.h"
#include "request/snapshot.h"
#include "request/worker.h"
#include "transport/http.h"

#define RG_HTTP_MOST 4
#define RG_STOP_NS  (5 * RG_SECOND) /* what is under way may take so long to end */
#define RG_LEAVE_NS (5 * RG_SECOND) /* and then all threads */

struct rg_daemon {
	const char *file;      /* roamgate.cfg, absolute */
	bool foreground;
	uv_loop_t loop;
	struct rg_mailbox mailbox;
	uv_signal_t signals[3];
	uv_async_t refusal;    /* the sandbox refused a call */
	uv_timer_t watch;      /* looks for changed certificates and CRLs */
	uv_timer_t stop_timer;
	struct rg_snapshot *snapshot;
	struct rg_bindings bindings;
	struct rg_worker *workers;
	unsigned worker_count, workers_ready;
	struct rg_control *control;
	struct rg_http *http[RG_HTTP_MOST];
	size_t http_count;
	uint64_t began_ns, stop_ns;
	time_t warned_day;     /* since the epoch: when the log last said what ends soon */
	bool stopping;
	atomic_bool unhealthy; /* read by the http threads */
	pthread_mutex_t gauges_lock;
	char *gauges;          /* their part of /metrics, renewed by the main thread */
};

/* Serves until told to stop. raddb is taken. ready_fd: written to once it serves, then closed; -1: none. Returns the
 * exit status. */
int daemon_run(struct rg_daemon *, struct rg_raddb *raddb, int ready_fd);

/* Takes the raddb anew. {"kept", "changes", "errors", "warnings"}; the caller owns it. reload.c */
struct json_t *daemon_reload(struct rg_daemon *);
/* Certificates or CRLs have changed on disk: read them again under the configuration in use. reload.c */
void daemon_refresh(struct rg_daemon *);
/* What daemon_publish needs, for these sockets. False: why (256); no worker is told anything. */
bool daemon_publication(struct rg_daemon *, const struct rg_bindings *, char *why);
/* After it: hands the snapshot to every worker. */
void daemon_publish(struct rg_daemon *);
/* The daemon's part of the sandbox (core/sandbox.h): made with the loop; begun once root is gone and before there are
 * threads; false: why (256). confine.c */
void confine_open(struct rg_daemon *);
void confine_close(struct rg_daemon *);
bool confine_begin(struct rg_daemon *, const struct rg_raddb *, char *why);
/* What holds: in the log, and for `roamgate status`. */
void confine_say(void);
struct json_t *confine_json(void);
/* From leave_begin to leave_end the process has RG_LEAVE_NS to end its threads; then it ends without
 * them, status 0. leave.c */
void leave_begin(void);
void leave_end(void);
/* The http listeners of the raddb in use; those of the former one at other addresses end. False: why (256). */
bool daemon_serve_http(struct rg_daemon *, char *why);

/* Says in the log, the first time on each day after begin, which certificates and lists end soon. expiry.c */
void daemon_expiry_begin(struct rg_daemon *);
void daemon_expiry_warn(struct rg_daemon *);

/* The object of `roamgate status`; the caller owns it. status.c */
struct json_t *daemon_status(struct rg_daemon *);
/* Peers, directories and expiry for /metrics: written down by the main thread, given out by the http thread. status.c */
void daemon_gauges_renew(struct rg_daemon *);
void daemon_gauges(void *daemon, void *file);
#endif

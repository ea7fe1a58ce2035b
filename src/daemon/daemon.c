#include "daemon/daemon.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <jansson.h>

#include "client/policy.h"
#include "core/chores.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/text.h"
#include "daemon/privileges.h"
#include "directory/broker.h"
#include "eap/tls_context.h"
#include "observe/observe.h"
#include "observe/sinks.h"

#define TRACE_MOST 4096       /* sign-ins that `roamgate trace` can look back on */
#define WATCH_MS 2000

static json_t *on_status(void *context)
{
	return daemon_status(context);
}

static json_t *on_reload(void *context)
{
	return daemon_reload(context);
}

static const struct rg_control_operations operations = {.status = on_status, .reload = on_reload};

static int on_health(void *context, char *why)
{
	struct rg_daemon *daemon = context;
	if (!atomic_load(&daemon->unhealthy))
		return 0;
	snprintf(why, 256, "the gateway is stopping");
	return 1;
}

static void on_learned(void)
{
	policy_keep();
}

/* The listener that is there for that address, taken from the former ones; NULL: none. */
static struct rg_http *http_take(struct rg_http **former, const struct sockaddr *address)
{
	for (size_t i = 0; i < RG_HTTP_MOST; i++) {
		struct rg_http *http = former[i];
		if (!http || !http_listens_on(http, address))
			continue;
		former[i] = NULL;
		return http;
	}
	return NULL;
}

static bool open_http(struct rg_daemon *daemon, const struct rg_raddb *raddb, char *why)
{
	const struct rg_listen *listens[RG_HTTP_MOST];
	struct rg_http *former[RG_HTTP_MOST] = {0}, *kept[RG_HTTP_MOST] = {0};
	size_t count = 0;
	bool good = true;
	memcpy(former, daemon->http, daemon->http_count * sizeof(former[0]));
	for (size_t i = 0; i < raddb->listen_count && count < RG_HTTP_MOST; i++)
		if (raddb->listens[i].transport == RG_TRANSPORT_HTTP)
			listens[count++] = &raddb->listens[i];
	for (size_t i = 0; i < count; i++)
		kept[i] = http_take(former, (const struct sockaddr *)&listens[i]->socket_address);
	/* Before any is opened: it may be on the same port. */
	for (size_t i = 0; i < RG_HTTP_MOST; i++)
		http_close(&former[i]);
	daemon->http_count = 0;
	for (size_t i = 0; i < count; i++) {
		char reason[256];
		if (!kept[i])
			kept[i] = http_open((const struct sockaddr *)&listens[i]->socket_address,
					    on_health, daemon, reason);
		if (kept[i]) {
			daemon->http[daemon->http_count++] = kept[i];
			continue;
		}
		snprintf(why, 256, "%s:%u: listen: %.150s", listens[i]->where.file,
			 listens[i]->where.line, reason);
		good = false;
	}
	return good;
}

static bool serve_http(struct rg_daemon *daemon, char *why)
{
	bool good = true;
	for (size_t i = 0; i < daemon->http_count; i++)
		good = http_serve(daemon->http[i], why) && good;
	return good;
}

bool daemon_serve_http(struct rg_daemon *daemon, char *why)
{
	bool opened = open_http(daemon, daemon->snapshot->raddb, why);
	return serve_http(daemon, why) && opened; /* those that there are serve, either way */
}

bool daemon_publication(struct rg_daemon *daemon, const struct rg_bindings *bindings, char *why)
{
	for (unsigned i = 0; i < daemon->worker_count; i++) {
		struct rg_port_socket *ports = worker_publication(&daemon->workers[i], bindings->count);
		if (!ports) {
			snprintf(why, 256, "out of memory");
			return false;
		}
		bindings_of_worker(bindings, i, ports);
	}
	return true;
}

void daemon_publish(struct rg_daemon *daemon)
{
	for (unsigned i = 0; i < daemon->worker_count; i++)
		worker_publish(&daemon->workers[i], daemon->snapshot);
}

static unsigned worker_count(const struct rg_gateway *gateway)
{
	unsigned count = gateway->workers > 0 ? (unsigned)gateway->workers : uv_available_parallelism();
	return count < RG_WORKERS_MOST ? count : RG_WORKERS_MOST;
}

static bool start_workers(struct rg_daemon *daemon, char *why)
{
	const struct rg_gateway *gateway = &daemon->snapshot->raddb->gateway;
	uint32_t sessions = (uint32_t)gateway->max_sessions / daemon->worker_count;
	for (unsigned i = 0; i < daemon->worker_count; i++) {
		if (!worker_init(&daemon->workers[i], i, daemon->worker_count,
				 sessions ? sessions : 1, (uint8_t)gateway->node, daemon->workers,
				 &daemon->mailbox)) {
			snprintf(why, 256, "worker %u: %m", i);
			return false;
		}
		daemon->workers_ready++;
		daemon->workers[i].learned = on_learned;
	}
	if (!daemon_publication(daemon, &daemon->bindings, why))
		return false;
	daemon_publish(daemon);
	for (unsigned i = 0; i < daemon->worker_count; i++) {
		if (!worker_start(&daemon->workers[i])) {
			snprintf(why, 256, "a thread cannot be started: %m");
			return false;
		}
	}
	return true;
}

/* The folders and files that it writes, which are the user's. */
static bool make_places(const struct rg_daemon *daemon, const struct rg_raddb *raddb, char *why)
{
	const struct rg_gateway *gateway = &raddb->gateway;
	char dir[4096];
	snprintf(dir, sizeof(dir), "%s", gateway->control);
	char *slash = strrchr(dir, '/');
	if (slash && slash != dir)
		*slash = '\0';
	return privileges_make_dir(gateway->state_dir, 0750, gateway->user, why) &&
	       (!slash || privileges_make_dir(dir, 0755, gateway->user, why)) &&
	       (daemon->foreground || raddb->log.target[0] != '/' ||
		privileges_make_file(raddb->log.target, 0640, gateway->user, why));
}

/* All that may want root: ports, keys. It starts no thread. */
static bool open_as_root(struct rg_daemon *daemon, struct rg_raddb_share *share, char *why)
{
	const struct rg_raddb *raddb = share->raddb;
	const struct rg_gateway *gateway = &raddb->gateway;
	daemon->worker_count = worker_count(gateway);
	if (!bindings_make(&daemon->bindings, &(struct rg_bindings){0}, raddb, daemon->worker_count,
			   why) ||
	    !open_http(daemon, raddb, why) || !make_places(daemon, raddb, why))
		return false;
	daemon->control = control_open(&daemon->loop, gateway->control, &operations, daemon, why);
	if (!daemon->control || !privileges_give(gateway->control, gateway->user, why))
		return false;
	daemon->snapshot = snapshot_read(share, true, why);
	return daemon->snapshot && privileges_drop(gateway->user, why);
}

/* Everything else, with no more rights than it will have. */
static bool open_as_user(struct rg_daemon *daemon, char *why)
{
	const struct rg_raddb *raddb = daemon->snapshot->raddb;
	if (!confine_begin(daemon, raddb, why))
		return false;
	/* For names to be looked up in: started by the main thread, for a worker may start none. */
	if (!chores_open(RG_ROLE_RESOLVER)) {
		snprintf(why, 256, "a thread cannot be started: %m");
		return false;
	}
	if (!log_open(daemon->foreground ? "stderr" : raddb->log.target, raddb->log.level,
		      raddb->log.format)) {
		snprintf(why, 256, "cannot log to %.150s: %m", raddb->log.target);
		return false;
	}
	policy_open(raddb->gateway.state_dir);
	daemon->workers = calloc(daemon->worker_count, sizeof(*daemon->workers));
	if (!daemon->workers || !observe_open(daemon->worker_count, TRACE_MOST)) {
		snprintf(why, 256, "what goes on cannot be observed: %m");
		return false;
	}
	if (!tls_ocsp_start()) {
		snprintf(why, 256, "OCSP's threads cannot be started: %m");
		return false;
	}
	struct rg_sink_set *sinks = sinks_prepare(raddb, why);
	if (!sinks)
		return false;
	sinks_use(&sinks);
	if (!snapshot_start(daemon->snapshot, why) || !serve_http(daemon, why) || !start_workers(daemon, why))
		return false;
	directories_close_aside(true);
	return true;
}

/* Stopping: new conversations are not begun, those under way may end, and then the loop runs dry. */

static const int signums[] = {SIGHUP, SIGTERM, SIGINT};

static bool all_quiet(const struct rg_daemon *daemon)
{
	for (unsigned i = 0; i < daemon->workers_ready; i++)
		if (atomic_load(&daemon->workers[i].session_count) != 0 ||
		    atomic_load(&daemon->workers[i].under_way) != 0)
			return false;
	return true;
}

static void close_handles(struct rg_daemon *daemon)
{
	/* Whoever asks once more is not heard: libuv gives a signal its default back, which would end us
	 * here and now. No other thread hears any (core/thread.h, confine.c). */
	sigset_t all;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	for (size_t i = 0; i < sizeof(daemon->signals) / sizeof(daemon->signals[0]); i++)
		uv_close((uv_handle_t *)&daemon->signals[i], NULL);
	leave_begin();
	uv_close((uv_handle_t *)&daemon->watch, NULL);
	uv_close((uv_handle_t *)&daemon->stop_timer, NULL);
	confine_close(daemon);
	control_close(&daemon->control);
	for (unsigned i = 0; i < daemon->workers_ready; i++)
		worker_stop(&daemon->workers[i]);
	for (unsigned i = 0; i < daemon->workers_ready; i++)
		worker_join(&daemon->workers[i]);
	mailbox_close(&daemon->mailbox);
}

static void on_stop_timer(uv_timer_t *timer)
{
	struct rg_daemon *daemon = timer->data;
	if (all_quiet(daemon) || clock_now() >= daemon->stop_ns)
		close_handles(daemon);
}

static void begin_stop(struct rg_daemon *daemon)
{
	if (daemon->stopping) /* asked twice: at once */
		daemon->stop_ns = clock_now();
	if (daemon->stopping)
		return;
	daemon->stopping = true;
	daemon->stop_ns = clock_now() + RG_STOP_NS;
	atomic_store(&daemon->unhealthy, true);
	sd_notify(0, "STOPPING=1");
	log_write(RG_LOG_INFO, "roamgated stops: ending what is under way");
	for (unsigned i = 0; i < daemon->workers_ready; i++)
		worker_drain(&daemon->workers[i]);
	uv_timer_start(&daemon->stop_timer, on_stop_timer, 50, 50);
}

static void on_signal(uv_signal_t *handle, int signum)
{
	struct rg_daemon *daemon = handle->data;
	if (signum == SIGHUP)
		json_decref(daemon_reload(daemon));
	else
		begin_stop(daemon);
}

static void on_watch(uv_timer_t *timer)
{
	struct rg_daemon *daemon = timer->data;
	if (daemon->stopping)
		return;
	if (snapshot_stale(daemon->snapshot))
		daemon_refresh(daemon);
	daemon_expiry_warn(daemon);
	policy_keep(); /* what a full disk did not take */
	daemon_gauges_renew(daemon);
}

/* 0, or libuv's error. */
static int open_signals(struct rg_daemon *daemon)
{
	int failed = 0;
	for (size_t i = 0; failed == 0 && i < sizeof(signums) / sizeof(signums[0]); i++) {
		failed = uv_signal_init(&daemon->loop, &daemon->signals[i]);
		daemon->signals[i].data = daemon;
		if (failed == 0)
			failed = uv_signal_start(&daemon->signals[i], on_signal, signums[i]);
	}
	return failed;
}

/* A loop that cannot be woken, or told to stop, is worse than none. 0, or libuv's error: then the
 * process ends. */
static int open_loop(struct rg_daemon *daemon)
{
	/* libuv ends the process where it finds no pipe for the lock of its signals. */
	int pipes[2];
	if (pipe2(pipes, O_CLOEXEC) != 0)
		return uv_translate_sys_error(errno);
	close(pipes[0]);
	close(pipes[1]);
	int failed = uv_loop_init(&daemon->loop);
	if (failed == 0)
		failed = mailbox_init(&daemon->mailbox, &daemon->loop, daemon);
	if (failed == 0)
		failed = open_signals(daemon);
	if (failed != 0)
		return failed;
	confine_open(daemon);
	pthread_mutex_init(&daemon->gauges_lock, NULL);
	uv_timer_init(&daemon->loop, &daemon->watch);
	uv_timer_init(&daemon->loop, &daemon->stop_timer);
	daemon->watch.data = daemon;
	daemon->stop_timer.data = daemon;
	return 0;
}

/* Whoever started us in the background, and waits for the end of our output, need not wait for ours. */
static void let_go_of_output(const struct rg_raddb *raddb)
{
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (nowhere < 0)
		return;
	dup2(nowhere, STDOUT_FILENO);
	if (strcmp(raddb->log.target, "stderr") != 0)
		dup2(nowhere, STDERR_FILENO);
	close(nowhere);
}

static void say_ready(struct rg_daemon *daemon, int ready_fd)
{
	const struct rg_raddb *raddb = daemon->snapshot->raddb;
	char counts[128];
	snprintf(counts, sizeof(counts), "%zu realm%s, %zu client%s, %u worker%s",
		 raddb->realm_count, text_plural(raddb->realm_count), raddb->client_count,
		 text_plural(raddb->client_count), daemon->worker_count,
		 text_plural(daemon->worker_count));
	sd_notify(0, "READY=1");
	log_write(RG_LOG_INFO, "roamgated " PACKAGE_VERSION " serves %s: %s", raddb->gateway.name,
		  counts);
	confine_say();
	if (daemon->foreground)
		fprintf(stderr, "roamgated ready: %s, %s\n", raddb->gateway.name, counts);
	if (ready_fd >= 0) {
		if (write(ready_fd, "", 1) != 1)
			log_write(RG_LOG_DEBUG, "nobody waits for us to be ready");
		close(ready_fd);
		let_go_of_output(raddb);
	}
}

/* After the loop: in the reverse order of opening. */
static void close_everything(struct rg_daemon *daemon)
{
	observe_metrics_gauges(NULL, NULL);
	for (size_t i = 0; i < daemon->http_count; i++)
		http_close(&daemon->http[i]);
	free(daemon->gauges);
	pthread_mutex_destroy(&daemon->gauges_lock);
	directories_close_aside(false);
	snapshot_unref(&daemon->snapshot);
	tls_engine_close(); /* its threads may still answer to a worker's mailbox */
	for (unsigned i = 0; i < daemon->workers_ready; i++)
		worker_destroy(&daemon->workers[i]);
	chores_close();
	free(daemon->workers);
	bindings_forget(&daemon->bindings);
	uv_loop_close(&daemon->loop);
	mailbox_destroy(&daemon->mailbox);
	observe_close();
	sinks_use(NULL);
	policy_save();
	policy_close();
	leave_end();
	log_write(RG_LOG_INFO, "roamgated stopped");
	log_close();
}

int daemon_run(struct rg_daemon *daemon, struct rg_raddb *raddb, int ready_fd)
{
	char why[256] = "out of memory";
	struct rg_raddb_share *share = raddb_share_new(raddb);
	daemon->began_ns = clock_now();
	signal(SIGPIPE, SIG_IGN);
	tls_engine_open();
	int failed = open_loop(daemon);
	if (failed != 0) {
		fprintf(stderr, "roamgated: its loop cannot be made: %s\n", uv_strerror(failed));
		raddb_share_unref(&share);
		tls_engine_close();
		return 1;
	}
	bool fine = share && open_as_root(daemon, share, why) && open_as_user(daemon, why);
	raddb_share_unref(&share);
	if (fine) {
		daemon_expiry_begin(daemon);
		daemon_gauges_renew(daemon);
		observe_metrics_gauges(daemon_gauges, daemon);
		uv_timer_start(&daemon->watch, on_watch, WATCH_MS, WATCH_MS);
		say_ready(daemon, ready_fd);
	} else {
		fprintf(stderr, "roamgated: %s\n", why);
		close_handles(daemon);
	}
	uv_run(&daemon->loop, UV_RUN_DEFAULT);
	close_everything(daemon);
	return fine ? 0 : 1;
}

/* Taking a new raddb while the old one serves: all or nothing. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/sandbox.h"
#include "core/text.h"
#include "daemon/daemon.h"
#include "observe/sinks.h"

static void add_line(void *context, const char *line)
{
	json_array_append_new(context, json_string(line));
}

static void add_error(json_t *errors, const char *message)
{
	json_array_append_new(errors, json_pack("{s:s, s:i, s:s, s:s}", "file", "", "line", 0, "key",
						"", "message", message));
}

/* What only a restart can change is said, not silently left. */
static void note_restart(const struct rg_raddb *from, const struct rg_raddb *to, json_t *changes)
{
	const struct rg_gateway *a = &from->gateway, *b = &to->gateway;
	if (a->workers != b->workers || a->max_sessions != b->max_sessions || a->node != b->node ||
	    a->sandbox != b->sandbox || strcmp(a->user, b->user) != 0 || strcmp(a->control, b->control) != 0 ||
	    strcmp(a->state_dir, b->state_dir) != 0)
		add_line(changes, "gateway: workers, max_sessions, node, user, sandbox, control and state_dir "
				  "take effect at the next start");
}

#define CHANGES_MOST 900 /* octets of a log line */

/* "realm a.nl changed, client b added", and how many more there are where they do not fit. */
static void changes_text(const json_t *lines, char out[CHANGES_MOST + 64])
{
	size_t i, used = 0;
	json_t *line;
	out[0] = '\0';
	json_array_foreach(lines, i, line) {
		const char *text = json_string_value(line);
		if (used + strlen(text) + 2 > CHANGES_MOST) {
			snprintf(out + used, 64, " and %zu more", json_array_size(lines) - i);
			return;
		}
		used += (size_t)snprintf(out + used, CHANGES_MOST - used, "%s%s", i ? ", " : ": ", text);
	}
}

static void log_outcome(bool kept, const json_t *lines, const struct rg_report *report,
			const char *why)
{
	if (!kept) {
		char changes[CHANGES_MOST + 64];
		size_t count = json_array_size(lines);
		changes_text(lines, changes);
		log_write(RG_LOG_INFO, "raddb reloaded: %zu change%s%s", count, text_plural(count),
			  changes);
	} else if (report->error_count != 0) {
		char first[CHANGES_MOST];
		report_first(report, first, sizeof(first));
		log_write(RG_LOG_ERROR, "raddb kept: %s (%zu error%s; see roamgate check)", first,
			  report->error_count, text_plural(report->error_count));
	} else {
		log_write(RG_LOG_ERROR, "raddb kept: %s", why);
	}
}

/* Opens the log, anew after a rotation; where that fails the former one goes on. */
static void log_again(const struct rg_daemon *daemon)
{
	const struct rg_log_settings *log = &daemon->snapshot->raddb->log;
	if (!log_open(daemon->foreground ? "stderr" : log->target, log->level, log->format))
		log_write(RG_LOG_ERROR, "cannot log to %s: %m%s; the former log goes on", log->target,
			  errno == EACCES && sandbox_state().files > 0
				  ? " (the sandbox lets a folder be written that was the log's at the start: restart)"
				  : "");
}

/* From here on the new one serves; nothing of it can fail any more but a log file or an http port. */
static void take(struct rg_daemon *daemon, struct rg_snapshot *snapshot, struct rg_bindings *bindings,
		 struct rg_sink_set *sinks)
{
	char why[256];
	struct rg_snapshot *former = daemon->snapshot;
	daemon->snapshot = snapshot;
	bindings_forget(&daemon->bindings);
	daemon->bindings = *bindings;
	daemon_publish(daemon);
	sinks_use(&sinks);
	log_again(daemon);
	if (!daemon_serve_http(daemon, why))
		log_write(RG_LOG_ERROR, "%s", why);
	snapshot_unref(&former);
}

static bool try_raddb(struct rg_daemon *daemon, struct rg_raddb *raddb, json_t *changes, char *why)
{
	struct rg_bindings bindings;
	struct rg_raddb_share *share = raddb_share_new(raddb);
	struct rg_snapshot *snapshot = share ? snapshot_new(share, true, why) : NULL;
	if (!share)
		raddb_free(&raddb);
	raddb_share_unref(&share);
	if (!snapshot)
		return false;
	struct rg_sink_set *sinks = sinks_prepare(raddb, why);
	bool bound = sinks && bindings_make(&bindings, &daemon->bindings, raddb, daemon->worker_count, why);
	if (!bound || !daemon_publication(daemon, &bindings, why)) {
		if (bound)
			bindings_undo(&bindings);
		sinks_discard(&sinks);
		snapshot_unref(&snapshot);
		return false;
	}
	raddb_differences(daemon->snapshot->raddb, raddb, add_line, changes);
	note_restart(daemon->snapshot->raddb, raddb, changes);
	take(daemon, snapshot, &bindings, sinks);
	return true;
}

json_t *daemon_reload(struct rg_daemon *daemon)
{
	struct rg_report report = {0};
	char why[256];
	bool taken = false;
	snprintf(why, sizeof(why), "%s", daemon->stopping ? "the gateway is stopping" : "out of memory");
	json_t *changes = json_array();
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
		   (unsigned long long)(clock_now() / 1000));
	struct rg_raddb *raddb = daemon->stopping ? NULL : raddb_load(daemon->file, &report);
	if (raddb)
		taken = try_raddb(daemon, raddb, changes, why);
	if (!taken)
		log_again(daemon);
	log_outcome(!taken, changes, &report, why);
	json_t *found = report_json(&report);
	if (!taken && report.error_count == 0)
		add_error(json_object_get(found, "errors"), why);
	json_object_set_new(found, "kept", json_boolean(!taken));
	json_object_set_new(found, "changes", changes);
	report_free(&report);
	sd_notify(0, "READY=1");
	return found;
}

void daemon_refresh(struct rg_daemon *daemon)
{
	char why[256] = "";
	struct rg_snapshot *snapshot = daemon_publication(daemon, &daemon->bindings, why)
					       ? snapshot_new(daemon->snapshot->share, false, why)
					       : NULL;
	if (!snapshot) {
		static struct rg_log_limit limit = {.burst = 1, .every_s = 60};
		log_limited(&limit, RG_LOG_ERROR,
			    "changed certificates cannot be used, the former ones stay: %s", why);
		return;
	}
	struct rg_snapshot *former = daemon->snapshot;
	daemon->snapshot = snapshot;
	daemon_publish(daemon);
	snapshot_unref(&former);
	log_write(RG_LOG_INFO, "certificates and CRLs have changed on disk and were read again");
}

/* What the running gateway is doing: for `roamgate status` and for /metrics. */
#include <jansson.h>
#include <stdio.h>
#include <time.h>

#include "core/clock.h"
#include "core/text.h"
#include "daemon/daemon.h"
#include "directory/broker.h"
#include "eap/tls_context.h"
#include "observe/observe.h"
#include "upstream/stats.h"

static const char *transport_word(enum rg_transport transport)
{
	switch (transport) {
	case RG_TRANSPORT_UDP:
		return "udp";
	case RG_TRANSPORT_TLS:
		return "tls";
	case RG_TRANSPORT_DTLS:
		return "dtls";
	case RG_TRANSPORT_HTTP:
		return "http";
	}
	return "?";
}

static const char *state_word(enum rg_peer_state state)
{
	switch (state) {
	case RG_PEER_UNKNOWN:
		return "unknown";
	case RG_PEER_UP:
		return "up";
	case RG_PEER_DOWN:
		return "down";
	}
	return "?";
}

static json_t *time_json(uint64_t wall_ns)
{
	char text[32];
	if (wall_ns == 0)
		return json_null();
	text_time(text, wall_ns);
	return json_string(text);
}

static json_t *peer_json(const struct rg_peer_settings *peer, unsigned workers)
{
	struct rg_peer_summary sum;
	peer_stats_summary(peer->name, workers, &sum);
	return json_pack("{s:s, s:s, s:s, s:o, s:s, s:I, s:f, s:f, s:I, s:I, s:I, s:I}", "name",
			 peer->name, "transport", transport_word(peer->transport), "state",
			 state_word(sum.state), "since", time_json(sum.since_wall_ns), "why",
			 peer_why_text(sum.why), "outstanding", (json_int_t)sum.outstanding,
			 "p50_ms", sum.p50_ms, "p99_ms", sum.p99_ms, "answered",
			 (json_int_t)sum.answered, "lost", (json_int_t)sum.lost, "bad",
			 (json_int_t)sum.bad, "failovers", (json_int_t)sum.failovers);
}

struct expiry {
	json_t *list;
	const char *realm;
};

static void add_expiry(void *context, const char *what, time_t not_after)
{
	struct expiry *expiry = context;
	char name[256];
	snprintf(name, sizeof(name), "%s %s", expiry->realm, what);
	json_array_append_new(
		expiry->list,
		json_pack("{s:s, s:o, s:I}", "what", name, "not_after",
			  time_json((uint64_t)not_after * RG_SECOND), "days",
			  (json_int_t)((not_after - time(NULL)) / 86400)));
}

static uint32_t sum_of(const struct rg_daemon *daemon, bool sessions)
{
	uint32_t sum = 0;
	for (unsigned i = 0; i < daemon->workers_ready; i++)
		sum += sessions ? atomic_load(&daemon->workers[i].session_count)
				: atomic_load(&daemon->workers[i].under_way);
	return sum;
}

json_t *daemon_status(struct rg_daemon *daemon)
{
	const struct rg_snapshot *snapshot = daemon->snapshot;
	const struct rg_raddb *raddb = snapshot->raddb;
	json_t *peers = json_array(), *directories = json_array(), *expiry = json_array();
	for (size_t i = 0; i < raddb->peer_count; i++)
		json_array_append_new(peers, peer_json(&raddb->peers[i], daemon->worker_count));
	for (size_t i = 0; i < raddb->realm_count; i++) {
		struct expiry context = {expiry, raddb->realms[i].name};
		directory_status_json(snapshot->homes[i].directory, raddb->realms[i].name,
				      directories);
		tls_context_expiry(snapshot->homes[i].tls, add_expiry, &context);
	}
	return json_pack("{s:s, s:I, s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "gateway",
			 raddb->gateway.name, "node", (json_int_t)raddb->gateway.node, "version",
			 PACKAGE_VERSION, "uptime_s",
			 (json_int_t)((clock_now() - daemon->began_ns) / RG_SECOND), "workers",
			 (json_int_t)daemon->worker_count, "sessions",
			 (json_int_t)sum_of(daemon, true), "requests",
			 (json_int_t)sum_of(daemon, false), "sign_ins", observe_signins_json(),
			 "peers", peers, "directories", directories, "expiry", expiry);
}

/* On the http thread: only what may be read from any thread. */
void daemon_gauges(void *context, void *file)
{
	struct rg_daemon *daemon = context;
	fprintf(file,
		"# HELP roamgate_sessions EAP conversations under way.\n"
		"# TYPE roamgate_sessions gauge\nroamgate_sessions %u\n"
		"# HELP roamgate_requests Requests under way.\n"
		"# TYPE roamgate_requests gauge\nroamgate_requests %u\n"
		"# HELP roamgate_uptime_seconds Since the start.\n"
		"# TYPE roamgate_uptime_seconds gauge\nroamgate_uptime_seconds %llu\n",
		sum_of(daemon, true), sum_of(daemon, false),
		(unsigned long long)((clock_now() - daemon->began_ns) / RG_SECOND));
}

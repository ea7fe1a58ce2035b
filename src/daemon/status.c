/* What the running gateway is doing: for `roamgate status` and for /metrics. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/clock.h"
#include "core/sandbox.h"
#include "core/text.h"
#include "daemon/daemon.h"
#include "directory/broker.h"
#include "eap/tls_cache.h"
#include "eap/tls_context.h"
#include "observe/counter.h"
#include "observe/observe.h"
#include "observe/sinks.h"
#include "upstream/stats.h"

#define FOUND_PEERS_MOST 200 /* by discovery, that one status tells of */
#define GAUGE_REALMS_MOST 1000 /* series of realms that one scrape carries */

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

/* What RadSec adds: who is at the other end, and how. */
static void add_connections(json_t *object, const struct rg_peer_summary *sum)
{
	json_object_set_new(object, "connections", json_integer((json_int_t)sum->connections));
	json_object_set_new(object, "tls", json_string(sum->tls));
	json_object_set_new(object, "radius",
			    json_string(sum->version == RG_RADIUS_1_1   ? "1.1"
					: sum->version == RG_RADIUS_1_0 ? "1.0"
									: ""));
	json_object_set_new(object, "subject", json_string(sum->subject));
	json_object_set_new(object, "not_after",
			    time_json(sum->not_after > 0 ? (uint64_t)sum->not_after * RG_SECOND : 0));
}

static json_t *peer_json(const char *name, enum rg_transport transport, unsigned workers)
{
	struct rg_peer_summary sum;
	peer_stats_summary(name, workers, &sum);
	json_t *object = json_pack(
		"{s:s, s:s, s:s, s:o, s:s, s:I, s:f, s:f, s:I, s:I, s:I, s:I, s:I}", "name", name,
		"transport", transport_word(transport), "state", state_word(sum.state), "since",
		time_json(sum.since_wall_ns), "why",
		sum.state != RG_PEER_UP && sum.detail[0] ? sum.detail : peer_why_text(sum.why),
		"outstanding", (json_int_t)sum.outstanding, "p50_ms", sum.p50_ms, "p99_ms", sum.p99_ms,
		"answered", (json_int_t)sum.answered, "refused", (json_int_t)sum.refused, "lost",
		(json_int_t)sum.lost, "bad", (json_int_t)sum.bad, "failovers", (json_int_t)sum.failovers);
	if (object && transport != RG_TRANSPORT_UDP)
		add_connections(object, &sum);
	return object;
}

static json_t *peers_json(const struct rg_raddb *raddb, unsigned workers)
{
	json_t *peers = json_array();
	struct rg_found_peer *found = calloc(FOUND_PEERS_MOST, sizeof(*found));
	size_t count = found ? peer_stats_found_peers(found, FOUND_PEERS_MOST) : 0;
	for (size_t i = 0; i < raddb->peer_count; i++)
		json_array_append_new(peers, peer_json(raddb->peers[i].name, raddb->peers[i].transport,
						       workers));
	for (size_t i = 0; i < count; i++)
		json_array_append_new(peers, peer_json(found[i].name, found[i].transport, workers));
	free(found);
	return peers;
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
	json_t *directories = json_array(), *expiry = json_array();
	for (size_t i = 0; i < raddb->realm_count; i++) {
		struct expiry context = {expiry, raddb->realms[i].name};
		directory_status_json(snapshot->homes[i].directory, raddb->realms[i].name,
				      directories);
		tls_context_expiry(snapshot->homes[i].tls, add_expiry, &context);
	}
	for (size_t i = 0; i < raddb->credential_count; i++) {
		char name[160];
		struct expiry context = {expiry, name};
		snprintf(name, sizeof(name), "credential %.128s", raddb->credentials[i].name);
		radsec_expiry(snapshot->radsec[i], add_expiry, &context);
	}
	return json_pack("{s:s, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o*}",
			 "gateway", raddb->gateway.name, "node", (json_int_t)raddb->gateway.node, "version",
			 PACKAGE_VERSION, "uptime_s",
			 (json_int_t)((clock_now() - daemon->began_ns) / RG_SECOND), "workers",
			 (json_int_t)daemon->worker_count, "sessions",
			 (json_int_t)sum_of(daemon, true), "requests",
			 (json_int_t)sum_of(daemon, false), "overflowed",
			 (json_int_t)counters_sum(RG_COUNT_OVERFLOWED), "resumable",
			 (json_int_t)tls_cache_count(), "sign_ins", observe_signins_json(),
			 "peers", peers_json(raddb, daemon->worker_count), "directories",
			 directories, "expiry", expiry, "sinks", sinks_status_json(),
			 "sandbox", confine_json(),
			 "discovery",
			 snapshot->discover ? discover_status_json(snapshot->discover) : NULL);
}

static void write_peer(FILE *out, const struct rg_peer_settings *peer, unsigned workers)
{
	char label[256];
	struct rg_peer_summary sum;
	peer_stats_summary(peer->name, workers, &sum);
	metrics_label(label, sizeof(label), peer->name);
	const struct {
		const char *family;
		uint64_t value;
	} samples[] = {
		{"up", sum.state != RG_PEER_DOWN},
		{"outstanding", sum.outstanding},
		{"answered_total", sum.answered},
		{"refused_total", sum.refused},
		{"lost_total", sum.lost},
		{"bad_total", sum.bad},
		{"failovers_total", sum.failovers},
	};
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		fprintf(out, "roamgate_peer_%s{peer=\"%s\"} %llu\n", samples[i].family, label,
			(unsigned long long)samples[i].value);
	fprintf(out,
		"roamgate_peer_latency_seconds{peer=\"%s\",quantile=\"0.5\"} %g\n"
		"roamgate_peer_latency_seconds{peer=\"%s\",quantile=\"0.99\"} %g\n",
		label, sum.p50_ms / 1e3, label, sum.p99_ms / 1e3);
	if (peer->transport == RG_TRANSPORT_UDP)
		return;
	fprintf(out, "roamgate_peer_connections{peer=\"%s\"} %u\n", label, sum.connections);
	if (sum.not_after > 0)
		fprintf(out, "roamgate_peer_not_after_seconds{peer=\"%s\"} %lld\n", label,
			(long long)sum.not_after);
}

static void write_directories(FILE *out, const json_t *directories)
{
	size_t i;
	const json_t *one;
	json_array_foreach(directories, i, one)
	{
		char realm[256], uri[512];
		metrics_label(realm, sizeof(realm), json_string_value(json_object_get(one, "realm")));
		metrics_label(uri, sizeof(uri), json_string_value(json_object_get(one, "uri")));
		fprintf(out, "roamgate_directory_up{realm=\"%s\",uri=\"%s\"} %d\n", realm, uri,
			strcmp(json_string_value(json_object_get(one, "state")), "down") != 0);
	}
}

struct expiry_file {
	FILE *out;
	const char *realm;
};

static void write_expiry(void *context, const char *what, time_t not_after)
{
	struct expiry_file *expiry = context;
	fprintf(expiry->out, "roamgate_not_after_seconds{realm=\"%s\",what=\"%s\"} %lld\n",
		expiry->realm, what, (long long)not_after);
}

static void write_gauges(struct rg_daemon *daemon, FILE *out)
{
	const struct rg_snapshot *snapshot = daemon->snapshot;
	json_t *directories = json_array();
	fprintf(out,
		"# TYPE roamgate_sessions gauge\nroamgate_sessions %u\n"
		"# TYPE roamgate_requests gauge\nroamgate_requests %u\n"
		"# HELP roamgate_resumable TLS sessions that laptops may resume (%d at most).\n"
		"# TYPE roamgate_resumable gauge\nroamgate_resumable %zu\n"
		"# TYPE roamgate_uptime_seconds gauge\nroamgate_uptime_seconds %llu\n",
		sum_of(daemon, true), sum_of(daemon, false), RG_TLS_CACHE_MOST, tls_cache_count(),
		(unsigned long long)((clock_now() - daemon->began_ns) / RG_SECOND));
	fprintf(out,
		"# HELP roamgate_sandbox_refused_total System calls that the sandbox refused.\n"
		"# TYPE roamgate_sandbox_refused_total counter\nroamgate_sandbox_refused_total %llu\n",
		(unsigned long long)sandbox_refused());
	for (size_t i = 0; i < snapshot->raddb->peer_count; i++)
		write_peer(out, &snapshot->raddb->peers[i], daemon->worker_count);
	for (size_t i = 0; i < snapshot->raddb->realm_count && i < GAUGE_REALMS_MOST; i++) {
		struct expiry_file expiry = {out, snapshot->raddb->realms[i].name};
		directory_status_json(snapshot->homes[i].directory, expiry.realm, directories);
		tls_context_expiry(snapshot->homes[i].tls, write_expiry, &expiry);
	}
	write_directories(out, directories);
	sinks_metrics(out);
	json_decref(directories);
}

void daemon_gauges_renew(struct rg_daemon *daemon)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	if (!out)
		return;
	write_gauges(daemon, out);
	fclose(out);
	pthread_mutex_lock(&daemon->gauges_lock);
	char *former = daemon->gauges;
	daemon->gauges = text;
	pthread_mutex_unlock(&daemon->gauges_lock);
	free(former);
}

/* On the http thread: what the main thread wrote down last. */
void daemon_gauges(void *context, void *file)
{
	struct rg_daemon *daemon = context;
	pthread_mutex_lock(&daemon->gauges_lock);
	if (daemon->gauges)
		fputs(daemon->gauges, file);
	pthread_mutex_unlock(&daemon->gauges_lock);
}

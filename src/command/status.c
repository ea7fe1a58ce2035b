/* roamgate status: what the running gateway is doing. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "command/control_client.h"
#include "command/options.h"
#include "command/show.h"

#define TIMEOUT_MS 10000

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

static double number_of(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static enum rg_colour state_colour(const char *state)
{
	return strcmp(state, "up") == 0 ? RG_GREEN : strcmp(state, "down") == 0 ? RG_RED : RG_YELLOW;
}

static void print_head(const json_t *status)
{
	char name[128], version[64], uptime[64];
	duration_words(uptime, number_of(status, "uptime_s"));
	show_coloured(RG_BOLD, show_text(name, sizeof(name), text_of(status, "gateway")));
	printf(" (node %.0f, roamgate %s), running for %s\n", number_of(status, "node"),
	       show_text(version, sizeof(version), text_of(status, "version")), uptime);
	printf("%.0f EAP conversation%s under way\n", number_of(status, "sessions"),
	       number_of(status, "sessions") == 1 ? "" : "s");
	if (number_of(status, "overflowed") > 0)
		printf("%.0f datagram%s lost, for a socket was full\n",
		       number_of(status, "overflowed"),
		       number_of(status, "overflowed") == 1 ? "" : "s");
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_realm(struct rg_table *table, const char *realm, json_t *reasons)
{
	char otherwise[512] = "";
	const char *reason;
	json_t *count;
	size_t used = 0;
	json_int_t ended = 0, accepted = json_integer_value(json_object_get(reasons, "accepted"));
	json_object_foreach(reasons, reason, count) {
		ended += json_integer_value(count);
		if (strcmp(reason, "accepted") != 0 && used < sizeof(otherwise))
			used += (size_t)snprintf(otherwise + used, sizeof(otherwise) - used, "%s%s %lld",
						 used ? ", " : "", reason,
						 (long long)json_integer_value(count));
	}
	table_cell(table, RG_PLAIN, "%s", realm);
	table_cell(table, RG_PLAIN, "%lld", (long long)ended);
	table_cell(table, RG_GREEN, "%lld", (long long)accepted);
	table_cell(table, RG_PLAIN, "%s", otherwise);
}

static void print_signins(json_t *signins)
{
	static const char *const headings[] = {"REALM", ">ENDED", ">ACCEPTED", "OTHERWISE", NULL};
	struct rg_table table;
	const char *realm;
	json_t *reasons;
	size_t count = 0;
	const char **realms = calloc(json_object_size(signins) + 1, sizeof(*realms));
	if (!realms)
		return;
	json_object_foreach(signins, realm, reasons)
		realms[count++] = realm;
	qsort(realms, count, sizeof(*realms), by_name);
	table_begin(&table, headings);
	for (size_t i = 0; i < count; i++)
		add_realm(&table, realms[i], json_object_get(signins, realms[i]));
	table_end(&table, "Sign-ins");
	free(realms);
}

static void print_peers(json_t *peers)
{
	static const char *const headings[] = {"PEER", "OVER", "STATE", "SINCE", ">WAITING", ">P50 MS",
					       ">P99 MS", ">ANSWERED", ">REFUSED", ">LOST", "WHY", NULL};
	struct rg_table table;
	char since[64];
	size_t i;
	json_t *peer;
	table_begin(&table, headings);
	json_array_foreach(peers, i, peer) {
		const char *state = text_of(peer, "state");
		local_time(since, text_of(peer, "since"));
		table_cell(&table, RG_PLAIN, "%s", text_of(peer, "name"));
		table_cell(&table, RG_PLAIN, "%s", text_of(peer, "transport"));
		table_cell(&table, state_colour(state), "%s", state);
		table_cell(&table, RG_PLAIN, "%s", since);
		table_cell(&table, RG_PLAIN, "%.0f", number_of(peer, "outstanding"));
		table_cell(&table, RG_PLAIN, "%.1f", number_of(peer, "p50_ms"));
		table_cell(&table, RG_PLAIN, "%.1f", number_of(peer, "p99_ms"));
		table_cell(&table, RG_PLAIN, "%.0f", number_of(peer, "answered"));
		table_cell(&table, RG_PLAIN, "%.0f", number_of(peer, "refused"));
		table_cell(&table, RG_PLAIN, "%.0f", number_of(peer, "lost"));
		table_cell(&table, RG_PLAIN, "%s", text_of(peer, "why"));
	}
	table_end(&table, "Peers");
}

/* Of those over TLS and DTLS: who they are. */
static void print_connections(json_t *peers)
{
	static const char *const headings[] = {"PEER", "OVER", ">CONNECTIONS", "RADIUS", "ITS CERTIFICATE",
					       "UNTIL", NULL};
	struct rg_table table;
	char until[64];
	size_t i;
	json_t *peer;
	table_begin(&table, headings);
	json_array_foreach(peers, i, peer) {
		if (!json_object_get(peer, "connections"))
			continue;
		local_time(until, text_of(peer, "not_after"));
		table_cell(&table, RG_PLAIN, "%s", text_of(peer, "name"));
		table_cell(&table, RG_PLAIN, "%s %s", text_of(peer, "transport"), text_of(peer, "tls"));
		table_cell(&table, RG_PLAIN, "%.0f", number_of(peer, "connections"));
		table_cell(&table, RG_PLAIN, "%s", text_of(peer, "radius"));
		table_cell(&table, RG_PLAIN, "%s", text_of(peer, "subject"));
		table_cell(&table, RG_PLAIN, "%s", until);
	}
	table_end(&table, "RadSec");
}

static void print_discovery(json_t *discovery)
{
	static const char *const headings[] = {"REALM", "SERVERS", ">KEPT FOR S", NULL};
	struct rg_table table;
	size_t i, j;
	json_t *realm, *server;
	if (!discovery)
		return;
	table_begin(&table, headings);
	json_array_foreach(json_object_get(discovery, "realms"), i, realm) {
		char servers[512] = "";
		size_t used = 0;
		json_array_foreach(json_object_get(realm, "servers"), j, server) {
			if (used < sizeof(servers) && json_is_string(server))
				used += (size_t)snprintf(servers + used, sizeof(servers) - used, "%s%s",
							 j ? " " : "", json_string_value(server));
		}
		table_cell(&table, RG_PLAIN, "%s", text_of(realm, "realm"));
		table_cell(&table, RG_PLAIN, "%s", servers);
		table_cell(&table, RG_PLAIN, "%.0f", number_of(realm, "expires_s"));
	}
	table_end(&table, "Realms whose peers were found");
}

static void print_directories(json_t *directories)
{
	static const char *const headings[] = {"REALM", "DIRECTORY", "STATE", "WHY", NULL};
	struct rg_table table;
	size_t i;
	json_t *directory;
	table_begin(&table, headings);
	json_array_foreach(directories, i, directory) {
		const char *state = text_of(directory, "state");
		table_cell(&table, RG_PLAIN, "%s", text_of(directory, "realm"));
		table_cell(&table, RG_PLAIN, "%s", text_of(directory, "uri"));
		table_cell(&table, state_colour(state), "%s", state);
		table_cell(&table, RG_PLAIN, "%s", text_of(directory, "why"));
	}
	table_end(&table, "Directories");
}

static void print_sinks(json_t *sinks)
{
	static const char *const headings[] = {"SINK", "STATE", "SINCE", ">SENT", ">DROPPED", ">WAITING", "WHY", NULL};
	struct rg_table table;
	char since[64];
	size_t i;
	json_t *sink;
	table_begin(&table, headings);
	json_array_foreach(sinks, i, sink) {
		const char *state = text_of(sink, "state");
		double dropped = number_of(sink, "dropped");
		local_time(since, text_of(sink, "since"));
		table_cell(&table, RG_PLAIN, "%s", text_of(sink, "sink"));
		table_cell(&table, state_colour(state), "%s", state);
		table_cell(&table, RG_PLAIN, "%s", since);
		table_cell(&table, RG_PLAIN, "%.0f", number_of(sink, "sent"));
		table_cell(&table, dropped > 0 ? RG_YELLOW : RG_PLAIN, "%.0f", dropped);
		table_cell(&table, RG_PLAIN, "%.0f", number_of(sink, "waiting"));
		table_cell(&table, RG_PLAIN, "%s", text_of(sink, "why"));
	}
	table_end(&table, "Reports");
}

static void print_expiry(json_t *expiry)
{
	static const char *const headings[] = {"WHAT", "UNTIL", ">DAYS LEFT", NULL};
	struct rg_table table;
	char until[64];
	size_t i;
	json_t *item;
	table_begin(&table, headings);
	json_array_foreach(expiry, i, item) {
		double days = number_of(item, "days");
		local_time(until, text_of(item, "not_after"));
		table_cell(&table, RG_PLAIN, "%s", text_of(item, "what"));
		table_cell(&table, RG_PLAIN, "%s", until);
		table_cell(&table, days < 0 ? RG_RED : days < 30 ? RG_YELLOW : RG_PLAIN, "%.0f", days);
	}
	table_end(&table, "Certificates and lists that end");
}

int command_status(int argc, char **argv)
{
	struct rg_options options;
	int stop = options_parse(&options, argc, argv, "status [-c FILE] [--json]",
				 "What the running gateway is doing: sign-ins by realm and result, peers and\n"
				 "directories up or down, certificates that end.", NULL);
	if (stop != RG_OPTIONS_FINE)
		return stop;
	if (options.count != 0)
		return usage_error(argv[0], "%s: nothing more is expected", options.operands[0]);
	json_t *request = json_pack("{s:s}", "command", "status");
	json_t *status = control_question(argv[0], options.file, request, TIMEOUT_MS);
	json_decref(request);
	if (!status)
		return RG_EXIT_NOT_RUNNING;
	if (options.json) {
		json_dumpf(status, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
		printf("\n");
	} else {
		print_head(status);
		print_signins(json_object_get(status, "sign_ins"));
		print_peers(json_object_get(status, "peers"));
		print_connections(json_object_get(status, "peers"));
		print_discovery(json_object_get(status, "discovery"));
		print_directories(json_object_get(status, "directories"));
		print_sinks(json_object_get(status, "sinks"));
		print_expiry(json_object_get(status, "expiry"));
	}
	json_decref(status);
	return RG_EXIT_FINE;
}

/* roamgate realm: list, and the door to realm add (realm_add.c). */
#include "command/realm.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "command/options.h"
#include "config/raddb.h"

static const char list_synopsis[] = "realm list [-c FILE] [--json]";
static const char list_about[] = "Lists every realm that the configuration names, and where it goes.";

/* "govroam-1, govroam-2 (failover)" */
static void route_print(const struct rg_route *route, char *out, size_t capacity)
{
	size_t used = 0;
	out[0] = '\0';
	for (size_t i = 0; i < route->peer_count && used < capacity; i++) {
		int printed = snprintf(out + used, capacity - used, "%s%s", i ? ", " : "",
				       route->peers[i]->name);
		used += printed > 0 ? (size_t)printed : 0;
	}
	if (route->peer_count > 1 && used < capacity)
		snprintf(out + used, capacity - used, " (%s)",
			 route->strategy == RG_BALANCE ? "balance" : "failover");
}

static void row_add(json_t *rows, const char *name, const char *goes_to, struct rg_where where)
{
	json_array_append_new(rows, json_pack("{s:s, s:s, s:s}", "name", name, "goes_to", goes_to, "file",
					      where.file));
}

static json_t *rows_of(const struct rg_raddb *raddb)
{
	json_t *rows = json_array();
	for (size_t i = 0; i < raddb->realm_count; i++)
		for (size_t j = 0; j < raddb->realms[i].names.count; j++)
			row_add(rows, raddb->realms[i].names.items[j], "here", raddb->realms[i].where);
	for (size_t i = 0; i < raddb->route_count; i++) {
		char peers[512];
		route_print(&raddb->routes[i], peers, sizeof(peers));
		for (size_t j = 0; j < raddb->routes[i].realms.count; j++)
			row_add(rows, raddb->routes[i].realms.items[j], peers, raddb->routes[i].where);
	}
	return rows;
}

static void rows_print(const json_t *rows)
{
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row)
		printf("%-32s %-32s %s\n", json_string_value(json_object_get(row, "name")),
		       json_string_value(json_object_get(row, "goes_to")),
		       json_string_value(json_object_get(row, "file")));
}

static int realm_list(int argc, char **argv)
{
	struct rg_options options;
	struct rg_report report = {0};
	int status = options_parse(&options, argc, argv, list_synopsis, list_about, NULL);
	if (status != RG_OPTIONS_FINE)
		return status;
	if (options.count != 1)
		return usage_error("realm", "unexpected %s", options.operands[1]);
	struct rg_raddb *raddb = raddb_load(options.file, &report);
	if (!raddb) {
		report_print(&report, stderr);
		report_free(&report);
		return RG_EXIT_CONFIGURATION;
	}
	json_t *rows = rows_of(raddb);
	if (options.json) {
		json_t *object = json_pack("{s:O}", "realms", rows);
		json_dumpf(object, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
		putchar('\n');
		json_decref(object);
	} else {
		rows_print(rows);
	}
	json_decref(rows);
	raddb_free(&raddb);
	report_free(&report);
	return RG_EXIT_FINE;
}

int command_realm(int argc, char **argv)
{
	/* The first operand says which; options may stand before it. */
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "add") == 0)
			return realm_add(argc, argv);
		if (strcmp(argv[i], "list") == 0)
			return realm_list(argc, argv);
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			printf("usage: roamgate %s\n       roamgate %s\n\n", realm_add_synopsis,
			       list_synopsis);
			printf("`roamgate realm add --help` and `roamgate realm list --help` tell more.\n");
			return RG_EXIT_FINE;
		}
	}
	return usage_error("realm", "say `realm add NAME` or `realm list`");
}

#include <jansson.h>
#include <stdio.h>

#include "command/command.h"
#include "command/options.h"
#include "config/raddb.h"

static void print_json(const struct rg_report *report)
{
	json_t *object = report_json(report);
	json_dumpf(object, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(object);
}

int command_check(int argc, char **argv)
{
	struct rg_options options;
	struct rg_report report = {0};
	int status = options_parse(&options, argc, argv, "check [-c FILE] [--json]",
				   "Reads the configuration as the gateway would, and prints every error and "
				   "warning.\nExits with 78 where there is an error.",
				   NULL);
	if (status != RG_OPTIONS_FINE)
		return status;
	if (options.count != 0)
		return usage_error("check", "unexpected %s", options.operands[0]);
	struct rg_raddb *raddb = raddb_load(options.file, &report);
	status = raddb ? RG_EXIT_FINE : RG_EXIT_CONFIGURATION;
	if (options.json)
		print_json(&report);
	else
		report_print_counted(&report, stdout);
	raddb_free(&raddb);
	report_free(&report);
	return status;
}

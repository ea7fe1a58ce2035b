/* roamgate reload: has the running gateway take the configuration as it is now. */
#include <jansson.h>
#include <stdio.h>

#include "command/command.h"
#include "command/control_client.h"
#include "command/options.h"
#include "command/show.h"
#include "core/text.h"

#define TIMEOUT_MS 60000 /* ten thousand realms and their certificates are read */

static void print_findings(json_t *findings, enum rg_colour colour, const char *kind)
{
	char file[512], key[256], message[1024];
	size_t i;
	json_t *finding;
	json_array_foreach(findings, i, finding) {
		json_int_t line = json_integer_value(json_object_get(finding, "line"));
		printf("  %s", show_text(file, sizeof(file),
					 json_string_value(json_object_get(finding, "file"))));
		if (line != 0)
			printf(":%lld", (long long)line);
		printf(": ");
		show_coloured(colour, kind);
		show_text(key, sizeof(key), json_string_value(json_object_get(finding, "key")));
		printf("%s%s%s\n", key, key[0] ? ": " : "",
		       show_text(message, sizeof(message),
				 json_string_value(json_object_get(finding, "message"))));
	}
}

static void print_changes(json_t *changes)
{
	char line[1024];
	size_t i;
	json_t *change;
	if (json_array_size(changes) == 0)
		printf("  nothing changed\n");
	json_array_foreach(changes, i, change)
		printf("  %s\n", show_text(line, sizeof(line), json_string_value(change)));
}

static void print_answer(const json_t *answer, bool kept)
{
	json_t *errors = json_object_get(answer, "errors");
	if (kept) {
		show_coloured(RG_RED, "Not taken: ");
		printf("%zu error%s; the configuration in use stays.\n", json_array_size(errors),
		       text_plural(json_array_size(errors)));
		print_findings(errors, RG_RED, "");
	} else {
		show_coloured(RG_GREEN, "Taken: ");
		printf("the new configuration is in use.\n");
		print_changes(json_object_get(answer, "changes"));
	}
	print_findings(json_object_get(answer, "warnings"), RG_YELLOW, "warning: ");
}

int command_reload(int argc, char **argv)
{
	struct rg_options options;
	int stop = options_parse(&options, argc, argv, "reload [-c FILE] [--json]",
				 "Has the running gateway take the configuration as it is now, and says what changed.\n"
				 "With an error in it the one in use stays (exit status 78).", NULL);
	if (stop != RG_OPTIONS_FINE)
		return stop;
	if (options.count != 0)
		return usage_error(argv[0], "%s: nothing more is expected", options.operands[0]);
	json_t *request = json_pack("{s:s}", "command", "reload");
	json_t *answer = control_question(argv[0], options.file, request, TIMEOUT_MS);
	json_decref(request);
	if (!answer)
		return RG_EXIT_NOT_RUNNING;
	bool kept = json_is_true(json_object_get(answer, "kept"));
	if (options.json) {
		json_dumpf(answer, stdout, JSON_INDENT(2));
		printf("\n");
	} else {
		print_answer(answer, kept);
	}
	json_decref(answer);
	return kept ? RG_EXIT_CONFIGURATION : RG_EXIT_FINE;
}

/* roamgate unlock: forgets the wrong passwords of a person or a device. */
#include <jansson.h>
#include <stdio.h>

#include "command/command.h"
#include "command/control_client.h"
#include "command/options.h"
#include "command/show.h"

#define TIMEOUT_MS 10000

int command_unlock(int argc, char **argv)
{
	struct rg_options options;
	char who[1024];
	int stop = options_parse(&options, argc, argv, "unlock IDENTITY|MAC [-c FILE] [--json]",
				 "Lets a person or a device try passwords again that too-many-attempts keeps out. The\n"
				 "directory's own lock is not touched. Exits with 5 where nothing was counted.", NULL);
	if (stop != RG_OPTIONS_FINE)
		return stop;
	if (options.count != 1)
		return usage_error(argv[0], options.count == 0 ? "who is to be unlocked?"
							       : "one IDENTITY or MAC at a time");
	json_t *request = json_pack("{s:s, s:s}", "command", "unlock", "who", options.operands[0]);
	if (!request)
		return usage_error(argv[0], "a name is UTF-8");
	json_t *answer = control_question(argv[0], options.file, request, TIMEOUT_MS);
	json_decref(request);
	if (!answer)
		return RG_EXIT_NOT_RUNNING;
	bool unlocked = json_is_true(json_object_get(answer, "unlocked"));
	show_text(who, sizeof(who), options.operands[0]);
	if (options.json) {
		json_dumpf(answer, stdout, JSON_INDENT(2));
		printf("\n");
	} else if (unlocked) {
		printf("%s may try again.\n", who);
	} else {
		printf("Nothing was counted of %s.\n", who);
	}
	json_decref(answer);
	return unlocked ? RG_EXIT_FINE : RG_EXIT_NONE_SEEN;
}

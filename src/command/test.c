/* `roamgate test`: signs in for real, as a laptop would, over RADIUS. */
#include <stddef.h>

#include "command/command.h"
#include "command/options.h"

int command_test(int argc, char **argv)
{
	struct rg_options options;
	int status = options_parse(&options, argc, argv, "test IDENTITY", "Signs in for real.", NULL);
	return status == RG_OPTIONS_FINE ? usage_error("test", "not there yet") : status;
}

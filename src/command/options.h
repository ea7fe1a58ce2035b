/* Options of a command: the common ones (-c FILE, --json, --help) and its own, from a table. */
#ifndef RG_COMMAND_OPTIONS_H
#define RG_COMMAND_OPTIONS_H
#include <stdbool.h>

/* One long option. A table ends with name NULL. */
struct rg_option {
	const char *name;  /* "server-name" */
	const char *value; /* what follows it, for --help: "NAME"; NULL: nothing, it is a flag */
	const char **text; /* where its value goes; the last one given counts */
	bool *flag;        /* where a flag is set true */
	const char *help;  /* one line */
};

struct rg_options {
	const char *file; /* -c: path of roamgate.cfg; the installed one where it is not given */
	bool json;
	int count; /* operands: what is no option, in order; borrowed from argv */
	char **operands;
};

/* What options_parse returns to go on. */
#define RG_OPTIONS_FINE (-1)

/* Reads argv (getopt_long; operands and options may be mixed, "--" ends options). synopsis is the
 * line after "usage: roamgate ", about a sentence or more on what the command does.
 * RG_OPTIONS_FINE, or the status to exit with: 0 after --help, 2 after a message about bad usage on
 * stderr. own may be NULL. */
int options_parse(struct rg_options *, int argc, char **argv, const char *synopsis,
		  const char *about, const struct rg_option *own);

/* Prints "roamgate COMMAND: message" and where help is; returns RG_EXIT_USAGE. */
int usage_error(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
#endif

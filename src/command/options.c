#include "command/options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "core/text.h"

#define OPTIONS_MOST 64

/* Rows that every command has; their values are those of getopt's val. */
enum { VALUE_FILE = 'c', VALUE_HELP = 'h', VALUE_JSON = 256, VALUE_OWN };

static const struct option common[] = {
	{"config", required_argument, NULL, VALUE_FILE},
	{"help", no_argument, NULL, VALUE_HELP},
	{"json", no_argument, NULL, VALUE_JSON},
};

#define COMMON_COUNT (sizeof(common) / sizeof(common[0]))

static void print_option(const char *name, const char *value, const char *help)
{
	char left[64];
	snprintf(left, sizeof(left), "--%s%s%s", name, value ? " " : "", value ? value : "");
	printf("  %-26s %s\n", left, help);
}

static void print_help(const char *synopsis, const char *about, const struct rg_option *own)
{
	printf("usage: roamgate %s\n\n%s\n\n", synopsis, about);
	for (const struct rg_option *row = own; row && row->name; row++)
		print_option(row->name, row->value, row->help);
	printf("  %-26s %s\n", "-c FILE",
	       "the gateway's configuration (" RG_SYSCONF_DIR "/roamgate.cfg)");
	print_option("json", NULL, "the same facts as one JSON object");
	print_option("help", NULL, "this text");
}

int usage_error(const char *command, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fprintf(stderr, "roamgate %s: ", command);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\nSee `roamgate %s --help`.\n", command);
	return RG_EXIT_USAGE;
}

static int unknown_option(const char *command, const char *given, const struct option *rows)
{
	const char *words[OPTIONS_MOST + 1];
	size_t count = 0;
	for (const struct option *row = rows; row->name; row++)
		words[count++] = row->name;
	words[count] = NULL;
	const char *nearest = strncmp(given, "--", 2) == 0 ? text_nearest(given + 2, words) : NULL;
	if (nearest)
		return usage_error(command, "unknown option %s (did you mean --%s?)", given,
				   nearest);
	return usage_error(command, "unknown option %s", given);
}

/* Fills rows with the common options and the command's own, and getopt's empty last one. */
static void rows_fill(struct option rows[OPTIONS_MOST], const struct rg_option *own)
{
	size_t count = 0;
	memset(rows, 0, OPTIONS_MOST * sizeof(rows[0]));
	for (; count < COMMON_COUNT; count++)
		rows[count] = common[count];
	for (int i = 0; own && own[i].name && count < OPTIONS_MOST - 1; i++, count++)
		rows[count] =
			(struct option){own[i].name, own[i].value ? required_argument : no_argument,
					NULL, VALUE_OWN + i};
}

int options_parse(struct rg_options *options, int argc, char **argv, const char *synopsis,
		  const char *about, const struct rg_option *own)
{
	struct option rows[OPTIONS_MOST];
	rows_fill(rows, own);
	*options = (struct rg_options){.file = RG_SYSCONF_DIR "/roamgate.cfg"};
	opterr = 0;
	optind = 1;
	for (;;) {
		int value = getopt_long(argc, argv, ":c:h", rows, NULL);
		if (value == -1)
			break;
		if (value == ':')
			return usage_error(argv[0], "option %s needs a value", argv[optind - 1]);
		/* A long one stands before optind; a short one, maybe amid others, is in optopt. */
		if (value == '?' && optopt >= VALUE_JSON)
			return usage_error(argv[0], "option %s: no value is expected",
					   argv[optind - 1]);
		if (value == '?' && optopt)
			return usage_error(argv[0], "unknown option -%c", optopt);
		if (value == '?')
			return unknown_option(argv[0], argv[optind - 1], rows);
		if (value == VALUE_HELP) {
			print_help(synopsis, about, own);
			return RG_EXIT_FINE;
		}
		if (value == VALUE_FILE)
			options->file = optarg;
		else if (value == VALUE_JSON)
			options->json = true;
		else if (own[value - VALUE_OWN].value)
			*own[value - VALUE_OWN].text = optarg;
		else
			*own[value - VALUE_OWN].flag = true;
	}
	options->count = argc - optind;
	options->operands = argv + optind;
	return RG_OPTIONS_FINE;
}

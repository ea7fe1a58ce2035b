/* roamgate: what administrators type. Each command is a file of its own; this is the table. */
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "core/text.h"

static const struct rg_command commands[] = {
	{"check", command_check, "read the configuration and say all that is wrong with it"},
	{"status", command_status, "what the running gateway is doing"},
	{"reload", command_reload, "have the running gateway take the configuration as it is now"},
	{"test", command_test, "sign in for real, as a laptop at a town hall would"},
	{"trace", command_trace, "the last sign-ins of a person or a device, step by step"},
	{"unlock", command_unlock, "let a person or a device try passwords again"},
	{"realm", command_realm, "add a municipality; list realms and where each goes"},
	{"load", command_load, "many sign-ins at once, and how long they took"},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *out)
{
	fprintf(out, "usage: roamgate COMMAND [-c FILE] [--json] ...\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
	fprintf(out, "\n`roamgate COMMAND --help` tells more of one; roamgate(8) of all.\n");
}

static const struct rg_command *command_find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int unknown_command(const char *name)
{
	const char *words[COMMANDS + 1];
	for (size_t i = 0; i < COMMANDS; i++)
		words[i] = commands[i].name;
	words[COMMANDS] = NULL;
	const char *nearest = text_nearest(name, words);
	if (nearest)
		fprintf(stderr, "roamgate: there is no command %s (did you mean %s?)\n", name,
			nearest);
	else
		fprintf(stderr, "roamgate: there is no command %s\n", name);
	fprintf(stderr, "See `roamgate --help`.\n");
	return RG_EXIT_USAGE;
}

/* `roamgate help test` is `roamgate test --help`. */
static int help(int argc, char **argv)
{
	if (argc < 3) {
		print_help(stdout);
		return RG_EXIT_FINE;
	}
	const struct rg_command *command = command_find(argv[2]);
	if (!command)
		return unknown_command(argv[2]);
	char option[] = "--help";
	char *arguments[] = {argv[2], option, NULL};
	return command->run(2, arguments);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		print_help(stderr);
		return RG_EXIT_USAGE;
	}
	const char *name = argv[1];
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
		return help(argc, argv);
	if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0) {
		printf("roamgate %s\n", PACKAGE_VERSION);
		return RG_EXIT_FINE;
	}
	const struct rg_command *command = command_find(name);
	return command ? command->run(argc - 1, argv + 1) : unknown_command(name);
}

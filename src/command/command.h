/* The commands of `roamgate`: one file each, found by main.c in a table. */
#ifndef RG_COMMAND_COMMAND_H
#define RG_COMMAND_COMMAND_H

/* Exit statuses that commands share (sysexits.h has 78 too). */
#define RG_EXIT_FINE 0
#define RG_EXIT_NOT_RUNNING 1 /* the gateway is not running, or something here does not work */
#define RG_EXIT_USAGE 2
#define RG_EXIT_REFUSED 3
#define RG_EXIT_NO_ANSWER 4
#define RG_EXIT_NONE_SEEN 5
#define RG_EXIT_CONFIGURATION 78

/* argv[0] is the command's name; returns the exit status. */
struct rg_command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
};

int command_check(int argc, char **argv);
int command_status(int argc, char **argv);
int command_reload(int argc, char **argv);
int command_test(int argc, char **argv);
int command_trace(int argc, char **argv);
int command_realm(int argc, char **argv);
int command_unlock(int argc, char **argv);
int command_load(int argc, char **argv);
#endif

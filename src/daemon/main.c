/* roamgated: reads the raddb, then serves. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/reserve.h"
#include "core/secret.h"
#include "daemon/daemon.h"
#include "daemon/privileges.h"
#include "radius/dictionary.h"
#include "tls/library.h"

#define EXIT_USAGE 2
#define EXIT_CONFIGURATION 78 /* sysexits.h EX_CONFIG */
#define NAMES ((size_t)256 << 10) /* what nsswitch.conf and resolv.conf take, and more */

static int usage(FILE *out, int status)
{
	fputs("usage: roamgated [-c FILE] [-f] [-t]\n"
	      "  -c FILE  roamgate.cfg (default: " RG_SYSCONF_DIR "/roamgate.cfg)\n"
	      "  -f       stay in the foreground and log to stderr\n"
	      "  -t       check the raddb, say all that is wrong, and exit\n"
	      "  -h, -V   this help; the version\n",
	      out);
	return status;
}

/* In the background: the caller returns once the daemon serves, with 0, or with what stopped it. Returns the
 * descriptor to tell it by, in the child only. */
static int go_to_background(void)
{
	int pipes[2], status = 1;
	char byte;
	if (pipe(pipes) != 0)
		exit(1);
	pid_t child = fork();
	if (child < 0) {
		perror("roamgated: fork");
		exit(1);
	}
	if (child == 0) {
		close(pipes[0]);
		setsid();
		if (chdir("/") != 0 || !freopen("/dev/null", "r", stdin))
			exit(1);
		return pipes[1];
	}
	close(pipes[1]);
	if (read(pipes[0], &byte, 1) == 1)
		exit(0);
	waitpid(child, &status, 0);
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

/* glibc reads nsswitch.conf once a process, with the first name of any kind, and resolv.conf with the first host's. glibc
 * 2.36 writes to what it had no memory for in the one, and keeps a lock for ever in the other: so while there is memory. */
static bool names_begin(void)
{
	struct protoent protocol, *found;
	char names[1024];
	if (!memory_is_there(NAMES))
		return false;
	(void)getprotobyname_r("udp", &protocol, names, sizeof(names), &found); /* which asks no server */
	(void)res_init();
	return true;
}

static struct rg_raddb *load(const char *file, bool only_check, int *status)
{
	struct rg_report report = {0};
	struct rg_raddb *raddb = raddb_load(file, &report);
	if (only_check)
		report_print_counted(&report, stdout);
	else
		report_print(&report, stderr);
	report_free(&report);
	*status = raddb ? 0 : EXIT_CONFIGURATION;
	return raddb;
}

static const struct option long_options[] = {{"help", no_argument, NULL, 'h'},
					     {"version", no_argument, NULL, 'V'},
					     {0}};

int main(int argc, char **argv)
{
	static struct rg_daemon daemon;
	static char absolute[PATH_MAX];
	const char *file = RG_SYSCONF_DIR "/roamgate.cfg", *why;
	bool only_check = false;
	int option, status, ready_fd = -1;
	while ((option = getopt_long(argc, argv, "c:fthV", long_options, NULL)) != -1) {
		switch (option) {
		case 'c':
			file = optarg;
			break;
		case 'f':
			daemon.foreground = true;
			break;
		case 't':
			only_check = true;
			break;
		case 'h':
			return usage(stdout, 0);
		case 'V':
			puts("roamgated " PACKAGE_VERSION);
			return 0;
		default:
			return usage(stderr, EXIT_USAGE);
		}
	}
	if (optind != argc)
		return usage(stderr, EXIT_USAGE);
	privileges_begin();
	if (!dictionary_open(NULL, &why)) {
		fprintf(stderr, "roamgated: FreeRADIUS's dictionaries: %s\n", why);
		return 1;
	}
	daemon.file = realpath(file, absolute) ? absolute : file;
	/* What is locked in memory, and what is read into it, would not be so for a child. */
	if (!only_check && !daemon.foreground && daemon.file == absolute) {
		file = absolute;
		ready_fd = go_to_background();
	}
	struct rg_raddb *raddb = NULL;
	status = 1;
	if (!tls_library_watch())
		fputs("roamgated: OpenSSL was begun by another library, and what it has no memory for goes unnoticed\n", stderr);
	/* OpenSSL draws random numbers when it begins: what they come from is a secret for as long as the process lives. */
	if (names_begin() && (only_check || secret_memory_open()) && tls_library_begin())
		raddb = load(file, only_check, &status);
	else
		fputs("roamgated: out of memory\n", stderr);
	if (only_check)
		raddb_free(&raddb);
	else if (raddb)
		status = daemon_run(&daemon, raddb, ready_fd);
	dictionary_close();
	return status;
}

/* `roamgate load`: how much a server bears, and how long it takes; or a fake home server for that.
 */
#include "command/load.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "command/command.h"
#include "command/options.h"
#include "command/server.h"
#include "core/clock.h"
#include "load/sink.h"
#include "transport/udp.h"

static const char synopsis[] =
	"load --server ADDR:PORT --secret-file FILE (--proxy REALM | --eap-tls --certificate FILE "
	"--key FILE |\n"
	"           --eap-ttls|--eap-peap --password-file FILE) [option ...]\n"
	"       roamgate load --sink --listen ADDR:PORT --secret-file FILE [option ...]";
static const char about[] =
	"Signs many in at once and reports throughput, latency, losses and refusals. With --proxy "
	"each sign-in is one\n"
	"Access-Request of a visitor, for a home server that answers at once; with --eap-tls, "
	"--eap-ttls and --eap-peap\nit is a whole conversation. "
	"With --sink it is such a home server itself.\n"
	"Exit status: 0 all accepted, 3 some refused, 4 some without an answer.";

static atomic_int stopping;

static void on_signal(int number)
{
	(void)number;
	stopping = 1;
}

/* Once: the second signal ends the process at once. */
static void watch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* A socket for each port, and more than most shells allow. */
static void allow_descriptors(unsigned ports)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= ports + 64)
		return;
	limit.rlim_cur = ports + 64 < limit.rlim_max ? ports + 64 : limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int run_load(const struct rg_load_options *options, bool json)
{
	struct rg_load_plan plan = {.address_length = 0};
	struct rg_load_tally *tally = calloc(1, sizeof(*tally));
	const char *why = "no memory";
	int status = load_plan(&plan, options, &stopping);
	if (status != RG_EXIT_FINE)
		goto out;
	allow_descriptors(plan.settings.ports);
	plan.settings.progress = isatty(STDERR_FILENO);
	status = RG_EXIT_NOT_RUNNING;
	if (!tally || !load_run(&plan.settings, tally, &why)) {
		fprintf(stderr, "roamgate load: %s: %s\n", plan.text, why);
		goto out;
	}
	if (json) {
		json_t *object = load_json(&plan, tally);
		json_dumpf(object, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
		putchar('\n');
		json_decref(object);
	} else {
		load_print(&plan, tally);
	}
	status = RG_EXIT_FINE;
	if (tally->lost != 0 || tally->nobody_there)
		status = RG_EXIT_NO_ANSWER;
	else if (tally->refused + tally->failed != 0)
		status = RG_EXIT_REFUSED;
out:
	free(tally);
	load_plan_close(&plan);
	return status;
}

static int print_sink(const struct rg_sink_tally *tally, bool json)
{
	json_t *object = json_pack("{s:I, s:I, s:I, s:I}", "answered", (json_int_t)tally->answered,
				   "dropped", (json_int_t)tally->dropped, "ignored",
				   (json_int_t)tally->ignored, "unsent", (json_int_t)tally->unsent);
	if (json)
		json_dumpf(object, stdout, JSON_INDENT(2));
	else
		printf("answered %llu, dropped %llu, ignored %llu, unsent %llu",
		       (unsigned long long)tally->answered, (unsigned long long)tally->dropped,
		       (unsigned long long)tally->ignored, (unsigned long long)tally->unsent);
	putchar('\n');
	json_decref(object);
	return RG_EXIT_FINE;
}

static int serve(const struct rg_sink_settings *settings, const struct sockaddr_storage *address,
		 bool json)
{
	struct rg_sink_tally tally;
	struct sockaddr_storage bound;
	socklen_t length = sizeof(bound);
	char text[80];
	int fd = udp_listen((const struct sockaddr *)address, true);
	if (fd < 0 || getsockname(fd, (struct sockaddr *)&bound, &length) != 0) {
		fprintf(stderr, "roamgate load: --listen: %s\n", strerror(errno));
		if (fd >= 0)
			close(fd);
		return RG_EXIT_NOT_RUNNING;
	}
	server_text(text, &bound, length);
	fprintf(stderr, "roamgate load: sink ready on %s\n", text);
	bool fine = sink_run(settings, fd, &tally);
	close(fd);
	return fine ? print_sink(&tally, json) : RG_EXIT_NOT_RUNNING;
}

static int run_sink(const struct rg_load_options *options, bool json)
{
	double delay = 0, loss = 0;
	const struct rg_load_number numbers[] = {
		{"delay", options->delay_text, 0, 3600000, &delay, false},
		{"loss", options->loss_text, 0, 100, &loss, false},
	};
	struct sockaddr_storage address;
	socklen_t length;
	struct rg_radius_key *key = NULL;
	if (!options->listen || !options->secret_file)
		return usage_error("load", "--sink needs --listen and --secret-file");
	if (options->server || options->proxy || options->method)
		return usage_error("load", "a sink answers: it has no --server");
	if (options->accept && options->reject)
		return usage_error("load", "--accept or --reject, not both");
	int status = load_numbers(numbers, 2);
	if (status == RG_EXIT_FINE)
		status = server_resolve("load", "listen", options->listen, &address, &length);
	if (status == RG_EXIT_FINE)
		status = server_secret("load", options->secret_file, &key);
	const struct rg_sink_settings settings = {
		.key = key,
		.reject = options->reject,
		.delay_ns = (uint64_t)(delay * (double)RG_MS),
		.loss = loss / 100,
		.stop = &stopping,
	};
	if (status == RG_EXIT_FINE)
		status = serve(&settings, &address, json);
	radius_key_free(&key);
	return status;
}

static const char *method_of(const struct rg_load_options *given)
{
	if (given->eap_tls)
		return "tls";
	if (given->eap_ttls)
		return "ttls";
	return given->eap_peap ? "peap" : NULL;
}

int command_load(int argc, char **argv)
{
	struct rg_load_options given = {.server = NULL};
	const struct rg_option rows[] = {
		{"server", "ADDR:PORT", &given.server, NULL, "whom to ask"},
		{"secret-file", "FILE", &given.secret_file, NULL, "its shared secret"},
		{"proxy", "REALM", &given.proxy, NULL, "requests of visitors of that realm"},
		{"eap-tls", NULL, NULL, &given.eap_tls, "whole sign-ins by EAP-TLS"},
		{"eap-ttls", NULL, NULL, &given.eap_ttls, "… by a password inside EAP-TTLS"},
		{"eap-peap", NULL, NULL, &given.eap_peap, "… by a password inside PEAP"},
		{"certificate", "FILE", &given.certificate, NULL, "who signs in, PEM"},
		{"key", "FILE", &given.key, NULL, "the private key, PEM"},
		{"password-file", "FILE", &given.password_file, NULL,
		 "the password of all of them"},
		{"inner", "NAME", &given.inner, NULL, "inside ttls and peap: pap, mschapv2 or gtc"},
		{"inner-identity", "NAME", &given.inner_identity, NULL,
		 "who signs in inside (--identity)"},
		{"ca", "FILE", &given.ca, NULL, "whom the laptops trust; without: any server"},
		{"server-name", "NAME", &given.server_name, NULL,
		 "name in the server's certificate"},
		{"tls", "1.2|1.3", &given.tls, NULL, "this TLS version only"},
		{"resume", NULL, NULL, &given.resume,
		 "resume TLS sessions; first ones do not count"},
		{"identity", "NAME", &given.identity, NULL, "outer identity; %u in it is a number"},
		{"identities", "N", &given.identities_text, NULL,
		 "how many numbers and MACs (10000)"},
		{"called", "TEXT", &given.called, NULL, "Called-Station-Id"},
		{"outstanding", "N", &given.outstanding_text, NULL,
		 "sign-ins under way at once (64)"},
		{"ports", "N", &given.ports_text, NULL, "source ports (one for 64 under way)"},
		{"rate", "R", &given.rate_text, NULL, "sign-ins begun a second (no bound)"},
		{"seconds", "T", &given.seconds_text, NULL, "how long to begin new ones (10)"},
		{"count", "N", &given.count_text, NULL, "how many to begin"},
		{"timeout", "S", &given.timeout_text, NULL, "longest wait for one answer (30)"},
		{"warm-up", "S", &given.warm_up_text, NULL, "as long before anything counts (0)"},
		{"abandon", "N", &given.abandon_text, NULL, "go no further after so many answers"},
		{"pid", "PID", &given.pid_text, NULL, "measure that process's CPU time and memory"},
		{"sink", NULL, NULL, &given.sink, "be a home server that answers at once"},
		{"listen", "ADDR:PORT", &given.listen, NULL, "sink: where"},
		{"delay", "MS", &given.delay_text, NULL, "sink: wait before each answer (0)"},
		{"loss", "PCT", &given.loss_text, NULL, "sink: leave so many unanswered (0)"},
		{"accept", NULL, NULL, &given.accept, "sink: accept all, with keys (the default)"},
		{"reject", NULL, NULL, &given.reject, "sink: reject all"},
		{NULL, NULL, NULL, NULL, NULL},
	};
	struct rg_options options;
	int status = options_parse(&options, argc, argv, synopsis, about, rows);
	if (status != RG_OPTIONS_FINE)
		return status;
	if (options.count != 0)
		return usage_error("load", "%s is one word too many", options.operands[0]);
	if (given.eap_tls + given.eap_ttls + given.eap_peap > 1)
		return usage_error("load", "--eap-tls, --eap-ttls, --eap-peap: one at a time");
	given.method = method_of(&given);
	watch_signals();
	return given.sink ? run_sink(&given, options.json) : run_load(&given, options.json);
}

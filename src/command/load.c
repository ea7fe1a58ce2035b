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

#define IDENTITIES  10000
#define OUTSTANDING 64
#define A_PORT      64 /* sign-ins under way for each port, where --ports does not say */

static const char synopsis[] =
	"load --server ADDR:PORT --secret-file FILE (--proxy REALM | --eap-tls --certificate FILE "
	"--key FILE) [option ...]\n"
	"       roamgate load --sink --listen ADDR:PORT --secret-file FILE [option ...]";
static const char about[] =
	"Signs many in at once and reports throughput, latency, losses and refusals. With --proxy "
	"each sign-in is one\n"
	"Access-Request of a visitor, for a home server that answers at once; with --eap-tls it is "
	"a whole conversation.\n"
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

struct number {
	const char *option, *text;
	double least, most, *value;
	bool whole;
};

static int read_numbers(const struct number *numbers, size_t count)
{
	for (const struct number *at = numbers; at < numbers + count; at++) {
		char *end;
		if (!at->text)
			continue;
		*at->value = strtod(at->text, &end);
		if (end == at->text || *end != '\0' ||
		    !(*at->value >= at->least && *at->value <= at->most) ||
		    (at->whole && *at->value != (double)(int64_t)*at->value))
			return usage_error("load",
					   "--%s wants a%s number from %.15g to %.15g, not %s",
					   at->option, at->whole ? " whole" : "", at->least,
					   at->most, at->text);
	}
	return RG_EXIT_FINE;
}

static int settle_numbers(struct rg_load_settings *settings, const struct rg_load_options *options)
{
	double outstanding = OUTSTANDING, identities = IDENTITIES, ports = 0, rate = 0, seconds = 0,
	       count = 0, timeout = 30, warm_up = 0, pid = 0;
	const struct number numbers[] = {
		{"outstanding", options->outstanding_text, 1, 200000, &outstanding, true},
		{"identities", options->identities_text, 1, 4294967295.0, &identities, true},
		{"ports", options->ports_text, 1, 20000, &ports, true},
		{"rate", options->rate_text, 0.001, 1e7, &rate, false},
		{"seconds", options->seconds_text, 0.001, 1e7, &seconds, false},
		{"count", options->count_text, 1, 1e15, &count, true},
		{"timeout", options->timeout_text, 0.1, 3600, &timeout, false},
		{"warm-up", options->warm_up_text, 0, 1e6, &warm_up, false},
		{"pid", options->pid_text, 1, 4194304, &pid, true},
	};
	int status = read_numbers(numbers, sizeof(numbers) / sizeof(numbers[0]));
	if (status != RG_EXIT_FINE)
		return status;
	if (!options->ports_text)
		ports = outstanding < 4 * A_PORT ? 4
						 : ((unsigned)outstanding + A_PORT - 1) / A_PORT;
	if (ports * 256 < outstanding)
		return usage_error("load",
				   "%g ports hold %g requests, not %g (256 Identifiers each)",
				   ports, ports * 256, outstanding);
	if (!options->seconds_text && !options->count_text)
		seconds = 10;
	settings->outstanding = (unsigned)outstanding;
	settings->identities = (uint32_t)identities;
	settings->ports = (unsigned)ports;
	settings->rate = rate;
	settings->duration_ns = (uint64_t)(seconds * (double)RG_SECOND);
	settings->count = (uint64_t)count;
	settings->timeout_ns = (uint64_t)(timeout * (double)RG_SECOND);
	settings->warm_up_ns = (uint64_t)(warm_up * (double)RG_SECOND);
	settings->pid = (int)pid;
	return RG_EXIT_FINE;
}

static int settle_visitor(struct rg_load_plan *plan, const struct rg_load_options *options)
{
	if (options->certificate || options->key || options->ca || options->tls || options->resume)
		return usage_error("load", "--proxy sends no certificates: that is --eap-tls");
	plan->visitor.key = plan->key;
	plan->visitor.called = options->called ? options->called : "02-00-00-00-00-01:govroam";
	plan->settings.script = &script_visitor;
	plan->settings.script_settings = &plan->visitor;
	snprintf(plan->pattern, sizeof(plan->pattern), "visitor%%u@%.253s", options->proxy);
	return RG_EXIT_FINE;
}

static int settle_laptop(struct rg_load_plan *plan, const struct rg_load_options *options)
{
	char why[256];
	const struct rg_supplicant_settings settings = {
		.certificate = options->certificate,
		.private_key = options->key,
		.ca = options->ca,
		.server_name = options->server_name,
		.tls_min = options->tls,
		.tls_max = options->tls,
		.resume = options->resume,
	};
	struct rg_laptop_settings *laptop = &plan->laptop;
	if (!options->certificate || !options->identity)
		return usage_error("load", "--eap-tls needs --certificate, --key and --identity");
	laptop->key = plan->key;
	laptop->called = options->called ? options->called : "02-00-00-00-00-01:govroam";
	unsigned wanted = options->resume ? plan->settings.outstanding : 1;
	laptop->profiles = calloc(wanted, sizeof(struct rg_supplicant_profile *));
	if (!laptop->profiles)
		return usage_error("load", "no memory");
	for (; laptop->profile_count < wanted; laptop->profile_count++) {
		laptop->profiles[laptop->profile_count] = supplicant_profile_new(&settings, why);
		if (!laptop->profiles[laptop->profile_count])
			return usage_error("load", "%s", why);
	}
	plan->settings.script = &script_laptop;
	plan->settings.script_settings = laptop;
	plan->settings.warm_up_each = options->resume;
	return RG_EXIT_FINE;
}

/* Judges the options together and fills what was not given. */
static int settle(struct rg_load_plan *plan, const struct rg_load_options *options)
{
	if (!options->server || !options->secret_file)
		return usage_error("load", "--server and --secret-file are needed");
	if (!options->proxy == !options->eap_tls)
		return usage_error("load", "what is to be sent: --proxy REALM or --eap-tls?");
	if (options->tls && strcmp(options->tls, "1.2") != 0 && strcmp(options->tls, "1.3") != 0)
		return usage_error("load", "--tls is 1.2 or 1.3, not %s", options->tls);
	int status = settle_numbers(&plan->settings, options);
	if (status == RG_EXIT_FINE)
		status = server_resolve("load", "server", options->server, &plan->address,
					&plan->address_length);
	if (status == RG_EXIT_FINE)
		status = server_secret("load", options->secret_file, &plan->key);
	if (status == RG_EXIT_FINE)
		status = options->proxy ? settle_visitor(plan, options)
					: settle_laptop(plan, options);
	if (status != RG_EXIT_FINE)
		return status;
	if (options->identity)
		snprintf(plan->pattern, sizeof(plan->pattern), "%s", options->identity);
	if (!who_pattern_fits(plan->pattern))
		return usage_error("load", "an identity has 1 to 253 octets");
	server_text(plan->text, &plan->address, plan->address_length);
	plan->settings.server = (const struct sockaddr *)&plan->address;
	plan->settings.pattern = plan->pattern;
	plan->settings.stop = &stopping;
	return RG_EXIT_FINE;
}

static void plan_close(struct rg_load_plan *plan)
{
	for (unsigned i = 0; i < plan->laptop.profile_count; i++)
		supplicant_profile_free(&plan->laptop.profiles[i]);
	free(plan->laptop.profiles);
	radius_key_free(&plan->key);
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
	int status = settle(&plan, options);
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
	plan_close(&plan);
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
	const struct number numbers[] = {
		{"delay", options->delay_text, 0, 3600000, &delay, false},
		{"loss", options->loss_text, 0, 100, &loss, false},
	};
	struct sockaddr_storage address;
	socklen_t length;
	struct rg_radius_key *key = NULL;
	if (!options->listen || !options->secret_file)
		return usage_error("load", "--sink needs --listen and --secret-file");
	if (options->server || options->proxy || options->eap_tls)
		return usage_error("load", "a sink answers: it has no --server");
	if (options->accept && options->reject)
		return usage_error("load", "--accept or --reject, not both");
	int status = read_numbers(numbers, 2);
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

int command_load(int argc, char **argv)
{
	struct rg_load_options given = {.server = NULL};
	const struct rg_option rows[] = {
		{"server", "ADDR:PORT", &given.server, NULL, "whom to ask"},
		{"secret-file", "FILE", &given.secret_file, NULL, "its shared secret"},
		{"proxy", "REALM", &given.proxy, NULL, "requests of visitors of that realm"},
		{"eap-tls", NULL, NULL, &given.eap_tls, "whole sign-ins by EAP-TLS"},
		{"certificate", "FILE", &given.certificate, NULL, "who signs in, PEM"},
		{"key", "FILE", &given.key, NULL, "the private key, PEM"},
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
	watch_signals();
	return given.sink ? run_sink(&given, options.json) : run_load(&given, options.json);
}

/* What `roamgate load` is to do, from the options that were given. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "command/load.h"
#include "command/options.h"
#include "command/server.h"
#include "core/clock.h"
#include "core/secret.h"

#define IDENTITIES  10000
#define OUTSTANDING 64
#define A_PORT      64 /* sign-ins under way for each port, where --ports does not say */
#define CALLED      "02-00-00-00-00-01:govroam"

int load_numbers(const struct rg_load_number *numbers, size_t count)
{
	for (const struct rg_load_number *at = numbers; at < numbers + count; at++) {
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
	       count = 0, timeout = 30, warm_up = 0, pid = 0, abandon = 0;
	const struct rg_load_number numbers[] = {
		{"outstanding", options->outstanding_text, 1, 200000, &outstanding, true},
		{"identities", options->identities_text, 1, 4294967295.0, &identities, true},
		{"ports", options->ports_text, 1, 20000, &ports, true},
		{"rate", options->rate_text, 0.001, 1e7, &rate, false},
		{"seconds", options->seconds_text, 0.001, 1e7, &seconds, false},
		{"count", options->count_text, 1, 1e15, &count, true},
		{"timeout", options->timeout_text, 0.1, 3600, &timeout, false},
		{"warm-up", options->warm_up_text, 0, 1e6, &warm_up, false},
		{"pid", options->pid_text, 1, 4194304, &pid, true},
		{"abandon", options->abandon_text, 1, 100, &abandon, true},
	};
	int status = load_numbers(numbers, sizeof(numbers) / sizeof(numbers[0]));
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
	settings->abandon = (unsigned)abandon;
	return RG_EXIT_FINE;
}

static int settle_visitor(struct rg_load_plan *plan, const struct rg_load_options *options)
{
	if (options->certificate || options->key || options->ca || options->tls ||
	    options->resume || options->password_file || options->inner)
		return usage_error(
			"load", "--proxy shows no certificate and no password: that is --eap-tls "
				"and its like");
	plan->kind = "proxy";
	plan->visitor.key = plan->key;
	plan->visitor.called = options->called ? options->called : CALLED;
	plan->settings.script = &script_visitor;
	plan->settings.script_settings = &plan->visitor;
	snprintf(plan->pattern, sizeof(plan->pattern), "visitor%%u@%.253s", options->proxy);
	return RG_EXIT_FINE;
}

/* Whether a laptop of that method has what it needs to sign in. */
static int check_laptop(const struct rg_load_options *options)
{
	const char *method = options->method;
	bool tunnel = strcmp(method, "tls") != 0;
	if (!options->identity)
		return usage_error("load", "--eap-%s needs --identity", method);
	if (!tunnel && !options->certificate)
		return usage_error("load", "--eap-tls needs --certificate and --key");
	if (!tunnel && (options->password_file || options->inner || options->inner_identity))
		return usage_error("load", "--eap-tls has no password, and nothing inside");
	if (tunnel && !options->password_file)
		return usage_error("load", "--eap-%s needs --password-file", method);
	return RG_EXIT_FINE;
}

/* One for each sign-in under way where each resumes its own session, or one for all. */
static int make_profiles(struct rg_laptop_settings *laptop,
			 const struct rg_supplicant_settings *settings, unsigned wanted)
{
	char why[256];
	laptop->profiles = calloc(wanted, sizeof(struct rg_supplicant_profile *));
	if (!laptop->profiles)
		return usage_error("load", "no memory");
	for (; laptop->profile_count < wanted; laptop->profile_count++) {
		laptop->profiles[laptop->profile_count] = supplicant_profile_new(settings, why);
		if (!laptop->profiles[laptop->profile_count])
			return usage_error("load", "%s", why);
	}
	return RG_EXIT_FINE;
}

static int settle_laptop(struct rg_load_plan *plan, const struct rg_load_options *options)
{
	struct rg_laptop_settings *laptop = &plan->laptop;
	struct rg_secret *password = NULL;
	int status = check_laptop(options);
	if (status == RG_EXIT_FINE)
		status = server_password("load", options->password_file, &password);
	if (status != RG_EXIT_FINE)
		return status;
	const struct rg_supplicant_settings settings = {
		.method = options->method,
		.certificate = options->certificate,
		.private_key = options->key,
		.ca = options->ca,
		.server_name = options->server_name,
		.tls_min = options->tls,
		.tls_max = options->tls,
		.resume = options->resume,
		.inner = options->inner,
		.password = secret_span(password),
	};
	snprintf(plan->kind_text, sizeof(plan->kind_text), "eap-%s", options->method);
	plan->kind = plan->kind_text;
	laptop->key = plan->key;
	laptop->called = options->called ? options->called : CALLED;
	laptop->inner_pattern =
		options->inner_identity ? options->inner_identity : options->identity;
	plan->settings.script = &script_laptop;
	plan->settings.script_settings = laptop;
	plan->settings.warm_up_each = options->resume;
	status = make_profiles(laptop, &settings, options->resume ? plan->settings.outstanding : 1);
	secret_free(&password);
	return status;
}

int load_plan(struct rg_load_plan *plan, const struct rg_load_options *options,
	      const atomic_int *stop)
{
	if (!options->server || !options->secret_file)
		return usage_error("load", "--server and --secret-file are needed");
	if (!options->proxy == !options->method)
		return usage_error(
			"load", "what is to be sent: --proxy REALM or --eap-tls (-ttls, -peap)?");
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
	if (!who_pattern_fits(plan->pattern) ||
	    (options->inner_identity && !who_pattern_fits(options->inner_identity)))
		return usage_error("load", "an identity has 1 to 253 octets");
	server_text(plan->text, &plan->address, plan->address_length);
	plan->settings.server = (const struct sockaddr *)&plan->address;
	plan->settings.pattern = plan->pattern;
	plan->settings.stop = stop;
	return RG_EXIT_FINE;
}

void load_plan_close(struct rg_load_plan *plan)
{
	for (unsigned i = 0; i < plan->laptop.profile_count; i++)
		supplicant_profile_free(&plan->laptop.profiles[i]);
	free(plan->laptop.profiles);
	radius_key_free(&plan->key);
}

/* `roamgate test`: signs in for real, as a laptop would, over RADIUS. */
#include "command/test.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "command/server.h"
#include "core/clock.h"
#include "core/secret.h"
#include "core/text.h"
#include "radius/dictionary.h"
#include "supplicant/method.h"

#define REPEAT_MOST 1000000
#define FRAMED_MTU  1400

static const char synopsis[] =
	"test IDENTITY [--certificate FILE --key FILE | --password-file FILE] [--ca FILE] "
	"[option ...]";
static const char about[] = "Signs IDENTITY in as a laptop at a town hall would, over RADIUS, and "
			    "prints each step and\n"
			    "the verdict. It asks the gateway of the configuration, or the server "
			    "that --server names.\n"
			    "Exit status: 0 accepted, 3 refused, 4 no answer.";

static int read_number(const char *option, const char *text, double least, double most,
		       double *number)
{
	char *end;
	if (!text)
		return RG_EXIT_FINE;
	*number = strtod(text, &end);
	if (end == text || *end != '\0' || !(*number >= least && *number <= most))
		return usage_error("test", "--%s wants a number from %g to %g, not %s", option,
				   least, most, text);
	return RG_EXIT_FINE;
}

static int check_method(const struct rg_test *test)
{
	const char *method = test->method;
	bool tunnel = strcmp(method, "tls") != 0;
	bool certificate = !tunnel || (test->inner && strcmp(test->inner, "tls") == 0);
	if (!peer_method_by_label(method))
		return usage_error("test", "--method is tls, ttls or peap, not %s", method);
	if (!certificate && !test->password_file)
		return usage_error("test", "method %s needs --password-file", method);
	if (certificate && test->password_file)
		return usage_error("test", "--password-file: method tls asks for no password");
	if (!tunnel && test->inner)
		return usage_error("test", "--inner: method tls has nothing inside");
	if (certificate && !test->certificate)
		return usage_error("test", "method %s needs --certificate and --key, or a "
					   "--password-file for peap and ttls",
				   tunnel ? "tls inside" : method);
	return RG_EXIT_FINE;
}

/* Judges the options together and fills what was not given. */
static int settle(struct rg_test *test, const struct rg_options *options)
{
	double repeat = test->resume ? 2 : 1, timeout = 30;
	if (options->count != 1)
		return usage_error("test", options->count == 0 ? "who is to sign in?"
							       : "one IDENTITY at a time");
	test->identity = options->operands[0];
	text_escape(test->shown, sizeof(test->shown), span_text(test->identity));
	if (!test->outer)
		test->outer = test->identity;
	if (strlen(test->identity) == 0 || strlen(test->outer) > 253)
		return usage_error("test", "an identity has 1 to 253 octets");
	if (!test->method)
		test->method = test->password_file ? "peap" : "tls";
	int status = check_method(test);
	if (status == RG_EXIT_FINE)
		status = read_number("repeat", test->repeat_text, 1, REPEAT_MOST, &repeat);
	if (status == RG_EXIT_FINE)
		status = read_number("timeout", test->timeout_text, 0.1, 3600, &timeout);
	if (status != RG_EXIT_FINE)
		return status;
	test->repeat = (unsigned)repeat;
	test->timeout_ns = (uint64_t)(timeout * (double)RG_SECOND);
	if (!text_mac(test->mac, span_text(test->mac_text)))
		return usage_error("test", "--mac %s is no MAC address", test->mac_text);
	if (test->tls && strcmp(test->tls, "1.2") != 0 && strcmp(test->tls, "1.3") != 0)
		return usage_error("test", "--tls is 1.2 or 1.3, not %s", test->tls);
	return RG_EXIT_FINE;
}

static struct rg_supplicant_profile *load_profile(const struct rg_test *test)
{
	char why[256];
	const struct rg_supplicant_settings settings = {
		.method = test->method,
		.certificate = test->certificate,
		.private_key = test->key,
		.ca = test->ca,
		.server_name = test->server_name,
		.tls_min = test->tls,
		.tls_max = test->tls,
		.resume = test->resume,
		.identity = test->identity,
		.inner = test->inner,
		.password = secret_span(test->password),
	};
	struct rg_supplicant_profile *profile = supplicant_profile_new(&settings, why);
	if (!profile)
		usage_error("test", "%s", why);
	return profile;
}

static void skip_step(void *context, const struct rg_test_step *step)
{
	(void)context;
	(void)step;
}

/* Signs in once. The exit status; 1 where it could not be tried. */
static int sign_in(const struct rg_test *test, const struct rg_test_target *target,
		   struct rg_supplicant_profile *profile, unsigned number, json_t *list)
{
	char called[128];
	int status = RG_EXIT_NOT_RUNNING;
	snprintf(called, sizeof(called), "02-00-00-00-00-01:%s",
		 target->ssid ? target->ssid : "govroam");
	const struct rg_supplicant_identity identity = {
		.outer = test->outer,
		.calling = test->mac,
		.called = test->called ? test->called : called,
		.framed_mtu = FRAMED_MTU,
		.nas_identifier = "roamgate-test",
	};
	struct rg_supplicant *supplicant = supplicant_new(profile, &identity, target->key);
	struct rg_test_run run = {.number = number};
	if (!list)
		test_print_begin(test, target, number);
	if (supplicant && test_exchange(&run, target, supplicant, test->timeout_ns,
					list ? skip_step : test_print_step, NULL)) {
		status = test_status(&run);
		run.seen = test_trace(test, target, &run);
		if (list)
			json_array_append_new(list, test_json(test, target, &run));
		else
			test_print_run(test, &run);
	}
	json_decref(run.seen);
	supplicant_free(&supplicant);
	return status;
}

/* One object: the last sign-in, and all of them where there were several. */
static void print_json(json_t *list)
{
	size_t count = json_array_size(list);
	json_t *last = count ? json_deep_copy(json_array_get(list, count - 1)) : json_object();
	if (count > 1)
		json_object_set(last, "sign_ins", list);
	json_dumpf(last, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(last);
}

static int run_all(const struct rg_test *test, const struct rg_test_target *target, bool json)
{
	const char *why;
	struct rg_supplicant_profile *profile = load_profile(test);
	if (!profile)
		return RG_EXIT_USAGE;
	if (!dictionary_open(NULL, &why))
		fprintf(stderr,
			"roamgate test: without dictionaries the reply cannot be shown: %s\n", why);
	json_t *list = json ? json_array() : NULL;
	int status = RG_EXIT_FINE;
	for (unsigned number = 1; number <= test->repeat; number++) {
		int one = sign_in(test, target, profile, number, list);
		if (status == RG_EXIT_FINE)
			status = one;
		if (one == RG_EXIT_NOT_RUNNING)
			break;
	}
	if (list)
		print_json(list);
	json_decref(list);
	supplicant_profile_free(&profile);
	dictionary_close();
	return status;
}

int command_test(int argc, char **argv)
{
	struct rg_options options;
	struct rg_test test = {.mac_text = "02-00-00-00-00-02"};
	const struct rg_option own[] = {
		{"certificate", "FILE", &test.certificate, NULL, "the person's certificate, PEM"},
		{"key", "FILE", &test.key, NULL, "its private key (without: in the same file)"},
		{"password-file", "FILE", &test.password_file, NULL,
		 "the person's password, for peap and ttls"},
		{"ca", "FILE", &test.ca, NULL, "who may have signed the server's certificate"},
		{"server-name", "NAME", &test.server_name, NULL, "the name that it must bear"},
		{"method", "NAME", &test.method, NULL, "the EAP method: tls, ttls or peap"},
		{"inner", "NAME", &test.inner, NULL, "inside ttls and peap: pap, mschapv2, eap-mschapv2, gtc or tls"},
		{"server", "ADDR:PORT", &test.server, NULL, "another RADIUS server to ask"},
		{"secret-file", "FILE", &test.secret_file, NULL, "its shared secret"},
		{"outer", "NAME", &test.outer, NULL, "outer identity (without: IDENTITY)"},
		{"mac", "MAC", &test.mac_text, NULL, "Calling-Station-Id (02-00-00-00-00-02)"},
		{"called", "TEXT", &test.called, NULL,
		 "Called-Station-Id (02-00-00-00-00-01:SSID)"},
		{"tls", "VERSION", &test.tls, NULL, "1.2 or 1.3 only (without: either)"},
		{"resume", NULL, NULL, &test.resume, "sign in again on the same TLS session"},
		{"repeat", "COUNT", &test.repeat_text, NULL, "so many sign-ins in a row"},
		{"timeout", "SECONDS", &test.timeout_text, NULL, "longest wait for an answer (30)"},
		{NULL, NULL, NULL, NULL, NULL},
	};
	struct rg_test_target target;
	int status = options_parse(&options, argc, argv, synopsis, about, own);
	if (status != RG_OPTIONS_FINE)
		return status;
	status = settle(&test, &options);
	if (status == RG_EXIT_FINE)
		status = server_password("test", test.password_file, &test.password);
	if (status != RG_EXIT_FINE)
		return status;
	status = test_target_open(&target, &test, options.file);
	if (status == RG_EXIT_FINE)
		status = run_all(&test, &target, options.json);
	test_target_close(&target);
	secret_free(&test.password);
	return status;
}

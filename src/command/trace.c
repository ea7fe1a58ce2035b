/* roamgate trace: the last sign-ins of a person or a device, step by step, with what to do. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "command/control_client.h"
#include "command/options.h"
#include "command/show.h"

#define TIMEOUT_MS 10000

struct word {
	char text[1024];
};

/* A field of the sign-in, safe to print; "" where it has none. */
static struct word field(const json_t *object, const char *key)
{
	struct word word;
	show_text(word.text, sizeof(word.text), json_string_value(json_object_get(object, key)));
	return word;
}

static double ms_of(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static void print_steps(const json_t *signin)
{
	size_t i;
	json_t *step;
	int widest = 0;
	json_t *steps = json_object_get(signin, "steps");
	json_array_foreach(steps, i, step) {
		int width = (int)strlen(field(step, "step").text);
		widest = width > widest ? width : widest;
	}
	json_array_foreach(steps, i, step)
		printf("    %8.1f ms  %-*s  %s\n", ms_of(step, "ms"), widest, field(step, "step").text,
		       field(step, "detail").text);
	if (json_is_integer(json_object_get(signin, "steps_lost")))
		printf("    … and %lld more\n",
		       (long long)json_integer_value(json_object_get(signin, "steps_lost")));
}

static void print_row(const char *name, const char *value)
{
	if (value[0])
		printf("  %-8s %s\n", name, value);
}

static void print_where(const json_t *signin)
{
	char line[4096];
	struct word mac = field(signin, "mac"), client = field(signin, "client"),
		    site = field(signin, "site"), called = field(signin, "called");
	snprintf(line, sizeof(line), "%s%s%s%s%s%s", client.text, site.text[0] ? ", site " : "", site.text,
		 called.text[0] ? ", network " : "", called.text, "");
	print_row("device", mac.text);
	print_row("at", line);
}

static void print_method(const json_t *signin)
{
	char line[4096];
	struct word method = field(signin, "method"), tls = field(signin, "tls");
	snprintf(line, sizeof(line), "%s%s%s%s", method.text, tls.text[0] ? ", TLS " : "", tls.text,
		 json_is_true(json_object_get(signin, "resumed")) ? ", resumed" : "");
	print_row("method", line);
}

static void print_time_spent(const json_t *signin)
{
	static const char *const parts[][2] = {
		{"tls_ms", "TLS"}, {"directory_ms", "directory"}, {"upstream_ms", "upstream"}};
	bool any = false;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (ms_of(signin, parts[i][0]) <= 0)
			continue;
		printf("%s%s %.1f ms", any ? ", " : "  spent    ", parts[i][1], ms_of(signin, parts[i][0]));
		any = true;
	}
	if (any)
		printf("\n");
}

static enum rg_colour result_colour(const char *result)
{
	return strcmp(result, "accept") == 0 ? RG_GREEN : strcmp(result, "reject") == 0 ? RG_RED : RG_YELLOW;
}

static void print_signin(const json_t *signin)
{
	char time[64];
	struct word inner = field(signin, "inner"), outer = field(signin, "outer"),
		    result = field(signin, "result"), reason = field(signin, "reason"),
		    detail = field(signin, "detail");
	local_time(time, json_string_value(json_object_get(signin, "time")));
	printf("%s  ", time);
	show_coloured(RG_BOLD, inner.text[0] ? inner.text : outer.text);
	printf("  ");
	show_coloured(result_colour(result.text), result.text);
	printf(" after %.1f ms\n", ms_of(signin, "ms"));
	if (inner.text[0] && strcmp(inner.text, outer.text) != 0)
		print_row("outer", outer.text);
	print_where(signin);
	print_row("realm", field(signin, "realm").text);
	print_method(signin);
	print_steps(signin);
	print_time_spent(signin);
	printf("  reason   ");
	show_coloured(result_colour(result.text), reason.text);
	printf("%s%s\n", detail.text[0] ? ": " : "", detail.text);
	print_row("advice", field(signin, "advice").text);
	print_row("id", field(signin, "id").text);
	printf("\n");
}

static void print_one(const json_t *signin, bool json)
{
	if (json) {
		json_dumpf(signin, stdout, JSON_COMPACT | JSON_REAL_PRECISION(12));
		printf("\n");
	} else {
		print_signin(signin);
	}
	fflush(stdout); /* --follow into a pipe */
}

/* Oldest first, so that the newest stands where the eye is. */
static int print_answer(const json_t *answer, const char *who, bool json)
{
	const json_t *signins = json_object_get(answer, "sign_ins");
	size_t count = json_array_size(signins);
	if (json) {
		json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
		printf("\n");
	}
	for (size_t i = count; !json && i > 0; i--)
		print_signin(json_array_get(signins, i - 1));
	if (count == 0 && !json)
		fprintf(stderr, "roamgate trace: no sign-in of %s has ended of late; one under way shows once it is over\n",
			who[0] ? who : "anyone");
	return count == 0 ? RG_EXIT_NONE_SEEN : RG_EXIT_FINE;
}

/* What was, then what comes, until the gateway or the reader goes. */
static enum rg_control_result follow(struct rg_control_client *client, const char *who, int most,
				     bool json, char *why)
{
	json_t *answer = NULL;
	json_t *request = json_pack("{s:s, s:s, s:i}", "command", "trace", "who", who, "most", most);
	enum rg_control_result result = control_ask(client, request, TIMEOUT_MS, &answer, why);
	json_decref(request);
	if (result != RG_CONTROL_OK)
		return result;
	const json_t *signins = json_object_get(answer, "sign_ins");
	for (size_t i = json_array_size(signins); i > 0; i--)
		print_one(json_array_get(signins, i - 1), json);
	request = json_pack("{s:s, s:s, s:b, s:O}", "command", "trace", "who", who, "follow", 1, "after",
			    json_object_get(answer, "serial"));
	json_decref(answer);
	result = control_send(client, request, why);
	json_decref(request);
	while (result == RG_CONTROL_OK) {
		result = control_next(client, -1, &answer, why);
		if (result == RG_CONTROL_OK)
			print_one(answer, json);
		json_decref(answer);
	}
	return result;
}

static int run_follow(const char *command, const char *file, const char *who, int most, bool json)
{
	char path[4096], why[256] = "";
	struct rg_control_client *client;
	control_path(file, path, sizeof(path));
	if (control_connect(&client, path, why) == RG_CONTROL_OK)
		follow(client, who, most, json, why);
	fprintf(stderr, "roamgate %s: %s\n", command, why);
	control_disconnect(&client);
	return RG_EXIT_NOT_RUNNING;
}

int command_trace(int argc, char **argv)
{
	struct rg_options options;
	bool following = false;
	const char *most_text = "20";
	const struct rg_option own[] = {
		{"follow", NULL, NULL, &following, "and then each new one as it ends"},
		{"most", "N", &most_text, NULL, "how many at most (20)"},
		{0},
	};
	int stop = options_parse(&options, argc, argv, "trace [IDENTITY|MAC] [--follow] [-c FILE] [--json]",
				 "The last sign-ins of a person (outer or inner name) or a device (MAC address in any\n"
				 "notation), or of everyone: step by step, with the reason and what to do.", own);
	if (stop != RG_OPTIONS_FINE)
		return stop;
	char *end;
	long most = strtol(most_text, &end, 10);
	if (*end || end == most_text || most < 0 || most > 1000)
		return usage_error(argv[0], "--most is a number of 0 to 1000");
	if (options.count > 1)
		return usage_error(argv[0], "%s: one identity or MAC address at a time", options.operands[1]);
	const char *who = options.count ? options.operands[0] : "";
	json_t *request = json_pack("{s:s, s:s, s:i}", "command", "trace", "who", who, "most", (int)most);
	if (!request)
		return usage_error(argv[0], "that name is no UTF-8");
	if (following) {
		json_decref(request);
		return run_follow(argv[0], options.file, who, (int)most, options.json);
	}
	json_t *answer = control_question(argv[0], options.file, request, TIMEOUT_MS);
	json_decref(request);
	if (!answer)
		return RG_EXIT_NOT_RUNNING;
	stop = print_answer(answer, who, options.json);
	json_decref(answer);
	return stop;
}

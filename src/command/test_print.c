/* What `roamgate test` shows, to people and to machines. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "command/test.h"
#include "core/clock.h"
#include "core/text.h"
#include "radius/dictionary.h"

static double ms(uint64_t ns)
{
	return (double)ns / (double)RG_MS;
}

static const char *code_word(uint8_t code)
{
	switch (code) {
	case RG_ACCESS_ACCEPT:
		return "Access-Accept";
	case RG_ACCESS_REJECT:
		return "Access-Reject";
	case RG_ACCESS_CHALLENGE:
		return "Access-Challenge";
	default: /* no other reply counts */
		return "no answer";
	}
}

int test_status(const struct rg_test_run *run)
{
	if (!run->answered)
		return RG_EXIT_NO_ANSWER;
	return run->state == RG_SUPPLICANT_ACCEPTED ? RG_EXIT_FINE : RG_EXIT_REFUSED;
}

static const char *result_word(const struct rg_test_run *run)
{
	if (!run->answered)
		return "no-answer";
	switch (run->state) {
	case RG_SUPPLICANT_ACCEPTED:
		return "accepted";
	case RG_SUPPLICANT_REFUSED:
		return "refused";
	case RG_SUPPLICANT_SEND:
	case RG_SUPPLICANT_FAILED:
		break;
	}
	return "failed";
}

static const char *why(const struct rg_test_run *run)
{
	return run->answered ? run->report->why : run->silence;
}

/* Names as a configuration writes them: tag 0 is no tag (RFC 2868 §3.1). What only carries the
 * conversation is left out, as are keys. NULL: not shown. */
static const char *shown_name(char out[128], const char *name)
{
	static const char *const hidden[] = {"EAP-Message", "Message-Authenticator",
					     "MS-MPPE-Recv-Key", "MS-MPPE-Send-Key", NULL};
	size_t length = strlen(name);
	if (length > 2 && strcmp(name + length - 2, ":0") == 0)
		length -= 2;
	snprintf(out, 128, "%.*s", (int)length, name);
	for (const char *const *word = hidden; *word; word++)
		if (strcmp(*word, out) == 0)
			return NULL;
	return out;
}

void test_print_begin(const struct rg_test *test, const struct rg_test_target *target,
		      unsigned number)
{
	if (number > 1)
		printf("\n");
	printf("Signing in %s at %s", test->shown, target->text);
	if (target->client)
		printf(" as client %s", target->client);
	if (test->repeat > 1)
		printf(", %u of %u", number, test->repeat);
	printf("\n");
}

void test_print_step(void *context, const struct rg_test_step *step)
{
	(void)context;
	printf("  %2u  %4zu octets out", step->number, step->sent);
	if (step->code != 0)
		printf(", %4zu in", step->received);
	else
		printf(",    - in");
	printf("  %8.1f ms  %-16s  %s", ms(step->ns), code_word(step->code), step->stage);
	if (step->repeats != 0)
		printf("  (sent again %u time%s)", step->repeats, text_plural(step->repeats));
	printf("\n");
	fflush(stdout);
}

static void print_attribute(void *context, const char *name, const char *value)
{
	const char **label = context;
	char shown[128];
	if (!shown_name(shown, name))
		return;
	printf("  %-11s %s = %s\n", *label, shown, value);
	*label = "";
}

static void print_server(const struct rg_supplicant_report *report)
{
	if (!report->server_subject)
		return;
	printf("  %-11s %s\n", "server", report->server_subject);
	printf("  %-11s names %s\n", "", report->server_sans[0] ? report->server_sans : "none");
	printf("  %-11s issued by %s, until %s\n", "", report->server_issuer,
	       report->server_not_after);
	if (report->server_trusted)
		printf("  %-11s trusted\n", "");
	else
		printf("  %-11s NOT TRUSTED: %s\n", "",
		       report->trust_error ? report->trust_error : "the handshake did not end");
}

/* A text of the gateway's own record; NULL: there is none. */
static const char *seen_text(const struct rg_test_run *run, const char *key)
{
	const char *text = json_string_value(json_object_get(run->seen, key));
	return text && text[0] ? text : NULL;
}

/* The gateway knows why; without its word, as far as a supplicant can tell. NULL: it cannot. */
static const char *reason_of(const struct rg_test_run *run)
{
	const char *seen = seen_text(run, "reason");
	if (seen)
		return seen;
	return run->report->reason == RG_REASON_NONE ? NULL : reason_word(run->report->reason);
}

static const char *advice_of(const struct rg_test_run *run)
{
	if (seen_text(run, "reason"))
		return seen_text(run, "advice");
	return run->report->reason == RG_REASON_NONE ? NULL : reason_advice(run->report->reason);
}

static void print_why(const struct rg_test_run *run)
{
	const struct rg_supplicant_report *report = run->report;
	if (run->answered && run->state == RG_SUPPLICANT_ACCEPTED)
		return;
	if (why(run))
		printf("  %-11s %s\n", "why", why(run));
	if (reason_of(run))
		printf("  %-11s %s%s\n", "reason", reason_of(run),
		       run->seen ? ", says the gateway" : "");
	if (seen_text(run, "detail"))
		printf("  %-11s %s\n", "", seen_text(run, "detail"));
	if (advice_of(run))
		printf("  %-11s %s\n", "", advice_of(run));
	if (report->ignored != 0)
		printf("  %-11s %u %s ignored: %s\n", "replies", report->ignored,
		       report->ignored == 1 ? "was" : "were", report->ignored_why);
}

void test_print_run(const struct rg_test *test, const struct rg_test_run *run)
{
	const struct rg_supplicant_report *report = run->report;
	static const char *const shouted[][2] = {{"accepted", "ACCEPTED"},
						 {"refused", "REFUSED"},
						 {"no-answer", "NO ANSWER"},
						 {"failed", "FAILED"}};
	const char *word = result_word(run);
	for (size_t i = 0; i < sizeof(shouted) / sizeof(shouted[0]); i++)
		if (strcmp(shouted[i][0], word) == 0)
			word = shouted[i][1];
	printf("\n%s  %s: %u round %s, %.1f ms\n", word, test->shown, report->round_trips,
	       report->round_trips == 1 ? "trip" : "trips", ms(run->ns));
	print_why(run);
	if (report->method)
		printf("  %-11s %s%s%s%s%s%s\n", "method", report->method,
		       report->inner ? ", inside " : "", report->inner ? report->inner : "",
		       report->tls ? ", TLS " : "", report->tls ? report->tls : "",
		       report->resumed ? ", session resumed" : "");
	print_server(report);
	if (run->answered && run->state == RG_SUPPLICANT_ACCEPTED)
		printf("  %-11s %s\n", "keys",
		       report->keys_match ? "the same on both sides"
					  : "NONE came: wifi would not come up");
	const char *label = "reply";
	if (report->reply)
		dictionary_print(report->reply, print_attribute, &label);
}

static void json_attribute(void *context, const char *name, const char *value)
{
	json_t *reply = context;
	char shown[128];
	if (!shown_name(shown, name))
		return;
	json_t *values = json_object_get(reply, shown);
	if (!values) {
		values = json_array();
		json_object_set_new(reply, shown, values);
	}
	/* A value is whatever octets a server sends; JSON is UTF-8. */
	json_t *text = json_string(value);
	char escaped[1024];
	if (!text && text_escape(escaped, sizeof(escaped), span_text(value)))
		text = json_string(escaped);
	json_array_append_new(values, text);
}

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

static json_t *certificate_json(const struct rg_supplicant_report *report)
{
	if (!report->server_subject)
		return json_null();
	json_t *names = json_array();
	for (const char *at = report->server_sans; *at;) {
		size_t length = strcspn(at, " ");
		json_array_append_new(names, json_stringn(at, length));
		at += length + (at[length] == ' ');
	}
	return json_pack("{s:s, s:s, s:s, s:o, s:b, s:o}", "subject", report->server_subject,
			 "issuer", report->server_issuer, "not_after", report->server_not_after,
			 "names", names, "trusted", report->server_trusted, "trust_error",
			 text_or_null(report->server_trusted ? NULL : report->trust_error));
}

struct json_t *test_json(const struct rg_test *test, const struct rg_test_target *target,
			 const struct rg_test_run *run)
{
	const struct rg_supplicant_report *report = run->report;
	json_t *reply = json_object();
	if (report->reply)
		dictionary_print(report->reply, json_attribute, reply);
	json_t *object = json_pack("{s:s, s:o, s:o, s:f, s:i, s:o, s:o, s:b}", "result",
				   result_word(run), "reason", text_or_null(reason_of(run)), "why",
				   text_or_null(why(run)), "ms", ms(run->ns), "round_trips",
				   (int)report->round_trips, "method", text_or_null(report->method),
				   "tls", text_or_null(report->tls), "resumed", report->resumed);
	json_t *rest = json_pack(
		"{s:s, s:s, s:o, s:o, s:b, s:o, s:i, s:i, s:o, s:o, s:o}", "identity", test->shown,
		"server", target->text, "inner", text_or_null(report->inner), "server_certificate", certificate_json(report),
		"keys_match", report->keys_match, "reply", reply, "repeats", (int)run->repeats,
		"ignored", (int)report->ignored, "alert", text_or_null(report->alert_received),
		"detail", text_or_null(seen_text(run, "detail")), "advice",
		text_or_null(run->state == RG_SUPPLICANT_ACCEPTED ? NULL : advice_of(run)));
	json_object_update(object, rest);
	json_decref(rest);
	return object;
}

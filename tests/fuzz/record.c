/* Names from outside in what is written of a sign-in: the log's line, its JSON, the trace, and the
 * line and frames of F-Ticks. Each stays in its own field of its one line. */
#include "fuzz.h"

#include <ctype.h>
#include <jansson.h>

#include "../../modules/sink_fticks/frame.h"
#include "core/text.h"
#include "observe/record.h"

static void text_next(struct rg_cursor *cursor, char *out, size_t capacity)
{
	struct rg_span piece = piece_next(cursor);
	size_t length = piece.length < capacity - 1 ? piece.length : capacity - 1;
	if (length)
		memcpy(out, piece.data, length);
	out[length] = '\0';
}

static void printable(const char *line)
{
	for (; *line; line++)
		MUST((uint8_t)*line >= 0x20 && *line != 0x7f);
}

/* The next " key=value" of a line, quoted or not; the value is cut out of it. */
static char *field_next(char **at, const char *key)
{
	size_t length = strlen(key);
	MUST(**at == ' ' && strncmp(*at + 1, key, length) == 0 && (*at)[length + 1] == '=');
	char *value = *at + length + 2, *end = value;
	if (*value == '"') {
		end = strchr(++value, '"');
		MUST(end);
		*at = end + 1;
		*end = '\0';
		return value;
	}
	end = value + strcspn(value, " ");
	/* What follows keeps the space that it begins with. */
	static char copy[256];
	MUST((size_t)(end - value) < sizeof(copy));
	memcpy(copy, value, (size_t)(end - value));
	copy[end - value] = '\0';
	*at = end;
	return copy;
}

static void text_line(const struct rg_signin *signin)
{
	static const char *const keys[] = {
		"id",     "outer",  "mac",          "site",        "client", "realm",
		"method", "tls",    "resumed",      "inner",       "result", "reason",
		"ms",     "tls_ms", "directory_ms", "upstream_ms", "detail", NULL};
	static char line[RG_RECORD_MOST];
	char escaped[1100];
	record_text(signin, line);
	printable(line);
	MUST(strncmp(line, "sign-in ", 8) == 0);
	char *at = line + 7;
	for (size_t i = 0; keys[i]; i++) {
		const char *value = field_next(&at, keys[i]);
		if (strcmp(keys[i], "outer") != 0)
			continue;
		text_escape(escaped, sizeof(escaped), span_text(signin->outer));
		MUST(strcmp(value, escaped) == 0);
	}
	MUST(*at == '\0');
}

static void has_name(const json_t *object, const char *key, const char *name)
{
	char escaped[1100];
	const char *value = json_string_value(json_object_get(object, key));
	text_escape(escaped, sizeof(escaped), span_text(name));
	MUST(value && strcmp(value, escaped) == 0);
}

static void json_line(const struct rg_signin *signin)
{
	char *line = record_json_line(signin);
	MUST(line && !strpbrk(line, "\r\n\x1b"));
	json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	MUST(json_is_object(object));
	has_name(object, "outer", signin->outer);
	has_name(object, "inner", signin->inner);
	has_name(object, "site", signin->site);
	json_decref(object);
	free(line);
}

static void trace_line(const struct rg_signin *signin)
{
	json_t *trace = record_trace(signin, 7);
	MUST(json_is_object(trace));
	has_name(trace, "called", signin->called);
	MUST(json_array_size(json_object_get(trace, "steps")) == signin->steps);
	char *text = json_dumps(trace, JSON_COMPACT);
	MUST(text && !strchr(text, '\n'));
	free(text);
	json_decref(trace);
}

/* "#KEY=…#": octets of the value as they were. */
static void fticks_value(const char *line, const char *key, const char *expected)
{
	const char *at = strstr(line, key);
	MUST(at);
	for (at += strlen(key); *at != '#'; expected++) {
		unsigned octet = (uint8_t)*at;
		MUST(*at && *expected);
		if (*at == '\\') {
			MUST(sscanf(at, "\\x%2x", &octet) == 1);
			at += 3;
		}
		at++;
		MUST(octet == (uint8_t)*expected);
	}
	MUST(*expected == '\0');
}

static void fticks(const struct rg_signin *signin, uint8_t how)
{
	static struct fticks_frames frames;
	char line[FTICKS_LINE_MOST];
	const struct fticks_format format = {
		.federation = "govroam",
		.country = "NL",
		.mac = how % 6,
		.key = span_text("sleutel"),
	};
	struct fticks_tick tick = {.accepted = signin->resumed};
	snprintf(tick.realm, sizeof(tick.realm), "%s", signin->realm);
	snprintf(tick.institution, sizeof(tick.institution), "%s", signin->operator_name);
	text_mac(tick.mac, span_text(signin->mac));
	MUST(fticks_line(line, &format, &tick) == strlen(line));
	for (const char *at = line; *at; at++)
		MUST(*at >= 0x20 && *at < 0x7f);
	size_t values = 0;
	for (const char *at = line; *at; at++)
		values += *at == '#';
	MUST(values == 5 + (tick.institution[0] != '\0'));
	MUST(line[strlen(line) - 1] == '#');
	fticks_value(line, "#REALM=", tick.realm);
	if (tick.institution[0])
		fticks_value(line, "#VISINST=", tick.institution);
	/* Framed, cut wherever, and framed again where the way broke. */
	fticks_frames_init(&frames, how & 8 ? FTICKS_TCP : FTICKS_UDP, 16);
	while (!fticks_frames_full(&frames) && frames.count < 3)
		fticks_frames_add(&frames, line, signin->wall_ns);
	unsigned count = frames.count;
	size_t used = frames.used, part = how * used / 256;
	unsigned left = fticks_frames_left(&frames, part);
	fticks_frames_again(&frames);
	MUST(left + frames.count == count && frames.used <= used);
	MUST(fticks_frames_left(&frames, frames.used) == count - left && frames.used == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct rg_signin nobody;
	static struct rg_signin signin;
	struct rg_cursor cursor = cursor_over(span_of(data, size));
	uint8_t how = cursor_u8(&cursor);
	signin = nobody;
	snprintf(signin.id, sizeof(signin.id), "0123456789abcdef");
	text_next(&cursor, signin.outer, sizeof(signin.outer));
	text_next(&cursor, signin.inner, sizeof(signin.inner));
	text_next(&cursor, signin.mac, sizeof(signin.mac));
	text_next(&cursor, signin.site, sizeof(signin.site));
	text_next(&cursor, signin.client, sizeof(signin.client));
	text_next(&cursor, signin.called, sizeof(signin.called));
	text_next(&cursor, signin.operator_name, sizeof(signin.operator_name));
	text_next(&cursor, signin.realm, sizeof(signin.realm));
	text_next(&cursor, signin.method, sizeof(signin.method));
	/* Its own words may quote. */
	text_escape(signin.detail + 1, sizeof(signin.detail) - 2, piece_next(&cursor));
	signin.detail[0] = '"';
	strcat(signin.detail, "\"");
	signin.resumed = how & 1;
	signin.result = how % 4u;
	signin.reason = how % RG_REASON_COUNT;
	signin.total_us = how * 1000u + 49;
	signin.wall_ns = UINT64_C(1700000000000000000);
	for (unsigned i = 0; i < RG_STEPS_MOST && cursor_left(&cursor) != 0; i++) {
		signin.step[i].step = "tls";
		text_escape(signin.step[i].detail, RG_STEP_DETAIL, piece_next(&cursor));
		signin.steps++;
	}
	text_line(&signin);
	if (how & 0x40)
		json_line(&signin);
	else
		trace_line(&signin);
	fticks(&signin, how);
	return 0;
}

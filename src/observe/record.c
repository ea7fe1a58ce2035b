#include "observe/record.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"

struct line {
	char *out;
	size_t used;
};

static void append(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(struct line *line, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int length = vsnprintf(line->out + line->used, RG_RECORD_MOST - line->used, format, args);
	va_end(args);
	if (length > 0)
		line->used += (size_t)length;
	if (line->used >= RG_RECORD_MOST)
		line->used = RG_RECORD_MOST - 1;
}

static bool stands_alone(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~' || *text == '=' || *text == '\\' || *text == '"')
			return false;
	return true;
}

static void append_quoted(struct line *line, const char *key, const char *name)
{
	char text[1100];
	text_escape(text, sizeof(text), span_text(name));
	append(line, " %s=\"%s\"", key, text);
}

/* A word as it is, "-" for none, quoted only where it would not stand alone. */
static void append_word(struct line *line, const char *key, const char *name)
{
	if (!name[0])
		append(line, " %s=-", key);
	else if (stands_alone(name))
		append(line, " %s=%s", key, name);
	else
		append_quoted(line, key, name);
}

static void append_ms(struct line *line, const char *key, uint32_t us)
{
	append(line, " %s=%.1f", key, us / 1000.0);
}

void record_text(const struct rg_signin *signin, char out[RG_RECORD_MOST])
{
	struct line line = {.out = out};
	append(&line, "sign-in id=%s", signin->id);
	append_quoted(&line, "outer", signin->outer);
	append_word(&line, "mac", signin->mac);
	append_word(&line, "site", signin->site);
	append_word(&line, "client", signin->client);
	append_word(&line, "realm", signin->realm);
	append_word(&line, "method", signin->method);
	append_word(&line, "tls", signin->tls);
	append(&line, " resumed=%s", signin->resumed ? "yes" : "no");
	append_quoted(&line, "inner", signin->inner);
	append(&line, " result=%s reason=%s", result_word(signin->result), reason_word(signin->reason));
	append_ms(&line, "ms", signin->total_us);
	append_ms(&line, "tls_ms", signin->tls_us);
	append_ms(&line, "directory_ms", signin->directory_us);
	append_ms(&line, "upstream_ms", signin->upstream_us);
	/* Escaped already, but its own words may quote. */
	append(&line, " detail=\"");
	for (const char *at = signin->detail; *at; at++)
		append(&line, "%c", *at == '"' ? '\'' : *at);
	append(&line, "\"");
}

/* Text that is escaped already; what is not UTF-8 all the same is escaped now. */
static json_t *json_escaped(const char *text)
{
	char safe[1100];
	json_t *value = json_string(text);
	if (value)
		return value;
	text_escape(safe, sizeof(safe), span_text(text));
	return json_string(safe);
}

static json_t *json_name(const char *name)
{
	char safe[1100];
	text_escape(safe, sizeof(safe), span_text(name));
	return json_string(safe);
}

/* To a tenth, as a reader of milliseconds wants it. */
static json_t *json_ms(uint32_t us)
{
	return json_real((us + 50) / 100 / 10.0);
}

static void put_names(json_t *object, const struct rg_signin *signin)
{
	json_object_set_new(object, "id", json_string(signin->id));
	json_object_set_new(object, "outer", json_name(signin->outer));
	json_object_set_new(object, "inner", json_name(signin->inner));
	json_object_set_new(object, "mac", json_name(signin->mac));
	json_object_set_new(object, "site", json_name(signin->site));
	json_object_set_new(object, "client", json_name(signin->client));
	json_object_set_new(object, "realm", json_name(signin->realm));
	json_object_set_new(object, "method", json_name(signin->method));
	json_object_set_new(object, "tls", json_name(signin->tls));
	json_object_set_new(object, "resumed", json_boolean(signin->resumed));
	json_object_set_new(object, "result", json_string(result_word(signin->result)));
	json_object_set_new(object, "reason", json_string(reason_word(signin->reason)));
}

static void put_durations(json_t *object, const struct rg_signin *signin)
{
	json_object_set_new(object, "ms", json_ms(signin->total_us));
	json_object_set_new(object, "tls_ms", json_ms(signin->tls_us));
	json_object_set_new(object, "directory_ms", json_ms(signin->directory_us));
	json_object_set_new(object, "upstream_ms", json_ms(signin->upstream_us));
	json_object_set_new(object, "detail", json_escaped(signin->detail));
}

char *record_json_line(const struct rg_signin *signin)
{
	char time[32];
	json_t *object = json_object();
	text_time(time, signin->wall_ns + signin->total_us * UINT64_C(1000));
	json_object_set_new(object, "time", json_string(time));
	json_object_set_new(object, "level", json_string("info"));
	json_object_set_new(object, "message", json_string("sign-in"));
	put_names(object, signin);
	put_durations(object, signin);
	char *line = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(12));
	json_decref(object);
	return line;
}

json_t *record_trace(const struct rg_signin *signin, uint64_t serial)
{
	char time[32];
	json_t *object = json_object(), *steps = json_array();
	text_time(time, signin->wall_ns);
	json_object_set_new(object, "time", json_string(time));
	put_names(object, signin);
	json_object_set_new(object, "advice", json_string(reason_advice(signin->reason)));
	put_durations(object, signin);
	json_object_set_new(object, "called", json_name(signin->called));
	json_object_set_new(object, "serial", json_integer((json_int_t)serial));
	for (size_t i = 0; i < signin->steps && i < RG_STEPS_MOST; i++) {
		json_t *step = json_object();
		json_object_set_new(step, "ms", json_ms(signin->step[i].us));
		json_object_set_new(step, "step", json_string(signin->step[i].step));
		json_object_set_new(step, "detail", json_escaped(signin->step[i].detail));
		json_array_append_new(steps, step);
	}
	json_object_set_new(object, "steps", steps);
	if (signin->steps_lost != 0)
		json_object_set_new(object, "steps_lost", json_integer(signin->steps_lost));
	return object;
}

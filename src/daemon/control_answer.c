#include "daemon/control_answer.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "home/attempts.h"
#include "observe/observe.h"

#define TRACE_DEFAULT 20
#define TRACE_MOST    1000

static json_t *error_answer(const char *what)
{
	return json_pack("{s:s}", "error", what);
}

static json_t *trace_answer(const json_t *request)
{
	const json_t *who = json_object_get(request, "who"), *most = json_object_get(request, "most"),
		     *after = json_object_get(request, "after");
	json_int_t limit = json_is_integer(most) ? json_integer_value(most) : TRACE_DEFAULT;
	uint64_t serial = 0;
	if (who && !json_is_string(who))
		return error_answer("trace: \"who\" is a name or a MAC address");
	if (limit < 0 || limit > TRACE_MOST)
		return error_answer("trace: \"most\" is 0 to 1000");
	json_t *found = observe_trace_json(json_string_value(who), (unsigned)limit,
					   (uint64_t)json_integer_value(after), &serial);
	return json_pack("{s:o, s:I}", "sign_ins", found, "serial", (json_int_t)serial);
}

static json_t *unlock_answer(const json_t *request)
{
	const char *who = json_string_value(json_object_get(request, "who"));
	if (!who || !who[0])
		return error_answer("unlock: \"who\" is a name or a MAC address");
	return json_pack("{s:s, s:b}", "who", who, "unlocked", attempts_unlock(who));
}

json_t *control_answer(const json_t *request, const struct rg_control_operations *operations,
		       void *context)
{
	const char *command = json_string_value(json_object_get(request, "command"));
	json_t *answer = NULL;
	if (!json_is_object(request))
		return error_answer("a request is one line of JSON, an object");
	if (!command)
		return error_answer("a request has a \"command\"");
	if (strcmp(command, "ping") == 0)
		answer = json_pack("{s:b, s:s}", "pong", 1, "version", PACKAGE_VERSION);
	else if (strcmp(command, "status") == 0)
		answer = operations->status(context);
	else if (strcmp(command, "reload") == 0)
		answer = operations->reload(context);
	else if (strcmp(command, "trace") == 0)
		answer = trace_answer(request);
	else if (strcmp(command, "unlock") == 0)
		answer = unlock_answer(request);
	else
		return error_answer("unknown command: ping, status, reload, trace and unlock are known");
	return answer ? answer : error_answer("no memory");
}

bool control_is_follow(const json_t *request)
{
	const char *command = json_string_value(json_object_get(request, "command"));
	return command && strcmp(command, "trace") == 0 &&
	       json_is_true(json_object_get(request, "follow"));
}

char *control_line(const json_t *object)
{
	char *text = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(12)) : NULL;
	char *line = NULL;
	if (!text)
		return NULL;
	size_t length = strlen(text);
	line = realloc(text, length + 2);
	if (!line) {
		free(text);
		return NULL;
	}
	memcpy(line + length, "\n", 2);
	return line;
}

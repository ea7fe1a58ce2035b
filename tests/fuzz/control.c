/* A line that somebody says to the control socket: whatever it is, the answer is one line of JSON,
 * an object that says what was asked for or what is wrong. */
#include "fuzz.h"

#include <jansson.h>

#include "daemon/control_answer.h"
#include "home/attempts.h"
#include "observe/observe.h"

static unsigned reloads;

static json_t *on_status(void *context)
{
	(void)context;
	return json_pack("{s:s}", "gateway", "beuningen");
}

static json_t *on_reload(void *context)
{
	(void)context;
	reloads++;
	return json_pack("{s:b}", "kept", 1);
}

static const struct rg_control_operations operations = {.status = on_status, .reload = on_reload};

static void judge(const json_t *request, const json_t *answer)
{
	static const struct {
		const char *command, *key;
	} expected[] = {{"ping", "pong"},
			{"status", "gateway"},
			{"reload", "kept"},
			{"trace", "sign_ins"},
			{"unlock", "unlocked"}};
	const char *command = json_string_value(json_object_get(request, "command"));
	bool fine = !json_object_get(answer, "error"), known = false;
	for (size_t i = 0; i < 5; i++) {
		bool this = command && strcmp(command, expected[i].command) == 0;
		known = known || this;
		MUST(!this || !fine || json_object_get(answer, expected[i].key));
	}
	MUST(known || !fine);
	if (!fine)
		MUST(json_string_length(json_object_get(answer, "error")) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool open;
	if (!open)
		MUST(observe_open(1, 16));
	open = true;
	/* As the socket cuts it, and reads it. */
	const char *text = (const char *)data;
	const char *end = size ? memchr(text, '\n', size) : NULL;
	unsigned before = reloads;
	json_t *request = json_loadb(size ? text : "", end ? (size_t)(end - text) : size,
				     JSON_REJECT_DUPLICATES, NULL);
	const char *command = json_string_value(json_object_get(request, "command"));
	if (control_is_follow(request))
		MUST(json_is_object(request));
	json_t *answer = control_answer(request, &operations, NULL);
	MUST(json_is_object(answer));
	judge(request, answer);
	MUST((reloads == before) == !(command && strcmp(command, "reload") == 0));
	char *line = control_line(answer);
	MUST(line && line[0] && strchr(line, '\n') == line + strlen(line) - 1);
	json_t *again = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	MUST(json_equal(again, answer));
	json_decref(again);
	free(line);
	json_decref(answer);
	json_decref(request);
	return 0;
}

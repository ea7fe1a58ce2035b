/* What the gateway itself says of a sign-in that it did not accept: more than a laptop is told. */
#include <jansson.h>
#include <poll.h>
#include <string.h>

#include "command/control_client.h"
#include "command/test.h"
#include "core/text.h"

#define ANSWER_MS 2000
/* A record reaches the trace a moment after the reply has left. */
#define LOOKS    20
#define PAUSE_MS 50

/* The newest sign-in of that device, if it is the one: of that outer identity, and not before ours
 * began. */
static json_t *look(struct rg_control_client *client, const struct rg_test *test, const char *since)
{
	char why[256], outer[1024];
	json_t *answer = NULL, *found = NULL;
	json_t *request =
		json_pack("{s:s, s:s, s:i}", "command", "trace", "who", test->mac, "most", 1);
	if (control_ask(client, request, ANSWER_MS, &answer, why) == RG_CONTROL_OK) {
		const char *time = NULL, *name = NULL;
		json_t *newest = json_array_get(json_object_get(answer, "sign_ins"), 0);
		text_escape(outer, sizeof(outer), span_text(test->outer));
		if (newest &&
		    json_unpack(newest, "{s:s, s:s}", "time", &time, "outer", &name) == 0 &&
		    strcmp(time, since) >= 0 && strcmp(name, outer) == 0)
			found = json_incref(newest);
	}
	json_decref(answer);
	json_decref(request);
	return found;
}

struct json_t *test_trace(const struct rg_test *test, const struct rg_test_target *target,
			  const struct rg_test_run *run)
{
	struct rg_control_client *client = NULL;
	char since[32], why[256];
	json_t *found = NULL;
	if (!target->control || run->state == RG_SUPPLICANT_ACCEPTED)
		return NULL;
	/* Its clock is ours, for it is on this machine. */
	text_time(since, run->began_wall_ns);
	unsigned looks = run->answered ? LOOKS : 1;
	for (unsigned i = 0; i < looks && !found; i++) {
		if (i != 0)
			poll(NULL, 0, PAUSE_MS);
		if (control_connect(&client, target->control, why) != RG_CONTROL_OK)
			break;
		found = look(client, test, since);
		control_disconnect(&client);
	}
	return found;
}

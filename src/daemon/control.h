/* The control socket: `roamgate status|reload|trace` ask here. A request is one line of JSON,
 * {"command": "status", …}; the answer is one line of JSON, and for trace --follow one a sign-in. On the main loop;
 * a client that is slow or says nothing is closed after 10 s. Mode 0660. */
#ifndef RG_DAEMON_CONTROL_H
#define RG_DAEMON_CONTROL_H
#include <stdbool.h>
#include <uv.h>

struct json_t;
struct rg_control;

/* What the daemon does for it. Each returns an object that control then owns. */
struct rg_control_operations {
	struct json_t *(*status)(void *context);
	/* {"kept": bool, "changes": [...], "errors": [...], "warnings": [...]} */
	struct json_t *(*reload)(void *context);
};

/* why: 256 octets. */
struct rg_control *control_open(uv_loop_t *, const char *path, const struct rg_control_operations *,
				void *context, char *why);
void control_close(struct rg_control **); /* closes its handles; run the loop once more */
#endif

/* The control socket: `roamgate status|reload|trace` ask here. On the main loop; mode 0660.
 *
 * A request is one line of JSON of at most 64 KiB, an answer is one line of JSON; a connection may ask
 * several times, each time after the answer.
 *   {"command": "ping"}    {"pong": true, "version"}
 *   {"command": "status"}  the object of the command-line contract
 *   {"command": "reload"}  {"kept": bool, "changes": [...], "errors": [...], "warnings": [...]}
 *   {"command": "trace", "who": NAME or MAC, "most": 20, "after": SERIAL}
 *                          {"sign_ins": [...], "serial": N}, newest first; N: the newest there is
 *   with "follow": true    a line for each matching sign-in after SERIAL (default: from now on), until
 *                          the client goes
 *   what is none of these  {"error": "..."}
 *
 * A client that is slow or says nothing is closed after 10 s (a follower only when it does not read);
 * more than 32 at a time are turned away. */
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
	unsigned slow_ms; /* after which a slow or silent client is closed; 0: 10 s */
};

/* Takes over the socket that a dead daemon left; NULL: why (256 octets) is set, also when a live one
 * answers there. SIGPIPE must be ignored by the process. operations must outlive it. */
struct rg_control *control_open(uv_loop_t *, const char *path, const struct rg_control_operations *,
				void *context, char *why);
/* Closes its handles and removes the socket; run the loop until they are closed. *control may be NULL. */
void control_close(struct rg_control **);
#endif

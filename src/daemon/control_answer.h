/* What the control socket answers, apart from how it is carried. */
#ifndef RG_DAEMON_CONTROL_ANSWER_H
#define RG_DAEMON_CONTROL_ANSWER_H
#include <stdbool.h>

#include "daemon/control.h"

/* The answer to a request (NULL: it was no JSON), never NULL but for want of memory; the caller owns it. */
struct json_t *control_answer(const struct json_t *request, const struct rg_control_operations *,
			      void *context);
/* {"command": "trace", "follow": true}: answered by and by. */
bool control_is_follow(const struct json_t *request);
/* As one line with its newline; the caller frees it. NULL: no memory, or object is NULL. */
char *control_line(const struct json_t *object);
#endif

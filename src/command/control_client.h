/* The other end of the control socket: how a command asks the running gateway. Blocking, with deadlines. */
#ifndef RG_COMMAND_CONTROL_CLIENT_H
#define RG_COMMAND_CONTROL_CLIENT_H
#include <stddef.h>

struct json_t;
struct rg_control_client;

enum rg_control_result {
	RG_CONTROL_OK,
	RG_CONTROL_NOT_RUNNING, /* nobody listens there */
	RG_CONTROL_TIMEOUT,
	RG_CONTROL_FAILED, /* not allowed, closed half-way, an {"error"}, or no JSON */
};

/* Where the gateway of that roamgate.cfg listens: gateway.control, relative to the file's directory, or
 * the default. Lenient: a file that is missing or broken still gives the best guess, for a gateway must be
 * reachable when its file is being mended. Into out, always NUL-terminated. */
void control_path(const char *file, char *out, size_t capacity);

/* On anything but OK why (256 octets) says what is the matter, for people. */
enum rg_control_result control_connect(struct rg_control_client **, const char *path, char *why);
/* Sends the request, which stays the caller's, and reads one answer that the caller then owns. An
 * {"error"} is FAILED, with its text in why. */
enum rg_control_result control_ask(struct rg_control_client *, const struct json_t *request,
				   int timeout_ms, struct json_t **answer, char *why);
/* Sends without waiting; then each line that comes, timeout_ms -1: however long it takes. */
enum rg_control_result control_send(struct rg_control_client *, const struct json_t *request, char *why);
enum rg_control_result control_next(struct rg_control_client *, int timeout_ms, struct json_t **answer,
				    char *why);
void control_disconnect(struct rg_control_client **);

/* All of the above for one question of the command's gateway. Prints what fails on stderr as
 * "roamgate COMMAND: …"; NULL then. */
struct json_t *control_question(const char *command, const char *file, const struct json_t *request,
				int timeout_ms);
#endif

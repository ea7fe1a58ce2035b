#include "command/control_client.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "command/show.h"
#include "core/clock.h"

#define ANSWER_MOST ((size_t)256 << 20) /* a region's whole status is far below */

struct rg_control_client {
	int fd;
	char *input;
	size_t used, capacity;
	size_t taken; /* octets of the line given last */
};

enum rg_control_result control_connect(struct rg_control_client **out, const char *path, char *why)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	*out = NULL;
	if (strlen(path) >= sizeof(address.sun_path)) {
		snprintf(why, 256, "the control socket's path is too long: %.180s", path);
		return RG_CONTROL_FAILED;
	}
	strcpy(address.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		snprintf(why, 256, "%s", strerror(errno));
		return RG_CONTROL_FAILED;
	}
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		int error = errno;
		close(fd);
		if (error == ENOENT || error == ECONNREFUSED || error == ENOTDIR) {
			snprintf(why, 256, "the gateway is not running (nobody answers at %.180s)", path);
			return RG_CONTROL_NOT_RUNNING;
		}
		snprintf(why, 256, "%.180s: %s%s", path, strerror(error),
			 error == EACCES ? " (ask as root or as a member of its group)" : "");
		return RG_CONTROL_FAILED;
	}
	*out = calloc(1, sizeof(**out));
	if (!*out) {
		close(fd);
		snprintf(why, 256, "no memory");
		return RG_CONTROL_FAILED;
	}
	(*out)->fd = fd;
	return RG_CONTROL_OK;
}

void control_disconnect(struct rg_control_client **client)
{
	if (!*client)
		return;
	close((*client)->fd);
	free((*client)->input);
	free(*client);
	*client = NULL;
}

enum rg_control_result control_send(struct rg_control_client *client, const json_t *request, char *why)
{
	char *text = json_dumps(request, JSON_COMPACT);
	enum rg_control_result result = RG_CONTROL_FAILED;
	size_t length = text ? strlen(text) : 0;
	if (!text) {
		snprintf(why, 256, "no memory");
		return result;
	}
	text[length] = '\n'; /* in place of the NUL */
	/* At most 64 KiB into an empty socket: it never waits for long. */
	for (size_t sent = 0; sent < length + 1;) {
		ssize_t part = send(client->fd, text + sent, length + 1 - sent, MSG_NOSIGNAL);
		if (part < 0 && errno == EINTR)
			continue;
		if (part < 0) {
			snprintf(why, 256, "the gateway closed the connection: %s", strerror(errno));
			goto out;
		}
		sent += (size_t)part;
	}
	result = RG_CONTROL_OK;
out:
	free(text);
	return result;
}

static bool make_room(struct rg_control_client *client)
{
	if (client->used < client->capacity)
		return true;
	size_t capacity = client->capacity ? 2 * client->capacity : 65536;
	char *input = capacity <= ANSWER_MOST ? realloc(client->input, capacity) : NULL;
	if (!input)
		return false;
	client->input = input;
	client->capacity = capacity;
	return true;
}

static int time_left(uint64_t deadline_ns)
{
	uint64_t now = clock_now();
	if (deadline_ns == UINT64_MAX)
		return -1;
	return now >= deadline_ns ? 0 : (int)((deadline_ns - now) / RG_MS) + 1;
}

static enum rg_control_result read_more(struct rg_control_client *client, uint64_t deadline_ns, char *why)
{
	struct pollfd ready = {.fd = client->fd, .events = POLLIN};
	if (!make_room(client)) {
		snprintf(why, 256, "the answer is too long");
		return RG_CONTROL_FAILED;
	}
	int polled = poll(&ready, 1, time_left(deadline_ns));
	if (polled == 0) {
		snprintf(why, 256, "the gateway does not answer in time");
		return RG_CONTROL_TIMEOUT;
	}
	ssize_t length = polled < 0 ? -1
				    : recv(client->fd, client->input + client->used,
					   client->capacity - client->used, 0);
	if (length < 0 && errno == EINTR)
		return RG_CONTROL_OK;
	if (length <= 0) {
		snprintf(why, 256, "the gateway closed the connection");
		return RG_CONTROL_FAILED;
	}
	client->used += (size_t)length;
	return RG_CONTROL_OK;
}

enum rg_control_result control_next(struct rg_control_client *client, int timeout_ms, json_t **answer,
				    char *why)
{
	uint64_t deadline = timeout_ms < 0 ? UINT64_MAX : clock_now() + (uint64_t)timeout_ms * RG_MS;
	size_t seen = 0;
	*answer = NULL;
	if (client->taken != 0) {
		client->used -= client->taken;
		memmove(client->input, client->input + client->taken, client->used);
		client->taken = 0;
	}
	for (;;) {
		char *end = client->used > seen ? memchr(client->input + seen, '\n', client->used - seen)
						: NULL;
		if (end) {
			client->taken = (size_t)(end - client->input) + 1;
			break;
		}
		seen = client->used;
		enum rg_control_result result = read_more(client, deadline, why);
		if (result != RG_CONTROL_OK)
			return result;
	}
	*answer = json_loadb(client->input, client->taken, 0, NULL);
	if (json_is_object(*answer))
		return RG_CONTROL_OK;
	json_decref(*answer);
	*answer = NULL;
	snprintf(why, 256, "the gateway's answer is no JSON");
	return RG_CONTROL_FAILED;
}

enum rg_control_result control_ask(struct rg_control_client *client, const json_t *request,
				   int timeout_ms, json_t **answer, char *why)
{
	*answer = NULL;
	enum rg_control_result result = control_send(client, request, why);
	if (result == RG_CONTROL_OK)
		result = control_next(client, timeout_ms, answer, why);
	const char *error = json_string_value(json_object_get(*answer, "error"));
	if (result != RG_CONTROL_OK || !error)
		return result;
	show_text(why, 256, error);
	json_decref(*answer);
	*answer = NULL;
	return RG_CONTROL_FAILED;
}

json_t *control_question(const char *command, const char *file, const json_t *request, int timeout_ms)
{
	char path[4096], why[256] = "";
	struct rg_control_client *client;
	json_t *answer = NULL;
	control_path(file, path, sizeof(path));
	enum rg_control_result result = control_connect(&client, path, why);
	if (result == RG_CONTROL_OK)
		result = control_ask(client, request, timeout_ms, &answer, why);
	if (result != RG_CONTROL_OK)
		fprintf(stderr, "roamgate %s: %s\n", command, why);
	control_disconnect(&client);
	return answer;
}

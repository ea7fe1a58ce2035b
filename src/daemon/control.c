#include "daemon/control.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/log.h"
#include "daemon/control_answer.h"
#include "observe/observe.h"

#define CLIENTS_MOST   32
#define REQUEST_MOST   65536
#define SLOW_MS        10000u
#define FOLLOW_MS      200
#define FOLLOW_BATCH   1000u /* sign-ins of one turn */
#define FOLLOW_BACKLOG ((size_t)1 << 20) /* octets that a follower has not read yet */

struct client {
	struct client *next, **self;
	struct rg_control *control;
	uv_pipe_t pipe;
	uv_timer_t timer;
	unsigned handles;  /* of pipe and timer, not closed yet */
	bool answering;    /* an answer is on its way: nothing else is read */
	bool ended;        /* it sends nothing any more */
	char *who;         /* follower: of whom; else NULL */
	uint64_t serial;   /* follower: the newest that it was told */
	size_t used;
	char input[REQUEST_MOST];
};

struct rg_control {
	uv_pipe_t pipe;
	const struct rg_control_operations *operations;
	void *context;
	struct client *clients;
	unsigned count;
	bool closed;
	uv_pipe_t turned_away; /* one for which there is no memory */
	bool turning_away, more_to_turn_away;
};

struct answer {
	uv_write_t write;
	char *text;
};

static void control_release(struct rg_control *control)
{
	if (control->closed && !control->clients && !control->turning_away)
		free(control);
}

static void on_client_closed(uv_handle_t *handle)
{
	struct client *client = handle->data;
	if (--client->handles != 0)
		return;
	struct rg_control *control = client->control;
	*client->self = client->next;
	if (client->next)
		client->next->self = client->self;
	control->count--;
	free(client->who);
	free(client);
	control_release(control);
}

static void client_close(struct client *client)
{
	if (uv_is_closing((uv_handle_t *)&client->pipe))
		return;
	uv_close((uv_handle_t *)&client->pipe, on_client_closed);
	uv_close((uv_handle_t *)&client->timer, on_client_closed);
}

static void on_slow(uv_timer_t *timer)
{
	client_close(timer->data);
}

static void client_deadline(struct client *client)
{
	unsigned slow_ms = client->control->operations->slow_ms;
	uv_timer_start(&client->timer, on_slow, slow_ms ? slow_ms : SLOW_MS, 0);
}

static void client_serve(struct client *);

static void on_written(uv_write_t *write, int status)
{
	struct client *client = write->data;
	struct answer *answer = (struct answer *)write;
	free(answer->text);
	free(answer);
	if (uv_is_closing((uv_handle_t *)&client->pipe))
		return;
	if (status < 0) {
		client_close(client);
		return;
	}
	client->answering = false;
	if (!client->who) {
		client_deadline(client);
		client_serve(client);
	}
}

/* Sends text, a line that is then owned here. */
static void client_write(struct client *client, char *text)
{
	struct answer *answer = text ? calloc(1, sizeof(*answer)) : NULL;
	if (!answer) {
		free(text);
		client_close(client);
		return;
	}
	answer->text = text;
	answer->write.data = client;
	uv_buf_t buffer = uv_buf_init(text, (unsigned)strlen(text));
	client->answering = true;
	if (uv_write(&answer->write, (uv_stream_t *)&client->pipe, &buffer, 1, on_written) < 0) {
		free(text);
		free(answer);
		client_close(client);
	}
}

static void on_follow(uv_timer_t *timer)
{
	struct client *client = timer->data;
	if (uv_stream_get_write_queue_size((uv_stream_t *)&client->pipe) > FOLLOW_BACKLOG) {
		client_close(client);
		return;
	}
	json_t *found = observe_trace_json(client->who, FOLLOW_BATCH, client->serial, &client->serial);
	for (size_t i = json_array_size(found); i > 0; i--)
		if (!uv_is_closing((uv_handle_t *)&client->pipe))
			client_write(client, control_line(json_array_get(found, i - 1)));
	json_decref(found);
}

static void client_follow(struct client *client, const json_t *request)
{
	const char *who = json_string_value(json_object_get(request, "who"));
	const json_t *after = json_object_get(request, "after");
	client->who = strdup(who ? who : "");
	if (!client->who) {
		client_close(client);
		return;
	}
	if (json_is_integer(after))
		client->serial = (uint64_t)json_integer_value(after);
	else
		json_decref(observe_trace_json("", 0, 0, &client->serial));
	uv_timer_start(&client->timer, on_follow, 0, FOLLOW_MS);
}

static void client_request(struct client *client, const char *line, size_t length)
{
	struct rg_control *control = client->control;
	json_t *request = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(request) && control_is_follow(request)) {
		client_follow(client, request);
	} else {
		json_t *answer = control_answer(request, control->operations, control->context);
		/* A reload takes its time; the client's begins now. */
		client_deadline(client);
		client_write(client, control_line(answer));
		json_decref(answer);
	}
	json_decref(request);
}

/* Answers the next whole line, if there is one and nothing else is on its way. */
static void client_serve(struct client *client)
{
	if (client->answering || client->who || uv_is_closing((uv_handle_t *)&client->pipe))
		return;
	const char *end = memchr(client->input, '\n', client->used);
	if (end) {
		size_t length = (size_t)(end - client->input);
		client_request(client, client->input, length);
		client->used -= length + 1;
		memmove(client->input, end + 1, client->used);
		return;
	}
	if (client->ended) {
		client_close(client);
	} else if (client->used == REQUEST_MOST) {
		client->used = 0;
		client->ended = true;
		uv_read_stop((uv_stream_t *)&client->pipe);
		client_write(client, strdup("{\"error\":\"a request is at most 64 KiB\"}\n"));
	}
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	static char discard[4096]; /* of a follower, or of one that says more while it is answered */
	struct client *client = handle->data;
	(void)suggested;
	if (client->who)
		*buffer = uv_buf_init(discard, sizeof(discard));
	else
		*buffer = uv_buf_init(client->input + client->used, (unsigned)(REQUEST_MOST - client->used));
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
	struct client *client = stream->data;
	(void)buffer;
	if (length == UV_EOF && !client->who && client->answering) {
		client->ended = true; /* half-closed: it still waits for its answer */
	} else if (length < 0) {
		client_close(client);
	} else if (!client->who) {
		client->used += (size_t)length;
		client_serve(client);
	}
}

static void turn_away(struct rg_control *);

static void on_turned_away(uv_handle_t *handle)
{
	struct rg_control *control = handle->data;
	bool more = control->more_to_turn_away && !uv_is_closing((uv_handle_t *)&control->pipe);
	control->turning_away = control->more_to_turn_away = false;
	if (more)
		turn_away(control);
	control_release(control);
}

/* A connection that is not taken would keep libuv from listening on. */
static void turn_away(struct rg_control *control)
{
	control->more_to_turn_away = control->turning_away;
	if (control->turning_away)
		return;
	uv_pipe_init(control->pipe.loop, &control->turned_away, 0);
	control->turned_away.data = control;
	control->turning_away = true;
	uv_accept((uv_stream_t *)&control->pipe, (uv_stream_t *)&control->turned_away);
	uv_close((uv_handle_t *)&control->turned_away, on_turned_away);
}

static void on_connection(uv_stream_t *server, int status)
{
	struct rg_control *control = server->data;
	static struct rg_log_limit limit = {.burst = 1, .every_s = 60};
	struct client *client = status < 0 ? NULL : calloc(1, sizeof(*client));
	if (!client) {
		if (status == 0)
			turn_away(control);
		return;
	}
	uv_pipe_init(server->loop, &client->pipe, 0);
	uv_timer_init(server->loop, &client->timer);
	client->pipe.data = client->timer.data = client;
	client->handles = 2;
	client->control = control;
	client->self = &control->clients;
	client->next = control->clients;
	if (client->next)
		client->next->self = &client->next;
	control->clients = client;
	control->count++;
	if (uv_accept(server, (uv_stream_t *)&client->pipe) < 0 || control->count > CLIENTS_MOST) {
		if (control->count > CLIENTS_MOST)
			log_limited(&limit, RG_LOG_WARNING, "control: more than %d clients at a time",
				    CLIENTS_MOST);
		client_close(client);
		return;
	}
	client_deadline(client);
	uv_read_start((uv_stream_t *)&client->pipe, on_room, on_read);
}

/* True: nobody answers at path any more, and the socket is gone. */
static bool remove_stale(const char *path, const struct sockaddr_un *address, char *why)
{
	struct stat st;
	if (lstat(path, &st) < 0 && errno == ENOENT)
		return true;
	if (lstat(path, &st) < 0) {
		snprintf(why, 256, "%.180s: %s", path, strerror(errno));
		return false;
	}
	if (!S_ISSOCK(st.st_mode)) {
		snprintf(why, 256, "%.200s exists and is no socket", path);
		return false;
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		snprintf(why, 256, "%s", strerror(errno));
		return false;
	}
	int error = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? errno : 0;
	close(fd);
	if (error == ECONNREFUSED && unlink(path) == 0)
		return true;
	if (error == ECONNREFUSED)
		snprintf(why, 256, "%.180s: %s", path, strerror(errno));
	else if (error == 0 || error == EAGAIN)
		snprintf(why, 256, "another roamgated is running and answers at %.180s", path);
	else
		snprintf(why, 256, "%.180s: %s", path, strerror(error));
	return false;
}

/* libuv calls a missing directory "permission denied", as Windows does. */
static int bind_error(const char *path, int failed)
{
	char directory[sizeof(((struct sockaddr_un *)0)->sun_path)];
	const char *slash = strrchr(path, '/');
	if (failed != UV_EACCES || !slash || slash == path)
		return failed;
	snprintf(directory, sizeof(directory), "%.*s", (int)(slash - path), path);
	return access(directory, F_OK) < 0 ? uv_translate_sys_error(errno) : failed;
}

static void on_control_closed(uv_handle_t *handle)
{
	struct rg_control *control = handle->data;
	control->closed = true;
	control_release(control);
}

struct rg_control *control_open(uv_loop_t *loop, const char *path,
				const struct rg_control_operations *operations, void *context, char *why)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	why[0] = '\0';
	/* libuv would cut a longer one silently. */
	if (strlen(path) >= sizeof(address.sun_path)) {
		snprintf(why, 256, "%.140s…: longer than the %zu octets a socket's path may have", path,
			 sizeof(address.sun_path) - 1);
		return NULL;
	}
	strcpy(address.sun_path, path);
	if (!remove_stale(path, &address, why))
		return NULL;
	struct rg_control *control = calloc(1, sizeof(*control));
	if (!control) {
		snprintf(why, 256, "no memory");
		return NULL;
	}
	control->operations = operations;
	control->context = context;
	uv_pipe_init(loop, &control->pipe, 0);
	control->pipe.data = control;
	/* Made with its mode: chmod would follow whatever stands at path by then. */
	mode_t former = umask(0117);
	int failed = bind_error(path, uv_pipe_bind(&control->pipe, path));
	umask(former);
	if (!failed)
		failed = uv_listen((uv_stream_t *)&control->pipe, CLIENTS_MOST, on_connection);
	if (failed) {
		snprintf(why, 256, "%.180s: %s", path, uv_strerror(failed));
		uv_close((uv_handle_t *)&control->pipe, on_control_closed);
		return NULL;
	}
	return control;
}

void control_close(struct rg_control **control)
{
	if (!*control)
		return;
	for (struct client *client = (*control)->clients; client; client = client->next)
		client_close(client);
	uv_close((uv_handle_t *)&(*control)->pipe, on_control_closed); /* removes the socket */
	*control = NULL;
}

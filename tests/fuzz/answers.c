/* What comes out of the control socket of a gateway, which `roamgate status`, `trace`, `reload` and
 * `unlock` read and print. The first octet says which of them and how; the rest is what they hear.
 */
#include "fuzz.h"

#include <jansson.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "command/command.h"
#include "core/text.h"

enum { STATUS, TRACE, FOLLOW, RELOAD, UNLOCK, COMMANDS };

static const struct {
	int (*run)(int argc, char **argv);
	const char *words[4];
} commands[COMMANDS] = {
	[STATUS] = {command_status, {"status"}},
	[TRACE] = {command_trace, {"trace", "jan@x.nl"}},
	[FOLLOW] = {command_trace, {"trace", "--follow"}},
	[RELOAD] = {command_reload, {"reload"}},
	[UNLOCK] = {command_unlock, {"unlock", "jan@x.nl"}},
};

static char folder[] = "/tmp/roamgate-answers-XXXXXX", file[64], listens[64];
static struct rg_span said;
static sem_t over;

/* The gateway: whatever it is asked, it says that, and waits for the other to leave. */
static void *answer(void *context)
{
	const int *listener = context;
	char heard[4096];
	for (;;) {
		int fd = accept(*listener, NULL, NULL);
		MUST(fd >= 0 && recv(fd, heard, sizeof(heard), 0) > 0);
		for (size_t sent = 0; sent < said.length;) {
			ssize_t part = send(fd, said.data + sent, said.length - sent, MSG_NOSIGNAL);
			if (part < 0)
				break; /* it has heard enough */
			sent += (size_t)part;
		}
		shutdown(fd, SHUT_WR);
		while (recv(fd, heard, sizeof(heard), 0) > 0)
			;
		close(fd);
		sem_post(&over);
	}
	return NULL;
}

static void tidy(void)
{
	unlink(listens);
	unlink(file);
	rmdir(folder);
}

static void set_up(void)
{
	static int listener = -1;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	pthread_t thread;
	if (listener >= 0)
		return;
	setenv("NO_COLOR", "1", 1);
	MUST(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/roamgate.cfg", folder);
	snprintf(listens, sizeof(listens), "%s/control", folder);
	FILE *config = fopen(file, "we");
	MUST(config && fputs("gateway = { control = \"control\"; };\n", config) >= 0);
	fclose(config);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", listens);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	MUST(listener >= 0 && sem_init(&over, 0, 0) == 0);
	MUST(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0);
	MUST(listen(listener, 8) == 0);
	sigset_t all, before; /* libFuzzer has an alarm clock: it wakes no call of the gateway's */
	sigfillset(&all);
	MUST(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
	MUST(pthread_create(&thread, NULL, answer, &listener) == 0);
	MUST(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
	atexit(tidy);
}

/* What a command printed. */
struct printed {
	char *text;
	size_t length;
};

/* Its exit status. */
static int run(size_t which, bool json, struct printed *out, struct printed *err)
{
	FILE *real_out = stdout, *real_err = stderr;
	char *argv[8];
	int argc = 0;
	for (; commands[which].words[argc]; argc++)
		argv[argc] = (char *)(uintptr_t)commands[which].words[argc];
	argv[argc++] = "-c";
	argv[argc++] = file;
	if (json)
		argv[argc++] = "--json";
	argv[argc] = NULL;
	stdout = open_memstream(&out->text, &out->length);
	stderr = open_memstream(&err->text, &err->length);
	MUST(stdout && stderr);
	int status = commands[which].run(argc, argv);
	fclose(stdout);
	fclose(stderr);
	stdout = real_out;
	stderr = real_err;
	while (sem_wait(&over) != 0)
		; /* the alarm */
	return status;
}

/* Lines of UTF-8, and nothing in them that a terminal obeys or that misleads who reads them. */
static void is_plain(const struct printed *printed)
{
	for (size_t i = 0; i < printed->length;) {
		struct rg_span rest = span_of(printed->text + i, printed->length - i);
		size_t length = text_character(rest);
		MUST(length != 0);
		MUST(rest.data[0] == '\n' || !text_controls(span_of(rest.data, length)));
		i += length;
	}
	MUST(printed->length == 0 || printed->text[printed->length - 1] == '\n');
}

static bool says(const struct printed *printed, const char *text)
{
	return printed->length >= strlen(text) && strncmp(printed->text, text, strlen(text)) == 0;
}

/* What the first line comes to; NULL: no answer. */
static json_t *first_line(void)
{
	const char *text = (const char *)said.data;
	const char *end = said.length ? memchr(text, '\n', said.length) : NULL;
	json_t *line = end ? json_loadb(text, (size_t)(end - text) + 1, 0, NULL) : NULL;
	if (json_is_object(line) && !json_is_string(json_object_get(line, "error")))
		return line;
	json_decref(line);
	return NULL;
}

static int status_of(size_t which, const json_t *line)
{
	if (!line || which == FOLLOW)
		return RG_EXIT_NOT_RUNNING;
	if (which == RELOAD)
		return json_is_true(json_object_get(line, "kept")) ? RG_EXIT_CONFIGURATION
								   : RG_EXIT_FINE;
	if (which == UNLOCK)
		return json_is_true(json_object_get(line, "unlocked")) ? RG_EXIT_FINE
								       : RG_EXIT_NONE_SEEN;
	if (which == TRACE && json_array_size(json_object_get(line, "sign_ins")) == 0)
		return RG_EXIT_NONE_SEEN;
	return RG_EXIT_FINE;
}

/* For a program it is the answer, and nothing else. */
static void is_that(const struct printed *out, const json_t *line)
{
	json_t *read = json_loadb(out->text, out->length, 0, NULL);
	char *one = json_dumps(read, JSON_SORT_KEYS | JSON_REAL_PRECISION(9));
	char *other = json_dumps(line, JSON_SORT_KEYS | JSON_REAL_PRECISION(9));
	MUST(one && other && strcmp(one, other) == 0);
	free(one);
	free(other);
	json_decref(read);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct printed out = {0}, err = {0};
	struct rg_cursor cursor = cursor_over(span_of(data, size));
	uint8_t head = cursor_u8(&cursor);
	size_t which = head % COMMANDS;
	bool json = head & 0x80;
	set_up();
	said = cursor_rest(&cursor);
	json_t *line = first_line();
	int status = run(which, json, &out, &err);
	MUST(status == status_of(which, line));
	is_plain(&err);
	if (!json)
		is_plain(&out);
	/* Either it says what it heard, or what is wrong; whoever follows hears until the gateway
	 * goes. */
	if (status == RG_EXIT_NOT_RUNNING)
		MUST(says(&err, "roamgate ") && (out.length == 0 || which == FOLLOW));
	else
		MUST(out.length != 0 ? err.length == 0 : says(&err, "roamgate trace: no sign-in"));
	if (json && line && which != FOLLOW)
		is_that(&out, line);
	json_decref(line);
	free(out.text);
	free(err.text);
	return 0;
}

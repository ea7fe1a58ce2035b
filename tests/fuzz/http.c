/* What strangers send to the http listener: over one connection, in pieces, as much as they like.
 * Each answer is one that we give, or libmicrohttpd's to what is no request; nothing is kept once
 * they have left. */
#include "fuzz.h"

/* What it serves by, without its thread. */
#include "../../src/transport/http.c"

#include <sys/un.h>

static bool unwell;

static int on_health(void *context, char *why)
{
	(void)context;
	snprintf(why, 256, "no directory answers");
	return unwell;
}

static struct rg_http *http_ready(void)
{
	static struct rg_http http = {.health = on_health};
	if (http.daemon)
		return &http;
	MUST(observe_open(1, 16));
	http.daemon = MHD_start_daemon(
		MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, &http,
		MHD_OPTION_EXTERNAL_LOGGER, on_library_log, NULL, MHD_OPTION_CONNECTION_LIMIT,
		CONNECTIONS_MOST, MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, MEMORY_MOST, MHD_OPTION_END);
	MUST(http.daemon);
	return &http;
}

static unsigned connections(const struct rg_http *http)
{
	return MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)
		->num_connections;
}

static struct rg_span drain(int fd)
{
	static char said[1 << 18];
	size_t length = 0;
	ssize_t count;
	while (length < sizeof(said) &&
	       (count = recv(fd, said + length, sizeof(said) - length, MSG_DONTWAIT)) > 0)
		length += (size_t)count;
	return span_of(said, length);
}

/* "HTTP/1.x CODE " and a code that is known. */
static void judge(struct rg_span said)
{
	static const char *const codes[] = {"200", "400", "404", "405", "408", "411", "413", "414",
					    "417", "426", "431", "500", "501", "503", "505"};
	if (said.length == 0)
		return;
	MUST(said.length > 13 && memcmp(said.data, "HTTP/1.", 7) == 0);
	const char *code = (const char *)said.data + 9;
	bool known = memcmp(code, "100", 3) == 0;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		known = known || memcmp(code, codes[i], 3) == 0;
	MUST(known);
	if (memcmp(code, "200", 3) == 0)
		MUST(memmem(said.data, said.length, "\r\nX-Content-Type-Options: nosniff\r\n", 35));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rg_http *http = http_ready();
	struct rg_cursor cursor = cursor_over(span_of(data, size));
	struct sockaddr_un nowhere = {.sun_family = AF_UNIX};
	int ends[2];
	uint8_t how = cursor_u8(&cursor);
	unwell = how & 1;
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
	MUST(MHD_add_connection(http->daemon, ends[1], (struct sockaddr *)&nowhere,
				sizeof(nowhere)) == MHD_YES);
	/* All at once, or piece by piece. */
	while (cursor_left(&cursor) != 0) {
		struct rg_span piece = how & 2 ? piece_next(&cursor) : cursor_rest(&cursor);
		if (piece.length &&
		    send(ends[0], piece.data, piece.length, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break;
		MHD_run(http->daemon);
	}
	for (unsigned i = 0; i < 4; i++)
		MHD_run(http->daemon);
	judge(drain(ends[0]));
	close(ends[0]);
	for (unsigned i = 0; i < 16 && connections(http) != 0; i++)
		MHD_run(http->daemon);
	MUST(connections(http) == 0);
	return 0;
}

/* Whom `roamgate test` asks: the server named, or the gateway of the raddb as one of its own
 * clients. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/table.h"
#include "command/command.h"
#include "command/test.h"
#include "core/secret.h"

#define SECRET_MOST 4096

static int complain(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int complain(int status, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fputs("roamgate test: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	return status;
}

static void describe(struct rg_test_target *target)
{
	char host[INET6_ADDRSTRLEN] = "", port[8] = "";
	getnameinfo((const struct sockaddr *)&target->address, target->address_length, host,
		    sizeof(host), port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(target->text, sizeof(target->text), strchr(host, ':') ? "[%s]:%s" : "%s:%s", host,
		 port);
}

/* "ADDR", "ADDR:PORT", "[V6]:PORT" or a bare IPv6 address; the port is 1812 where none is given. */
static bool split_server(const char *text, char host[256], char port[8])
{
	const char *colon = strrchr(text, ':');
	const char *end = text + strlen(text);
	strcpy(port, "1812");
	if (text[0] == '[') {
		end = strchr(text++, ']');
		if (!end || (end[1] != '\0' && end[1] != ':'))
			return false;
		colon = end[1] == ':' ? end + 1 : NULL;
	} else if (colon && strchr(text, ':') == colon) {
		end = colon;
	} else {
		colon = NULL;
	}
	if (end == text || end - text >= 256 || (colon && (!colon[1] || strlen(colon + 1) >= 8)))
		return false;
	memcpy(host, text, (size_t)(end - text));
	host[end - text] = '\0';
	if (colon)
		strcpy(port, colon + 1);
	return true;
}

static int resolve(struct rg_test_target *target, const char *server)
{
	char host[256], port[8];
	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *found = NULL;
	if (!split_server(server, host, port))
		return usage_error("test", "--server wants ADDR:PORT, not %s", server);
	int error = getaddrinfo(host, port, &hints, &found);
	if (error != 0)
		return usage_error("test", "--server %s: %s", server, gai_strerror(error));
	memcpy(&target->address, found->ai_addr, found->ai_addrlen);
	target->address_length = found->ai_addrlen;
	freeaddrinfo(found);
	return RG_EXIT_FINE;
}

static int read_secret(struct rg_test_target *target, const char *path)
{
	uint8_t data[SECRET_MOST];
	FILE *file = fopen(path, "re");
	if (!file)
		return complain(RG_EXIT_USAGE, "%s: %s", path, strerror(errno));
	setvbuf(file, NULL, _IONBF, 0); /* no second copy of the secret */
	size_t length = fread(data, 1, sizeof(data), file);
	fclose(file);
	if (length != 0 && data[length - 1] == '\n')
		length--;
	target->own_key = radius_key_new(span_of(data, length));
	secret_wipe(data, sizeof(data));
	target->key = target->own_key;
	return target->key ? RG_EXIT_FINE : complain(RG_EXIT_USAGE, "%s: holds no secret", path);
}

static const struct rg_listen *find_listen(const struct rg_raddb *raddb)
{
	for (size_t i = 0; i < raddb->listen_count; i++)
		if (raddb->listens[i].transport == RG_TRANSPORT_UDP &&
		    raddb->listens[i].serves & RG_SERVES_AUTH)
			return &raddb->listens[i];
	return NULL;
}

/* Where a gateway that listens there is reached from this machine. */
static void reach(struct rg_test_target *target, const struct rg_listen *listen)
{
	target->address = listen->socket_address;
	struct sockaddr_in *v4 = (struct sockaddr_in *)&target->address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&target->address;
	if (target->address.ss_family == AF_INET) {
		if (v4->sin_addr.s_addr == htonl(INADDR_ANY))
			v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		target->address_length = sizeof(*v4);
	} else {
		if (IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr))
			v6->sin6_addr = in6addr_loopback;
		target->address_length = sizeof(*v6);
	}
}

/* The address that requests will come from. */
static bool own_address(const struct rg_test_target *target, struct sockaddr_storage *own)
{
	socklen_t length = sizeof(*own);
	int probe = socket(target->address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool fine = probe >= 0 &&
		    connect(probe, (const struct sockaddr *)&target->address,
			    target->address_length) == 0 &&
		    getsockname(probe, (struct sockaddr *)own, &length) == 0;
	if (probe >= 0)
		close(probe);
	return fine;
}

static int no_client(const struct sockaddr_storage *own)
{
	char host[INET6_ADDRSTRLEN] = "";
	getnameinfo((const struct sockaddr *)own, sizeof(*own), host, sizeof(host), NULL, 0,
		    NI_NUMERICHOST);
	return complain(
		RG_EXIT_CONFIGURATION,
		"the gateway knows no client %s, which is this machine. Either name a server "
		"(--server, --secret-file), or add a file to clients.d and reload:\n\n"
		"clients = (\n"
		"  { name = \"test\"; site = \"test\"; addresses = [ \"%s\" ]; "
		"secret_file = \"secrets/test\"; }\n"
		");\n",
		host, host);
}

static int find_client(struct rg_test_target *target)
{
	struct sockaddr_storage own = {.ss_family = AF_UNSPEC};
	if (!own_address(target, &own))
		return complain(RG_EXIT_NO_ANSWER, "%s: %s", target->text, strerror(errno));
	struct rg_client_table *table =
		client_table_new(target->raddb->clients, target->raddb->client_count);
	if (!table)
		return complain(RG_EXIT_NOT_RUNNING, "no memory");
	const struct rg_client *client = client_table_find(table, (const struct sockaddr *)&own);
	client_table_free(&table);
	if (!client)
		return no_client(&own);
	target->key = client->key;
	target->client = client->name;
	if (client->ssids.count != 0)
		target->ssid = client->ssids.items[0];
	return RG_EXIT_FINE;
}

static int from_raddb(struct rg_test_target *target, const char *file)
{
	struct rg_report report = {0};
	target->raddb = raddb_load(file, &report);
	if (!target->raddb)
		report_print(&report, stderr);
	report_free(&report);
	if (!target->raddb)
		return RG_EXIT_CONFIGURATION;
	const struct rg_listen *listen = find_listen(target->raddb);
	if (!listen)
		return complain(
			RG_EXIT_CONFIGURATION,
			"%s has no udp listener that serves auth; name a server with --server",
			file);
	target->control = target->raddb->gateway.control;
	reach(target, listen);
	describe(target);
	return find_client(target);
}

int test_target_open(struct rg_test_target *target, const struct rg_test *test,
		     const char *raddb_file)
{
	memset(target, 0, sizeof(*target));
	if (!test->server && !test->secret_file)
		return from_raddb(target, raddb_file);
	if (!test->server || !test->secret_file)
		return usage_error("test", "--server and --secret-file go together");
	int status = resolve(target, test->server);
	if (status != RG_EXIT_FINE)
		return status;
	describe(target);
	return read_secret(target, test->secret_file);
}

void test_target_close(struct rg_test_target *target)
{
	radius_key_free(&target->own_key);
	raddb_free(&target->raddb);
}

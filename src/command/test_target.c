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
#include "command/server.h"
#include "command/test.h"

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
		client_table_new(target->raddb->clients, target->raddb->client_count, RG_OVER_UDP);
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
	server_text(target->text, &target->address, target->address_length);
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
	int status = server_resolve("test", "server", test->server, &target->address,
				    &target->address_length);
	if (status == RG_EXIT_FINE)
		status = server_secret("test", test->secret_file, &target->own_key);
	server_text(target->text, &target->address, target->address_length);
	target->key = target->own_key;
	return status;
}

void test_target_close(struct rg_test_target *target)
{
	radius_key_free(&target->own_key);
	raddb_free(&target->raddb);
}

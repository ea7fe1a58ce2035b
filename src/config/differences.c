#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "config/names.h"
#include "config/raddb.h"
#include "roamgate/sink.h"

/* One item of a raddb: what it is called, and the digest of what is written of it. */
struct item {
	char name[320];
	const char *digest;
};

typedef struct item item_at(const struct rg_raddb *, size_t);

struct kind {
	const char *word;
	item_at *at;
	size_t (*count)(const struct rg_raddb *);
};

static struct item item_make(const char *name, const char *digest)
{
	struct item item = {.digest = digest};
	snprintf(item.name, sizeof(item.name), "%s", name);
	return item;
}

static struct item credential_at(const struct rg_raddb *raddb, size_t i)
{
	return item_make(raddb->credentials[i].name, raddb->credentials[i].digest);
}

static struct item realm_at(const struct rg_raddb *raddb, size_t i)
{
	return item_make(raddb->realms[i].name, raddb->realms[i].digest);
}

static struct item client_at(const struct rg_raddb *raddb, size_t i)
{
	return item_make(raddb->clients[i].name, raddb->clients[i].digest);
}

static struct item peer_at(const struct rg_raddb *raddb, size_t i)
{
	return item_make(raddb->peers[i].name, raddb->peers[i].digest);
}

static struct item route_at(const struct rg_raddb *raddb, size_t i)
{
	return item_make(raddb->routes[i].realms.items[0], raddb->routes[i].digest);
}

static struct item listen_at(const struct rg_raddb *raddb, size_t i)
{
	static const char *const transports[] = {"udp", "tls", "dtls", "http"};
	const struct rg_listen *listen = &raddb->listens[i];
	struct item item = {.digest = listen->digest};
	in_port_t port = listen->socket_address.ss_family == AF_INET6
				 ? ((const struct sockaddr_in6 *)&listen->socket_address)->sin6_port
				 : ((const struct sockaddr_in *)&listen->socket_address)->sin_port;
	snprintf(item.name, sizeof(item.name), "%s %s port %u", transports[listen->transport],
		 listen->address, ntohs(port));
	return item;
}

static struct item sink_at(const struct rg_raddb *raddb, size_t i)
{
	return item_make(raddb->sinks[i].module->ops.sink->group, raddb->sinks[i].digest);
}

/* What serves peers that name none stands behind those that are written. */
static size_t credential_count(const struct rg_raddb *raddb)
{
	size_t count = raddb->credential_count;
	return count > 0 && *raddb->credentials[count - 1].name == '\0' ? count - 1 : count;
}

static size_t realm_count(const struct rg_raddb *raddb)
{
	return raddb->realm_count;
}

/* Peers that accept stand behind the clients proper and are told of as peers. */
static size_t client_count(const struct rg_raddb *raddb)
{
	size_t count = raddb->client_count;
	while (count > 0 && raddb->clients[count - 1].peer)
		count--;
	return count;
}

static size_t peer_count(const struct rg_raddb *raddb)
{
	return raddb->peer_count;
}

static size_t route_count(const struct rg_raddb *raddb)
{
	return raddb->route_count;
}

static size_t listen_count(const struct rg_raddb *raddb)
{
	return raddb->listen_count;
}

static size_t sink_count(const struct rg_raddb *raddb)
{
	return raddb->sink_count;
}

static const struct kind kinds[] = {
	{"credential", credential_at, credential_count},
	{"realm", realm_at, realm_count},
	{"client", client_at, client_count},
	{"peer", peer_at, peer_count},
	{"route", route_at, route_count},
	{"listen", listen_at, listen_count},
	{"sink", sink_at, sink_count},
};

/* Index of each name, by way of the line number of a place. */
static void names_collect(struct rg_names *names, struct rg_arena *arena, const struct kind *kind,
			  const struct rg_raddb *raddb)
{
	for (size_t i = 0; i < kind->count(raddb); i++) {
		struct item item = kind->at(raddb, i);
		names_add(names, span_text(arena_text(arena, item.name)),
			  (struct rg_where){NULL, (unsigned)i});
	}
}

static void kind_compare(const struct kind *kind, const struct rg_raddb *from, const struct rg_raddb *to,
			 void (*each)(void *context, const char *line), void *context)
{
	struct rg_arena arena = {0};
	struct rg_names before = {0}, after = {0};
	char line[400];
	names_collect(&before, &arena, kind, from);
	names_collect(&after, &arena, kind, to);
	for (size_t i = 0; i < kind->count(to); i++) {
		struct item item = kind->at(to, i);
		const struct rg_where *was = names_find(&before, span_text(item.name));
		if (was && strcmp(kind->at(from, was->line).digest, item.digest) == 0)
			continue;
		snprintf(line, sizeof(line), "%s %s %s", kind->word, item.name, was ? "changed" : "added");
		each(context, line);
	}
	for (size_t i = 0; i < kind->count(from); i++) {
		struct item item = kind->at(from, i);
		if (names_find(&after, span_text(item.name)))
			continue;
		snprintf(line, sizeof(line), "%s %s removed", kind->word, item.name);
		each(context, line);
	}
	names_free(&before);
	names_free(&after);
	arena_free(&arena);
}

static bool strings_equal(const struct rg_strings *a, const struct rg_strings *b)
{
	for (size_t i = 0; i < a->count && a->count == b->count; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return a->count == b->count;
}

static bool secrets_equal(const struct rg_secret *a, const struct rg_secret *b)
{
	if (!a || !b)
		return a == b;
	return a->length == b->length && memcmp(a->data, b->data, a->length) == 0;
}

void raddb_differences(const struct rg_raddb *from, const struct rg_raddb *to,
		       void (*each)(void *context, const char *line), void *context)
{
	if (strcmp(from->gateway_digest, to->gateway_digest) != 0)
		each(context, "gateway changed");
	if (strcmp(from->log_digest, to->log_digest) != 0)
		each(context, "log changed");
	if (strcmp(from->discovery.digest, to->discovery.digest) != 0)
		each(context, "discovery changed");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		kind_compare(&kinds[i], from, to, each, context);
	if (!strings_equal(&from->refuse, &to->refuse))
		each(context, "refuse changed");
	if (!secrets_equal(from->cui_key, to->cui_key))
		each(context, "cui changed");
}

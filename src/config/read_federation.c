/* peers, routes, refuse: where everyone else's staff are sent. */
#include <stdio.h>
#include <string.h>

#include "config/rows.h"
#include "core/text.h"

struct peer {
	struct rg_peer_settings peer;
	int transport;
	const char *address, *credential, *psk_identity;
	int64_t port, accounting_port;
	struct rg_secret *secret, *psk;
	struct rg_strings server_names, client_names, discover;
};

#define PEER(member) offsetof(struct peer, peer.member)

static const char *const transports[] = {"udp", "tls", "dtls", NULL};
static const char *const policies[] = {"require", "auto", NULL};

static const struct rg_row peer_rows[] = {
	{.name = "name", .type = RG_STRING, .offset = PEER(name), .flags = RG_REQUIRED,
	 .help = "by which routes name it"},
	{.name = "transport", .type = RG_CHOICE, .offset = offsetof(struct peer, transport),
	 .fallback = "udp", .choices = transports, .help = "udp, tls or dtls"},
	{.name = "address", .type = RG_STRING, .offset = offsetof(struct peer, address),
	 .help = "its IPv4 or IPv6 address"},
	{.name = "host", .type = RG_STRING, .offset = PEER(host), .help = "of tls and dtls: its name"},
	{.name = "port", .type = RG_INTEGER, .offset = offsetof(struct peer, port), .least = 1,
	 .most = 65535, .help = "1812; 2083 for tls and dtls"},
	{.name = "accounting_port", .type = RG_INTEGER, .offset = offsetof(struct peer, accounting_port),
	 .least = 1, .most = 65535, .help = "one above port where it is left out"},
	{.name = "secret", .type = RG_SECRET, .offset = offsetof(struct peer, secret),
	 .help = "shared with it; required for udp"},
	{.name = "status_server", .type = RG_BOOLEAN, .offset = PEER(status_server), .fallback = "false",
	 .help = "it answers Status-Server"},
	{.name = "accepts", .type = RG_BOOLEAN, .offset = PEER(accepts), .fallback = "false",
	 .help = "it may ask for the realms here"},
	{.name = "message_authenticator", .type = RG_CHOICE, .offset = PEER(message_authenticator),
	 .fallback = "require", .choices = policies, .help = "as of clients"},
	{.name = "credential", .type = RG_STRING, .offset = offsetof(struct peer, credential),
	 .help = "of tls and dtls: which of credentials is shown"},
	{.name = "server_names", .type = RG_STRINGS, .offset = offsetof(struct peer, server_names),
	 .help = "names its certificate must bear"},
	{.name = "client_names", .type = RG_STRINGS, .offset = offsetof(struct peer, client_names),
	 .help = "names its certificate must bear when it asks"},
	{.name = "psk_identity", .type = RG_STRING, .offset = offsetof(struct peer, psk_identity),
	 .help = "TLS-PSK in place of certificates (RFC 9813)"},
	{.name = "psk", .type = RG_SECRET, .offset = offsetof(struct peer, psk), .help = "that key"},
	{.name = "discover", .type = RG_STRINGS, .offset = offsetof(struct peer, discover),
	 .help = "found by NAPTR and SRV (RFC 7585)"},
	{0},
};

static void udp_peer_read(struct rg_complaint *at, struct peer *read)
{
	struct rg_peer_settings *peer = &read->peer;
	int64_t port = read->port ? read->port : 1812;
	int64_t accounting = read->accounting_port ? read->accounting_port : port + 1;
	if (!read->address) {
		complain_error(at, "address", peer->host ? "is missing: a udp peer has an address, host belongs to tls"
							 : "is missing");
		return;
	}
	if (!address_parse(read->address, (uint16_t)port, &peer->address)) {
		complain_error(at, "address", "\"%s\" is no address", read->address);
		return;
	}
	if (accounting <= 65535)
		address_parse(read->address, (uint16_t)accounting, &peer->accounting_address);
	if (!config_setting_get_member(at->group, "secret") &&
	    !config_setting_get_member(at->group, "secret_file"))
		complain_error(at, "secret", "is missing: give it, or better secret_file");
	peer->host = read->address;
}

static void tls_peer_read(struct rg_complaint *at, struct peer *read)
{
	struct rg_peer_settings *peer = &read->peer;
	if (read->address && !address_parse(read->address, (uint16_t)(read->port ? read->port : 2083),
					    &peer->address))
		complain_error(at, "address", "\"%s\" is no address", read->address);
	if ((read->psk && !read->psk_identity) || (read->psk_identity && !read->psk))
		complain_error(at, "psk_identity", "psk_identity and psk_file go together");
	/* It counts for routes and is never up; nobody asks from its address either. */
	peer->address = (struct sockaddr_storage){.ss_family = AF_UNSPEC};
	peer->host = peer->host ? peer->host : read->address ? read->address : "";
	complain_warning(at, "transport", "\"%s\" is not served by this version: the peer is never up",
			 transports[peer->transport]);
}

void peer_read(struct rg_reading *reading, config_setting_t *setting)
{
	struct peer read = {0};
	struct rg_canon canon = {.outer = reading->canon};
	struct rg_complaint at = {reading, setting};
	struct rg_peer_settings *peer = &reading->raddb->peers[reading->raddb->peer_count];
	canon_setting(&canon, setting);
	reading->canon = &canon;
	bool fine = rows_read(&at, peer_rows, NULL, &read);
	reading->canon = canon.outer;
	canon_end(&canon, read.peer.digest);
	read.peer.where = setting_where(setting);
	read.peer.transport = (enum rg_transport)read.transport;
	read.peer.port = (uint16_t)(read.port		     ? read.port
				    : read.transport == RG_TRANSPORT_UDP ? 1812
									 : 2083);
	if (!read.peer.name)
		read.peer.name = "";
	else if (*read.peer.name == '\0')
		complain_error(&at, "name", "is empty");
	if (fine && read.peer.transport == RG_TRANSPORT_UDP)
		udp_peer_read(&at, &read);
	else if (fine)
		tls_peer_read(&at, &read);
	if (read.peer.transport == RG_TRANSPORT_UDP)
		read.peer.key = key_make(&at, "secret", read.secret);
	if (read.discover.count != 0)
		complain_warning(&at, "discover", "is not served by this version");
	reading->peers[reading->raddb->peer_count] = setting;
	read.peer.number = reading->raddb->peer_count++;
	*peer = read.peer;
}

struct route {
	struct rg_route route;
	struct rg_strings realms, peers, discover;
};

static const char *const strategies[] = {"failover", "balance", NULL};

static const struct rg_row route_rows[] = {
	{.name = "realms", .type = RG_STRINGS, .offset = offsetof(struct route, realms),
	 .flags = RG_REQUIRED, .help = "realms; *.example.nl is all below; * is everyone else"},
	{.name = "peers", .type = RG_STRINGS, .offset = offsetof(struct route, peers),
	 .help = "names of peers, in order"},
	{.name = "strategy", .type = RG_CHOICE, .offset = offsetof(struct route, route.strategy),
	 .fallback = "failover", .choices = strategies, .help = "failover or balance"},
	{.name = "accounting", .type = RG_BOOLEAN, .offset = offsetof(struct route, route.accounting),
	 .fallback = "false", .help = "Accounting-Request goes there as well"},
	{.name = "pap", .type = RG_BOOLEAN, .offset = offsetof(struct route, route.pap),
	 .fallback = "false", .help = "requests without EAP go there as well"},
	{.name = "discover", .type = RG_STRINGS, .offset = offsetof(struct route, discover),
	 .help = "peers are found by NAPTR and SRV (RFC 7585)"},
	{0},
};

static struct rg_strings patterns_read(struct rg_complaint *at, const struct rg_strings *written)
{
	const char **patterns =
		arena_alloc(&at->reading->raddb->arena, (written->count + 1) * sizeof(*patterns));
	size_t count = 0;
	for (size_t i = 0; i < written->count; i++) {
		patterns[count] = pattern_read(at, "realms", written->items[i], true);
		if (patterns[count])
			count++;
	}
	return (struct rg_strings){patterns, count};
}

static struct rg_peer_settings *peer_find(const struct rg_raddb *raddb, const char *name)
{
	for (size_t i = 0; i < raddb->peer_count; i++)
		if (strcmp(raddb->peers[i].name, name) == 0)
			return &raddb->peers[i];
	return NULL;
}

static void peer_unknown(struct rg_complaint *at, const char *name)
{
	const char *names[65];
	char hint[128];
	size_t count = 0;
	for (; count < at->reading->raddb->peer_count && count < 64; count++)
		names[count] = at->reading->raddb->peers[count].name;
	names[count] = NULL;
	complain_error(at, "peers", "there is no peer \"%s\"%s", name, hint_text(name, names, hint));
}

static void route_peers(struct rg_complaint *at, struct rg_route *route, const struct rg_strings *names)
{
	route->peers = arena_alloc(&at->reading->raddb->arena,
				   (names->count + 1) * sizeof(struct rg_peer_settings *));
	for (size_t i = 0; i < names->count; i++) {
		struct rg_peer_settings *peer = peer_find(at->reading->raddb, names->items[i]);
		if (!peer)
			peer_unknown(at, names->items[i]);
		for (size_t j = 0; peer && j < route->peer_count; j++)
			if (route->peers[j] == peer)
				complain_error(at, "peers", "\"%s\" is there twice", names->items[i]);
		if (peer)
			route->peers[route->peer_count++] = peer;
	}
}

void route_read(struct rg_reading *reading, config_setting_t *setting)
{
	struct route read = {0};
	struct rg_canon canon = {0};
	struct rg_complaint at = {reading, setting};
	struct rg_route *route = &reading->raddb->routes[reading->raddb->route_count];
	rows_read(&at, route_rows, NULL, &read);
	*route = read.route;
	canon_setting(&canon, setting);
	canon_end(&canon, route->digest);
	route->where = setting_where(setting);
	route->realms = patterns_read(&at, &read.realms);
	if (config_setting_get_member(at.group, "realms") && read.realms.count == 0)
		complain_error(&at, "realms", "is empty");
	route_peers(&at, route, &read.peers);
	if (read.discover.count != 0)
		complain_warning(&at, "discover", "is not served by this version");
	else if (read.peers.count == 0)
		complain_error(&at, "peers", "is missing: there is nobody to send to");
	reading->routes[reading->raddb->route_count] = setting;
	route->number = reading->raddb->route_count++;
}

/* federation.md, "Default refusals". */
static const char *const default_refusals[] = {
	"*.3gppnetwork.org", "*.3gppnetworks.org", "*.local",  "myabc.com", "gmail.com",
	"googlemail.com",    "hotmail.*",	   "live.*",   "outlook.*", "yahoo.*",
};
#define DEFAULT_REFUSALS (sizeof(default_refusals) / sizeof(default_refusals[0]))

/* A realm, "*.realm", "name.*" or "*"; NULL: it is none. */
static const char *refusal_read(struct rg_reading *reading, const config_setting_t *setting)
{
	struct rg_complaint at = {reading, setting};
	if (setting->type != CONFIG_TYPE_STRING) {
		setting_error(reading, setting, "must be a string, is %s", type_text(setting));
		return NULL;
	}
	char *text = arena_text(&reading->raddb->arena, config_setting_get_string(setting));
	size_t length = strlen(text);
	if (length > 2 && strcmp(text + length - 2, ".*") == 0 && strspn(text, "*") == 0) {
		text[length - 2] = '\0';
		bool good = !strpbrk(text, " *@\\/") && text[0] != '.';
		text[length - 2] = '.';
		text_lower(text);
		if (!good)
			setting_error(reading, setting, "\"%s\" is no realm", text);
		return good ? text : NULL;
	}
	return pattern_read(&at, NULL, text, true);
}

void refuse_read(struct rg_reading *reading, config_setting_t *setting)
{
	struct rg_strings *refuse = &reading->raddb->refuse;
	bool one = setting->type == CONFIG_TYPE_STRING;
	if (!one && setting->type != CONFIG_TYPE_ARRAY && setting->type != CONFIG_TYPE_LIST) {
		setting_error(reading, setting, "must be an array of strings [ \"…\" ], is %s",
			      type_text(setting));
		return;
	}
	size_t more = one ? 1 : (size_t)config_setting_length(setting);
	const char **items =
		arena_alloc(&reading->raddb->arena, (refuse->count + more + 1) * sizeof(*items));
	if (refuse->count != 0)
		memcpy(items, refuse->items, refuse->count * sizeof(*items));
	refuse->items = items;
	for (size_t i = 0; i < more; i++) {
		items[refuse->count] = refusal_read(
			reading, one ? setting : config_setting_get_elem(setting, (unsigned)i));
		if (items[refuse->count])
			refuse->count++;
	}
}

void refuse_defaults_read(struct rg_reading *reading, config_setting_t *setting)
{
	if (setting->type != CONFIG_TYPE_BOOL)
		setting_error(reading, setting, "must be true or false, is %s", type_text(setting));
	else
		reading->refuse_defaults = config_setting_get_bool(setting);
}

void refuse_finish(struct rg_reading *reading)
{
	struct rg_strings *refuse = &reading->raddb->refuse;
	if (!reading->refuse_defaults)
		return;
	const char **items = arena_alloc(&reading->raddb->arena,
					 (refuse->count + DEFAULT_REFUSALS) * sizeof(*items));
	if (refuse->count != 0)
		memcpy(items, refuse->items, refuse->count * sizeof(*items));
	for (size_t i = 0; i < DEFAULT_REFUSALS; i++)
		items[refuse->count + i] = default_refusals[i];
	*refuse = (struct rg_strings){items, refuse->count + DEFAULT_REFUSALS};
}

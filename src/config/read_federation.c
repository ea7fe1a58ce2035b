/* routes, refuse: which of the peers everyone else's staff are sent to. */
#include <stdio.h>
#include <string.h>

#include "config/rows.h"
#include "core/text.h"

struct route {
	struct rg_route route;
	struct rg_strings realms, peers, discover;
	const char *credential;
	int discover_names;
};

static const char *const strategies[] = {"failover", "balance", NULL};

static const char *const found_names[] = {"host", "realm", NULL};

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
	 .help = "service tags by which peers are found (RFC 7585), before those of peers"},
	{.name = "discover_names", .type = RG_CHOICE, .offset = offsetof(struct route, discover_names),
	 .fallback = "host", .choices = found_names,
	 .help = "a found peer bears the realm, or (host) the name that DNS gave"},
	{.name = "credential", .type = RG_STRING, .offset = offsetof(struct route, credential),
	 .help = "which of credentials a found peer is shown"},
	{0},
};

struct rg_strings patterns_read(struct rg_complaint *at, const char *key, const struct rg_strings *written)
{
	const char **patterns =
		arena_alloc(&at->reading->raddb->arena, (written->count + 1) * sizeof(*patterns));
	size_t count = 0;
	for (size_t i = 0; i < written->count; i++) {
		patterns[count] = pattern_read(at, key, written->items[i], true);
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
	if (names->count > RG_ROUTE_PEERS_MOST)
		complain_error(at, "peers", "has %zu peers: %d are the most", names->count,
			       RG_ROUTE_PEERS_MOST);
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
	route->realms = patterns_read(&at, "realms", &read.realms);
	if (config_setting_get_member(at.group, "realms") && read.realms.count == 0)
		complain_error(&at, "realms", "is empty");
	route_peers(&at, route, &read.peers);
	route_discover_read(&at, route, &read.discover, read.credential);
	route->discover_realm_only = read.discover_names == 1;
	if (read.discover.count == 0 && read.peers.count == 0)
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

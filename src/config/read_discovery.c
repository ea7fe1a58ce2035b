/* discovery, and what a route says of it: peers that are found by NAPTR and SRV (RFC 7585). */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/rows.h"
#include "core/text.h"

#define DISCOVERY(member) offsetof(struct rg_discovery_settings, member)
#define DNS_PORT          53

static const struct rg_row discovery_rows[] = {
	{.name = "resolvers",
	 .type = RG_STRINGS,
	 .offset = DISCOVERY(resolvers),
	 .help = "ADDRESS or ADDRESS:PORT, asked in order; those of this machine where it is left "
		 "out"},
	{.name = "allow",
	 .type = RG_STRINGS,
	 .offset = DISCOVERY(allow),
	 .fallback = "*",
	 .help = "realms that may be looked for; *.example.nl is all below; * is every one"},
	{.name = "timeout_ms",
	 .type = RG_INTEGER,
	 .offset = DISCOVERY(timeout_ms),
	 .fallback = "3000",
	 .least = 100,
	 .most = 30000,
	 .help = "for all questions about one realm"},
	{.name = "ttl_min_s",
	 .type = RG_INTEGER,
	 .offset = DISCOVERY(ttl_min_s),
	 .fallback = "60",
	 .least = 1,
	 .most = 86400,
	 .help = "what is found is kept so long at least"},
	{.name = "ttl_max_s",
	 .type = RG_INTEGER,
	 .offset = DISCOVERY(ttl_max_s),
	 .fallback = "86400",
	 .least = 1,
	 .most = 604800,
	 .help = "and so long at most"},
	{.name = "negative_s",
	 .type = RG_INTEGER,
	 .offset = DISCOVERY(negative_s),
	 .fallback = "600",
	 .least = 1,
	 .most = 86400,
	 .help = "that there is none is kept so long at most"},
	{.name = "backoff_s",
	 .type = RG_INTEGER,
	 .offset = DISCOVERY(backoff_s),
	 .fallback = "30",
	 .least = 1,
	 .most = 3600,
	 .help = "a realm that could not be asked for is left alone so long"},
	{.name = "cache",
	 .type = RG_INTEGER,
	 .offset = DISCOVERY(cache),
	 .fallback = "10000",
	 .least = 16,
	 .most = 1000000,
	 .help = "realms that are remembered"},
	{.name = "peers",
	 .type = RG_INTEGER,
	 .offset = DISCOVERY(peers),
	 .fallback = "64",
	 .least = 1,
	 .most = 1024,
	 .help = "realms whose found peers a worker is connected to"},
	{.name = "idle_s",
	 .type = RG_INTEGER,
	 .offset = DISCOVERY(idle_s),
	 .fallback = "600",
	 .least = 60,
	 .most = 86400,
	 .help = "a found peer that nobody needed for so long is left"},
	{.name = "private",
	 .type = RG_BOOLEAN,
	 .offset = DISCOVERY(private),
	 .fallback = "false",
	 .help = "peers may be found at addresses of private networks"},
	{.name = "loopback",
	 .type = RG_BOOLEAN,
	 .offset = DISCOVERY(loopback),
	 .fallback = "false",
	 .help = "peers may be found on this machine: for trials"},
	{0},
};

/* "192.0.2.1", "192.0.2.1:53", "2001:db8::1" or "[2001:db8::1]:53", with its port written out.
 * NULL: it is none. */
static const char *resolver_read(struct rg_raddb *raddb, const char *text)
{
	char address[INET6_ADDRSTRLEN + 2];
	struct sockaddr_storage parsed;
	const char *colon = strrchr(text, ':');
	bool bracket = *text == '[';
	unsigned long port = DNS_PORT;
	if (bracket ? colon && colon[-1] == ']' : colon && strchr(text, ':') == colon) {
		size_t digits = strspn(colon + 1, "0123456789");
		port = strtoul(colon + 1, NULL, 10);
		if (digits == 0 || digits > 5 || colon[1 + digits] != '\0' || port == 0 ||
		    port > 65535)
			return NULL;
	} else {
		colon = text + strlen(text);
	}
	size_t length = (size_t)(colon - text) - (bracket ? 2 : 0);
	if (length >= sizeof(address) || (bracket && (colon == text + 1 || colon[-1] != ']')))
		return NULL;
	snprintf(address, sizeof(address), "%.*s", (int)length, text + bracket);
	if (!address_parse(address, (uint16_t)port, &parsed) ||
	    (bracket && parsed.ss_family != AF_INET6))
		return NULL;
	return arena_format(&raddb->arena, parsed.ss_family == AF_INET6 ? "[%s]:%lu" : "%s:%lu",
			    address, port);
}

static struct rg_strings resolvers_read(struct rg_complaint *at, const struct rg_strings *written)
{
	struct rg_raddb *raddb = at->reading->raddb;
	const char **resolvers =
		arena_alloc(&raddb->arena, (written->count + 1) * sizeof(*resolvers));
	size_t count = 0;
	for (size_t i = 0; i < written->count; i++) {
		resolvers[count] = resolver_read(raddb, written->items[i]);
		if (resolvers[count])
			count++;
		else
			complain_error(at, "resolvers",
				       "\"%s\" is no ADDRESS or ADDRESS:PORT (an IPv6 address with "
				       "a port stands in [ ])",
				       written->items[i]);
	}
	return (struct rg_strings){resolvers, count};
}

/* Of what is meant, defaults included: the same settings, however they are written, keep what was
 * found. */
static void digest_make(struct rg_discovery_settings *discovery)
{
	struct rg_canon canon = {0};
	const int64_t numbers[] = {
		discovery->timeout_ms, discovery->ttl_min_s, discovery->ttl_max_s,
		discovery->negative_s, discovery->backoff_s, discovery->cache,
		discovery->private,    discovery->loopback,
	};
	for (size_t i = 0; i < discovery->resolvers.count; i++)
		canon_text(&canon, discovery->resolvers.items[i]);
	canon_text(&canon, "");
	for (size_t i = 0; i < discovery->allow.count; i++)
		canon_text(&canon, discovery->allow.items[i]);
	canon_span(&canon, span_of(numbers, sizeof(numbers)));
	canon_end(&canon, discovery->digest);
}

void discovery_default(struct rg_reading *reading)
{
	struct rg_discovery_settings discovery = {0};
	rows_default(reading, discovery_rows, &discovery);
	digest_make(&discovery);
	reading->raddb->discovery = discovery;
}

void discovery_read(struct rg_reading *reading, config_setting_t *setting)
{
	struct rg_discovery_settings discovery = {0};
	struct rg_complaint at = {reading, setting};
	if (setting->type != CONFIG_TYPE_GROUP) {
		setting_error(reading, setting, "must be a group { … }, is %s", type_text(setting));
		return;
	}
	rows_read(&at, discovery_rows, NULL, &discovery);
	discovery.resolvers = resolvers_read(&at, &discovery.resolvers);
	discovery.allow = patterns_read(&at, "allow", &discovery.allow);
	if (discovery.ttl_max_s < discovery.ttl_min_s && !told_of(&at, "ttl_min_s"))
		complain_error(&at, "ttl_max_s", "is less than ttl_min_s (%lld)",
			       (long long)discovery.ttl_min_s);
	digest_make(&discovery);
	reading->raddb->discovery = discovery;
}

static const char *const protocols[] = {"radius.tls.tcp", "radius.tls", "radius.dtls.udp",
					"radius.dtls", NULL};

/* RFC 3958 §6.5: "aaa+auth:radius.tls.tcp". The protocol says over what a peer is spoken to. */
static bool tag_read(struct rg_complaint *at, const char *text, struct rg_service_tag *tag)
{
	static const char characters[] = "abcdefghijklmnopqrstuvwxyz0123456789+-.";
	char *copy = arena_text(&at->reading->raddb->arena, text), hint[128];
	text_lower(copy);
	size_t service = strspn(copy, characters);
	if (service == 0 || service > 32 || strspn(copy, "abcdefghijklmnopqrstuvwxyz") == 0 ||
	    copy[service] != ':') {
		complain_error(at, "discover",
			       "\"%s\" is no service tag: aaa+auth:radius.tls.tcp is one, "
			       "x-eduroam:radius.tls another",
			       text);
		return false;
	}
	const char *protocol = copy + service + 1;
	for (size_t i = 0; protocols[i]; i++)
		if (strcmp(protocols[i], protocol) == 0) {
			*tag = (struct rg_service_tag){copy, i < 2 ? RG_TRANSPORT_TLS
								   : RG_TRANSPORT_DTLS};
			return true;
		}
	complain_error(at, "discover",
		       "\"%s\": RADIUS is found over radius.tls.tcp, radius.tls, radius.dtls.udp "
		       "or radius.dtls%s",
		       text, hint_text(protocol, protocols, hint));
	return false;
}

void route_discover_read(struct rg_complaint *at, struct rg_route *route,
			 const struct rg_strings *tags, const char *credential)
{
	route->discover = arena_alloc(&at->reading->raddb->arena,
				      (tags->count + 1) * sizeof(*route->discover));
	if (tags->count > RG_SERVICE_TAGS_MOST)
		complain_error(at, "discover", "has %zu tags: %d are the most", tags->count,
			       RG_SERVICE_TAGS_MOST);
	for (size_t i = 0; i < tags->count && i < RG_SERVICE_TAGS_MOST; i++) {
		struct rg_service_tag *tag = &route->discover[route->discover_count];
		if (!tag_read(at, tags->items[i], tag))
			continue;
		for (size_t j = 0; j < route->discover_count; j++)
			if (strcmp(route->discover[j].text, tag->text) == 0)
				complain_error(at, "discover", "\"%s\" is there twice", tag->text);
		route->discover_count++;
	}
	if (tags->count == 0) {
		if (credential)
			complain_error(at, "credential",
				       "belongs to discover: a peer names its own");
		return;
	}
	if (!credential) {
		complain_error(
			at, "credential",
			"is missing: say which of credentials is shown to a peer that is found");
		return;
	}
	route->credential = credential_find(at, credential);
	if (route->credential && (!route->credential->certificate || !route->credential->ca))
		complain_error(at, "credential",
			       "\"%s\" has no certificate and ca: a peer that is found has no PSK",
			       credential);
}

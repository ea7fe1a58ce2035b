/* What no reader of one group can see: names against names, groups against groups. */
#include <stdio.h>
#include <string.h>

#include "config/names.h"
#include "config/rows.h"
#include "core/text.h"

/* Where a key of a group stands; the group where it is not given. */
static struct rg_where key_where(config_setting_t *group, const char *key)
{
	config_setting_t *setting = config_setting_get_member(group, key);
	return setting_where(setting ? setting : group);
}

/* Remembers a name; a second one of it is an error at that key. */
static void name_judge(struct rg_reading *reading, struct rg_names *names, config_setting_t *group,
		       const char *key, struct rg_span name, const char *text)
{
	struct rg_complaint at = {reading, group};
	if (name.length == 0)
		return;
	const struct rg_where *first = names_add(names, name, key_where(group, key));
	if (first)
		complain_error(&at, key, "\"%s\" is taken: it is at %s:%u already", text, first->file,
			       first->line);
}

static void judge_names(struct rg_reading *reading)
{
	const struct rg_raddb *raddb = reading->raddb;
	struct rg_names clients = {0}, peers = {0}, credentials = {0};
	for (size_t i = 0; i < raddb->credential_count; i++)
		if (reading->credentials[i])
			name_judge(reading, &credentials, reading->credentials[i], "name",
				   span_text(raddb->credentials[i].name), raddb->credentials[i].name);
	for (size_t i = 0; i < raddb->client_count; i++)
		if (!raddb->clients[i].peer)
			name_judge(reading, &clients, reading->clients[i], "name",
				   span_text(raddb->clients[i].name), raddb->clients[i].name);
	for (size_t i = 0; i < raddb->peer_count; i++)
		name_judge(reading, &peers, reading->peers[i], "name", span_text(raddb->peers[i].name),
			   raddb->peers[i].name);
	/* A peer that accepts is a client as well, and known by its name. */
	for (size_t i = 0; i < raddb->peer_count; i++)
		if (raddb->peers[i].accepts)
			name_judge(reading, &clients, reading->peers[i], "name",
				   span_text(raddb->peers[i].name), raddb->peers[i].name);
	names_free(&clients);
	names_free(&peers);
	names_free(&credentials);
}

static void judge_prefixes(struct rg_reading *reading)
{
	const struct rg_raddb *raddb = reading->raddb;
	struct rg_names prefixes = {0};
	for (size_t i = 0; i < raddb->client_count; i++)
		for (size_t j = 0; j < raddb->clients[i].address_count; j++) {
			if (!(raddb->clients[i].transports & RG_OVER_UDP))
				break; /* names tell those apart: radsec_judge */
			const struct rg_prefix *prefix = &raddb->clients[i].addresses[j];
			char text[64];
			prefix_print(prefix, text);
			name_judge(reading, &prefixes, reading->clients[i],
				   raddb->clients[i].peer ? "address" : "addresses",
				   span_of(prefix, sizeof(*prefix)), text);
		}
	names_free(&prefixes);
}

static void judge_realms(struct rg_reading *reading)
{
	const struct rg_raddb *raddb = reading->raddb;
	struct rg_names realms = {0};
	for (size_t i = 0; i < raddb->realm_count; i++)
		for (size_t j = 0; j < raddb->realms[i].names.count; j++) {
			const char *name = raddb->realms[i].names.items[j];
			name_judge(reading, &realms, reading->realms[i], "names", span_text(name), name);
		}
	for (size_t i = 0; i < raddb->route_count; i++)
		for (size_t j = 0; j < raddb->routes[i].realms.count; j++) {
			const char *name = raddb->routes[i].realms.items[j];
			name_judge(reading, &realms, reading->routes[i], "realms", span_text(name), name);
		}
	names_free(&realms);
}

/* Sites and operators that clients have, against those that rules speak of. */
static void judge_rule(struct rg_reading *reading, const struct rg_realm *realm, const struct rg_rule *rule,
		       config_setting_t *group, const struct rg_names *sites,
		       const struct rg_names *operators)
{
	struct rg_complaint at = {reading, group};
	for (size_t i = 0; i < rule->sites.count; i++)
		if (!names_find(sites, span_text(rule->sites.items[i])))
			complain_warning(&at, "sites", "no client has site \"%s\"", rule->sites.items[i]);
	if (rule->home && !names_find(operators, span_text(realm->operator)))
		complain_warning(&at, "home", "no client has operator \"%s\": this rule never matches",
				 realm->operator);
}

static void judge_sites(struct rg_reading *reading)
{
	const struct rg_raddb *raddb = reading->raddb;
	struct rg_names sites = {0}, operators = {0};
	for (size_t i = 0; i < raddb->client_count; i++) {
		names_add(&sites, span_text(raddb->clients[i].site), raddb->clients[i].where);
		names_add(&operators, span_text(raddb->clients[i].operator), raddb->clients[i].where);
	}
	for (size_t i = 0; i < raddb->realm_count; i++) {
		unsigned index = 0;
		config_setting_t *list = config_setting_get_member(reading->realms[i], "authorize");
		/* list_next has complained of what is no group; here it would a second time. */
		for (size_t j = 0; list && j < raddb->realms[i].rule_count; index++) {
			config_setting_t *rule = config_setting_get_elem(list, index);
			if (rule && rule->type == CONFIG_TYPE_GROUP)
				judge_rule(reading, &raddb->realms[i], &raddb->realms[i].rules[j++], rule,
					   &sites, &operators);
		}
	}
	names_free(&sites);
	names_free(&operators);
}

static void judge_reach(struct rg_reading *reading)
{
	const struct rg_raddb *raddb = reading->raddb;
	bool listens = false;
	for (size_t i = 0; i < raddb->listen_count; i++)
		listens = listens || (raddb->listens[i].serves & RG_SERVES_AUTH);
	if (!listens && reading->report->error_count == 0)
		report_warning(reading->report, raddb->main_file, 0, "listen",
			       "nothing listens for sign-ins");
	for (size_t i = 0; i < raddb->realm_count && raddb->client_count == 0; i++) {
		struct rg_complaint at = {reading, reading->realms[i]};
		complain_warning(&at, NULL, "nothing reaches this realm: there is no client and no peer that accepts");
	}
	for (size_t i = 0; i < raddb->peer_count; i++) {
		struct rg_complaint at = {reading, reading->peers[i]};
		bool used = raddb->peers[i].accepts;
		for (size_t j = 0; j < raddb->route_count && !used; j++)
			for (size_t k = 0; k < raddb->routes[j].peer_count && !used; k++)
				used = raddb->routes[j].peers[k] == &raddb->peers[i];
		if (!used)
			complain_warning(&at, NULL, "no route names this peer, and it does not accept");
	}
}

static void judge_refused_routes(struct rg_reading *reading)
{
	const struct rg_raddb *raddb = reading->raddb;
	struct rg_names refused = {0};
	for (size_t i = 0; i < raddb->refuse.count; i++)
		names_add(&refused, span_text(raddb->refuse.items[i]), (struct rg_where){0});
	for (size_t i = 0; i < raddb->route_count; i++) {
		struct rg_complaint at = {reading, reading->routes[i]};
		for (size_t j = 0; j < raddb->routes[i].realms.count; j++) {
			const char *name = raddb->routes[i].realms.items[j];
			if (names_find(&refused, span_text(name)))
				complain_warning(&at, "realms", "\"%s\" is refused: it is never sent on", name);
		}
	}
	names_free(&refused);
}

void raddb_judge(struct rg_reading *reading)
{
	judge_names(reading);
	judge_prefixes(reading);
	judge_realms(reading);
	judge_sites(reading);
	judge_refused_routes(reading);
	judge_reach(reading);
	radsec_judge(reading);
}

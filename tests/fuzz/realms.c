/* A table of realms and where a name goes by it, beside a reading of the same patterns one by one.
 * Octets choose labels of a small vocabulary, so that names and patterns meet. */
#include "fuzz.h"

#include <strings.h>

#include "core/text.h"
#include "route/table.h"

#define EACH_MOST  4 /* realms, routes */
#define NAMES_MOST 3 /* of one */
#define TEXTS      (2 * EACH_MOST * NAMES_MOST + EACH_MOST + 1)

static const char *const labels[] = {"a", "b", "nl", "beuningen", "aa", "b-1", "x", "lab"};

struct world {
	char texts[TEXTS][128];
	size_t text_count;
	const char *names[2 * EACH_MOST][NAMES_MOST];
	const char *refused[EACH_MOST];
	struct rg_realm realms[EACH_MOST];
	struct rg_route routes[EACH_MOST];
	struct rg_raddb raddb;
};

/* One octet: up to four labels; the next ones which. */
static void labels_read(struct rg_cursor *cursor, char *out, bool capitals)
{
	uint8_t head = cursor_u8(cursor);
	out[0] = '\0';
	for (unsigned i = 0; i <= head % 4u; i++) {
		uint8_t which = cursor_u8(cursor);
		char *at = out + strlen(out);
		snprintf(at, 16, "%s%s", i ? "." : "", labels[which % 8]);
		for (; capitals && which & 0x80 && *at; at++)
			*at = (char)(*at >= 'a' && *at <= 'z' ? *at - 32 : *at);
	}
}

/* As configuration has patterns: lower case, with a wildcard in one of three places, or alone. */
static const char *pattern_read_from(struct world *world, struct rg_cursor *cursor, bool refusal)
{
	char name[64];
	uint8_t kind = cursor_u8(cursor) % 8;
	char *text = world->texts[world->text_count++];
	labels_read(cursor, name, false);
	if (kind == 7)
		snprintf(text, 128, "*");
	else if (kind > 4)
		snprintf(text, 128, "*.%s", name);
	else if (kind == 4 && refusal)
		snprintf(text, 128, "%s.*", name);
	else
		snprintf(text, 128, "%s", name);
	return text;
}

static struct rg_strings patterns_read_from(struct world *world, struct rg_cursor *cursor,
					    const char **names, bool may_be_all)
{
	size_t count = 1 + cursor_u8(cursor) % NAMES_MOST;
	for (size_t i = 0; i < count; i++) {
		names[i] = pattern_read_from(world, cursor, false);
		if (!may_be_all && strcmp(names[i], "*") == 0)
			names[i] = "beuningen.nl";
	}
	return (struct rg_strings){names, count};
}

static void world_read(struct world *world, struct rg_cursor *cursor)
{
	uint8_t counts = cursor_u8(cursor);
	*world = (struct world){0};
	world->raddb.realm_count = counts % (EACH_MOST + 1u);
	world->raddb.route_count = (counts >> 3) % (EACH_MOST + 1u);
	world->raddb.refuse.count = (counts >> 6) % (EACH_MOST + 1u);
	for (size_t i = 0; i < world->raddb.realm_count; i++)
		world->realms[i].names = patterns_read_from(world, cursor, world->names[i], false);
	for (size_t i = 0; i < world->raddb.route_count; i++)
		world->routes[i].realms =
			patterns_read_from(world, cursor, world->names[EACH_MOST + i], true);
	for (size_t i = 0; i < world->raddb.refuse.count; i++)
		world->refused[i] = pattern_read_from(world, cursor, true);
	world->raddb.realms = world->realms;
	world->raddb.routes = world->routes;
	world->raddb.refuse.items = world->refused;
}

/* How well a pattern fits a name: 0 not at all; the longer, the better; exactly is best. */
static size_t fits(const char *pattern, const char *name)
{
	size_t length = strlen(pattern), whole = strlen(name);
	if (strcmp(pattern, "*") == 0)
		return 1;
	if (pattern[0] == '*' && whole > length - 1 &&
	    strcasecmp(pattern + 1, name + whole - (length - 1)) == 0)
		return 2 * length;
	return strcasecmp(pattern, name) == 0 ? 1000 : 0;
}

static size_t fits_best(const struct rg_strings *patterns, const char *name, bool all_too)
{
	size_t best = 0;
	for (size_t i = 0; i < patterns->count; i++) {
		size_t fit = fits(patterns->items[i], name);
		if (fit > best && (fit != 1 || all_too))
			best = fit;
	}
	return best;
}

static const char *refused_by(const struct world *world, const char *name)
{
	for (size_t i = 0; i < world->raddb.refuse.count; i++) {
		const char *pattern = world->refused[i];
		size_t before = strlen(pattern) > 2 ? strlen(pattern) - 1 : 0; /* with its dot */
		if (fits(pattern, name) != 0)
			return pattern;
		if (before && strcmp(pattern + before - 1, ".*") == 0 &&
		    strncasecmp(pattern, name, before) == 0)
			return pattern;
	}
	return NULL;
}

static struct rg_destination reference(const struct world *world, const char *name)
{
	struct rg_destination to = {.way = RG_WAY_NOWHERE};
	const struct rg_route *route = NULL, *everyone = NULL;
	size_t best = 0;
	for (size_t i = 0; i < world->raddb.realm_count; i++) {
		size_t fit = fits_best(&world->realms[i].names, name, false);
		if (fit > best) {
			best = fit;
			to = (struct rg_destination){.way = RG_WAY_HOME,
						     .realm = &world->realms[i]};
		}
	}
	for (size_t i = 0; i < world->raddb.route_count; i++) {
		size_t fit = fits_best(&world->routes[i].realms, name, false);
		if (fit > best) {
			best = fit;
			route = &world->routes[i];
		}
		for (size_t j = 0; !everyone && j < world->routes[i].realms.count; j++)
			if (strcmp(world->routes[i].realms.items[j], "*") == 0)
				everyone = &world->routes[i];
	}
	if (to.way == RG_WAY_HOME && !route)
		return to;
	to = (struct rg_destination){.way = RG_WAY_NOWHERE};
	if (refused_by(world, name))
		return (struct rg_destination){.way = RG_WAY_REFUSED};
	if (route || everyone)
		to = (struct rg_destination){.way = RG_WAY_AWAY, .route = route ? route : everyone};
	return to;
}

/* A machine's realm: the longest of our own names that its FQDN is, or ends in. */
static const struct rg_realm *reference_machine(const struct world *world, const char *name)
{
	const struct rg_realm *found = NULL;
	size_t best = 0;
	for (size_t i = 0; i < world->raddb.realm_count; i++)
		for (size_t j = 0; j < world->realms[i].names.count; j++) {
			const char *pattern = world->realms[i].names.items[j];
			char below[160];
			snprintf(below, sizeof(below), "*.%s", pattern);
			size_t fit = fits(pattern, name);
			size_t under =
				pattern[0] != '*' && fits(below, name) ? 2 * strlen(below) - 1 : 0;
			fit = under > fit ? under : fit;
			if (fit > best) {
				best = fit;
				found = &world->realms[i];
			}
		}
	return found;
}

static void one_name(const struct world *world, const struct rg_route_table *table,
		     const char *realm, bool machine)
{
	struct rg_nai nai = {.realm = span_text(realm), .machine = machine};
	struct rg_destination to = route_table_find(table, &nai);
	if (machine) {
		const struct rg_realm *home = reference_machine(world, realm);
		MUST(to.way == (home ? RG_WAY_HOME : RG_WAY_NOWHERE));
		MUST(to.realm == home);
		return;
	}
	struct rg_destination expected = reference(world, realm);
	MUST(to.way == expected.way);
	MUST(to.way != RG_WAY_HOME || to.realm == expected.realm);
	MUST(to.way != RG_WAY_AWAY || to.route == expected.route);
	MUST(to.way != RG_WAY_REFUSED || to.refused_by);
	for (size_t i = 0; i < world->raddb.realm_count; i++)
		MUST(realm_claims(&world->realms[i], nai.realm) ==
		     (fits_best(&world->realms[i].names, realm, true) != 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rg_cursor cursor = cursor_over(span_of(data, size));
	static struct world world;
	char realm[64];
	world_read(&world, &cursor);
	struct rg_route_table *table = route_table_new(&world.raddb);
	MUST(table);
	for (unsigned i = 0; i < 8 && (i == 0 || cursor_left(&cursor) != 0); i++) {
		labels_read(&cursor, realm, true);
		one_name(&world, table, realm, false);
		one_name(&world, table, realm, true);
	}
	route_table_free(&table);
	return 0;
}

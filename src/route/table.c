#include "route/table.h"

#include <stdlib.h>
#include <string.h>

#include "core/text.h"

enum pattern_kind {
	PATTERN_EXACT,	/* beuningen.nl */
	PATTERN_BELOW,	/* *.beuningen.nl: text is beuningen.nl */
	PATTERN_BEFORE, /* hotmail.*: text is hotmail */
	PATTERN_ALL,	/* * */
};

enum claim_kind { CLAIM_HOME, CLAIM_ROUTE, CLAIM_REFUSED };

struct claim {
	struct rg_span text; /* lower case; data NULL: free */
	uint64_t hash;
	enum pattern_kind pattern;
	enum claim_kind kind;
	union {
		const struct rg_realm *realm;
		const struct rg_route *route;
		const char *refused_by;
	} to;
};

struct rg_route_table {
	const struct rg_route *everyone; /* of "*"; NULL: none */
	const char *refuses_everyone;
	size_t mask;
	struct claim claims[];
};

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

/* FNV-1a from the last octet to the first: on its way it has passed the hash of every parent realm. */
#define HASH_START UINT64_C(0xcbf29ce484222325)

static uint64_t hash_step(uint64_t hash, uint8_t c)
{
	return (hash ^ lower(c)) * UINT64_C(0x100000001b3);
}

static uint64_t hash_text(struct rg_span text)
{
	uint64_t hash = HASH_START;
	for (size_t i = text.length; i > 0; i--)
		hash = hash_step(hash, text.data[i - 1]);
	return hash;
}

/* The same from the first octet on, for patterns that fix the begin. */
static uint64_t hash_forward(struct rg_span text)
{
	uint64_t hash = HASH_START;
	for (size_t i = 0; i < text.length; i++)
		hash = hash_step(hash, text.data[i]);
	return hash;
}

static size_t slot_of(const struct rg_route_table *table, uint64_t hash, enum pattern_kind pattern,
		      enum claim_kind kind)
{
	uint64_t seed = (hash + (uint64_t)pattern * 4 + (uint64_t)kind) * UINT64_C(0x9e3779b97f4a7c15);
	return (size_t)(seed >> 32) & table->mask;
}

static const struct claim *claim_find(const struct rg_route_table *table, struct rg_span text,
				      uint64_t hash, enum pattern_kind pattern, enum claim_kind kind)
{
	size_t at = slot_of(table, hash, pattern, kind);
	for (; table->claims[at].text.data; at = (at + 1) & table->mask) {
		const struct claim *claim = &table->claims[at];
		if (claim->hash == hash && claim->pattern == pattern && claim->kind == kind &&
		    text_equal_nocase(claim->text, text))
			return claim;
	}
	return NULL;
}

static struct claim claim_of(const char *pattern, enum claim_kind kind)
{
	size_t length = strlen(pattern);
	struct claim claim = {.text = span_text(pattern), .pattern = PATTERN_EXACT, .kind = kind};
	if (strcmp(pattern, "*") == 0) {
		claim.pattern = PATTERN_ALL;
	} else if (length > 2 && strncmp(pattern, "*.", 2) == 0) {
		claim.pattern = PATTERN_BELOW;
		claim.text = span_text(pattern + 2);
	} else if (length > 2 && strcmp(pattern + length - 2, ".*") == 0) {
		claim.pattern = PATTERN_BEFORE;
		claim.text = span_of(pattern, length - 2);
	}
	claim.hash = claim.pattern == PATTERN_BEFORE ? hash_forward(claim.text) : hash_text(claim.text);
	return claim;
}

/* The first of two equal ones stays; the judgement of the raddb has refused that before. */
static void claim_insert(struct rg_route_table *table, struct claim claim)
{
	if (claim_find(table, claim.text, claim.hash, claim.pattern, claim.kind))
		return;
	size_t at = slot_of(table, claim.hash, claim.pattern, claim.kind);
	while (table->claims[at].text.data)
		at = (at + 1) & table->mask;
	table->claims[at] = claim;
}

static size_t claims_count(const struct rg_raddb *raddb)
{
	size_t count = raddb->refuse.count;
	for (size_t i = 0; i < raddb->realm_count; i++)
		count += raddb->realms[i].names.count;
	for (size_t i = 0; i < raddb->route_count; i++)
		count += raddb->routes[i].realms.count;
	return count;
}

static void realm_insert(struct rg_route_table *table, const struct rg_realm *realm)
{
	for (size_t i = 0; i < realm->names.count; i++) {
		struct claim claim = claim_of(realm->names.items[i], CLAIM_HOME);
		claim.to.realm = realm;
		claim_insert(table, claim);
	}
}

static void route_insert(struct rg_route_table *table, const struct rg_route *route)
{
	for (size_t i = 0; i < route->realms.count; i++) {
		struct claim claim = claim_of(route->realms.items[i], CLAIM_ROUTE);
		claim.to.route = route;
		if (claim.pattern != PATTERN_ALL)
			claim_insert(table, claim);
		else if (!table->everyone)
			table->everyone = route;
	}
}

static void refusal_insert(struct rg_route_table *table, const char *pattern)
{
	struct claim claim = claim_of(pattern, CLAIM_REFUSED);
	claim.to.refused_by = pattern;
	if (claim.pattern == PATTERN_ALL)
		table->refuses_everyone = pattern;
	else
		claim_insert(table, claim);
}

struct rg_route_table *route_table_new(const struct rg_raddb *raddb)
{
	size_t count = claims_count(raddb), size = 16;
	while (size < 2 * count)
		size *= 2;
	struct rg_route_table *table = calloc(1, sizeof(*table) + size * sizeof(table->claims[0]));
	if (!table)
		return NULL;
	table->mask = size - 1;
	for (size_t i = 0; i < raddb->realm_count; i++)
		realm_insert(table, &raddb->realms[i]);
	for (size_t i = 0; i < raddb->route_count; i++)
		route_insert(table, &raddb->routes[i]);
	for (size_t i = 0; i < raddb->refuse.count; i++)
		refusal_insert(table, raddb->refuse.items[i]);
	return table;
}

void route_table_free(struct rg_route_table **table)
{
	free(*table);
	*table = NULL;
}

/* A realm name and all that is above it, with their hashes: one pass over the octets. */
struct lineage {
	struct rg_span names[128]; /* the name itself, then each parent, shortest last */
	uint64_t hashes[128];
	size_t count;
};

static bool lineage_of(struct lineage *lineage, struct rg_span name)
{
	struct rg_span reverse[128];
	uint64_t hashes[128], hash = HASH_START;
	size_t count = 0;
	if (name.length == 0 || name.length > 253)
		return false;
	for (size_t i = name.length; i > 0; i--) {
		if (name.data[i - 1] == '.' && count < 127) {
			reverse[count] = span_of(name.data + i, name.length - i);
			hashes[count++] = hash;
		}
		hash = hash_step(hash, name.data[i - 1]);
	}
	reverse[count] = name;
	hashes[count++] = hash;
	for (size_t i = 0; i < count; i++) {
		lineage->names[i] = reverse[count - 1 - i];
		lineage->hashes[i] = hashes[count - 1 - i];
	}
	lineage->count = count;
	return true;
}

static const struct claim *lineage_exact(const struct rg_route_table *table,
					 const struct lineage *lineage, size_t i, enum claim_kind kind)
{
	return claim_find(table, lineage->names[i], lineage->hashes[i], PATTERN_EXACT, kind);
}

static const struct claim *lineage_below(const struct rg_route_table *table,
					 const struct lineage *lineage, size_t i, enum claim_kind kind)
{
	return claim_find(table, lineage->names[i], lineage->hashes[i], PATTERN_BELOW, kind);
}

static const char *refusal_find(const struct rg_route_table *table, const struct lineage *lineage)
{
	const struct claim *claim = lineage_exact(table, lineage, 0, CLAIM_REFUSED);
	for (size_t i = 1; i < lineage->count && !claim; i++)
		claim = lineage_below(table, lineage, i, CLAIM_REFUSED);
	struct rg_span name = lineage->names[0];
	uint64_t hash = HASH_START;
	for (size_t i = 0; i < name.length && !claim; i++) {
		if (name.data[i] == '.')
			claim = claim_find(table, span_of(name.data, i), hash, PATTERN_BEFORE,
					   CLAIM_REFUSED);
		hash = hash_step(hash, name.data[i]);
	}
	return claim ? claim->to.refused_by : table->refuses_everyone;
}

/* The most specific of realms and routes; a realm of our own beats a route that is as specific. */
static const struct claim *way_find(const struct rg_route_table *table, const struct lineage *lineage)
{
	const struct claim *claim = lineage_exact(table, lineage, 0, CLAIM_HOME);
	if (!claim)
		claim = lineage_exact(table, lineage, 0, CLAIM_ROUTE);
	for (size_t i = 1; i < lineage->count && !claim; i++) {
		claim = lineage_below(table, lineage, i, CLAIM_HOME);
		if (!claim)
			claim = lineage_below(table, lineage, i, CLAIM_ROUTE);
	}
	return claim;
}

static struct rg_destination machine_find(const struct rg_route_table *table,
					  const struct lineage *lineage)
{
	const struct claim *claim = lineage_exact(table, lineage, 0, CLAIM_HOME);
	for (size_t i = 1; i < lineage->count && !claim; i++) {
		claim = lineage_below(table, lineage, i, CLAIM_HOME);
		if (!claim)
			claim = lineage_exact(table, lineage, i, CLAIM_HOME);
	}
	if (!claim)
		return (struct rg_destination){.way = RG_WAY_NOWHERE};
	return (struct rg_destination){.way = RG_WAY_HOME, .realm = claim->to.realm};
}

struct rg_destination route_table_find(const struct rg_route_table *table, const struct rg_nai *nai)
{
	struct lineage lineage;
	if (!lineage_of(&lineage, nai->realm))
		return (struct rg_destination){.way = RG_WAY_NOWHERE};
	if (nai->machine)
		return machine_find(table, &lineage);
	const struct claim *claim = way_find(table, &lineage);
	if (claim && claim->kind == CLAIM_HOME)
		return (struct rg_destination){.way = RG_WAY_HOME, .realm = claim->to.realm};
	const char *refused_by = refusal_find(table, &lineage);
	if (refused_by)
		return (struct rg_destination){.way = RG_WAY_REFUSED, .refused_by = refused_by};
	const struct rg_route *route = claim ? claim->to.route : table->everyone;
	if (!route)
		return (struct rg_destination){.way = RG_WAY_NOWHERE};
	return (struct rg_destination){.way = RG_WAY_AWAY, .route = route};
}

bool names_claim(const struct rg_strings *names, struct rg_span name)
{
	for (size_t i = 0; i < names->count; i++) {
		struct rg_span own = span_text(names->items[i]);
		if (strcmp(names->items[i], "*") == 0 || text_equal_nocase(own, name))
			return true;
		/* "*.beuningen.nl": its part from the dot on is the end of the name. */
		if (own.length > 2 && own.data[0] == '*' && name.length > own.length - 1 &&
		    text_equal_nocase(span_of(own.data + 1, own.length - 1),
				      span_of(name.data + name.length - (own.length - 1),
					      own.length - 1)))
			return true;
	}
	return false;
}

bool realm_claims(const struct rg_realm *realm, struct rg_span name)
{
	return names_claim(&realm->names, name);
}

#include "match.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "directory/dn.h"
#include "directory/filter.h"

enum truth { FALSE, TRUE, UNDEFINED };

/* [MS-ADTS] 3.1.1.3.4.4 */
#define RULE_BIT_AND "1.2.840.113556.1.4.803"
#define RULE_BIT_OR  "1.2.840.113556.1.4.804"

bool matcher_make(struct rg_matcher *matcher, const char *text, char why[160])
{
	*matcher = (struct rg_matcher){.filter = filter_parse(text, why)};
	if (!matcher->filter)
		return false;
	struct rg_filter *filter = matcher->filter;
	matcher->dn = calloc(filter->node_count + 1, sizeof(*matcher->dn));
	if (!matcher->dn) {
		strcpy(why, "no memory");
		matcher_free(matcher);
		return false;
	}
	for (size_t i = 0; i < filter->node_count; i++) {
		struct rg_span *value = &filter->nodes[i].value;
		char name[1024];
		if (value->length > 0 && value->length < sizeof(name) &&
		    memchr(value->data, '=', value->length) &&
		    !memchr(value->data, 0, value->length)) {
			memcpy(name, value->data, value->length);
			name[value->length] = 0;
			if (!dn_read(name, &matcher->dn[i])) {
				strcpy(why, "no memory");
				matcher_free(matcher);
				return false;
			}
		}
		/* The parts of a substring lie beside the values, in the same text of the filter.
		 */
		if (filter->nodes[i].kind != RG_ASSERT_SUBSTRING)
			value->length = value_fold((uint8_t *)value->data, value->length, true);
		for (size_t j = 0; filter->nodes[i].kind == RG_ASSERT_SUBSTRING &&
				   j < filter->nodes[i].part_count;
		     j++) {
			struct rg_span *part = (struct rg_span *)&filter->nodes[i].parts[j];
			part->length = value_fold((uint8_t *)part->data, part->length, false);
		}
	}
	return true;
}

void matcher_free(struct rg_matcher *matcher)
{
	for (size_t i = 0; matcher->dn && i < matcher->filter->node_count; i++)
		free(matcher->dn[i]);
	free(matcher->dn);
	filter_free(&matcher->filter);
	*matcher = (struct rg_matcher){0};
}

static bool integer_of(struct rg_span span, long long *value)
{
	char text[32];
	char *end;
	if (span.length == 0 || span.length >= sizeof(text))
		return false;
	memcpy(text, span.data, span.length);
	text[span.length] = 0;
	errno = 0;
	*value = strtoll(text, &end, 10);
	return !*end && errno == 0;
}

static int compare_values(struct rg_span a, struct rg_span b)
{
	long long one, other;
	if (integer_of(a, &one) && integer_of(b, &other))
		return (one > other) - (one < other);
	size_t shorter = a.length < b.length ? a.length : b.length;
	int order = shorter ? memcmp(a.data, b.data, shorter) : 0;
	return order ? order : (a.length > b.length) - (a.length < b.length);
}

static bool contains_parts(const struct rg_assertion *node, struct rg_span value)
{
	struct rg_span initial = node->parts[0], final = node->parts[node->part_count - 1];
	if (value.length < initial.length + final.length ||
	    !span_equal(span_of(value.data, initial.length), initial) ||
	    !span_equal(span_of(value.data + value.length - final.length, final.length), final))
		return false;
	struct rg_cursor rest = cursor_over(value);
	cursor_take(&rest, initial.length);
	struct rg_cursor middle =
		cursor_over(cursor_take(&rest, cursor_left(&rest) - final.length));
	for (size_t i = 1; i + 1 < node->part_count; i++) {
		struct rg_span part = node->parts[i];
		if (part.length == 0)
			continue;
		const uint8_t *found =
			memmem(middle.at, cursor_left(&middle), part.data, part.length);
		if (!found)
			return false;
		cursor_take(&middle, (size_t)(found - middle.at) + part.length);
	}
	return true;
}

struct chain {
	const struct rg_store *store;
	const char *attribute, *target;
	bool *visited;
};

static bool chain_step(const struct chain *chain, const struct rg_entry *entry)
{
	size_t index = (size_t)(entry - chain->store->entries);
	if (chain->visited[index])
		return false;
	chain->visited[index] = true;
	for (size_t i = 0; i < entry->count; i++) {
		const struct rg_attribute *attribute = &entry->attributes[i];
		if (!attribute_named(attribute, chain->attribute))
			continue;
		for (size_t j = 0; j < attribute->count; j++) {
			const char *dn = attribute->values[j].dn;
			const struct rg_entry *next;
			if (dn && strcmp(dn, chain->target) == 0)
				return true;
			next = dn ? store_find(chain->store, dn) : NULL;
			if (next && chain_step(chain, next))
				return true;
		}
	}
	return false;
}

bool chain_reaches(const struct rg_store *store, const struct rg_entry *entry,
		   const char *attribute, const char *target)
{
	struct chain chain = {store, attribute, target, calloc(store->count, sizeof(bool))};
	bool found = chain.visited && chain_step(&chain, entry);
	free(chain.visited);
	return found;
}

static enum truth value_extensible(const struct rg_assertion *node, const char *dn,
				   const struct rg_value *value)
{
	long long has, wanted;
	if (strcmp(node->rule, RULE_BIT_AND) == 0 || strcmp(node->rule, RULE_BIT_OR) == 0) {
		if (!integer_of(value->folded, &has) || !integer_of(node->value, &wanted))
			return UNDEFINED;
		bool all = strcmp(node->rule, RULE_BIT_AND) == 0;
		return (all ? (has & wanted) == wanted : (has & wanted) != 0) ? TRUE : FALSE;
	}
	/* RFC 4517 §4.2 */
	if (!*node->rule || strcasecmp(node->rule, "caseIgnoreMatch") == 0 ||
	    strcmp(node->rule, "2.5.13.2") == 0)
		return span_equal(value->folded, node->value) ? TRUE : FALSE;
	if (strcasecmp(node->rule, "distinguishedNameMatch") == 0 ||
	    strcmp(node->rule, "2.5.13.1") == 0)
		return dn && value->dn && strcmp(dn, value->dn) == 0 ? TRUE : FALSE;
	return UNDEFINED;
}

static enum truth value_matches(const struct rg_assertion *node, const char *dn,
				const struct rg_value *value)
{
	switch (node->kind) {
	case RG_ASSERT_PRESENT:
		return TRUE;
	case RG_ASSERT_EQUAL:
	case RG_ASSERT_APPROX:
		if (dn && value->dn && strcmp(dn, value->dn) == 0)
			return TRUE;
		return span_equal(value->folded, node->value) ? TRUE : FALSE;
	case RG_ASSERT_SUBSTRING:
		return contains_parts(node, value->folded) ? TRUE : FALSE;
	case RG_ASSERT_GREATER:
		return compare_values(value->folded, node->value) >= 0 ? TRUE : FALSE;
	case RG_ASSERT_LESS:
		return compare_values(value->folded, node->value) <= 0 ? TRUE : FALSE;
	case RG_ASSERT_EXTENSIBLE:
		return value_extensible(node, dn, value);
	case RG_ASSERT_AND:
	case RG_ASSERT_OR:
	case RG_ASSERT_NOT:
		break;
	}
	return UNDEFINED;
}

static enum truth item_matches(const struct rg_assertion *node, const char *dn,
			       const struct rg_store *store, const struct rg_entry *entry)
{
	enum truth result = FALSE;
	/* A filter is no way to find out a password. */
	if (strncasecmp(node->attribute, "userPassword", 12) == 0 || !*node->attribute ||
	    node->dn_attributes)
		return UNDEFINED;
	if (node->kind == RG_ASSERT_EXTENSIBLE && strcmp(node->rule, RG_RULE_IN_CHAIN) == 0)
		return !dn                                                ? UNDEFINED
		       : chain_reaches(store, entry, node->attribute, dn) ? TRUE
									  : FALSE;
	for (size_t i = 0; i < entry->count; i++) {
		const struct rg_attribute *attribute = &entry->attributes[i];
		if (!attribute_named(attribute, node->attribute))
			continue;
		for (size_t j = 0; j < attribute->count; j++) {
			enum truth one = value_matches(node, dn, &attribute->values[j]);
			if (one == TRUE)
				return TRUE;
			if (one == UNDEFINED)
				result = UNDEFINED;
		}
	}
	return result;
}

static enum truth node_matches(const struct rg_matcher *matcher, const struct rg_assertion *node,
			       const struct rg_store *store, const struct rg_entry *entry)
{
	enum truth result, one;
	switch (node->kind) {
	case RG_ASSERT_AND:
		result = TRUE;
		for (const struct rg_assertion *at = node->first; at && result != FALSE;
		     at = at->next) {
			one = node_matches(matcher, at, store, entry);
			if (one != TRUE)
				result = one;
		}
		return result;
	case RG_ASSERT_OR:
		result = FALSE;
		for (const struct rg_assertion *at = node->first; at && result != TRUE;
		     at = at->next) {
			one = node_matches(matcher, at, store, entry);
			if (one != FALSE)
				result = one;
		}
		return result;
	case RG_ASSERT_NOT:
		one = node_matches(matcher, node->first, store, entry);
		return one == TRUE ? FALSE : one == FALSE ? TRUE : UNDEFINED;
	case RG_ASSERT_EQUAL:
	case RG_ASSERT_PRESENT:
	case RG_ASSERT_SUBSTRING:
	case RG_ASSERT_GREATER:
	case RG_ASSERT_LESS:
	case RG_ASSERT_APPROX:
	case RG_ASSERT_EXTENSIBLE:
		return item_matches(node, matcher->dn[node - matcher->filter->nodes], store, entry);
	}
	return UNDEFINED;
}

bool matcher_matches(const struct rg_matcher *matcher, const struct rg_store *store,
		     const struct rg_entry *entry)
{
	return node_matches(matcher, matcher->filter->root, store, entry) == TRUE;
}

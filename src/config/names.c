#include "config/names.h"

#include <stdlib.h>

#include "core/reserve.h"

struct rg_name_seen {
	struct rg_span name; /* data NULL: free */
	struct rg_where where;
};

static size_t name_hash(struct rg_span name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < name.length; i++)
		hash = (hash ^ name.data[i]) * UINT64_C(0x100000001b3);
	return (size_t)(hash ^ hash >> 29);
}

static struct rg_name_seen *seen_find(const struct rg_names *names, struct rg_span name)
{
	size_t at = name_hash(name) & (names->capacity - 1);
	while (names->slots[at].name.data && !span_equal(names->slots[at].name, name))
		at = (at + 1) & (names->capacity - 1);
	return &names->slots[at];
}

static void names_grow(struct rg_names *names)
{
	struct rg_names more = {.capacity = names->capacity ? 2 * names->capacity : 64};
	more.slots = reserve_calloc(more.capacity, sizeof(*more.slots));
	for (size_t i = 0; i < names->capacity; i++)
		if (names->slots[i].name.data)
			*seen_find(&more, names->slots[i].name) = names->slots[i];
	more.count = names->count;
	free(names->slots);
	*names = more;
}

const struct rg_where *names_add(struct rg_names *names, struct rg_span name, struct rg_where where)
{
	if (2 * (names->count + 1) > names->capacity)
		names_grow(names);
	struct rg_name_seen *seen = seen_find(names, name);
	if (seen->name.data)
		return &seen->where;
	*seen = (struct rg_name_seen){name, where};
	names->count++;
	return NULL;
}

const struct rg_where *names_find(const struct rg_names *names, struct rg_span name)
{
	if (names->capacity == 0)
		return NULL;
	const struct rg_name_seen *seen = seen_find(names, name);
	return seen->name.data ? &seen->where : NULL;
}

void names_free(struct rg_names *names)
{
	free(names->slots);
	*names = (struct rg_names){0};
}

#include "directory/keep.h"

#include <stdlib.h>
#include <string.h>

#include "core/secret.h"

static bool keep_rows(const struct rg_row *rows, uint8_t *to, const uint8_t *from);
static void drop_rows(const struct rg_row *rows, uint8_t *settings);

static bool keep_text(const char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return *to || !from;
}

static bool keep_strings(struct rg_strings *to, const struct rg_strings *from)
{
	*to = (struct rg_strings){0};
	if (from->count == 0)
		return true;
	const char **items = calloc(from->count, sizeof(*items));
	if (!items)
		return false;
	*to = (struct rg_strings){items, from->count};
	for (size_t i = 0; i < from->count; i++)
		if (!keep_text(&items[i], from->items[i]))
			return false;
	return true;
}

static bool keep_choices(struct rg_choices *to, const struct rg_choices *from)
{
	*to = (struct rg_choices){0};
	if (from->count == 0)
		return true;
	int *items = calloc(from->count, sizeof(*items));
	if (!items)
		return false;
	memcpy(items, from->items, from->count * sizeof(*items));
	*to = (struct rg_choices){items, from->count};
	return true;
}

static bool keep_secret(struct rg_secret **to, const struct rg_secret *from)
{
	*to = from ? secret_new(from->data, from->length) : NULL;
	return *to || !from;
}

static bool keep_items(const struct rg_row *row, struct rg_items *to, const struct rg_items *from)
{
	*to = (struct rg_items){0};
	if (from->count == 0)
		return true;
	uint8_t *items = calloc(from->count, row->size);
	if (!items)
		return false;
	*to = (struct rg_items){items, from->count};
	for (size_t i = 0; i < from->count; i++)
		if (!keep_rows(row->rows, items + i * row->size,
			       (const uint8_t *)from->items + i * row->size))
			return false;
	return true;
}

static bool keep_row(const struct rg_row *row, uint8_t *to, const uint8_t *from)
{
	void *target = to + row->offset;
	const void *source = from + row->offset;
	switch (row->type) {
	case RG_STRING:
	case RG_FILE:
	case RG_PATH:
		return keep_text(target, *(const char *const *)source);
	case RG_INTEGER:
		memcpy(target, source, sizeof(int64_t));
		return true;
	case RG_BOOLEAN:
		memcpy(target, source, sizeof(bool));
		return true;
	case RG_CHOICE:
		memcpy(target, source, sizeof(int));
		return true;
	case RG_STRINGS:
		return keep_strings(target, source);
	case RG_CHOICES:
		return keep_choices(target, source);
	case RG_SECRET:
		return keep_secret(target, *(struct rg_secret *const *)source);
	case RG_GROUP:
		if (row->present)
			memcpy(to + row->present, from + row->present, sizeof(bool));
		return keep_rows(row->rows, target, source);
	case RG_LIST:
		return keep_items(row, target, source);
	}
	return false;
}

/* Where one fails, the rest stays zero, which drop_rows takes. */
static bool keep_rows(const struct rg_row *rows, uint8_t *to, const uint8_t *from)
{
	for (const struct rg_row *row = rows; row->name; row++)
		if (!keep_row(row, to, from))
			return false;
	return true;
}

static void drop_row(const struct rg_row *row, uint8_t *settings)
{
	void *field = settings + row->offset;
	struct rg_strings *strings = field;
	struct rg_items *items = field;
	switch (row->type) {
	case RG_STRING:
	case RG_FILE:
	case RG_PATH:
		free(*(char **)field);
		return;
	case RG_INTEGER:
	case RG_BOOLEAN:
	case RG_CHOICE:
		return;
	case RG_STRINGS:
		for (size_t i = 0; i < strings->count; i++)
			free((char *)strings->items[i]);
		free((void *)strings->items);
		return;
	case RG_CHOICES:
		free((int *)((struct rg_choices *)field)->items);
		return;
	case RG_SECRET:
		secret_free(field);
		return;
	case RG_GROUP:
		drop_rows(row->rows, field);
		return;
	case RG_LIST:
		for (size_t i = 0; i < items->count; i++)
			drop_rows(row->rows, (uint8_t *)items->items + i * row->size);
		free(items->items);
		return;
	}
}

static void drop_rows(const struct rg_row *rows, uint8_t *settings)
{
	for (const struct rg_row *row = rows; row->name; row++)
		drop_row(row, settings);
}

void *settings_keep(const struct rg_row *rows, const void *settings, size_t size)
{
	void *copy = calloc(1, size ? size : 1);
	if (copy && !keep_rows(rows, copy, settings))
		settings_drop(rows, &copy);
	return copy;
}

void settings_drop(const struct rg_row *rows, void **settings)
{
	if (!*settings)
		return;
	drop_rows(rows, *settings);
	free(*settings);
	*settings = NULL;
}

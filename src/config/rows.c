#include "config/rows.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/secret.h"
#include "core/text.h"

static void *at_offset(void *base, size_t offset)
{
	return (uint8_t *)base + offset;
}

const char *type_text(const config_setting_t *setting)
{
	switch (setting->type) {
	case CONFIG_TYPE_GROUP:
		return "a group { … }";
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return "a number";
	case CONFIG_TYPE_FLOAT:
		return "a number with a fraction";
	case CONFIG_TYPE_STRING:
		return "a string";
	case CONFIG_TYPE_BOOL:
		return "true or false";
	case CONFIG_TYPE_ARRAY:
		return "an array [ … ]";
	default:
		return "a list ( … )";
	}
}

static bool type_error(const struct rg_reading *reading, const config_setting_t *setting,
		       const char *wanted)
{
	setting_error(reading, setting, "must be %s, is %s", wanted, type_text(setting));
	return false;
}

const char *hint_text(const char *word, const char *const *words, char out[128])
{
	const char *nearest = text_nearest(word, words);
	out[0] = '\0';
	if (nearest)
		snprintf(out, 128, " (did you mean \"%s\"?)", nearest);
	return out;
}

const char *key_hint(const char *key, const char *const *known, char out[256])
{
	size_t used = 0;
	if (*hint_text(key, known, out))
		return out;
	for (size_t i = 0; known[i]; i++) {
		if (used + strlen(known[i]) + 24 > 256) {
			snprintf(out + used, 256 - used, ", …");
			break;
		}
		used += (size_t)snprintf(out + used, 256 - used, "%s%s", i ? ", " : ": there are ", known[i]);
	}
	return out;
}

static bool read_integer(const struct rg_reading *reading, const struct rg_row *row,
			 const config_setting_t *setting, int64_t *out)
{
	if (setting->type != CONFIG_TYPE_INT && setting->type != CONFIG_TYPE_INT64)
		return type_error(reading, setting, "a number");
	int64_t value = setting->type == CONFIG_TYPE_INT ? config_setting_get_int(setting)
							 : config_setting_get_int64(setting);
	if (value < row->least || (row->most != 0 && value > row->most)) {
		if (row->most != 0)
			setting_error(reading, setting,
				      "must be from %" PRId64 " to %" PRId64 ", is %" PRId64, row->least,
				      row->most, value);
		else
			setting_error(reading, setting, "must be at least %" PRId64 ", is %" PRId64,
				      row->least, value);
		return false;
	}
	*out = value;
	return true;
}

static const char *text_keep(const struct rg_reading *reading, const char *text)
{
	return arena_text(&reading->raddb->arena, text);
}

/* One string alone counts as a list of one. */
static int strings_count(const config_setting_t *setting)
{
	return setting->type == CONFIG_TYPE_STRING ? 1 : config_setting_length(setting);
}

static const config_setting_t *strings_item(const config_setting_t *setting, int i)
{
	return setting->type == CONFIG_TYPE_STRING ? setting
						   : config_setting_get_elem(setting, (unsigned)i);
}

static bool strings_check(const struct rg_reading *reading, const config_setting_t *setting)
{
	bool fine = setting->type == CONFIG_TYPE_STRING || setting->type == CONFIG_TYPE_ARRAY ||
		    setting->type == CONFIG_TYPE_LIST;
	if (!fine)
		return type_error(reading, setting, "an array of strings [ \"…\" ]");
	for (int i = 0; i < strings_count(setting); i++)
		if (strings_item(setting, i)->type != CONFIG_TYPE_STRING)
			fine = type_error(reading, strings_item(setting, i), "a string");
	return fine;
}

static bool read_strings(const struct rg_reading *reading, const config_setting_t *setting,
			 struct rg_strings *out)
{
	if (!strings_check(reading, setting))
		return false;
	size_t count = (size_t)strings_count(setting);
	const char **items = arena_alloc(&reading->raddb->arena, (count + 1) * sizeof(*items));
	for (size_t i = 0; i < count; i++)
		items[i] = text_keep(reading,
				     config_setting_get_string(strings_item(setting, (int)i)));
	*out = (struct rg_strings){items, count};
	return true;
}

static int choice_find(const struct rg_row *row, const char *word)
{
	for (int i = 0; row->choices[i]; i++)
		if (strcmp(row->choices[i], word) == 0)
			return i;
	return -1;
}

static bool read_choice(const struct rg_reading *reading, const struct rg_row *row,
			const config_setting_t *setting, int *out)
{
	char hint[128], all[256] = "";
	if (setting->type != CONFIG_TYPE_STRING)
		return type_error(reading, setting, "a string");
	const char *word = config_setting_get_string(setting);
	int choice = choice_find(row, word);
	if (choice >= 0) {
		*out = choice;
		return true;
	}
	for (size_t i = 0, used = 0; row->choices[i] && used < sizeof(all); i++) {
		int printed = snprintf(all + used, sizeof(all) - used, "%s\"%s\"", i ? ", " : "",
				       row->choices[i]);
		used += printed > 0 ? (size_t)printed : 0;
	}
	setting_error(reading, setting, "\"%s\" is none of %s%s", word, all,
		      hint_text(word, row->choices, hint));
	return false;
}

static bool read_choices(const struct rg_reading *reading, const struct rg_row *row,
			 const config_setting_t *setting, struct rg_choices *out)
{
	if (!strings_check(reading, setting))
		return false;
	bool fine = true;
	size_t count = 0, written = (size_t)strings_count(setting);
	int *items = arena_alloc(&reading->raddb->arena, (written + 1) * sizeof(*items));
	for (size_t i = 0; i < written; i++) {
		const config_setting_t *item = strings_item(setting, (int)i);
		if (!read_choice(reading, row, item, &items[count])) {
			fine = false;
			continue;
		}
		for (size_t j = 0; j < count; j++)
			if (items[j] == items[count]) {
				setting_error(reading, item, "\"%s\" is there twice",
					      config_setting_get_string(item));
				fine = false;
			}
		count++;
	}
	*out = (struct rg_choices){items, count};
	return fine;
}

void reader_check(struct rg_complaint *at, const config_setting_t *setting, const char *path)
{
	if (!reader_can(&at->reading->reader, path))
		setting_warning(at->reading, setting,
				"%s cannot be read by \"%s\" (gateway.user): no reload will succeed",
				config_setting_get_string(setting), at->reading->raddb->gateway.user);
}

bool file_check(struct rg_complaint *at, const config_setting_t *setting, const char *path)
{
	struct stat st;
	const char *written = config_setting_get_string(setting);
	if (stat(path, &st) != 0) {
		setting_error(at->reading, setting, "%s: %s", written, strerror(errno));
		return false;
	}
	if (!S_ISREG(st.st_mode)) {
		setting_error(at->reading, setting, "%s is no file", written);
		return false;
	}
	if (access(path, R_OK) != 0) {
		setting_error(at->reading, setting, "%s cannot be read: %s", written, strerror(errno));
		return false;
	}
	reader_check(at, setting, path);
	return true;
}

static bool read_path(struct rg_complaint *at, const struct rg_row *row,
		      const config_setting_t *setting, const char **out)
{
	if (setting->type != CONFIG_TYPE_STRING)
		return type_error(at->reading, setting, "a string, the path of a file");
	const char *text = config_setting_get_string(setting);
	if (*text == '\0') {
		setting_error(at->reading, setting, "must be the path of a file, is empty");
		return false;
	}
	*out = path_resolve(at->reading->raddb, text);
	if (row->type != RG_FILE)
		return true;
	if (at->reading->canon)
		canon_file(at->reading->canon, *out);
	return (row->flags & RG_NO_CHECK) || file_check(at, setting, *out);
}

static bool read_group(struct rg_complaint *at, const struct rg_row *row,
		       const config_setting_t *setting, void *out)
{
	if (setting->type != CONFIG_TYPE_GROUP)
		return type_error(at->reading, setting, "a group { … }");
	if (row->present != 0)
		*(bool *)at_offset(out, row->present) = true;
	struct rg_complaint inner = {at->reading, setting};
	return rows_read(&inner, row->rows, NULL, at_offset(out, row->offset));
}

config_setting_t *list_next(struct rg_reading *reading, config_setting_t *list, unsigned *index)
{
	if (list->type != CONFIG_TYPE_LIST && list->type != CONFIG_TYPE_ARRAY) {
		if ((*index)++ == 0)
			type_error(reading, list, "a list of groups ( { … }, { … } )");
		return NULL;
	}
	for (;;) {
		config_setting_t *item = config_setting_get_elem(list, (*index)++);
		if (!item || item->type == CONFIG_TYPE_GROUP)
			return item;
		type_error(reading, item, "a group { … }");
	}
}

static bool read_list(struct rg_complaint *at, const struct rg_row *row,
		      config_setting_t *setting, struct rg_items *out)
{
	bool fine = setting->type == CONFIG_TYPE_LIST || setting->type == CONFIG_TYPE_ARRAY;
	size_t most = fine ? (size_t)config_setting_length(setting) : 0;
	void *items = arena_alloc(&at->reading->raddb->arena, (most + 1) * row->size);
	unsigned index = 0;
	*out = (struct rg_items){items, 0};
	config_setting_t *item;
	while ((item = list_next(at->reading, setting, &index))) {
		struct rg_complaint inner = {at->reading, item};
		fine = rows_read(&inner, row->rows, NULL, at_offset(items, row->size * out->count)) &&
		       fine;
		out->count++;
	}
	return fine && out->count == most;
}

/* A key that is there, by its row; RG_SECRET is read apart, since it has two keys. */
static bool read_value(struct rg_complaint *at, const struct rg_row *row,
		       config_setting_t *setting, void *base)
{
	void *out = at_offset(base, row->offset);
	switch (row->type) {
	case RG_STRING:
		if (setting->type != CONFIG_TYPE_STRING)
			return type_error(at->reading, setting, "a string");
		*(const char **)out = text_keep(at->reading, config_setting_get_string(setting));
		return true;
	case RG_INTEGER:
		return read_integer(at->reading, row, setting, out);
	case RG_BOOLEAN:
		if (setting->type != CONFIG_TYPE_BOOL)
			return type_error(at->reading, setting, "true or false");
		*(bool *)out = config_setting_get_bool(setting);
		return true;
	case RG_STRINGS:
		return read_strings(at->reading, setting, out);
	case RG_CHOICE:
		return read_choice(at->reading, row, setting, out);
	case RG_CHOICES:
		return read_choices(at->reading, row, setting, out);
	case RG_FILE:
	case RG_PATH:
		return read_path(at, row, setting, out);
	case RG_SECRET:
		return true;
	case RG_GROUP:
		return read_group(at, row, setting, base);
	case RG_LIST:
		return read_list(at, row, setting, out);
	}
	return false;
}

static bool word_is(const char *word, const char *const *words)
{
	for (; words && *words; words++)
		if (strcmp(*words, word) == 0)
			return true;
	return false;
}

static bool row_is(const struct rg_row *row, const char *name)
{
	size_t length = strlen(row->name);
	if (strncmp(row->name, name, length) != 0)
		return false;
	return name[length] == '\0' || (row->type == RG_SECRET && strcmp(name + length, "_file") == 0);
}

static void unknown_key(struct rg_complaint *at, const struct rg_row *rows,
			const char *const *others, const config_setting_t *setting)
{
	const char *known[96];
	char hint[256], files[16][64];
	size_t count = 0, file_count = 0;
	for (; rows->name && count < 64; rows++) {
		known[count++] = rows->name;
		if (rows->type == RG_SECRET && file_count < 16) {
			snprintf(files[file_count], sizeof(files[0]), "%s_file", rows->name);
			known[count++] = files[file_count++];
		}
	}
	for (; others && *others && count < 95; others++)
		known[count++] = *others;
	known[count] = NULL;
	setting_error(at->reading, setting, "unknown key%s", key_hint(setting->name, known, hint));
}

static bool unknown_keys(struct rg_complaint *at, const struct rg_row *rows,
			 const char *const *others)
{
	bool fine = true;
	int count = config_setting_length(at->group);
	for (int i = 0; i < count; i++) {
		const config_setting_t *setting = config_setting_get_elem(at->group, (unsigned)i);
		const struct rg_row *row = rows;
		while (row->name && !row_is(row, setting->name))
			row++;
		if (row->name || word_is(setting->name, others))
			continue;
		unknown_key(at, rows, others, setting);
		fine = false;
	}
	return fine;
}

static void default_strings(const struct rg_reading *reading, const char *fallback,
			    struct rg_strings *out)
{
	char *copy = arena_text(&reading->raddb->arena, fallback), *rest = copy;
	const char **items = arena_alloc(&reading->raddb->arena, (strlen(copy) / 2 + 2) * sizeof(*items));
	size_t count = 0;
	for (char *word = strtok_r(rest, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		items[count++] = word;
	*out = (struct rg_strings){items, count};
}

static void default_choices(const struct rg_reading *reading, const struct rg_row *row,
			    struct rg_choices *out)
{
	struct rg_strings words;
	default_strings(reading, row->fallback, &words);
	int *items = arena_alloc(&reading->raddb->arena, (words.count + 1) * sizeof(*items));
	for (size_t i = 0; i < words.count; i++)
		items[i] = choice_find(row, words.items[i]);
	*out = (struct rg_choices){items, words.count};
}

static void row_default(const struct rg_reading *reading, const struct rg_row *row, void *base)
{
	void *out = at_offset(base, row->offset);
	if (row->type == RG_GROUP)
		rows_default(reading, row->rows, out);
	if (!row->fallback)
		return;
	switch (row->type) {
	case RG_STRING:
		*(const char **)out = text_keep(reading, row->fallback);
		break;
	case RG_INTEGER:
		*(int64_t *)out = strtoll(row->fallback, NULL, 10);
		break;
	case RG_BOOLEAN:
		*(bool *)out = strcmp(row->fallback, "true") == 0;
		break;
	case RG_STRINGS:
		default_strings(reading, row->fallback, out);
		break;
	case RG_CHOICE:
		*(int *)out = choice_find(row, row->fallback);
		break;
	case RG_CHOICES:
		default_choices(reading, row, out);
		break;
	case RG_FILE:
	case RG_PATH:
		*(const char **)out = path_resolve(reading->raddb, row->fallback);
		break;
	case RG_SECRET:
	case RG_GROUP:
	case RG_LIST:
		break;
	}
}

void rows_default(const struct rg_reading *reading, const struct rg_row *rows, void *out)
{
	for (; rows->name; rows++)
		row_default(reading, rows, out);
}

bool rows_read(struct rg_complaint *at, const struct rg_row *rows, const char *const *others,
	       void *out)
{
	struct rg_reading *reading = at->reading;
	const size_t errors = reading->report->error_count;
	reading->told_from = reading->told_to = 0;
	bool fine = unknown_keys(at, rows, others);
	rows_default(reading, rows, out);
	for (const struct rg_row *row = rows; row->name; row++) {
		config_setting_t *setting = config_setting_get_member(at->group, row->name);
		bool given = setting;
		if (row->type == RG_SECRET) {
			struct rg_secret **secret = at_offset(out, row->offset);
			if (!secret_read(at, row->name, secret)) {
				fine = false;
				continue;
			}
			given = *secret;
		} else if (setting && !read_value(at, row, setting, out)) {
			fine = false;
		}
		if (!given && (row->flags & RG_REQUIRED)) {
			if (row->type == RG_SECRET)
				complain_error(at, row->name, "is missing: give it, or better %s_file",
					       row->name);
			else
				complain_error(at, row->name, "is missing");
			fine = false;
		}
	}
	reading->told_from = errors;
	reading->told_to = reading->report->error_count;
	return fine;
}

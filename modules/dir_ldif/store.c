#include "store.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <ldap.h>
#include <ldif.h>

#include "core/reserve.h"
#include "core/secret.h"
#include "core/text.h"
#include "directory/dn.h"

#define READER_ROOM 65536 /* octets: what libldap needs to begin with a file, and more */
#define FILE_MOST (256u << 20)
#define DN_MOST   1024u
#define LINE_MOST   8192u /* more than libldap reads at once */

size_t value_fold(uint8_t *data, size_t length, bool ends)
{
	size_t to = 0;
	for (size_t i = 0; i < length; i++) {
		uint8_t octet = (uint8_t)(data[i] < 0x80 ? tolower(data[i]) : data[i]);
		bool leading = to == 0 ? ends : data[to - 1] == ' ';
		if (octet != ' ' || !leading)
			data[to++] = octet;
	}
	if (ends && to > 0 && data[to - 1] == ' ')
		to--;
	return to;
}

/* names: it may be a name, which is looked for in its normal form. */
static struct rg_value make_value(struct rg_arena *arena, const struct berval *from, bool names)
{
	struct rg_value value = {0};
	uint8_t *copy = arena_alloc(arena, 2 * from->bv_len + 2);
	if (from->bv_len > 0)
		memcpy(copy, from->bv_val, from->bv_len);
	value.raw = span_of(copy, from->bv_len);
	uint8_t *folded = copy + from->bv_len + 1;
	memcpy(folded, copy, from->bv_len);
	value.folded = span_of(folded, value_fold(folded, from->bv_len, true));
	/* The octet after the copy is zero: it is a C string unless it holds a NUL itself. */
	if (names && from->bv_len < DN_MOST && memchr(copy, '=', from->bv_len) &&
	    !memchr(copy, 0, from->bv_len)) {
		char *normal;
		if (!dn_read((const char *)copy, &normal))
			reserve_note(); /* a member of a group that denies, perhaps */
		value.dn = normal ? arena_text(arena, normal) : NULL;
		free(normal);
	}
	return value;
}

/* Room for one more; what was there is left to the arena. */
static void *grow(struct rg_arena *arena, void *items, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return items;
	size_t more = *room ? 2 * *room : 4;
	void *bigger = arena_alloc(arena, more * size);
	if (count > 0)
		memcpy(bigger, items, count * size);
	*room = more;
	return bigger;
}

static void add_value(struct rg_arena *arena, struct rg_entry *entry, const struct berval *type,
		      const struct berval *value)
{
	struct rg_attribute *attribute = NULL;
	struct rg_span name = span_of(type->bv_val, type->bv_len);
	for (size_t i = 0; i < entry->count && !attribute; i++)
		if (text_equal_nocase(span_text(entry->attributes[i].name), name))
			attribute = &entry->attributes[i];
	if (!attribute) {
		entry->attributes = grow(arena, entry->attributes, entry->count, &entry->room,
					 sizeof(*entry->attributes));
		attribute = &entry->attributes[entry->count++];
		*attribute = (struct rg_attribute){0};
		char *copy = arena_alloc(arena, name.length + 1);
		memcpy(copy, name.data, name.length);
		attribute->name = copy;
	}
	attribute->values = grow(arena, attribute->values, attribute->count, &attribute->room,
				 sizeof(*attribute->values));
	/* What may be a password is not given to libldap, which would leave copies of it. */
	bool names = !attribute_named(attribute, "userPassword");
	attribute->values[attribute->count++] = make_value(arena, value, names);
}

static bool is_type(const struct berval *type, const char *name)
{
	return text_equal_nocase(span_of(type->bv_val, type->bv_len), span_text(name));
}

/* One line of a record; NULL: fine. */
static const char *take_line(struct rg_store *store, struct rg_entry *entry,
			     const struct berval *type, const struct berval *value)
{
	if (entry->dn) {
		if (is_type(type, "changetype"))
			return "a change, not an entry";
		add_value(&store->arena, entry, type, value);
		return NULL;
	}
	if (is_type(type, "version"))
		return NULL;
	if (!is_type(type, "dn"))
		return "an entry begins with \"dn:\"";
	struct rg_value dn = make_value(&store->arena, value, true);
	entry->dn = (const char *)dn.raw.data;
	entry->normal = dn.dn;
	return entry->normal ? NULL : "its dn is no distinguished name";
}

static const char *take_record(struct rg_store *store, struct rg_entry *entry, char *record)
{
	const char *problem = NULL;
	char *next = record;
	for (char *line = ldif_getline(&next); line && !problem; line = ldif_getline(&next)) {
		struct berval type, value;
		int owned = 0;
		if (ldif_parse_line2(line, &type, &value, &owned) != 0)
			return "a line that is none of LDIF";
		problem = take_line(store, entry, &type, &value);
		if (owned) {
			secret_wipe(value.bv_val, value.bv_len);
			ber_memfree(value.bv_val);
		}
	}
	return problem;
}

static int compare_entries(const void *a, const void *b)
{
	return strcmp(((const struct rg_entry *)a)->normal, ((const struct rg_entry *)b)->normal);
}

/* What libldap had on the stack, the longest line last read among it. */
static void __attribute__((noinline)) stack_wipe(void)
{
	uint8_t below[2 * LINE_MOST];
	secret_wipe(below, sizeof(below));
}

/* length: of the file, so that no record needs more room: libldap would leave a copy where it was.
 */
static bool read_records(struct rg_store *store, LDIFFP *file, size_t length, char why[160])
{
	const char *problem = NULL;
	unsigned long line = 0;
	int size = (int)(length + LINE_MOST), got = 0;
	char *record = ber_memalloc((ber_len_t)size);
	size_t room = 0, longest = 0;
	if (!record)
		reserve_note();
	while (!problem && !reserve_used() && (got = ldif_read_record(file, &line, &record, &size)) > 0) {
		size_t this = strlen(record) + 1;
		longest = this > longest ? this : longest;
		store->entries = grow(&store->arena, store->entries, store->count, &room,
				      sizeof(*store->entries));
		struct rg_entry *entry = &store->entries[store->count];
		*entry = (struct rg_entry){0};
		problem = take_record(store, entry, record);
		store->count += entry->dn && !problem;
	}
	if (!problem && got < 0)
		problem = "it cannot be read further";
	if (record)
		secret_wipe(record, longest);
	ber_memfree(record);
	stack_wipe();
	if (reserve_used()) {
		snprintf(why, 160, "no memory");
		return false;
	}
	if (problem) {
		snprintf(why, 160, "in the record that ends at line %lu: %s", line, problem);
		return false;
	}
	if (store->count > 1) /* of none there is no place in memory */
		qsort(store->entries, store->count, sizeof(*store->entries), compare_entries);
	for (size_t i = 1; i < store->count; i++) {
		if (strcmp(store->entries[i - 1].normal, store->entries[i].normal) == 0) {
			snprintf(why, 160, "%.100s stands there twice", store->entries[i].dn);
			return false;
		}
	}
	return true;
}

static void text_free(char *text, size_t length)
{
	if (text)
		secret_wipe(text, length);
	free(text);
}

/* realloc might leave a copy where it was. */
static char *enlarge(char *text, size_t length, size_t room)
{
	char *bigger = room <= FILE_MOST ? malloc(room) : NULL;
	if (bigger && length != 0)
		memcpy(bigger, text, length);
	if (bigger)
		text_free(text, length);
	return bigger;
}

/* The whole file, NUL-terminated, for text_free. */
static char *read_file(const char *path, size_t *length, char why[160])
{
	char *text = NULL;
	size_t room = 0;
	*length = 0;
	FILE *file = fopen(path, "re");
	if (!file) {
		snprintf(why, 160, "%s", strerror(errno));
		return NULL;
	}
	setvbuf(file, NULL, _IONBF, 0); /* what would lie in a buffer would stay */
	do {
		room = room ? 2 * room : 65536;
		char *bigger = enlarge(text, *length, room);
		if (!bigger)
			goto out;
		text = bigger;
		*length += fread(text + *length, 1, room - 1 - *length, file);
	} while (*length == room - 1);
	text[*length] = 0;
	if (ferror(file))
		goto out;
	fclose(file);
	return text;
out:
	snprintf(why, 160, "%s", room > FILE_MOST ? "it is too big" : strerror(errno));
	fclose(file);
	text_free(text, *length);
	return NULL;
}

/* What libldap's reader is not to see: it takes a NUL for an empty line, and follows "include:". */
static const char *unreadable(const char *text, size_t length)
{
	if (strlen(text) != length)
		return "it holds a NUL";
	if (strncasecmp(text, "include:", 8) == 0 || strcasestr(text, "\ninclude:"))
		return "it includes another file";
	return NULL;
}

static bool read_text(struct rg_store *store, char *text, size_t length, char why[160])
{
	char buffer[4096];
	bool good = false;
	if (length == 0)
		return true; /* a directory without people, which fmemopen does not take */
	/* libldap looks at nothing that malloc gives it. */
	LDIFFP *file = memory_is_there(READER_ROOM) ? ldif_open_mem(text, length, "r") : NULL;
	if (!file) {
		snprintf(why, 160, "no memory");
		return false;
	}
	setvbuf(file->fp, buffer, _IOFBF, sizeof(buffer));
	good = read_records(store, file, length, why);
	ldif_close(file);
	secret_wipe(buffer, sizeof(buffer));
	return good;
}

struct rg_store *store_read(const char *path, char why[160])
{
	size_t length;
	struct rg_store *store = NULL;
	char *text = read_file(path, &length, why);
	if (!text)
		return NULL;
	const char *problem = unreadable(text, length);
	if (!problem) {
		store = reserve_begin() ? calloc(1, sizeof(*store)) : NULL;
		problem = store ? NULL : "no memory";
	}
	if (problem) {
		snprintf(why, 160, "%s", problem);
		goto out;
	}
	atomic_init(&store->holders, 1);
	if (!read_text(store, text, length, why))
		store_release(&store);
out:
	text_free(text, length);
	return store;
}

struct rg_store *store_hold(struct rg_store *store)
{
	if (store)
		atomic_fetch_add_explicit(&store->holders, 1, memory_order_relaxed);
	return store;
}

void store_release(struct rg_store **held)
{
	struct rg_store *store = *held;
	*held = NULL;
	if (!store || atomic_fetch_sub_explicit(&store->holders, 1, memory_order_acq_rel) != 1)
		return;
	arena_wipe(&store->arena); /* passwords, in clear text perhaps */
	free(store);
}

const struct rg_entry *store_find(const struct rg_store *store, const char *normal)
{
	struct rg_entry key = {.normal = normal};
	if (store->count == 0)
		return NULL;
	return bsearch(&key, store->entries, store->count, sizeof(key), compare_entries);
}

/* Takes what stands before the next ';' off text. */
static struct rg_span next_option(const char **text)
{
	size_t length = strcspn(*text, ";");
	struct rg_span option = span_of(*text, length);
	*text += length + ((*text)[length] == ';');
	return option;
}

bool attribute_named(const struct rg_attribute *attribute, const char *name)
{
	const char *has = attribute->name;
	if (!text_equal_nocase(next_option(&has), next_option(&name)))
		return false;
	while (*name) {
		struct rg_span option = next_option(&name);
		bool found = false;
		for (const char *rest = has; *rest && !found;)
			found = text_equal_nocase(next_option(&rest), option);
		if (!found)
			return false;
	}
	return true;
}

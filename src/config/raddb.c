#include "config/raddb.h"

#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/names.h"
#include "config/rows.h"
#include "core/reserve.h"
#include "core/secret.h"
#include "core/text.h"
#include "radius/dictionary.h"

static const char *const directories[] = {"clients.d", "realms.d", "federation.d"};

/* A key at the top of any file. One that repeats is a list whose groups are read one by one, over all
 * files; the others may be there once. Read in this order, since later ones look earlier ones up. */
struct top {
	const char *name;
	void (*read)(struct rg_reading *, config_setting_t *);
	bool list;
	bool repeats;
};

static const struct top tops[] = {
	{"gateway", gateway_read, false, false},
	{"log", log_read, false, false},
	{"credentials", credential_read, true, true},
	{"listen", listen_read, true, true},
	{"shared", later_read, false, false},
	{"store", later_read, false, false},
	{"retention_days", later_read, false, false},
	{"attempts", attempts_read, false, false},
	{"cui", cui_read, false, false},
	{"clients", client_read, true, true},
	{"discovery", discovery_read, false, false},
	{"realms", realm_read, true, true},
	{"peers", peer_read, true, true},
	{"routes", route_read, true, true},
	{"refuse", refuse_read, false, true},
	{"refuse_defaults", refuse_defaults_read, false, false},
	{0},
};

/* A group that a sink's module owns; read once the modules are there. */
static const struct top sink_top = {"", sink_read, false, false};

static void file_add(struct rg_reading *reading, size_t *capacity, const char *name)
{
	if (reading->source_count == *capacity) {
		*capacity = *capacity ? 2 * *capacity : 16;
		struct rg_source *more = reserve_calloc(*capacity, sizeof(*more));
		if (reading->source_count)
			memcpy(more, reading->sources, reading->source_count * sizeof(*more));
		free(reading->sources);
		reading->sources = more;
	}
	reading->sources[reading->source_count++].name = arena_text(&reading->raddb->arena, name);
}

static int is_configuration(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);
	return entry->d_name[0] != '.' && length > 4 &&
	       strcmp(entry->d_name + length - 4, ".cfg") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void directory_add(struct rg_reading *reading, size_t *capacity, const char *directory)
{
	char path[PATH_MAX];
	struct dirent **entries = NULL;
	snprintf(path, sizeof(path), "%s/%s", reading->raddb->dir, directory);
	int count = scandir(path, &entries, is_configuration, by_name);
	if (count < 0 && errno != ENOENT)
		report_error(reading->report, directory, 0, NULL, "cannot be read: %s", strerror(errno));
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, entries[i]->d_name);
		file_add(reading, capacity, path);
		free(entries[i]);
	}
	free(entries);
}

static void sources_read(struct rg_reading *reading)
{
	size_t capacity = 0;
	file_add(reading, &capacity, reading->raddb->main_file);
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		directory_add(reading, &capacity, directories[i]);
	for (size_t i = 0; i < reading->source_count && !reserve_used(); i++)
		source_read(&reading->sources[i], reading->raddb->dir, reading->sources[i].name,
			    &reading->raddb->arena, reading->report);
}

static const struct top *top_find(const char *name)
{
	const struct top *top = tops;
	while (top->name && strcmp(top->name, name) != 0)
		top++;
	if (top->name)
		return top;
	return sink_owns(name) ? &sink_top : NULL;
}

/* Keys at the top that are unknown, or there a second time. */
static void tops_check(struct rg_reading *reading)
{
	const char *known[sizeof(tops) / sizeof(tops[0]) + 1] = {"fticks"};
	struct rg_names once = {0};
	char hint[256];
	for (size_t i = 0; tops[i].name; i++)
		known[i + 1] = tops[i].name;
	for (size_t i = 0; i < reading->source_count; i++) {
		config_setting_t *root = source_root(&reading->sources[i]);
		for (int j = 0; root && j < config_setting_length(root); j++) {
			config_setting_t *setting = config_setting_get_elem(root, (unsigned)j);
			const struct top *top = top_find(setting->name);
			const struct rg_where *first = NULL;
			if (!top)
				setting_error(reading, setting, "unknown key%s",
					      key_hint(setting->name, known, hint));
			else if (!top->repeats)
				first = names_add(&once, span_text(setting->name), setting_where(setting));
			if (first)
				setting_error(reading, setting, "is given twice: it is at %s:%u already",
					      first->file, first->line);
		}
	}
	names_free(&once);
}

static size_t top_count(const struct rg_reading *reading, const char *name)
{
	size_t count = 0;
	for (size_t i = 0; i < reading->source_count; i++) {
		config_setting_t *root = source_root(&reading->sources[i]);
		config_setting_t *list = root ? config_setting_get_member(root, name) : NULL;
		if (list && config_setting_is_aggregate(list))
			count += (size_t)config_setting_length(list);
	}
	return count;
}

/* Room for all there can be at once: other parts keep pointers into these arrays. */
static void arrays_make(struct rg_reading *reading)
{
	struct rg_raddb *raddb = reading->raddb;
	struct rg_arena *arena = &raddb->arena, *scratch = &reading->scratch;
	size_t clients = top_count(reading, "clients"), peers = top_count(reading, "peers");
	size_t realms = top_count(reading, "realms"), routes = top_count(reading, "routes");
	size_t credentials = top_count(reading, "credentials"), listens = top_count(reading, "listen");
	raddb->listens = arena_alloc(arena, (listens + 1) * sizeof(*raddb->listens));
	/* One more for what serves TLS-PSK where no credential is named. */
	raddb->credentials = arena_alloc(arena, (credentials + 1) * sizeof(*raddb->credentials));
	raddb->clients = arena_alloc(arena, (clients + peers + 1) * sizeof(*raddb->clients));
	raddb->realms = arena_alloc(arena, (realms + 1) * sizeof(*raddb->realms));
	raddb->peers = arena_alloc(arena, (peers + 1) * sizeof(*raddb->peers));
	raddb->routes = arena_alloc(arena, (routes + 1) * sizeof(*raddb->routes));
	reading->credentials = arena_alloc(scratch, (credentials + 1) * sizeof(config_setting_t *));
	reading->listens = arena_alloc(scratch, (listens + 1) * sizeof(config_setting_t *));
	reading->clients = arena_alloc(scratch, (clients + peers + 1) * sizeof(config_setting_t *));
	reading->realms = arena_alloc(scratch, (realms + 1) * sizeof(config_setting_t *));
	reading->peers = arena_alloc(scratch, (peers + 1) * sizeof(config_setting_t *));
	reading->routes = arena_alloc(scratch, (routes + 1) * sizeof(config_setting_t *));
}

static void top_read(struct rg_reading *reading, const struct top *top)
{
	for (size_t i = 0; i < reading->source_count; i++) {
		config_setting_t *root = source_root(&reading->sources[i]);
		config_setting_t *setting = root ? config_setting_get_member(root, top->name) : NULL;
		unsigned index = 0;
		if (!setting)
			continue;
		if (!top->list) {
			top->read(reading, setting);
			if (!top->repeats)
				return;
			continue;
		}
		config_setting_t *item;
		while (!reserve_used() && (item = list_next(reading, setting, &index)))
			top->read(reading, item);
	}
}

/* Once each; tops_check has complained of what is there again. */
static void sinks_read(struct rg_reading *reading)
{
	size_t most = 0;
	for (size_t i = 0; i < reading->source_count; i++) {
		config_setting_t *root = source_root(&reading->sources[i]);
		most += root ? (size_t)config_setting_length(root) : 0;
	}
	reading->raddb->sinks =
		arena_alloc(&reading->raddb->arena, (most + 1) * sizeof(*reading->raddb->sinks));
	for (size_t i = 0; i < reading->source_count; i++) {
		config_setting_t *root = source_root(&reading->sources[i]);
		for (int j = 0; root && j < config_setting_length(root); j++) {
			config_setting_t *setting = config_setting_get_elem(root, (unsigned)j);
			const struct top *top = top_find(setting->name);
			if (top == &sink_top)
				top->read(reading, setting);
		}
	}
}

static void tops_read(struct rg_reading *reading)
{
	const char *why = "";
	gateway_default(reading);
	attempts_default(reading);
	discovery_default(reading);
	arrays_make(reading);
	if (!dictionary_open(NULL, &why))
		report_error(reading->report, reading->raddb->main_file, 0, NULL,
			     "FreeRADIUS's dictionaries cannot be read: %s", why);
	for (const struct top *top = tops; top->name && !reserve_used(); top++) {
		top_read(reading, top);
		if (top->read == gateway_read) {
			reader_find(&reading->reader, reading->raddb->gateway.user);
			modules_read(reading);
			tops_check(reading);
		}
	}
	if (reserve_used())
		return;
	sinks_read(reading);
	clients_finish(reading);
	refuse_finish(reading);
	raddb_judge(reading);
}

/* Sums the items' digests, which hold secrets and the state of files, and the files' texts. */
static void raddb_digest(struct rg_reading *reading)
{
	struct rg_raddb *raddb = reading->raddb;
	struct rg_canon canon = {0};
	for (size_t i = 0; i < reading->source_count; i++) {
		canon_text(&canon, reading->sources[i].name);
		canon_span(&canon, span_of(reading->sources[i].text, reading->sources[i].length));
	}
	for (size_t i = 0; i < raddb->credential_count; i++)
		canon_text(&canon, raddb->credentials[i].digest);
	for (size_t i = 0; i < raddb->client_count; i++)
		canon_text(&canon, raddb->clients[i].digest);
	for (size_t i = 0; i < raddb->realm_count; i++)
		canon_text(&canon, raddb->realms[i].digest);
	for (size_t i = 0; i < raddb->peer_count; i++)
		canon_text(&canon, raddb->peers[i].digest);
	for (size_t i = 0; i < raddb->sink_count; i++)
		canon_text(&canon, raddb->sinks[i].digest);
	canon_span(&canon, secret_span(raddb->cui_key));
	canon_end(&canon, raddb->digest);
}

/* Absolute directory and own name of the file. */
static bool raddb_place(struct rg_raddb *raddb, const char *file, struct rg_report *report)
{
	char absolute[PATH_MAX];
	char *for_dir = arena_text(&raddb->arena, file), *for_base = arena_text(&raddb->arena, file);
	const char *base = basename(for_base);
	if (!realpath(dirname(for_dir), absolute)) {
		report_error(report, base, 0, NULL, "%s cannot be read: %s", file, strerror(errno));
		return false;
	}
	raddb->dir = arena_text(&raddb->arena, absolute);
	raddb->main_file = arena_text(&raddb->arena, base);
	return true;
}

struct rg_raddb *raddb_load(const char *file, struct rg_report *report)
{
	struct rg_raddb *raddb = reserve_begin() ? calloc(1, sizeof(*raddb)) : NULL;
	if (!raddb) {
		report_no_memory(report);
		return NULL;
	}
	struct rg_reading reading = {.raddb = raddb, .report = report, .refuse_defaults = true};
	size_t errors = report->error_count;
	if (raddb_place(raddb, file, report)) {
		reading.certificates = certificates_new();
		sources_read(&reading);
		tops_read(&reading);
		raddb_digest(&reading);
	}
	for (size_t i = 0; i < reading.source_count; i++)
		source_free(&reading.sources[i]);
	free(reading.sources);
	arena_free(&reading.scratch);
	certificates_free(&reading.certificates);
	bool fine = report->error_count == errors;
	if (reserve_used()) {
		report_no_memory(report);
		fine = false;
	}
	if (!fine)
		raddb_free(&raddb);
	return raddb;
}

void raddb_free(struct rg_raddb **raddb)
{
	if (!*raddb)
		return;
	for (struct rg_keepsake *keepsake = (*raddb)->keepsakes; keepsake; keepsake = keepsake->next) {
		secret_free(&keepsake->secret);
		radius_key_free(&keepsake->key);
	}
	arena_free(&(*raddb)->arena);
	free(*raddb);
	*raddb = NULL;
}

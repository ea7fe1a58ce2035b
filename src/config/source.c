#include "config/source.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/reserve.h"
#include "core/secret.h"

#define TREE_LEAST    ((size_t)1 << 20) /* octets that libconfig may need, and … */
#define TREE_TIMES    32                /* … so many for each of the text */
#define TEXT_MOST ((size_t)64 << 20)
#define INCLUDE_DEPTH 10
#define INCLUDES_MOST 1000

char *file_read(const char *path, size_t most, size_t *length)
{
	struct stat st;
	char *text = NULL;
	int saved = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size > most) {
		saved = S_ISDIR(st.st_mode) ? EISDIR : !S_ISREG(st.st_mode) ? EINVAL : EFBIG;
		goto out;
	}
	size_t size = (size_t)st.st_size, used = 0;
	text = malloc(size + 1);
	if (!text) {
		saved = ENOMEM;
		goto out;
	}
	while (used < size) {
		ssize_t got = read(fd, text + used, size - used);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			saved = errno;
			free(text);
			text = NULL;
			goto out;
		}
		if (got == 0)
			break; /* shortened meanwhile */
		used += (size_t)got;
	}
	text[used] = '\0';
	*length = used;
out:
	close(fd);
	if (!text)
		errno = saved;
	return text;
}

/* One file that is being taken in, and the ones that include it. */
struct layer {
	const struct layer *above;
	const char *name;
	unsigned line; /* being read */
	const char *dir;
	struct rg_arena *names;
	struct rg_report *report;
	bool failed;
};

/* What libconfig's scanner is in the middle of. */
enum scan { SCAN_CODE, SCAN_STRING, SCAN_COMMENT };

static bool text_append(struct rg_source *source, const char *text, size_t length)
{
	if (length > TEXT_MOST || source->length + length + 1 > TEXT_MOST)
		return false;
	if (source->length + length + 1 > source->capacity) {
		size_t capacity = 2 * (source->length + length + 1);
		char *more = malloc(capacity);
		if (!more)
			return false;
		if (source->length != 0)
			memcpy(more, source->text, source->length);
		if (source->text)
			secret_wipe(source->text, source->length);
		free(source->text);
		source->text = more;
		source->capacity = capacity;
	}
	memcpy(source->text + source->length, text, length);
	source->length += length;
	source->text[source->length] = '\0';
	return true;
}

static bool line_append(struct rg_source *source, const char *text, size_t length,
			const struct layer *layer)
{
	if (source->line_count == source->line_capacity) {
		size_t capacity = source->line_capacity ? 2 * source->line_capacity : 64;
		struct rg_source_line *more = realloc(source->lines, capacity * sizeof(*more));
		if (!more)
			return false;
		source->lines = more;
		source->line_capacity = capacity;
	}
	source->lines[source->line_count++] =
		(struct rg_source_line){{layer->name, layer->line}, source->length};
	return text_append(source, text, length) && text_append(source, "\n", 1);
}

/* libconfig 1.5 takes 5000000000 for 705032704 without a word. */
static size_t number_check(struct layer *layer, const char *at, size_t left)
{
	size_t length = 0, digits = 0;
	bool hex = left > 2 && at[0] == '0' && (at[1] == 'x' || at[1] == 'X');
	for (length = hex ? 2 : 0; length < left && isxdigit((unsigned char)at[length]); length++) {
		if (!hex && !isdigit((unsigned char)at[length]))
			break;
		digits++;
	}
	char next = length < left ? at[length] : '\0';
	if (next == 'L' || next == '.' || next == 'e' || next == 'E')
		return length;
	if (hex ? digits > 8 : digits > 10 || (digits == 10 && strncmp(at, "2147483647", 10) > 0)) {
		report_error(layer->report, layer->name, layer->line, NULL,
			     "%.*s is more than a plain number holds: write %.*sL", (int)length, at,
			     (int)length, at);
		layer->failed = true;
	}
	return length;
}

/* Follows comments and strings through one line, as libconfig's scanner does. */
static enum scan line_scan(struct layer *layer, enum scan scan, const char *line, size_t length)
{
	bool in_word = false; /* names hold digits and hyphens too */
	for (size_t i = 0; i < length; i++) {
		char c = line[i], next = i + 1 < length ? line[i + 1] : '\0';
		if (scan == SCAN_STRING) {
			if (c == '\\')
				i++;
			else if (c == '"')
				scan = SCAN_CODE;
		} else if (scan == SCAN_COMMENT) {
			if (c == '*' && next == '/') {
				i++;
				scan = SCAN_CODE;
			}
		} else if (c == '#' || (c == '/' && next == '/')) {
			break;
		} else if (c == '/' && next == '*') {
			i++;
			scan = SCAN_COMMENT;
		} else if (c == '"') {
			scan = SCAN_STRING;
		} else if (isdigit((unsigned char)c) && !in_word) {
			size_t digits = number_check(layer, line + i, length - i);
			i += digits ? digits - 1 : 0;
			in_word = true;
		} else if (c != '-' && c != '+') {
			in_word = isalnum((unsigned char)c) || strchr("_*.", c);
		}
	}
	return scan;
}

/* The path of `@include "PATH"` at the begin of a line; NULL: the line is none. */
static const char *include_path(const char *line, size_t length, size_t *path_length, size_t *rest)
{
	size_t i = 0;
	while (i < length && (line[i] == ' ' || line[i] == '\t'))
		i++;
	if (length - i < 8 || strncmp(line + i, "@include", 8) != 0)
		return NULL;
	size_t start = i + 8;
	for (i = start; i < length && (line[i] == ' ' || line[i] == '\t'); i++)
		;
	if (i == start || i == length || line[i] != '"')
		return NULL;
	const char *path = line + i + 1, *end = memchr(path, '"', length - i - 1);
	if (!end)
		return NULL;
	*path_length = (size_t)(end - path);
	*rest = (size_t)(end + 1 - line);
	return path;
}

static bool file_append(struct rg_source *, struct layer *);

static bool include_append(struct rg_source *source, struct layer *layer, const char *path,
			   size_t length)
{
	unsigned depth = 0;
	char *name = arena_format(layer->names, "%.*s", (int)length, path);
	for (const struct layer *at = layer; at; at = at->above, depth++) {
		if (strcmp(at->name, name) != 0 && depth < INCLUDE_DEPTH)
			continue;
		report_error(layer->report, layer->name, layer->line, NULL,
			     strcmp(at->name, name) == 0
				     ? "@include \"%s\" makes a loop: that file includes this one"
				     : "@include \"%s\" lies deeper than 10 files",
			     name);
		layer->failed = true;
		return true;
	}
	if (++source->include_count > INCLUDES_MOST)
		return false;
	struct layer below = {.above = layer, .name = name, .dir = layer->dir,
			      .names = layer->names, .report = layer->report};
	bool room = file_append(source, &below);
	layer->failed = layer->failed || below.failed;
	return room;
}

static bool lines_append(struct rg_source *source, struct layer *layer, const char *text, size_t length)
{
	enum scan scan = SCAN_CODE;
	unsigned opened = 0;
	bool room = true;
	for (size_t at = 0; at < length && room;) {
		const char *line = text + at, *newline = memchr(line, '\n', length - at);
		size_t line_length = newline ? (size_t)(newline - line) : length - at, path_length, rest;
		const char *path = NULL;
		at += line_length + 1;
		layer->line++;
		if (memchr(line, '\0', line_length)) {
			report_error(layer->report, layer->name, layer->line, NULL, "holds a NUL octet");
			layer->failed = true;
			return true;
		}
		if (scan == SCAN_CODE)
			path = include_path(line, line_length, &path_length, &rest);
		if (path) {
			room = include_append(source, layer, path, path_length);
			line += rest;
			line_length -= rest;
		}
		enum scan before = scan;
		scan = line_scan(layer, scan, line, line_length);
		if (scan != before)
			opened = layer->line;
		room = room && line_append(source, line, line_length, layer);
	}
	if (scan != SCAN_CODE) {
		report_error(layer->report, layer->name, opened, NULL, "%s begins here and never ends",
			     scan == SCAN_STRING ? "a string" : "a comment");
		layer->failed = true;
		source->unfinished = true;
	}
	return room;
}

/* False: the text has grown beyond all reason, or there is no memory. */
static bool file_append(struct rg_source *source, struct layer *layer)
{
	size_t length;
	char path[4096];
	int printed = snprintf(path, sizeof(path), "%s%s%s", *layer->name == '/' ? "" : layer->dir,
			       *layer->name == '/' ? "" : "/", layer->name);
	errno = ENAMETOOLONG;
	char *text = printed < (int)sizeof(path) ? file_read(path, TEXT_MOST, &length) : NULL;
	if (!text) {
		const struct layer *at = layer->above ? layer->above : layer;
		report_error(layer->report, at->name, at->line, NULL, "%s cannot be read: %s",
			     layer->above ? layer->name : "the file", strerror(errno));
		layer->failed = true;
		return true;
	}
	/* Editors of Windows begin a file with it; libconfig takes it for a word. */
	size_t mark = length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	bool room = lines_append(source, layer, text + mark, length - mark);
	secret_wipe(text, length);
	free(text);
	return room;
}

/* Where line N of the expanded text stands; a syntax error at the very end is one line further. */
static struct rg_where where_of_line(const struct rg_source *source, unsigned line)
{
	if (line == 0 || source->line_count == 0)
		return (struct rg_where){source->name, 0};
	return source->lines[(line <= source->line_count ? line : source->line_count) - 1].where;
}

/* What libconfig says, and where it says little, what it is most often. */
static const char *syntax_text(const char *text)
{
	if (!text || strcmp(text, "syntax error") == 0)
		return "syntax error, here or just before: a comma too many at the end of a list, or a "
		       "quote or bracket too few?";
	return strcmp(text, "memory exhausted") == 0 ? "is nested too deep" : text;
}

bool source_read(struct rg_source *source, const char *dir, const char *name, struct rg_arena *names,
		 struct rg_report *report)
{
	struct layer layer = {.name = name, .dir = dir, .names = names, .report = report};
	*source = (struct rg_source){.name = name};
	if (!file_append(source, &layer)) {
		report_error(report, name, 0, NULL, "is too large with all that it includes");
		layer.failed = true;
	}
	/* What follows would be noise; and libconfig loses the memory of a string without end. */
	if (source->unfinished || (layer.failed && source->length == 0))
		return false;
	/* libconfig 1.5 writes to what malloc gave it without a look. */
	if (!memory_is_there(TREE_LEAST + source->length * TREE_TIMES)) {
		report_error(report, name, 0, NULL, "cannot be read: no memory");
		return false;
	}
	config_init(&source->config);
	if (config_read_string(&source->config, source->text ? source->text : "") != CONFIG_TRUE) {
		struct rg_where where =
			where_of_line(source, (unsigned)config_error_line(&source->config));
		report_error(report, where.file, where.line, NULL, "%s",
			     syntax_text(config_error_text(&source->config)));
		return false;
	}
	config_setting_set_hook(config_root_setting(&source->config), source);
	source->parsed = true;
	return !layer.failed;
}

/* Inline secrets are strings of the tree like any other. Its depth is bounded by the parser's stack. */
static void strings_wipe(config_setting_t *setting)
{
	if (setting->type == CONFIG_TYPE_STRING && setting->value.sval)
		secret_wipe(setting->value.sval, strlen(setting->value.sval));
	if (!config_setting_is_aggregate(setting))
		return;
	for (int i = 0; i < config_setting_length(setting); i++)
		strings_wipe(config_setting_get_elem(setting, (unsigned)i));
}

void source_free(struct rg_source *source)
{
	if (source->config.root) {
		strings_wipe(source->config.root);
		config_destroy(&source->config);
	}
	if (source->text)
		secret_wipe(source->text, source->length);
	free(source->text);
	free(source->lines);
	*source = (struct rg_source){0};
}

config_setting_t *source_root(const struct rg_source *source)
{
	return source->parsed ? config_root_setting(&source->config) : NULL;
}

static const struct rg_source *source_of(const config_setting_t *setting)
{
	while (setting->parent)
		setting = setting->parent;
	return setting->hook;
}

/* libconfig notes a string's line once it has seen what follows, which may stand lines below where
 * no semicolon ends it. The key's own word says the line. */
static unsigned line_correct(const struct rg_source *source, const config_setting_t *setting,
			     unsigned line)
{
	size_t length = strlen(setting->name);
	const char *end = source->text + (line < source->line_count ? source->lines[line].offset
								   : source->length);
	/* Backwards from the end of that line to the last place where the word stands before a sign. */
	for (const char *at = end - 1; at >= source->text && line > 0; at--) {
		if (*at == '\n' && at != end - 1)
			line--;
		if (strncmp(at, setting->name, length) != 0 ||
		    (at > source->text && isalnum((unsigned char)at[-1])))
			continue;
		const char *after = at + length + strspn(at + length, " \t");
		if (*after == '=' || *after == ':')
			return line;
	}
	return config_setting_source_line(setting);
}

struct rg_where setting_where(const config_setting_t *setting)
{
	const struct rg_source *source = source_of(setting);
	unsigned line = config_setting_source_line(setting);
	if (setting->type == CONFIG_TYPE_STRING && setting->name)
		line = line_correct(source, setting, line);
	return where_of_line(source, line);
}

void setting_path(const config_setting_t *setting, const char *member, char *out, size_t capacity)
{
	const config_setting_t *chain[64];
	size_t count = 0, used = 0;
	for (const config_setting_t *at = setting; at->parent && count < 64; at = at->parent)
		chain[count++] = at;
	out[0] = '\0';
	while (count > 0 && used < capacity) {
		const config_setting_t *at = chain[--count];
		int printed = at->name ? snprintf(out + used, capacity - used, "%s%s", used ? "." : "",
						  at->name)
				       : snprintf(out + used, capacity - used, "[%d]",
						  config_setting_index(at));
		used += printed > 0 ? (size_t)printed : 0;
	}
	if (member && used < capacity)
		snprintf(out + used, capacity - used, "%s%s", used ? "." : "", member);
}

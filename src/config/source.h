/* A configuration file as text, and as libconfig's tree of it.
 *
 * @include is resolved here and not by libconfig, whose scanner ends the whole program on a directory
 * and cannot say where a loop of includes began. So the tree is parsed from one text whose every line
 * knows where it came from. An included path is relative to the raddb. */
#ifndef RG_CONFIG_SOURCE_H
#define RG_CONFIG_SOURCE_H
#include <libconfig.h>
#include <stdbool.h>
#include <stddef.h>

#include "config/raddb.h"

struct rg_source_line {
	struct rg_where where;
	size_t offset; /* of its first octet in text */
};

struct rg_source {
	const char *name; /* relative to the raddb */
	char *text;	  /* includes in place */
	size_t length, capacity;
	struct rg_source_line *lines; /* line N of text is lines[N - 1] */
	size_t line_count, line_capacity;
	size_t include_count;
	config_t config;
	bool parsed;	 /* the tree is there */
	bool unfinished; /* a string or comment has no end */
};

/* Reads DIR/NAME, its includes, and parses. What is wrong goes to report; false: something is. Names of
 * included files go into names, which must outlive the source and all that says where it stood. */
bool source_read(struct rg_source *, const char *dir, const char *name, struct rg_arena *names,
		 struct rg_report *);
/* Wipes the text: it may hold secrets. */
void source_free(struct rg_source *);

/* The top of its tree; NULL where there is none. */
config_setting_t *source_root(const struct rg_source *);

/* Where a setting of a source's tree is written. */
struct rg_where setting_where(const config_setting_t *);
/* "realms[0].eap.crl" into out; member, if not NULL, is appended as a key below it. */
void setting_path(const config_setting_t *, const char *member, char *out, size_t capacity);

/* A whole regular file in malloc'd memory, NUL-terminated; NULL: errno says why (EFBIG: over most). */
char *file_read(const char *path, size_t most, size_t *length);
#endif

/* Reads a group of configuration into a struct, as its rows (roamgate/module.h) say. */
#ifndef RG_CONFIG_ROWS_H
#define RG_CONFIG_ROWS_H
#include "config/reading.h"

/* Fills out from the group; keys of others (NULL-terminated, or NULL) are the caller's to read. Memory is the
 * raddb's. All that is wrong is reported; false where something was. */
bool rows_read(struct rg_complaint *, const struct rg_row *rows, const char *const *others,
	       void *out);
/* What an absent group holds. */
void rows_default(const struct rg_reading *, const struct rg_row *rows, void *out);

/* The members of a list of groups that are groups; others are complained of and skipped. NULL at the end. */
config_setting_t *list_next(struct rg_reading *, config_setting_t *list, unsigned *index);

/* A secret given as NAME or NAME_file. False: complained of. *secret NULL: not given. */
bool secret_read(struct rg_complaint *, const char *name, struct rg_secret **secret);
/* Warns of a file that gateway.user cannot read. */
void reader_check(struct rg_complaint *, const config_setting_t *, const char *path);
/* Complains of a file that is not a readable regular one. */
bool file_check(struct rg_complaint *, const config_setting_t *, const char *path);
/* "a number", "a string": what a setting is, for messages. */
const char *type_text(const config_setting_t *);
/* One of those words, or in NULL-terminated words: " (did you mean \"x\"?)" or "". */
const char *hint_text(const char *word, const char *const *words, char out[128]);
/* The same of a key; one that is like none of them gets the known ones, as many as stand in a line. */
const char *key_hint(const char *key, const char *const *known, char out[256]);
#endif

/* What a loadable module exports, and the rows in which it declares its settings.
 *
 * A module is a shared object in $pkglibdir that exports one constant, `roamgate_module`. It calls
 * back into the program that loaded it through the functions of these public headers only.
 */
#ifndef ROAMGATE_MODULE_H
#define ROAMGATE_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "roamgate/span.h"

#define RG_MODULE_ABI 1

struct rg_eap_method;
struct rg_directory_kind;
struct rg_sink_kind;

enum rg_module_kind {
	RG_MODULE_EAP,       /* ops.eap */
	RG_MODULE_DIRECTORY, /* ops.directory */
	RG_MODULE_SINK,      /* ops.sink */
};

/* What a key of the configuration holds, and what the host writes at its offset. */
enum rg_type {
	RG_STRING,  /* const char *, never NULL unless the key is absent and has no fallback */
	RG_INTEGER, /* int64_t, within least..most */
	RG_BOOLEAN, /* bool */
	RG_STRINGS, /* struct rg_strings; one string alone is taken as a list of one */
	RG_CHOICE,  /* int: an index into choices */
	RG_CHOICES, /* struct rg_choices; indices into choices, in the order written, no repeats */
	RG_FILE,    /* const char *: absolute path of a readable file; checked by the host */
	RG_PATH,    /* const char *: absolute path; need not exist */
	RG_SECRET,  /* struct rg_secret *: given inline under this name or as a file under NAME_file */
	RG_GROUP,   /* a struct of rows; absent: all fallbacks and its bool at `present` false */
	RG_LIST,    /* struct rg_items: a list of groups of rows, each of `size` octets */
};

struct rg_strings {
	const char *const *items;
	size_t count;
};

struct rg_choices {
	const int *items;
	size_t count;
};

struct rg_items {
	void *items; /* count structs of the row's size, one after the other */
	size_t count;
};

/* Octets that are wiped when freed and never printed. */
struct rg_secret {
	size_t length;
	uint8_t data[];
};

#define RG_REQUIRED 1u /* its absence is an error */
#define RG_NO_CHECK 2u /* RG_FILE: a missing file is somebody else's to judge */

/* One key: where it is written, what it may hold, what it holds when absent. A table ends with name NULL. */
struct rg_row {
	const char *name;
	enum rg_type type;
	size_t offset;
	const char *fallback;              /* as text: "30", "true", "san_upn san_email"; NULL: none */
	int64_t least, most;               /* RG_INTEGER; most 0: no limit above */
	const char *const *choices;        /* RG_CHOICE(S), NULL-terminated */
	const struct rg_row *rows;         /* RG_GROUP, RG_LIST */
	size_t size;                       /* RG_GROUP, RG_LIST: octets of the struct the rows fill */
	size_t present;                    /* RG_GROUP: offset in the outer struct of a bool, or 0 */
	unsigned flags;
	const char *help;                  /* one line for the reference */
};

/* Told of what a check finds; key is a row's name ("filter") or NULL for the group as a whole. */
struct rg_complaint;
void complain_error(struct rg_complaint *, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void complain_warning(struct rg_complaint *, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

struct rg_module {
	unsigned abi; /* RG_MODULE_ABI */
	enum rg_module_kind kind;
	const char *name; /* "eap_tls": the file's name without .so */
	const char *const *uses; /* modules that are loaded with it, NULL-terminated; NULL: none */
	/* The group of configuration that is this module's own, and the struct that it fills. */
	const struct rg_row *settings;
	size_t settings_size;
	/* Judges settings together, so that all that is wrong is said at once. Where one is not well formed the
	 * host has said so: it holds its fallback, else nothing (NULL, 0, false, empty), required or not, and
	 * what is complained of it here is not told. Does no I/O. May be NULL. */
	void (*check)(const void *settings, struct rg_complaint *);
	union {
		const struct rg_eap_method *eap;
		const struct rg_directory_kind *directory;
		const struct rg_sink_kind *sink;
	} ops;
};

extern const struct rg_module roamgate_module;

#endif

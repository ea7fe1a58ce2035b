/* What a check of the raddb found: every error and warning, with file, line and key. */
#ifndef RG_CONFIG_REPORT_H
#define RG_CONFIG_REPORT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "core/arena.h"

struct rg_finding {
	const char *file; /* relative to the raddb */
	unsigned line;    /* 0: the file as a whole */
	const char *key;  /* "realms[0].eap.crl" */
	const char *message;
};

struct rg_report {
	struct rg_arena arena;
	struct rg_finding *errors, *warnings;
	size_t error_count, warning_count;
};

void report_error(struct rg_report *, const char *file, unsigned line, const char *key,
		  const char *format, ...) __attribute__((format(printf, 5, 6)));
void report_warning(struct rg_report *, const char *file, unsigned line, const char *key,
		    const char *format, ...) __attribute__((format(printf, 5, 6)));
/* In place of all other errors, which may be for want of memory too. It needs none. */
void report_no_memory(struct rg_report *);
/* "FILE:LINE: key: message" a line, errors first, each by file and line; warnings say "warning:". */
void report_print(const struct rg_report *, FILE *);
/* The same, and a last line that counts both: what `roamgate check` and `roamgated -t` print. */
void report_print_counted(const struct rg_report *, FILE *);
/* The first line of that, as long as it fits; there is an error. */
void report_first(const struct rg_report *, char *out, size_t capacity);
/* {"errors": [...], "warnings": [...]} as jansson's json_t; the caller owns it. */
struct json_t *report_json(const struct rg_report *);
void report_free(struct rg_report *);
#endif

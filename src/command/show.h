/* What commands print for people: aligned tables, colours on a terminal only, durations in words. Control
 * characters in what the gateway says never reach the terminal. */
#ifndef RG_COMMAND_SHOW_H
#define RG_COMMAND_SHOW_H
#include <stdio.h>

enum rg_colour { RG_PLAIN, RG_BOLD, RG_DIM, RG_GREEN, RG_YELLOW, RG_RED };

/* Escape sequences, or "" where stdout is no terminal or NO_COLOR is set. */
const char *colour_on(enum rg_colour);
const char *colour_off(void);
void show_coloured(enum rg_colour, const char *text);

/* text, or "" for NULL, with '?' for what is no UTF-8 and for characters that a terminal obeys or
 * that mislead; into out. Returns out. */
const char *show_text(char *out, size_t capacity, const char *text);

/* "3 days 4 hours", "12 seconds"; into out. */
void duration_words(char out[64], double seconds);

/* Of an RFC 3339 time, in this machine's zone: "2026-11-24 04:27:11"; what is none stays as it is. */
void local_time(char out[64], const char *time);

struct rg_table {
	size_t columns, cells, capacity;
	struct rg_table_cell *cell; /* the headings first */
};

/* A heading that begins with '>' makes its column flush right. headings end with NULL. */
void table_begin(struct rg_table *, const char *const *headings);
/* The next cell, row by row. Missing memory leaves it out. */
void table_cell(struct rg_table *, enum rg_colour, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Prints it, unless it has no rows, and frees it. */
void table_end(struct rg_table *, const char *title);
#endif

#include "command/show.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/text.h"

struct rg_table_cell {
	char *text;
	enum rg_colour colour;
};

static bool coloured(void)
{
	return isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
}

const char *colour_on(enum rg_colour colour)
{
	if (!coloured())
		return "";
	switch (colour) {
	case RG_PLAIN:
		return "";
	case RG_BOLD:
		return "\033[1m";
	case RG_DIM:
		return "\033[2m";
	case RG_GREEN:
		return "\033[32m";
	case RG_YELLOW:
		return "\033[33m";
	case RG_RED:
		return "\033[31m";
	}
	return "";
}

const char *colour_off(void)
{
	return coloured() ? "\033[0m" : "";
}

void show_coloured(enum rg_colour colour, const char *text)
{
	printf("%s%s%s", colour_on(colour), text, colour == RG_PLAIN ? "" : colour_off());
}

const char *show_text(char *out, size_t capacity, const char *text)
{
	struct rg_buffer line = buffer_over((uint8_t *)out, capacity - 1);
	struct rg_cursor cursor = cursor_over(span_text(text));
	while (cursor_left(&cursor) != 0 && !line.failed) {
		size_t length = text_character(span_of(cursor.at, cursor_left(&cursor)));
		struct rg_span character = cursor_take(&cursor, length ? length : 1);
		bool plain = length != 0 && !text_controls(character);
		buffer_put(&line, plain ? character : span_text("?"));
	}
	out[line.length] = '\0';
	return out;
}

void duration_words(char out[64], double seconds)
{
	static const struct {
		unsigned long seconds;
		const char *one, *many;
	} units[] = {
		{86400, "day", "days"}, {3600, "hour", "hours"}, {60, "minute", "minutes"}, {1, "second", "seconds"},
	};
	unsigned long left = seconds > 0 ? (unsigned long)seconds : 0;
	size_t at = 0, used = 0;
	while (at < 3 && left < units[at].seconds)
		at++;
	for (size_t i = at; i < 4 && i < at + 2; i++) {
		unsigned long number = left / units[i].seconds;
		left %= units[i].seconds;
		if (number == 0 && i > at)
			break;
		used += (size_t)snprintf(out + used, 64 - used, "%s%lu %s", i > at ? " " : "", number,
					 number == 1 ? units[i].one : units[i].many);
	}
}

void local_time(char out[64], const char *time)
{
	struct tm tm = {0};
	const char *end = time ? strptime(time, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	show_text(out, 64, time);
	if (!end || !strchr(end, 'Z'))
		return;
	time_t seconds = timegm(&tm);
	if (localtime_r(&seconds, &tm))
		strftime(out, 64, "%Y-%m-%d %H:%M:%S", &tm);
}

static void cell_add(struct rg_table *table, enum rg_colour colour, const char *text)
{
	if (table->cells == table->capacity) {
		size_t capacity = table->capacity ? 2 * table->capacity : 64;
		void *cell = realloc(table->cell, capacity * sizeof(*table->cell));
		if (!cell)
			return;
		table->cell = cell;
		table->capacity = capacity;
	}
	table->cell[table->cells++] = (struct rg_table_cell){strdup(text), colour};
}

void table_begin(struct rg_table *table, const char *const *headings)
{
	*table = (struct rg_table){0};
	for (; headings[table->columns]; table->columns++)
		cell_add(table, RG_DIM, headings[table->columns]);
}

void table_cell(struct rg_table *table, enum rg_colour colour, const char *format, ...)
{
	char raw[1024], text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(raw, sizeof(raw), format, args);
	va_end(args);
	cell_add(table, colour, show_text(text, sizeof(text), raw));
}

static const char *cell_text(const struct rg_table *table, size_t row, size_t column)
{
	const char *text = table->cell[row * table->columns + column].text;
	if (!text)
		return "";
	return row == 0 && *text == '>' ? text + 1 : text;
}

/* Characters, not octets; continuation octets of UTF-8 take no room. */
static int width_of(const char *text)
{
	int width = 0;
	for (; *text; text++)
		width += ((uint8_t)*text & 0xc0) != 0x80;
	return width;
}

static void print_cell(const struct rg_table *table, size_t row, size_t column, int width)
{
	const char *text = cell_text(table, row, column), *heading = table->cell[column].text;
	int padding = width - width_of(text);
	bool right = heading && *heading == '>', last = column + 1 == table->columns;
	printf("%s%*s", "  ", right ? padding : 0, "");
	show_coloured(table->cell[row * table->columns + column].colour, text);
	printf("%*s", right || last ? 0 : padding, "");
}

void table_end(struct rg_table *table, const char *title)
{
	size_t rows = table->columns ? table->cells / table->columns : 0;
	if (rows > 1) {
		printf("\n");
		show_coloured(RG_BOLD, title);
		printf("\n");
	}
	int *widths = calloc(table->columns + 1, sizeof(*widths));
	for (size_t row = 0; widths && row < rows; row++)
		for (size_t column = 0; column < table->columns; column++) {
			int width = width_of(cell_text(table, row, column));
			widths[column] = width > widths[column] ? width : widths[column];
		}
	for (size_t row = 0; widths && rows > 1 && row < rows; row++) {
		for (size_t column = 0; column < table->columns; column++)
			print_cell(table, row, column, widths[column]);
		printf("\n");
	}
	free(widths);
	for (size_t i = 0; i < table->cells; i++)
		free(table->cell[i].text);
	free(table->cell);
	*table = (struct rg_table){0};
}

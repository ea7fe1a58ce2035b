#include "config/report.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"

/* Keeps a list in arena memory: doubled where it is full, the former half left behind. */
static void finding_add(struct rg_report *report, struct rg_finding **list, size_t *count,
			const struct rg_finding *finding)
{
	if ((*count & (*count - 1)) == 0) {
		size_t capacity = *count ? 2 * *count : 1;
		struct rg_finding *more = arena_alloc(&report->arena, capacity * sizeof(*more));
		if (*count)
			memcpy(more, *list, *count * sizeof(*more));
		*list = more;
	}
	(*list)[(*count)++] = *finding;
}

/* Names from files stand in messages: escaped (attacks.md O6), except quotes and backslashes, which are
 * ours as well. text_escape turns those two into \x22 and \x5c, and nothing else into these. */
static char *text_clean(struct rg_arena *arena, const char *text)
{
	size_t capacity = 4 * strlen(text) + 1, used = 0;
	char *clean = arena_alloc(arena, capacity);
	text_escape(clean, capacity, span_text(text));
	for (const char *at = clean; *at; at++) {
		bool quote = strncmp(at, "\\x22", 4) == 0, backslash = strncmp(at, "\\x5c", 4) == 0;
		clean[used++] = quote ? '"' : *at;
		at += quote || backslash ? 3 : 0;
	}
	clean[used] = '\0';
	return clean;
}

static struct rg_finding finding_make(struct rg_report *report, const char *file, unsigned line,
				      const char *key, const char *format, va_list args)
	__attribute__((format(printf, 5, 0)));

static struct rg_finding finding_make(struct rg_report *report, const char *file, unsigned line,
				      const char *key, const char *format, va_list args)
{
	char message[1024];
	vsnprintf(message, sizeof(message), format, args);
	return (struct rg_finding){
		.file = text_clean(&report->arena, file ? file : ""),
		.line = line,
		.key = text_clean(&report->arena, key ? key : ""),
		.message = text_clean(&report->arena, message),
	};
}

void report_error(struct rg_report *report, const char *file, unsigned line, const char *key,
		  const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct rg_finding finding = finding_make(report, file, line, key, format, args);
	va_end(args);
	finding_add(report, &report->errors, &report->error_count, &finding);
}

void report_warning(struct rg_report *report, const char *file, unsigned line, const char *key,
		    const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct rg_finding finding = finding_make(report, file, line, key, format, args);
	va_end(args);
	finding_add(report, &report->warnings, &report->warning_count, &finding);
}

void report_no_memory(struct rg_report *report)
{
	static struct rg_finding finding = {.file = "", .key = "", .message = "no memory to read all of it"};
	report->errors = &finding;
	report->error_count = 1;
}

static int finding_compare(const void *a, const void *b)
{
	const struct rg_finding *left = *(const struct rg_finding *const *)a;
	const struct rg_finding *right = *(const struct rg_finding *const *)b;
	int files = strcmp(left->file, right->file);
	if (files != 0)
		return files;
	if (left->line != right->line)
		return left->line < right->line ? -1 : 1;
	return left < right ? -1 : left > right; /* as found */
}

/* Pointers to the findings by file and line; NULL: there are none, or no memory. */
static const struct rg_finding **findings_sort(const struct rg_finding *list, size_t count)
{
	const struct rg_finding **sorted = count ? calloc(count, sizeof(*sorted)) : NULL;
	if (!sorted)
		return NULL;
	for (size_t i = 0; i < count; i++)
		sorted[i] = &list[i];
	qsort(sorted, count, sizeof(*sorted), finding_compare);
	return sorted;
}

static void findings_print(const struct rg_finding *list, size_t count, const char *word, FILE *out)
{
	const struct rg_finding **sorted = findings_sort(list, count);
	for (size_t i = 0; sorted && i < count; i++) {
		const struct rg_finding *finding = sorted[i];
		fputs(finding->file, out);
		if (finding->line != 0)
			fprintf(out, ":%u", finding->line);
		fprintf(out, ": %s", word);
		if (*finding->key)
			fprintf(out, "%s: ", finding->key);
		fprintf(out, "%s\n", finding->message);
	}
	free(sorted);
}

void report_print(const struct rg_report *report, FILE *out)
{
	findings_print(report->errors, report->error_count, "", out);
	findings_print(report->warnings, report->warning_count, "warning: ", out);
}

void report_print_counted(const struct rg_report *report, FILE *out)
{
	report_print(report, out);
	fprintf(out, "%zu error%s, %zu warning%s\n", report->error_count,
		text_plural(report->error_count), report->warning_count,
		text_plural(report->warning_count));
}

void report_first(const struct rg_report *report, char *out, size_t capacity)
{
	char line[16] = "";
	const struct rg_finding *first = &report->errors[0];
	for (size_t i = 1; i < report->error_count; i++) {
		const struct rg_finding *other = &report->errors[i];
		if (finding_compare(&other, &first) < 0)
			first = other;
	}
	if (first->line != 0)
		snprintf(line, sizeof(line), ":%u", first->line);
	snprintf(out, capacity, "%s%s: %s%s%s", first->file, line, first->key, *first->key ? ": " : "",
		 first->message);
}

static json_t *findings_json(const struct rg_finding *list, size_t count)
{
	json_t *array = json_array();
	const struct rg_finding **sorted = findings_sort(list, count);
	for (size_t i = 0; sorted && i < count; i++)
		json_array_append_new(array,
				      json_pack("{s:o, s:I, s:o, s:o}", "file", json_string(sorted[i]->file),
						"line", (json_int_t)sorted[i]->line, "key",
						json_string(sorted[i]->key), "message",
						json_string(sorted[i]->message)));
	free(sorted);
	return array;
}

json_t *report_json(const struct rg_report *report)
{
	return json_pack("{s:o, s:o}", "errors", findings_json(report->errors, report->error_count),
			 "warnings", findings_json(report->warnings, report->warning_count));
}

void report_free(struct rg_report *report)
{
	arena_free(&report->arena);
	*report = (struct rg_report){0};
}

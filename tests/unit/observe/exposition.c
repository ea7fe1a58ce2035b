#include "exposition.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAMILIES_MOST 256

struct family {
	char name[128], type[16];
};

struct reader {
	struct exposition *out;
	struct family families[FAMILIES_MOST];
	size_t families_count;
	char helped[128]; /* family of the HELP line that waits for its TYPE */
	/* The histogram series under way: its name with labels but for le. */
	char histogram[1024];
	double below, least, count;
	bool infinite, summed, counted;
};

static bool fail(struct reader *reader, const char *line, const char *what)
{
	snprintf(reader->out->error, sizeof(reader->out->error), "%s: %.180s", what, line);
	return false;
}

static size_t name_length(const char *at)
{
	size_t length = 0;
	while (isalpha((unsigned char)at[length]) || at[length] == '_' || at[length] == ':' ||
	       (length && isdigit((unsigned char)at[length])))
		length++;
	return length;
}

/* The octets of {name="value",…}; 0: broken. le gets the bound of a bucket, others what is left. */
static size_t labels_length(const char *at, char le[64], char others[512])
{
	const char *start = at++;
	le[0] = others[0] = '\0';
	for (;;) {
		const char *label = at;
		size_t name = name_length(at);
		if (name == 0 || at[name] != '=' || at[name + 1] != '"')
			return 0;
		for (at += name + 2; *at != '"'; at++) {
			if (*at == '\\' && !strchr("\\\"n", *++at))
				return 0;
			if (!*at || (unsigned char)*at < 0x20)
				return 0;
		}
		at++;
		if (strncmp(label, "le=", 3) == 0)
			snprintf(le, 64, "%.*s", (int)(at - label - 5), label + 4);
		else
			snprintf(others + strlen(others), 512 - strlen(others), "%.*s,", (int)(at - label), label);
		if (*at == '}')
			return (size_t)(at + 1 - start);
		if (*at++ != ',')
			return 0;
	}
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);
	return length >= tail && strcmp(text + length - tail, end) == 0;
}

static bool histogram_finished(struct reader *reader, const char *line)
{
	if (reader->histogram[0] && !(reader->infinite && reader->summed && reader->counted))
		return fail(reader, line, "the histogram before is not complete");
	return true;
}

static bool histogram_sample(struct reader *reader, const char *line, const char *name, const char *le,
			     const char *others, double value)
{
	const struct family *family = &reader->families[reader->families_count - 1];
	const char *suffix = name + strlen(family->name);
	char series[sizeof(reader->histogram)];
	snprintf(series, sizeof(series), "%.127s{%.511s", family->name, others);
	if (strcmp(series, reader->histogram) != 0) {
		if (!histogram_finished(reader, line))
			return false;
		strcpy(reader->histogram, series);
		reader->below = 0;
		reader->least = -1;
		reader->infinite = reader->summed = reader->counted = false;
	}
	if (strcmp(suffix, "_bucket") == 0) {
		char *end;
		double bound = strcmp(le, "+Inf") == 0 ? INFINITY : strtod(le, &end);
		if (!le[0] || reader->infinite || bound <= reader->least || value < reader->below)
			return fail(reader, line, "buckets must grow, each with an le");
		reader->least = bound;
		reader->below = value;
		reader->infinite = isinf(bound);
	} else if (strcmp(suffix, "_sum") == 0) {
		reader->summed = true;
	} else if (strcmp(suffix, "_count") == 0 && value == reader->below) {
		reader->counted = true;
	} else {
		return fail(reader, line, "no sample of its histogram, or a count beside its buckets");
	}
	return true;
}

static bool sample_line(struct reader *reader, const char *line)
{
	char name[128], le[64] = "", others[512] = "", *end;
	size_t length = name_length(line), labels = 0;
	const struct family *family =
		reader->families_count ? &reader->families[reader->families_count - 1] : NULL;
	struct exposition *out = reader->out;
	if (length == 0 || length >= sizeof(name) || !family || reader->helped[0])
		return fail(reader, line, "a sample without its family, or no name");
	snprintf(name, sizeof(name), "%.*s", (int)length, line);
	if (line[length] == '{' && (labels = labels_length(line + length, le, others)) == 0)
		return fail(reader, line, "broken labels");
	if (line[length + labels] != ' ')
		return fail(reader, line, "no value");
	double value = strtod(line + length + labels + 1, &end);
	if (*end || end == line + length + labels + 1)
		return fail(reader, line, "value is no number");
	bool histogram = strcmp(family->type, "histogram") == 0;
	if (histogram ? strncmp(name, family->name, strlen(family->name)) != 0
		      : strcmp(name, family->name) != 0)
		return fail(reader, line, "a sample outside of its family");
	if (histogram && !histogram_sample(reader, line, name, le, others, value))
		return false;
	if (out->count == SAMPLES_MOST)
		return fail(reader, line, "more samples than this reader takes");
	out->samples[out->count++] =
		(struct sample){strndup(line, length + labels), value};
	return true;
}

static bool comment_line(struct reader *reader, const char *line)
{
	char name[128], type[16], rest;
	if (sscanf(line, "# HELP %127s %c", name, &rest) == 2) {
		if (reader->helped[0] || name_length(name) != strlen(name))
			return fail(reader, line, "HELP without TYPE, or a broken name");
		strcpy(reader->helped, name);
		return true;
	}
	if (sscanf(line, "# TYPE %127s %15s %c", name, type, &rest) != 2 ||
	    strcmp(name, reader->helped) != 0)
		return fail(reader, line, "TYPE without its HELP");
	if (strcmp(type, "counter") != 0 && strcmp(type, "gauge") != 0 && strcmp(type, "histogram") != 0)
		return fail(reader, line, "unknown type");
	if (ends_with(name, "_total") != (strcmp(type, "counter") == 0))
		return fail(reader, line, "counters end in _total, and nothing else does");
	for (size_t i = 0; i < reader->families_count; i++)
		if (strcmp(reader->families[i].name, name) == 0)
			return fail(reader, line, "a family twice");
	if (!histogram_finished(reader, line))
		return false;
	reader->histogram[0] = reader->helped[0] = '\0';
	struct family *family = &reader->families[reader->families_count++];
	strcpy(family->name, name);
	strcpy(family->type, type);
	return reader->families_count < FAMILIES_MOST || fail(reader, line, "too many families");
}

static int by_series(const void *a, const void *b)
{
	return strcmp(((const struct sample *)a)->series, ((const struct sample *)b)->series);
}

void exposition_read(struct exposition *out, const char *text)
{
	static struct reader reader;
	memset(&reader, 0, sizeof(reader));
	reader.out = out;
	*out = (struct exposition){.samples = calloc(SAMPLES_MOST, sizeof(*out->samples))};
	for (const char *end; *text; text = end + 1) {
		char line[2048];
		end = strchr(text, '\n');
		if (!end || end == text || (size_t)(end - text) >= sizeof(line)) {
			fail(&reader, text, "an empty, endless or unended line");
			return;
		}
		snprintf(line, sizeof(line), "%.*s", (int)(end - text), text);
		if (!(line[0] == '#' ? comment_line(&reader, line) : sample_line(&reader, line)))
			return;
	}
	if (!histogram_finished(&reader, "the end"))
		return;
	qsort(out->samples, out->count, sizeof(*out->samples), by_series);
	for (size_t i = 1; i < out->count; i++)
		if (by_series(&out->samples[i - 1], &out->samples[i]) == 0)
			fail(&reader, out->samples[i].series, "a series twice");
}

void exposition_free(struct exposition *out)
{
	for (size_t i = 0; i < out->count; i++)
		free(out->samples[i].series);
	free(out->samples);
	*out = (struct exposition){0};
}

double exposition_value(const struct exposition *out, const char *series)
{
	for (size_t i = 0; i < out->count; i++)
		if (strcmp(out->samples[i].series, series) == 0)
			return out->samples[i].value;
	return -1;
}

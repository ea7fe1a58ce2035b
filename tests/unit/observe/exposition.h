/* A strict reader of Prometheus' text format 0.0.4, for tests. */
#ifndef EXPOSITION_H
#define EXPOSITION_H
#include <stddef.h>

#define SAMPLES_MOST 65536

struct sample {
	char *series; /* name and labels as written */
	double value;
};

struct exposition {
	struct sample *samples;
	size_t count;
	char error[256]; /* "": fine */
};

/* Checks all of it: HELP and TYPE before the samples of a family, each family once and in one piece, no
 * series twice, label syntax, counters ending in _total, histograms complete and cumulative. */
void exposition_read(struct exposition *, const char *text);
void exposition_free(struct exposition *);
/* The value of a series, or -1. */
double exposition_value(const struct exposition *, const char *series);
#endif

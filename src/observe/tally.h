/* Ended sign-ins, counted: by label and reason in a table of bounded size, and by duration. Not
 * locked: its owner does that. */
#ifndef RG_OBSERVE_TALLY_H
#define RG_OBSERVE_TALLY_H
#include <stddef.h>
#include <stdint.h>

#include "observe/signin.h"

#define RG_LABELS_MOST 12000 /* labels beyond it are counted as "other" (attacks.md O8) */

/* A histogram: counts of what took at most so long; the last one has no bound. */
#define RG_BOUNDS 14
extern const double tally_bounds[RG_BOUNDS]; /* seconds */

struct rg_histogram {
	uint64_t bucket[RG_BOUNDS + 1]; /* not cumulative */
	uint64_t count, sum_us;
};

enum rg_part { RG_PART_TLS, RG_PART_DIRECTORY, RG_PART_UPSTREAM, RG_PARTS };

struct rg_tally_row {
	char *label;
	uint64_t count[RG_REASON_COUNT];
};

struct rg_tally {
	struct rg_tally_row **slots; /* open addressing; a power of two */
	struct rg_tally_row other;
	size_t labels;
	struct rg_histogram result[RG_RESULT_NO_ANSWER + 1];
	struct rg_histogram part[RG_PARTS];
};

struct rg_tally *tally_new(void); /* NULL: no memory */
void tally_free(struct rg_tally **);
void tally_add(struct rg_tally *, const struct rg_signin *);
/* Each label that was counted, "other" last if there is such. */
void tally_each(const struct rg_tally *, void (*each)(void *context, const struct rg_tally_row *),
		void *context);
const char *part_word(enum rg_part); /* "tls"; static */
#endif

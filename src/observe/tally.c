#include "observe/tally.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS ((size_t)32768) /* over twice RG_LABELS_MOST, so that probes stay short */

const double tally_bounds[RG_BOUNDS] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
					0.25,  0.5,    1,     2.5,  5,     10,   30};

struct rg_tally *tally_new(void)
{
	struct rg_tally *tally = calloc(1, sizeof(*tally));
	if (!tally)
		return NULL;
	tally->other.label = (char *)"other";
	tally->slots = calloc(SLOTS, sizeof(*tally->slots));
	if (!tally->slots)
		tally_free(&tally);
	return tally;
}

void tally_free(struct rg_tally **tally)
{
	if (!*tally)
		return;
	for (size_t i = 0; (*tally)->slots && i < SLOTS; i++) {
		if (!(*tally)->slots[i])
			continue;
		free((*tally)->slots[i]->label);
		free((*tally)->slots[i]);
	}
	free((*tally)->slots);
	free(*tally);
	*tally = NULL;
}

/* FNV-1a; labels come from the configuration, so nobody chooses them to collide. */
static uint64_t hash_of(const char *label)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (; *label; label++)
		hash = (hash ^ (uint8_t)*label) * UINT64_C(0x100000001b3);
	return hash;
}

static struct rg_tally_row *row_of(struct rg_tally *tally, const char *label)
{
	size_t at = hash_of(label) % SLOTS;
	for (; tally->slots[at]; at = (at + 1) % SLOTS)
		if (strcmp(tally->slots[at]->label, label) == 0)
			return tally->slots[at];
	struct rg_tally_row *row = NULL;
	if (tally->labels < RG_LABELS_MOST)
		row = calloc(1, sizeof(*row));
	if (!row)
		return &tally->other;
	row->label = strdup(label);
	if (!row->label) {
		free(row);
		return &tally->other;
	}
	tally->labels++;
	tally->slots[at] = row;
	return row;
}

static void histogram_add(struct rg_histogram *histogram, uint32_t us)
{
	size_t at = 0;
	while (at < RG_BOUNDS && us / 1e6 > tally_bounds[at])
		at++;
	histogram->bucket[at]++;
	histogram->count++;
	histogram->sum_us += us;
}

void tally_add(struct rg_tally *tally, const struct rg_signin *signin)
{
	unsigned reason = signin->reason, result = signin->result;
	const uint32_t parts[RG_PARTS] = {
		[RG_PART_TLS] = signin->tls_us,
		[RG_PART_DIRECTORY] = signin->directory_us,
		[RG_PART_UPSTREAM] = signin->upstream_us,
	};
	row_of(tally, signin->label[0] ? signin->label : "-")
		->count[reason < RG_REASON_COUNT ? reason : RG_REASON_INTERNAL]++;
	histogram_add(&tally->result[result <= RG_RESULT_NO_ANSWER ? result : RG_RESULT_NONE],
		      signin->total_us);
	for (size_t i = 0; i < RG_PARTS; i++)
		if (parts[i] != 0)
			histogram_add(&tally->part[i], parts[i]);
}

void tally_each(const struct rg_tally *tally,
		void (*each)(void *context, const struct rg_tally_row *), void *context)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (tally->slots[i])
			each(context, tally->slots[i]);
	for (size_t i = 0; i < RG_REASON_COUNT; i++) {
		if (tally->other.count[i] == 0)
			continue;
		each(context, &tally->other);
		return;
	}
}

const char *part_word(enum rg_part part)
{
	switch (part) {
	case RG_PART_TLS:
		return "tls";
	case RG_PART_DIRECTORY:
		return "directory";
	case RG_PART_UPSTREAM:
		return "upstream";
	case RG_PARTS:
		break;
	}
	return "none";
}

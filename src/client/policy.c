#include "client/policy.h"

#include <errno.h>
#include <limits.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/log.h"

struct cell {
	rg_learned learned;
	bool saved;
	char name[];
};

static void *cells; /* a tree of <search.h>, by name */
static char file[PATH_MAX];

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct cell *)a)->name, ((const struct cell *)b)->name);
}

rg_learned *policy_cell(const char *name)
{
	struct cell *cell = calloc(1, sizeof(*cell) + strlen(name) + 1);
	if (!cell)
		return NULL;
	strcpy(cell->name, name);
	struct cell **found = tsearch(cell, &cells, by_name);
	if (!found || *found != cell)
		free(cell);
	return found ? &(*found)->learned : NULL;
}

/* twalk visits an inner node three times. */
static bool once(VISIT visit)
{
	return visit == postorder || visit == leaf;
}

static void mark_saved(const void *node, VISIT visit, int depth)
{
	struct cell *cell = *(struct cell *const *)node;
	(void)depth;
	if (once(visit))
		cell->saved = atomic_load(&cell->learned);
}

void policy_open(const char *state_dir)
{
	snprintf(file, sizeof(file), "%s/message-authenticator", state_dir);
	FILE *in = fopen(file, "re");
	if (!in && errno == ENOENT)
		return;
	char line[512];
	while (in && fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\n")] = '\0';
		rg_learned *learned = line[0] ? policy_cell(line) : NULL;
		if (learned)
			atomic_store(learned, true);
	}
	if (!in || ferror(in))
		log_write(RG_LOG_WARNING, "what clients signed cannot be read from state_dir, and is learned anew: %m");
	if (in)
		fclose(in);
	twalk(cells, mark_saved);
}

void policy_close(void)
{
	tdestroy(cells, free);
	cells = NULL;
}

static void compare(const void *node, VISIT visit, void *changed)
{
	const struct cell *cell = *(struct cell *const *)node;
	if (once(visit) && atomic_load(&cell->learned) && !cell->saved)
		*(bool *)changed = true;
}

static void write_cell(const void *node, VISIT visit, void *out)
{
	const struct cell *cell = *(struct cell *const *)node;
	if (once(visit) && atomic_load(&cell->learned))
		fprintf(out, "%s\n", cell->name);
}

static bool write_all(FILE *out)
{
	twalk_r(cells, write_cell, out);
	bool fine = !ferror(out) && fflush(out) == 0 && fsync(fileno(out)) == 0;
	return fclose(out) == 0 && fine;
}

bool policy_save(void)
{
	bool changed = false;
	twalk_r(cells, compare, &changed);
	if (!changed)
		return true;
	char fresh[PATH_MAX + 8];
	snprintf(fresh, sizeof(fresh), "%s.new", file);
	FILE *out = fopen(fresh, "we");
	if (!out || !write_all(out) || rename(fresh, file) != 0) {
		int error = errno;
		unlink(fresh);
		errno = error;
		return false;
	}
	twalk(cells, mark_saved);
	return true;
}

void policy_keep(void)
{
	static bool failing;
	bool kept = policy_save();
	if (!kept && !failing)
		log_write(RG_LOG_WARNING, "what clients sign cannot be kept in state_dir: %m");
	else if (kept && failing)
		log_write(RG_LOG_INFO, "what clients sign is kept in state_dir again");
	failing = !kept;
}

#include "client/policy.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct cell {
	struct cell *next;
	rg_learned learned;
	bool saved;
	char name[];
};

static struct cell *cells;
static char file[PATH_MAX];

rg_learned *policy_cell(const char *name)
{
	struct cell *cell = cells;
	while (cell && strcmp(cell->name, name) != 0)
		cell = cell->next;
	if (!cell) {
		cell = calloc(1, sizeof(*cell) + strlen(name) + 1);
		if (!cell)
			return NULL;
		strcpy(cell->name, name);
		cell->next = cells;
		cells = cell;
	}
	return &cell->learned;
}

void policy_open(const char *state_dir)
{
	snprintf(file, sizeof(file), "%s/message-authenticator", state_dir);
	FILE *in = fopen(file, "re");
	if (!in)
		return;
	char line[512];
	while (fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\n")] = '\0';
		rg_learned *learned = line[0] ? policy_cell(line) : NULL;
		if (learned)
			atomic_store(learned, true);
	}
	fclose(in);
	for (struct cell *cell = cells; cell; cell = cell->next)
		cell->saved = true;
}

void policy_close(void)
{
	while (cells) {
		struct cell *cell = cells;
		cells = cell->next;
		free(cell);
	}
}

static bool write_all(FILE *out)
{
	for (struct cell *cell = cells; cell; cell = cell->next)
		if (atomic_load(&cell->learned))
			fprintf(out, "%s\n", cell->name);
	bool fine = !ferror(out) && fflush(out) == 0 && fsync(fileno(out)) == 0;
	return fclose(out) == 0 && fine;
}

bool policy_save(void)
{
	bool changed = false;
	for (struct cell *cell = cells; cell; cell = cell->next)
		changed |= atomic_load(&cell->learned) && !cell->saved;
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
	for (struct cell *cell = cells; cell; cell = cell->next)
		cell->saved = atomic_load(&cell->learned);
	return true;
}

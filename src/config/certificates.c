#include "config/certificates.h"

#include <stdlib.h>
#include <string.h>

#include "config/names.h"
#include "core/arena.h"
#include "core/reserve.h"

/* The verdict on four files that are used together. */
struct verdict {
	const struct rg_file_finding *findings;
};

struct rg_certificates {
	struct rg_arena arena;
	struct rg_names known;	   /* use and the four paths; the line of its place is an index into verdicts */
	struct verdict **verdicts; /* malloc'd */
	size_t count, capacity;
};

struct rg_certificates *certificates_new(void)
{
	return reserve_calloc(1, sizeof(struct rg_certificates));
}

void certificates_free(struct rg_certificates **certificates)
{
	if (!*certificates)
		return;
	names_free(&(*certificates)->known);
	arena_free(&(*certificates)->arena);
	free((*certificates)->verdicts);
	free(*certificates);
	*certificates = NULL;
}

static struct verdict *verdict_add(struct rg_certificates *certificates)
{
	if (certificates->count == certificates->capacity) {
		certificates->capacity = certificates->capacity ? 2 * certificates->capacity : 16;
		struct verdict **more = reserve_calloc(certificates->capacity, sizeof(*more));
		if (certificates->count != 0)
			memcpy(more, certificates->verdicts, certificates->count * sizeof(*more));
		free(certificates->verdicts);
		certificates->verdicts = more;
	}
	struct verdict *verdict = arena_alloc(&certificates->arena, sizeof(*verdict));
	certificates->verdicts[certificates->count++] = verdict;
	return verdict;
}

static const char *path_or_none(const char *path)
{
	return path ? path : "";
}

static struct verdict *verdict_find(struct rg_certificates *certificates,
				    const struct rg_certificate_files *files)
{
	/* No path holds a newline that would make two sets of four look the same and both be files. */
	char *key = arena_format(&certificates->arena, "%u\n%s\n%s\n%s\n%s", files->shown,
				 path_or_none(files->certificate), path_or_none(files->private_key),
				 path_or_none(files->ca), path_or_none(files->crl));
	const struct rg_where *known =
		names_add(&certificates->known, span_text(key),
			  (struct rg_where){NULL, (unsigned)certificates->count});
	if (known)
		return certificates->verdicts[known->line];
	struct verdict *verdict = verdict_add(certificates);
	verdict->findings = certificate_files_judge(&certificates->arena, files);
	return verdict;
}

void certificates_judge(struct rg_certificates *certificates, struct rg_complaint *at,
			const struct rg_certificate_files *files)
{
	const struct verdict *verdict = verdict_find(certificates, files);
	for (const struct rg_file_finding *finding = verdict->findings; finding; finding = finding->next)
		if (finding->error)
			complain_error(at, finding->key, "%s", finding->message);
		else
			complain_warning(at, finding->key, "%s", finding->message);
}

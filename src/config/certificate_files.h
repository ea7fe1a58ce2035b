/* The files of an eap group, read and judged together. */
#ifndef RG_CONFIG_CERTIFICATE_FILES_H
#define RG_CONFIG_CERTIFICATE_FILES_H
#include "config/raddb.h"

struct rg_file_finding {
	const struct rg_file_finding *next;
	bool error;
	const char *key;     /* "private_key" */
	const char *message; /* "is encrypted: …" */
};

/* In the order found, in the arena; NULL: all is well. A file that is absent or cannot be opened is passed
 * over: the rows have complained of it. */
const struct rg_file_finding *certificate_files_judge(struct rg_arena *, const struct rg_eap_settings *);
#endif

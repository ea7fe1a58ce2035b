/* The digest of what is written: equal text of meaning, equal digest, whatever white space and comments. */
#ifndef RG_CONFIG_DIGEST_H
#define RG_CONFIG_DIGEST_H
#include <libconfig.h>
#include <stddef.h>

#include "roamgate/span.h"

/* What goes into one digest, collected; {0} at the start. It may hold secrets: canon_end wipes. */
struct rg_canon {
	struct rg_canon *outer;
	uint8_t *data;
	size_t length, capacity;
};

void canon_span(struct rg_canon *, struct rg_span);
void canon_text(struct rg_canon *, const char *);
/* Names, types and values of a setting and all below it, in order. */
void canon_setting(struct rg_canon *, const config_setting_t *);
/* A file by path, size, inode and time of change, for files too large or too secret to take in. */
void canon_file(struct rg_canon *, const char *path);
/* SHA-256 in hex. Wipes and frees. */
void canon_end(struct rg_canon *, char out[65]);
#endif

/* A directory read from a file (LDIF, RFC 2849), for trials: its settings and operations. */
#ifndef DIR_LDIF_DIR_LDIF_H
#define DIR_LDIF_DIR_LDIF_H
#include "directory/lookup.h"

struct rg_ldif_settings {
	const char *file;
	struct rg_lookup lookup;
	int64_t timeout_ms, connections, queue;
};

void *directory_open_ldif(const void *settings, const char *name);
bool directory_ask_ldif(void *directory, struct rg_question *);
void directory_status_ldif(void *directory,
			   void (*each)(void *context, const struct rg_directory_server *),
			   void *context);
void directory_close_ldif(void *directory);
#endif

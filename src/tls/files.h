/* Files of certificates and keys, read once however many realms name them. Main thread and checks;
 * takes a lock of its own. */
#ifndef RG_TLS_FILES_H
#define RG_TLS_FILES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "roamgate/module.h"

/* What a path held at one time. Shared: equal path, inode, size and times is the same object. */
struct rg_tls_file {
	unsigned references;
	struct rg_tls_file *next;
	char *path;
	bool missing; /* could not be read */
	int error;    /* errno of that */
	dev_t device;
	ino_t inode;
	mode_t mode;
	off_t size;
	struct timespec modified, changed;
	uint8_t digest[32]; /* SHA-256 of its contents */
};

/* NULL: no memory. An unreadable file is an object too: missing. */
struct rg_tls_file *tls_file_get(const char *path);
void tls_file_unref(struct rg_tls_file **);

/* Its contents, if they are still what digest says; NULL with errno (ESTALE: they are not). To be
 * freed by secret_free. */
struct rg_secret *tls_file_contents(const struct rg_tls_file *);

/* One stat: is it still so? */
bool tls_file_stale(const struct rg_tls_file *);
#endif

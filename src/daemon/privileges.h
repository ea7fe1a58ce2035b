/* What the daemon gives up once sockets and keys are open. */
#ifndef RG_DAEMON_PRIVILEGES_H
#define RG_DAEMON_PRIVILEGES_H
#include <stdbool.h>

/* Before anything secret is read: no core dumps, nobody's debugger, no new privileges, files for the owner's group at
 * most. */
void privileges_begin(void);
/* Makes dir and its parents where missing; of root's makings the user becomes the owner. False with why (256). */
bool privileges_make_dir(const char *dir, unsigned mode, const char *user, char *why);
/* Hands a file over to the user. */
bool privileges_give(const char *path, const char *user, char *why);
/* Makes a file for the user where there is none, if root: it is the user who then opens it, for a link in a folder of
 * that user's could make root write anywhere. */
bool privileges_make_file(const char *path, unsigned mode, const char *user, char *why);
/* Becomes the user for good, if root, without any capability; as many descriptors as allowed. "" keeps the caller. */
bool privileges_drop(const char *user, char *why);
#endif

/* What the daemon gives up once sockets and keys are open. */
#ifndef RG_DAEMON_PRIVILEGES_H
#define RG_DAEMON_PRIVILEGES_H
#include <stdbool.h>

/* Makes dir and its parents where missing; of root's makings the user becomes the owner. False with why (256). */
bool privileges_make_dir(const char *dir, unsigned mode, const char *user, char *why);
/* Hands a file over to the user. */
bool privileges_give(const char *path, const char *user, char *why);
/* Becomes the user for good, if root; no core dumps, no new privileges, as many descriptors as allowed. "" keeps the
 * caller. */
bool privileges_drop(const char *user, char *why);
#endif

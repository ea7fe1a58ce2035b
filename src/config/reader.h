/* Whether the user that the gateway runs as can read a file: root, who checks or starts it, always can,
 * and the first reload would be the one to fail. */
#ifndef RG_CONFIG_READER_H
#define RG_CONFIG_READER_H
#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#define RG_READER_GROUPS 64

struct rg_reader {
	bool other; /* than the caller, who is root; false: nothing below counts */
	uid_t user;
	gid_t groups[RG_READER_GROUPS];
	int group_count;
	char last[PATH_MAX]; /* a path whose folders are open to that user: most files lie close together */
};

/* name: gateway.user. One that is nobody's, or root's own, is not looked at. */
void reader_find(struct rg_reader *, const char *name);
/* By owners, groups and modes of the file and of the folders that its path names; not by access lists. */
bool reader_can(struct rg_reader *, const char *path);
#endif

#include "config/reader.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void reader_find(struct rg_reader *reader, const char *name)
{
	*reader = (struct rg_reader){0};
	const struct passwd *user = geteuid() == 0 && *name ? getpwnam(name) : NULL;
	if (!user || user->pw_uid == 0)
		return;
	reader->user = user->pw_uid;
	reader->group_count = RG_READER_GROUPS;
	/* Of one with more groups than fit nothing is said. */
	reader->other = getgrouplist(name, user->pw_gid, reader->groups, &reader->group_count) >= 0;
}

/* bits: of "others", S_IROTH or S_IXOTH. */
static bool allows(const struct rg_reader *reader, const char *path, mode_t bits)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return false;
	if (st.st_uid == reader->user)
		return (st.st_mode & (bits << 6)) != 0;
	for (int i = 0; i < reader->group_count; i++)
		if (reader->groups[i] == st.st_gid)
			return (st.st_mode & (bits << 3)) != 0;
	return (st.st_mode & bits) != 0;
}

bool reader_can(struct rg_reader *reader, const char *path)
{
	char folder[PATH_MAX];
	size_t known = 0;
	if (!reader->other)
		return true;
	while (path[known] != '\0' && path[known] == reader->last[known])
		known++;
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		if ((size_t)(slash - path) < known)
			continue;
		snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path) + 1, path);
		if (!allows(reader, folder, S_IXOTH))
			return false;
	}
	snprintf(reader->last, sizeof(reader->last), "%s", path);
	return allows(reader, path, S_IROTH);
}

#include "daemon/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static bool fail(char *why, const char *what, const char *name)
{
	snprintf(why, 256, "%s %.150s: %s", what, name, strerror(errno));
	return false;
}

/* Whether there is anything to give up or to hand over. */
static bool is_root_with(const char *user)
{
	return geteuid() == 0 && user[0] != '\0';
}

static const struct passwd *find_user(const char *user, char *why)
{
	const struct passwd *entry = getpwnam(user);
	if (!entry)
		snprintf(why, 256,
			 "there is no user %.100s: make it, or set gateway.user (\"\" keeps the caller's)",
			 user);
	return entry;
}

bool privileges_give(const char *path, const char *user, char *why)
{
	if (!is_root_with(user))
		return true;
	const struct passwd *entry = find_user(user, why);
	if (!entry)
		return false;
	/* Where that user may write already, a link could stand for any file of root's; and a device is everyone's. */
	struct stat is;
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &is) != 0) {
		fail(why, "cannot give away", path);
		if (fd >= 0)
			close(fd);
		return false;
	}
	bool ours = S_ISDIR(is.st_mode) || S_ISSOCK(is.st_mode) ||
		    (S_ISREG(is.st_mode) && is.st_nlink == 1);
	bool given = !ours || fchownat(fd, "", entry->pw_uid, entry->pw_gid, AT_EMPTY_PATH) == 0 ||
		     fail(why, "cannot give away", path);
	close(fd);
	return given;
}

bool privileges_make_dir(const char *dir, unsigned mode, const char *user, char *why)
{
	char path[PATH_MAX];
	struct stat is;
	if (stat(dir, &is) == 0 && S_ISDIR(is.st_mode))
		return true;
	if ((size_t)snprintf(path, sizeof(path), "%s", dir) >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return fail(why, "cannot make", dir);
	}
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) != 0 && errno != EEXIST)
			return fail(why, "cannot make", path);
		*slash = '/';
	}
	if (mkdir(path, mode) != 0 && errno != EEXIST)
		return fail(why, "cannot make", path);
	return privileges_give(path, user, why);
}

static bool become(const char *user, char *why)
{
	const struct passwd *entry = find_user(user, why);
	if (!entry)
		return false;
	if (initgroups(user, entry->pw_gid) != 0 || setgid(entry->pw_gid) != 0 ||
	    setuid(entry->pw_uid) != 0)
		return fail(why, "cannot become", user);
	if (entry->pw_uid != 0 && setuid(0) == 0) {
		snprintf(why, 256, "root could be taken back: not going on");
		return false;
	}
	return true;
}

bool privileges_drop(const char *user, char *why)
{
	struct rlimit files;
	const struct rlimit none = {0, 0};
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (is_root_with(user) && !become(user, why))
		return false;
	/* A core would hold secrets and keys; one that is piped away knows no limit. */
	setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__ /* whose search for leaks traces the process */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return true;
}

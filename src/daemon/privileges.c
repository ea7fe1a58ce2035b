#include "daemon/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

bool privileges_make_file(const char *path, unsigned mode, const char *user, char *why)
{
	if (!is_root_with(user))
		return true;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0 && errno != EEXIST)
		return fail(why, "cannot make", path);
	if (fd >= 0)
		close(fd);
	return privileges_give(path, user, why);
}

/* setuid takes root's capabilities, unless whoever started us has set it not to; ambient ones it leaves. */
static bool give_up_capabilities(char *why)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct has[_LINUX_CAPABILITY_U32S_3] = {0};
	static const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	/* Refused to a process without any by a filter of system calls: it is the outcome that counts. */
	syscall(SYS_capset, &header, none);
	if (syscall(SYS_capget, &header, has) != 0)
		return fail(why, "cannot see", "which capabilities are left");
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		if (has[i].permitted != 0) {
			snprintf(why, 256, "capabilities cannot be given up: not going on");
			return false;
		}
	return true;
}

static bool become(const char *user, char *why)
{
	const struct passwd *entry = find_user(user, why);
	if (!entry)
		return false;
	if (initgroups(user, entry->pw_gid) != 0 ||
	    setresgid(entry->pw_gid, entry->pw_gid, entry->pw_gid) != 0 ||
	    setresuid(entry->pw_uid, entry->pw_uid, entry->pw_uid) != 0)
		return fail(why, "cannot become", user);
	if (entry->pw_uid != 0 && setuid(0) == 0) {
		snprintf(why, 256, "root could be taken back: not going on");
		return false;
	}
	return true;
}

/* Changing the user makes the process dumpable as fs.suid_dumpable says. */
static void forbid_looking(void)
{
#ifndef __SANITIZE_ADDRESS__ /* whose search for leaks traces the process */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

void privileges_begin(void)
{
	const struct rlimit none = {0, 0};
	/* A core would hold secrets and keys; one that is piped away knows no limit. */
	setrlimit(RLIMIT_CORE, &none);
	forbid_looking();
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	umask(umask(0) | 0027);
}

bool privileges_drop(const char *user, char *why)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (is_root_with(user) && !become(user, why))
		return false;
	forbid_looking();
	return geteuid() == 0 || give_up_capabilities(why);
}

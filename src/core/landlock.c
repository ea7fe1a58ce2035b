/* Landlock by hand: glibc has no wrappers, and Debian 12's <linux/landlock.h> ends at the first
 * version. https://docs.kernel.org/userspace-api/landlock.html */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/sandbox.h"

#define ACCESS_REFER     (UINT64_C(1) << 13) /* version 2 */
#define ACCESS_TRUNCATE  (UINT64_C(1) << 14) /* version 3 */
#define ACCESS_IOCTL_DEV (UINT64_C(1) << 15) /* version 5 */
#define SCOPE_ABSTRACT   (UINT64_C(1) << 0)  /* version 6 */
#define SCOPE_SIGNAL     (UINT64_C(1) << 1)

struct ruleset {
	uint64_t files, net, scopes;
};

/* What may be done to a file; the others are about directories. */
#define OF_FILES (LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_TRUNCATE)
/* What `writable` gives back. */
#define OF_DIRECTORIES                                                                             \
	(OF_FILES | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |                   \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE)

/* Reading is not limited: a reload may name files anywhere, and what others may read is no secret
 * of ours. */
static uint64_t handled(int version)
{
	uint64_t files = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
			 LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
			 LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
			 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
			 LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
			 LANDLOCK_ACCESS_FS_MAKE_SYM;
	files |= version >= 2 ? ACCESS_REFER : 0;
	files |= version >= 3 ? ACCESS_TRUNCATE : 0;
	files |= version >= 5 ? ACCESS_IOCTL_DEV : 0;
	return files;
}

/* systemd may be told through an abstract socket. */
static uint64_t scopes(int version)
{
	const char *notify = getenv("NOTIFY_SOCKET");
	if (version < 6)
		return 0;
	return SCOPE_SIGNAL | (notify && notify[0] == '@' ? 0 : SCOPE_ABSTRACT);
}

static bool allow(int ruleset, const char *path, uint64_t known)
{
	struct stat is;
	int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT;
	struct landlock_path_beneath_attr rule = {.parent_fd = fd};
	bool fine = fstat(fd, &is) == 0;
	rule.allowed_access = known & (fine && S_ISDIR(is.st_mode) ? OF_DIRECTORIES : OF_FILES);
	fine = fine &&
	       syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
	int error = errno;
	close(fd);
	errno = error;
	return fine;
}

int landlock_restrict(const char *const *writable)
{
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (version <= 0) /* built without it, or not switched on */
		return 0;
	const struct ruleset wanted = {.files = handled((int)version),
				       .scopes = scopes((int)version)};
	/* Kernels that know less of it want it shorter, or zero where they do not know. */
	size_t size = wanted.scopes ? sizeof(wanted) : sizeof(wanted.files);
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &wanted, size, 0);
	bool fine = ruleset >= 0;
	for (size_t i = 0; fine && writable[i]; i++)
		fine = allow(ruleset, writable[i], wanted.files);
	/* let_go_of_output's */
	fine = fine && allow(ruleset, "/dev/null", wanted.files) &&
	       syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
	int error = errno;
	if (ruleset >= 0)
		close(ruleset);
	errno = error;
	return fine ? (int)version : -1;
}

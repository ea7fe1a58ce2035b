/* The lists: which kind of thread makes which system calls. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/sandbox.h"

/* Sets of calls; a role is a sum of sets. */
#define LIVE    0x001u /* memory, time, locks, a thread's end, descriptors it has */
#define LOOP    0x002u /* epoll */
#define TALK    0x004u /* on sockets it has */
#define CALL    0x008u /* new sockets to somewhere */
#define SERVE   0x010u /* sockets that others come to */
#define LOCAL   0x020u /* sockets of this machine */
#define READ    0x040u /* files */
#define LOAD    0x080u /* shared objects: NSS's, SASL's and PKCS#11's come when they are asked */
#define THREADS 0x100u
#define WRITE   0x200u /* files */
#define RULE    0x400u /* what only the main thread does */

static const unsigned sets_of[RG_ROLE_COUNT] = {
	/* All that the others have: they are born of it, and a filter is for life. */
	[RG_ROLE_MAIN] =
		LIVE | LOOP | TALK | CALL | SERVE | LOCAL | READ | LOAD | THREADS | WRITE | RULE,
	[RG_ROLE_WORKER] = LIVE | LOOP | TALK | CALL | SERVE,
	[RG_ROLE_LOG] = LIVE | TALK | LOCAL,
	[RG_ROLE_OBSERVER] = LIVE,
	[RG_ROLE_SINK] = LIVE | TALK | CALL | LOCAL | READ | LOAD,
	[RG_ROLE_HTTP] = LIVE | LOOP | TALK | SERVE,
	[RG_ROLE_DIRECTORY] = LIVE | TALK | CALL | LOCAL | READ | LOAD | THREADS,
	[RG_ROLE_OCSP] = LIVE | TALK | CALL | LOCAL | READ | LOAD,
	[RG_ROLE_DISCOVERY] = LIVE | LOOP | TALK | CALL | READ,
	[RG_ROLE_RESOLVER] = LIVE | TALK | CALL | LOCAL | READ | LOAD,
};

static const struct {
	const char *name;
	unsigned sets;
} calls[] = {
	{"read", LIVE},
	{"readv", LIVE},
	{"pread64", LIVE},
	{"write", LIVE},
	{"writev", LIVE},
	{"close", LIVE},
	{"fstat", LIVE},
	{"lseek", LIVE},
	{"poll", LIVE},
	{"ppoll", LIVE},
	{"select", LIVE},
	{"pselect6", LIVE},
	{"futex", LIVE},
	{"brk", LIVE},
	{"munmap", LIVE},
	{"mremap", LIVE},
	{"madvise", LIVE},
	{"getrandom", LIVE},
	{"clock_gettime", LIVE},
	{"clock_getres", LIVE},
	{"clock_nanosleep", LIVE},
	{"gettimeofday", LIVE},
	{"nanosleep", LIVE},
	{"time", LIVE},
	{"getpid", LIVE},
	{"gettid", LIVE},
	{"getuid", LIVE},
	{"geteuid", LIVE},
	{"getgid", LIVE},
	{"getegid", LIVE},
	{"getcpu", LIVE},
	{"sched_yield", LIVE},
	{"sched_getaffinity", LIVE},
	{"sysinfo", LIVE},
	{"uname", LIVE},
	{"rseq", LIVE},
	{"set_robust_list", LIVE},
	{"membarrier", LIVE},
	{"restart_syscall", LIVE},
	{"rt_sigprocmask", LIVE},
	{"rt_sigreturn", LIVE},
	{"sigaltstack", LIVE},
	{"exit", LIVE},
	{"exit_group", LIVE},
	{"epoll_create1", LOOP | RULE},
	{"epoll_ctl", LOOP},
	{"epoll_wait", LOOP},
	{"epoll_pwait", LOOP},
	{"epoll_pwait2", LOOP},
	{"eventfd2", RULE | CALL},
	{"timerfd_create", RULE},
	{"timerfd_settime", RULE},
	{"pipe2", RULE},
	{"recvfrom", TALK},
	{"recvmsg", TALK},
	{"recvmmsg", TALK},
	{"sendto", TALK},
	{"sendmsg", TALK},
	{"sendmmsg", TALK},
	{"sendfile", SERVE},
	{"shutdown", TALK},
	{"getsockopt", TALK},
	{"setsockopt", TALK},
	{"getsockname", TALK},
	{"getpeername", TALK},
	{"connect", CALL | LOCAL},
	{"bind", CALL | SERVE},
	{"listen", RULE},
	{"accept", SERVE},
	{"accept4", SERVE},
	{"open", WRITE},
	{"openat", WRITE},
	{"newfstatat", READ},
	{"statx", READ},
	{"stat", READ},
	{"lstat", READ},
	{"statfs", READ},
	{"fstatfs", READ},
	{"access", READ},
	{"faccessat", READ},
	{"faccessat2", READ},
	{"readlink", READ},
	{"readlinkat", READ},
	{"getdents64", READ},
	{"getcwd", READ},
	{"fadvise64", READ},
	{"dup", RULE},
	{"dup2", RULE},
	{"dup3", RULE},
	{"fsync", WRITE},
	{"fdatasync", WRITE},
	{"ftruncate", WRITE},
	{"flock", WRITE},
	{"fchmod", WRITE},
	{"rename", WRITE},
	{"renameat", WRITE},
	{"renameat2", WRITE},
	{"unlink", WRITE},
	{"unlinkat", WRITE},
	{"pwrite64", WRITE},
	{"umask", RULE},
	{"rt_sigaction", RULE},
	{"getgroups", RULE},
	/* By what they ask for: below. */
	{"mmap", 0},
	{"mprotect", 0},
	{"socket", 0},
	{"fcntl", 0},
	{"ioctl", 0},
	{"tgkill", 0},
	{"prlimit64", 0},
	{"prctl", 0},
	{"clone", 0},
	{"sched_setscheduler", 0},
	{"seccomp", 0},
};

/* What somebody who has taken a thread over would do next, and no library does of its own. */
static const char *const hostile[] = {
	"execve",
	"execveat",
	"fork",
	"vfork",
	"ptrace",
	"process_vm_readv",
	"process_vm_writev",
	"setuid",
	"setgid",
	"setreuid",
	"setregid",
	"setresuid",
	"setresgid",
	"setgroups",
	"setfsuid",
	"setfsgid",
	"capset",
	"unshare",
	"setns",
	"mount",
	"umount2",
	"pivot_root",
	"chroot",
	"move_mount",
	"fsopen",
	"open_by_handle_at",
	"init_module",
	"finit_module",
	"kexec_load",
	"bpf",
	"perf_event_open",
	"userfaultfd",
	"io_uring_setup",
	"keyctl",
	"add_key",
	"request_key",
	"pidfd_getfd",
	"memfd_create",
};

#define MOST(array) (sizeof(array) / sizeof((array)[0]))

static bool allow(scmp_filter_ctx filter, const char *name, unsigned count,
		  const struct scmp_arg_cmp *compare)
{
	int number = seccomp_syscall_resolve_name(name);
	if (number < 0) /* not of this architecture, or newer than the library */
		return true;
	int failed = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, count, compare);
	if (failed)
		errno = -failed;
	return !failed;
}

static bool allow_if(scmp_filter_ctx filter, const char *name, struct scmp_arg_cmp compare)
{
	return allow(filter, name, 1, &compare);
}

/* Not even told: what libraries try, and do without. */
static bool refuse_quietly(scmp_filter_ctx filter, const char *name, int error, unsigned count,
			   const struct scmp_arg_cmp *compare)
{
	int number = seccomp_syscall_resolve_name(name);
	return number < 0 || seccomp_rule_add_array(filter, SCMP_ACT_ERRNO((unsigned)error), number,
						    count, compare) == 0;
}

static bool allow_memory(scmp_filter_ctx filter, unsigned sets)
{
	const scmp_datum_t both = PROT_WRITE | PROT_EXEC;
	/* Never to be written and run, and run at all only where shared objects are loaded. */
	return allow_if(filter, "mmap", SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) &&
	       allow_if(filter, "mprotect", SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) &&
	       (!(sets & LOAD) ||
		allow_if(filter, "mmap", SCMP_A2_64(SCMP_CMP_MASKED_EQ, both, PROT_EXEC)));
}

static bool allow_sockets(scmp_filter_ctx filter, unsigned sets)
{
	const struct scmp_arg_cmp routes = SCMP_A0_64(SCMP_CMP_EQ, AF_NETLINK);
	if ((sets & (CALL | SERVE)) &&
	    (!allow_if(filter, "socket", SCMP_A0_64(SCMP_CMP_EQ, AF_INET)) ||
	     !allow_if(filter, "socket", SCMP_A0_64(SCMP_CMP_EQ, AF_INET6))))
		return false;
	if ((sets & LOCAL) && !allow_if(filter, "socket", SCMP_A0_64(SCMP_CMP_EQ, AF_UNIX)))
		return false;
	/* getaddrinfo asks which families this machine has addresses of, and otherwise thinks:
	 * both. */
	return refuse_quietly(filter, "socket", EAFNOSUPPORT, 1, &routes);
}

static bool allow_descriptors(scmp_filter_ctx filter)
{
	static const int of_fcntl[] = {F_GETFL, F_SETFL, F_GETFD, F_SETFD, F_DUPFD_CLOEXEC};
	static const unsigned long of_ioctl[] = {FIONBIO, FIONREAD, FIOCLEX, TCGETS};
	for (size_t i = 0; i < MOST(of_fcntl); i++)
		if (!allow_if(filter, "fcntl", SCMP_A1_64(SCMP_CMP_EQ, (scmp_datum_t)of_fcntl[i])))
			return false;
	for (size_t i = 0; i < MOST(of_ioctl); i++)
		if (!allow_if(filter, "ioctl", SCMP_A1_64(SCMP_CMP_EQ, of_ioctl[i])))
			return false;
	return true;
}

static bool allow_process(scmp_filter_ctx filter, unsigned sets)
{
	const struct scmp_arg_cmp thread =
		SCMP_A0_64(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD);
	/* raise and abort; getrlimit; names of threads. */
	return allow_if(filter, "tgkill", SCMP_A0_64(SCMP_CMP_EQ, (scmp_datum_t)getpid())) &&
	       allow_if(filter, "prlimit64", SCMP_A2_64(SCMP_CMP_EQ, 0)) &&
	       allow_if(filter, "prctl", SCMP_A0_64(SCMP_CMP_EQ, PR_SET_NAME)) &&
	       allow_if(filter, "prctl", SCMP_A0_64(SCMP_CMP_EQ, PR_GET_NAME)) &&
	       (!(sets & THREADS) ||
		/* Its flags are out of a filter's sight; without it glibc takes clone, whose are
		 * not. Each thread then narrows itself further. */
		(refuse_quietly(filter, "clone3", ENOSYS, 0, NULL) &&
		 allow(filter, "clone", 1, &thread) && allow(filter, "seccomp", 0, NULL) &&
		 /* To be more patient than others, and nothing else. */
		 allow_if(filter, "sched_setscheduler", SCMP_A1_64(SCMP_CMP_EQ, SCHED_BATCH))));
}

static bool allow_files(scmp_filter_ctx filter, unsigned sets)
{
	const scmp_datum_t writes = O_ACCMODE | O_CREAT | O_TRUNC;
	if (sets & WRITE)
		return true;
	if (!(sets & READ)) /* glibc's fstat */
		return allow_if(filter, "newfstatat", SCMP_A3_64(SCMP_CMP_EQ, AT_EMPTY_PATH));
	return allow_if(filter, "openat", SCMP_A2_64(SCMP_CMP_MASKED_EQ, writes, O_RDONLY)) &&
	       allow_if(filter, "open", SCMP_A1_64(SCMP_CMP_MASKED_EQ, writes, O_RDONLY));
}

static bool fill(scmp_filter_ctx filter, unsigned sets)
{
	/* We run nobody's code: the brakes against its guesses would be on every call. */
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; i < MOST(calls); i++)
		if ((calls[i].sets & sets) != 0 && !allow(filter, calls[i].name, 0, NULL))
			return false;
	return allow_memory(filter, sets) && allow_sockets(filter, sets) &&
	       allow_descriptors(filter) && allow_process(filter, sets) &&
	       allow_files(filter, sets);
}

/* Into memory: the library only writes to descriptors. */
static bool take_program(scmp_filter_ctx filter, struct sock_fprog *program)
{
	int fd = (int)memfd_create("filter", MFD_CLOEXEC);
	if (fd < 0)
		return false;
	int failed = seccomp_export_bpf(filter, fd);
	off_t length = failed ? 0 : lseek(fd, 0, SEEK_END);
	program->filter = length > 0 ? malloc((size_t)length) : NULL;
	bool fine = program->filter && pread(fd, program->filter, (size_t)length, 0) == length;
	program->len = (unsigned short)((size_t)length / sizeof(struct sock_filter));
	if (!fine) {
		free(program->filter);
		program->filter = NULL;
		errno = failed ? -failed : errno;
	}
	close(fd);
	return fine;
}

bool sandbox_filter(enum rg_role role, struct sock_fprog *program)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
	if (!filter) {
		errno = ENOMEM;
		return false;
	}
	bool fine = fill(filter, sets_of[role]) && take_program(filter, program);
	int error = errno;
	seccomp_release(filter);
	errno = error;
	return fine;
}

bool sandbox_is_hostile(int call)
{
	for (size_t i = 0; i < MOST(hostile); i++)
		if (seccomp_syscall_resolve_name(hostile[i]) == call)
			return true;
	return false;
}

bool sandbox_is_known(int call)
{
	for (size_t i = 0; i < MOST(calls); i++)
		if (seccomp_syscall_resolve_name(calls[i].name) == call)
			return true;
	return false;
}

#include "core/sandbox.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define CALLS_MOST 1024 /* numbers of system calls */
#define PATIENCE_S 3    /* that a thread which did the unforgivable waits for it to be told */

#if defined(__x86_64__)
#define RETURN_OF(context) ((context)->uc_mcontext.gregs[REG_RAX])
#define SECOND_OF(context) ((context)->uc_mcontext.gregs[REG_RSI])
#elif defined(__aarch64__)
#define RETURN_OF(context) ((context)->uc_mcontext.regs[0])
#define SECOND_OF(context) ((context)->uc_mcontext.regs[1])
#else
#define RETURN_OF(context) errno
#define SECOND_OF(context) 0
#define NO_RETURN
#endif

enum kind { NEW, KNOWN, HOSTILE };

static struct {
	struct rg_sandbox state;
	struct sock_fprog filters[RG_ROLE_COUNT];
	uint8_t kinds[CALLS_MOST]; /* enum kind */
	_Atomic uint32_t refused[RG_ROLE_COUNT][CALLS_MOST];
	uint32_t told[RG_ROLE_COUNT][CALLS_MOST];
	_Atomic uint64_t total;
	_Atomic bool not_narrowed; /* a thread has the main one's list alone */
	void (*wake)(void *);
	void *context;
} sandbox = {.state = {.why = "not asked for"}};

static _Thread_local enum rg_role role;
static _Thread_local bool entered;

static const char *const words[RG_ROLE_COUNT] = {
	[RG_ROLE_MAIN] = "main",
	[RG_ROLE_WORKER] = "worker",
	[RG_ROLE_LOG] = "log",
	[RG_ROLE_OBSERVER] = "observer",
	[RG_ROLE_SINK] = "sink",
	[RG_ROLE_HTTP] = "http",
	[RG_ROLE_DIRECTORY] = "directory",
	[RG_ROLE_OCSP] = "ocsp",
	[RG_ROLE_DISCOVERY] = "discovery",
	[RG_ROLE_RESOLVER] = "resolver",
};

const char *role_word(enum rg_role which)
{
	return words[which];
}

/* What sanitizers and counters of lines do to a process, no list foresees; NULL: it is an ordinary
 * one. */
extern void __gcov_init(void *) __attribute__((weak));
static const char *why_not(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return "built with a sanitizer";
#elif defined(NO_RETURN)
	return "not known for this processor";
#else
	return __gcov_init ? "built to count its lines" : NULL;
#endif
}

static void let_through(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* glibc asks once, when a thread gives much memory back, how it may do so (malloc/arena.c,
 * check_may_shrink_heap); no is an answer as well, and nothing that anybody needs to know. */
static bool is_mallocs_question(int call, const ucontext_t *context)
{
	(void)context;
	return call == SYS_openat && SECOND_OF(context) &&
	       strcmp((const char *)SECOND_OF(context), "/proc/sys/vm/overcommit_memory") == 0;
}

/* Signal handler: the thread gets an error for an answer. */
static void on_refused(int signal_number, siginfo_t *info, void *opaque)
{
	int call = info->si_syscall, error = errno;
	ucontext_t *context = opaque;
	(void)signal_number;
	if (is_mallocs_question(call, context)) {
		RETURN_OF(context) = -EPERM;
		errno = error;
		return;
	}
	if (call < 0 || call >= CALLS_MOST)
		call = CALLS_MOST - 1;
	atomic_fetch_add(&sandbox.refused[role][call], 1);
	atomic_fetch_add(&sandbox.total, 1);
	if (sandbox.wake)
		sandbox.wake(sandbox.context);
	if (sandbox.kinds[call] == HOSTILE) {
		/* Not a step further, until the main thread has said it and ended the process. */
		const struct timespec patience = {.tv_sec = PATIENCE_S};
		if (role != RG_ROLE_MAIN)
			nanosleep(&patience, NULL);
		/* Only the main thread may; refused, while SIGSYS is blocked, it ends the process
		 * as well. */
		signal(SIGSYS, SIG_DFL);
		let_through();
		raise(SIGSYS);
		_exit(128 + SIGSYS);
	}
	/* What is on no list this system "does not have", and libraries know another way. */
	RETURN_OF(context) = sandbox.kinds[call] == NEW ? -ENOSYS : -EPERM;
	errno = error;
}

static bool prepare(void)
{
	struct sigaction action = {.sa_sigaction = on_refused, .sa_flags = SA_SIGINFO};
	for (int call = 0; call < CALLS_MOST; call++)
		sandbox.kinds[call] = sandbox_is_hostile(call) ? HOSTILE
				      : sandbox_is_known(call) ? KNOWN
							       : NEW;
	for (unsigned i = 0; i < RG_ROLE_COUNT; i++)
		if (!sandbox.filters[i].filter &&
		    !sandbox_filter((enum rg_role)i, &sandbox.filters[i]))
			return false;
	return sigaction(SIGSYS, &action, NULL) == 0;
}

static bool load(enum rg_role which)
{
	let_through(); /* blocked, it would end the process */
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
		       &sandbox.filters[which]) == 0;
}

bool sandbox_begin(const char *const *writable, char *why)
{
	sandbox.state.why = why_not();
	if (sandbox.state.why)
		return true;
	sandbox.state.files = landlock_restrict(writable);
	if (sandbox.state.files < 0 || !prepare()) {
		snprintf(why, 256, "sandbox: %s (gateway.sandbox = false does without)",
			 strerror(errno));
		return false;
	}
	role = RG_ROLE_MAIN;
	sandbox.state.calls = entered = load(RG_ROLE_MAIN);
	sandbox.state.why = !sandbox.state.calls ? "the kernel takes no filter of system calls"
			    : sandbox.state.files == 0 ? "the kernel has no Landlock, or not for us"
						       : "";
	return true;
}

void sandbox_enter(enum rg_role which)
{
	char name[16];
	if (entered)
		return;
	entered = true;
	role = which;
	snprintf(name, sizeof(name), "rg-%s", words[which]);
	pthread_setname_np(pthread_self(), name);
	/* The main thread's list holds either way. */
	if (sandbox.state.calls && !load(which))
		atomic_store(&sandbox.not_narrowed, true);
}

struct rg_sandbox sandbox_state(void)
{
	struct rg_sandbox state = sandbox.state;
	if (atomic_load(&sandbox.not_narrowed))
		state.why = "a thread could not be confined further";
	return state;
}

uint64_t sandbox_refused(void)
{
	return atomic_load(&sandbox.total);
}

void sandbox_on_refusal(void (*wake)(void *context), void *context)
{
	sandbox.context = context;
	sandbox.wake = wake;
}

static void tell_one(void (*tell)(void *, enum rg_role, const char *, unsigned, bool),
		     void *context, enum rg_role which, int call)
{
	uint32_t now = atomic_load(&sandbox.refused[which][call]);
	if (now == sandbox.told[which][call])
		return;
	char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, call), number[32];
	snprintf(number, sizeof(number), "system call %d", call);
	tell(context, which, name ? name : number, now - sandbox.told[which][call],
	     sandbox.kinds[call] == HOSTILE);
	sandbox.told[which][call] = now;
	free(name);
}

void sandbox_tell(void (*tell)(void *context, enum rg_role role, const char *call, unsigned times,
			       bool fatal),
		  void *context)
{
	static uint64_t all_told;
	uint64_t total = sandbox_refused();
	if (total == all_told)
		return;
	all_told = total;
	for (unsigned i = 0; i < RG_ROLE_COUNT; i++)
		for (int call = 0; call < CALLS_MOST; call++)
			tell_one(tell, context, (enum rg_role)i, call);
}

/* What the kernel still lets this process do once it serves: a list of system calls for each kind
 * of thread (seccomp), files that it may write (Landlock), no program that it may start.
 *
 * A call outside of the lists is not done; who asked for what is counted, and told by
 * `sandbox_tell`. It fails for the library that made it, so that a new release of one costs a line
 * in the log and not everybody's sign-ins. A call that only an intruder makes ends the process.
 */
#ifndef RG_CORE_SANDBOX_H
#define RG_CORE_SANDBOX_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a thread is for. Each is born of the main one, and keeps that one's limits beside its own.
 */
enum rg_role {
	RG_ROLE_MAIN,
	RG_ROLE_WORKER,
	RG_ROLE_LOG,
	RG_ROLE_OBSERVER,
	RG_ROLE_SINK,
	RG_ROLE_HTTP,
	RG_ROLE_DIRECTORY,
	RG_ROLE_OCSP,
	RG_ROLE_DISCOVERY,
	RG_ROLE_RESOLVER,
	RG_ROLE_COUNT
};

const char *role_word(enum rg_role role);

/* What holds. */
struct rg_sandbox {
	bool calls;      /* seccomp is in force */
	int files;       /* Landlock's version; 0: this kernel has none */
	const char *why; /* why something of it does not hold; "" */
};

/* Confines the main thread, and so every thread that it starts from now on: their threads call
 * sandbox_enter. writable: directories, or single files, in which it may go on writing; NULL ends
 * them, those that are not there are left out. Wants no_new_privs to be set. False, with why (256),
 * only for what is not the kernel's lack. */
bool sandbox_begin(const char *const *writable, char *why);
/* Names the calling thread and narrows it to its role; a second time is free. Where sandbox_begin
 * was not called, names only. */
void sandbox_enter(enum rg_role role);
/* What holds in this process; why may say: not asked for. */
struct rg_sandbox sandbox_state(void);
/* Calls refused so far, of all threads. */
uint64_t sandbox_refused(void);
/* Each (role, call) that was refused since the last time: at most once every `sandbox_tell`, with
 * how often. Only one thread calls it. */
void sandbox_tell(void (*tell)(void *context, enum rg_role role, const char *call, unsigned times,
			       bool fatal),
		  void *context);
/* wake is called in a signal handler when there is something to tell: it does only what is safe
 * there. */
void sandbox_on_refusal(void (*wake)(void *context), void *context);

/* For sandbox.c: the filter of a role in memory, kept for good. False: libseccomp failed, errno is
 * set. sandbox_calls.c */
struct sock_fprog;
bool sandbox_filter(enum rg_role role, struct sock_fprog *program);
/* Whether only an intruder makes that call. */
bool sandbox_is_hostile(int call);
/* Whether a list of some role has it. */
bool sandbox_is_known(int call);
/* Landlock's version, or 0; -1 with errno. landlock.c */
int landlock_restrict(const char *const *writable);
#endif

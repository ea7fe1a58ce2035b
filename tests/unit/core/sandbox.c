/* The sandbox: what each kind of thread is refused, and that it is named. Each test is a process of
 * its own, for what is given up is given up for good. */
#include "core/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/thread.h"

#define FINE       0
#define TOLD_FATAL 7
#define NO_SANDBOX 77

static char folder[] = "/tmp/roamgate-sandbox-XXXXXX";
static char said[1024];
static bool fatal;

/* In the process that is confined: the first check that does not hold ends it with its line. */
#define CHECK(holds)                                                                               \
	do {                                                                                       \
		if (!(holds)) {                                                                    \
			fprintf(stderr, "line %d: %s: %s\n", __LINE__, #holds, strerror(errno));   \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

static void note(void *context, enum rg_role role, const char *call, unsigned times, bool hostile)
{
	size_t used = strlen(said);
	(void)context;
	snprintf(said + used, sizeof(said) - used, "%s %s %u;", role_word(role), call, times);
	fatal = fatal || hostile;
}

static const char *told(void)
{
	said[0] = '\0';
	sandbox_tell(note, NULL);
	return said;
}

static void begin(void)
{
	const char *const writable[] = {folder, "/nowhere/at/all", NULL};
	char why[256] = "";
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (!sandbox_begin(writable, why)) {
		fprintf(stderr, "%s\n", why);
		_exit(1);
	}
	if (!sandbox_state().calls)
		_exit(NO_SANDBOX);
}

struct errand {
	enum rg_role role;
	void (*run)(void);
};

static void *thread(void *opaque)
{
	const struct errand *errand = opaque;
	sandbox_enter(errand->role);
	errand->run();
	return NULL;
}

static void as(enum rg_role role, void (*run)(void))
{
	struct errand errand = {role, run};
	sigset_t all;
	pthread_t id;
	/* As all of roamgate's are born. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	CHECK(pthread_create(&id, NULL, thread, &errand) == 0);
	CHECK(pthread_join(id, NULL) == 0);
}

static bool under_valgrind(void)
{
	const char *preload = getenv("LD_PRELOAD");
	return preload && strstr(preload, "vgpreload");
}

/* How the process ended that ran it; skips the test where there is no sandbox. */
static int status_of(void (*run)(void))
{
	int status;
	if (under_valgrind()) /* whose own calls are on no list */
		skip();
	pid_t child = fork();
	if (child == 0) {
		run();
		_exit(FINE);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_SANDBOX)
		skip();
	return status;
}

static void must_hold(void (*run)(void))
{
	int status = status_of(run);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), FINE);
}

static void worker_opens_a_file(void)
{
	CHECK(open("/etc/passwd", O_RDONLY) < 0 && errno == EPERM);
	/* malloc's own question is refused and not told of. */
	CHECK(open("/proc/sys/vm/overcommit_memory", O_RDONLY) < 0 && errno == EPERM);
	CHECK(socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EPERM);
	CHECK(socket(AF_INET, SOCK_DGRAM, 0) >= 0);
	CHECK(syscall(SYS_swapon, "/nowhere", 0) < 0 && errno == ENOSYS); /* on no list */
}

static void worker(void)
{
	begin();
	as(RG_ROLE_WORKER, worker_opens_a_file);
	CHECK(strcmp(told(), "worker openat 1;worker socket 1;worker swapon 1;") == 0 ||
	      strcmp(said, "worker socket 1;worker swapon 1;worker openat 1;") == 0 ||
	      strcmp(said, "worker socket 1;worker openat 1;worker swapon 1;") == 0);
	CHECK(sandbox_refused() == 3);
	CHECK(strcmp(told(), "") == 0);
	CHECK(!fatal);
}

static void a_worker_is_refused_files_and_it_is_named(void **state)
{
	(void)state;
	must_hold(worker);
}

static void directory_reads(void)
{
	char path[64];
	snprintf(path, sizeof(path), "%s/by-directory", folder);
	CHECK(open("/etc/passwd", O_RDONLY) >= 0);
	CHECK(open(path, O_WRONLY | O_CREAT, 0600) < 0 && errno == EPERM);
	CHECK(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
	CHECK(socket(AF_NETLINK, SOCK_RAW, 0) < 0 && errno == EAFNOSUPPORT);
	CHECK(socket(AF_PACKET, SOCK_RAW, 0) < 0 && errno == EPERM);
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		   0) == MAP_FAILED);
}

static void directory(void)
{
	begin();
	as(RG_ROLE_DIRECTORY, directory_reads);
	/* getaddrinfo's question is nobody's business. */
	CHECK(sandbox_refused() == 3);
}

static void a_directory_reads_and_does_not_write(void **state)
{
	(void)state;
	must_hold(directory);
}

static void directory_is_patient(void)
{
	struct sched_param param = {0};
	int policy = -1;
	thread_patient();
	CHECK(pthread_getschedparam(pthread_self(), &policy, &param) == 0);
	CHECK(policy == SCHED_BATCH);
	CHECK(sandbox_refused() == 0);
	CHECK(pthread_setschedparam(pthread_self(), SCHED_IDLE, &param) == EPERM);
	CHECK(sandbox_refused() == 1);
}

static void patience(void)
{
	begin();
	as(RG_ROLE_DIRECTORY, directory_is_patient);
}

static void a_thread_becomes_patient_and_nothing_else(void **state)
{
	(void)state;
	must_hold(patience);
}

static void run_a_program(void)
{
	char *const argv[] = {(char *)"true", NULL};
	execv("/bin/true", argv);
	_exit(1); /* refused only, or done */
}

static void *tell_until_fatal(void *unused)
{
	(void)unused;
	for (;;) {
		told();
		if (fatal)
			_exit(strcmp(said, "worker execve 1;") == 0 ? TOLD_FATAL : 1);
		usleep(1000);
	}
}

static void intruder_in_a_worker(void)
{
	pthread_t teller;
	begin();
	CHECK(pthread_create(&teller, NULL, tell_until_fatal, NULL) == 0);
	as(RG_ROLE_WORKER, run_a_program);
}

static void intruder(void)
{
	begin();
	run_a_program();
}

static void a_program_is_never_started(void **state)
{
	(void)state;
	int status = status_of(intruder_in_a_worker);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), TOLD_FATAL);
	status = status_of(intruder); /* there is nobody left to tell it to */
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

static void main_thread(void)
{
	char path[64];
	/* Its version, where the kernel has it. */
	long landlock = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
	begin();
	CHECK((landlock > 0) == (sandbox_state().files > 0));
	snprintf(path, sizeof(path), "%s/here", folder);
	CHECK(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600) >= 0);
	CHECK(unlink(path) == 0);
	CHECK(open("/dev/null", O_WRONLY) >= 0);
	CHECK(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) < 0 && errno == EPERM); /* fork */
	CHECK(strcmp(told(), "main clone 1;") == 0);
	if (sandbox_state().files == 0)
		return;
	snprintf(path, sizeof(path), "%s-beside", folder);
	CHECK(open(path, O_WRONLY | O_CREAT, 0600) < 0 && errno == EACCES);
	CHECK(mkdir(path, 0700) < 0);
}

static void files_are_written_where_they_were_announced(void **state)
{
	(void)state;
	must_hold(main_thread);
}

/* What malloc, locks and clocks need is every role's. */
static void live(void)
{
	char name[16] = "";
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t never = PTHREAD_COND_INITIALIZER;
	struct timespec soon;
	for (size_t size = 16; size < (64u << 20); size *= 4) {
		char *room = malloc(size);
		CHECK(room);
		memset(room, 1, size);
		room = realloc(room, size * 2);
		CHECK(room);
		free(room);
	}
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_nsec = 0;
	pthread_mutex_lock(&lock);
	pthread_cond_timedwait(&never, &lock, &soon);
	pthread_mutex_unlock(&lock);
	usleep(1);
	struct stat is;
	CHECK(fstat(0, &is) == 0);
	pthread_getname_np(pthread_self(), name, sizeof(name));
	CHECK(strncmp(name, "rg-", 3) == 0);
	sandbox_enter(RG_ROLE_MAIN); /* changes nothing */
}

static void all_roles(void)
{
	begin();
	for (unsigned i = 0; i < RG_ROLE_COUNT; i++)
		as((enum rg_role)i, live);
	CHECK(strcmp(told(), "") == 0);
}

static void every_role_can_live(void **state)
{
	(void)state;
	must_hold(all_roles);
}

static void open_freely(void)
{
	CHECK(open("/etc/passwd", O_RDONLY) >= 0);
}

static void unconfined(void)
{
	as(RG_ROLE_WORKER, open_freely);
	CHECK(!sandbox_state().calls && sandbox_state().why[0] != '\0');
}

static void without_a_beginning_threads_are_only_named(void **state)
{
	(void)state;
	must_hold(unconfined);
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_worker_is_refused_files_and_it_is_named),
		cmocka_unit_test(a_directory_reads_and_does_not_write),
		cmocka_unit_test(a_thread_becomes_patient_and_nothing_else),
		cmocka_unit_test(a_program_is_never_started),
		cmocka_unit_test(files_are_written_where_they_were_announced),
		cmocka_unit_test(every_role_can_live),
		cmocka_unit_test(without_a_beginning_threads_are_only_named),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

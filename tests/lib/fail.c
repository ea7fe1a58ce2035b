/* LD_PRELOAD: makes calls of one kind fail, as the file $FAIL_CONTROL says, which lib/failing.py and this share: the
 * n-th from now on, and as many as are wanted after it; one in so many; or the first from each place. While the process has
 * one thread it may be split at each of them: a child goes on with the call that failed, and the process, once the child has
 * ended, with the call that did not. Counts the calls of each kind. */
#define _GNU_SOURCE
#include "fail.h"
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/single_threaded.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NONE   UINT32_MAX
#define PLACES 65536
#define CHILDREN 65536
#define FAILED UINT64_C(1) /* of a place: it had its turn … */
#define SPARED UINT64_C(2) /* … or will have none */
#define MARKS  (FAILED | SPARED)

static struct control {
	_Atomic uint32_t kind; /* NONE: no call fails */
	_Atomic int32_t error;
	_Atomic int64_t left;	/* calls until it fails; those below 1 do … */
	_Atomic int64_t last;	/* … and above this do */
	_Atomic uint32_t every; /* or one in so many; 0: not */
	_Atomic uint32_t fired;
	_Atomic uint64_t calls[KINDS];
	/* Or the first from each place that this many calls part from the last that failed; 0: not. */
	_Atomic uint64_t apart;
	_Atomic uint64_t not_before; /* of calls[kind] */
	_Atomic uint32_t seen;	     /* calls from places that had not failed yet */
	_Atomic uint64_t places[PLACES]; /* hashes; 0: none */
	_Atomic uint32_t splits;   /* while there is one thread, and no call fails afterwards */
	_Atomic int32_t child;	   /* 0: none is there now */
	_Atomic uint32_t children; /* that have ended */
	_Atomic uint32_t alone;	   /* calls of that kind while there was one thread */
	struct {
		int32_t status; /* of waitpid */
		uint32_t said;	/* octets to stderr */
	} ended[CHILDREN];
	char beneath[32]; /* a function: of places those beneath it alone; "": all */
} nothing = {.kind = NONE}, *control = &nothing;

/* What ends the process for want of memory or descriptors, and is not ours to mend: those calls do not fail. Where we can, we
 * ask for as much before (core/reserve.h), so that it is not come by. */
static const struct careless {
	enum kind kind;
	const char *library, *call; /* NULL: whatever */
	int itself;		    /* the library's own calls of that name, not those of others beneath it */
} careless[] = {
	{MEMORY, "libconfig.so", NULL, 0}, /* 1.5 writes to what malloc gave it: source.c asks before */
	{MEMORY, "libtasn1.so", NULL, 0},  /* beneath GnuTLS: as well */
	{MEMORY, "libgmp.so", NULL, 0},    /* beneath GnuTLS: aborts */
	{MEMORY, "liblber", NULL, 0},      /* hands libldap NULL, which ldap_parse_result and the LDIF reader do not look at */
	{MEMORY, NULL, "gnutls_init", 0},  /* libldap goes on without a session: connect.c asks before */
	{MEMORY, NULL, "gnutls_x509_dn_init", 0}, /* writes to what calloc gave it: as well */
	{MEMORY, NULL, "value_data_from_str", 0}, /* of libfreeradius: dictionary.c asks before */
	{MEMORY, "libuv.so", "realloc", 1}, /* aborts where it cannot have a larger table of descriptors */
	{MEMORY, NULL, "dict_addattr", 0},	  /* as well: what was not put into a table is looked for there */
	{MEMORY, "libasan.so", NULL, 0},     /* aborts: it is not there when people sign in */
	{MEMORY, NULL, "OSSL_LIB_CTX_new_child", 0},	/* frees what it has not made: nt_hash.c asks before */
	{MEMORY, NULL, "CRYPTO_secure_malloc_init", 0}, /* OpenSSL aborts: main.c asks before */
	{MEMORY, NULL, "getprotobyname_r", 0}, /* glibc 2.36 writes to what it had no memory for; main.c asks before */
	{MEMORY, NULL, "__res_init", 0},       /* … and keeps a lock; as well */
	{DESCRIPTOR, NULL, "uv_once", 0}, /* libuv aborts without a pipe for its lock of signals: daemon.c asks before */
};

static void *failed[FRAMES]; /* the last that did, for who looks into a crash */
static _Atomic int failed_count;
static atomic_flag being_written = ATOMIC_FLAG_INIT;

static void tell(int number)
{
	static const char last[] = "\n*** what failed last:\n", here[] = "*** ended by a signal:\n";
	void *frames[4 * FRAMES];
	int count = atomic_load(&failed_count);
	signal(number, SIG_DFL);
	if (write(STDERR_FILENO, last, sizeof(last) - 1) > 0)
		backtrace_symbols_fd(failed, count, STDERR_FILENO);
	if (write(STDERR_FILENO, here, sizeof(here) - 1) > 0)
		backtrace_symbols_fd(frames, backtrace(frames, 4 * FRAMES), STDERR_FILENO);
	raise(number);
}

__attribute__((constructor)) static void start(void)
{
	void *frames[FRAMES];
	backtrace(frames, FRAMES); /* loads what it needs now, not in a malloc */
	if (!dlsym(RTLD_DEFAULT, "__sanitizer_print_stack_trace")) {
		signal(SIGSEGV, tell);
		signal(SIGABRT, tell);
	}
	const char *file = getenv("FAIL_CONTROL");
	int fd = file ? open(file, O_RDWR | O_CLOEXEC) : -1;
	void *memory = fd < 0 ? MAP_FAILED :
				mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	if (memory != MAP_FAILED)
		control = memory;
}

static int is_of(void *frame, const char *library, const char *call)
{
	struct dl_find_object found;
	Dl_info info;
	if (library && (_dl_find_object(frame, &found) != 0 || !strstr(found.dlfo_link_map->l_name, library)))
		return 0;
	return !call || (dladdr(frame, &info) && info.dli_sname && strcmp(info.dli_sname, call) == 0);
}

/* Behind the frames of our own, which end in that of the call that is to fail. */
static int first_caller(void *const *frames, int count)
{
	struct dl_find_object ours, found;
	int first = 0;
	if (_dl_find_object((void *)first_caller, &ours) != 0)
		return 1;
	while (first < count && _dl_find_object(frames[first], &found) == 0 &&
	       found.dlfo_map_start == ours.dlfo_map_start)
		first++;
	return first > 0 && first < count ? first : 1;
}

static int is_spared(enum kind kind)
{
	void *frames[FRAMES];
	int count = backtrace(frames, FRAMES), first = first_caller(frames, count), at = first;
	while (control->beneath[0] && at < count && !is_of(frames[at], NULL, control->beneath))
		at++;
	if (at == count)
		return 1;
	for (unsigned i = 0; i < sizeof(careless) / sizeof(careless[0]); i++) {
		const struct careless *of = &careless[i];
		if (of->kind != kind)
			continue;
		if (of->itself && is_of(frames[first], of->library, NULL) && is_of(frames[first - 1], NULL, of->call))
			return 1;
		for (int j = first; !of->itself && j < count; j++)
			if (is_of(frames[j], of->library, of->call))
				return 1;
	}
	return 0;
}

/* The calls that led here; each error is another place. */
static uint64_t place_of(enum kind kind, int error)
{
	uint64_t hash = place_hash(UINT64_C(0xcbf29ce484222325) ^ ((uint64_t)(uint32_t)error << 8 | kind));
	return (hash | 4) & ~MARKS;
}

/* NULL: there are too many. */
static _Atomic uint64_t *place_find(uint64_t hash)
{
	for (uint64_t i = hash >> 3, tried = 0; tried < PLACES; i++, tried++) {
		_Atomic uint64_t *place = &control->places[i % PLACES];
		uint64_t there = 0;
		if (atomic_compare_exchange_strong(place, &there, hash) || (there & ~MARKS) == hash)
			return place;
	}
	return NULL;
}

/* True: it has its turn now. What follows a failure closely comes of it, perhaps, and is not looked at. */
static int place_has_turn(enum kind kind, uint64_t call)
{
	uint64_t not_before = atomic_load(&control->not_before);
	if (call < not_before)
		return 0;
	_Atomic uint64_t *place = place_find(place_of(kind, atomic_load(&control->error)));
	if (!place || atomic_load(place) & (FAILED | SPARED))
		return 0;
	if (is_spared(kind)) {
		atomic_fetch_or(place, SPARED);
		return 0;
	}
	atomic_fetch_add(&control->seen, 1);
	if (!atomic_compare_exchange_strong(&control->not_before, &not_before, call + atomic_load(&control->apart)))
		return 0;
	return !(atomic_fetch_or(place, FAILED) & FAILED);
}

/* True: the calls have been counted down to it. */
static int number_has_turn(enum kind kind, uint64_t call)
{
	uint32_t every = atomic_load(&control->every);
	if (every != 0) {
		if (call % every != every / 2)
			return 0;
	} else {
		int64_t left = atomic_fetch_sub(&control->left, 1) - 1;
		if (left > 0 || left <= atomic_load(&control->last))
			return 0;
	}
	if (!is_spared(kind))
		return 1;
	atomic_fetch_add(&control->left, 1); /* the next one fails in its place */
	return 0;
}

/* For who finds afterwards that something is wrong. */
static void tell_place(void)
{
	static const char here[] = "*** fails:\n";
	void *frames[FRAMES];
	int count = backtrace(frames, FRAMES), before = errno;
	if (write(STDERR_FILENO, here, sizeof(here) - 1) > 0)
		backtrace_symbols_fd(frames, count, STDERR_FILENO);
	errno = before;
}

static uint32_t size_of_log(void)
{
	struct stat st;
	return fstatat(STDERR_FILENO, "", &st, AT_EMPTY_PATH) == 0 ? (uint32_t)st.st_size : 0;
}

static int split; /* this process is a child, or is about to make one: its calls do not fail */
static int parent;

int fails_for(void)
{
	return parent;
}

/* What a child reads on in a file, the process that it came from has not read yet. */
static void reopen_files(void)
{
	for (int fd = STDERR_FILENO + 1; fd < 64; fd++) {
		char path[32];
		struct stat st;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (fstatat(fd, "", &st, AT_EMPTY_PATH) != 0 || !S_ISREG(st.st_mode))
			continue;
		off_t at = lseek(fd, 0, SEEK_CUR);
		int own = open(path, (fcntl(fd, F_GETFL) & O_ACCMODE) | O_CLOEXEC);
		if (own < 0 || lseek(own, at, SEEK_SET) != at || dup3(own, fd, O_CLOEXEC) < 0)
			_exit(100);
		close(own);
	}
}

/* True in the child. */
static int is_child(void)
{
	uint32_t number = atomic_load(&control->children);
	int before = errno, status = 0;
	if (number >= CHILDREN)
		return 0;
	split = 1;
	dprintf(STDERR_FILENO, "*** child %u\n", number);
	uint32_t said = size_of_log();
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		parent = getppid();
		reopen_files();
		errno = before;
		return 1;
	}
	atomic_store(&control->child, child);
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	control->ended[number].status = child > 0 ? status : -1;
	control->ended[number].said = size_of_log() - said;
	dprintf(STDERR_FILENO, "\n*** child over\n");
	atomic_store(&control->child, 0);
	atomic_store(&control->children, number + 1);
	split = 0;
	errno = before;
	return 0;
}

int fails(enum kind kind)
{
	uint64_t call = atomic_fetch_add(&control->calls[kind], 1);
	uint32_t splits = atomic_load(&control->splits);
	if (atomic_load(&control->kind) != kind || split || (splits && !__libc_single_threaded))
		return 0;
	atomic_fetch_add(&control->alone, splits);
	if (!(atomic_load(&control->apart) ? place_has_turn(kind, call) : number_has_turn(kind, call)))
		return 0;
	if (splits && !is_child())
		return 0;
	if (atomic_load(&control->apart))
		tell_place();
	atomic_fetch_add(&control->fired, 1);
	if (!atomic_flag_test_and_set(&being_written)) { /* of two at once one is enough */
		atomic_store(&failed_count, backtrace(failed, FRAMES));
		atomic_flag_clear(&being_written);
	}
	return atomic_load(&control->error);
}

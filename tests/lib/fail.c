/* LD_PRELOAD: makes calls of one kind fail, as the file $FAIL_CONTROL says, which lib/failing.py and this share: the
 * n-th from now on, and as many as are wanted after it; one in so many; or the first from each place. Counts the calls of
 * each kind. */
#define _GNU_SOURCE
#include "fail.h"
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NONE   UINT32_MAX
#define PLACES 65536
#define FAILED UINT64_C(1) /* of a place: it had its turn … */
#define SPARED UINT64_C(2) /* … or will have none */

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
	{THREAD, NULL, "uv_once", 0},     /* libuv aborts without its pool of threads, before anything is served */
	{DESCRIPTOR, NULL, "uv_once", 0}, /* libuv aborts without a pipe for its lock of signals: daemon.c asks before */
};
#define FRAMES 16

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
	int count = backtrace(frames, FRAMES), first = first_caller(frames, count);
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

/* The calls that led here, wherever their libraries lie; each error is another place. */
static uint64_t place_of(enum kind kind, int error)
{
	void *frames[FRAMES];
	int count = backtrace(frames, FRAMES);
	uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ ((uint64_t)(uint32_t)error << 8 | kind);
	for (int i = 0; i < count; i++) {
		struct dl_find_object found;
		if (_dl_find_object(frames[i], &found) != 0)
			continue;
		uint64_t start = (uintptr_t)found.dlfo_map_start, end = (uintptr_t)found.dlfo_map_end;
		hash = (hash ^ ((uintptr_t)frames[i] - start)) * UINT64_C(0x100000001b3);
		hash = (hash ^ (end - start)) * UINT64_C(0x100000001b3);
		hash ^= hash >> 29;
	}
	return (hash | 4) & ~(FAILED | SPARED);
}

/* NULL: there are too many. */
static _Atomic uint64_t *place_find(uint64_t hash)
{
	for (uint64_t i = hash >> 3, tried = 0; tried < PLACES; i++, tried++) {
		_Atomic uint64_t *place = &control->places[i % PLACES];
		uint64_t there = 0;
		if (atomic_compare_exchange_strong(place, &there, hash) || (there & ~(FAILED | SPARED)) == hash)
			return place;
	}
	return NULL;
}

/* True: it has its turn now. */
static int place_has_turn(enum kind kind, uint64_t call)
{
	_Atomic uint64_t *place = place_find(place_of(kind, atomic_load(&control->error)));
	if (!place || atomic_load(place) & (FAILED | SPARED))
		return 0;
	if (is_spared(kind)) {
		atomic_fetch_or(place, SPARED);
		return 0;
	}
	atomic_fetch_add(&control->seen, 1);
	uint64_t not_before = atomic_load(&control->not_before);
	if (call < not_before ||
	    !atomic_compare_exchange_strong(&control->not_before, &not_before,
					    call + atomic_load(&control->apart)))
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

int fails(enum kind kind)
{
	uint64_t call = atomic_fetch_add(&control->calls[kind], 1);
	if (atomic_load(&control->kind) != kind)
		return 0;
	if (!(atomic_load(&control->apart) ? place_has_turn(kind, call) : number_has_turn(kind, call)))
		return 0;
	atomic_fetch_add(&control->fired, 1);
	if (!atomic_flag_test_and_set(&being_written)) { /* of two at once one is enough */
		atomic_store(&failed_count, backtrace(failed, FRAMES));
		atomic_flag_clear(&being_written);
	}
	return atomic_load(&control->error);
}

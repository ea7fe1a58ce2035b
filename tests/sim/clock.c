/* Time, randomness and the log: what the gateway asks of the machine and gets from the seed. The
 * linker puts these in the place of the real ones (--wrap, see local.mk). */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/rand.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "core/log.h"
#include "sim.h"

struct world world;

int __wrap_clock_gettime(clockid_t which, struct timespec *ts);
ssize_t __wrap_getrandom(void *out, size_t length, unsigned flags);
void __wrap_log_write(enum rg_log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void __wrap_log_limited(struct rg_log_limit *limit, enum rg_log_level level, const char *format,
			...) __attribute__((format(printf, 3, 4)));
void __wrap_observe_signin(struct rg_observe_ring *ring, const struct rg_signin *signin);

int __wrap_clock_gettime(clockid_t which, struct timespec *ts)
{
	ts->tv_sec = (time_t)(world.now / RG_SECOND) + (which == CLOCK_REALTIME ? SIM_EPOCH : 0);
	ts->tv_nsec = (long)(world.now % RG_SECOND);
	return 0;
}

/* OpenSSL asks the C library itself, so that this stands in its place for everybody. */
time_t time(time_t *out)
{
	time_t now = (time_t)(world.now / RG_SECOND) + SIM_EPOCH;
	if (out)
		*out = now;
	return now;
}

ssize_t __wrap_getrandom(void *out, size_t length, unsigned flags)
{
	(void)flags;
	chance_fill(&world.entropy, out, length);
	return (ssize_t)length;
}

static int draw(unsigned char *out, int length)
{
	chance_fill(&world.entropy, out, (size_t)length);
	return 1;
}

static int ready(void)
{
	return 1;
}

void clock_install(void)
{
	static const RAND_METHOD method = {.bytes = draw, .pseudorand = draw, .status = ready};
	RAND_set_rand_method(&method);
}

/* What is seen. */

void trace(const char *what, uint64_t number, const void *octets, size_t length)
{
	const uint8_t *bytes = octets;
	uint64_t hash = world.hash ^ world.now ^ number;
	for (; *what; what++)
		hash = (hash ^ (uint8_t)*what) * UINT64_C(0x100000001b3);
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	world.hash = hash * UINT64_C(0x100000001b3);
}

static void tell(const char *format, va_list args)
{
	fprintf(stderr, "%11.4f  ", (double)(world.now / 1000) / 1e6);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

void say(const char *format, ...)
{
	va_list args;
	if (!world.verbose)
		return;
	va_start(args, format);
	tell(format, args);
	va_end(args);
}

void broken(const char *format, ...)
{
	va_list args;
	fprintf(stderr, "sim: seed %llu, step %llu: ", (unsigned long long)world.seed,
		(unsigned long long)world.steps);
	va_start(args, format);
	tell(format, args);
	va_end(args);
	fflush(stderr);
	_exit(1);
}

void __wrap_log_write(enum rg_log_level level, const char *format, ...)
{
	va_list args;
	(void)level;
	if (!world.verbose)
		return;
	va_start(args, format);
	tell(format, args);
	va_end(args);
}

void __wrap_log_limited(struct rg_log_limit *limit, enum rg_log_level level, const char *format,
			...)
{
	va_list args;
	(void)limit;
	(void)level;
	if (!world.verbose)
		return;
	va_start(args, format);
	tell(format, args);
	va_end(args);
}

void __wrap_observe_signin(struct rg_observe_ring *ring, const struct rg_signin *signin)
{
	(void)ring;
	trace("record", (uint64_t)signin->result << 8 | (uint64_t)signin->reason, signin->outer,
	      strlen(signin->outer));
	say("    record %s %s %s (%s)", signin->outer, result_word(signin->result),
	    reason_word(signin->reason), signin->detail);
	inside_record(signin);
}

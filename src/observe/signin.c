#include "observe/signin.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "core/clock.h"

/* Trace ids only tell sign-ins apart, so a system call a thread is enough (splitmix64). */
static uint64_t draw_id(uint64_t now_ns)
{
	static _Thread_local uint64_t state;
	if (state == 0 && getrandom(&state, sizeof(state), 0) != sizeof(state))
		state = now_ns ^ (uintptr_t)&state;
	uint64_t x = state += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static void write_id(char out[17], uint64_t id)
{
	for (unsigned i = 16; i-- != 0; id >>= 4)
		out[i] = "0123456789abcdef"[id & 15];
	out[16] = '\0';
}

void signin_begin(struct rg_signin *signin, uint64_t now_ns)
{
	memset(signin, 0, offsetof(struct rg_signin, step)); /* steps are empty by their number */
	write_id(signin->id, draw_id(now_ns));
	signin->wall_ns = clock_wall();
	signin->began_ns = now_ns;
}

/* Ends a detail that was cut in "...", before the character that it would have cut in two. */
static void mark_cut(char detail[RG_STEP_DETAIL])
{
	size_t at = RG_STEP_DETAIL - 4;
	while (at > 0 && ((uint8_t)detail[at] & 0xc0) == 0x80)
		at--;
	memcpy(detail + at, "...", 4);
}

/* NULL: there is no room for another. */
static struct rg_step *next_step(struct rg_signin *signin, const char *step)
{
	if (signin->steps == RG_STEPS_MOST) {
		if (signin->steps_lost != UINT8_MAX)
			signin->steps_lost++;
		return NULL;
	}
	struct rg_step *next = &signin->step[signin->steps++];
	uint64_t now = clock_now();
	next->us = now > signin->began_ns ? (uint32_t)((now - signin->began_ns) / 1000) : 0;
	next->step = step;
	return next;
}

void signin_step_text(struct rg_signin *signin, const char *step, const char *a, const char *b,
		      const char *c)
{
	const char *texts[] = {a, b, c};
	struct rg_step *next = next_step(signin, step);
	size_t used = 0;
	for (unsigned i = 0; next && i < 3; i++) {
		size_t length = texts[i] ? strnlen(texts[i], 80) : 0;
		if (length > RG_STEP_DETAIL - 1 - used)
			length = RG_STEP_DETAIL - 1 - used;
		if (length != 0)
			memcpy(next->detail + used, texts[i], length);
		used += length;
		next->detail[used] = '\0';
	}
}

void signin_step(struct rg_signin *signin, const char *step, const char *format, ...)
{
	struct rg_step *next = next_step(signin, step);
	if (!next)
		return;
	va_list args;
	va_start(args, format);
	int length = vsnprintf(next->detail, sizeof(next->detail), format, args);
	va_end(args);
	if (length >= RG_STEP_DETAIL)
		mark_cut(next->detail);
}

const char *result_word(enum rg_result result)
{
	switch (result) {
	case RG_RESULT_NONE:
		return "none";
	case RG_RESULT_ACCEPT:
		return "accept";
	case RG_RESULT_REJECT:
		return "reject";
	case RG_RESULT_NO_ANSWER:
		return "no-answer";
	}
	return "none";
}

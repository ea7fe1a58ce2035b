/* The record of one sign-in: kept with the conversation, handed over once when it ends. Fixed size, no
 * pointers that could go stale. Names are raw octets made safe where they are written (text_escape). */
#ifndef RG_OBSERVE_SIGNIN_H
#define RG_OBSERVE_SIGNIN_H
#include <stdbool.h>
#include <stdint.h>

#include "roamgate/reason.h"
#include "roamgate/span.h"

#define RG_STEPS_MOST 24
#define RG_STEP_DETAIL 96

struct rg_step {
	uint32_t us;            /* since the sign-in began */
	const char *step;       /* "client", "tls", "directory", "rule", "forward" …: static */
	char detail[RG_STEP_DETAIL]; /* escaped already; never a secret */
};

enum rg_result { RG_RESULT_NONE, RG_RESULT_ACCEPT, RG_RESULT_REJECT, RG_RESULT_NO_ANSWER };

struct rg_signin {
	char id[17];            /* trace id: 16 hex digits */
	uint64_t wall_ns, began_ns; /* began_ns: CLOCK_MONOTONIC */
	char outer[256], inner[256];
	char mac[18];           /* canonical, or "" */
	char client[64], site[64], called[64];
	char operator_name[128]; /* of the site (RFC 5580), or "" */
	bool elsewhere;         /* asked by a federation peer */
	char realm[128];        /* as asked, lower case */
	char label[128];        /* bounded: a configured realm's name, "visitor", or "-"; for metrics */
	char method[16];        /* "tls"; "" unknown */
	char tls[8];
	bool resumed;
	enum rg_result result;
	enum rg_reason reason;
	char detail[160];       /* escaped: what exactly */
	uint32_t total_us, tls_us, directory_us, upstream_us;
	uint8_t steps, steps_lost;
	struct rg_step step[RG_STEPS_MOST];
};

/* Begins a record: id drawn, times set, all else empty. Names that are put in later end in a NUL. */
void signin_begin(struct rg_signin *, uint64_t now_ns);
/* Notes a step; format's arguments from outside must be escaped. */
void signin_step(struct rg_signin *, const char *step, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same where nothing is to be formatted: the texts one after the other, each cut at 80 octets; b and c may be NULL. */
void signin_step_text(struct rg_signin *, const char *step, const char *a, const char *b,
		      const char *c);
/* "accept", "reject", "no-answer", "none"; static. */
const char *result_word(enum rg_result);
#endif

/* Many sign-ins at once, and what came of them. */
#ifndef RG_LOAD_LOAD_H
#define RG_LOAD_LOAD_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "load/histogram.h"
#include "load/process.h"
#include "load/script.h"

struct rg_load_settings {
	const struct sockaddr *server;
	const struct rg_script *script;
	const void *script_settings;
	const char *pattern;  /* who.h */
	uint32_t identities;  /* the numbers in it run from 0 to one less */
	unsigned outstanding; /* sign-ins under way at once */
	unsigned ports;
	double rate;          /* sign-ins begun a second; 0: as many as are answered */
	uint64_t duration_ns; /* 0: until count */
	uint64_t count;       /* 0: until duration */
	uint64_t timeout_ns;  /* longest wait for one answer */
	uint64_t repeat_ns;   /* first wait before a request is sent again; 0: RFC 5080's 2 s */
	uint64_t warm_up_ns;  /* what begins in it is not counted */
	unsigned abandon;     /* answers after which a sign-in goes no further; 0: never */
	bool warm_up_each; /* nor is the first sign-in of each slot: the one that is resumed later
			    */
	int pid;           /* whose CPU time is measured; 0: nobody's */
	bool progress;     /* a line on stderr that is kept up to date */
	const atomic_int *stop; /* set: begin nothing more */
};

#define RG_LOAD_KINDS 16

struct rg_load_kind {
	char why[160]; /* escaped for neither text nor JSON: of ours, or OpenSSL's */
	uint64_t count;
};

/* Of what began after the warm-up. */
struct rg_load_tally {
	uint64_t begun, accepted, refused, failed, lost;
	uint64_t abandoned; /* on purpose: among begun, and of no latency */
	uint64_t resumed, keys_verified, round_trips;
	uint64_t repeats;  /* requests sent again */
	uint64_t unsent;   /* datagrams that the kernel would not take */
	uint64_t unasked;  /* answers that nobody waited for: to a repeat, or too late */
	uint64_t ignored;  /* answers that did not verify */
	bool nobody_there; /* ICMP: nothing listens there */
	struct rg_load_kind
		kinds[RG_LOAD_KINDS]; /* of refused and failed; the last one takes the rest */
	struct rg_histogram sign_ins, answers; /* from the first packet (at a rate: from when it was
						  due) to the end; of one round trip */
	uint64_t elapsed_ns;                   /* until the last answer */
	uint64_t own_cpu_ns;
	bool process_known; /* process_before and _after are filled */
	struct rg_process_use process_before, process_after;
};

/* Runs to the end. False with *why (static): it could not. */
bool load_run(const struct rg_load_settings *, struct rg_load_tally *, const char **why);
#endif

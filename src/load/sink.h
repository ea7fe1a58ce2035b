/* A fake home server: it answers whoever has the secret, at once or after a while. */
#ifndef RG_LOAD_SINK_H
#define RG_LOAD_SINK_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "radius/key.h"

struct rg_sink_settings {
	const struct rg_radius_key *key;
	bool reject; /* Access-Reject and EAP-Failure; else Access-Accept, EAP-Success and MPPE keys
		      */
	uint64_t delay_ns; /* before each answer */
	double loss;       /* part of the requests, 0 to 1, that get none */
	const atomic_int *stop;
};

struct rg_sink_tally {
	uint64_t answered, dropped; /* dropped: on purpose */
	uint64_t ignored; /* malformed, not authentic, or of a code that is not asked here */
	uint64_t unsent;  /* the kernel would not take the answer */
};

/* Serves a bound socket (udp_listen) until *stop. False: no memory. */
bool sink_run(const struct rg_sink_settings *, int fd, struct rg_sink_tally *);
#endif

/* An OCSP responder on a port of its own that can also misbehave. */
#ifndef TESTS_EAP_RESPONDER_H
#define TESTS_EAP_RESPONDER_H
#include <pthread.h>
#include <stdatomic.h>

#include "pki.h"

enum responder_mood {
	RESPONDER_GOOD,
	RESPONDER_REVOKED,
	RESPONDER_UNKNOWN,
	RESPONDER_SILENT, /* accepts and never answers */
	RESPONDER_GARBAGE,
	RESPONDER_TRY_LATER,
	RESPONDER_STALE, /* good, but of yesterday */
	RESPONDER_OTHER, /* good, of another certificate */
};

struct responder {
	int listener;
	char url[64];
	pthread_t thread;
	atomic_int mood, asked;
	const struct pki *ca;     /* who issued what is asked about */
	const struct pki *signer; /* who signs the answer */
	const struct pki *other;
};
void responder_start(struct responder *, const struct pki *ca, const struct pki *signer);
void responder_stop(struct responder *);
#endif

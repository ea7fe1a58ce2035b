/* Asks winbindd whether MSCHAPv2 responses are right, in threads of its own.
 *
 * libwbclient waits, for minutes where winbindd hangs, and cannot be told to stop. So a question is
 * answered at its time whatever its thread does; a thread that is stuck takes no other question
 * until it returns, and while all are stuck questions are answered at once. */
#ifndef DIR_WINBIND_VERIFIER_H
#define DIR_WINBIND_VERIFIER_H
#include "dir_winbind.h"

struct rg_verifier;

/* One thing to verify. Owned by the verifier from verifier_ask on, which wipes it. */
struct rg_verification {
	char account[256]; /* sAMAccountName */
	uint8_t challenge[8], nt_response[24];
	uint64_t due_ns; /* CLOCK_MONOTONIC */
	/* Called once, from one of the verifier's threads or from verifier_close; hash_hash counts
	 * with FOUND. */
	void (*verified)(void *context, enum rg_outcome, const char *detail,
			 const uint8_t hash_hash[16]);
	void *context;
};

struct rg_winbind_state {
	enum rg_directory_state state;
	char why[160];
	int64_t since;
};

/* NULL, with errno: no memory, or no thread. Settings live until verifier_close. name: of the realm. */
struct rg_verifier *verifier_open(const struct rg_winbind_settings *, const char *name);
/* A copy is made. False: no memory; verified is not called. */
bool verifier_ask(struct rg_verifier *, const struct rg_verification *);
void verifier_state(struct rg_verifier *, struct rg_winbind_state *);
/* What is open is answered UNAVAILABLE. A thread that is stuck is left behind, to end by itself. */
void verifier_close(struct rg_verifier **);
#endif

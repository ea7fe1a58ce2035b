/* Wrong passwords, counted by person and by device, so that nobody guesses for long and a device with an old
 * password does not have the directory lock its owner out. Process-wide, for a device asks through any
 * worker; of a fixed size, for names are anybody's to make up. */
#ifndef RG_HOME_ATTEMPTS_H
#define RG_HOME_ATTEMPTS_H
#include "config/raddb.h"
#include "home/identity.h"

#define RG_ATTEMPTS_MOST 16384 /* people and devices that are counted at once */

/* A password on its way to the directory. Ends by attempts_end, once. Zeroed: none. */
struct rg_attempt {
	bool counted, has_device;
	uint8_t person[16], device[16];
};

enum rg_attempt_outcome {
	RG_ATTEMPT_RIGHT, /* what was wrong before is forgiven */
	RG_ATTEMPT_WRONG,
	RG_ATTEMPT_UNKNOWN, /* not answered, or not about the password */
};

/* False: too many were wrong, or too many are on their way; why (160 octets) says which, and the directory is not
 * to be asked. mac: "" for none. now_ns: CLOCK_MONOTONIC. An exempt identity is let through and not counted. */
bool attempts_begin(struct rg_attempt *, const struct rg_attempt_settings *, const struct rg_identity *,
		    const char *mac, uint64_t now_ns, char *why);
void attempts_end(struct rg_attempt *, const struct rg_attempt_settings *, enum rg_attempt_outcome,
		  uint64_t now_ns);
/* Forgets what is counted of a person ("jan@beuningen.nl", "host/pc1.beuningen.nl") or of a device. False: nothing was. */
bool attempts_unlock(const char *who);
/* For tests. */
void attempts_clear(void);
#endif

/* What conversations share: the TLS context with its trust, and the session to resume. */
#ifndef RG_SUPPLICANT_PROFILE_H
#define RG_SUPPLICANT_PROFILE_H
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>

#include "directory/nt_hash.h"
#include "supplicant/method.h"
#include "supplicant/supplicant.h"

struct rg_supplicant_profile {
	const struct rg_peer_method *method;
	SSL_CTX *tls;
	bool verifies; /* a CA was given: an untrusted server ends the handshake */
	bool resume;
	pthread_mutex_t lock; /* guards session */
	SSL_SESSION *session;
	char *identity, *inner; /* of tunnels; inner may be NULL */
	struct rg_secret *password;
	struct rg_nt_digests *digests; /* for MSCHAPv2 */
};

/* The session to offer, a reference of the caller's own; NULL: none. */
SSL_SESSION *profile_session(struct rg_supplicant_profile *);
/* Takes the reference. */
void profile_remember(struct rg_supplicant_profile *, SSL_SESSION *);
#endif

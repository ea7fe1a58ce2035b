/* A realm's TLS side: its certificate and key, the CA and CRL that staff certificates must satisfy.
 * Immutable once made; shared by all workers and all TLS methods of the realm. */
#ifndef RG_EAP_TLS_CONTEXT_H
#define RG_EAP_TLS_CONTEXT_H
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "config/raddb.h"
#include "roamgate/eap.h"

/* What a check of the files finds; key is the row's name ("private_key"). */
typedef void tls_complain(void *context, bool error, const char *key, const char *message);

/* Reads the files of settings. Contexts of equal settings and equal file contents are one
 * (reference counted), whatever realm or reload asks. An error yields NULL, except at a refresh
 * (complain NULL): then a CRL that cannot be read gives a context that refuses everyone with
 * revocation-unavailable, and another unreadable file gives NULL. */
struct rg_tls_context *tls_context_get(const struct rg_eap_settings *, const char *realm,
				       tls_complain *complain, void *context);
struct rg_tls_context *tls_context_ref(struct rg_tls_context *);
void tls_context_unref(struct rg_tls_context **);

/* True: a file that it was made from is not as it was (one stat a file; main thread). */
bool tls_context_stale(const struct rg_tls_context *);

/* The CA names of every local realm, for certificate-other-realm: set once a snapshot, before use.
 */
struct rg_tls_trust_set;
struct rg_tls_trust_set *tls_trust_set_new(struct rg_tls_context *const *contexts, size_t count);
void tls_trust_set_free(struct rg_tls_trust_set **);
/* True: the certificate (X509 *) chains to the client CA of a context of the set other than `own`.
 */
bool tls_trust_set_knows(const struct rg_tls_trust_set *, const void *x509,
			 const struct rg_tls_context *own);
/* The same for a refused proof, along the intermediates that the supplicant sent. */
bool tls_trust_set_knows_chain(const struct rg_tls_trust_set *, const struct rg_proof *,
			       const struct rg_tls_context *own);

/* For `status` and `check`: what ends when. what: "certificate", "client_ca", "crl". */
void tls_context_expiry(const struct rg_tls_context *,
			void (*each)(void *context, const char *what, time_t not_after),
			void *context);

/* OCSP of a proven certificate: asked by a thread of its own with a deadline. Settings say if at
 * all. */
enum rg_revocation { RG_REVOCATION_GOOD, RG_REVOCATION_REVOKED, RG_REVOCATION_UNAVAILABLE };
struct rg_ocsp_question {
	enum rg_revocation outcome; /* written before answered */
	char detail[160];
	void (*answered)(struct rg_ocsp_question *); /* from the OCSP thread, exactly once */
};
bool tls_ocsp_needed(const struct rg_tls_context *);
/* False: the queue is full. Keeps what it needs of proof before it returns. */
bool tls_ocsp_ask(struct rg_tls_context *, const struct rg_proof *, struct rg_ocsp_question *);

/* Process-wide: warms OpenSSL up, starts the OCSP thread when first needed. */
void tls_engine_open(void);
void tls_engine_close(void);
/* The threads that ask OCSP responders, which otherwise begin with the first question: a worker may make none.
 * False, with errno: no threads, or no descriptor. */
bool tls_ocsp_start(void);
#endif

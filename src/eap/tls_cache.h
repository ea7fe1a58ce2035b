/* Sessions that may be resumed: decoded, process-wide, in shards, bounded. What a session was made
 * under (the realm, its CAs, CRL, certificate, the method) is in its scope: under any other it is
 * not found. */
#ifndef RG_EAP_TLS_CACHE_H
#define RG_EAP_TLS_CACHE_H
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "roamgate/eap.h"

#define RG_TLS_CACHE_MOST 8192 /* sessions; the longest unused of the thread with most makes room */
#define RG_TLS_SCOPE      32

struct rg_tls_cached {
	SSL_SESSION *session;
	X509 *issuer;   /* of the leaf, for OCSP; may be NULL */
	time_t expires; /* since the full handshake; never extended by resuming */
	uint64_t lasts_ns; /* the same by CLOCK_MONOTONIC, which nobody sets back */
	uint8_t scope[RG_TLS_SCOPE];
	/* Of a tunnel: who signed in inside it, by which method (its label), where that name stood,
	 * and by which certificate (NULL: by none). Never a password. */
	const char *inner; /* NULL: no tunnel */
	char identity[256];
	enum rg_name_kind kind;
	X509 *leaf;
};

/* Takes references of its own. A session without id is ignored. */
void tls_cache_put(const struct rg_tls_cached *);

/* False: none such, of another scope, or expired by the one clock or the other. found->session is a copy of the caller's own, so
 * that conversations never share one; found->issuer and leaf are references. */
bool tls_cache_find(const uint8_t *id, size_t id_length, const uint8_t scope[RG_TLS_SCOPE],
		    time_t now, uint64_t now_ns, struct rg_tls_cached *found);
void tls_cache_remove(const uint8_t *id, size_t id_length);
size_t tls_cache_count(void);
void tls_cache_clear(void);
#endif

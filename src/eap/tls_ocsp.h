/* OCSP (RFC 6960) from the inside: one exchange with a responder, the judgement of its answer, and
 * what is remembered. The queue and its threads are in tls_ocsp.c. */
#ifndef RG_EAP_TLS_OCSP_H
#define RG_EAP_TLS_OCSP_H
#include <openssl/ocsp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "eap/tls_context.h"

#define RG_OCSP_DETAIL 160 /* octets of struct rg_ocsp_question's detail */

struct rg_ocsp_responder {
	char host[128], port[8], path[256];
	char name[80]; /* "host:port", cut: for messages and to count failures by */
};

/* "http://HOST[:PORT]/PATH" only: an answer is signed, TLS would add nothing but more to fail. */
bool ocsp_responder_parse(struct rg_ocsp_responder *, const char *url);
/* The first usable one that the certificate names (authorityInfoAccess). */
bool ocsp_responder_of(struct rg_ocsp_responder *, const X509 *certificate);

/* One POST, ended at deadline_ns or when stop_fd becomes readable. NULL: why says what happened. */
OCSP_RESPONSE *ocsp_exchange(const struct rg_ocsp_responder *, OCSP_REQUEST *, uint64_t deadline_ns,
			     int stop_fd, char why[RG_OCSP_DETAIL]);

/* What the answer says of certificate, signed by issuer or by whom issuer delegated (RFC 6960
 * §4.2.2.2). until: when it ceases to count; 0: it is not to be remembered. request may be NULL. */
enum rg_revocation ocsp_judge(OCSP_RESPONSE *, OCSP_REQUEST *, X509 *certificate, X509 *issuer,
			      time_t *until, char why[RG_OCSP_DETAIL]);

/* Answers that still count, process-wide and bounded. */
struct rg_ocsp_key {
	uint8_t octets[32];
};
bool ocsp_key_make(struct rg_ocsp_key *, X509 *certificate, X509 *issuer,
		   const struct rg_ocsp_responder *);
bool ocsp_cache_find(const struct rg_ocsp_key *, time_t now, enum rg_revocation *);
void ocsp_cache_put(const struct rg_ocsp_key *, enum rg_revocation, time_t now, time_t until);
void ocsp_cache_clear(void);
#endif

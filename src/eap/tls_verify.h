/* The verdict on a supplicant's certificate, one reason for each way it can be wrong. */
#ifndef RG_EAP_TLS_VERIFY_H
#define RG_EAP_TLS_VERIFY_H
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "roamgate/reason.h"

/* What an error of X509_verify_cert means. */
enum rg_reason tls_verify_reason(int x509_error);

/* CRLs of a context whose signature was found good already, and by whose certificate (SHA-256):
 * OpenSSL would verify the same list again for every certificate of every handshake. */
#define RG_CRL_MEMO 16
struct rg_crl_memo {
	pthread_mutex_t lock;
	unsigned next;
	struct {
		const X509_CRL *crl; /* of the context's store: alive as long as the memo */
		uint8_t issuer[32];
	} seen[RG_CRL_MEMO];
};

/* For X509_STORE_set_check_crl: OpenSSL's own check, skipped where it succeeded before and only the
 * CRL's time may have changed since. */
int tls_check_crl(X509_STORE_CTX *ctx, X509_CRL *crl);

/* Verifies as ctx is set up, but looks at every error and leaves the one that says most as the
 * error of ctx: a certificate of a foreign CA is no expired one, a revoked one stays revoked when
 * it expires, and a missing CRL matters only where nothing else is wrong. 1: good. */
int tls_verify_chain(X509_STORE_CTX *ctx, struct rg_crl_memo *);

/* By tls_engine_open; tls_verify_chain does it too. False: no memory. */
bool tls_verify_open(void);
#endif

/* The verdict on a supplicant's certificate, one reason for each way it can be wrong. */
#ifndef RG_EAP_TLS_VERIFY_H
#define RG_EAP_TLS_VERIFY_H
#include <openssl/x509.h>

#include "roamgate/reason.h"

/* What an error of X509_verify_cert means. */
enum rg_reason tls_verify_reason(int x509_error);

/* Verifies as ctx is set up, but looks at every error and leaves the one that says most as the error of
 * ctx: a certificate of a foreign CA is no expired one, a revoked one stays revoked when it expires,
 * and a missing CRL matters only where nothing else is wrong. 1: good. */
int tls_verify_chain(X509_STORE_CTX *ctx);

/* Once, by tls_engine_open; tls_verify_chain does it too. */
void tls_verify_open(void);
#endif

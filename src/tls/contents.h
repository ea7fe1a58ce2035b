/* What a file of certificates or CRLs contains: PEM, or one in DER. All of it counts, or nothing.
 */
#ifndef RG_TLS_CONTENTS_H
#define RG_TLS_CONTENTS_H
#include <openssl/x509.h>
#include <stdbool.h>
#include <time.h>

#include "roamgate/span.h"

bool contents_are_pem(struct rg_span);

/* All certificates, in the order of the file, for use in that library context (NULL: OpenSSL's
 * own); to be freed with what is in it. NULL: there is none, or (broken) one cannot be read, and
 * the last of OpenSSL's errors may say why. */
STACK_OF(X509) * contents_certificates(struct rg_span, OSSL_LIB_CTX *, bool *broken);
/* The same of CRLs. */
STACK_OF(X509_CRL) * contents_crls(struct rg_span, OSSL_LIB_CTX *, bool *broken);

/* When the first of them ends, in seconds since the epoch; 0: of none, or it cannot be read. */
time_t certificates_end(STACK_OF(X509) *);
time_t crls_end(STACK_OF(X509_CRL) *);

/* From now on the store trusts them. An issuing CA may be among them alone, without the root above
 * it. Where the root is there as well the chain goes up to it, so that the root's CRL is asked
 * about the issuing CA. False: no memory. */
bool store_trust(X509_STORE *, STACK_OF(X509) *);
/* From now on the store knows them. False: no memory. */
bool store_know(X509_STORE *, STACK_OF(X509_CRL) *);
#endif

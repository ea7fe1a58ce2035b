/* Names in a certificate, read as hostile text. */
#ifndef RG_TLS_CERTIFICATE_H
#define RG_TLS_CERTIFICATE_H
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

#include "roamgate/eap.h"
#include "roamgate/module.h"

/* The first name that counts, in the order of kinds (enum rg_name_kind), as UTF-8 with NUL; that of
 * a dNSName as "host/NAME". A name that is empty, does not fit, is not valid in its encoding or
 * holds a NUL or another control character does not count; of each kind RG_NAMES_MOST are looked at
 * (the last CN only). False: none, and out is "". */
bool certificate_identity(const X509 *, const struct rg_choices *kinds, char *out, size_t capacity,
			  enum rg_name_kind *kind);

/* Its subject for trace and log: RFC 2253 order, escaped, cut with "...". */
void certificate_subject(const X509 *, char *out, size_t capacity);

/* For checks of a server certificate. */
bool certificate_has_dns(X509 *);        /* any dNSName */
bool certificate_dns_matches_cn(X509 *); /* the CN is one of the dNSNames, or there is no CN */
bool certificate_has_wildcard(X509 *);
time_t certificate_time(const ASN1_TIME *); /* seconds since the epoch; 0: unreadable */
#endif

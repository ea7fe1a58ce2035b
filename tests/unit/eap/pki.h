/* Certificates for tests, made in memory and written where a realm's files would be. */
#ifndef TESTS_EAP_PKI_H
#define TESTS_EAP_PKI_H
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdbool.h>

struct pki {
	X509 *certificate;
	EVP_PKEY *key;
};

/* What is wanted of a certificate; zero means the ordinary thing. */
struct pki_want {
	const char *cn;           /* NULL: no subject at all */
	const struct pki *issuer; /* NULL: self-signed */
	bool ca;
	const char *usage;       /* extendedKeyUsage; NULL: none */
	const char *san;         /* subjectAltName as in openssl.cnf, or NULL */
	const char *constraints; /* nameConstraints, or NULL */
	const char *ocsp;        /* a responder's URL, or NULL */
	long from_s, to_s;       /* validity, seconds from now; both 0: a day ago to 400 days on */
	int rsa_bits;            /* 0: P-256 */
	EVP_PKEY *key;           /* this one, in place of one made for it; stays the caller's */
	size_t padding;          /* octets of a private extension: a large certificate */
};

struct pki pki_make(const struct pki_want *);
void pki_free(struct pki *);

/* A directory under $TMPDIR that pki_directory_end removes with all that is in it. */
char *pki_directory(void);
void pki_directory_end(char **);
char *pki_path(const char *directory, const char *name); /* to be freed */

void pki_write_certificates(const char *path, X509 *const *certificates, size_t count);
void pki_write_key(const char *path, EVP_PKEY *);

/* A CRL of issuer over the serials of revoked (NULL-terminated), valid for `to_s` seconds from now.
 */
X509_CRL *pki_crl(const struct pki *issuer, X509 *const *revoked, long to_s);
void pki_write_crls(const char *path, X509_CRL *const *crls, size_t count);
#endif

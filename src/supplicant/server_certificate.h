/* The server's certificate: whether a laptop would trust it, and what it says. */
#ifndef RG_SUPPLICANT_SERVER_CERTIFICATE_H
#define RG_SUPPLICANT_SERVER_CERTIFICATE_H
#include <openssl/x509.h>
#include <stdbool.h>

/* What a report shows of it, escaped. */
struct rg_server_certificate {
	char subject[256], issuer[256], not_after[32], sans[512];
};

/* Where the verify callback leaves what it saw: SSL_set_app_data. */
struct rg_server_trust {
	X509 *leaf; /* owned */
	int error;  /* X509_V_…: the first one */
	bool no_server_auth;
};

/* OpenSSL's verify callback. Beyond OpenSSL's own checks of chain, purpose and name the leaf must
 * say serverAuth itself: supplicants refuse one that says nothing (RFC 5216 §5.3). */
int server_certificate_verify(int ok, X509_STORE_CTX *);

void server_certificate_describe(struct rg_server_certificate *, X509 *);

/* Why it was not trusted; NULL: it was. Static. */
const char *server_trust_error(const struct rg_server_trust *);
#endif

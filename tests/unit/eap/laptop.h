/* A supplicant's EAP-TLS in memory, on OpenSSL's own client, and a realm for it to sign in to. Its
 * framing is written apart from the server's. */
#ifndef TESTS_EAP_LAPTOP_H
#define TESTS_EAP_LAPTOP_H
#include <openssl/ssl.h>

#include "config/raddb.h"
#include "eap/tls_context.h"
#include "pki.h"
#include "roamgate/eap.h"
#include "roamgate/module.h"

/* A realm's files and settings: CA, server certificate, and whatever else a test puts there. */
struct town {
	char *directory, *certificate, *key, *client_ca, *crl_path;
	struct pki ca, server;
	struct rg_eap_settings settings; /* crl NULL until a test sets it to crl_path */
	int names[2];
};
void town_make(struct town *, int server_rsa_bits);
void town_free(struct town *);
struct rg_tls_context *town_context(struct town *); /* asserts that there is one and no error */
void town_revoke(struct town *, X509 *const *revoked, long to_s); /* writes crl_path */

struct laptop_settings {
	const struct pki *identity; /* NULL: no certificate */
	X509 *extra[4];             /* intermediates to send */
	X509 *trusts;               /* NULL: takes any server */
	int version;                /* TLS1_2_VERSION, …; 0: any */
	size_t fragment;            /* TLS octets in a Response; 0: 1000 */
	size_t room;                /* Type-Data octets of a Request; 0: 1400 */
	SSL_SESSION *session;       /* to resume */
	void (*tweak)(SSL *);
};

struct laptop {
	SSL_CTX *ctx;
	SSL *ssl;
	BIO *in, *out;
	size_t fragment;
	uint8_t *pending; /* to send */
	size_t pending_length, sent;
	SSL_SESSION *session;    /* the newest */
	bool success_indication; /* the 0x00 of RFC 9190 came */
	uint8_t msk[64], session_id[65];
	bool complained; /* its TLS failed */
};
void laptop_make(struct laptop *, const struct laptop_settings *);
void laptop_free(struct laptop *);
/* Type-Data in, Type-Data out. */
void laptop_answer(struct laptop *, struct rg_span request, struct rg_buffer *response);

struct result {
	enum rg_eap_verdict verdict;
	enum rg_reason reason;
	char detail[200];
	unsigned rounds, requests_before_granted;
	bool resumed, knows_issuer, keys_match, success_indication, failure_had_certificate;
	char identity[256], subject[256], version[4];
	size_t largest_request;
	SSL_SESSION *session; /* the laptop's newest; owned */
	bool granted;
	uint64_t server_ns; /* CPU time of the server's side */
};

struct how {
	bool refuse; /* the host does not agree */
	bool forget; /* `accepted` is never called */
	const char *realm;
};

/* One sign-in from Start to the end. */
struct result sign_in(struct rg_tls_context *, const struct laptop_settings *, const struct how *);
void result_free(struct result *);
#endif

/* The smallest EAP-TLS server over RADIUS that OpenSSL makes possible, with faults at will. */
#ifndef RG_TEST_SERVER_H
#define RG_TEST_SERVER_H
#include <openssl/ssl.h>

#include "radius/key.h"
#include "roamgate/span.h"

struct server {
	SSL_CTX *tls; /* kept over conversations, for tickets */
	struct rg_radius_key *key;
	size_t fragment;
	/* Faults and peculiarities. */
	uint8_t offers_first;     /* another method before TLS; 0: none */
	bool offers_nothing_else; /* and Reject where that is not taken */
	bool no_protected_success, wrong_protected_success, early_success, bare_accept;
	bool wrong_keys, no_keys, refuses_at_once, never_ends;

	/* Of the conversation under way. */
	SSL *ssl;
	BIO *in, *out;
	uint8_t eap_id;
	bool sending, done;
	int alert_read; /* -1: none */
	unsigned rounds;
	char user_name[254];
	uint8_t memory[4096];
};

/* certificate's file name without .pem; client_ca may be NULL: any client certificate. */
void server_open(struct server *, const char *folder, const char *certificate,
		 const char *client_ca, int version);
void server_close(struct server *);
void server_restart(struct server *); /* a new conversation */
/* The answer to an Access-Request; asserts what every request must have. */
struct rg_span server_answer(struct server *, struct rg_span request);
#endif

/* struct rg_tls from the inside, for the files that make up a conversation. */
#ifndef RG_EAP_TLS_CONVERSATION_H
#define RG_EAP_TLS_CONVERSATION_H
#include "eap/fragments.h"
#include "eap/tls_private.h"
#include "roamgate/tls.h"

#define RG_TLS_ROUNDS_MOST  100 /* Responses of one conversation */
#define RG_TLS_RECORDS_MOST 128 /* TLS records from one supplicant before its tunnel carries data  \
				 */

enum rg_tls_state {
	RG_TLS_STATE_HANDSHAKE,
	RG_TLS_STATE_DONE,   /* the handshake is over; the last flight is held back */
	RG_TLS_STATE_OPEN,   /* released */
	RG_TLS_STATE_DOOMED, /* an alert is on its way; REFUSED follows */
};

struct rg_tls {
	struct rg_tls_context *context; /* the host's */
	const struct rg_tls_kind *kind;
	SSL *ssl; /* NULL once sealed */
	enum rg_tls_state state;
	struct rg_fragments fragments;
	size_t fragment; /* most TLS octets in one packet */
	unsigned rounds;

	/* What the BIO reads: the message of this turn. */
	struct rg_span input;
	size_t record_left; /* octets of the record under way */
	uint8_t record_header[5];
	size_t header_length;
	unsigned records;
	bool overrun; /* too much in or out */

	enum rg_reason reason;
	const char *detail; /* static, or detail_text */
	char detail_text[160];
	int verify_error; /* X509_V_…, of the supplicant's certificate */

	/* Sessions: the one made, kept until the Accept; the one resumed. */
	uint8_t scope[RG_TLS_SCOPE];
	SSL_SESSION *parked;
	struct rg_tls_cached resumed; /* session is never set: OpenSSL owns it */
	struct rg_tls_cached signed_in; /* of a tunnel: whom it will stand for; session never set */
	uint8_t resumed_id[SSL_MAX_SSL_SESSION_ID_LENGTH];
	size_t resumed_id_length;

	X509 *leaf, *issuer;
	STACK_OF(X509) * chain;
	unsigned char *der; /* of the leaf */
	bool proof_ready;
	struct rg_proof proof;
	char identity[256];
	bool keys_ready;
	struct rg_eap_keys keys;
};

/* A BIO over input and fragments; owned by the SSL that it is given to. */
BIO *tls_bio_new(struct rg_tls *);

/* What the last error of OpenSSL on this conversation means: sets reason and detail. */
void tls_explain(struct rg_tls *);

/* Sessions (tls_resume.c). */
bool tls_scope_set(struct rg_tls *, const struct rg_eap_start *);
int tls_session_new(SSL *, SSL_SESSION *);
SSL_SESSION *tls_session_get(SSL *, const unsigned char *id, int length, int *copy);
/* The earliest end of a chain, or of what is given where that is earlier. */
time_t tls_chain_ends(const STACK_OF(X509) *, time_t ends);

/* What TLS yields (tls_seal.c). */
bool tls_keys_derive(struct rg_tls *);
bool tls_keys_material(struct rg_tls *, uint8_t material[128]);
static inline bool tls_is_1_3(const struct rg_tls *tls)
{
	return SSL_version(tls->ssl) == TLS1_3_VERSION;
}

/* Frees the TLS state, if there is any left. */
void tls_ssl_end(struct rg_tls *);

static inline struct rg_tls *tls_of(const SSL *ssl)
{
	return SSL_get_app_data(ssl);
}
#endif

/* What the files of the TLS engine share among themselves. */
#ifndef RG_EAP_TLS_PRIVATE_H
#define RG_EAP_TLS_PRIVATE_H
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "eap/tls_cache.h"
#include "eap/tls_context.h"
#include "eap/tls_verify.h"
#include "tls/files.h"

enum rg_tls_source { RG_TLS_CERTIFICATE, RG_TLS_KEY, RG_TLS_CLIENT_CA, RG_TLS_CRL, RG_TLS_SOURCES };

/* Something a check found. */
struct rg_tls_note {
	struct rg_tls_note *next;
	bool error;
	const char *key; /* static */
	char message[224];
};

/* Our own certificate's OCSP answer, for clients that ask for it (RFC 6066 §8). */
struct rg_tls_staple {
	pthread_mutex_t lock;
	bool fetching;
	uint64_t next_try_ns; /* CLOCK_MONOTONIC */
	time_t good_until;
	uint8_t *der;
	size_t length;
};

struct rg_tls_context {
	atomic_uint references;
	struct rg_tls_context *next; /* of its bucket */
	uint8_t key[32];   /* of all settings and file contents: equal keys, equal contexts */
	uint8_t trust[32]; /* of what a session must not survive a change of */
	struct rg_tls_file *files[RG_TLS_SOURCES]; /* client CA, CRL: NULL where none is configured */
	OSSL_LIB_CTX *library;                     /* of ssl and of what was read from the files */
	bool beyond_library; /* the files hold a key that tls_library() cannot read: NULL serves */
	SSL_CTX *ssl;
	X509 *certificate;
	STACK_OF(X509) * chain;       /* behind it; borrowed from ssl */
	STACK_OF(X509) * authorities; /* who may sign staff certificates */
	time_t certificate_ends, authorities_end, crl_ends;
	bool crl_missing; /* configured, but there is nothing to ask */
	time_t resume_s;
	enum rg_ocsp ocsp;
	int64_t ocsp_timeout_ms;
	char *ocsp_responder; /* in place of the certificate's; NULL: none */
	int names[RG_NAMES_MOST];
	struct rg_choices identity_from;
	struct rg_tls_note *notes;
	bool untold; /* an error that there was no memory to note */
	struct rg_tls_staple staple;
	struct rg_crl_memo crl_memo;
};

/* Builds what the key stands for. False: no memory or an error among the notes. */
bool tls_context_build(struct rg_tls_context *, const struct rg_eap_settings *);
void tls_context_note(struct rg_tls_context *, bool error, const char *key, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Undoes what tls_context_build read. */
void tls_context_empty(struct rg_tls_context *);
void tls_context_free(struct rg_tls_context *);

/* The callbacks of conversations (tls_conversation.c). */
void tls_context_callbacks(struct rg_tls_context *);

/* False: the CRL that a resumption would rest on is missing or has ended. */
static inline bool tls_context_revocation_known(const struct rg_tls_context *context, time_t now)
{
	return !context->files[RG_TLS_CRL] || (!context->crl_missing && context->crl_ends > now);
}

/* The staple for this handshake, to be freed by OPENSSL_free; NULL: none at hand. One that is
 * missing or getting old is asked for in the background. */
uint8_t *tls_staple_get(struct rg_tls_context *, size_t *length);

/* Of the OCSP threads. */
void tls_ocsp_close(void);
#endif

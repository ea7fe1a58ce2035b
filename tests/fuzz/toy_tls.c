#include "toy_tls.h"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include "eap/tls_conversation.h"

struct ssl_session_st {
	unsigned references;
	uint8_t id[32]; /* its number, and zeros */
};

struct ssl_st {
	struct rg_tls *tls;
	BIO *bio;
	bool finished, is_1_3, resumed, client_certificate;
	int error;
	uint8_t header[TOY_RECORD];
	size_t header_length, left; /* of the record that is being read */
};

static unsigned sessions, drawn;
static X509 *leaf;
static STACK_OF(X509) * chain;

struct rg_tls_context *toy_context(X509 *supplicant, X509 *issuer)
{
	static struct rg_tls_context context;
	static const int names[] = {RG_NAME_SAN_UPN, RG_NAME_SUBJECT_CN};
	leaf = supplicant;
	chain = sk_X509_new_null();
	if (!chain || !sk_X509_push(chain, supplicant) || !sk_X509_push(chain, issuer))
		abort();
	context.ssl = (SSL_CTX *)&context; /* never looked into */
	context.resume_s = 3600;
	context.identity_from = (struct rg_choices){names, 2};
	return &context;
}

void toy_begin(void)
{
	sessions = drawn = 0;
}

unsigned toy_sessions(void)
{
	return sessions;
}

void toy_exports(uint8_t *out, size_t length)
{
	for (size_t i = 0; i < length; i++)
		out[i] = (uint8_t)(0x55 + 7 * i);
}

int RAND_bytes(unsigned char *out, int count)
{
	for (int i = 0; i < count; i++)
		out[i] = (uint8_t)(++drawn * 37);
	return 1;
}

/* Sessions. */

static SSL_SESSION *session_make(unsigned number)
{
	SSL_SESSION *session = calloc(1, sizeof(*session));
	if (!session)
		abort();
	session->references = 1;
	session->id[0] = (uint8_t)number;
	return session;
}

void SSL_SESSION_free(SSL_SESSION *session)
{
	if (session && --session->references == 0)
		free(session);
}

int SSL_SESSION_up_ref(SSL_SESSION *session)
{
	session->references++;
	return 1;
}

SSL_SESSION *SSL_SESSION_dup(const SSL_SESSION *session)
{
	return session_make(session->id[0]);
}

const unsigned char *SSL_SESSION_get_id(const SSL_SESSION *session, unsigned *length)
{
	*length = sizeof(session->id);
	return session->id;
}

/* As OpenSSL: a reference that the callback keeps. */
static void session_new(SSL *ssl)
{
	if (sessions < 200)
		tls_session_new(ssl, session_make(++sessions));
}

/* Its life. */

SSL *SSL_new(SSL_CTX *context)
{
	(void)context;
	return calloc(1, sizeof(struct ssl_st));
}

void SSL_free(SSL *ssl)
{
	if (ssl)
		BIO_free(ssl->bio);
	free(ssl);
}

void SSL_set_bio(SSL *ssl, BIO *in, BIO *out)
{
	(void)out;
	ssl->bio = in;
}

int SSL_set_ex_data(SSL *ssl, int index, void *data)
{
	(void)index;
	ssl->tls = data;
	return 1;
}

void *SSL_get_ex_data(const SSL *ssl, int index)
{
	(void)index;
	return ssl->tls;
}

void SSL_set_accept_state(SSL *ssl)
{
	(void)ssl;
}

void SSL_set_verify(SSL *ssl, int mode, SSL_verify_cb callback)
{
	(void)callback;
	ssl->client_certificate = mode & SSL_VERIFY_PEER;
}

int SSL_set_session_id_context(SSL *ssl, const unsigned char *id, unsigned length)
{
	(void)ssl;
	(void)id;
	return length <= SSL_MAX_SID_CTX_LENGTH;
}

void SSL_set_shutdown(SSL *ssl, int mode)
{
	(void)ssl;
	(void)mode;
}

/* Records. */

static void record_write(SSL *ssl, uint8_t type, struct rg_span body)
{
	uint8_t memory[TOY_RECORD];
	struct rg_buffer header = buffer_over(memory, sizeof(memory));
	size_t written;
	buffer_u8(&header, type);
	buffer_u16(&header, 0x0303);
	buffer_u16(&header, (uint16_t)body.length);
	if (BIO_write_ex(ssl->bio, memory, sizeof(memory), &written) && body.length != 0)
		BIO_write_ex(ssl->bio, body.data, body.length, &written);
}

static int wait_for_more(SSL *ssl)
{
	ssl->error = SSL_ERROR_WANT_READ;
	return -1;
}

static int fail(SSL *ssl, int reason)
{
	ERR_raise(ERR_LIB_SSL, reason);
	ssl->error = SSL_ERROR_SSL;
	return -1;
}

/* The header of the next record, if the one before it was read to its end. 1: there is a record. */
static int record_begin(SSL *ssl)
{
	size_t got;
	while (ssl->left == 0) {
		if (!BIO_read_ex(ssl->bio, ssl->header + ssl->header_length,
				 TOY_RECORD - ssl->header_length, &got))
			return wait_for_more(ssl);
		ssl->header_length += got;
		if (ssl->header_length < TOY_RECORD)
			continue;
		ssl->header_length = 0;
		ssl->left = (size_t)ssl->header[3] << 8 | ssl->header[4];
		if (ssl->left > SSL3_RT_MAX_PLAIN_LENGTH)
			return fail(ssl, SSL_R_DATA_LENGTH_TOO_LONG);
	}
	return 1;
}

static int record_read(SSL *ssl, void *out, size_t most, size_t *got)
{
	*got = 0;
	int begun = record_begin(ssl);
	if (begun != 1)
		return begun;
	if (!BIO_read_ex(ssl->bio, out, most < ssl->left ? most : ssl->left, got))
		return wait_for_more(ssl);
	ssl->left -= *got;
	return 1;
}

static uint8_t next_octet(SSL *ssl)
{
	uint8_t octet = 0;
	size_t got;
	record_read(ssl, &octet, 1, &got);
	return octet;
}

/* The handshake. */

static int finish(SSL *ssl, bool is_1_3)
{
	static const uint8_t last[40];
	ssl->finished = true;
	ssl->is_1_3 = is_1_3;
	if (!is_1_3 && !ssl->resumed) {
		session_new(ssl);
		record_write(ssl, TOY_HANDSHAKE, span_of(last, sizeof(last)));
	}
	return 1;
}

static int go_on(SSL *ssl, uint8_t sixteens)
{
	static const uint8_t flight[16 * 256];
	record_write(ssl, TOY_HANDSHAKE, span_of(flight, 16u * (sixteens + 1u)));
	return wait_for_more(ssl);
}

static int resume(SSL *ssl, uint8_t which)
{
	uint8_t id[32] = {which & 0x7f};
	int copy;
	SSL_SESSION *session = tls_session_get(ssl, id, sizeof(id), &copy);
	if (!session)
		return go_on(ssl, 4);
	SSL_SESSION_free(session);
	ssl->resumed = true;
	return finish(ssl, which & 0x80);
}

static int fail_as_told(SSL *ssl)
{
	int reason = next_octet(ssl) << 8;
	reason |= next_octet(ssl);
	if (reason & 0x8000)
		record_write(ssl, TOY_ALERT, span_of("\2\x28", 2));
	/* Alerts of the other side begin at 1000. */
	return fail(ssl, 100 + (reason & 0x7fff) % 1200);
}

int SSL_do_handshake(SSL *ssl)
{
	uint8_t does;
	size_t got;
	if (ssl->finished)
		return 1;
	int read = record_read(ssl, &does, 1, &got);
	if (read != 1)
		return read;
	if (ssl->header[0] != TOY_HANDSHAKE)
		return fail(ssl, SSL_R_UNEXPECTED_RECORD);
	switch ((enum toy_does)(does % TOY_DOES)) {
	case TOY_GOES_ON:
		return go_on(ssl, next_octet(ssl));
	case TOY_DONE_1_2:
		return finish(ssl, false);
	case TOY_DONE_1_3:
		return finish(ssl, true);
	case TOY_RESUMES:
		return resume(ssl, next_octet(ssl));
	case TOY_FAILS:
		return fail_as_told(ssl);
	case TOY_DOES:
		break;
	}
	return fail(ssl, SSL_R_UNEXPECTED_MESSAGE);
}

int SSL_new_session_ticket(SSL *ssl)
{
	static const uint8_t ticket[60];
	session_new(ssl);
	record_write(ssl, TOY_HANDSHAKE, span_of(ticket, sizeof(ticket)));
	return 1;
}

/* Behind it. */

int SSL_read_ex(SSL *ssl, void *out, size_t most, size_t *got)
{
	*got = 0;
	if (record_begin(ssl) != 1)
		return 0;
	if (ssl->header[0] == TOY_ALERT)
		ssl->error = SSL_ERROR_ZERO_RETURN;
	else if (ssl->header[0] != TOY_DATA)
		fail(ssl, SSL_R_UNEXPECTED_RECORD);
	else if (record_read(ssl, out, most, got) == 1)
		return 1;
	return 0;
}

int SSL_write(SSL *ssl, const void *data, int length)
{
	record_write(ssl, TOY_DATA, span_of(data, (size_t)length));
	return length;
}

int SSL_get_error(const SSL *ssl, int result)
{
	return result > 0 ? SSL_ERROR_NONE : ssl->error;
}

int SSL_has_pending(const SSL *ssl)
{
	return ssl->left != 0 || ssl->header_length != 0;
}

int SSL_version(const SSL *ssl)
{
	return ssl->is_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
}

const SSL_CIPHER *SSL_get_pending_cipher(const SSL *ssl)
{
	(void)ssl;
	return NULL;
}

int SSL_session_reused(const SSL *ssl)
{
	return ssl->resumed;
}

X509 *SSL_get1_peer_certificate(const SSL *ssl)
{
	if (!ssl->client_certificate)
		return NULL;
	X509_up_ref(leaf);
	return leaf;
}

STACK_OF(X509) * SSL_get0_verified_chain(const SSL *ssl)
{
	return ssl->client_certificate && !ssl->resumed ? chain : NULL;
}

int SSL_export_keying_material(SSL *ssl, unsigned char *out, size_t length, const char *label,
			       size_t label_length, const unsigned char *context,
			       size_t context_length, int use_context)
{
	(void)label;
	(void)label_length;
	(void)context;
	(void)context_length;
	(void)use_context;
	toy_exports(out, length);
	return ssl->finished;
}

size_t SSL_get_client_random(const SSL *ssl, unsigned char *out, size_t most)
{
	(void)ssl;
	memset(out, 1, most);
	return most;
}

size_t SSL_get_server_random(const SSL *ssl, unsigned char *out, size_t most)
{
	(void)ssl;
	memset(out, 2, most);
	return most;
}

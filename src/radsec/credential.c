#include "radsec/credential.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/secret.h"
#include "radsec/key.h"
#include "radsec/private.h"
#include "tls/certificate.h"
#include "tls/contents.h"
#include "tls/library.h"

static struct rg_radsec *all; /* process-wide: reloads share what did not change */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The file's contents, to be freed; NULL with why. */
static struct rg_secret *source_contents(const struct rg_radsec *radsec,
					 enum rg_radsec_source source, char *why)
{
	const struct rg_tls_file *file = radsec->files[source];
	struct rg_secret *contents = file->missing ? NULL : tls_file_contents(file);
	if (!contents)
		snprintf(why, 256, "%.150s cannot be read: %.80s", file->path,
			 strerror(file->missing ? file->error : errno));
	return contents;
}

/* NULL with why. */
static STACK_OF(X509) *
	certificates_of(const struct rg_radsec *radsec, enum rg_radsec_source source, char *why)
{
	struct rg_secret *contents = source_contents(radsec, source, why);
	bool broken = false;
	if (!contents)
		return NULL;
	STACK_OF(X509) *found = contents_certificates(secret_span(contents), NULL, &broken);
	if (!found)
		snprintf(why, 256, "%.200s holds %s certificate", radsec->files[source]->path,
			 broken ? "a broken" : "no");
	secret_free(&contents);
	return found;
}

/* No passphrase: nobody is there to type it. */
static EVP_PKEY *key_of(const struct rg_radsec *radsec, char *why)
{
	struct rg_secret *contents = source_contents(radsec, RG_RADSEC_KEY, why);
	EVP_PKEY *key = NULL;
	if (!contents)
		return NULL;
	BIO *bio = BIO_new_mem_buf(contents->data, (int)contents->length);
	if (bio)
		key = contents_are_pem(secret_span(contents))
			      ? PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"")
			      : d2i_PrivateKey_bio(bio, NULL);
	if (!key)
		snprintf(why, 256, "%.200s holds no private key that can be read",
			 radsec->files[RG_RADSEC_KEY]->path);
	BIO_free(bio);
	secret_free(&contents);
	return key;
}

static bool use_pair(struct rg_radsec *radsec, char *why)
{
	SSL_CTX *contexts[] = {radsec->tls, radsec->dtls};
	STACK_OF(X509) *chain = certificates_of(radsec, RG_RADSEC_CERTIFICATE, why);
	EVP_PKEY *key = chain ? key_of(radsec, why) : NULL;
	X509 *leaf = chain ? sk_X509_shift(chain) : NULL;
	bool good = key && X509_check_private_key(leaf, key) == 1;
	if (key && !good)
		snprintf(why, 256, "%.200s is no key of that certificate",
			 radsec->files[RG_RADSEC_KEY]->path);
	for (unsigned i = 0; good && i < 2; i++)
		good = SSL_CTX_use_certificate(contexts[i], leaf) == 1 &&
		       SSL_CTX_use_PrivateKey(contexts[i], key) == 1 &&
		       SSL_CTX_set1_chain(contexts[i], chain) == 1;
	if (leaf)
		radsec->certificate_ends = certificate_time(X509_get0_notAfter(leaf));
	X509_free(leaf);
	sk_X509_pop_free(chain, X509_free);
	EVP_PKEY_free(key);
	return good;
}

static bool use_authorities(struct rg_radsec *radsec, char *why)
{
	STACK_OF(X509) *authorities = certificates_of(radsec, RG_RADSEC_CA, why);
	if (!authorities)
		return false;
	bool good = store_trust(radsec->store, authorities);
	for (int i = 0; good && i < sk_X509_num(authorities); i++)
		good = SSL_CTX_add_client_CA(radsec->tls, sk_X509_value(authorities, i)) &&
		       SSL_CTX_add_client_CA(radsec->dtls, sk_X509_value(authorities, i));
	if (!good)
		snprintf(why, 256, "no memory for %.200s", radsec->files[RG_RADSEC_CA]->path);
	radsec->ca_ends = certificates_end(authorities);
	sk_X509_pop_free(authorities, X509_free);
	return good;
}

/* Once a CRL is named, nothing is trusted without asking it: what cannot be read as a whole refuses everyone. */
static bool use_crl(struct rg_radsec *radsec, bool fresh, char *why)
{
	X509_STORE_set_flags(radsec->store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	struct rg_secret *contents = source_contents(radsec, RG_RADSEC_CRL, why);
	bool broken = false;
	STACK_OF(X509_CRL) *crls =
		contents ? contents_crls(secret_span(contents), NULL, &broken) : NULL;
	if (contents && !crls)
		snprintf(why, 256, "%.200s holds %s CRL", radsec->files[RG_RADSEC_CRL]->path,
			 broken ? "a broken" : "no");
	secret_free(&contents);
	if (!crls)
		return !fresh;
	bool good = store_know(radsec->store, crls);
	if (!good)
		snprintf(why, 256, "no memory for %.200s", radsec->files[RG_RADSEC_CRL]->path);
	radsec->crl_ends = crls_end(crls);
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
	return good;
}

/* Forward secrecy and AEAD; behind them those of TLS-PSK (RFC 9813 §4.1). */
static const char ciphers_1_2[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
				  "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
				  "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
				  "ECDHE-PSK-CHACHA20-POLY1305:DHE-PSK-AES128-GCM-SHA256:"
				  "ECDHE-PSK-AES128-CBC-SHA256";

/* Those of SHA-256 first: a pre-shared key goes with no other hash (RFC 8446 §4.2.11). */
static const char ciphers_1_3[] =
	"TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384";

/* A trust anchor is trusted because the raddb says so, whatever whoever signed it may list. */
static int on_verify(int good, X509_STORE_CTX *context)
{
	int error = X509_STORE_CTX_get_error(context);
	int depth = X509_STORE_CTX_get_error_depth(context);
	if (good || error != X509_V_ERR_UNABLE_TO_GET_CRL || depth == 0 ||
	    depth != sk_X509_num(X509_STORE_CTX_get0_chain(context)) - 1)
		return good;
	X509_STORE_CTX_set_error(context, X509_V_OK);
	return 1;
}

static bool set_up(SSL_CTX *context, struct rg_radsec *radsec, int least, int most)
{
	/* Every connection is authenticated anew: no tickets, no cache, no early data. */
	SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
					     SSL_OP_NO_COMPRESSION |
					     SSL_OP_CIPHER_SERVER_PREFERENCE |
					     SSL_OP_COOKIE_EXCHANGE | SSL_OP_NO_QUERY_MTU);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					  SSL_MODE_NO_AUTO_CHAIN);
	SSL_CTX_set_security_level(context, 2);
	SSL_CTX_set_num_tickets(context, 0);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_max_early_data(context, 0);
	SSL_CTX_set_recv_max_early_data(context, 0);
	SSL_CTX_set_dh_auto(context, 1);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, on_verify);
	SSL_CTX_set1_cert_store(context, radsec->store);
	port_set_up_context(context);
	return SSL_CTX_set_min_proto_version(context, least) &&
	       SSL_CTX_set_max_proto_version(context, most) &&
	       SSL_CTX_set_cipher_list(context, ciphers_1_2) &&
	       SSL_CTX_set_ciphersuites(context, ciphers_1_3);
}

static bool build(struct rg_radsec *radsec, const struct rg_credential *credential, bool fresh, char *why)
{
	int least = credential->tls_min == RG_TLS_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
	int most = credential->tls_max == RG_TLS_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION;
	radsec->versions = credential->versions;
	if (!radsec_key(RG_TRANSPORT_TLS)) /* which all packets want that come by it */
		return false;
	radsec->tls = SSL_CTX_new(TLS_method());
	radsec->dtls = SSL_CTX_new(DTLS_method());
	radsec->store = X509_STORE_new();
	if (!radsec->tls || !radsec->dtls || !radsec->store)
		return false;
	snprintf(why, 256, "OpenSSL refuses its settings");
	if (!set_up(radsec->tls, radsec, least, most) ||
	    !set_up(radsec->dtls, radsec, DTLS1_2_VERSION, DTLS1_2_VERSION))
		return false;
	SSL_CTX_set_read_ahead(radsec->tls, 1); /* header and body of many records in one system call */
	return (!radsec->files[RG_RADSEC_CERTIFICATE] || use_pair(radsec, why)) &&
	       (!radsec->files[RG_RADSEC_CA] || use_authorities(radsec, why)) &&
	       (!radsec->files[RG_RADSEC_CRL] || use_crl(radsec, fresh, why));
}

static void radsec_free(struct rg_radsec *radsec)
{
	for (int i = 0; i < RG_RADSEC_SOURCES; i++)
		tls_file_unref(&radsec->files[i]);
	SSL_CTX_free(radsec->tls);
	SSL_CTX_free(radsec->dtls);
	X509_STORE_free(radsec->store);
	free(radsec);
}

static bool digest(struct rg_radsec *radsec, const struct rg_credential *credential)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	const unsigned numbers[] = {(unsigned)credential->tls_min, (unsigned)credential->tls_max,
				    credential->versions};
	bool good = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) &&
		    EVP_DigestUpdate(md, numbers, sizeof(numbers));
	for (int i = 0; good && i < RG_RADSEC_SOURCES; i++) {
		const struct rg_tls_file *file = radsec->files[i];
		uint8_t state = !file ? 0 : file->missing ? 1 : 2;
		good = EVP_DigestUpdate(md, &state, 1) &&
		       (state != 2 || EVP_DigestUpdate(md, file->digest, sizeof(file->digest))) &&
		       (state == 0 || EVP_DigestUpdate(md, file->path, strlen(file->path) + 1));
	}
	good = good && EVP_DigestFinal_ex(md, radsec->key, NULL);
	EVP_MD_CTX_free(md);
	return good;
}

static struct rg_radsec *radsec_new(const struct rg_credential *credential)
{
	const char *paths[RG_RADSEC_SOURCES] = {credential->certificate, credential->private_key,
						credential->ca, credential->crl};
	struct rg_radsec *radsec = calloc(1, sizeof(*radsec));
	if (!radsec)
		return NULL;
	atomic_init(&radsec->references, 1);
	for (int i = 0; i < RG_RADSEC_SOURCES; i++)
		if (paths[i] && !(radsec->files[i] = tls_file_get(paths[i])))
			goto out;
	if (digest(radsec, credential))
		return radsec;
out:
	radsec_free(radsec);
	return NULL;
}

/* The one with that key, referenced, or NULL. Under lock. */
static struct rg_radsec *shared(const uint8_t key[32])
{
	struct rg_radsec *radsec = all;
	while (radsec && memcmp(radsec->key, key, 32) != 0)
		radsec = radsec->next;
	return radsec ? radsec_ref(radsec) : NULL;
}

/* fresh is shared from now on; unless another thread was faster. Takes the ownership of fresh. */
static struct rg_radsec *share(struct rg_radsec *fresh)
{
	pthread_mutex_lock(&lock);
	struct rg_radsec *radsec = shared(fresh->key);
	if (!radsec) {
		fresh->next = all;
		all = radsec = fresh;
		fresh = NULL;
	}
	pthread_mutex_unlock(&lock);
	if (fresh)
		radsec_free(fresh);
	return radsec;
}

struct rg_radsec *radsec_get(const struct rg_credential *credential, bool fresh, char *why)
{
	char reason[256] = "out of memory";
	unsigned before = tls_library_refusals();
	struct rg_radsec *made = radsec_new(credential), *radsec = NULL;
	ERR_clear_error();
	if (made) {
		pthread_mutex_lock(&lock);
		radsec = shared(made->key);
		pthread_mutex_unlock(&lock);
	}
	/* Large files are read without the lock, for which workers may wait. */
	bool built = made && !radsec && build(made, credential, fresh, reason);
	/* What OpenSSL lacks for want of memory it would lack for as long as the files stay as they are. */
	if (!radsec && tls_library_refusals() != before) {
		snprintf(reason, sizeof(reason), "out of memory");
		built = false;
	}
	if (built) {
		radsec = share(made);
		made = NULL;
	}
	if (made)
		radsec_free(made);
	if (!radsec) {
		const char *more = ERR_reason_error_string(ERR_peek_last_error());
		snprintf(why, 256, "credential %.50s: %.120s%s%.70s", credential->name, reason,
			 more ? ": " : "", more ? more : "");
	}
	ERR_clear_error();
	return radsec;
}

struct rg_radsec *radsec_ref(struct rg_radsec *radsec)
{
	atomic_fetch_add_explicit(&radsec->references, 1, memory_order_relaxed);
	return radsec;
}

void radsec_unref(struct rg_radsec **holder)
{
	struct rg_radsec *radsec = *holder;
	*holder = NULL;
	if (!radsec)
		return;
	/* The last reference is given up under the lock, where nobody can find the credential meanwhile. */
	unsigned references = atomic_load(&radsec->references);
	while (references > 1)
		if (atomic_compare_exchange_weak(&radsec->references, &references, references - 1))
			return;
	pthread_mutex_lock(&lock);
	bool last = atomic_fetch_sub(&radsec->references, 1) == 1;
	if (last) {
		struct rg_radsec **at = &all;
		while (*at && *at != radsec)
			at = &(*at)->next;
		if (*at)
			*at = radsec->next;
	}
	pthread_mutex_unlock(&lock);
	if (last)
		radsec_free(radsec);
}

bool radsec_stale(const struct rg_radsec *radsec)
{
	for (int i = 0; i < RG_RADSEC_SOURCES; i++)
		if (radsec->files[i] && tls_file_stale(radsec->files[i]))
			return true;
	return false;
}

void radsec_expiry(const struct rg_radsec *radsec,
		   void (*each)(void *context, const char *what, time_t not_after), void *context)
{
	if (radsec->certificate_ends)
		each(context, "certificate", radsec->certificate_ends);
	if (radsec->ca_ends)
		each(context, "ca", radsec->ca_ends);
	if (radsec->crl_ends)
		each(context, "crl", radsec->crl_ends);
}

/* A context from its files: parsed, checked against each other, and made into an SSL_CTX. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/secret.h"
#include "core/text.h"
#include "eap/tls_private.h"
#include "tls/certificate.h"
#include "tls/contents.h"
#include "tls/library.h"

#define WARN_DAYS 30

/* Modern ones only, the cheapest first. TLS 1.2: forward secrecy and AEAD. */
static const char ciphers_1_2[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
				  "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
				  "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
static const char ciphers_1_3[] =
	"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
static const char groups[] = "X25519:P-256:P-384";
static const char signatures[] =
	"ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256:ECDSA+SHA384:RSA-PSS+SHA384:RSA+SHA384:"
	"ECDSA+SHA512:RSA-PSS+SHA512:RSA+SHA512:ed25519";

static const char *const keys[RG_TLS_SOURCES] = {"certificate", "private_key", "client_ca", "crl"};

static const char *openssl_says(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	return reason ? reason : "no memory"; /* or it would have said something */
}

/* The file's contents, to be freed; NULL with a note. */
static struct rg_secret *source_contents(struct rg_tls_context *context, enum rg_tls_source source)
{
	struct rg_tls_file *file = context->files[source];
	struct rg_secret *contents = file->missing ? NULL : tls_file_contents(file);
	if (!contents)
		tls_context_note(context, true, keys[source], "cannot read %s: %s", file->path,
				 strerror(file->missing ? file->error : errno));
	return contents;
}

/* what: "certificate", "CRL"; there is none, or one is broken. */
static void note_contents(struct rg_tls_context *context, enum rg_tls_source source,
			  const char *what, bool broken)
{
	tls_context_note(context, true, keys[source], "%s holds %s %s%s%s",
			 context->files[source]->path, broken ? "a broken" : "no", what,
			 broken ? ": " : "", broken ? openssl_says() : "");
}

/* All certificates of a file. NULL with a note where there is none or one is broken. */
static STACK_OF(X509) *
	source_certificates(struct rg_tls_context *context, enum rg_tls_source source)
{
	struct rg_secret *contents = source_contents(context, source);
	bool broken = false;
	if (!contents)
		return NULL;
	STACK_OF(X509) *found =
		contents_certificates(secret_span(contents), context->library, &broken);
	if (!found)
		note_contents(context, source, "certificate", broken);
	for (int i = 0; context->library && i < sk_X509_num(found); i++)
		context->beyond_library |= !X509_get0_pubkey(sk_X509_value(found, i));
	secret_free(&contents);
	return found;
}

static void note_end(struct rg_tls_context *context, enum rg_tls_source source, time_t ends)
{
	time_t now = time(NULL);
	long days = (long)((ends - now) / 86400);
	if (ends <= now)
		tls_context_note(context, false, keys[source], "%s ended %ld day%s ago",
				 context->files[source]->path, -days, text_plural((uint64_t)-days));
	else if (days < WARN_DAYS)
		tls_context_note(context, false, keys[source], "%s ends in %ld day%s",
				 context->files[source]->path, days, text_plural((uint64_t)days));
}

/* What supplicants are known to stumble over in a server certificate. */
static void certificate_check(struct rg_tls_context *context)
{
	X509 *certificate = context->certificate;
	const char *path = context->files[RG_TLS_CERTIFICATE]->path;
	uint32_t usage = X509_get_extended_key_usage(certificate);
	if (!(X509_get_extension_flags(certificate) & EXFLAG_XKUSAGE) || !(usage & XKU_SSL_SERVER))
		tls_context_note(context, false, "certificate", "%s lacks the usage serverAuth",
				 path);
	if (certificate_has_wildcard(certificate))
		tls_context_note(context, false, "certificate",
				 "%s bears a wildcard, which supplicants refuse", path);
	else if (!certificate_has_dns(certificate))
		tls_context_note(context, false, "certificate",
				 "%s bears no DNS name in its subjectAltName", path);
	else if (!certificate_dns_matches_cn(certificate))
		tls_context_note(context, false, "certificate",
				 "the CN of %s is none of the DNS names in its subjectAltName",
				 path);
	for (int i = 0; i < sk_X509_num(context->chain); i++)
		if (X509_self_signed(sk_X509_value(context->chain, i), 0) == 1)
			tls_context_note(context, false, "certificate",
					 "%s contains a root, which only makes sign-ins longer",
					 path);
}

static int no_passphrase(char *buffer, int size, int writing, void *context)
{
	(void)buffer;
	(void)size;
	(void)writing;
	*(bool *)context = true;
	return -1;
}

static EVP_PKEY *key_read(OSSL_LIB_CTX *library, BIO *bio, bool pem, bool *encrypted)
{
	return pem ? PEM_read_bio_PrivateKey_ex(bio, NULL, no_passphrase, encrypted, library, NULL)
		   : d2i_PrivateKey_ex_bio(bio, NULL, library, NULL);
}

static void build_key(struct rg_tls_context *context)
{
	bool encrypted = false;
	EVP_PKEY *key = NULL;
	struct rg_tls_file *file = context->files[RG_TLS_KEY];
	struct rg_secret *contents = source_contents(context, RG_TLS_KEY);
	if (!contents)
		return;
	bool pem = contents_are_pem(secret_span(contents));
	BIO *bio = BIO_new_mem_buf(contents->data, (int)contents->length);
	ERR_clear_error();
	if (bio)
		key = key_read(context->library, bio, pem, &encrypted);
	if (bio && !key && !encrypted && context->library && BIO_reset(bio) == 1 &&
	    (key = key_read(NULL, bio, pem, &encrypted)))
		context->beyond_library = true;
	if (!bio)
		tls_context_note(context, true, "private_key", "no memory");
	else if (!key)
		tls_context_note(
			context, true, "private_key", "%s %s", file->path,
			encrypted ? "is encrypted, and nobody is there to type its passphrase"
				  : "holds no private key that can be read");
	else if (context->certificate && !X509_check_private_key(context->certificate, key))
		tls_context_note(context, true, "private_key", "%s fits not the certificate %s",
				 file->path, context->files[RG_TLS_CERTIFICATE]->path);
	else if (context->certificate && !SSL_CTX_use_PrivateKey(context->ssl, key))
		tls_context_note(context, true, "private_key", "%s: %s", file->path,
				 openssl_says());
	if (file->mode & S_IROTH)
		tls_context_note(context, false, "private_key", "%s can be read by everyone",
				 file->path);
	EVP_PKEY_free(key);
	BIO_free(bio);
	secret_free(&contents);
}

static void build_certificate(struct rg_tls_context *context)
{
	STACK_OF(X509) *chain = source_certificates(context, RG_TLS_CERTIFICATE);
	if (!chain)
		return;
	context->certificate = sk_X509_shift(chain);
	context->certificate_ends = certificate_time(X509_get0_notAfter(context->certificate));
	if (!SSL_CTX_use_certificate(context->ssl, context->certificate)) {
		tls_context_note(context, true, "certificate", "%s: %s",
				 context->files[RG_TLS_CERTIFICATE]->path, openssl_says());
		sk_X509_pop_free(chain, X509_free);
		return;
	}
	if (!SSL_CTX_set0_chain(context->ssl, chain)) {
		tls_context_note(context, true, "certificate", "%s: an intermediate: %s",
				 context->files[RG_TLS_CERTIFICATE]->path, openssl_says());
		sk_X509_pop_free(chain, X509_free);
		return;
	}
	context->chain = chain;
	certificate_check(context);
	note_end(context, RG_TLS_CERTIFICATE, context->certificate_ends);
}

/* Names of the CAs, sent to the supplicant so that it picks the right one of its certificates. NULL: no memory. */
static STACK_OF(X509_NAME) * authority_names(STACK_OF(X509) * authorities)
{
	STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();
	for (int i = 0; names && i < sk_X509_num(authorities); i++) {
		X509_NAME *name =
			X509_NAME_dup(X509_get_subject_name(sk_X509_value(authorities, i)));
		if (name && sk_X509_NAME_push(names, name))
			continue;
		X509_NAME_free(name);
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		return NULL;
	}
	return names;
}

static void build_authorities(struct rg_tls_context *context)
{
	/* Without one nobody's certificate is good: a realm of passwords. */
	bool any = context->files[RG_TLS_CLIENT_CA];
	context->authorities =
		any ? source_certificates(context, RG_TLS_CLIENT_CA) : sk_X509_new_null();
	if (!any && !context->authorities)
		tls_context_note(context, true, "client_ca", "no memory");
	if (!any || !context->authorities)
		return;
	for (int i = 0; i < sk_X509_num(context->authorities); i++)
		if (X509_check_ca(sk_X509_value(context->authorities, i)) == 0)
			tls_context_note(context, false, "client_ca",
					 "%s contains a certificate of no CA",
					 context->files[RG_TLS_CLIENT_CA]->path);
	STACK_OF(X509_NAME) *names = authority_names(context->authorities);
	if (!names || !store_trust(SSL_CTX_get_cert_store(context->ssl), context->authorities))
		tls_context_note(context, true, "client_ca", "no memory");
	SSL_CTX_set0_CA_list(context->ssl, names);
	context->authorities_end = certificates_end(context->authorities);
	note_end(context, RG_TLS_CLIENT_CA, context->authorities_end);
}

/* The CRLs of the realm; NULL with a note: what cannot be read as a whole refuses everyone. */
static STACK_OF(X509_CRL) * source_crls(struct rg_tls_context *context)
{
	struct rg_secret *contents = source_contents(context, RG_TLS_CRL);
	bool broken = false;
	if (!contents)
		return NULL;
	STACK_OF(X509_CRL) *found =
		contents_crls(secret_span(contents), context->library, &broken);
	if (!found)
		note_contents(context, RG_TLS_CRL, "CRL", broken);
	secret_free(&contents);
	return found;
}

/* False: no memory, and some of them may be there without the others. */
static bool build_crl(struct rg_tls_context *context)
{
	X509_STORE *store = SSL_CTX_get_cert_store(context->ssl);
	if (!context->files[RG_TLS_CRL])
		return true;
	/* Set before anything can fail: a realm with a CRL never goes on without asking it. */
	X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	X509_STORE_set_check_crl(store, tls_check_crl);
	STACK_OF(X509_CRL) *crls = source_crls(context);
	context->crl_missing = !crls;
	if (!crls)
		return true;
	bool known = store_know(store, crls);
	if (!known)
		tls_context_note(context, true, "crl", "no memory");
	context->crl_ends = crls_end(crls);
	note_end(context, RG_TLS_CRL, context->crl_ends);
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
	return known;
}

static int wire_version(int version)
{
	return version == RG_TLS_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION;
}

static bool build_ssl(struct rg_tls_context *context, const struct rg_eap_settings *settings)
{
	SSL_CTX *ssl = context->ssl = SSL_CTX_new_ex(context->library, NULL, TLS_server_method());
	if (!ssl)
		return false;
	/* Tickets are handles of the cache, not sealed state: nothing is decoded again at a
	 * resumption. */
	SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET | SSL_OP_CLEANSE_PLAINTEXT |
					 SSL_OP_NO_RENEGOTIATION |
					 SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
					 SSL_OP_PRIORITIZE_CHACHA |
					 SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION);
	/* The chain is the file's: never completed from the CAs that sign staff. */
	SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
	SSL_CTX_set_security_level(ssl, 2);
	SSL_CTX_set_max_early_data(ssl, 0);
	SSL_CTX_set_recv_max_early_data(ssl, 0);
	SSL_CTX_set_num_tickets(ssl, 0); /* one is sent once the host has agreed */
	SSL_CTX_set_session_cache_mode(
		ssl, settings->resume_s > 0 ? SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL |
						      SSL_SESS_CACHE_NO_AUTO_CLEAR
					    : SSL_SESS_CACHE_OFF);
	SSL_CTX_set_timeout(ssl, settings->resume_s);
	SSL_CTX_set_purpose(ssl, X509_PURPOSE_SSL_CLIENT);
	return SSL_CTX_set_min_proto_version(ssl, wire_version(settings->tls_min)) &&
	       SSL_CTX_set_max_proto_version(ssl, wire_version(settings->tls_max)) &&
	       SSL_CTX_set_cipher_list(ssl, ciphers_1_2) &&
	       SSL_CTX_set_ciphersuites(ssl, ciphers_1_3) &&
	       SSL_CTX_set1_groups_list(ssl, groups) && SSL_CTX_set1_sigalgs_list(ssl, signatures);
}

static bool build_all(struct rg_tls_context *context, const struct rg_eap_settings *settings)
{
	ERR_clear_error();
	if (!build_ssl(context, settings)) {
		tls_context_note(context, true, "certificate", "OpenSSL refuses its settings: %s",
				 openssl_says());
		return false;
	}
	if (settings->tls_min > settings->tls_max)
		tls_context_note(context, true, "tls_min", "is above tls_max");
	build_certificate(context);
	build_key(context);
	build_authorities(context);
	tls_context_callbacks(context);
	return build_crl(context);
}

bool tls_context_build(struct rg_tls_context *context, const struct rg_eap_settings *settings)
{
	context->resume_s = (time_t)settings->resume_s;
	context->ocsp = (enum rg_ocsp)settings->ocsp;
	context->ocsp_timeout_ms = settings->ocsp_timeout_ms;
	if (settings->ocsp_responder &&
	    !(context->ocsp_responder = strdup(settings->ocsp_responder)))
		return false;
	for (size_t i = 0; i < settings->identity_from.count && i < RG_NAMES_MOST; i++)
		context->names[context->identity_from.count++] = settings->identity_from.items[i];
	context->identity_from.items = context->names;
	context->library = tls_library();
	bool built = build_all(context, settings);
	/* Or an OpenSSL whose algorithms have other names than the library knows. */
	if (context->library && (!built || context->beyond_library)) {
		tls_context_empty(context);
		context->library = NULL;
		built = build_all(context, settings);
	}
	ERR_clear_error();
	return built;
}

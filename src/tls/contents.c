#include "tls/contents.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "core/reserve.h"
#include "tls/certificate.h"

#define ISSUED_ROOM 4096 /* octets: what X509_check_issued takes, and more */

bool contents_are_pem(struct rg_span contents)
{
	static const char mark[] = "-----BEGIN ";
	return memmem(contents.data, contents.length, mark, sizeof(mark) - 1) != NULL;
}

/* What PEM_read_bio_* says where nothing more of its kind comes. */
static bool is_end(void)
{
	unsigned long error = ERR_peek_last_error();
	return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

/* The next of the file; NULL: no more, or a broken one. */
static X509 *certificate_read(OSSL_LIB_CTX *library, BIO *bio, bool pem)
{
	X509 *certificate = X509_new_ex(library, NULL);
	X509 *read = !certificate ? NULL
		     : pem        ? PEM_read_bio_X509(bio, &certificate, NULL, NULL)
				  : d2i_X509_bio(bio, &certificate);
	if (!read)
		X509_free(certificate); /* which a broken one has set to NULL */
	return read;
}

static STACK_OF(X509) *
	certificates_read(struct rg_span contents, OSSL_LIB_CTX *library, bool *broken)
{
	bool pem = contents_are_pem(contents), more = true;
	BIO *bio = BIO_new_mem_buf(contents.data, (int)contents.length);
	STACK_OF(X509) *found = sk_X509_new_null();
	ERR_clear_error();
	*broken = !bio || !found;
	while (more && !*broken) {
		X509 *certificate = certificate_read(library, bio, pem);
		more = certificate && pem;
		if (!certificate)
			*broken = !pem || !is_end();
		else if (!sk_X509_push(found, certificate)) {
			X509_free(certificate);
			*broken = true;
		}
	}
	BIO_free(bio);
	if (!*broken)
		ERR_clear_error(); /* of the end, which is none */
	if (!*broken && sk_X509_num(found) != 0)
		return found;
	sk_X509_pop_free(found, X509_free);
	return NULL;
}

/* OpenSSL takes a key that it had no memory to read for one that it does not know, and remembers
 * such extensions as invalid ones: nobody would be trusted by that certificate. */
static bool one_is_doubtful(STACK_OF(X509) * certificates)
{
	for (int i = 0; i < sk_X509_num(certificates); i++) {
		X509 *certificate = sk_X509_value(certificates, i);
		if (!X509_get0_pubkey(certificate) ||
		    (X509_get_extension_flags(certificate) & EXFLAG_INVALID))
			return true;
	}
	return false;
}

/* What fails for want of memory does not always say so: what is broken has two chances. */
STACK_OF(X509) * contents_certificates(struct rg_span contents, OSSL_LIB_CTX *library, bool *broken)
{
	STACK_OF(X509) *found = certificates_read(contents, library, broken);
	if (!*broken && !one_is_doubtful(found))
		return found;
	sk_X509_pop_free(found, X509_free);
	return certificates_read(contents, library, broken);
}

static X509_CRL *crl_read(OSSL_LIB_CTX *library, BIO *bio, bool pem)
{
	X509_CRL *crl = X509_CRL_new_ex(library, NULL);
	X509_CRL *read = !crl  ? NULL
			 : pem ? PEM_read_bio_X509_CRL(bio, &crl, NULL, NULL)
			       : d2i_X509_CRL_bio(bio, &crl);
	if (!read)
		X509_CRL_free(crl); /* which a broken one has set to NULL */
	return read;
}

static STACK_OF(X509_CRL) * crls_read(struct rg_span contents, OSSL_LIB_CTX *library, bool *broken)
{
	bool pem = contents_are_pem(contents), more = true;
	BIO *bio = BIO_new_mem_buf(contents.data, (int)contents.length);
	STACK_OF(X509_CRL) *found = sk_X509_CRL_new_null();
	ERR_clear_error();
	*broken = !bio || !found;
	while (more && !*broken) {
		X509_CRL *crl = crl_read(library, bio, pem);
		more = crl && pem;
		if (!crl)
			*broken = !pem || !is_end();
		else if (!sk_X509_CRL_push(found, crl)) {
			X509_CRL_free(crl);
			*broken = true;
		}
	}
	BIO_free(bio);
	if (!*broken)
		ERR_clear_error(); /* of the end, which is none */
	if (!*broken && sk_X509_CRL_num(found) != 0)
		return found;
	sk_X509_CRL_pop_free(found, X509_CRL_free);
	return NULL;
}

STACK_OF(X509_CRL) * contents_crls(struct rg_span contents, OSSL_LIB_CTX *library, bool *broken)
{
	STACK_OF(X509_CRL) *found = crls_read(contents, library, broken);
	return *broken ? crls_read(contents, library, broken) : found;
}

time_t certificates_end(STACK_OF(X509) * certificates)
{
	time_t first = 0;
	for (int i = 0; i < sk_X509_num(certificates); i++) {
		time_t ends = certificate_time(X509_get0_notAfter(sk_X509_value(certificates, i)));
		first = i == 0 || ends < first ? ends : first;
	}
	return first;
}

time_t crls_end(STACK_OF(X509_CRL) * crls)
{
	time_t first = 0;
	for (int i = 0; i < sk_X509_CRL_num(crls); i++) {
		time_t ends =
			certificate_time(X509_CRL_get0_nextUpdate(sk_X509_CRL_value(crls, i)));
		first = i == 0 || ends < first ? ends : first;
	}
	return first;
}

/* Whether the issuer of each is among them: a chain from any of them ends in a root. OpenSSL says
 * no for want of memory, too. */
static bool all_issuers_named(STACK_OF(X509) * authorities)
{
	for (int i = 0; i < sk_X509_num(authorities); i++) {
		bool named = false;
		for (int j = 0; j < sk_X509_num(authorities) && !named; j++)
			named = X509_check_issued(sk_X509_value(authorities, j),
						  sk_X509_value(authorities, i)) == X509_V_OK;
		if (!named)
			return false;
	}
	return true;
}

bool store_trust(X509_STORE *store, STACK_OF(X509) * authorities)
{
	for (int i = 0; i < sk_X509_num(authorities); i++)
		if (!X509_STORE_add_cert(store, sk_X509_value(authorities, i)))
			return false;
	if (all_issuers_named(authorities) || all_issuers_named(authorities))
		return true;
	return memory_is_there(ISSUED_ROOM) &&
	       X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
}

bool store_know(X509_STORE *store, STACK_OF(X509_CRL) * crls)
{
	for (int i = 0; i < sk_X509_CRL_num(crls); i++)
		if (!X509_STORE_add_crl(store, sk_X509_CRL_value(crls, i)))
			return false;
	return true;
}

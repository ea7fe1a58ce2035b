#include "eap/tls_verify.h"

#include <openssl/x509_vfy.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/* How much an error says; the greatest of a chain is the one reported. */
enum rank { RANK_NONE, RANK_UNAVAILABLE, RANK_INVALID, RANK_EXPIRED, RANK_REVOKED, RANK_SIGNATURE, RANK_CA };

static enum rank rank_of(int error)
{
	switch (error) {
	case X509_V_OK:
		return RANK_NONE;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_UNTRUSTED:
		return RANK_CA;
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
	case X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE:
	case X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY:
		return RANK_SIGNATURE;
	case X509_V_ERR_CERT_REVOKED:
		return RANK_REVOKED;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return RANK_EXPIRED;
	case X509_V_ERR_UNABLE_TO_GET_CRL:
	case X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
	case X509_V_ERR_CRL_SIGNATURE_FAILURE:
	case X509_V_ERR_CRL_NOT_YET_VALID:
	case X509_V_ERR_CRL_HAS_EXPIRED:
	case X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD:
	case X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
	case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
	case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
	case X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
	case X509_V_ERR_DIFFERENT_CRL_SCOPE:
	case X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
		return RANK_UNAVAILABLE;
	default: /* OpenSSL's list is open: whatever else is wrong makes it invalid */
		return RANK_INVALID;
	}
}

enum rg_reason tls_verify_reason(int error)
{
	switch (rank_of(error)) {
	case RANK_NONE:
		return RG_REASON_NONE;
	case RANK_UNAVAILABLE:
		return RG_REASON_REVOCATION_UNAVAILABLE;
	case RANK_INVALID:
	case RANK_SIGNATURE:
		return RG_REASON_CERTIFICATE_INVALID;
	case RANK_EXPIRED:
		return RG_REASON_CERTIFICATE_EXPIRED;
	case RANK_REVOKED:
		return RG_REASON_CERTIFICATE_REVOKED;
	case RANK_CA:
		return RG_REASON_CERTIFICATE_UNKNOWN_CA;
	}
	return RG_REASON_CERTIFICATE_INVALID;
}

/* Where collect() keeps what it saw: a slot of the store context. */
static int found_index = -1;
static pthread_once_t found_once = PTHREAD_ONCE_INIT;

static void found_make(void)
{
	found_index = X509_STORE_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

void tls_verify_open(void)
{
	pthread_once(&found_once, found_make);
}

/* A trust anchor is trusted because the realm says so, not because of a CRL of whoever signed it. */
static bool at_anchor(X509_STORE_CTX *ctx)
{
	int depth = X509_STORE_CTX_get_error_depth(ctx);
	return depth > 0 && depth == sk_X509_num(X509_STORE_CTX_get0_chain(ctx)) - 1;
}

static int collect(int good, X509_STORE_CTX *ctx)
{
	int *found = X509_STORE_CTX_get_ex_data(ctx, found_index);
	int error = X509_STORE_CTX_get_error(ctx);
	if (good || (rank_of(error) == RANK_UNAVAILABLE && at_anchor(ctx)))
		return 1;
	if (rank_of(error) > rank_of(*found))
		*found = error;
	return 1;
}

int tls_verify_chain(X509_STORE_CTX *ctx)
{
	int found = X509_V_OK;
	tls_verify_open();
	if (!X509_STORE_CTX_set_ex_data(ctx, found_index, &found)) {
		X509_STORE_CTX_set_error(ctx, X509_V_ERR_OUT_OF_MEM);
		return 0;
	}
	X509_STORE_CTX_set_verify_cb(ctx, collect);
	int verified = X509_verify_cert(ctx);
	X509_STORE_CTX_set_ex_data(ctx, found_index, NULL);
	if (verified <= 0 && found == X509_V_OK) {
		found = X509_STORE_CTX_get_error(ctx);
		if (found == X509_V_OK)
			found = X509_V_ERR_UNSPECIFIED;
	}
	X509_STORE_CTX_set_error(ctx, found);
	return found == X509_V_OK;
}

#include "eap/tls_verify.h"

#include <openssl/evp.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "core/once.h"

/* How much an error says; the greatest of a chain is the one reported. */
enum rank {
	RANK_NONE,
	RANK_UNAVAILABLE,
	RANK_INVALID,
	RANK_EXPIRED,
	RANK_REVOKED,
	RANK_SIGNATURE,
	RANK_CA
};

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

/* What collect() saw: in a slot of the store context. */
struct findings {
	int error;       /* the one that says most */
	unsigned errors; /* all of them, also those let pass */
	struct rg_crl_memo *memo;
};

static int findings_index = -1;
static X509_STORE_CTX_check_crl_fn default_check_crl;
static struct rg_once opened = RG_ONCE;

static bool open_now(void)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	if (findings_index < 0)
		findings_index = X509_STORE_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	if (store && ctx && X509_STORE_CTX_init(ctx, store, NULL, NULL))
		default_check_crl = X509_STORE_CTX_get_check_crl(ctx);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return default_check_crl && findings_index >= 0;
}

bool tls_verify_open(void)
{
	return once_made(&opened, open_now);
}

/* A trust anchor is trusted because the realm says so, not because of a CRL of whoever signed it.
 */
static bool at_anchor(X509_STORE_CTX *ctx)
{
	int depth = X509_STORE_CTX_get_error_depth(ctx);
	return depth > 0 && depth == sk_X509_num(X509_STORE_CTX_get0_chain(ctx)) - 1;
}

static int collect(int good, X509_STORE_CTX *ctx)
{
	struct findings *findings = X509_STORE_CTX_get_ex_data(ctx, findings_index);
	int error = X509_STORE_CTX_get_error(ctx);
	if (good)
		return 1;
	findings->errors++;
	if (rank_of(error) == RANK_UNAVAILABLE && at_anchor(ctx))
		return 1;
	if (rank_of(error) > rank_of(findings->error))
		findings->error = error;
	return 1;
}

/* Who must have signed the CRL that covers the certificate looked at: the next of the chain, as
 * OpenSSL sees it. NULL: a CRL issuer of its own, or none. */
static X509 *crl_issuer(X509_STORE_CTX *ctx)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	int depth = X509_STORE_CTX_get_error_depth(ctx), last = sk_X509_num(chain) - 1;
	X509 *next = sk_X509_value(chain, depth < last ? depth + 1 : last);
	X509 *chosen = X509_STORE_CTX_get0_current_issuer(ctx);
	return !chosen || chosen == next ? next : NULL;
}

/* Nothing in it that makes its scope depend on the certificate asked about. */
static bool crl_is_plain(const X509_CRL *crl)
{
	return X509_CRL_get_ext_by_NID(crl, NID_issuing_distribution_point, -1) < 0 &&
	       X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) < 0;
}

static bool crl_is_current(const X509_CRL *crl)
{
	const ASN1_TIME *ends = X509_CRL_get0_nextUpdate(crl);
	return X509_cmp_current_time(X509_CRL_get0_lastUpdate(crl)) < 0 && ends &&
	       X509_cmp_current_time(ends) > 0;
}

static bool memo_holds(struct rg_crl_memo *memo, const X509_CRL *crl, const uint8_t issuer[32])
{
	bool found = false;
	pthread_mutex_lock(&memo->lock);
	for (unsigned i = 0; i < RG_CRL_MEMO && !found; i++)
		found = memo->seen[i].crl == crl && memcmp(memo->seen[i].issuer, issuer, 32) == 0;
	pthread_mutex_unlock(&memo->lock);
	return found;
}

static void memo_add(struct rg_crl_memo *memo, const X509_CRL *crl, const uint8_t issuer[32])
{
	pthread_mutex_lock(&memo->lock);
	unsigned at = memo->next++ % RG_CRL_MEMO;
	memo->seen[at].crl = crl;
	memcpy(memo->seen[at].issuer, issuer, 32);
	pthread_mutex_unlock(&memo->lock);
}

int tls_check_crl(X509_STORE_CTX *ctx, X509_CRL *crl)
{
	struct findings *findings = X509_STORE_CTX_get_ex_data(ctx, findings_index);
	X509 *issuer = crl_issuer(ctx);
	uint8_t digest[32];
	bool usable =
		issuer && crl_is_plain(crl) && X509_digest(issuer, EVP_sha256(), digest, NULL);
	if (usable && memo_holds(findings->memo, crl, digest) && crl_is_current(crl))
		return 1;
	unsigned before = findings->errors;
	int good = default_check_crl(ctx, crl);
	if (good == 1 && usable && findings->errors == before)
		memo_add(findings->memo, crl, digest);
	return good;
}

#define CHAIN_MOST    10   /* certificates that a supplicant may send */
#define KEY_BITS_MOST 8192 /* of the key in one */

/* Every signature of a chain is checked, trusted or not, so that the reason is right: a stranger must not make that
 * dear. X509_V_OK: it is not. */
static int chain_cost_fault(X509_STORE_CTX *ctx)
{
	const STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(ctx);
	if (sk_X509_num(sent) > CHAIN_MOST)
		return X509_V_ERR_CERT_CHAIN_TOO_LONG;
	for (int i = 0; i < sk_X509_num(sent); i++) {
		const EVP_PKEY *key = X509_get0_pubkey(sk_X509_value(sent, i));
		if (key && (EVP_PKEY_get_bits(key) > KEY_BITS_MOST || EVP_PKEY_is_a(key, "DSA")))
			return X509_V_ERR_APPLICATION_VERIFICATION;
	}
	return X509_V_OK;
}

int tls_verify_chain(X509_STORE_CTX *ctx, struct rg_crl_memo *memo)
{
	struct findings findings = {.error = chain_cost_fault(ctx), .memo = memo};
	if (findings.error != X509_V_OK) {
		X509_STORE_CTX_set_error(ctx, findings.error);
		return 0;
	}
	if (!tls_verify_open() || !X509_STORE_CTX_set_ex_data(ctx, findings_index, &findings)) {
		X509_STORE_CTX_set_error(ctx, X509_V_ERR_OUT_OF_MEM);
		return 0;
	}
	X509_STORE_CTX_set_verify_cb(ctx, collect);
	int verified = X509_verify_cert(ctx);
	X509_STORE_CTX_set_ex_data(ctx, findings_index, NULL);
	if (verified <= 0 && findings.error == X509_V_OK) {
		findings.error = X509_STORE_CTX_get_error(ctx);
		if (findings.error == X509_V_OK)
			findings.error = X509_V_ERR_UNSPECIFIED;
	}
	X509_STORE_CTX_set_error(ctx, findings.error);
	return findings.error == X509_V_OK;
}

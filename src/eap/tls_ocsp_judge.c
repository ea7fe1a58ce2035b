#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509_vfy.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "eap/tls_ocsp.h"
#include "tls/certificate.h"

#define SKEW_S        300
#define REMEMBER_MOST 3600
#define CACHE_BUCKETS 1024u
#define CACHE_WAYS    4u

static time_t time_of(const ASN1_GENERALIZEDTIME *time)
{
	return certificate_time(time);
}

/* The signer must be the issuer itself, or hold OCSPSigning from it: nothing else is trusted here.
 */
static bool signature_good(OCSP_BASICRESP *basic, X509 *issuer)
{
	X509_STORE *store = X509_STORE_new();
	STACK_OF(X509) *known = sk_X509_new_null();
	bool good = store && known && X509_STORE_add_cert(store, issuer) &&
		    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) &&
		    sk_X509_push(known, issuer) > 0 &&
		    OCSP_basic_verify(basic, known, store, OCSP_NOEXPLICIT) == 1;
	sk_X509_free(known);
	X509_STORE_free(store);
	return good;
}

static enum rg_revocation judge_single(OCSP_BASICRESP *basic, OCSP_CERTID *id, time_t *until,
				       char why[RG_OCSP_DETAIL])
{
	ASN1_GENERALIZEDTIME *revoked = NULL, *this_update = NULL, *next_update = NULL;
	int status, reason;
	if (!OCSP_resp_find_status(basic, id, &status, &reason, &revoked, &this_update,
				   &next_update)) {
		snprintf(why, RG_OCSP_DETAIL, "the OCSP answer is about another certificate");
		return RG_REVOCATION_UNAVAILABLE;
	}
	/* Without nextUpdate there is always something newer: a day old is too old. */
	if (!OCSP_check_validity(this_update, next_update, SKEW_S, next_update ? -1 : 86400)) {
		snprintf(why, RG_OCSP_DETAIL, "the OCSP answer has ended");
		return RG_REVOCATION_UNAVAILABLE;
	}
	*until = next_update ? time_of(next_update) : 0;
	switch (status) {
	case V_OCSP_CERTSTATUS_GOOD:
		snprintf(why, RG_OCSP_DETAIL, "good");
		return RG_REVOCATION_GOOD;
	case V_OCSP_CERTSTATUS_REVOKED:
		snprintf(why, RG_OCSP_DETAIL, "revoked%s%s", reason >= 0 ? ": " : "",
			 reason >= 0 ? OCSP_crl_reason_str(reason) : "");
		return RG_REVOCATION_REVOKED;
	default:
		*until = 0;
		snprintf(why, RG_OCSP_DETAIL, "the OCSP responder does not know the certificate");
		return RG_REVOCATION_UNAVAILABLE;
	}
}

enum rg_revocation ocsp_judge(OCSP_RESPONSE *response, OCSP_REQUEST *request, X509 *certificate,
			      X509 *issuer, time_t *until, char why[RG_OCSP_DETAIL])
{
	enum rg_revocation outcome = RG_REVOCATION_UNAVAILABLE;
	OCSP_BASICRESP *basic = NULL;
	OCSP_CERTID *id = NULL;
	int status = OCSP_response_status(response);
	*until = 0;
	if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
		snprintf(why, RG_OCSP_DETAIL, "the OCSP responder says %s",
			 OCSP_response_status_str(status));
	} else if (!(basic = OCSP_response_get1_basic(response))) {
		snprintf(why, RG_OCSP_DETAIL, "the OCSP answer cannot be read");
	} else if (request && OCSP_check_nonce(request, basic) == 0) {
		snprintf(why, RG_OCSP_DETAIL, "the OCSP answer is to another question");
	} else if (!signature_good(basic, issuer)) {
		const char *reason = ERR_reason_error_string(ERR_peek_last_error());
		snprintf(why, RG_OCSP_DETAIL, "the OCSP answer is not signed by the CA: %s",
			 reason ? reason : "no reason given");
	} else if ((id = OCSP_cert_to_id(NULL, certificate, issuer))) {
		outcome = judge_single(basic, id, until, why);
	} else {
		snprintf(why, RG_OCSP_DETAIL, "no memory");
	}
	OCSP_CERTID_free(id);
	OCSP_BASICRESP_free(basic);
	ERR_clear_error();
	return outcome;
}

/* Process-wide. Four ways a bucket; the one that ends first makes room. */
static struct remembered {
	struct rg_ocsp_key key;
	enum rg_revocation outcome;
	time_t until;
} cache[CACHE_BUCKETS][CACHE_WAYS];
static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER;

static struct remembered *cache_bucket(const struct rg_ocsp_key *key)
{
	return cache[(key->octets[0] | (unsigned)key->octets[1] << 8) % CACHE_BUCKETS];
}

bool ocsp_key_make(struct rg_ocsp_key *key, X509 *certificate, X509 *issuer,
		   const struct rg_ocsp_responder *responder)
{
	uint8_t digests[64];
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool good = md && X509_digest(certificate, EVP_sha256(), digests, NULL) &&
		    X509_digest(issuer, EVP_sha256(), digests + 32, NULL) &&
		    EVP_DigestInit_ex(md, EVP_sha256(), NULL) &&
		    EVP_DigestUpdate(md, digests, sizeof(digests)) &&
		    EVP_DigestUpdate(md, responder->name, strlen(responder->name)) &&
		    EVP_DigestUpdate(md, responder->path, strlen(responder->path)) &&
		    EVP_DigestFinal_ex(md, key->octets, NULL);
	EVP_MD_CTX_free(md);
	return good;
}

bool ocsp_cache_find(const struct rg_ocsp_key *key, time_t now, enum rg_revocation *outcome)
{
	bool found = false;
	pthread_mutex_lock(&cache_lock);
	struct remembered *bucket = cache_bucket(key);
	for (unsigned way = 0; way < CACHE_WAYS && !found; way++) {
		/* What is further away than that was asked before the clock was set back. */
		found = bucket[way].until > now && bucket[way].until - now <= REMEMBER_MOST &&
			memcmp(&bucket[way].key, key, sizeof(*key)) == 0;
		if (found)
			*outcome = bucket[way].outcome;
	}
	pthread_mutex_unlock(&cache_lock);
	return found;
}

void ocsp_cache_put(const struct rg_ocsp_key *key, enum rg_revocation outcome, time_t now,
		    time_t until)
{
	if (until > now + REMEMBER_MOST)
		until = now + REMEMBER_MOST;
	if (until <= now)
		return;
	pthread_mutex_lock(&cache_lock);
	struct remembered *bucket = cache_bucket(key), *place = bucket;
	for (unsigned way = 0; way < CACHE_WAYS; way++) {
		if (memcmp(&bucket[way].key, key, sizeof(*key)) == 0) {
			place = &bucket[way];
			break;
		}
		if (bucket[way].until < place->until)
			place = &bucket[way];
	}
	*place = (struct remembered){*key, outcome, until};
	pthread_mutex_unlock(&cache_lock);
}

void ocsp_cache_clear(void)
{
	pthread_mutex_lock(&cache_lock);
	memset(cache, 0, sizeof(cache));
	pthread_mutex_unlock(&cache_lock);
}

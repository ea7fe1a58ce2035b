/* Whose CA signed this certificate? For the helpdesk: a laptop that carries another town's. */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "eap/tls_private.h"

#define DEPTH_MOST 8

struct authority {
	struct authority *next; /* of its bucket */
	X509 *certificate;
	const struct rg_tls_context *context;
};

struct rg_tls_trust_set {
	struct rg_tls_context **contexts; /* held */
	size_t context_count;
	struct authority *authorities;
	size_t count;
	struct authority **buckets;
	size_t mask;
};

static size_t count_authorities(struct rg_tls_context *const *contexts, size_t count)
{
	size_t total = 0;
	for (size_t i = 0; i < count; i++)
		total += (size_t)sk_X509_num(contexts[i]->authorities);
	return total;
}

static void set_add(struct rg_tls_trust_set *set, const struct rg_tls_context *context)
{
	for (int i = 0; i < sk_X509_num(context->authorities); i++) {
		X509 *certificate = sk_X509_value(context->authorities, i);
		struct authority **bucket =
			&set->buckets[X509_subject_name_hash(certificate) & set->mask];
		struct authority *authority = &set->authorities[set->count++];
		*authority = (struct authority){*bucket, certificate, context};
		*bucket = authority;
	}
}

struct rg_tls_trust_set *tls_trust_set_new(struct rg_tls_context *const *contexts, size_t count)
{
	struct rg_tls_trust_set *set = calloc(1, sizeof(*set));
	size_t total = count_authorities(contexts, count), buckets = 16;
	while (buckets < total)
		buckets *= 2;
	if (!set)
		return NULL;
	set->mask = buckets - 1;
	set->buckets = calloc(buckets, sizeof(*set->buckets));
	set->authorities = calloc(total ? total : 1, sizeof(*set->authorities));
	set->contexts = calloc(count ? count : 1, sizeof(struct rg_tls_context *));
	if (!set->buckets || !set->authorities || !set->contexts) {
		tls_trust_set_free(&set);
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		/* Realms that share a context share its CAs. */
		if (i > 0 && contexts[i] == contexts[i - 1])
			continue;
		set->contexts[set->context_count++] = tls_context_ref(contexts[i]);
		set_add(set, contexts[i]);
	}
	return set;
}

void tls_trust_set_free(struct rg_tls_trust_set **holder)
{
	struct rg_tls_trust_set *set = *holder;
	*holder = NULL;
	if (!set)
		return;
	for (size_t i = 0; i < set->context_count; i++)
		tls_context_unref(&set->contexts[i]);
	free(set->contexts);
	free(set->authorities);
	free(set->buckets);
	free(set);
}

static bool signed_by(X509 *certificate, X509 *issuer)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);
	return key &&
	       X509_NAME_cmp(X509_get_issuer_name(certificate), X509_get_subject_name(issuer)) ==
		       0 &&
	       X509_verify(certificate, key) == 1;
}

static bool trusts(const struct rg_tls_context *context, X509 *certificate)
{
	for (int i = 0; i < sk_X509_num(context->authorities); i++)
		if (X509_cmp(sk_X509_value(context->authorities, i), certificate) == 0)
			return true;
	return false;
}

static bool knows_one(const struct rg_tls_trust_set *set, X509 *certificate,
		      const struct rg_tls_context *own)
{
	const struct authority *at = set->buckets[X509_issuer_name_hash(certificate) & set->mask];
	unsigned tried = 0;
	for (; at && tried < 4 * DEPTH_MOST; at = at->next) {
		if (at->context == own || (own && trusts(own, at->certificate)))
			continue;
		tried++;
		if (signed_by(certificate, at->certificate))
			return true;
	}
	return false;
}

bool tls_trust_set_knows(const struct rg_tls_trust_set *set, const void *x509,
			 const struct rg_tls_context *own)
{
	X509 *certificate =
		(X509 *)(uintptr_t)x509; /* X509_verify and the name hashes fill caches in it */
	bool known = certificate && knows_one(set, certificate, own);
	ERR_clear_error();
	return known;
}

bool tls_trust_set_knows_chain(const struct rg_tls_trust_set *set, const struct rg_proof *proof,
			       const struct rg_tls_context *own)
{
	const STACK_OF(X509) *sent = proof->chain;
	X509 *certificate = (X509 *)(uintptr_t)proof->x509;
	bool known = false;
	for (int depth = 0; certificate && depth < DEPTH_MOST; depth++) {
		known = knows_one(set, certificate, own);
		X509 *issuer = NULL;
		for (int i = 0; !known && !issuer && i < sk_X509_num(sent) && i < DEPTH_MOST; i++)
			if (sk_X509_value(sent, i) != certificate &&
			    signed_by(certificate, sk_X509_value(sent, i)))
				issuer = sk_X509_value(sent, i);
		certificate = issuer;
	}
	ERR_clear_error();
	return known;
}

/* Each way in which a certificate can be wrong ends in its own reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <unistd.h>

#include "laptop.h"

static struct town town;

static int set_up(void **state)
{
	(void)state;
	tls_engine_open();
	town_make(&town, 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	town_free(&town);
	tls_engine_close();
	return 0;
}

/* Both versions; extra: intermediates that the supplicant sends. */
static void refuse_with(struct town *at, const struct pki *identity, X509 *extra,
			enum rg_reason reason, const char *detail)
{
	struct rg_tls_context *context = town_context(at);
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct result result =
			sign_in(context,
				&(struct laptop_settings){
					.identity = identity, .extra = {extra}, .version = version},
				NULL);
		if (result.reason != reason)
			print_message("%s: %s\n", reason_word(result.reason), result.detail);
		assert_int_equal(result.verdict, RG_EAP_FAILURE);
		assert_int_equal(result.reason, reason);
		if (!strstr(result.detail, detail))
			print_message("detail: %s\n", result.detail);
		assert_non_null(strstr(result.detail, detail));
		assert_int_equal(result.failure_had_certificate, identity != NULL);
		assert_false(result.granted);
		assert_null(result.session);
		result_free(&result);
	}
	tls_context_unref(&context);
}

static void refuse_want(struct pki_want want, enum rg_reason reason, const char *detail)
{
	want.cn = want.cn ? want.cn : "anna@beuningen.nl";
	want.issuer = want.issuer ? want.issuer : &town.ca;
	struct pki identity = pki_make(&want);
	refuse_with(&town, &identity, NULL, reason, detail);
	pki_free(&identity);
}

static void test_E5_certificate_expired(void **state)
{
	(void)state;
	refuse_want((struct pki_want){.usage = "clientAuth", .from_s = -7200, .to_s = -3600},
		    RG_REASON_CERTIFICATE_EXPIRED, "expired");
}

static void test_E5_certificate_not_yet_valid(void **state)
{
	(void)state;
	refuse_want((struct pki_want){.usage = "clientAuth", .from_s = 3600, .to_s = 7200},
		    RG_REASON_CERTIFICATE_INVALID, "not yet valid");
}

static void test_E5_certificate_wrong_purpose(void **state)
{
	(void)state;
	refuse_want((struct pki_want){.usage = "serverAuth"}, RG_REASON_CERTIFICATE_INVALID,
		    "purpose");
}

static void test_E5_certificate_expired_and_wrong_purpose(void **state)
{
	(void)state;
	refuse_want((struct pki_want){.usage = "serverAuth", .from_s = -7200, .to_s = -3600},
		    RG_REASON_CERTIFICATE_EXPIRED, "expired");
}

static void test_E5_no_certificate(void **state)
{
	(void)state;
	refuse_with(&town, NULL, NULL, RG_REASON_CERTIFICATE_INVALID, "no certificate");
}

static void test_E5_certificate_of_a_weak_key(void **state)
{
	(void)state;
	struct pki weak = pki_make(&(struct pki_want){
		.cn = "w", .issuer = &town.ca, .usage = "clientAuth", .rsa_bits = 1024});
	refuse_with(&town, &weak, NULL, RG_REASON_CERTIFICATE_INVALID, "key too weak");
	pki_free(&weak);
}

static void test_E5_certificate_self_signed(void **state)
{
	(void)state;
	struct pki self =
		pki_make(&(struct pki_want){.cn = "anna@beuningen.nl", .usage = "clientAuth"});
	refuse_with(&town, &self, NULL, RG_REASON_CERTIFICATE_UNKNOWN_CA, "self-signed");
	pki_free(&self);
}

static void test_E5_certificate_of_another_ca_even_expired(void **state)
{
	(void)state;
	struct pki other = pki_make(&(struct pki_want){.cn = "Other CA", .ca = true});
	for (int i = 0; i < 2; i++) {
		struct pki one = pki_make(&(struct pki_want){.cn = "x",
							     .issuer = &other,
							     .usage = "clientAuth",
							     .from_s = i ? -7200 : -60,
							     .to_s = i ? -3600 : 60});
		refuse_with(&town, &one, NULL, RG_REASON_CERTIFICATE_UNKNOWN_CA, "issuer");
		refuse_with(&town, &one, other.certificate, RG_REASON_CERTIFICATE_UNKNOWN_CA,
			    "self-signed");
		pki_free(&one);
	}
	pki_free(&other);
}

/* A CA of the same name with a key of its own, and no key identifier to tell them apart by. */
static void test_E5_certificate_signature_forged(void **state)
{
	(void)state;
	struct pki fake = pki_make(&(struct pki_want){.cn = "Test CA", .ca = true});
	struct pki one =
		pki_make(&(struct pki_want){.cn = "x", .issuer = &town.ca, .usage = "clientAuth"});
	X509_sign(one.certificate, fake.key, EVP_sha256());
	refuse_with(&town, &one, NULL, RG_REASON_CERTIFICATE_INVALID, "signature");
	pki_free(&one);
	pki_free(&fake);
}

static void test_E5_certificate_outside_name_constraint(void **state)
{
	(void)state;
	struct pki middle = pki_make(
		&(struct pki_want){.cn = "Constrained",
				   .ca = true,
				   .issuer = &town.ca,
				   .constraints = "critical,permitted;email:beuningen.nl"});
	struct pki good = pki_make(&(struct pki_want){.cn = "x",
						      .issuer = &middle,
						      .usage = "clientAuth",
						      .san = "email:a@beuningen.nl"});
	struct pki bad = pki_make(&(struct pki_want){
		.cn = "x", .issuer = &middle, .usage = "clientAuth", .san = "email:a@druten.nl"});
	refuse_with(&town, &bad, middle.certificate, RG_REASON_CERTIFICATE_INVALID, "subtree");
	struct rg_tls_context *context = town_context(&town);
	struct result result = sign_in(
		context,
		&(struct laptop_settings){.identity = &good, .extra = {middle.certificate}}, NULL);
	assert_int_equal(result.verdict, RG_EAP_SUCCESS);
	result_free(&result);
	tls_context_unref(&context);
	pki_free(&good);
	pki_free(&bad);
	pki_free(&middle);
}

static void test_E5_leaf_revoked(void **state)
{
	(void)state;
	struct pki one =
		pki_make(&(struct pki_want){.cn = "x", .issuer = &town.ca, .usage = "clientAuth"});
	struct pki old = pki_make(&(struct pki_want){.cn = "x",
						     .issuer = &town.ca,
						     .usage = "clientAuth",
						     .from_s = -7200,
						     .to_s = -3600});
	X509 *both[] = {one.certificate, old.certificate, NULL};
	town_revoke(&town, both, 86400);
	refuse_with(&town, &one, NULL, RG_REASON_CERTIFICATE_REVOKED, "revoked");
	refuse_with(&town, &old, NULL, RG_REASON_CERTIFICATE_REVOKED, "revoked");
	/* Also by a list that has ended since. */
	town_revoke(&town, both, -60);
	refuse_with(&town, &one, NULL, RG_REASON_CERTIFICATE_REVOKED, "revoked");
	town.settings.crl = NULL;
	pki_free(&one);
	pki_free(&old);
}

/* A list that was found good once is not verified again; a list of the same name with a forged
 * signature still is, and so is the same list under another key. */
static void test_R1_crl_forged(void **state)
{
	(void)state;
	struct pki fake = pki_make(&(struct pki_want){.cn = "Test CA", .ca = true});
	struct pki one =
		pki_make(&(struct pki_want){.cn = "x", .issuer = &town.ca, .usage = "clientAuth"});
	X509_CRL *crl = pki_crl(&fake, NULL, 86400);
	pki_write_crls(town.crl_path, &crl, 1);
	town.settings.crl = town.crl_path;
	refuse_with(&town, &one, NULL, RG_REASON_REVOCATION_UNAVAILABLE, "CRL");
	struct rg_tls_context *context = town_context(&town);
	for (int i = 0; i < 3; i++) {
		struct result result =
			sign_in(context, &(struct laptop_settings){.identity = &one}, NULL);
		assert_int_equal(result.reason, RG_REASON_REVOCATION_UNAVAILABLE);
		result_free(&result);
	}
	tls_context_unref(&context);
	X509_CRL_free(crl);
	town.settings.crl = NULL;
	pki_free(&one);
	pki_free(&fake);
}

/* Revoked is revoked at the first look and at the next ones, with others signing in between. */
static void test_E5_revoked_stays_revoked(void **state)
{
	(void)state;
	struct pki good =
		pki_make(&(struct pki_want){.cn = "x", .issuer = &town.ca, .usage = "clientAuth"});
	struct pki bad =
		pki_make(&(struct pki_want){.cn = "y", .issuer = &town.ca, .usage = "clientAuth"});
	town_revoke(&town, (X509 *[]){bad.certificate, NULL}, 86400);
	struct rg_tls_context *context = town_context(&town);
	for (int i = 0; i < 4; i++) {
		struct result first =
			sign_in(context, &(struct laptop_settings){.identity = &good}, NULL);
		struct result second =
			sign_in(context, &(struct laptop_settings){.identity = &bad}, NULL);
		assert_int_equal(first.verdict, RG_EAP_SUCCESS);
		assert_int_equal(second.verdict, RG_EAP_FAILURE);
		assert_int_equal(second.reason, RG_REASON_CERTIFICATE_REVOKED);
		result_free(&first);
		result_free(&second);
	}
	tls_context_unref(&context);
	town.settings.crl = NULL;
	pki_free(&good);
	pki_free(&bad);
}

static void test_E5_intermediate_revoked(void **state)
{
	(void)state;
	struct pki middle =
		pki_make(&(struct pki_want){.cn = "Issuing", .ca = true, .issuer = &town.ca});
	struct pki one =
		pki_make(&(struct pki_want){.cn = "x", .issuer = &middle, .usage = "clientAuth"});
	X509_CRL *crls[2] = {pki_crl(&town.ca, NULL, 86400), pki_crl(&middle, NULL, 86400)};
	pki_write_crls(town.crl_path, crls, 2);
	town.settings.crl = town.crl_path;
	struct rg_tls_context *context = town_context(&town);
	struct result result = sign_in(
		context, &(struct laptop_settings){.identity = &one, .extra = {middle.certificate}},
		NULL);
	assert_int_equal(result.verdict, RG_EAP_SUCCESS);
	result_free(&result);
	tls_context_unref(&context);

	/* The intermediate's own list missing. */
	pki_write_crls(town.crl_path, crls, 1);
	refuse_with(&town, &one, middle.certificate, RG_REASON_REVOCATION_UNAVAILABLE, "CRL");

	X509_CRL_free(crls[0]);
	crls[0] = pki_crl(&town.ca, (X509 *[]){middle.certificate, NULL}, 86400);
	pki_write_crls(town.crl_path, crls, 2);
	refuse_with(&town, &one, middle.certificate, RG_REASON_CERTIFICATE_REVOKED, "revoked");
	X509_CRL_free(crls[0]);
	X509_CRL_free(crls[1]);
	town.settings.crl = NULL;
	pki_free(&one);
	pki_free(&middle);
}

static void test_R1_crl_expired(void **state)
{
	(void)state;
	struct pki one =
		pki_make(&(struct pki_want){.cn = "x", .issuer = &town.ca, .usage = "clientAuth"});
	town_revoke(&town, NULL, -60);
	refuse_with(&town, &one, NULL, RG_REASON_REVOCATION_UNAVAILABLE, "CRL has expired");
	town.settings.crl = NULL;
	pki_free(&one);
}

static void test_R1_crl_vanished(void **state)
{
	(void)state;
	struct pki one =
		pki_make(&(struct pki_want){.cn = "x", .issuer = &town.ca, .usage = "clientAuth"});
	town_revoke(&town, NULL, 86400);
	struct rg_tls_context *context = town_context(&town);
	unlink(town.crl_path);
	assert_true(tls_context_stale(context));
	struct rg_tls_context *after = tls_context_get(&town.settings, "x", NULL, NULL);
	assert_non_null(after);
	struct result result = sign_in(after, &(struct laptop_settings){.identity = &one}, NULL);
	assert_int_equal(result.verdict, RG_EAP_FAILURE);
	assert_int_equal(result.reason, RG_REASON_REVOCATION_UNAVAILABLE);
	result_free(&result);
	assert_false(tls_context_stale(after));
	town_revoke(&town, NULL, 86400);
	assert_true(tls_context_stale(after));
	tls_context_unref(&context);
	tls_context_unref(&after);
	town.settings.crl = NULL;
	pki_free(&one);
}

/* Resuming rests on the list too: when it has ended, so have the sessions. */
static void test_R1_crl_expires_under_a_session(void **state)
{
	(void)state;
	struct pki one =
		pki_make(&(struct pki_want){.cn = "x", .issuer = &town.ca, .usage = "clientAuth"});
	X509_CRL *crl = pki_crl(&town.ca, NULL, 2);
	pki_write_crls(town.crl_path, &crl, 1);
	town.settings.crl = town.crl_path;
	struct rg_tls_context *context = town_context(&town);
	struct laptop_settings settings = {.identity = &one};
	struct result full = sign_in(context, &settings, NULL);
	assert_int_equal(full.verdict, RG_EAP_SUCCESS);
	while (X509_cmp_current_time(X509_CRL_get0_nextUpdate(crl)) > 0)
		usleep(50000);
	refuse_with(&town, &one, NULL, RG_REASON_REVOCATION_UNAVAILABLE, "CRL has expired");
	settings.session = full.session;
	struct result again = sign_in(context, &settings, NULL);
	assert_int_equal(again.verdict, RG_EAP_FAILURE);
	assert_int_equal(again.reason, RG_REASON_REVOCATION_UNAVAILABLE);
	result_free(&again);
	result_free(&full);
	X509_CRL_free(crl);
	tls_context_unref(&context);
	town.settings.crl = NULL;
	pki_free(&one);
}

/* Only the issuing CA is named: it is the anchor, and its list suffices. */
static void test_issuing_ca_alone_is_an_anchor(void **state)
{
	(void)state;
	struct town small;
	town_make(&small, 0);
	struct pki middle =
		pki_make(&(struct pki_want){.cn = "Issuing", .ca = true, .issuer = &small.ca});
	struct pki one =
		pki_make(&(struct pki_want){.cn = "x", .issuer = &middle, .usage = "clientAuth"});
	struct pki direct =
		pki_make(&(struct pki_want){.cn = "y", .issuer = &small.ca, .usage = "clientAuth"});
	X509_CRL *crl = pki_crl(&middle, NULL, 86400);
	pki_write_certificates(small.client_ca, &middle.certificate, 1);
	pki_write_crls(small.crl_path, &crl, 1);
	small.settings.crl = small.crl_path;
	struct rg_tls_context *context = town_context(&small);
	struct result result = sign_in(context, &(struct laptop_settings){.identity = &one}, NULL);
	assert_int_equal(result.verdict, RG_EAP_SUCCESS);
	result_free(&result);
	refuse_with(&small, &direct, NULL, RG_REASON_CERTIFICATE_UNKNOWN_CA, "issuer");
	tls_context_unref(&context);
	X509_CRL_free(crl);
	pki_free(&one);
	pki_free(&direct);
	pki_free(&middle);
	town_free(&small);
}

static void test_E5_of_another_realms_ca(void **state)
{
	(void)state;
	struct town druten;
	town_make(&druten, 0);
	struct pki middle =
		pki_make(&(struct pki_want){.cn = "Issuing", .ca = true, .issuer = &druten.ca});
	struct pki direct = pki_make(&(struct pki_want){.cn = "x", .issuer = &druten.ca});
	struct pki below = pki_make(&(struct pki_want){.cn = "x", .issuer = &middle});
	struct pki own = pki_make(&(struct pki_want){.cn = "x", .issuer = &town.ca});
	struct pki forged = pki_make(&(struct pki_want){.cn = "x", .issuer = &druten.ca});
	X509_sign(forged.certificate, town.ca.key, EVP_sha256());
	struct rg_tls_context *contexts[2] = {town_context(&town), town_context(&druten)};
	struct rg_tls_trust_set *set = tls_trust_set_new(contexts, 2);
	assert_true(tls_trust_set_knows(set, direct.certificate, contexts[0]));
	assert_false(tls_trust_set_knows(set, direct.certificate, contexts[1]));
	assert_false(tls_trust_set_knows(set, forged.certificate, contexts[0]));
	assert_false(tls_trust_set_knows(set, own.certificate, contexts[0]));
	assert_false(tls_trust_set_knows(set, below.certificate, contexts[0]));
	STACK_OF(X509) *sent = sk_X509_new_null();
	sk_X509_push(sent, below.certificate);
	sk_X509_push(sent, middle.certificate);
	struct rg_proof proof = {.x509 = below.certificate, .chain = sent};
	assert_true(tls_trust_set_knows_chain(set, &proof, contexts[0]));
	assert_false(tls_trust_set_knows_chain(set, &proof, contexts[1]));
	sk_X509_free(sent);
	tls_trust_set_free(&set);
	tls_context_unref(&contexts[0]);
	tls_context_unref(&contexts[1]);
	pki_free(&middle);
	pki_free(&direct);
	pki_free(&below);
	pki_free(&own);
	pki_free(&forged);
	town_free(&druten);
}

static void test_supplicant_distrusts_server(void **state)
{
	(void)state;
	struct pki other = pki_make(&(struct pki_want){.cn = "Other CA", .ca = true});
	struct pki one =
		pki_make(&(struct pki_want){.cn = "x", .issuer = &town.ca, .usage = "clientAuth"});
	struct rg_tls_context *context = town_context(&town);
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct result result = sign_in(
			context,
			&(struct laptop_settings){
				.identity = &one, .trusts = other.certificate, .version = version},
			NULL);
		assert_int_equal(result.verdict, RG_EAP_FAILURE);
		assert_int_equal(result.reason, RG_REASON_SUPPLICANT_DISTRUSTS_SERVER);
		assert_non_null(strstr(result.detail, "unknown CA"));
		result_free(&result);
	}
	tls_context_unref(&context);
	pki_free(&one);
	pki_free(&other);
}

/* RSA_set0_key is deprecated, but makes a key of which nobody holds the other half. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static X509 *padding;

static void send_too_many(SSL *ssl)
{
	for (int i = 0; i < 12; i++)
		assert_true(SSL_add1_chain_cert(ssl, padding));
}

/* Signatures of strangers' chains are checked for their reason's sake: what that costs is bounded. */
static void test_E5_endless_chain_is_not_verified(void **state)
{
	(void)state;
	struct rg_tls_context *context = town_context(&town);
	struct pki identity = pki_make(&(struct pki_want){
		.cn = "anna@beuningen.nl", .issuer = &town.ca, .usage = "clientAuth"});
	padding = town.ca.certificate;
	struct result result = sign_in(context, &(struct laptop_settings){.identity = &identity,
			.tweak = send_too_many}, NULL);
	assert_int_equal(result.reason, RG_REASON_CERTIFICATE_INVALID);
	assert_non_null(strstr(result.detail, "chain too long"));
	result_free(&result);
	pki_free(&identity);
	tls_context_unref(&context);
}

/* A certificate of the realm's own CA beside one that only a stranger's key is in. */
static void test_E5_giant_key_in_the_chain_is_not_used(void **state)
{
	(void)state;
	struct pki stranger = pki_make(&(struct pki_want){.cn = "Stranger", .ca = true});
	struct pki identity = pki_make(&(struct pki_want){
		.cn = "anna@beuningen.nl", .issuer = &stranger, .usage = "clientAuth"});
	RSA *rsa = RSA_new();
	BIGNUM *modulus = BN_new(), *exponent = BN_new();
	EVP_PKEY *key = EVP_PKEY_new();
	assert_true(BN_set_bit(modulus, 16383) && BN_set_bit(modulus, 0) && BN_set_word(exponent, 65537));
	assert_true(RSA_set0_key(rsa, modulus, exponent, NULL) && EVP_PKEY_assign_RSA(key, rsa));
	assert_true(X509_set_pubkey(stranger.certificate, key));
	assert_true(X509_sign(stranger.certificate, stranger.key, EVP_sha256()));
	refuse_with(&town, &identity, stranger.certificate, RG_REASON_CERTIFICATE_INVALID,
		    "application verification failure");
	EVP_PKEY_free(key);
	pki_free(&identity);
	pki_free(&stranger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_E5_certificate_expired),
		cmocka_unit_test(test_E5_certificate_not_yet_valid),
		cmocka_unit_test(test_E5_certificate_wrong_purpose),
		cmocka_unit_test(test_E5_certificate_expired_and_wrong_purpose),
		cmocka_unit_test(test_E5_no_certificate),
		cmocka_unit_test(test_E5_certificate_of_a_weak_key),
		cmocka_unit_test(test_E5_certificate_self_signed),
		cmocka_unit_test(test_E5_certificate_of_another_ca_even_expired),
		cmocka_unit_test(test_E5_certificate_signature_forged),
		cmocka_unit_test(test_E5_certificate_outside_name_constraint),
		cmocka_unit_test(test_E5_leaf_revoked),
		cmocka_unit_test(test_R1_crl_forged),
		cmocka_unit_test(test_E5_revoked_stays_revoked),
		cmocka_unit_test(test_E5_intermediate_revoked),
		cmocka_unit_test(test_R1_crl_expired),
		cmocka_unit_test(test_R1_crl_vanished),
		cmocka_unit_test(test_R1_crl_expires_under_a_session),
		cmocka_unit_test(test_issuing_ca_alone_is_an_anchor),
		cmocka_unit_test(test_E5_of_another_realms_ca),
		cmocka_unit_test(test_E5_endless_chain_is_not_verified),
		cmocka_unit_test(test_E5_giant_key_in_the_chain_is_not_used),
		cmocka_unit_test(test_supplicant_distrusts_server),
	};
	return cmocka_run_group_tests_name("eap/tls_refusals", tests, set_up, tear_down);
}

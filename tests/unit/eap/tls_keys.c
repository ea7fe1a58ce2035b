/* Every kind of key that a certificate may bear: what tls/library.h leaves out is missed by nobody.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "eap/tls_private.h"
#include "laptop.h"
#include "tls/library.h"

static EVP_PKEY *make_ec(const char *curve)
{
	return EVP_EC_gen(curve);
}

static EVP_PKEY *make_rsa(const char *bits)
{
	return EVP_RSA_gen((unsigned)atoi(bits));
}

static EVP_PKEY *make_rsa_pss(const char *bits)
{
	EVP_PKEY *key = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
	assert_true(ctx && EVP_PKEY_keygen_init(ctx) == 1 &&
		    EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, atoi(bits)) == 1 &&
		    EVP_PKEY_generate(ctx, &key) == 1);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static EVP_PKEY *make_named(const char *name)
{
	return EVP_PKEY_Q_keygen(NULL, NULL, name);
}

static const struct kind {
	EVP_PKEY *(*make)(const char *);
	const char *argument;
	bool only_1_3; /* as a supplicant's: TLS 1.2 knows it by its curve, which is no group here
			*/
	bool only_ca;  /* nobody signs a handshake with it here */
} kinds[] = {
	{make_ec, "P-256", false, false},      {make_ec, "P-384", false, false},
	{make_ec, "P-521", true, false},       {make_rsa, "2048", false, false},
	{make_rsa, "3072", false, false},      {make_rsa_pss, "2048", false, true},
	{make_named, "ED25519", false, false}, {make_named, "ED448", false, true},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static struct town town;
static EVP_PKEY *keys[KINDS];

static int set_up(void **state)
{
	(void)state;
	tls_engine_open();
	town_make(&town, 0);
	for (size_t i = 0; i < KINDS; i++)
		keys[i] = kinds[i].make(kinds[i].argument);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++)
		EVP_PKEY_free(keys[i]);
	town_free(&town);
	tls_engine_close();
	return 0;
}

/* In full, then resumed. */
static void assert_signs_in(struct rg_tls_context *context, const struct pki *who, X509 *between,
			    int version)
{
	struct laptop_settings settings = {.identity = who,
					   .trusts = town.ca.certificate,
					   .version = version,
					   .extra = {between}};
	struct result full = sign_in(context, &settings, NULL);
	if (full.verdict != RG_EAP_SUCCESS)
		print_message("%s\n", full.detail);
	assert_int_equal(full.verdict, RG_EAP_SUCCESS);
	assert_true(full.keys_match);
	settings.session = full.session;
	struct result again = sign_in(context, &settings, NULL);
	assert_int_equal(again.verdict, RG_EAP_SUCCESS);
	assert_true(again.resumed && again.keys_match);
	result_free(&again);
	result_free(&full);
}

static struct pki staff_of(const struct pki *issuer, EVP_PKEY *key)
{
	return pki_make(&(struct pki_want){
		.cn = "anna@beuningen.nl", .issuer = issuer, .usage = "clientAuth", .key = key});
}

static void test_supplicants(void **state)
{
	(void)state;
	struct rg_tls_context *context = town_context(&town);
	assert_non_null(tls_library());
	assert_ptr_equal(context->library, tls_library());
	for (size_t i = 0; i < KINDS; i++) {
		if (kinds[i].only_ca)
			continue;
		print_message("%s\n", kinds[i].argument);
		struct pki anna = staff_of(&town.ca, keys[i]);
		if (!kinds[i].only_1_3)
			assert_signs_in(context, &anna, NULL, TLS1_2_VERSION);
		assert_signs_in(context, &anna, NULL, TLS1_3_VERSION);
		pki_free(&anna);
	}
	tls_context_unref(&context);
}

/* The realm's CA has such a key, and so has one between it and the staff, with a CRL of each. */
static void test_authorities(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		print_message("%s\n", kinds[i].argument);
		struct pki ca =
			pki_make(&(struct pki_want){.cn = "Odd CA", .ca = true, .key = keys[i]});
		struct pki between = pki_make(&(struct pki_want){
			.cn = "Between", .ca = true, .issuer = &ca, .key = keys[i]});
		struct pki anna = staff_of(&between, NULL);
		pki_write_certificates(town.client_ca, &ca.certificate, 1);
		X509 *nobody[] = {NULL};
		X509_CRL *crls[] = {pki_crl(&ca, nobody, 3600), pki_crl(&between, nobody, 3600)};
		pki_write_crls(town.crl_path, crls, 2);
		town.settings.crl = town.crl_path;
		struct rg_tls_context *context = town_context(&town);
		assert_ptr_equal(context->library, tls_library());
		assert_signs_in(context, &anna, between.certificate, TLS1_2_VERSION);
		assert_signs_in(context, &anna, between.certificate, TLS1_3_VERSION);
		tls_context_unref(&context);
		X509_CRL_free(crls[0]);
		X509_CRL_free(crls[1]);
		pki_free(&anna);
		pki_free(&between);
		pki_free(&ca);
	}
	town.settings.crl = NULL;
	pki_write_certificates(town.client_ca, &town.ca.certificate, 1);
}

/* As files have been written through the years. */
enum form { FORM_PKCS8, FORM_PKCS8_DER, FORM_TRADITIONAL, FORM_TRADITIONAL_DER, FORMS };

static bool write_key(const char *path, EVP_PKEY *key, enum form form)
{
	BIO *bio = BIO_new_file(path, "w");
	int written = 0;
	switch (form) {
	case FORM_PKCS8:
		written = PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
		break;
	case FORM_PKCS8_DER:
		written = i2d_PKCS8PrivateKey_bio(bio, key, NULL, NULL, 0, NULL, NULL);
		break;
	case FORM_TRADITIONAL:
		written = PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL);
		break;
	case FORM_TRADITIONAL_DER:
		written = i2d_PrivateKey_bio(bio, key);
		break;
	case FORMS:
		break;
	}
	BIO_free(bio);
	return written == 1;
}

static void test_servers(void **state)
{
	(void)state;
	struct pki anna = staff_of(&town.ca, NULL);
	for (size_t i = 0; i < KINDS; i++) {
		if (kinds[i].only_ca)
			continue;
		struct pki server = pki_make(&(struct pki_want){.cn = "radius.beuningen.nl",
								.issuer = &town.ca,
								.usage = "serverAuth",
								.san = "DNS:radius.beuningen.nl",
								.key = keys[i]});
		pki_write_certificates(town.certificate, &server.certificate, 1);
		for (int form = 0; form < FORMS; form++) {
			print_message("%s %d\n", kinds[i].argument, form);
			if (!write_key(town.key, server.key, (enum form)form))
				continue; /* this kind has no such form */
			struct rg_tls_context *context = town_context(&town);
			assert_ptr_equal(context->library, tls_library());
			if (!kinds[i].only_1_3)
				assert_signs_in(context, &anna, NULL, TLS1_2_VERSION);
			assert_signs_in(context, &anna, NULL, TLS1_3_VERSION);
			tls_context_unref(&context);
		}
		pki_free(&server);
	}
	pki_free(&anna);
	pki_write_certificates(town.certificate, &town.server.certificate, 1);
	pki_write_key(town.key, town.server.key);
}

/* A key that the library lacks makes OpenSSL's default context serve the realm. */
static void test_beyond_the_library(void **state)
{
	(void)state;
	EVP_PKEY *odd = make_named("X448");
	struct pki anna = staff_of(&town.ca, NULL);
	struct pki other = pki_make(
		&(struct pki_want){.cn = "Odd CA", .ca = true, .issuer = &town.ca, .key = odd});
	X509 *both[] = {other.certificate, town.ca.certificate};
	pki_write_certificates(town.client_ca, both, 2);
	struct rg_tls_context *context = town_context(&town);
	assert_null(context->library);
	assert_int_equal(sk_X509_num(context->authorities), 2);
	assert_signs_in(context, &anna, NULL, TLS1_2_VERSION);
	assert_signs_in(context, &anna, NULL, TLS1_3_VERSION);
	tls_context_unref(&context);
	pki_free(&other);
	pki_free(&anna);
	EVP_PKEY_free(odd);
	pki_write_certificates(town.client_ca, &town.ca.certificate, 1);
}

/* A stranger's certificate with a key that nobody reads is refused, whichever it is. */
static void test_unreadable_key_of_a_supplicant(void **state)
{
	(void)state;
	EVP_PKEY *odd = make_named("X448");
	struct pki between = pki_make(
		&(struct pki_want){.cn = "Odd CA", .ca = true, .issuer = &town.ca, .key = odd});
	struct pki anna =
		pki_make(&(struct pki_want){.cn = "anna@beuningen.nl", .usage = "clientAuth"});
	struct rg_tls_context *context = town_context(&town);
	struct result result = sign_in(
		context,
		&(struct laptop_settings){.identity = &anna, .extra = {between.certificate}}, NULL);
	assert_int_equal(result.verdict, RG_EAP_FAILURE);
	assert_int_equal(result.reason, RG_REASON_CERTIFICATE_UNKNOWN_CA);
	result_free(&result);
	tls_context_unref(&context);
	pki_free(&anna);
	pki_free(&between);
	EVP_PKEY_free(odd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_supplicants),
		cmocka_unit_test(test_authorities),
		cmocka_unit_test(test_servers),
		cmocka_unit_test(test_beyond_the_library),
		cmocka_unit_test(test_unreadable_key_of_a_supplicant),
	};
	return cmocka_run_group_tests_name("eap/tls_keys", tests, set_up, tear_down);
}

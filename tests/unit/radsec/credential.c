/* Credentials: what is shared, what is refused, and what a refresh makes of files that went bad. */
#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../directory/shortage.h"
#include "radsec/private.h"
#include "scene.h"
#include "tls/library.h"

static struct scene scene;
static char why[256];

static int begin(void **state)
{
	(void)state;
	scene_begin(&scene, RG_TRANSPORT_TLS);
	why[0] = '\0';
	return 0;
}

static int end(void **state)
{
	(void)state;
	scene_end(&scene);
	return 0;
}

static void refused(const char *reason)
{
	assert_null(radsec_get(&scene.ours, true, why));
	if (!strstr(why, reason))
		fail_msg("%s", why);
}

static void test_equal_ones_are_one(void **state)
{
	(void)state;
	struct rg_radsec *one = radsec_get(&scene.ours, true, why);
	struct rg_radsec *two = radsec_get(&scene.ours, false, why);
	assert_non_null(one);
	assert_ptr_equal(one, two);
	scene.ours.tls_min = RG_TLS_1_3;
	struct rg_radsec *three = radsec_get(&scene.ours, true, why);
	assert_ptr_not_equal(one, three);
	struct rg_radsec *again = radsec_ref(one);
	radsec_unref(&one);
	radsec_unref(&two);
	assert_false(radsec_stale(again));
	radsec_unref(&again);
	radsec_unref(&three);
}

static void test_a_file_that_changed_makes_another(void **state)
{
	(void)state;
	struct rg_radsec *one = radsec_get(&scene.ours, true, why);
	scene_certificate(&scene, &scene.theirs, &(struct pki_want){.cn = "new"});
	rename(scene.theirs.certificate, scene.ours.certificate);
	assert_true(radsec_stale(one));
	refused("is no key of that certificate");
	rename(scene.theirs.private_key, scene.ours.private_key);
	struct rg_radsec *two = radsec_get(&scene.ours, true, why);
	assert_non_null(two);
	assert_ptr_not_equal(one, two);
	radsec_unref(&one);
	radsec_unref(&two);
}

static void test_what_cannot_be_used_is_named(void **state)
{
	(void)state;
	pki_write_key(scene.ours.certificate, scene.ca.key);
	refused("holds no certificate");
	refused("credential gate");
	unlink(scene.ours.certificate);
	refused("cannot be read");
}

static void test_no_key(void **state)
{
	(void)state;
	pki_write_certificates(scene.ours.private_key, &scene.ca.certificate, 1);
	refused("holds no private key");
}

static void test_no_ca(void **state)
{
	(void)state;
	unlink(scene.ours.ca);
	refused("cannot be read");
}

static void test_R1_a_crl_that_is_missing(void **state)
{
	(void)state;
	scene_crl(&scene, NULL, 3600);
	unlink(scene.ours.crl);
	refused("cannot be read");
	/* At a refresh nobody is let in, rather than everybody. */
	struct rg_radsec *radsec = radsec_get(&scene.ours, false, why);
	assert_non_null(radsec);
	radsec_unref(&radsec);
}

/* A refresh finds the CRL gone: a peer that was in is out. */
static void test_R1_without_its_crl_nobody_is_trusted(void **state)
{
	(void)state;
	scene_crl(&scene, NULL, 3600);
	scene_open(&scene);
	scene_meet(&scene);
	unlink(scene.ours.crl);
	struct rg_radsec *radsec = radsec_get(&scene.ours, false, why);
	assert_false(connection_recheck(scene.inside[0].connection, radsec));
	radsec_unref(&radsec);
	assert_true(scene_until(&scene, scene.inside[0].ended));
	assert_string_equal(scene.inside[0].detail, "its certificate: unable to get certificate CRL");
}

static void write_der(const char *path, void *object, int (*encode)(void *, unsigned char **))
{
	unsigned char *der = NULL;
	int length = encode(object, &der);
	FILE *file = fopen(path, "w");
	assert_int_equal(fwrite(der, 1, (size_t)length, file), length);
	fclose(file);
	OPENSSL_free(der);
}

static int encode_certificate(void *object, unsigned char **der)
{
	return i2d_X509(object, der);
}

static int encode_key(void *object, unsigned char **der)
{
	return i2d_PrivateKey(object, der);
}

static int encode_crl(void *object, unsigned char **der)
{
	return i2d_X509_CRL(object, der);
}

static void test_files_in_der(void **state)
{
	(void)state;
	struct pki leaf = pki_make(&(struct pki_want){.cn = "der", .issuer = &scene.ca});
	X509_CRL *crl = pki_crl(&scene.ca, NULL, 3600);
	scene_crl(&scene, NULL, 3600);
	write_der(scene.ours.certificate, leaf.certificate, encode_certificate);
	write_der(scene.ours.private_key, leaf.key, encode_key);
	write_der(scene.ours.ca, scene.ca.certificate, encode_certificate);
	write_der(scene.ours.crl, crl, encode_crl);
	scene_open(&scene);
	scene_meet(&scene);
	assert_string_equal(scene.outside.subject, "CN=der");
	pki_free(&leaf);
	X509_CRL_free(crl);
}

struct ends {
	time_t certificate, ca, crl;
};

static void note_end(void *context, const char *what, time_t not_after)
{
	struct ends *ends = context;
	if (strcmp(what, "certificate") == 0)
		ends->certificate = not_after;
	else if (strcmp(what, "ca") == 0)
		ends->ca = not_after;
	else if (strcmp(what, "crl") == 0)
		ends->crl = not_after;
	else
		fail_msg("%s", what);
}

static void test_what_ends_when(void **state)
{
	struct ends ends = {0};
	time_t now = time(NULL);
	(void)state;
	scene_certificate(&scene, &scene.ours, &(struct pki_want){.cn = "x", .from_s = -9, .to_s = 9000});
	scene_crl(&scene, NULL, 3600);
	struct rg_radsec *radsec = radsec_get(&scene.ours, true, why);
	radsec_expiry(radsec, note_end, &ends);
	assert_in_range(ends.certificate, now + 8900, now + 9100);
	assert_in_range(ends.ca, now + 399 * 86400, now + 401 * 86400);
	assert_in_range(ends.crl, now + 3500, now + 3700);
	radsec_unref(&radsec);
}

/* An issuing CA under a root, both named: the root's list is asked about the issuing one. */
static void chain(bool root_named, bool revoked, bool good)
{
	struct pki issuing = pki_make(&(struct pki_want){.cn = "Issuing", .issuer = &scene.ca, .ca = true});
	X509 *const none[] = {NULL}, *const one[] = {issuing.certificate, NULL};
	X509 *const both[] = {issuing.certificate, scene.ca.certificate};
	X509_CRL *crls[] = {pki_crl(&issuing, none, 3600), pki_crl(&scene.ca, revoked ? one : none, 3600)};
	scene_certificate(&scene, &scene.theirs, &(struct pki_want){.cn = "caller", .issuer = &issuing});
	scene_crl(&scene, NULL, 3600);
	pki_write_certificates(scene.ours.ca, both, root_named ? 2 : 1);
	pki_write_crls(scene.ours.crl, crls, root_named ? 2 : 1);
	scene_open(&scene);
	scene_dial(&scene);
	assert_true(scene_until(&scene, scene.inside[0].established || scene.inside[0].ended));
	assert_int_equal(scene.inside[0].established, good);
	if (!good)
		assert_string_equal(scene.inside[0].detail, "its certificate: certificate revoked");
	X509_CRL_free(crls[0]);
	X509_CRL_free(crls[1]);
	pki_free(&issuing);
}

static void test_a_chain(void **state)
{
	(void)state;
	chain(true, false, true);
}

static void test_an_issuing_ca_that_is_revoked(void **state)
{
	(void)state;
	chain(true, true, false);
}

static void test_an_issuing_ca_alone(void **state)
{
	(void)state;
	chain(false, false, true);
}

/* Both CAs are trusted, and a chain goes up to the root, whose list is asked about the issuing one. */
static void knows_all(const struct rg_radsec *radsec, unsigned at)
{
	STACK_OF(X509_OBJECT) *found = X509_STORE_get0_objects(radsec->store);
	unsigned long flags = X509_VERIFY_PARAM_get_flags(X509_STORE_get0_param(radsec->store));
	unsigned authorities = 0, lists = 0;
	for (int i = 0; i < sk_X509_OBJECT_num(found); i++) {
		X509 *authority = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(found, i));
		lists += X509_OBJECT_get0_X509_CRL(sk_X509_OBJECT_value(found, i)) != NULL;
		authorities += authority && !(X509_get_extension_flags(authority) & EXFLAG_INVALID);
	}
	int named = sk_X509_NAME_num(SSL_CTX_get_client_CA_list(radsec->tls));
	if (authorities != 2 || lists != 2 || named != 2 || (flags & X509_V_FLAG_PARTIAL_CHAIN))
		fail_msg("allocation %u: %u CAs, %u CRLs, %d names, flags %lx", at, authorities, lists, named,
			 flags);
}

static void test_O3_a_credential_is_whole_or_none(void **state)
{
	(void)state;
	struct pki issuing = pki_make(&(struct pki_want){.cn = "Issuing", .issuer = &scene.ca, .ca = true});
	X509 *const none[] = {NULL}, *const both[] = {issuing.certificate, scene.ca.certificate};
	X509_CRL *crls[] = {pki_crl(&issuing, none, 3600), pki_crl(&scene.ca, none, 3600)};
	scene_crl(&scene, NULL, 3600);
	pki_write_certificates(scene.ours.ca, both, 2);
	pki_write_crls(scene.ours.crl, crls, 2);
	shortage.failed = true;
	/* It asks some thousand times; each of those for the files fails in unit/tls/contents.c. */
	for (unsigned at = 1; shortage.failed; at += 23) {
		shortage.failed = false;
		shortage.left = at;
		struct rg_radsec *radsec = radsec_get(&scene.ours, true, why);
		shortage.left = 0;
		assert_true(!radsec == shortage.failed); /* OpenSSL would go on without */
		if (radsec)
			knows_all(radsec, at);
		radsec_unref(&radsec);
	}
	X509_CRL_free(crls[0]);
	X509_CRL_free(crls[1]);
	pki_free(&issuing);
}

#define NEW(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NEW(test_equal_ones_are_one),
		NEW(test_a_file_that_changed_makes_another),
		NEW(test_what_cannot_be_used_is_named),
		NEW(test_no_key),
		NEW(test_no_ca),
		NEW(test_R1_a_crl_that_is_missing),
		NEW(test_R1_without_its_crl_nobody_is_trusted),
		NEW(test_files_in_der),
		NEW(test_what_ends_when),
		NEW(test_a_chain),
		NEW(test_an_issuing_ca_that_is_revoked),
		NEW(test_an_issuing_ca_alone),
		NEW(test_O3_a_credential_is_whole_or_none),
	};
	if (!tls_library_watch())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

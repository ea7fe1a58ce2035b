/* Files of certificates and CRLs: all of one counts, or nothing, even where memory is short
 * (attacks.md O3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "../directory/shortage.h"
#include "../eap/pki.h"
#include "tls/contents.h"

static struct pki root, issuing;
static X509_CRL *crls[2];

static int set_up(void **state)
{
	X509 *const none[] = {NULL};
	(void)state;
	root = pki_make(&(struct pki_want){.cn = "Root", .ca = true});
	issuing = pki_make(
		&(struct pki_want){.cn = "Issuing", .issuer = &root, .ca = true, .to_s = 5000});
	crls[0] = pki_crl(&root, none, 7200);
	crls[1] = pki_crl(&issuing, none, 3600);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	X509_CRL_free(crls[0]);
	X509_CRL_free(crls[1]);
	pki_free(&root);
	pki_free(&issuing);
	return 0;
}

/* A file in memory. */
struct file {
	char *text;
	size_t length;
	FILE *stream;
};

static void file_begin(struct file *file)
{
	*file = (struct file){0};
	file->stream = open_memstream(&file->text, &file->length);
	assert_non_null(file->stream);
}

static struct rg_span file_end(struct file *file)
{
	fclose(file->stream);
	return span_of(file->text, file->length);
}

/* Both CAs, and their lists. */
static struct rg_span all(struct file *file)
{
	file_begin(file);
	PEM_write_X509(file->stream, root.certificate);
	PEM_write_X509(file->stream, issuing.certificate);
	for (int i = 0; i < 2; i++)
		PEM_write_X509_CRL(file->stream, crls[i]);
	return file_end(file);
}

static void all_are_found(void **state)
{
	struct file file;
	bool broken = true;
	time_t now = time(NULL);
	(void)state;
	struct rg_span contents = all(&file);
	STACK_OF(X509) *certificates = contents_certificates(contents, NULL, &broken);
	assert_false(broken);
	assert_int_equal(sk_X509_num(certificates), 2);
	assert_in_range(certificates_end(certificates), now + 4900, now + 5100);
	STACK_OF(X509_CRL) *lists = contents_crls(contents, NULL, &broken);
	assert_false(broken);
	assert_int_equal(sk_X509_CRL_num(lists), 2);
	assert_in_range(crls_end(lists), now + 3500, now + 3700);
	assert_int_equal(ERR_peek_error(), 0);
	sk_X509_pop_free(certificates, X509_free);
	sk_X509_CRL_pop_free(lists, X509_CRL_free);
	free(file.text);
}

static void none(struct rg_span contents, bool broken)
{
	bool is_broken = !broken;
	assert_null(contents_certificates(contents, NULL, &is_broken));
	assert_int_equal(is_broken, broken);
	assert_null(contents_crls(contents, NULL, &is_broken));
	assert_int_equal(is_broken, broken);
	ERR_clear_error();
}

static void one_that_is_broken_spoils_all(void **state)
{
	struct file file;
	(void)state;
	file_begin(&file);
	PEM_write_X509(file.stream, root.certificate);
	PEM_write_X509_CRL(file.stream, crls[0]);
	fputs("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", file.stream);
	fputs("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", file.stream);
	none(file_end(&file), true);
	free(file.text);
	/* As a copy that has not ended. */
	file_begin(&file);
	PEM_write_X509(file.stream, root.certificate);
	PEM_write_X509_CRL(file.stream, crls[0]);
	fputs("-----BEGIN X509 CRL-----\nMIIB\n", file.stream);
	bool broken = false;
	assert_null(contents_crls(file_end(&file), NULL, &broken));
	assert_true(broken);
	free(file.text);
}

static void what_holds_none(void **state)
{
	struct file file;
	(void)state;
	none(span_text("-----BEGIN NOTHING-----\nAAAA\n-----END NOTHING-----\n"), false);
	none(span_text("nothing of the kind"), true);
	file_begin(&file);
	i2d_PrivateKey_fp(file.stream, root.key);
	none(file_end(&file), true);
	free(file.text);
}

static void one_in_der(void **state)
{
	struct file file;
	bool broken;
	(void)state;
	file_begin(&file);
	i2d_X509_fp(file.stream, root.certificate);
	STACK_OF(X509) *certificates = contents_certificates(file_end(&file), NULL, &broken);
	assert_int_equal(sk_X509_num(certificates), 1);
	sk_X509_pop_free(certificates, X509_free);
	free(file.text);
	file_begin(&file);
	i2d_X509_CRL_fp(file.stream, crls[0]);
	STACK_OF(X509_CRL) *lists = contents_crls(file_end(&file), NULL, &broken);
	assert_int_equal(sk_X509_CRL_num(lists), 1);
	sk_X509_CRL_pop_free(lists, X509_CRL_free);
	free(file.text);
}

static bool goes_up_to_the_root(X509_STORE *store)
{
	return !(X509_VERIFY_PARAM_get_flags(X509_STORE_get0_param(store)) &
		 X509_V_FLAG_PARTIAL_CHAIN);
}

static void an_issuing_ca_may_stand_alone(void **state)
{
	STACK_OF(X509) *authorities = sk_X509_new_null();
	X509_STORE *store = X509_STORE_new();
	(void)state;
	sk_X509_push(authorities, issuing.certificate);
	assert_true(store_trust(store, authorities));
	assert_false(goes_up_to_the_root(store));
	X509_STORE_free(store);
	store = X509_STORE_new();
	sk_X509_push(authorities, root.certificate);
	sk_X509_push(authorities, root.certificate); /* twice is no harm */
	assert_true(store_trust(store, authorities));
	assert_true(goes_up_to_the_root(store));
	X509_STORE_free(store);
	sk_X509_free(authorities);
}

/* What a realm or a credential makes of its files. False: it is told that there was no memory. */
static bool take(struct rg_span contents, X509_STORE *store)
{
	bool broken;
	STACK_OF(X509) *authorities = contents_certificates(contents, NULL, &broken);
	STACK_OF(X509_CRL) *lists = contents_crls(contents, NULL, &broken);
	bool taken =
		authorities && lists && store_trust(store, authorities) && store_know(store, lists);
	sk_X509_pop_free(authorities, X509_free);
	sk_X509_CRL_pop_free(lists, X509_CRL_free);
	return taken;
}

static void is_whole(X509_STORE *store, unsigned at)
{
	STACK_OF(X509_OBJECT) *found = X509_STORE_get0_objects(store);
	int good = 0;
	for (int i = 0; i < sk_X509_OBJECT_num(found); i++) {
		X509 *authority = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(found, i));
		good += !authority || !(X509_get_extension_flags(authority) & EXFLAG_INVALID);
	}
	if (good != 4 || !goes_up_to_the_root(store))
		fail_msg("allocation %u: %d good ones%s", at, good,
			 goes_up_to_the_root(store) ? "" : ", and no chain goes up to the root");
}

static void O3_all_is_trusted_or_nothing(void **state)
{
	struct file file;
	unsigned refused = 0;
	(void)state;
	struct rg_span contents = all(&file);
	shortage.failed = true;
	for (unsigned at = 1; shortage.failed; at++) {
		X509_STORE *store = X509_STORE_new();
		shortage.failed = false;
		shortage.left = at;
		bool taken = take(contents, store);
		shortage.left = 0;
		assert_true(taken || shortage.failed);
		if (taken)
			is_whole(store, at);
		refused += !taken;
		X509_STORE_free(store);
		ERR_clear_error();
	}
	assert_true(refused > 0 || !shortage_works());
	free(file.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_are_found),
		cmocka_unit_test(one_that_is_broken_spoils_all),
		cmocka_unit_test(what_holds_none),
		cmocka_unit_test(one_in_der),
		cmocka_unit_test(an_issuing_ca_may_stand_alone),
		cmocka_unit_test(O3_all_is_trusted_or_nothing),
	};
	return cmocka_run_group_tests_name("tls/contents", tests, set_up, tear_down);
}

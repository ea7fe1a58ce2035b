/* Names in certificates, good and hostile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "../eap/pki.h"
#include "tls/certificate.h"

static const int all[] = {RG_NAME_SAN_UPN, RG_NAME_SAN_EMAIL, RG_NAME_SUBJECT_CN, RG_NAME_SAN_DNS};
static const struct rg_choices order = {all, 4};

/* expected NULL: none counts. */
static void expect(X509 *certificate, const char *expected, enum rg_name_kind expected_kind)
{
	char name[64];
	enum rg_name_kind kind;
	bool found = certificate_identity(certificate, &order, name, sizeof(name), &kind);
	assert_int_equal(found, expected != NULL);
	assert_string_equal(name, expected ? expected : "");
	if (expected)
		assert_int_equal(kind, expected_kind);
}

static void expect_san(const char *cn, const char *san, const char *expected,
		       enum rg_name_kind kind)
{
	struct pki one = pki_make(&(struct pki_want){.cn = cn, .san = san});
	expect(one.certificate, expected, kind);
	pki_free(&one);
}

static void test_first_kind_wins(void **state)
{
	(void)state;
	expect_san("Anna",
		   "email:anna@x.nl,otherName:1.3.6.1.4.1.311.20.2.3;UTF8:a@x.nl,DNS:pc1.x.nl",
		   "a@x.nl", RG_NAME_SAN_UPN);
	expect_san("Anna", "email:anna@x.nl,DNS:pc1.x.nl", "anna@x.nl", RG_NAME_SAN_EMAIL);
	expect_san("Anna", "DNS:pc1.x.nl", "Anna", RG_NAME_SUBJECT_CN);
	expect_san(NULL, "DNS:pc1.x.nl", "host/pc1.x.nl", RG_NAME_SAN_DNS);
	expect_san(NULL, "URI:http://x.nl", NULL, 0);
	expect_san("J\xc3\xb6rg", NULL, "J\xc3\xb6rg", RG_NAME_SUBJECT_CN);
}

static void test_only_the_kinds_asked_for(void **state)
{
	(void)state;
	static const int upn[] = {RG_NAME_SAN_UPN};
	char name[64];
	enum rg_name_kind kind;
	struct pki one = pki_make(&(struct pki_want){.cn = "Anna", .san = "email:anna@x.nl"});
	assert_false(certificate_identity(one.certificate, &(struct rg_choices){upn, 1}, name,
					  sizeof(name), &kind));
	assert_false(certificate_identity(one.certificate, &(struct rg_choices){NULL, 0}, name,
					  sizeof(name), &kind));
	pki_free(&one);
}

/* A UPN of another ASN.1 type, or another otherName, is no UPN. */
static void test_upn_is_an_utf8_string(void **state)
{
	(void)state;
	expect_san(NULL, "otherName:1.3.6.1.4.1.311.20.2.3;IA5:a@x.nl", NULL, 0);
	expect_san(NULL, "otherName:1.3.6.1.4.1.311.20.2.4;UTF8:a@x.nl", NULL, 0);
}

static void add_email(GENERAL_NAMES *names, const void *data, int length)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *string = ASN1_IA5STRING_new();
	ASN1_STRING_set(string, data, length);
	GENERAL_NAME_set0_value(name, GEN_EMAIL, string);
	sk_GENERAL_NAME_push(names, name);
}

static void test_O6_nul_and_controls_do_not_count(void **state)
{
	(void)state;
	struct pki one = pki_make(&(struct pki_want){.cn = "line\nbreak"});
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	add_email(names, "admin@x.nl\0.evil.nl", 19);
	add_email(names, "", 0);
	add_email(names, "a\x7f@x.nl", 7);
	add_email(names, "0123456789012345678901234567890123456789012345678901234567890123@x", 66);
	X509_add1_ext_i2d(one.certificate, NID_subject_alt_name, names, 0, X509V3_ADD_REPLACE);
	expect(one.certificate, NULL, 0);
	add_email(names, "good@x.nl", 9);
	X509_add1_ext_i2d(one.certificate, NID_subject_alt_name, names, 0, X509V3_ADD_REPLACE);
	expect(one.certificate, "good@x.nl", RG_NAME_SAN_EMAIL);
	GENERAL_NAMES_free(names);
	pki_free(&one);
}

/* A CA that writes UTF-8 where only ASCII may stand: OpenSSL would make "j\xc3\x83\xc2\xb6rg@x.nl" of it. */
static void test_an_email_that_is_no_ascii_does_not_count(void **state)
{
	(void)state;
	struct pki one = pki_make(&(struct pki_want){.cn = NULL});
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	add_email(names, "j\xc3\xb6rg@x.nl", 10);
	X509_add1_ext_i2d(one.certificate, NID_subject_alt_name, names, 0, X509V3_ADD_REPLACE);
	expect(one.certificate, NULL, 0);
	GENERAL_NAMES_free(names);
	pki_free(&one);
}

static void test_at_most_eight_are_looked_at(void **state)
{
	(void)state;
	struct pki one = pki_make(&(struct pki_want){.cn = NULL});
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	for (int i = 0; i < RG_NAMES_MOST; i++)
		add_email(names, "\0", 1);
	add_email(names, "late@x.nl", 9);
	X509_add1_ext_i2d(one.certificate, NID_subject_alt_name, names, 0, X509V3_ADD_REPLACE);
	expect(one.certificate, NULL, 0);
	GENERAL_NAMES_free(names);
	pki_free(&one);
}

static void set_cn(struct pki *one, int type, const void *data, int length)
{
	X509_NAME *name = X509_NAME_new();
	X509_NAME_add_entry_by_NID(name, NID_commonName, type, data, length, -1, 0);
	X509_set_subject_name(one->certificate, name);
	X509_NAME_free(name);
}

static void test_encodings(void **state)
{
	(void)state;
	struct pki one = pki_make(&(struct pki_want){.cn = "x"});
	set_cn(&one, V_ASN1_BMPSTRING, "\0A\0\xe9", 4);
	expect(one.certificate, "A\xc3\xa9", RG_NAME_SUBJECT_CN);
	set_cn(&one, V_ASN1_T61STRING, "\xe9", 1);
	expect(one.certificate, "\xc3\xa9", RG_NAME_SUBJECT_CN);
	set_cn(&one, V_ASN1_BMPSTRING, "\0A\0\0", 4);
	expect(one.certificate, NULL, 0);
	set_cn(&one, V_ASN1_UTF8STRING, "\xff\xfe", 2);
	expect(one.certificate, NULL, 0);
	set_cn(&one, V_ASN1_UTF8STRING,
	       "a\xc2\x85"
	       "b",
	       4); /* a C1 control */
	expect(one.certificate, NULL, 0);
	pki_free(&one);
}

static void test_the_last_cn_counts(void **state)
{
	(void)state;
	struct pki one = pki_make(&(struct pki_want){.cn = "first"});
	X509_NAME_add_entry_by_txt(X509_get_subject_name(one.certificate), "CN", MBSTRING_ASC,
				   (const unsigned char *)"last", -1, -1, 0);
	expect(one.certificate, "last", RG_NAME_SUBJECT_CN);
	pki_free(&one);
}

static void test_O6_subject_is_escaped_and_cut(void **state)
{
	(void)state;
	char subject[256], small[12];
	struct pki one = pki_make(&(struct pki_want){.cn = "a\r\n\x1b[31m\"%{x}, O=y"});
	certificate_subject(one.certificate, subject, sizeof(subject));
	for (const char *at = subject; *at; at++)
		assert_true(*at >= 0x20 && *at != 0x7f);
	assert_non_null(strstr(subject, "\\x1b"));
	certificate_subject(one.certificate, small, sizeof(small));
	assert_true(strlen(small) < sizeof(small));
	assert_string_equal(small + strlen(small) - 3, "...");
	pki_free(&one);
}

static void test_server_names(void **state)
{
	(void)state;
	struct pki good = pki_make(&(struct pki_want){.cn = "r.x.nl", .san = "DNS:R.x.nl"});
	struct pki star = pki_make(&(struct pki_want){.cn = "r.x.nl", .san = "DNS:*.x.nl"});
	struct pki bare = pki_make(&(struct pki_want){.cn = "r.x.nl"});
	assert_true(certificate_has_dns(good.certificate));
	assert_true(certificate_dns_matches_cn(good.certificate));
	assert_false(certificate_has_wildcard(good.certificate));
	assert_true(certificate_has_wildcard(star.certificate));
	assert_false(certificate_dns_matches_cn(star.certificate));
	assert_false(certificate_has_dns(bare.certificate));
	assert_false(certificate_dns_matches_cn(bare.certificate));
	pki_free(&good);
	pki_free(&star);
	pki_free(&bare);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_kind_wins),
		cmocka_unit_test(test_only_the_kinds_asked_for),
		cmocka_unit_test(test_upn_is_an_utf8_string),
		cmocka_unit_test(test_O6_nul_and_controls_do_not_count),
		cmocka_unit_test(test_an_email_that_is_no_ascii_does_not_count),
		cmocka_unit_test(test_at_most_eight_are_looked_at),
		cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_the_last_cn_counts),
		cmocka_unit_test(test_O6_subject_is_escaped_and_cut),
		cmocka_unit_test(test_server_names),
	};
	return cmocka_run_group_tests_name("tls/certificate", tests, NULL, NULL);
}

/* Which names a certificate bears. */
#include <arpa/inet.h>
#include <string.h>

#include "radsec/names.h"
#include "scene.h"

static bool bears(const char *cn, const char *san, const char *name)
{
	const char *list[] = {"nobody.example", name}, *which = NULL;
	const struct rg_strings names = {list, 2};
	struct pki pki = pki_make(&(struct pki_want){.cn = cn, .san = san});
	struct rg_borne *borne = borne_of(pki.certificate);
	assert_non_null(borne);
	bool is = borne_has(borne, &names, &which);
	assert_true(is ? which == name : which == NULL);
	borne_free(&borne);
	assert_null(borne);
	pki_free(&pki);
	return is;
}

static bool bears_realm(const char *san, const char *realm)
{
	struct pki pki = pki_make(&(struct pki_want){.cn = "x", .san = san});
	struct rg_borne *borne = borne_of(pki.certificate);
	bool is = borne_has_realm(borne, realm);
	borne_free(&borne);
	pki_free(&pki);
	return is;
}

static void test_a_dns_name(void **state)
{
	(void)state;
	assert_true(bears("x", "DNS:peer.example", "peer.example"));
	assert_true(bears("x", "DNS:Peer.Example", "peer.example"));
	assert_true(bears("x", "DNS:other.example,DNS:peer.example", "peer.example"));
	assert_false(bears("x", "DNS:peer.example", "eer.example"));
	assert_false(bears("x", "DNS:peer.example.org", "peer.example"));
	assert_false(bears("x", "email:peer.example", "peer.example"));
	assert_false(bears("x", "URI:peer.example", "peer.example"));
}

static void test_a_cn_is_no_name(void **state)
{
	(void)state;
	assert_false(bears("peer.example", NULL, "peer.example"));
	assert_false(bears("peer.example", "DNS:other.example", "peer.example"));
	assert_false(bears(NULL, NULL, "peer.example"));
}

static void test_a_wildcard_is_the_whole_left_label(void **state)
{
	(void)state;
	assert_true(bears("x", "DNS:*.peer.example", "a.peer.example"));
	assert_true(bears("x", "DNS:*.peer.example", "b.PEER.example"));
	assert_false(bears("x", "DNS:*.peer.example", "a.b.peer.example"));
	assert_false(bears("x", "DNS:*.peer.example", "peer.example"));
	assert_false(bears("x", "DNS:*.peer.example", ".peer.example"));
	assert_false(bears("x", "DNS:a*.peer.example", "ab.peer.example"));
	assert_false(bears("x", "DNS:*a.peer.example", "ba.peer.example"));
	assert_false(bears("x", "DNS:a.*.example", "a.peer.example"));
	assert_false(bears("x", "DNS:*.*.example", "a.peer.example"));
	assert_false(bears("x", "DNS:*", "example"));
	assert_false(bears("x", "DNS:*.example", "peer.example"));
}

static void test_an_address(void **state)
{
	(void)state;
	assert_true(bears("x", "IP:192.0.2.1", "192.0.2.1"));
	assert_true(bears("x", "IP:2001:db8::1", "2001:db8:0::1"));
	assert_false(bears("x", "IP:192.0.2.1", "192.0.2.2"));
	assert_false(bears("x", "IP:2001:db8::1", "2001:db8::2"));
	/* One that is written as a name is none. */
	assert_false(bears("x", "DNS:192.0.2.1", "192.0.2.1"));
	assert_false(bears("192.0.2.1", NULL, "192.0.2.1"));
	assert_false(bears("x", "DNS:*.0.2.1", "192.0.2.1"));
}

#define NAI "otherName:1.3.6.1.5.5.7.8.8;UTF8:"

static void test_a_realm(void **state)
{
	(void)state;
	assert_true(bears_realm(NAI "beuningen.nl", "beuningen.nl"));
	assert_true(bears_realm(NAI "Beuningen.NL", "beuningen.nl"));
	assert_true(bears_realm(NAI "*.nl", "beuningen.nl"));
	assert_false(bears_realm(NAI "*.nl", "staf.beuningen.nl"));
	assert_false(bears_realm(NAI "beuningen.nl", "staf.beuningen.nl"));
	assert_false(bears_realm(NAI "", ""));
	assert_false(bears_realm("DNS:beuningen.nl", "beuningen.nl"));
	/* Another otherName, and another type of string. */
	assert_false(bears_realm("otherName:1.3.6.1.4.1.311.20.2.3;UTF8:beuningen.nl", "beuningen.nl"));
	assert_false(bears_realm("otherName:1.3.6.1.5.5.7.8.8;IA5STRING:beuningen.nl", "beuningen.nl"));
	/* Among the names of a client it is as good as any. */
	assert_true(bears("x", NAI "beuningen.nl", "beuningen.nl"));
}

/* "peer.example" NUL ".evil.example": what a C string ends at is no end. */
static void test_O6_a_nul_in_a_name(void **state)
{
	static const char text[] = "peer.example\0.evil.example";
	const char *list[] = {"peer.example"};
	const struct rg_strings names = {list, 1};
	(void)state;
	struct pki pki = pki_make(&(struct pki_want){.cn = "x"});
	GENERAL_NAMES *general = sk_GENERAL_NAME_new_null();
	GENERAL_NAME *one = GENERAL_NAME_new();
	ASN1_IA5STRING *string = ASN1_IA5STRING_new();
	ASN1_STRING_set(string, text, sizeof(text) - 1);
	GENERAL_NAME_set0_value(one, GEN_DNS, string);
	sk_GENERAL_NAME_push(general, one);
	assert_int_equal(X509_add1_ext_i2d(pki.certificate, NID_subject_alt_name, general, 0, 0), 1);
	GENERAL_NAMES_free(general);
	struct rg_borne *borne = borne_of(pki.certificate);
	assert_false(borne_has(borne, &names, NULL));
	borne_free(&borne);
	pki_free(&pki);
}

static void test_more_names_than_are_looked_at(void **state)
{
	char *san = NULL;
	size_t length;
	FILE *out = open_memstream(&san, &length);
	(void)state;
	for (unsigned i = 0; i < 2 * RG_BORNE_MOST; i++)
		fprintf(out, "%sDNS:n%u.example", i ? "," : "", i);
	fclose(out);
	assert_true(bears("x", san, "n0.example"));
	assert_true(bears("x", san, "n255.example"));
	assert_false(bears("x", san, "n256.example"));
	free(san);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_dns_name),
		cmocka_unit_test(test_a_cn_is_no_name),
		cmocka_unit_test(test_a_wildcard_is_the_whole_left_label),
		cmocka_unit_test(test_an_address),
		cmocka_unit_test(test_a_realm),
		cmocka_unit_test(test_O6_a_nul_in_a_name),
		cmocka_unit_test(test_more_names_than_are_looked_at),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

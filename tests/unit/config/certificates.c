/* The files of an eap group, judged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kit.h"

#define REALMS "realms.d/beuningen.cfg"
#define NAME "radius.beuningen.nl"

static void expect(bool warning, unsigned line, const char *key, const char *word)
{
	struct rg_report report = {0};
	struct rg_raddb *raddb = kit_load(&report);
	bool good = (raddb != NULL) == warning && kit_found(&report, warning, REALMS, line, key, word);
	if (!good) {
		fprintf(stderr, "no \"%s\"; what was:\n", word);
		kit_show(&report);
	}
	raddb_free(&raddb);
	report_free(&report);
	assert_true(good);
}

static void server_certificates_that_laptops_refuse(void **state)
{
	(void)state;
	const char *key = "realms[0].eap.certificate";
	kit_new();
	kit_leaf(&(struct kit_leaf){.cn = NAME, .dns = NAME, .days = 12});
	expect(true, 4, key, "ends in 12 days");
	kit_leaf(&(struct kit_leaf){.cn = NAME, .dns = NAME, .days = -3});
	expect(true, 4, key, "ended 3 days ago");
	kit_leaf(&(struct kit_leaf){.cn = NAME, .dns = NAME, .days = 90, .no_server_auth = true});
	expect(true, 4, key, "serverAuth");
	kit_leaf(&(struct kit_leaf){.cn = "*.beuningen.nl", .dns = "*.beuningen.nl", .days = 90});
	expect(true, 4, key, "wildcard");
	kit_leaf(&(struct kit_leaf){.cn = "other.beuningen.nl", .dns = NAME, .days = 90});
	expect(true, 4, key, "subjectAltName");
	kit_leaf(&(struct kit_leaf){.cn = NAME, .days = 90});
	expect(true, 4, key, "subjectAltName");
	kit_leaf(&(struct kit_leaf){.cn = NAME, .dns = NAME, .days = 90, .with_root = true});
	expect(true, 4, key, "root");
}

static void O1_a_key_that_fits_no_certificate(void **state)
{
	(void)state;
	const char *key = "realms[0].eap.private_key";
	kit_new();
	kit_leaf(&(struct kit_leaf){.cn = NAME, .dns = NAME, .days = 90, .other_key = true});
	expect(false, 5, key, "is not the key");
	kit_leaf(&(struct kit_leaf){.cn = NAME, .dns = NAME, .days = 90, .passphrase = "geheim"});
	expect(false, 5, key, "encrypted");
	kit_leaf(&(struct kit_leaf){.cn = NAME, .dns = NAME, .days = 90});
	kit_mode("certs/server.key", 0644);
	expect(true, 5, key, "read by everyone");
	kit_write("certs/server.key", "nothing like a key");
	expect(false, 5, key, "no private key");
	kit_write("certs/server.key", "");
	expect(false, 5, key, "no private key");
}

static void R1_lists_that_end_or_are_of_another_ca(void **state)
{
	(void)state;
	const char *key = "realms[0].eap.crl";
	kit_new();
	kit_crl(10, false);
	expect(true, 7, key, "ends in 10 days");
	kit_crl(-2, false);
	expect(true, 7, key, "revocation-unavailable");
	kit_crl(90, true);
	expect(false, 7, key, "signed by no CA");
	kit_write("certs/ca.crl", "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n");
	expect(false, 7, key, "broken");
}

static void broken_and_empty_files(void **state)
{
	(void)state;
	kit_new();
	kit_write("certs/ca.pem", "");
	expect(false, 6, "realms[0].eap.client_ca", "no certificate");
	kit_new();
	kit_write("certs/server.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	expect(false, 4, "realms[0].eap.certificate", "broken");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(server_certificates_that_laptops_refuse),
		cmocka_unit_test(O1_a_key_that_fits_no_certificate),
		cmocka_unit_test(R1_lists_that_end_or_are_of_another_ca),
		cmocka_unit_test(broken_and_empty_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A realm's TLS context that is made in a moment without memory (attacks.md O3) is whole or is none: it lacks nobody's CA, no
 * CRL and no algorithm for as long as its files stay what they are. Each attempt has a process of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../directory/shortage.h"
#include "laptop.h"
#include "tls/library.h"

#define OTHERS 2  /* CAs: with the three of the town more than a stack of OpenSSL has room for at first */
#define APART  23 /* allocations, of which one fails in each attempt */

enum { WHOLE = 0, NONE, PARTLY, UNTRIED = 8 /* beside: no allocation failed */ };

static struct town town;
static struct pki issuing, former, others[OTHERS];
static struct pki anna, zoe, revoked, of_former;

static void write_crls(void)
{
	X509 *const nobody[] = {NULL}, *const one[] = {revoked.certificate, NULL};
	X509 *const an_authority[] = {former.certificate, NULL};
	X509_CRL *crls[3 + OTHERS] = {pki_crl(&town.ca, an_authority, 3600), pki_crl(&issuing, one, 3600),
				      pki_crl(&former, nobody, 3600)};
	for (size_t i = 0; i < OTHERS; i++)
		crls[3 + i] = pki_crl(&others[i], nobody, 3600);
	pki_write_crls(town.crl_path, crls, 3 + OTHERS);
	for (size_t i = 0; i < 3 + OTHERS; i++)
		X509_CRL_free(crls[i]);
	town.settings.crl = town.crl_path;
}

static int set_up(void **state)
{
	X509 *authorities[3 + OTHERS];
	(void)state;
	assert_true(tls_library_watch());
	tls_engine_open();
	town_make(&town, 0);
	issuing = pki_make(&(struct pki_want){.cn = "Issuing CA", .issuer = &town.ca, .ca = true});
	former = pki_make(&(struct pki_want){.cn = "Former CA", .issuer = &town.ca, .ca = true});
	for (size_t i = 0; i < OTHERS; i++) {
		char name[32];
		snprintf(name, sizeof(name), "CA %zu", i);
		others[i] = pki_make(&(struct pki_want){.cn = name, .ca = true});
		authorities[3 + i] = others[i].certificate;
	}
	authorities[0] = town.ca.certificate;
	authorities[1] = issuing.certificate;
	authorities[2] = former.certificate;
	pki_write_certificates(town.client_ca, authorities, 3 + OTHERS);
	anna = pki_make(&(struct pki_want){.cn = "anna", .issuer = &issuing, .usage = "clientAuth"});
	revoked = pki_make(&(struct pki_want){.cn = "bert", .issuer = &issuing, .usage = "clientAuth"});
	of_former = pki_make(&(struct pki_want){.cn = "carla", .issuer = &former, .usage = "clientAuth"});
	zoe = pki_make(&(struct pki_want){.cn = "zoe", .issuer = &others[OTHERS - 1], .usage = "clientAuth"});
	write_crls();
	return 0;
}

static int tear_down(void **state)
{
	struct pki *all[] = {&issuing, &former, &anna, &zoe, &revoked, &of_former};
	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		pki_free(all[i]);
	for (size_t i = 0; i < OTHERS; i++)
		pki_free(&others[i]);
	town_free(&town);
	tls_engine_close();
	return 0;
}

static bool comes_to(struct rg_tls_context *context, const struct pki *who, int version, enum rg_reason reason)
{
	struct laptop_settings settings = {.identity = who, .version = version};
	struct result result = sign_in(context, &settings, NULL);
	bool as_ever = reason == RG_REASON_NONE ? result.verdict == RG_EAP_SUCCESS && result.knows_issuer
						: result.verdict == RG_EAP_FAILURE && result.reason == reason;
	if (!as_ever)
		print_message("%s: %s: %s\n", who == &anna ? "anna" : who == &zoe ? "zoe" : "one who is revoked",
			      reason_word(result.reason), result.detail);
	result_free(&result);
	return as_ever;
}

static bool is_whole(struct rg_tls_context *context)
{
	return comes_to(context, &anna, TLS1_3_VERSION, RG_REASON_NONE) &&
	       comes_to(context, &zoe, TLS1_2_VERSION, RG_REASON_NONE) &&
	       comes_to(context, &revoked, TLS1_2_VERSION, RG_REASON_CERTIFICATE_REVOKED) &&
	       comes_to(context, &of_former, TLS1_3_VERSION, RG_REASON_CERTIFICATE_REVOKED);
}

static void on_complaint(void *count, bool error, const char *key, const char *message)
{
	(void)key;
	(void)message;
	*(unsigned *)count += error;
}

/* What came of it where the at-th allocation fails, and so many after it. */
static int attempt(unsigned at, unsigned after)
{
	int status = 0;
	unsigned errors = 0;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		shortage.failed = false;
		shortage.after = after;
		shortage.left = at;
		struct rg_tls_context *context = tls_context_get(&town.settings, "beuningen.nl", on_complaint, &errors);
		shortage.left = 0;
		_exit((!context ? NONE : is_whole(context) ? WHOLE : PARTLY) | (shortage.failed ? 0 : UNTRIED));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (!WIFEXITED(status))
		fail_msg("allocation %u: it crashed", at);
	return WEXITSTATUS(status);
}

/* It asks some thousand times. */
static void attempt_all(unsigned after)
{
	unsigned none = 0, at = 0;
	int was;
	while (!((was = attempt(at += at < 8 ? 1 : APART, after)) & UNTRIED)) {
		if (was == PARTLY)
			fail_msg("allocation %u and %u after it", at, after);
		none += was == NONE;
	}
	assert_int_equal(was, WHOLE | UNTRIED);
	assert_true(!shortage_works() || none > 8);
}

static void O3_a_context_made_without_memory_is_whole_or_none(void **state)
{
	(void)state;
	attempt_all(0);
}

static void O3_so_is_one_made_without_memory_for_long(void **state)
{
	(void)state;
	attempt_all(100);
}

/* Which is that of the CRL, not far from the end. */
static void O3_an_error_counts_that_there_is_no_memory_to_tell_of(void **state)
{
	unsigned errors = 0, last;
	(void)state;
	town.settings.crl = "/nowhere/crl.pem";
	shortage.left = UINT32_MAX;
	assert_null(tls_context_get(&town.settings, "beuningen.nl", on_complaint, &errors));
	last = UINT32_MAX - shortage.left;
	shortage.left = 0;
	assert_int_equal(errors, 1);
	for (unsigned at = last < 300 ? 1 : last - 300; at <= last; at++) {
		shortage.left = at;
		assert_null(tls_context_get(&town.settings, "beuningen.nl", on_complaint, &errors));
		shortage.left = 0;
	}
	town.settings.crl = town.crl_path;
}

/* A realm of passwords trusts no CA, and has a list of none: without it the table of all realms' CAs grew for ever. */
static void O3_a_context_without_a_ca_has_a_list_of_none(void **state)
{
	struct rg_eap_settings settings = town.settings;
	unsigned errors = 0, last;
	(void)state;
	settings.client_ca = settings.crl = NULL;
	shortage.left = UINT32_MAX;
	struct rg_tls_context *context = tls_context_get(&settings, "beuningen.nl", on_complaint, &errors);
	last = UINT32_MAX - shortage.left;
	shortage.left = 0;
	assert_non_null(context);
	tls_context_unref(&context);
	for (unsigned at = last < 100 ? 1 : last - 100; at <= last; at++) {
		shortage.left = at;
		context = tls_context_get(&settings, "beuningen.nl", on_complaint, &errors);
		shortage.left = 0;
		struct rg_tls_trust_set *set = context ? tls_trust_set_new(&context, 1) : NULL;
		assert_true(!context || set);
		if (set)
			tls_trust_set_free(&set);
		tls_context_unref(&context);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(O3_a_context_made_without_memory_is_whole_or_none),
		cmocka_unit_test(O3_so_is_one_made_without_memory_for_long),
		cmocka_unit_test(O3_an_error_counts_that_there_is_no_memory_to_tell_of),
		cmocka_unit_test(O3_a_context_without_a_ca_has_a_list_of_none),
	};
	return cmocka_run_group_tests_name("eap/tls_shortage", tests, set_up, tear_down);
}

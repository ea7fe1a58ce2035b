/* EAP-TLS signs in: versions, key types, fragments, names, keys, resumption. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "eap/tls_cache.h"
#include "laptop.h"

static struct town town;
static struct pki staff, staff_rsa;

static int set_up(void **state)
{
	(void)state;
	tls_engine_open();
	town_make(&town, 0);
	staff = pki_make(&(struct pki_want){.cn = "Anna",
					    .issuer = &town.ca,
					    .usage = "clientAuth",
					    .san = "email:anna@beuningen.nl"});
	staff_rsa = pki_make(&(struct pki_want){.cn = "bob@beuningen.nl",
						.issuer = &town.ca,
						.usage = "clientAuth",
						.rsa_bits = 2048});
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	pki_free(&staff);
	pki_free(&staff_rsa);
	town_free(&town);
	tls_engine_close();
	return 0;
}

static void assert_accepted(const struct result *result, const char *version, bool resumed)
{
	if (result->verdict != RG_EAP_SUCCESS)
		print_message("%d %s %s\n", result->verdict, reason_word(result->reason),
			      result->detail);
	assert_int_equal(result->verdict, RG_EAP_SUCCESS);
	assert_string_equal(result->version, version);
	assert_int_equal(result->resumed, resumed);
	assert_true(result->keys_match);
	assert_int_equal(result->success_indication, version[2] == '3');
}

static void sign_in_both(struct town *at, const struct pki *identity, const char *name)
{
	struct rg_tls_context *context = town_context(at);
	static const struct {
		int wire;
		const char *name;
	} versions[] = {{TLS1_2_VERSION, "1.2"}, {TLS1_3_VERSION, "1.3"}};
	for (size_t i = 0; i < 2; i++) {
		struct laptop_settings settings = {.identity = identity,
						   .trusts = at->ca.certificate,
						   .version = versions[i].wire};
		struct result full = sign_in(context, &settings, NULL);
		assert_accepted(&full, versions[i].name, false);
		assert_string_equal(full.identity, name);
		assert_non_null(full.session);
		settings.session = full.session;
		struct result again = sign_in(context, &settings, NULL);
		assert_accepted(&again, versions[i].name, true);
		assert_string_equal(again.identity, name);
		assert_true(again.rounds < full.rounds || versions[i].wire == TLS1_3_VERSION);
		/* And once more: TLS 1.3 with its newest ticket, TLS 1.2 with the same session. */
		if (again.session)
			settings.session = again.session;
		struct result third = sign_in(context, &settings, NULL);
		assert_accepted(&third, versions[i].name, true);
		result_free(&third);
		result_free(&again);
		result_free(&full);
	}
	tls_context_unref(&context);
}

static void test_full_and_resumed_p256(void **state)
{
	(void)state;
	sign_in_both(&town, &staff, "anna@beuningen.nl");
}

static void test_full_and_resumed_rsa(void **state)
{
	(void)state;
	struct town rsa;
	town_make(&rsa, 2048);
	struct pki anna = pki_make(&(struct pki_want){.cn = "bob@beuningen.nl",
						      .issuer = &rsa.ca,
						      .usage = "clientAuth",
						      .rsa_bits = 2048});
	sign_in_both(&rsa, &anna, "bob@beuningen.nl");
	pki_free(&anna);
	town_free(&rsa);
}

static void test_versions_are_the_realms(void **state)
{
	(void)state;
	town.settings.tls_min = RG_TLS_1_3;
	struct rg_tls_context *context = town_context(&town);
	struct result result = sign_in(
		context, &(struct laptop_settings){.identity = &staff, .version = TLS1_2_VERSION},
		NULL);
	assert_int_equal(result.verdict, RG_EAP_FAILURE);
	assert_int_equal(result.reason, RG_REASON_METHOD_REFUSED);
	assert_non_null(strstr(result.detail, "no TLS version"));
	result_free(&result);
	tls_context_unref(&context);
	town.settings.tls_min = RG_TLS_1_2;
	town.settings.tls_max = RG_TLS_1_2;
	context = town_context(&town);
	result = sign_in(context, &(struct laptop_settings){.identity = &staff}, NULL);
	assert_accepted(&result, "1.2", false);
	result_free(&result);
	tls_context_unref(&context);
	town.settings.tls_max = RG_TLS_1_3;
}

static void test_E4_nothing_is_cached_before_the_accept(void **state)
{
	(void)state;
	struct rg_tls_context *context = town_context(&town);
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		size_t before = tls_cache_count();
		struct laptop_settings settings = {.identity = &staff, .version = version};
		struct result result = sign_in(context, &settings, &(struct how){.forget = true});
		assert_int_equal(result.verdict, RG_EAP_SUCCESS);
		assert_int_equal(tls_cache_count(), before);
		settings.session = result.session;
		struct result again = sign_in(context, &settings, NULL);
		assert_accepted(&again, version == TLS1_2_VERSION ? "1.2" : "1.3", false);
		assert_int_equal(tls_cache_count(), before + 1);
		result_free(&again);
		result_free(&result);
	}
	tls_context_unref(&context);
}

static void test_E4_a_refused_one_gets_neither_ticket_nor_last_flight(void **state)
{
	(void)state;
	struct rg_tls_context *context = town_context(&town);
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		size_t before = tls_cache_count();
		struct result result = sign_in(
			context, &(struct laptop_settings){.identity = &staff, .version = version},
			&(struct how){.refuse = true});
		assert_int_equal(result.verdict, RG_EAP_FAILURE);
		assert_null(result.session);
		assert_false(result.success_indication);
		assert_int_equal(tls_cache_count(), before);
		result_free(&result);
	}
	tls_context_unref(&context);
}

static void resume_elsewhere(struct rg_tls_context *first, struct rg_tls_context *second,
			     const char *realm, bool resumes)
{
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct laptop_settings settings = {.identity = &staff, .version = version};
		struct result full = sign_in(first, &settings, NULL);
		assert_accepted(&full, version == TLS1_2_VERSION ? "1.2" : "1.3", false);
		settings.session = full.session;
		struct result again = sign_in(second, &settings, &(struct how){.realm = realm});
		assert_accepted(&again, version == TLS1_2_VERSION ? "1.2" : "1.3", resumes);
		result_free(&again);
		result_free(&full);
	}
}

static void test_E4_a_new_crl_ends_all_sessions(void **state)
{
	(void)state;
	town_revoke(&town, NULL, 86400);
	struct rg_tls_context *before = town_context(&town), *same = town_context(&town);
	assert_ptr_equal(before, same);
	resume_elsewhere(before, before, "beuningen.nl", true);
	assert_false(tls_context_stale(before));
	town_revoke(&town, (X509 *[]){staff_rsa.certificate, NULL}, 86400);
	assert_true(tls_context_stale(before));
	struct rg_tls_context *after = town_context(&town);
	assert_ptr_not_equal(before, after);
	resume_elsewhere(before, after, "beuningen.nl", false);
	tls_context_unref(&before);
	tls_context_unref(&same);
	tls_context_unref(&after);
	town.settings.crl = NULL;
}

static void test_E4_a_session_stays_in_its_realm(void **state)
{
	(void)state;
	struct rg_tls_context *context = town_context(&town);
	resume_elsewhere(context, context, "druten.nl", false);
	tls_context_unref(&context);
}

static void test_E4_revoked_after_resumable(void **state)
{
	(void)state;
	town_revoke(&town, NULL, 86400);
	struct rg_tls_context *before = town_context(&town);
	struct laptop_settings settings = {.identity = &staff};
	struct result full = sign_in(before, &settings, NULL);
	assert_accepted(&full, "1.3", false);
	town_revoke(&town, (X509 *[]){staff.certificate, NULL}, 86400);
	struct rg_tls_context *after = town_context(&town);
	settings.session = full.session;
	struct result again = sign_in(after, &settings, NULL);
	assert_int_equal(again.verdict, RG_EAP_FAILURE);
	assert_int_equal(again.reason, RG_REASON_CERTIFICATE_REVOKED);
	result_free(&again);
	result_free(&full);
	tls_context_unref(&before);
	tls_context_unref(&after);
	town.settings.crl = NULL;
}

static void test_resume_0_never_resumes(void **state)
{
	(void)state;
	town.settings.resume_s = 0;
	struct rg_tls_context *context = town_context(&town);
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct laptop_settings settings = {.identity = &staff, .version = version};
		struct result full = sign_in(context, &settings, NULL);
		assert_accepted(&full, version == TLS1_2_VERSION ? "1.2" : "1.3", false);
		settings.session = full.session;
		struct result again = sign_in(context, &settings, NULL);
		assert_accepted(&again, version == TLS1_2_VERSION ? "1.2" : "1.3", false);
		result_free(&again);
		result_free(&full);
	}
	tls_context_unref(&context);
	town.settings.resume_s = 28800;
}

/* The certificate's own end counts at a resumption too. */
static void test_E4_expired_since(void **state)
{
	(void)state;
	struct rg_tls_context *context = town_context(&town);
	struct pki brief = pki_make(&(struct pki_want){
		.cn = "carl", .issuer = &town.ca, .usage = "clientAuth", .from_s = -60, .to_s = 2});
	struct laptop_settings settings = {.identity = &brief};
	struct result full = sign_in(context, &settings, NULL);
	assert_accepted(&full, "1.3", false);
	while (X509_cmp_current_time(X509_get0_notAfter(brief.certificate)) > 0)
		usleep(50000);
	settings.session = full.session;
	struct result again = sign_in(context, &settings, NULL);
	assert_int_equal(again.verdict, RG_EAP_FAILURE);
	assert_int_equal(again.reason, RG_REASON_CERTIFICATE_EXPIRED);
	result_free(&again);
	result_free(&full);
	pki_free(&brief);
	tls_context_unref(&context);
}

static void test_fragments_small_both_ways(void **state)
{
	(void)state;
	struct rg_tls_context *context = town_context(&town);
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct result result = sign_in(
			context,
			&(struct laptop_settings){
				.identity = &staff, .version = version, .fragment = 60, .room = 60},
			NULL);
		assert_accepted(&result, version == TLS1_2_VERSION ? "1.2" : "1.3", false);
		assert_true(result.rounds > 20);
		assert_int_equal(result.largest_request, 60);
		result_free(&result);
	}
	tls_context_unref(&context);
}

/* 12 KB of certificates on both sides. */
static void test_long_chains(void **state)
{
	(void)state;
	struct town large;
	town_make(&large, 0);
	struct pki middle = pki_make(&(struct pki_want){
		.cn = "Issuing CA", .ca = true, .issuer = &large.ca, .padding = 6000});
	struct pki server = pki_make(&(struct pki_want){.cn = "radius.beuningen.nl",
							.issuer = &middle,
							.usage = "serverAuth",
							.padding = 6000,
							.san = "DNS:radius.beuningen.nl"});
	struct pki person = pki_make(&(struct pki_want){.cn = "eve@beuningen.nl",
							.issuer = &middle,
							.usage = "clientAuth",
							.padding = 6000});
	pki_write_certificates(large.certificate,
			       (X509 *[]){server.certificate, middle.certificate}, 2);
	pki_write_key(large.key, server.key);
	struct rg_tls_context *context = town_context(&large);
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct result result =
			sign_in(context,
				&(struct laptop_settings){.identity = &person,
							  .extra = {middle.certificate},
							  .trusts = large.ca.certificate,
							  .version = version},
				NULL);
		assert_accepted(&result, version == TLS1_2_VERSION ? "1.2" : "1.3", false);
		assert_true(result.rounds > 24);
		assert_true(result.largest_request <= 1024 + 5);
		result_free(&result);
	}
	tls_context_unref(&context);
	pki_free(&middle);
	pki_free(&server);
	pki_free(&person);
	town_free(&large);
}

static void test_names(void **state)
{
	(void)state;
	struct rg_tls_context *context = town_context(&town);
	struct pki nameless = pki_make(
		&(struct pki_want){.cn = "line\nbreak", .issuer = &town.ca, .usage = "clientAuth"});
	struct result result =
		sign_in(context, &(struct laptop_settings){.identity = &nameless}, NULL);
	assert_accepted(&result, "1.3", false);
	assert_string_equal(result.identity, "");
	assert_string_equal(result.subject, "CN=line\\x0abreak");
	result_free(&result);
	pki_free(&nameless);
	tls_context_unref(&context);
}

static void count_notes(void *to, bool error, const char *key, const char *message)
{
	(void)key;
	(void)message;
	((unsigned *)to)[error]++;
}

static void expect_error(struct town *at, const char *key)
{
	unsigned found[2] = {0};
	struct rg_tls_context *context = tls_context_get(&at->settings, "x", count_notes, found);
	if (context || found[1] == 0)
		print_message("no error of %s\n", key);
	assert_null(context);
	assert_true(found[1] > 0);
}

static void test_files_that_are_wrong(void **state)
{
	(void)state;
	struct town bad;
	town_make(&bad, 0);
	pki_write_key(bad.key, staff.key);
	expect_error(&bad, "private_key");
	pki_write_key(bad.key, bad.server.key);
	FILE *file = fopen(bad.certificate, "w");
	fputs("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", file);
	fclose(file);
	expect_error(&bad, "certificate");
	pki_write_certificates(bad.certificate, &bad.server.certificate, 1);
	bad.settings.crl = bad.client_ca; /* no CRL in there */
	expect_error(&bad, "crl");
	bad.settings.crl = bad.crl_path; /* nothing there */
	expect_error(&bad, "crl");
	bad.settings.crl = NULL;
	unlink(bad.client_ca);
	expect_error(&bad, "client_ca");
	bad.settings.client_ca = NULL; /* a realm of passwords: nobody's certificate is good */
	struct rg_tls_context *context = town_context(&bad);
	struct result result =
		sign_in(context, &(struct laptop_settings){.identity = &staff}, NULL);
	assert_int_equal(result.verdict, RG_EAP_FAILURE);
	assert_int_equal(result.reason, RG_REASON_CERTIFICATE_UNKNOWN_CA);
	struct rg_tls_trust_set *set = tls_trust_set_new(&context, 1);
	assert_non_null(set);
	assert_false(tls_trust_set_knows(set, staff.certificate, NULL));
	tls_trust_set_free(&set);
	result_free(&result);
	tls_context_unref(&context);
	town_free(&bad);
}

static void test_equal_contexts_are_one(void **state)
{
	(void)state;
	struct rg_tls_context *contexts[3];
	unsigned notes[2] = {0};
	contexts[0] = tls_context_get(&town.settings, "a", count_notes, notes);
	contexts[1] = tls_context_get(&town.settings, "b", NULL, NULL);
	town.settings.tls_min = RG_TLS_1_3;
	contexts[2] = tls_context_get(&town.settings, "a", NULL, NULL);
	town.settings.tls_min = RG_TLS_1_2;
	assert_ptr_equal(contexts[0], contexts[1]);
	assert_ptr_not_equal(contexts[0], contexts[2]);
	assert_int_equal(notes[1], 0);
	for (int i = 0; i < 3; i++)
		tls_context_unref(&contexts[i]);
}

static void test_O10_ten_thousand_realms_share(void **state)
{
	(void)state;
	enum { COUNT = 10000 };
	struct rg_tls_context **contexts = calloc(COUNT, sizeof(*contexts));
	for (int i = 0; i < COUNT; i++)
		assert_non_null(contexts[i] = tls_context_get(&town.settings, "a", NULL, NULL));
	for (int i = 0; i < COUNT; i++) {
		assert_ptr_equal(contexts[i], contexts[0] ? contexts[0] : contexts[i]);
		if (i > 0)
			tls_context_unref(&contexts[i]);
	}
	tls_context_unref(&contexts[0]);
	free(contexts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full_and_resumed_p256),
		cmocka_unit_test(test_full_and_resumed_rsa),
		cmocka_unit_test(test_versions_are_the_realms),
		cmocka_unit_test(test_E4_nothing_is_cached_before_the_accept),
		cmocka_unit_test(test_E4_a_refused_one_gets_neither_ticket_nor_last_flight),
		cmocka_unit_test(test_E4_a_new_crl_ends_all_sessions),
		cmocka_unit_test(test_E4_a_session_stays_in_its_realm),
		cmocka_unit_test(test_E4_revoked_after_resumable),
		cmocka_unit_test(test_E4_expired_since),
		cmocka_unit_test(test_resume_0_never_resumes),
		cmocka_unit_test(test_fragments_small_both_ways),
		cmocka_unit_test(test_long_chains),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_files_that_are_wrong),
		cmocka_unit_test(test_equal_contexts_are_one),
		cmocka_unit_test(test_O10_ten_thousand_realms_share),
	};
	return cmocka_run_group_tests_name("eap/tls", tests, set_up, tear_down);
}

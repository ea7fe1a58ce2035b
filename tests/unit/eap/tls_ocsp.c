/* OCSP: what responders say, when they say nothing, and that each question gets one answer. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/ocsp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/clock.h"
#include "eap/tls_ocsp.h"
#include "laptop.h"
#include "responder.h"

static struct town town;
static struct pki staff;
static struct responder responder;

static int set_up(void **state)
{
	(void)state;
	tls_engine_open();
	town_make(&town, 0);
	responder_start(&responder, &town.ca, &town.ca);
	staff = pki_make(&(struct pki_want){
		.cn = "anna", .issuer = &town.ca, .usage = "clientAuth", .ocsp = responder.url});
	town.settings.ocsp = RG_OCSP_REQUIRE;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tls_engine_close();
	responder_stop(&responder);
	pki_free(&staff);
	town_free(&town);
	return 0;
}

#define PATIENT_MS 20000 /* an answer comes, on however busy a machine */

/* Each test begins with an empty cache and no bad name of the responder. */
static int fresh(void **state)
{
	(void)state;
	tls_engine_close();
	responder.signer = &town.ca;
	atomic_store(&responder.mood, RESPONDER_GOOD);
	atomic_store(&responder.asked, 0);
	town.settings.ocsp_timeout_ms = PATIENT_MS;
	return 0;
}

struct asked {
	struct rg_ocsp_question question; /* first */
	int done;                         /* an eventfd, as a worker would have */
	atomic_int times;
};

static void on_answer(struct rg_ocsp_question *question)
{
	struct asked *asked = (struct asked *)question;
	atomic_fetch_add(&asked->times, 1);
	eventfd_write(asked->done, 1);
}

static bool ask(struct rg_tls_context *context, const struct pki *who, struct asked *asked)
{
	struct rg_proof proof = {.x509 = who->certificate, .issuer = town.ca.certificate};
	*asked = (struct asked){.question.answered = on_answer, .done = eventfd(0, 0)};
	asked->question.outcome = 99;
	return tls_ocsp_ask(context, &proof, &asked->question);
}

static void await(struct asked *asked)
{
	eventfd_t value;
	assert_int_equal(eventfd_read(asked->done, &value), 0);
	close(asked->done);
	assert_int_equal(atomic_load(&asked->times), 1);
}

static void expect(const struct pki *who, enum rg_revocation outcome, const char *detail)
{
	struct rg_tls_context *context = town_context(&town);
	struct asked asked;
	assert_true(tls_ocsp_needed(context));
	assert_true(ask(context, who, &asked));
	await(&asked);
	if (!strstr(asked.question.detail, detail) || asked.question.outcome != outcome)
		print_message("%d %s\n", asked.question.outcome, asked.question.detail);
	assert_int_equal(asked.question.outcome, outcome);
	assert_non_null(strstr(asked.question.detail, detail));
	tls_context_unref(&context);
}

static void expect_mood(enum responder_mood mood, enum rg_revocation outcome, const char *detail)
{
	atomic_store(&responder.mood, mood);
	expect(&staff, outcome, detail);
}

static void test_good_is_remembered(void **state)
{
	(void)state;
	expect_mood(RESPONDER_GOOD, RG_REVOCATION_GOOD, "good");
	expect_mood(RESPONDER_SILENT, RG_REVOCATION_GOOD, "as asked before");
	assert_int_equal(atomic_load(&responder.asked), 1);
}

static void test_revoked(void **state)
{
	(void)state;
	expect_mood(RESPONDER_REVOKED, RG_REVOCATION_REVOKED, "keyCompromise");
	expect_mood(RESPONDER_GOOD, RG_REVOCATION_REVOKED, "as asked before");
}

static void test_unknown_garbage_later_stale_other(void **state)
{
	(void)state;
	struct pki other = pki_make(&(struct pki_want){.cn = "bob", .issuer = &town.ca});
	responder.other = &other;
	expect_mood(RESPONDER_UNKNOWN, RG_REVOCATION_UNAVAILABLE, "does not know");
	expect_mood(RESPONDER_TRY_LATER, RG_REVOCATION_UNAVAILABLE, "trylater");
	expect_mood(RESPONDER_STALE, RG_REVOCATION_UNAVAILABLE, "has ended");
	expect_mood(RESPONDER_OTHER, RG_REVOCATION_UNAVAILABLE, "another certificate");
	expect_mood(RESPONDER_GARBAGE, RG_REVOCATION_UNAVAILABLE, "OCSP 127.0.0.1:");
	/* None of these is remembered. */
	expect_mood(RESPONDER_GOOD, RG_REVOCATION_GOOD, "good");
	responder.other = NULL;
	pki_free(&other);
}

static void test_who_may_sign(void **state)
{
	(void)state;
	struct pki delegate = pki_make(
		&(struct pki_want){.cn = "OCSP", .issuer = &town.ca, .usage = "OCSPSigning"});
	struct pki colleague = pki_make(
		&(struct pki_want){.cn = "bob", .issuer = &town.ca, .usage = "clientAuth"});
	struct pki stranger = pki_make(&(struct pki_want){.cn = "Test CA", .ca = true});
	responder.signer = &stranger;
	expect_mood(RESPONDER_GOOD, RG_REVOCATION_UNAVAILABLE, "not signed by the CA");
	responder.signer = &colleague;
	expect_mood(RESPONDER_GOOD, RG_REVOCATION_UNAVAILABLE, "not signed by the CA");
	responder.signer = &delegate;
	expect_mood(RESPONDER_GOOD, RG_REVOCATION_GOOD, "good");
	responder.signer = &town.ca;
	pki_free(&delegate);
	pki_free(&colleague);
	pki_free(&stranger);
}

static void test_nobody_to_ask(void **state)
{
	(void)state;
	struct pki silent = pki_make(&(struct pki_want){.cn = "bob", .issuer = &town.ca});
	struct pki tls = pki_make(
		&(struct pki_want){.cn = "bob", .issuer = &town.ca, .ocsp = "https://localhost/"});
	expect(&silent, RG_REVOCATION_UNAVAILABLE, "names no responder");
	expect(&tls, RG_REVOCATION_UNAVAILABLE, "names no responder");
	town.settings.ocsp_responder = responder.url;
	expect(&silent, RG_REVOCATION_GOOD, "good");
	town.settings.ocsp_responder = NULL;
	pki_free(&silent);
	pki_free(&tls);
}

static void test_connection_refused(void **state)
{
	(void)state;
	town.settings.ocsp_responder = "http://127.0.0.1:1/";
	expect(&staff, RG_REVOCATION_UNAVAILABLE, "refused");
	town.settings.ocsp_responder = NULL;
}

/* A silent responder costs its deadline, then a few of them, then nothing; another one is not
 * delayed. */
static void test_R2_responder_connects_and_never_answers(void **state)
{
	(void)state;
	enum { MANY = 40 };
	struct asked asked[MANY], other;
	struct responder second;
	struct rg_tls_context *patient = town_context(&town);
	town.settings.ocsp_timeout_ms = 300;
	struct rg_tls_context *context = town_context(&town);
	responder_start(&second, &town.ca, &town.ca);
	struct pki elsewhere =
		pki_make(&(struct pki_want){.cn = "bob", .issuer = &town.ca, .ocsp = second.url});
	atomic_store(&responder.mood, RESPONDER_SILENT);
	for (int i = 0; i < MANY; i++)
		assert_true(ask(context, &staff, &asked[i]));
	assert_true(ask(patient, &elsewhere, &other));
	await(&other);
	assert_int_equal(other.question.outcome, RG_REVOCATION_GOOD);
	for (int i = 0; i < MANY; i++) {
		await(&asked[i]);
		assert_int_equal(asked[i].question.outcome, RG_REVOCATION_UNAVAILABLE);
	}
	/* The deadline was one for all of them, and the responder is left alone by now or soon. */
	int before;
	do {
		before = atomic_load(&responder.asked);
		expect(&staff, RG_REVOCATION_UNAVAILABLE, "OCSP 127.0.0.1:");
	} while (atomic_load(&responder.asked) != before);
	expect(&staff, RG_REVOCATION_UNAVAILABLE, "left alone");
	tls_context_unref(&context);
	tls_context_unref(&patient);
	pki_free(&elsewhere);
	responder_stop(&second);
}

/* Behind two that wait long for the same responder, a question still has its own deadline. */
static void test_R2_deadline_holds_in_the_queue(void **state)
{
	(void)state;
	struct asked patient[2], hasty;
	struct rg_tls_context *slow = town_context(&town);
	town.settings.ocsp_timeout_ms = 100;
	struct rg_tls_context *fast = town_context(&town);
	atomic_store(&responder.mood, RESPONDER_SILENT);
	assert_true(ask(slow, &staff, &patient[0]));
	assert_true(ask(slow, &staff, &patient[1]));
	while (atomic_load(&responder.asked) < 2)
		poll(NULL, 0, 5);
	assert_true(ask(fast, &staff, &hasty));
	await(&hasty);
	assert_int_equal(hasty.question.outcome, RG_REVOCATION_UNAVAILABLE);
	assert_int_equal(atomic_load(&patient[0].times) + atomic_load(&patient[1].times), 0);
	tls_engine_close();
	await(&patient[0]);
	await(&patient[1]);
	tls_context_unref(&slow);
	tls_context_unref(&fast);
}

static void test_close_answers_everyone(void **state)
{
	(void)state;
	enum { MANY = 20 };
	struct asked asked[MANY];
	town.settings.ocsp_timeout_ms = 60000;
	struct rg_tls_context *context = town_context(&town);
	atomic_store(&responder.mood, RESPONDER_SILENT);
	for (int i = 0; i < MANY; i++)
		assert_true(ask(context, &staff, &asked[i]));
	tls_engine_close();
	for (int i = 0; i < MANY; i++)
		await(&asked[i]);
	tls_context_unref(&context);
}

static void test_full_queue_says_so(void **state)
{
	(void)state;
	enum { MANY = 2000 };
	struct asked *asked = calloc(MANY, sizeof(*asked));
	int taken = 0;
	town.settings.ocsp_timeout_ms = 60000;
	struct rg_tls_context *context = town_context(&town);
	atomic_store(&responder.mood, RESPONDER_SILENT);
	while (taken < MANY) {
		struct rg_proof proof = {.x509 = staff.certificate, .issuer = town.ca.certificate};
		asked[taken] = (struct asked){.question.answered = on_answer, .done = -1};
		if (!tls_ocsp_ask(context, &proof, &asked[taken].question))
			break;
		taken++;
	}
	assert_true(taken >= 1024 && taken < MANY);
	tls_engine_close();
	for (int i = 0; i < taken; i++)
		assert_int_equal(atomic_load(&asked[i].times), 1);
	assert_int_equal(atomic_load(&asked[taken].times), 0);
	tls_context_unref(&context);
	free(asked);
}

static void want_staple(SSL *ssl)
{
	SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp);
}

/* Our own certificate's answer is fetched behind the first client that asks, and given to the next.
 */
static void test_staple(void **state)
{
	(void)state;
	struct town stapled;
	town_make(&stapled, 0);
	struct responder own;
	responder_start(&own, &stapled.ca, &stapled.ca);
	struct pki server = pki_make(&(struct pki_want){.cn = "radius.beuningen.nl",
							.issuer = &stapled.ca,
							.usage = "serverAuth",
							.san = "DNS:radius.beuningen.nl",
							.ocsp = own.url});
	struct pki anna = pki_make(&(struct pki_want){.cn = "anna", .issuer = &stapled.ca});
	pki_write_certificates(stapled.certificate, &server.certificate, 1);
	pki_write_key(stapled.key, server.key);
	stapled.settings.ocsp = RG_OCSP_SOFT;
	struct rg_tls_context *context = town_context(&stapled);
	bool given = false;
	for (int i = 0; i < 200 && !given; i++) {
		struct laptop laptop;
		uint8_t octets[8192], request[8192];
		const unsigned char *der;
		struct rg_buffer out = buffer_over(octets, sizeof(octets)),
				 in = buffer_over(request, sizeof(request));
		struct rg_eap_start start = {.tls = context, .fragment = 4000, .realm = "x"};
		struct rg_eap_step step = {.output = &in, .room = 5000};
		laptop_make(&laptop,
			    &(struct laptop_settings){.identity = &anna, .tweak = want_staple});
		void *method = roamgate_module.ops.eap->start(&start);
		roamgate_module.ops.eap->begin(method, &step);
		laptop_answer(&laptop, buffer_span(&in), &out);
		step.input = buffer_span(&out);
		in.length = 0;
		assert_int_equal(roamgate_module.ops.eap->respond(method, &step), RG_EAP_REQUEST);
		out.length = 0;
		laptop_answer(&laptop, buffer_span(&in), &out);
		long length = SSL_get_tlsext_status_ocsp_resp(laptop.ssl, &der);
		given = length > 0;
		roamgate_module.ops.eap->end(&method);
		laptop_free(&laptop);
		if (!given)
			poll(NULL, 0, 10);
	}
	assert_true(given);
	assert_int_equal(atomic_load(&own.asked), 1);
	tls_context_unref(&context);
	tls_engine_close();
	responder_stop(&own);
	pki_free(&server);
	pki_free(&anna);
	town_free(&stapled);
}

/* A resumed session knows its issuer, so that it can be asked about again. */
static void test_resumed_proof_names_its_issuer(void **state)
{
	(void)state;
	struct rg_tls_context *context = town_context(&town);
	struct laptop_settings settings = {.identity = &staff};
	struct result full = sign_in(context, &settings, NULL);
	settings.session = full.session;
	struct result again = sign_in(context, &settings, NULL);
	assert_true(again.resumed);
	assert_true(full.knows_issuer);
	assert_true(again.knows_issuer);
	result_free(&again);
	result_free(&full);
	tls_context_unref(&context);
}

/* Found by the fuzzer of tests/fuzz/ocsp.c: what stood in the URL stood in the request's first lines. */
static void test_a_control_character_in_a_url_reaches_no_request(void **state)
{
	static const char *const bad[] = {"http://a\x02.nl/", "http://a.nl/\x1b[2J", "http://a.nl/?\x7f", "http://\xc3\xa9.nl/",
					  "http://a.nl/\xff"};
	struct rg_ocsp_responder parsed;
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(ocsp_responder_parse(&parsed, bad[i]));
	assert_true(ocsp_responder_parse(&parsed, "http://ocsp.a.nl:8080/x?y=~z"));
	assert_string_equal(parsed.path, "/x?y=~z");
	assert_true(ocsp_responder_parse(&parsed, "http://[2001:db8::1]/"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_good_is_remembered, fresh),
		cmocka_unit_test_setup(test_revoked, fresh),
		cmocka_unit_test_setup(test_unknown_garbage_later_stale_other, fresh),
		cmocka_unit_test_setup(test_who_may_sign, fresh),
		cmocka_unit_test_setup(test_nobody_to_ask, fresh),
		cmocka_unit_test_setup(test_connection_refused, fresh),
		cmocka_unit_test_setup(test_R2_responder_connects_and_never_answers, fresh),
		cmocka_unit_test_setup(test_R2_deadline_holds_in_the_queue, fresh),
		cmocka_unit_test_setup(test_close_answers_everyone, fresh),
		cmocka_unit_test_setup(test_full_queue_says_so, fresh),
		cmocka_unit_test_setup(test_staple, fresh),
		cmocka_unit_test(test_a_control_character_in_a_url_reaches_no_request),
		cmocka_unit_test_setup(test_resumed_proof_names_its_issuer, fresh),
	};
	signal(SIGPIPE, SIG_IGN); /* as the daemon does: whoever asked may be gone before the responder answers */
	return cmocka_run_group_tests_name("eap/tls_ocsp", tests, set_up, tear_down);
}

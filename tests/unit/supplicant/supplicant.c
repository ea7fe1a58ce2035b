#include "supplicant/supplicant.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "server.h"

static char folder[] = "/tmp/roamgate-supplicant-XXXXXX";

/* NAME, what follows -subj, the issuer or "", extendedKeyUsage or "", subjectAltName or "". */
static const char *const certificates[][5] = {
	{"ca", "/CN=Proef CA", "", "", ""},
	{"other-ca", "/CN=Andere CA", "", "", ""},
	{"server", "/CN=radius.wijchen.nl", "ca", "serverAuth",
	 "DNS:radius.wijchen.nl,IP:192.0.2.7"},
	{"no-purpose", "/CN=radius.wijchen.nl", "ca", "", "DNS:radius.wijchen.nl"},
	{"client-purpose", "/CN=radius.wijchen.nl", "ca", "clientAuth", "DNS:radius.wijchen.nl"},
	{"wildcard", "/CN=radius.wijchen.nl", "ca", "serverAuth", "DNS:*.wijchen.nl"},
	{"only-cn", "/CN=radius.wijchen.nl", "ca", "serverAuth", ""},
	{"anna", "/CN=anna@wijchen.nl", "ca", "clientAuth", "email:anna@wijchen.nl"},
	{"eve", "/CN=anna@wijchen.nl", "other-ca", "clientAuth", ""},
};

static int make_certificate(const char *const row[5])
{
	char command[2048], extension[3][256] = {"", "", ""};
	bool ca = !row[2][0];
	if (row[3][0])
		snprintf(extension[0], sizeof(extension[0]), "-addext extendedKeyUsage=%s", row[3]);
	if (row[4][0])
		snprintf(extension[1], sizeof(extension[1]), "-addext 'subjectAltName=%s'", row[4]);
	if (!ca)
		snprintf(extension[2], sizeof(extension[2]), "-CA %s.pem -CAkey %s.key", row[2],
			 row[2]);
	snprintf(command, sizeof(command),
		 "cd %s && openssl req -x509 -config empty.cnf -newkey ec -pkeyopt "
		 "ec_paramgen_curve:P-256 -nodes -days 30 -subj '%s' -keyout %s.key -out %s.pem "
		 "-addext basicConstraints=critical,CA:%s %s %s %s 2>openssl.log",
		 folder, row[1], row[0], row[0], ca ? "true" : "false", extension[0], extension[1],
		 extension[2]);
	return system(command);
}

static int make_folder(void **state)
{
	char command[256];
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(command, sizeof(command),
		 "printf '[req]\\ndistinguished_name=dn\\n[dn]\\n' >%s/empty.cnf", folder);
	int status = system(command);
	for (size_t i = 0; i < sizeof(certificates) / sizeof(certificates[0]); i++)
		status |= make_certificate(certificates[i]);
	return status;
}

static int remove_folder(void **state)
{
	char command[256];
	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

/* A laptop and the server that it meets. */
struct scene {
	struct server server;
	struct rg_supplicant_profile *profile;
	struct rg_supplicant *supplicant;
	struct rg_supplicant_identity identity;
	enum rg_supplicant_state state;
	const struct rg_supplicant_report *report;
};

struct laptop {
	const char *certificate, *ca, *server_name;
	bool resume;
};

static const struct laptop good = {"anna", "ca", "radius.wijchen.nl", false};

static const char *path(const char *name, const char *suffix)
{
	static char memory[8][512];
	static unsigned next;
	char *out = memory[next++ % 8];
	if (!name)
		return NULL;
	snprintf(out, sizeof(memory[0]), "%s/%s.%s", folder, name, suffix);
	return out;
}

static void scene_open(struct scene *scene, const struct laptop *laptop,
		       const char *server_certificate, const char *client_ca, int version)
{
	char why[256];
	const struct rg_supplicant_settings settings = {
		.certificate = path(laptop->certificate, "pem"),
		.private_key = path(laptop->certificate, "key"),
		.ca = path(laptop->ca, "pem"),
		.server_name = laptop->server_name,
		.resume = laptop->resume,
	};
	memset(scene, 0, sizeof(*scene));
	server_open(&scene->server, folder, server_certificate, client_ca, version);
	scene->profile = supplicant_profile_new(&settings, why);
	assert_non_null(scene->profile);
	scene->identity = (struct rg_supplicant_identity){.outer = "@wijchen.nl",
							  .calling = "02-00-00-00-00-02",
							  .called = "02-00-00-00-00-01:govroam",
							  .framed_mtu = 1400};
}

static void scene_begin(struct scene *scene)
{
	supplicant_free(&scene->supplicant);
	server_restart(&scene->server);
	scene->supplicant = supplicant_new(scene->profile, &scene->identity, scene->server.key);
	assert_non_null(scene->supplicant);
	scene->state = RG_SUPPLICANT_SEND;
}

/* One question and its answer. */
static void scene_step(struct scene *scene)
{
	static uint8_t id = 250; /* wraps on the way */
	bool ignored = true;
	struct rg_span request = supplicant_request(scene->supplicant, id++);
	assert_int_not_equal(request.length, 0);
	scene->state = supplicant_reply(scene->supplicant, server_answer(&scene->server, request),
					&ignored);
	assert_false(ignored);
	scene->report = supplicant_report(scene->supplicant);
}

static enum rg_supplicant_state scene_run(struct scene *scene)
{
	scene_begin(scene);
	for (unsigned i = 0; i < 1000 && scene->state == RG_SUPPLICANT_SEND; i++)
		scene_step(scene);
	return scene->state;
}

static void scene_close(struct scene *scene)
{
	supplicant_free(&scene->supplicant);
	supplicant_profile_free(&scene->profile);
	server_close(&scene->server);
}

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
static const char *const version_words[] = {"1.2", "1.3"};

static void accepted(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct scene scene;
		scene_open(&scene, &good, "server", "ca", versions[i]);
		assert_int_equal(scene_run(&scene), RG_SUPPLICANT_ACCEPTED);
		const struct rg_supplicant_report *report = scene.report;
		assert_string_equal(report->method, "tls");
		assert_string_equal(report->tls, version_words[i]);
		assert_true(report->keys_match);
		assert_true(report->server_trusted);
		assert_null(report->trust_error);
		assert_null(report->why);
		assert_int_equal(report->reason, RG_REASON_ACCEPTED);
		assert_false(report->resumed);
		assert_string_equal(report->server_subject, "CN=radius.wijchen.nl");
		assert_string_equal(report->server_issuer, "CN=Proef CA");
		assert_string_equal(report->server_sans, "radius.wijchen.nl 192.0.2.7");
		assert_int_equal(strlen(report->server_not_after), strlen("2026-01-01T00:00:00Z"));
		assert_int_equal(report->reply->code, RG_ACCESS_ACCEPT);
		assert_string_equal(scene.server.user_name, "@wijchen.nl");
		scene_close(&scene);
	}
}

static void fragments_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct scene scene;
		scene_open(&scene, &good, "server", "ca", versions[i]);
		scene.server.fragment = 50;
		scene.identity.framed_mtu = 80;
		assert_int_equal(scene_run(&scene), RG_SUPPLICANT_ACCEPTED);
		assert_true(scene.report->keys_match);
		assert_in_range(scene.report->round_trips, 30, 150);
		scene_close(&scene);
	}
}

static void eap_never_exceeds_framed_mtu(void **state)
{
	struct scene scene;
	uint8_t memory[4096];
	(void)state;
	scene_open(&scene, &good, "server", "ca", TLS1_3_VERSION);
	scene.identity.framed_mtu = 200;
	scene_begin(&scene);
	size_t longest = 0;
	while (scene.state == RG_SUPPLICANT_SEND) {
		struct rg_packet packet;
		struct rg_buffer eap = buffer_over(memory, sizeof(memory));
		assert_int_equal(packet_view(&packet, supplicant_request(scene.supplicant, 9)),
				 RG_PACKET_OK);
		assert_true(packet_eap(&packet, &eap));
		longest = eap.length > longest ? eap.length : longest;
		bool ignored;
		struct rg_span request = supplicant_request(scene.supplicant, 9);
		scene.state = supplicant_reply(scene.supplicant,
					       server_answer(&scene.server, request), &ignored);
	}
	assert_int_equal(scene.state, RG_SUPPLICANT_ACCEPTED);
	assert_int_equal(longest, 200);
	scene_close(&scene);
}

static void resumed(void **state)
{
	const struct laptop laptop = {"anna", "ca", "radius.wijchen.nl", true};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct scene scene;
		scene_open(&scene, &laptop, "server", "ca", versions[i]);
		assert_int_equal(scene_run(&scene), RG_SUPPLICANT_ACCEPTED);
		assert_false(scene.report->resumed);
		for (int again = 0; again < 3; again++) {
			assert_int_equal(scene_run(&scene), RG_SUPPLICANT_ACCEPTED);
			assert_true(scene.report->resumed);
			assert_true(scene.report->server_trusted);
			assert_true(scene.report->keys_match);
			assert_string_equal(scene.report->server_subject, "CN=radius.wijchen.nl");
		}
		scene_close(&scene);
	}
}

static void E4_session_that_was_never_accepted_is_not_resumed(void **state)
{
	const struct laptop laptop = {"anna", "ca", NULL, true};
	struct scene scene;
	(void)state;
	scene_open(&scene, &laptop, "server", "ca", TLS1_2_VERSION);
	scene.server.wrong_keys = true;
	assert_int_equal(scene_run(&scene), RG_SUPPLICANT_FAILED);
	scene.server.wrong_keys = false;
	assert_int_equal(scene_run(&scene), RG_SUPPLICANT_ACCEPTED);
	assert_false(scene.report->resumed);
	scene_close(&scene);
}

static void alert_received(void **state)
{
	const struct laptop laptop = {"eve", "ca", NULL, false};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct scene scene;
		scene_open(&scene, &laptop, "server", "ca", versions[i]);
		assert_int_equal(scene_run(&scene), RG_SUPPLICANT_REFUSED);
		assert_string_equal(scene.report->alert_received, "unknown CA");
		assert_non_null(strstr(scene.report->why, "unknown CA"));
		assert_int_equal(scene.report->reason, RG_REASON_CERTIFICATE_UNKNOWN_CA);
		assert_false(scene.report->keys_match);
		scene_close(&scene);
	}
}

static void no_certificate_of_our_own(void **state)
{
	const struct laptop laptop = {NULL, "ca", NULL, false};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct scene scene;
		scene_open(&scene, &laptop, "server", "ca", versions[i]);
		assert_int_equal(scene_run(&scene), RG_SUPPLICANT_REFUSED);
		assert_non_null(scene.report->alert_received);
		scene_close(&scene);
	}
}

static void refused_before_any_method(void **state)
{
	struct scene scene;
	(void)state;
	scene_open(&scene, &good, "server", "ca", TLS1_3_VERSION);
	scene.server.refuses_at_once = true;
	assert_int_equal(scene_run(&scene), RG_SUPPLICANT_REFUSED);
	assert_non_null(strstr(scene.report->why, "before any EAP method"));
	assert_null(scene.report->method);
	assert_int_equal(scene.report->reason, RG_REASON_NONE);
	scene_close(&scene);
}

/* Each server that a laptop must not trust: it ends the handshake and says why. */
static void server_not_trusted(void **state)
{
	static const struct {
		const char *certificate, *ca, *name, *error;
	} cases[] = {
		{"server", "other-ca", "radius.wijchen.nl", "another CA"},
		{"server", "ca", "radius.beuningen.nl", "server name"},
		{"wildcard", "ca", "radius.wijchen.nl", "server name"},
		{"only-cn", "ca", "radius.wijchen.nl", "server name"},
		{"no-purpose", "ca", "radius.wijchen.nl", "serverAuth"},
		{"client-purpose", "ca", NULL, "purpose"},
	};
	(void)state;
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		const struct laptop laptop = {"anna", cases[i / 2].ca, cases[i / 2].name, false};
		struct scene scene;
		scene_open(&scene, &laptop, cases[i / 2].certificate, "ca", versions[i % 2]);
		assert_int_equal(scene_run(&scene), RG_SUPPLICANT_REFUSED);
		assert_int_equal(scene.report->reason, RG_REASON_SUPPLICANT_DISTRUSTS_SERVER);
		assert_non_null(strstr(scene.report->why, cases[i / 2].error));
		assert_non_null(strstr(scene.report->trust_error, cases[i / 2].error));
		assert_false(scene.report->server_trusted);
		assert_string_equal(scene.report->server_subject, "CN=radius.wijchen.nl");
		assert_int_not_equal(scene.server.alert_read, -1);
		scene_close(&scene);
	}
}

static void without_ca_goes_on(void **state)
{
	const struct laptop laptop = {"anna", NULL, NULL, false};
	struct scene scene;
	(void)state;
	scene_open(&scene, &laptop, "no-purpose", "ca", TLS1_3_VERSION);
	assert_int_equal(scene_run(&scene), RG_SUPPLICANT_ACCEPTED);
	assert_false(scene.report->server_trusted);
	assert_non_null(scene.report->trust_error);
	scene_close(&scene);
}

/* What a server may not do, by where the fault is set. */
static void expect_failed(int version, size_t fault, const char *why)
{
	struct scene scene;
	scene_open(&scene, &good, "server", "ca", version);
	*(bool *)((char *)&scene.server + fault) = true;
	assert_int_equal(scene_run(&scene), RG_SUPPLICANT_FAILED);
	assert_non_null(strstr(scene.report->why, why));
	assert_false(scene.report->keys_match);
	scene_close(&scene);
}

static void E6_success_without_protected_success(void **state)
{
	(void)state;
	expect_failed(TLS1_3_VERSION, offsetof(struct server, no_protected_success), "RFC 9190");
	expect_failed(TLS1_3_VERSION, offsetof(struct server, wrong_protected_success), "0x00");
}

static void E6_success_before_the_handshake_is_over(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++)
		expect_failed(versions[i], offsetof(struct server, early_success),
			      "before the TLS");
}

static void accept_without_eap_success(void **state)
{
	(void)state;
	expect_failed(TLS1_2_VERSION, offsetof(struct server, bare_accept), "without EAP-Success");
}

static void wrong_mppe_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++)
		expect_failed(versions[i], offsetof(struct server, wrong_keys), "MS-MPPE");
}

static void no_mppe_keys(void **state)
{
	struct scene scene;
	(void)state;
	scene_open(&scene, &good, "server", "ca", TLS1_2_VERSION);
	scene.server.no_keys = true;
	assert_int_equal(scene_run(&scene), RG_SUPPLICANT_ACCEPTED);
	assert_false(scene.report->keys_match);
	scene_close(&scene);
}

static void E2_server_that_never_ends(void **state)
{
	(void)state;
	expect_failed(TLS1_3_VERSION, offsetof(struct server, never_ends), "no end");
}

static void nak_to_tls(void **state)
{
	struct scene scene;
	(void)state;
	scene_open(&scene, &good, "server", "ca", TLS1_3_VERSION);
	scene.server.offers_first = 4;
	assert_int_equal(scene_run(&scene), RG_SUPPLICANT_ACCEPTED);
	assert_string_equal(scene.report->offered, "md5");
	scene_close(&scene);
}

static void method_refused(void **state)
{
	struct scene scene;
	(void)state;
	scene_open(&scene, &good, "server", "ca", TLS1_3_VERSION);
	scene.server.offers_first = 25;
	scene.server.offers_nothing_else = true;
	assert_int_equal(scene_run(&scene), RG_SUPPLICANT_REFUSED);
	assert_int_equal(scene.report->reason, RG_REASON_METHOD_REFUSED);
	assert_non_null(strstr(scene.report->why, "peap (25)"));
	scene_close(&scene);
}

static void notification_is_answered(void **state)
{
	struct scene scene;
	uint8_t memory[4096];
	struct rg_packet packet;
	struct rg_buffer eap = buffer_over(memory, sizeof(memory));
	bool ignored;
	(void)state;
	scene_open(&scene, &good, "server", "ca", TLS1_3_VERSION);
	scene.server.offers_first = 2;
	scene_begin(&scene);
	struct rg_span answer =
		server_answer(&scene.server, supplicant_request(scene.supplicant, 1));
	assert_int_equal(supplicant_reply(scene.supplicant, answer, &ignored), RG_SUPPLICANT_SEND);
	assert_int_equal(packet_view(&packet, supplicant_request(scene.supplicant, 2)),
			 RG_PACKET_OK);
	assert_true(packet_eap(&packet, &eap));
	const uint8_t expected[] = {2, 8, 0, 5, 2};
	assert_int_equal(eap.length, sizeof(expected));
	assert_memory_equal(memory, expected, sizeof(expected));
	scene_close(&scene);
}

/* Sends datagram; it must change nothing. */
static void expect_ignored(struct scene *scene, struct rg_span datagram, const char *why)
{
	bool ignored = false;
	assert_int_equal(supplicant_reply(scene->supplicant, datagram, &ignored),
			 RG_SUPPLICANT_SEND);
	assert_true(ignored);
	assert_non_null(strstr(supplicant_report(scene->supplicant)->ignored_why, why));
}

static void B3_forged_replies_are_ignored(void **state)
{
	struct scene scene;
	uint8_t genuine[4096], other[4096];
	bool ignored;
	(void)state;
	scene_open(&scene, &good, "server", "ca", TLS1_2_VERSION);
	scene_begin(&scene);
	struct rg_span request = supplicant_request(scene.supplicant, 77);
	struct rg_span answer = server_answer(&scene.server, request);
	memcpy(genuine, answer.data, answer.length);
	expect_ignored(&scene, span_of(genuine, 19), "short");
	for (size_t i = 0; i < answer.length; i++) {
		memcpy(other, genuine, answer.length);
		other[i] ^= 1;
		expect_ignored(&scene, span_of(other, answer.length), "");
	}
	/* A Reject made of the Challenge would end the sign-in. */
	memcpy(other, genuine, answer.length);
	other[0] = RG_ACCESS_REJECT;
	expect_ignored(&scene, span_of(other, answer.length), "authenticator");
	expect_ignored(&scene, request, "code");
	assert_int_equal(supplicant_report(scene.supplicant)->round_trips, 0);
	assert_int_equal(
		supplicant_reply(scene.supplicant, span_of(genuine, answer.length), &ignored),
		RG_SUPPLICANT_SEND);
	assert_false(ignored);
	/* The same again, late: answers nothing that was asked. */
	expect_ignored(&scene, span_of(genuine, answer.length), "nothing had been asked");
	supplicant_request(scene.supplicant, 77);
	expect_ignored(&scene, span_of(genuine, answer.length), "authenticator");
	scene_close(&scene);
}

/* A Response Authenticator alone is what CVE-2024-3596 forges. */
static void B3_reply_without_message_authenticator_is_ignored(void **state)
{
	struct scene scene;
	uint8_t data[4096];
	(void)state;
	scene_open(&scene, &good, "server", "ca", TLS1_2_VERSION);
	scene_begin(&scene);
	struct rg_span request = supplicant_request(scene.supplicant, 5);
	struct rg_span answer = server_answer(&scene.server, request);
	/* Cut Message-Authenticator, the first attribute, out and compute the rest anew (RFC 2865
	 * §3). */
	struct rg_buffer out = buffer_over(data, sizeof(data));
	buffer_put(&out, span_of(answer.data, 2));
	buffer_u16(&out, (uint16_t)(answer.length - 18));
	buffer_put(&out, span_of(request.data + 4, 16));
	buffer_put(&out, span_of(answer.data + 38, answer.length - 38));
	size_t length = out.length;
	buffer_put(&out, span_text("xyzzy5461xyzzy5461"));
	uint8_t digest[16];
	assert_int_equal(EVP_Digest(data, out.length, digest, NULL, EVP_md5(), NULL), 1);
	memcpy(data + 4, digest, 16);
	expect_ignored(&scene, span_of(data, length), "no Message-Authenticator");
	scene_close(&scene);
}

static void repeat_is_the_same_packet(void **state)
{
	struct scene scene;
	uint8_t first[4096];
	(void)state;
	scene_open(&scene, &good, "server", "ca", TLS1_2_VERSION);
	scene_begin(&scene);
	struct rg_span request = supplicant_request(scene.supplicant, 1);
	memcpy(first, request.data, request.length);
	struct rg_span again = supplicant_request(scene.supplicant, 1);
	assert_int_equal(again.length, request.length);
	assert_memory_equal(again.data, first, request.length);
	struct rg_span anew = supplicant_request(scene.supplicant, 2);
	assert_memory_not_equal(anew.data + 4, first + 4, 16);
	scene_close(&scene);
}

static void profile_errors(void **state)
{
	char why[256];
	const struct rg_supplicant_settings settings[] = {
		{.certificate = path("none", "pem")},
		{.certificate = path("anna", "pem"), .private_key = path("eve", "key")},
		{.ca = path("anna", "key")},
		{.tls_min = "1.3", .tls_max = "1.2"},
		{.tls_min = "1.1"},
		{.method = "leap"},
		{.method = "peap", .inner = "pap"},
		{.method = "ttls", .inner = "chap"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		why[0] = '\0';
		assert_null(supplicant_profile_new(&settings[i], why));
		assert_int_not_equal(strlen(why), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepted),
		cmocka_unit_test(fragments_both_ways),
		cmocka_unit_test(eap_never_exceeds_framed_mtu),
		cmocka_unit_test(resumed),
		cmocka_unit_test(E4_session_that_was_never_accepted_is_not_resumed),
		cmocka_unit_test(alert_received),
		cmocka_unit_test(no_certificate_of_our_own),
		cmocka_unit_test(refused_before_any_method),
		cmocka_unit_test(server_not_trusted),
		cmocka_unit_test(without_ca_goes_on),
		cmocka_unit_test(E6_success_without_protected_success),
		cmocka_unit_test(E6_success_before_the_handshake_is_over),
		cmocka_unit_test(accept_without_eap_success),
		cmocka_unit_test(wrong_mppe_keys),
		cmocka_unit_test(no_mppe_keys),
		cmocka_unit_test(E2_server_that_never_ends),
		cmocka_unit_test(nak_to_tls),
		cmocka_unit_test(method_refused),
		cmocka_unit_test(notification_is_answered),
		cmocka_unit_test(B3_forged_replies_are_ignored),
		cmocka_unit_test(B3_reply_without_message_authenticator_is_ignored),
		cmocka_unit_test(repeat_is_the_same_packet),
		cmocka_unit_test(profile_errors),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

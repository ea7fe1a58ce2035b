#include "tunnels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/secret.h"
#include "eap/tls_cache.h"
#include "module/module.h"
#include "supplicant/inner.h"

struct town town;
struct rg_eap_inner inner;
struct rg_supplicant_profile *profile;
static struct rg_tls_context *context;
static const struct rg_eap_method *methods[4];

int scenes_set_up(void **state)
{
	static const char *const names[] = {"eap_mschapv2", "eap_gtc", "eap_ttls", "eap_peap"};
	char why[512];
	(void)state;
	tls_engine_open();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!module_load("", names[i], why)) {
			print_error("%s %s\n", names[i], why);
			return -1;
		}
	town_make(&town, 0);
	context = town_context(&town);
	methods[0] = module_eap_by_label("mschapv2");
	methods[1] = module_eap_by_label("gtc");
	inner = (struct rg_eap_inner){.methods = methods, .pap = true, .mschapv2 = true};
	return 0;
}

int scenes_tear_down(void **state)
{
	(void)state;
	tls_context_unref(&context);
	town_free(&town);
	tls_engine_close();
	return 0;
}

static void laptop_profile(const char *label, const char *version)
{
	char why[256];
	const struct rg_supplicant_settings settings = {
		.method = label,
		.tls_min = version,
		.tls_max = version,
		.resume = true,
		.identity = "jan@beuningen.nl",
		.password = span_text(PASSWORD),
	};
	profile = supplicant_profile_new(&settings, why);
	assert_non_null(profile);
}

/* What the host does with a claim: the directory knows the password of everybody. */
static bool right(struct scene *scene, uint8_t hash_hash[16])
{
	const struct rg_claim *claim = &scene->claim;
	struct rg_question question = {0};
	uint8_t hash[RG_NT_HASH];
	if (claim->kind == RG_CLAIM_PASSWORD)
		return span_equal(claim->password, span_text(PASSWORD));
	memcpy(question.challenge, claim->challenge, sizeof(question.challenge));
	memcpy(question.nt_response, claim->nt_response, sizeof(question.nt_response));
	assert_true(nt_hash_make(profile->digests, span_text(PASSWORD), hash));
	bool fits = nt_hash_verify(profile->digests, hash, &question) == RG_OUTCOME_FOUND;
	memcpy(hash_hash, question.hash_hash, 16);
	return fits;
}

static void decide(struct scene *scene)
{
	struct rg_answer answer = {.reason = RG_REASON_PASSWORD_WRONG, .again = true};
	const struct rg_proof *proof = scene->kind->proof(scene->method);
	const struct rg_claim *claim = scene->kind->claim(scene->method);
	assert_non_null(proof);
	assert_non_null(claim);
	scene->asked++;
	snprintf(scene->identity, sizeof(scene->identity), "%s", proof->identity);
	scene->claim = *claim;
	if (scene->refuses != RG_REASON_NONE)
		answer = (struct rg_answer){.reason = scene->refuses};
	else
		answer.granted = right(scene, answer.hash_hash);
	scene->granted = answer.granted;
	scene->step.answer = &answer;
	scene->step.reason = RG_REASON_NONE;
	scene->verdict = scene->kind->answered(scene->method, &scene->step);
	scene->step.answer = NULL;
}

void scene_serve(struct scene *scene, struct rg_span response)
{
	scene->output = buffer_over(scene->request, sizeof(scene->request));
	scene->step.input = response;
	scene->step.output = &scene->output;
	scene->step.room = 1400;
	scene->step.reason = RG_REASON_NONE;
	scene->step.detail = NULL;
	scene->verdict = scene->kind->respond(scene->method, &scene->step);
	if (scene->verdict == RG_EAP_ASK)
		decide(scene);
	if (scene->verdict == RG_EAP_PROVEN && scene->refuses == RG_REASON_NONE) {
		scene->granted = true;
		snprintf(scene->identity, sizeof(scene->identity), "%s",
			 scene->kind->proof(scene->method)->identity);
		scene->verdict = scene->kind->granted(scene->method, &scene->step);
	}
	if (scene->verdict == RG_EAP_SUCCESS)
		assert_true(scene->granted);
	assert_true(++scene->rounds < 200);
}

/* The laptop takes the Request in; clear holds what came in the tunnel. */
static void hear(struct scene *scene)
{
	bool whole;
	scene->clear = buffer_over(scene->heard, sizeof(scene->heard));
	scene->laptop.frame.takes_empty = true;
	assert_true(tls_peer_take(&scene->laptop, buffer_span(&scene->output), &whole));
	if (whole && tls_peer_shake(&scene->laptop))
		assert_true(tls_peer_read(&scene->laptop, &scene->clear));
}

static void answer(struct scene *scene)
{
	uint8_t memory[2048];
	do {
		struct rg_buffer response = buffer_over(memory, sizeof(memory));
		tls_peer_give(&scene->laptop, &response);
		scene_serve(scene, buffer_span(&response));
		if (scene->verdict == RG_EAP_REQUEST)
			hear(scene);
	} while (scene->verdict == RG_EAP_REQUEST && scene->laptop.frame.sending);
}

void scene_begin_server(struct scene *scene, const char *label)
{
	struct rg_eap_start start = {
		.tls = context, .fragment = 1024, .realm = "beuningen.nl", .inner = &inner};
	*scene = (struct scene){.kind = module_eap_by_label(label)};
	scene->method = scene->kind->start(&start);
	assert_non_null(scene->method);
	scene->output = buffer_over(scene->request, sizeof(scene->request));
	scene->step.output = &scene->output;
	scene->step.room = 1400;
	scene->verdict = scene->kind->begin(scene->method, &scene->step);
	assert_int_equal(scene->verdict, RG_EAP_REQUEST);
}

void scene_begin(struct scene *scene, const char *label, const char *version)
{
	scene_begin_server(scene, label);
	if (!profile)
		laptop_profile(label, version);
	assert_true(tls_peer_open(&scene->laptop, profile, 1400));
	hear(scene);
}

void scene_open(struct scene *scene, const char *label, const char *version)
{
	bool peap = strcmp(label, "peap") == 0;
	scene_begin(scene, label, version);
	while (!SSL_is_init_finished(scene->laptop.ssl) ||
	       (peap && scene->clear.length == 0) ||
	       BIO_ctrl_pending(scene->laptop.out) != 0) {
		answer(scene);
		assert_int_equal(scene->verdict, RG_EAP_REQUEST);
	}
}

void scene_close(struct scene *scene)
{
	scene_leave(scene);
	supplicant_profile_free(&profile);
}

void scene_leave(struct scene *scene)
{
	scene->kind->end(&scene->method);
	tls_peer_close(&scene->laptop);
}

bool scene_resumes(struct scene *scene)
{
	do
		answer(scene);
	while (scene->verdict == RG_EAP_REQUEST &&
	       (!SSL_is_init_finished(scene->laptop.ssl) || SSL_session_reused(scene->laptop.ssl)));
	return SSL_session_reused(scene->laptop.ssl);
}

enum rg_eap_verdict scene_say(struct scene *scene, struct rg_span clear)
{
	assert_true(tls_peer_write(&scene->laptop, clear));
	answer(scene);
	return scene->verdict;
}

enum rg_eap_verdict scene_say_text(struct scene *scene, const void *octets, size_t length)
{
	return scene_say(scene, span_of(octets, length));
}

enum rg_eap_verdict scene_acknowledge(struct scene *scene)
{
	return scene_say(scene, (struct rg_span){0});
}

enum rg_eap_verdict scene_answer(struct scene *scene, uint8_t type, struct rg_span data)
{
	uint8_t memory[2048];
	struct rg_buffer clear = buffer_over(memory, sizeof(memory));
	buffer_u8(&clear, type);
	buffer_put(&clear, data);
	return scene_say(scene, buffer_span(&clear));
}

/* The Challenge, or the Failure with the next one, that stands in clear: type, OpCode, id, … */
void mschapv2_respond(const struct scene *scene, const char *password, const char *name,
		      struct rg_buffer *data, uint8_t id_more)
{
	struct rg_inner peer = {.identity = name};
	uint8_t response[RG_MSCHAPV2_RESPONSE];
	struct rg_cursor cursor = cursor_over(buffer_span(&scene->clear));
	assert_int_equal(cursor_u8(&cursor), 26);
	uint8_t opcode = cursor_u8(&cursor), id = (uint8_t)(cursor_u8(&cursor) + id_more);
	cursor_u16(&cursor);
	if (opcode == 1) {
		cursor_u8(&cursor);
		memcpy(peer.mschapv2.core.challenge, cursor_take(&cursor, 16).data, 16);
	} else {
		const char *hex = strstr((const char *)cursor_rest(&cursor).data, "C=") + 2;
		for (unsigned i = 0; i < 16; i++)
			sscanf(hex + 2 * i, "%2hhx", &peer.mschapv2.core.challenge[i]);
	}
	struct rg_secret *secret = secret_new(password, strlen(password));
	struct rg_supplicant_profile as = {.password = secret, .digests = profile->digests};
	peer.profile = &as;
	assert_true(inner_mschapv2_answer(&peer, response));
	secret_free(&secret);
	buffer_u8(data, 2);
	buffer_u8(data, id);
	buffer_u16(data, (uint16_t)(5 + sizeof(response) + strlen(name)));
	buffer_u8(data, sizeof(response));
	buffer_put(data, span_of(response, sizeof(response)));
	buffer_put(data, span_text(name));
}

void scene_never_accepted(const struct scene *scene)
{
	assert_int_not_equal(scene->verdict, RG_EAP_SUCCESS);
	assert_false(scene->granted);
}

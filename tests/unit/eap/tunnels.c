/* What a hostile laptop may say inside TTLS and PEAP: never an Accept. */
#include "tunnels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "eap/avp.h"
#include "eap/peap_binding.h"
#include "eap/tls_cache.h"

#define MICROSOFT 311u

static const char *const versions[] = {"1.2", "1.3"};

static const uint8_t jan[] = "jan@beuningen.nl";
static const struct rg_span identity = {jan, sizeof(jan) - 1};

/* Messages of TTLS. */

static enum rg_eap_verdict ttls_pap(struct scene *scene, const char *name, const char *password)
{
	uint8_t memory[1024], padded[64] = {0};
	struct rg_buffer clear = buffer_over(memory, sizeof(memory));
	memcpy(padded, password, strlen(password));
	avp_write(&clear, 1, 0, span_text(name));
	avp_write(&clear, 2, 0, span_of(padded, (strlen(password) / 16 + 1) * 16));
	return scene_say(scene, buffer_span(&clear));
}

static enum rg_eap_verdict ttls_eap(struct scene *scene, uint8_t id, uint8_t type,
				    struct rg_span data)
{
	uint8_t memory[2048], packet_memory[1024];
	struct rg_buffer packet = buffer_over(packet_memory, sizeof(packet_memory));
	struct rg_buffer clear = buffer_over(memory, sizeof(memory));
	buffer_u8(&packet, RG_EAP_CODE_RESPONSE);
	buffer_u8(&packet, id);
	buffer_u16(&packet, (uint16_t)(5 + data.length));
	buffer_u8(&packet, type);
	buffer_put(&packet, data);
	avp_write(&clear, 79, 0, buffer_span(&packet));
	return scene_say(scene, buffer_span(&clear));
}

/* Messages of PEAP. */

static enum rg_eap_verdict peap_result(struct scene *scene, uint8_t id, uint16_t status,
				       struct rg_span more)
{
	uint8_t memory[256];
	struct rg_buffer clear = buffer_over(memory, sizeof(memory));
	buffer_u8(&clear, RG_EAP_CODE_RESPONSE);
	buffer_u8(&clear, id);
	buffer_u16(&clear, (uint16_t)(5 + 6 + more.length));
	buffer_u8(&clear, 33);
	buffer_u16(&clear, 0x8003);
	buffer_u16(&clear, 2);
	buffer_u16(&clear, status);
	buffer_put(&clear, more);
	return scene_say(scene, buffer_span(&clear));
}

/* The Identifier of the server's Extensions packet. */
static uint8_t result_id(const struct scene *scene)
{
	assert_true(scene->clear.length > 5);
	assert_int_equal(scene->heard[4], 33);
	return scene->heard[1];
}

/* PEAP with GTC, as far as the server's Result. */
static void peap_until_result(struct scene *scene, const char *version)
{
	scene_open(scene, "peap", version);
	assert_int_equal(scene->clear.length, 1); /* the Request for the Identity, and no header */
	assert_int_equal(scene_answer(scene, RG_EAP_IDENTITY, identity), RG_EAP_REQUEST);
	assert_int_equal(scene_answer(scene, RG_EAP_NAK, span_of("\x06", 1)), RG_EAP_REQUEST);
	assert_int_equal(scene_answer(scene, 6, span_text(PASSWORD)), RG_EAP_REQUEST);
	assert_int_equal(scene->asked, 1);
	assert_true(scene->granted);
}

static void the_right_password_is_let_in(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct scene scene;
		struct rg_eap_keys keys;
		size_t before = tls_cache_count();
		scene_open(&scene, "ttls", versions[i]);
		assert_int_equal(ttls_pap(&scene, "jan@beuningen.nl", PASSWORD), RG_EAP_SUCCESS);
		assert_string_equal(scene.identity, "jan@beuningen.nl");
		assert_true(scene.kind->keys(scene.method, &keys));
		assert_int_equal(tls_cache_count(), before); /* E4: not before the Accept */
		scene.kind->accepted(scene.method);
		assert_int_equal(tls_cache_count(), before + 1);
		scene_close(&scene);
	}
}

static void E4_a_refused_tunnel_is_not_kept(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct scene scene;
		size_t before = tls_cache_count();
		scene_open(&scene, "ttls", versions[i]);
		assert_int_equal(ttls_pap(&scene, "jan@beuningen.nl", "fout"), RG_EAP_FAILURE);
		assert_int_equal(scene.step.reason, RG_REASON_PASSWORD_WRONG);
		/* Even where a host that is out of its mind accepted it. */
		scene.kind->accepted(scene.method);
		assert_int_equal(tls_cache_count(), before);
		scene_never_accepted(&scene);
		scene_close(&scene);
	}
}

/* Signs in, and is remembered by both sides. */
static void sign_in_once(struct scene *scene, const char *version)
{
	struct rg_eap_keys keys;
	scene_open(scene, "ttls", version);
	assert_int_equal(ttls_pap(scene, "jan@beuningen.nl", PASSWORD), RG_EAP_SUCCESS);
	assert_true(scene->kind->keys(scene->method, &keys));
	scene->kind->accepted(scene->method);
	tls_peer_accepted(&scene->laptop);
	scene_leave(scene);
}

static void a_resumed_tunnel_stands_for_whom_it_let_in(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct scene scene;
		sign_in_once(&scene, versions[i]);
		scene_begin(&scene, "ttls", versions[i]);
		assert_true(scene_resumes(&scene));
		assert_int_equal(scene.verdict, RG_EAP_SUCCESS);
		assert_int_equal(scene.asked, 0); /* no password: the host was asked about a proof */
		assert_string_equal(scene.identity, "jan@beuningen.nl");
		assert_string_equal(scene.kind->proof(scene.method)->inner, "pap");
		assert_int_equal(scene.kind->proof(scene.method)->kind, RG_NAME_INNER);
		scene_close(&scene);
	}
}

static void E4_a_session_ends_with_the_inner_methods(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct scene scene;
		sign_in_once(&scene, versions[i]);
		inner.pap = false;
		scene_begin(&scene, "ttls", versions[i]);
		assert_false(scene_resumes(&scene));
		scene_never_accepted(&scene);
		inner.pap = true;
		scene_close(&scene);
	}
}

/* The session of a TTLS tunnel, offered to PEAP. */
static void E4_a_session_stays_in_its_tunnel(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct scene scene;
		sign_in_once(&scene, versions[i]);
		scene_begin(&scene, "peap", versions[i]);
		assert_false(scene_resumes(&scene));
		scene_never_accepted(&scene);
		scene_close(&scene);
	}
}

static void E6_ttls_without_saying_who(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct scene scene;
		scene_open(&scene, "ttls", versions[i]);
		assert_int_equal(scene_acknowledge(&scene), RG_EAP_FAILURE);
		assert_int_equal(scene.step.reason, RG_REASON_METHOD_REFUSED);
		scene_never_accepted(&scene);
		scene_close(&scene);
	}
}

static void E6_ttls_two_ways_at_once(void **state)
{
	uint8_t memory[512];
	struct rg_buffer clear = buffer_over(memory, sizeof(memory));
	struct scene scene;
	(void)state;
	scene_open(&scene, "ttls", "1.3");
	avp_write(&clear, 1, 0, identity);
	avp_write(&clear, 2, 0, span_text(PASSWORD));
	avp_write(&clear, 79, 0, span_of("\x02\x00\x00\x06\x01j", 6));
	assert_int_equal(scene_say(&scene, buffer_span(&clear)), RG_EAP_FAILURE);
	assert_int_equal(scene.asked, 0);
	scene_close(&scene);
}

static void E6_ttls_changes_its_way(void **state)
{
	struct scene scene;
	(void)state;
	scene_open(&scene, "ttls", "1.3");
	assert_int_equal(ttls_eap(&scene, 0, RG_EAP_IDENTITY, identity), RG_EAP_REQUEST);
	assert_int_equal(ttls_pap(&scene, "jan@beuningen.nl", PASSWORD), RG_EAP_FAILURE);
	assert_int_equal(scene.asked, 0);
	scene_close(&scene);
}

static void E6_ttls_an_inner_response_of_another_turn(void **state)
{
	struct scene scene;
	(void)state;
	scene_open(&scene, "ttls", "1.2");
	assert_int_equal(ttls_eap(&scene, 9, RG_EAP_IDENTITY, identity), RG_EAP_REQUEST);
	assert_int_equal(ttls_eap(&scene, 10, RG_EAP_NAK, span_of("\x06", 1)), RG_EAP_REQUEST);
	/* Right but for its Identifier. */
	assert_int_equal(ttls_eap(&scene, 10, 6, span_text(PASSWORD)), RG_EAP_FAILURE);
	assert_non_null(strstr(scene.step.detail, "Identifier"));
	assert_int_equal(scene.asked, 0);
	scene_close(&scene);
}

/* The tunnel is up; in place of a word in it, the hello of another handshake. */
static void E8_renegotiation_in_a_tunnel(void **state)
{
	static const char *const methods[] = {"ttls", "peap"};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct scene scene;
		scene_open(&scene, methods[i], "1.2");
		SSL *laptop = scene.laptop.ssl;
		SSL_clear_options(laptop, SSL_OP_NO_RENEGOTIATION);
		assert_int_equal(SSL_renegotiate(laptop), 1);
		assert_int_equal(SSL_do_handshake(laptop), -1);
		assert_true(BIO_ctrl_pending(scene.laptop.out) > 100);
		scene_say(&scene, (struct rg_span){0});
		if (i == 1) { /* PEAP says its Result first, and with it what TLS says to the hello */
			assert_int_equal(scene.verdict, RG_EAP_REQUEST);
			assert_int_equal(scene.laptop.alert_received & 0xff, SSL_AD_NO_RENEGOTIATION);
			scene_acknowledge(&scene);
		}
		assert_int_equal(scene.verdict, RG_EAP_FAILURE);
		assert_int_equal(scene.step.reason, RG_REASON_METHOD_REFUSED);
		assert_int_equal(scene.asked, 0);
		scene_never_accepted(&scene);
		scene_close(&scene);
	}
}

static void ttls_broken_avps(void **state)
{
	static const struct {
		uint8_t octets[24];
		size_t length;
		const char *detail;
	} cases[] = {
		{{0, 0, 0, 1}, 4, "wrong length"},
		{{0, 0, 0, 1, 0x40, 0, 0, 7}, 8, "wrong length"},
		{{0, 0, 0, 1, 0x40, 0, 0, 200, 'j'}, 9, "wrong length"},
		{{0, 0, 0, 1, 0xc0, 0, 0, 8, 0, 0, 1, 55}, 12, "wrong length"},
		{{0, 0, 0, 1, 0x40, 0xff, 0xff, 0xff}, 8, "wrong length"},
		{{0, 0, 3, 9, 0x40, 0, 0, 9, 'x', 0, 0, 0}, 12, "mandatory"},
		{{0, 0, 0, 99, 0xc0, 0, 0, 13, 0, 0, 1, 55, 'x', 0, 0, 0}, 16, "mandatory"},
		{{0, 0, 0, 2, 0xc0, 0, 0, 12, 0, 0, 0, 9}, 12, "mandatory"},
		{{0, 0, 3, 9, 0x00, 0, 0, 9, 'x', 0, 0, 0}, 12, "no way"},
		{{0, 0, 0, 3, 0x40, 0, 0, 9, 'x', 0, 0, 0}, 12, "CHAP"},
		{{0, 0, 0, 1, 0xc0, 0, 0, 13, 0, 0, 1, 55, 'x', 0, 0, 0}, 16, "MSCHAP"},
		{{0, 0, 0, 2, 0x40, 0, 0, 12, 'g', 'e', 'h', 'e'}, 12, "no User-Name"},
		{{0, 0, 0, 1, 0x40, 0, 0, 12, 'a', 'n', 'n', 'a'}, 12, "no way"},
		{{0, 0, 0, 1, 0x40, 0, 0, 8, 0, 0, 0, 1, 0x40, 0, 0, 8}, 16, "twice"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene scene;
		scene_open(&scene, "ttls", "1.3");
		assert_int_equal(scene_say_text(&scene, cases[i].octets, cases[i].length),
				 RG_EAP_FAILURE);
		assert_int_equal(scene.step.reason, RG_REASON_METHOD_REFUSED);
		if (!strstr(scene.step.detail, cases[i].detail))
			fail_msg("case %zu: %s", i, scene.step.detail);
		assert_int_equal(scene.asked, 0);
		scene_close(&scene);
	}
}

static void E2_ttls_too_many_avps_and_too_long(void **state)
{
	uint8_t memory[8192] = {0};
	struct scene scene;
	struct rg_buffer clear = buffer_over(memory, sizeof(memory));
	(void)state;
	scene_open(&scene, "ttls", "1.3");
	for (unsigned i = 0; i < RG_AVP_MOST + 1; i++) { /* unknown, and not mandatory */
		buffer_u32(&clear, 777);
		buffer_u32(&clear, 8);
	}
	assert_int_equal(scene_say(&scene, buffer_span(&clear)), RG_EAP_FAILURE);
	assert_non_null(strstr(scene.step.detail, "too many AVPs"));
	scene_close(&scene);
	scene_open(&scene, "ttls", "1.3");
	assert_int_equal(scene_say_text(&scene, memory, 6000), RG_EAP_FAILURE);
	assert_non_null(strstr(scene.step.detail, "too long"));
	scene_close(&scene);
}

static void ttls_names_that_are_none(void **state)
{
	uint8_t memory[1024], long_name[300];
	struct rg_buffer clear = buffer_over(memory, sizeof(memory));
	struct scene scene;
	(void)state;
	memset(long_name, 'j', sizeof(long_name));
	scene_open(&scene, "ttls", "1.3");
	avp_write(&clear, 1, 0, span_of("jan\0@b.nl", 9));
	avp_write(&clear, 2, 0, span_text(PASSWORD));
	assert_int_equal(scene_say(&scene, buffer_span(&clear)), RG_EAP_FAILURE);
	assert_int_equal(scene.step.reason, RG_REASON_IDENTITY_MISMATCH);
	scene_close(&scene);
	scene_open(&scene, "ttls", "1.3");
	clear.length = 0;
	avp_write(&clear, 1, 0, span_of(long_name, sizeof(long_name)));
	avp_write(&clear, 2, 0, span_text(PASSWORD));
	assert_int_equal(scene_say(&scene, buffer_span(&clear)), RG_EAP_FAILURE);
	assert_int_equal(scene.asked, 0);
	scene_close(&scene);
}

/* MSCHAPv2 as an attribute, of a wrong password. implicit: what the tunnel makes of challenge and Ident. */
static enum rg_eap_verdict ttls_mschapv2(struct scene *scene, const uint8_t implicit[17])
{
	uint8_t memory[512], response[50] = {implicit[16]};
	struct rg_buffer clear = buffer_over(memory, sizeof(memory));
	avp_write(&clear, 1, 0, identity);
	avp_write(&clear, 11, MICROSOFT, span_of(implicit, 16));
	avp_write(&clear, 25, MICROSOFT, span_of(response, sizeof(response)));
	return scene_say(scene, buffer_span(&clear));
}

static void implicit_of(const struct scene *scene, uint8_t implicit[17])
{
	assert_int_equal(SSL_export_keying_material(scene->laptop.ssl, implicit, 17,
						    "ttls challenge", 14, NULL, 0, 0), 1);
}

/* A Response that was right in another tunnel. */
static void E6_ttls_mschapv2_of_another_tunnel(void **state)
{
	uint8_t implicit[17];
	struct scene scene;
	(void)state;
	for (unsigned wrong = 0; wrong < 17; wrong += 16) {
		scene_open(&scene, "ttls", "1.2");
		implicit_of(&scene, implicit);
		implicit[wrong]++;
		assert_int_equal(ttls_mschapv2(&scene, implicit), RG_EAP_FAILURE);
		assert_int_equal(scene.asked, 0);
		scene_close(&scene);
	}
}

/* Refused, and told so, it has another way to show who it is. */
static void E6_ttls_another_way_after_the_last_word(void **state)
{
	uint8_t implicit[17];
	struct scene scene;
	(void)state;
	scene_open(&scene, "ttls", "1.2");
	implicit_of(&scene, implicit);
	assert_int_equal(ttls_mschapv2(&scene, implicit), RG_EAP_REQUEST); /* MS-CHAP-Error */
	assert_int_equal(scene.asked, 1);
	assert_int_equal(ttls_pap(&scene, "jan@beuningen.nl", PASSWORD), RG_EAP_FAILURE);
	assert_int_equal(scene.asked, 1);
	scene_never_accepted(&scene);
	scene_close(&scene);
}

/* The Challenge of EAP-MSCHAPv2 in PEAP. */
static void peap_until_challenge(struct scene *scene)
{
	scene_open(scene, "peap", "1.3");
	assert_int_equal(scene_answer(scene, RG_EAP_IDENTITY, identity), RG_EAP_REQUEST);
	assert_int_equal(scene->heard[0], 26);
	assert_int_equal(scene->heard[1], 1);
}

static enum rg_eap_verdict mschapv2(struct scene *scene, const char *password, const char *name,
				    uint8_t id_more)
{
	uint8_t memory[512];
	struct rg_buffer data = buffer_over(memory, sizeof(memory));
	mschapv2_respond(scene, password, name, &data, id_more);
	return scene_answer(scene, 26, buffer_span(&data));
}

static void mschapv2_with_a_second_try(void **state)
{
	struct scene scene;
	(void)state;
	peap_until_challenge(&scene);
	assert_int_equal(mschapv2(&scene, "fout", "jan@beuningen.nl", 0), RG_EAP_REQUEST);
	assert_int_equal(scene.step.reason, RG_REASON_PASSWORD_WRONG); /* should it end here */
	assert_int_equal(scene.heard[1], 4);
	assert_non_null(strstr((char *)scene.heard + 5, "E=691 R=1"));
	assert_int_equal(mschapv2(&scene, PASSWORD, "jan@beuningen.nl", 1), RG_EAP_REQUEST);
	assert_int_equal(scene.asked, 2);
	assert_int_equal(scene.step.reason, RG_REASON_NONE);
	assert_int_equal(scene.heard[1], 3);
	assert_int_equal(scene_answer(&scene, 26, span_of("\x03", 1)), RG_EAP_REQUEST);
	assert_int_equal(peap_result(&scene, result_id(&scene), 1, (struct rg_span){0}),
			 RG_EAP_SUCCESS);
	scene_close(&scene);
}

static void mschapv2_three_tries_and_no_more(void **state)
{
	struct scene scene;
	(void)state;
	peap_until_challenge(&scene);
	assert_int_equal(mschapv2(&scene, "fout", "jan", 0), RG_EAP_REQUEST);
	assert_int_equal(mschapv2(&scene, "fout", "jan", 1), RG_EAP_REQUEST);
	assert_int_equal(mschapv2(&scene, "fout", "jan", 0), RG_EAP_REQUEST);
	assert_non_null(strstr((char *)scene.heard + 5, "E=691 R=0"));
	/* The right one now is too late: the server's Result says failure. */
	assert_int_equal(mschapv2(&scene, PASSWORD, "jan", 1), RG_EAP_REQUEST);
	assert_int_equal(scene.asked, 3);
	assert_int_equal(peap_result(&scene, result_id(&scene), 1, (struct rg_span){0}),
			 RG_EAP_FAILURE);
	scene_never_accepted(&scene);
	scene_close(&scene);
}

static void a_refusal_that_no_other_password_mends(void **state)
{
	struct scene scene;
	(void)state;
	peap_until_challenge(&scene);
	scene.refuses = RG_REASON_PASSWORD_EXPIRED;
	assert_int_equal(mschapv2(&scene, PASSWORD, "jan", 0), RG_EAP_REQUEST);
	assert_non_null(strstr((char *)scene.heard + 5, "E=648 R=0"));
	scene.refuses = RG_REASON_NONE;
	assert_int_equal(scene_answer(&scene, 26, span_of("\x04", 1)), RG_EAP_REQUEST);
	assert_int_equal(peap_result(&scene, result_id(&scene), 2, (struct rg_span){0}),
			 RG_EAP_FAILURE);
	assert_int_equal(scene.step.reason, RG_REASON_PASSWORD_EXPIRED);
	scene_never_accepted(&scene);
	scene_close(&scene);
}

/* OpCode 3 says "agreed" to a Success that was never said. */
static void E6_mschapv2_success_early(void **state)
{
	struct scene scene;
	(void)state;
	for (unsigned after_failure = 0; after_failure < 2; after_failure++) {
		peap_until_challenge(&scene);
		if (after_failure)
			assert_int_equal(mschapv2(&scene, "fout", "jan", 0), RG_EAP_REQUEST);
		assert_int_equal(scene_answer(&scene, 26, span_of("\x03", 1)), RG_EAP_REQUEST);
		assert_int_equal(peap_result(&scene, result_id(&scene), 1, (struct rg_span){0}),
				 RG_EAP_FAILURE);
		scene_never_accepted(&scene);
		scene_close(&scene);
	}
}

/* The Response that was right once, to another Challenge. */
static void E6_mschapv2_replayed(void **state)
{
	uint8_t memory[512];
	struct rg_buffer data = buffer_over(memory, sizeof(memory));
	struct scene scene;
	(void)state;
	peap_until_challenge(&scene);
	mschapv2_respond(&scene, PASSWORD, "jan", &data, 0);
	assert_int_equal(scene_answer(&scene, 26, buffer_span(&data)), RG_EAP_REQUEST);
	assert_true(scene.granted);
	/* In the same conversation: out of turn. */
	assert_int_equal(scene_answer(&scene, 26, buffer_span(&data)), RG_EAP_REQUEST);
	assert_int_equal(scene.asked, 1);
	assert_int_equal(peap_result(&scene, result_id(&scene), 1, (struct rg_span){0}),
			 RG_EAP_FAILURE);
	scene_close(&scene);
	/* In another: with its id set right the directory finds it wrong. */
	peap_until_challenge(&scene);
	memory[1] = scene.heard[2];
	assert_int_equal(scene_answer(&scene, 26, buffer_span(&data)), RG_EAP_REQUEST);
	assert_int_equal(scene.asked, 1);
	scene_never_accepted(&scene);
	scene_close(&scene);
}

static void E7_mschapv2_of_another_person(void **state)
{
	struct scene scene;
	(void)state;
	peap_until_challenge(&scene);
	assert_int_equal(mschapv2(&scene, PASSWORD, "piet", 0), RG_EAP_REQUEST);
	assert_int_equal(scene.asked, 0);
	assert_int_equal(peap_result(&scene, result_id(&scene), 1, (struct rg_span){0}),
			 RG_EAP_FAILURE);
	scene_never_accepted(&scene);
	scene_close(&scene);
}

static void mschapv2_the_supplicant_does_not_believe_us(void **state)
{
	struct scene scene;
	(void)state;
	peap_until_challenge(&scene);
	assert_int_equal(mschapv2(&scene, PASSWORD, "jan", 0), RG_EAP_REQUEST);
	assert_int_equal(scene_answer(&scene, 26, span_of("\x04", 1)), RG_EAP_REQUEST);
	assert_int_equal(peap_result(&scene, result_id(&scene), 1, (struct rg_span){0}),
			 RG_EAP_FAILURE);
	assert_int_equal(scene.step.reason, RG_REASON_SUPPLICANT_DISTRUSTS_SERVER);
	scene_close(&scene);
}

static void E6_peap_result_before_anything(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++)
		for (uint8_t id = 0; id < 3; id++) {
			struct scene scene;
			scene_open(&scene, "peap", versions[i]);
			assert_int_equal(peap_result(&scene, id, 1, (struct rg_span){0}),
					 RG_EAP_FAILURE);
			assert_int_equal(scene.asked, 0);
			scene_never_accepted(&scene);
			scene_close(&scene);
		}
}

static void E6_peap_result_half_way(void **state)
{
	struct scene scene;
	(void)state;
	peap_until_challenge(&scene);
	assert_int_equal(peap_result(&scene, 1, 1, (struct rg_span){0}), RG_EAP_FAILURE);
	scene_never_accepted(&scene);
	scene_close(&scene);
}

static void E6_peap_acknowledges_in_place_of_a_result(void **state)
{
	struct scene scene;
	(void)state;
	peap_until_result(&scene, "1.3");
	assert_int_equal(scene_acknowledge(&scene), RG_EAP_FAILURE);
	scene_close(&scene);
	peap_until_result(&scene, "1.2"); /* another inner packet is none either */
	assert_int_equal(scene_answer(&scene, 6, span_text(PASSWORD)), RG_EAP_FAILURE);
	scene_close(&scene);
}

/* The laptop's own cryptobinding TLV, right but for what a test spoils. */
static void binding_of(struct scene *scene, uint8_t tlv[RG_BINDING_TLV])
{
	static const uint8_t no_keys[RG_BINDING_ISK]; /* GTC makes none */
	uint8_t material[128];
	struct rg_peap_binding binding;
	struct rg_buffer out = buffer_over(tlv, RG_BINDING_TLV);
	struct rg_span value = span_of(scene->heard + 5 + 6 + 4, RG_BINDING_TLV - 4);
	assert_int_equal(scene->clear.length, 5 + 6 + RG_BINDING_TLV);
	assert_true(tls_peer_material(&scene->laptop, 25, "client EAP encryption", material));
	assert_true(binding_make(&binding, material, no_keys));
	memcpy(binding.nonce, value.data + 4, RG_BINDING_NONCE);
	assert_true(binding_fits(&binding, RG_BINDING_REQUEST, value));
	assert_true(binding_write(&binding, RG_BINDING_RESPONSE, &out));
}

static void peap_binds_the_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		uint8_t tlv[RG_BINDING_TLV], material[128];
		struct rg_eap_keys keys;
		struct scene scene;
		peap_until_result(&scene, versions[i]);
		binding_of(&scene, tlv);
		assert_true(tls_peer_material(&scene.laptop, 25, "client EAP encryption", material));
		assert_int_equal(peap_result(&scene, result_id(&scene), 1, span_of(tlv, sizeof(tlv))),
				 RG_EAP_SUCCESS);
		assert_true(scene.kind->keys(scene.method, &keys));
		assert_memory_not_equal(keys.msk, material, 64);
		scene_close(&scene);
		peap_until_result(&scene, versions[i]); /* and without it they are those of TLS */
		assert_true(tls_peer_material(&scene.laptop, 25, "client EAP encryption", material));
		assert_int_equal(peap_result(&scene, result_id(&scene), 1, (struct rg_span){0}),
				 RG_EAP_SUCCESS);
		assert_true(scene.kind->keys(scene.method, &keys));
		assert_memory_equal(keys.msk, material, 64);
		scene_close(&scene);
	}
}

static void E6_cryptobinding_wrong(void **state)
{
	(void)state;
	/* Each octet that counts: versions, subtype, nonce, MAC. */
	static const size_t spoiled[] = {5, 6, 7, 8, 39, 40, 59};
	for (size_t i = 0; i < sizeof(spoiled) / sizeof(spoiled[0]); i++) {
		uint8_t tlv[RG_BINDING_TLV];
		struct scene scene;
		peap_until_result(&scene, "1.3");
		binding_of(&scene, tlv);
		tlv[spoiled[i]] ^= 1;
		assert_int_equal(peap_result(&scene, result_id(&scene), 1, span_of(tlv, sizeof(tlv))),
				 RG_EAP_FAILURE);
		scene_close(&scene);
	}
	uint8_t tlv[RG_BINDING_TLV];
	struct scene scene;
	peap_until_result(&scene, "1.3"); /* the server's own, sent back */
	memcpy(tlv, scene.heard + 5 + 6, sizeof(tlv));
	assert_int_equal(peap_result(&scene, result_id(&scene), 1, span_of(tlv, sizeof(tlv))),
			 RG_EAP_FAILURE);
	scene_close(&scene);
}

static void E6_cryptobinding_missing_where_required(void **state)
{
	uint8_t tlv[RG_BINDING_TLV];
	struct scene scene;
	(void)state;
	inner.binding_required = true;
	peap_until_result(&scene, "1.3");
	assert_int_equal(peap_result(&scene, result_id(&scene), 1, (struct rg_span){0}),
			 RG_EAP_FAILURE);
	scene_close(&scene);
	peap_until_result(&scene, "1.3");
	binding_of(&scene, tlv);
	assert_int_equal(peap_result(&scene, result_id(&scene), 1, span_of(tlv, sizeof(tlv))),
			 RG_EAP_SUCCESS);
	scene_close(&scene);
	inner.binding_required = false;
}

static void peap_results_that_are_none(void **state)
{
	static const struct {
		uint8_t octets[24];
		size_t length;
	} cases[] = {
		{{0, 4, 0, 2, 0, 9}, 6},             /* no Result */
		{{0x80, 3, 0, 2, 0, 1, 0x80, 3, 0, 2, 0, 1}, 12}, /* two */
		{{0x80, 3, 0, 2, 0, 3}, 6},          /* neither success nor failure */
		{{0x80, 3, 0, 1, 1}, 5},
		{{0x80, 3, 0, 9, 0, 1}, 6},          /* longer than the packet */
		{{0x80, 3}, 2},
		{{0x80, 3, 0, 2, 0, 1, 0x80, 9, 0, 0}, 10}, /* mandatory, and not known */
		{{0x80, 3, 0, 2, 0, 2}, 6},          /* failure */
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t memory[64];
		struct rg_buffer clear = buffer_over(memory, sizeof(memory));
		struct scene scene;
		peap_until_result(&scene, "1.3");
		buffer_u8(&clear, RG_EAP_CODE_RESPONSE);
		buffer_u8(&clear, result_id(&scene));
		buffer_u16(&clear, (uint16_t)(5 + cases[i].length));
		buffer_u8(&clear, 33);
		buffer_put(&clear, span_of(cases[i].octets, cases[i].length));
		if (scene_say(&scene, buffer_span(&clear)) != RG_EAP_FAILURE)
			fail_msg("case %zu", i);
		scene_close(&scene);
	}
	struct scene scene;
	peap_until_result(&scene, "1.3"); /* an answer to another Request */
	assert_int_equal(peap_result(&scene, (uint8_t)(result_id(&scene) + 1), 1,
				     (struct rg_span){0}), RG_EAP_FAILURE);
	scene_close(&scene);
}

/* Headers and all, as some supplicants send inner packets. */
static void peap_inner_packets_that_are_whole(void **state)
{
	uint8_t memory[64];
	struct rg_buffer clear = buffer_over(memory, sizeof(memory));
	struct scene scene;
	(void)state;
	scene_open(&scene, "peap", "1.2");
	buffer_u8(&clear, RG_EAP_CODE_RESPONSE);
	buffer_u8(&clear, 0);
	buffer_u16(&clear, (uint16_t)(5 + identity.length));
	buffer_u8(&clear, RG_EAP_IDENTITY);
	buffer_put(&clear, identity);
	assert_int_equal(scene_say(&scene, buffer_span(&clear)), RG_EAP_REQUEST);
	assert_int_equal(scene.heard[0], 26);
	scene_close(&scene);
}

static void an_inner_method_that_the_realm_does_not_offer(void **state)
{
	static const struct rg_eap_method *const none[] = {NULL};
	struct rg_eap_inner all = inner;
	struct scene scene;
	(void)state;
	inner = (struct rg_eap_inner){.methods = none};
	scene_open(&scene, "ttls", "1.3");
	assert_int_equal(ttls_pap(&scene, "jan@beuningen.nl", PASSWORD), RG_EAP_FAILURE);
	scene_close(&scene);
	scene_open(&scene, "ttls", "1.3");
	assert_int_equal(ttls_eap(&scene, 0, RG_EAP_IDENTITY, identity), RG_EAP_FAILURE);
	scene_close(&scene);
	inner = all;
	scene_open(&scene, "peap", "1.3"); /* Nak to something else */
	assert_int_equal(scene_answer(&scene, RG_EAP_IDENTITY, identity), RG_EAP_REQUEST);
	assert_int_equal(scene_answer(&scene, RG_EAP_NAK, span_of("\x0d\x04", 2)), RG_EAP_REQUEST);
	assert_int_equal(peap_result(&scene, result_id(&scene), 2, (struct rg_span){0}),
			 RG_EAP_FAILURE);
	assert_int_equal(scene.step.reason, RG_REASON_METHOD_REFUSED);
	scene_close(&scene);
}

/* Whatever comes: no Accept, nothing read that is not there. The seed is fixed, so that a failure comes again. */
static void E6_random_messages(void **state)
{
	static const char *const labels[] = {"ttls", "peap"};
	uint8_t octets[600];
	(void)state;
	srandom(4);
	for (unsigned round = 0; round < 300; round++) {
		struct scene scene;
		scene_open(&scene, labels[round % 2], versions[round / 2 % 2]);
		for (unsigned turn = 0; turn < 6 && scene.verdict == RG_EAP_REQUEST; turn++) {
			size_t length = (size_t)random() % (round % 3 == 0 ? 24 : sizeof(octets)) + 1;
			for (size_t i = 0; i < length; i++)
				octets[i] = (uint8_t)random();
			/* Often something that begins well. */
			if (round % 2 == 0 && random() % 2)
				memcpy(octets, "\0\0\0\x4f\x40\0\0\x0e\x02\0\0\x06\x01j", length < 14 ? length : 14);
			else if (random() % 2)
				octets[0] = random() % 2 ? 26 : 1;
			scene_say_text(&scene, octets, length);
		}
		scene_never_accepted(&scene);
		scene_close(&scene);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_right_password_is_let_in),
		cmocka_unit_test(E4_a_refused_tunnel_is_not_kept),
		cmocka_unit_test(a_resumed_tunnel_stands_for_whom_it_let_in),
		cmocka_unit_test(E4_a_session_ends_with_the_inner_methods),
		cmocka_unit_test(E4_a_session_stays_in_its_tunnel),
		cmocka_unit_test(E6_ttls_without_saying_who),
		cmocka_unit_test(E6_ttls_two_ways_at_once),
		cmocka_unit_test(E6_ttls_changes_its_way),
		cmocka_unit_test(E6_ttls_an_inner_response_of_another_turn),
		cmocka_unit_test(E8_renegotiation_in_a_tunnel),
		cmocka_unit_test(ttls_broken_avps),
		cmocka_unit_test(E2_ttls_too_many_avps_and_too_long),
		cmocka_unit_test(ttls_names_that_are_none),
		cmocka_unit_test(E6_ttls_mschapv2_of_another_tunnel),
		cmocka_unit_test(E6_ttls_another_way_after_the_last_word),
		cmocka_unit_test(mschapv2_with_a_second_try),
		cmocka_unit_test(mschapv2_three_tries_and_no_more),
		cmocka_unit_test(a_refusal_that_no_other_password_mends),
		cmocka_unit_test(E6_mschapv2_success_early),
		cmocka_unit_test(E6_mschapv2_replayed),
		cmocka_unit_test(E7_mschapv2_of_another_person),
		cmocka_unit_test(mschapv2_the_supplicant_does_not_believe_us),
		cmocka_unit_test(E6_peap_result_before_anything),
		cmocka_unit_test(E6_peap_result_half_way),
		cmocka_unit_test(E6_peap_acknowledges_in_place_of_a_result),
		cmocka_unit_test(peap_binds_the_keys),
		cmocka_unit_test(E6_cryptobinding_wrong),
		cmocka_unit_test(E6_cryptobinding_missing_where_required),
		cmocka_unit_test(peap_results_that_are_none),
		cmocka_unit_test(peap_inner_packets_that_are_whole),
		cmocka_unit_test(an_inner_method_that_the_realm_does_not_offer),
		cmocka_unit_test(E6_random_messages),
	};
	return cmocka_run_group_tests_name("eap/tunnels", tests, scenes_set_up, scenes_tear_down);
}

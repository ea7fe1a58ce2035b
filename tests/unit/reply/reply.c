#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/secret.h"
#include "reply/reply.h"

static const uint8_t authenticator[RG_AUTHENTICATOR] = "0123456789abcdef";
static const uint8_t proxy_states[] = {33, 5, 'a', 'b', 'c', 33, 3, 'z', 33, 2};
static struct rg_radius_key *key;
static uint8_t out[RG_RADIUS_MOST];

static int set_up(void **state)
{
	(void)state;
	key = radius_key_new(span_text("a secret of the town hall"));
	return key ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	radius_key_free(&key);
	return 0;
}

static struct rg_span compose(const struct rg_reply *reply)
{
	const struct rg_reply_to to = {
		.token = 77,
		.authenticator = authenticator,
		.key = key,
		.proxy_states = span_of(proxy_states, sizeof(proxy_states)),
	};
	struct rg_span packet = reply_compose(reply, &to, out);
	if (packet.length != 0)
		packets_seal(&(struct rg_unsealed){out, packet.length, key}, 1);
	return packet;
}

static void must_view(struct rg_packet *packet, struct rg_span bytes, uint8_t code)
{
	assert_int_equal(packet_view(packet, bytes), RG_PACKET_OK);
	assert_int_equal(packet->code, code);
	assert_int_equal(packet->token, 77);
	assert_int_equal(reply_verify(packet, authenticator, key),
			 code == RG_ACCOUNTING_RESPONSE && !packet->first[RG_MESSAGE_AUTHENTICATOR]
				 ? RG_AUTHENTIC_ABSENT
				 : RG_AUTHENTIC);
}

static void expect_proxy_states_last(struct rg_span bytes)
{
	assert_true(bytes.length > sizeof(proxy_states));
	assert_memory_equal(bytes.data + bytes.length - sizeof(proxy_states), proxy_states,
			    sizeof(proxy_states));
}

static void B2_message_authenticator_is_first(void **state)
{
	static const enum rg_code codes[] = {RG_ACCESS_ACCEPT, RG_ACCESS_REJECT, RG_ACCESS_CHALLENGE};
	struct rg_packet packet;
	for (size_t i = 0; i < 3; i++) {
		struct rg_reply reply = {.code = codes[i],
					 .eap = span_of("\x03\x07\x00\x04", 4),
					 .state = span_text("state")};
		struct rg_span bytes = compose(&reply);
		must_view(&packet, bytes, (uint8_t)codes[i]);
		assert_int_equal(bytes.data[20], RG_MESSAGE_AUTHENTICATOR);
		assert_int_equal(bytes.data[21], 18);
		assert_int_equal(packet_count(&packet, RG_REPLY_MESSAGE), 0);
		expect_proxy_states_last(bytes);
	}
	(void)state;
}

static void B2_answers_to_status_server(void **state)
{
	static const enum rg_code codes[] = {RG_ACCESS_ACCEPT, RG_ACCOUNTING_RESPONSE};
	struct rg_packet packet;
	for (size_t i = 0; i < 2; i++) {
		struct rg_reply reply = {.code = codes[i],
					 .reply_message = span_text("rijk-van-nijmegen"),
					 .to_status_server = true};
		struct rg_span bytes = compose(&reply);
		must_view(&packet, bytes, (uint8_t)codes[i]);
		assert_int_equal(bytes.data[20], RG_MESSAGE_AUTHENTICATOR);
		assert_true(span_equal(packet_find(&packet, RG_REPLY_MESSAGE), reply.reply_message));
	}
	(void)state;
}

static void accept_bears_what_it_is_given(void **state)
{
	static const uint8_t vlan[] = {64, 6, 0, 0, 0, 13, 81, 5, '1', '2', '0'};
	struct rg_eap_keys keys = {.session_id = {13, 1, 2, 3}, .session_id_length = 4};
	struct rg_reply reply = {.code = RG_ACCESS_ACCEPT,
				 .eap = span_of("\x03\x07\x00\x04", 4),
				 .keys = &keys,
				 .key_name = true,
				 .user_name = span_text("jan@beuningen.nl"),
				 .cui = span_text("c0ffee"),
				 .attributes = span_of(vlan, sizeof(vlan))};
	struct rg_packet packet;
	uint8_t clear[256];
	(void)state;
	for (size_t i = 0; i < sizeof(keys.msk); i++)
		keys.msk[i] = (uint8_t)i;
	must_view(&packet, compose(&reply), RG_ACCESS_ACCEPT);
	assert_true(span_equal(packet_find(&packet, RG_USER_NAME), reply.user_name));
	assert_true(span_equal(packet_find(&packet, RG_CUI), reply.cui));
	assert_true(span_equal(packet_find(&packet, RG_TUNNEL_PRIVATE_GROUP_ID), span_text("120")));
	assert_true(span_equal(packet_find(&packet, RG_EAP_KEY_NAME),
			       span_of(keys.session_id, keys.session_id_length)));
	struct rg_span receive = packet_find_vendor(&packet, RG_VENDOR_MICROSOFT, 17),
		       send = packet_find_vendor(&packet, RG_VENDOR_MICROSOFT, 16);
	assert_int_equal(mppe_reveal(clear, receive, authenticator, key), 32);
	assert_memory_equal(clear, keys.msk, 32);
	assert_int_equal(mppe_reveal(clear, send, authenticator, key), 32);
	assert_memory_equal(clear, keys.msk + 32, 32);
	/* RFC 2548 §2.4.2: the salts of one packet differ. */
	assert_memory_not_equal(receive.data, send.data, 2);
}

static void keys_only_with_a_key_name_where_asked(void **state)
{
	struct rg_eap_keys keys = {.session_id = {13}, .session_id_length = 1};
	struct rg_reply reply = {.code = RG_ACCESS_ACCEPT, .keys = &keys};
	struct rg_packet packet;
	(void)state;
	must_view(&packet, compose(&reply), RG_ACCESS_ACCEPT);
	assert_int_equal(packet_count(&packet, RG_EAP_KEY_NAME), 0);
	reply.keys = NULL;
	reply.key_name = true;
	must_view(&packet, compose(&reply), RG_ACCESS_ACCEPT);
	assert_int_equal(packet_count(&packet, RG_EAP_KEY_NAME), 0);
	assert_int_equal(packet_count(&packet, RG_VENDOR_SPECIFIC), 0);
}

static void eap_in_pieces_and_what_does_not_fit(void **state)
{
	uint8_t eap[4096], collected[4096];
	struct rg_reply reply = {.code = RG_ACCESS_CHALLENGE, .eap = span_of(eap, 1400)};
	struct rg_packet packet;
	struct rg_buffer buffer = buffer_over(collected, sizeof(collected));
	for (size_t i = 0; i < sizeof(eap); i++)
		eap[i] = (uint8_t)(i * 7);
	must_view(&packet, compose(&reply), RG_ACCESS_CHALLENGE);
	assert_int_equal(packet_count(&packet, RG_EAP_MESSAGE), 6);
	assert_true(packet_eap(&packet, &buffer));
	assert_true(span_equal(buffer_span(&buffer), reply.eap));
	reply.eap.length = 4090;
	assert_int_equal(compose(&reply).length, 0);
	(void)state;
}

static void cui_is_stable_and_different_for_each_operator(void **state)
{
	struct rg_secret *secret = secret_new("key", 3), *other = secret_new("yek", 3);
	char a[65], b[65];
	(void)state;
	/* What a person has been charged under must not change with a new version:
	 * printf '1beuningen.nl\njan@druten.nl' | openssl dgst -sha256 -hmac key */
	cui_compute(a, secret, "1beuningen.nl", "jan@druten.nl");
	assert_string_equal(a, "22e4afa280c9fc691700b4a63562f1dfbd6df2f9ca7eddb6f9db01860edad855");
	cui_compute(b, secret, "1Beuningen.NL", "Jan@Druten.nl");
	assert_string_equal(a, b);
	cui_compute(b, secret, "1wijchen.nl", "jan@druten.nl");
	assert_string_not_equal(a, b);
	cui_compute(b, secret, NULL, "jan@druten.nl");
	assert_string_not_equal(a, b);
	cui_compute(b, secret, "1beuningen.nl", "piet@druten.nl");
	assert_string_not_equal(a, b);
	cui_compute(b, other, "1beuningen.nl", "jan@druten.nl");
	assert_string_not_equal(a, b);
	secret_free(&secret);
	secret_free(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(B2_message_authenticator_is_first),
		cmocka_unit_test(B2_answers_to_status_server),
		cmocka_unit_test(accept_bears_what_it_is_given),
		cmocka_unit_test(keys_only_with_a_key_name_where_asked),
		cmocka_unit_test(eap_in_pieces_and_what_does_not_fit),
		cmocka_unit_test(cui_is_stable_and_different_for_each_operator),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* What crosses the border to and from the federation, and how. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "radius/writer.h"
#include "upstream/compose.h"

static const uint8_t of_client[RG_AUTHENTICATOR] = "client's random";
static const uint8_t of_peer[RG_AUTHENTICATOR] = "for the peer ..";
static struct rg_radius_key *client_key, *peer_key, *second_key;
static uint8_t memory[RG_RADIUS_MOST], out[RG_RADIUS_MOST];
static struct rg_writer writer;
static struct rg_packet source, made;

static int set_up(void **state)
{
	(void)state;
	client_key = radius_key_new(span_text("secret of the client"));
	peer_key = radius_key_new(span_text("secret of the peer"));
	second_key = radius_key_new(span_text("secret of the second peer"));
	return client_key && peer_key && second_key ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	radius_key_free(&client_key);
	radius_key_free(&peer_key);
	radius_key_free(&second_key);
	return 0;
}

static void begin(uint8_t code)
{
	bool asks = code == RG_ACCESS_REQUEST || code == RG_ACCOUNTING_REQUEST;
	writer_begin(&writer, memory, sizeof(memory), code, 1, asks ? client_key : peer_key);
}

static void add(uint8_t type, const char *value)
{
	writer_add(&writer, type, span_text(value));
}

static void sent_by_client(void)
{
	bool accounting = memory[0] == RG_ACCOUNTING_REQUEST;
	assert_int_equal(packet_view(&source, writer_request(&writer, accounting ? NULL : of_client)),
			 RG_PACKET_OK);
}

static struct rg_composition onward(void)
{
	return (struct rg_composition){
		.source = &source,
		.source_key = client_key,
		.key = peer_key,
		.token = 200,
		.node = 3,
		.authenticator = of_peer,
	};
}

/* As it leaves. */
static struct rg_span sealed(struct rg_span packet, const struct rg_radius_key *key)
{
	if (packet.length != 0 && out[0] != RG_ACCOUNTING_REQUEST)
		packets_seal(&(struct rg_unsealed){out, packet.length, key}, 1);
	return packet;
}

static struct rg_span compose_sealed(const struct rg_composition *composition)
{
	return sealed(compose_request(composition, out), composition->key);
}

static struct rg_span compose_reply_sealed(const struct rg_reply_composition *composition)
{
	return sealed(compose_reply(composition, out), composition->key);
}

static void compose(const struct rg_composition *composition)
{
	assert_int_equal(packet_view(&made, compose_sealed(composition)), RG_PACKET_OK);
	assert_int_equal(made.token, composition->token);
	assert_int_equal(request_verify(&made, composition->key), RG_AUTHENTIC);
}

static void request_bears_what_may_leave_and_no_more(void **state)
{
	static const uint8_t leave[] = {1,  4,	6,  12, 24, 25, 30, 31, 32, 33,
					61, 77, 79, 89, 95, 102, 126};
	struct rg_composition composition = onward();
	bool may[256] = {false};
	(void)state;
	for (size_t i = 0; i < sizeof(leave); i++)
		may[leave[i]] = true;
	begin(RG_ACCESS_REQUEST);
	for (unsigned type = 1; type < 160; type++) /* passwords stand in tests of their own */
		if (type != 2 && type != 3 && type != 70 && type != RG_MESSAGE_AUTHENTICATOR)
			add((uint8_t)type, "\x01\x02\x03\x04\x05\x06\x07");
	sent_by_client();
	compose(&composition);
	assert_int_equal(out[20], RG_MESSAGE_AUTHENTICATOR);
	for (unsigned type = 1; type < 256; type++)
		if (type != RG_MESSAGE_AUTHENTICATOR && (made.first[type] != 0) != may[type])
			fail_msg("attribute %u", type);
	assert_memory_equal(packet_authenticator(&made), of_peer, RG_AUTHENTICATOR);
}

static void proxy_states_keep_their_order_and_ours_is_last(void **state)
{
	static const char *const expected[] = {"first", "second", "", "third", "rg\x03"};
	struct rg_composition composition = onward();
	struct rg_attribute at = {0};
	(void)state;
	begin(RG_ACCESS_REQUEST);
	add(RG_PROXY_STATE, "first");
	add(RG_USER_NAME, "jan@elders.nl");
	for (size_t i = 1; i < 4; i++)
		add(RG_PROXY_STATE, expected[i]);
	sent_by_client();
	compose(&composition);
	for (size_t i = 0; i < 5; i++) {
		assert_true(packet_next_of(&made, RG_PROXY_STATE, &at));
		assert_true(span_equal(at.value, span_text(expected[i])));
	}
	assert_false(packet_next_of(&made, RG_PROXY_STATE, &at));
}

static void operator_name_is_the_administrators(void **state)
{
	struct rg_composition composition = onward();
	(void)state;
	composition.operator_name = "1beuningen.nl";
	begin(RG_ACCESS_REQUEST);
	add(RG_USER_NAME, "Jan@Elders.NL");
	sent_by_client();
	compose(&composition);
	assert_true(span_equal(packet_find(&made, RG_OPERATOR_NAME), span_text("1beuningen.nl")));
	/* RFC 7542: the name goes on as it came. */
	assert_true(span_equal(packet_find(&made, RG_USER_NAME), span_text("Jan@Elders.NL")));
	begin(RG_ACCESS_REQUEST);
	add(RG_OPERATOR_NAME, "1elsewhere.nl");
	sent_by_client();
	compose(&composition);
	assert_int_equal(packet_count(&made, RG_OPERATOR_NAME), 1);
	assert_true(span_equal(packet_find(&made, RG_OPERATOR_NAME), span_text("1beuningen.nl")));
	composition.operator_name = NULL;
	compose(&composition);
	assert_true(span_equal(packet_find(&made, RG_OPERATOR_NAME), span_text("1elsewhere.nl")));
}

static void password_is_hidden_anew(void **state)
{
	struct rg_composition composition = onward();
	struct rg_packet first;
	uint8_t hidden[128], clear[128], copy[RG_RADIUS_MOST];
	(void)state;
	int length = password_hide(hidden, span_text("a pass phrase of more"), of_client, client_key);
	begin(RG_ACCESS_REQUEST);
	writer_add(&writer, RG_USER_PASSWORD, span_of(hidden, (size_t)length));
	sent_by_client();
	compose(&composition);
	assert_true(password_reveal(clear, packet_find(&made, RG_USER_PASSWORD), of_peer, peer_key) >= 21);
	assert_memory_equal(clear, "a pass phrase of more", 21);
	/* Once more, to the next peer of the route: from what the former was sent. */
	memcpy(copy, out, made.length);
	assert_int_equal(packet_view(&first, span_of(copy, made.length)), RG_PACKET_OK);
	struct rg_composition again = {.source = &first,
				       .source_key = peer_key,
				       .again = true,
				       .operator_name = "1beuningen.nl",
				       .key = second_key,
				       .token = 9,
				       .authenticator = of_client};
	compose(&again);
	assert_true(password_reveal(clear, packet_find(&made, RG_USER_PASSWORD), of_client,
				    second_key) >= 21);
	assert_memory_equal(clear, "a pass phrase of more", 21);
	assert_int_equal(packet_count(&made, RG_PROXY_STATE), 1);
	assert_int_equal(packet_count(&made, RG_OPERATOR_NAME), 0);
}

static void W6_broken_password(void **state)
{
	struct rg_composition composition = onward();
	(void)state;
	begin(RG_ACCESS_REQUEST);
	add(RG_USER_PASSWORD, "seventeen octets.");
	sent_by_client();
	assert_int_equal(compose_sealed(&composition).length, 0);
}

static void accounting_bears_no_vlan(void **state)
{
	struct rg_composition composition = onward();
	(void)state;
	begin(RG_ACCOUNTING_REQUEST);
	add(RG_USER_NAME, "jan@elders.nl");
	writer_add_u32(&writer, 40, 1);
	add(44, "session");
	add(RG_TUNNEL_PRIVATE_GROUP_ID, "120");
	writer_add_u32(&writer, RG_TUNNEL_TYPE, 13);
	add(11, "an-acl");
	writer_add_vendor(&writer, 9, 1, span_text("ip:inacl#1=permit"));
	sent_by_client();
	assert_int_equal(packet_view(&made, compose_sealed(&composition)), RG_PACKET_OK);
	assert_int_equal(request_verify(&made, peer_key), RG_AUTHENTIC_ABSENT);
	assert_true(span_equal(packet_find(&made, 44), span_text("session")));
	assert_int_equal(packet_count(&made, 40), 1);
	assert_int_equal(packet_count(&made, RG_TUNNEL_PRIVATE_GROUP_ID), 0);
	assert_int_equal(packet_count(&made, RG_TUNNEL_TYPE), 0);
	assert_int_equal(packet_count(&made, 11), 0);
	assert_int_equal(packet_count(&made, RG_VENDOR_SPECIFIC), 0);
}

/* Replies. */

static const uint8_t states[] = {33, 4, 'a', 'b', 33, 3, 'c'};
static const uint8_t vlan_900[] = {64, 6, 0, 0, 0, 13, 65, 6, 0, 0, 0, 6, 81, 5, '9', '0', '0'};

static void answered_by_peer(void)
{
	assert_int_equal(packet_view(&source, writer_reply(&writer, of_peer)), RG_PACKET_OK);
}

static struct rg_span give_on(struct rg_span visitor_reply)
{
	const struct rg_reply_composition composition = {
		.answer = &source,
		.peer_key = peer_key,
		.peer_authenticator = of_peer,
		.key = client_key,
		.authenticator = of_client,
		.token = 1,
		.proxy_states = span_of(states, sizeof(states)),
		.visitor_reply = visitor_reply,
	};
	return compose_reply_sealed(&composition);
}

static void must_give_on(struct rg_span visitor_reply)
{
	assert_int_equal(packet_view(&made, give_on(visitor_reply)), RG_PACKET_OK);
	assert_int_equal(made.token, 1);
	assert_int_equal(reply_verify(&made, of_client, client_key), RG_AUTHENTIC);
	assert_int_equal(out[20], RG_MESSAGE_AUTHENTICATOR); /* attacks.md B2 */
	assert_memory_equal(out + made.length - sizeof(states), states, sizeof(states));
}

static void B2_reply_bears_what_may_come_in_and_no_more(void **state)
{
	static const uint8_t codes[] = {RG_ACCESS_ACCEPT, RG_ACCESS_REJECT, RG_ACCESS_CHALLENGE};
	static const uint8_t enter[] = {1, 24, 25, 27, 33, 79, 89, 101};
	bool may[256] = {false};
	(void)state;
	for (size_t i = 0; i < sizeof(enter); i++)
		may[enter[i]] = true;
	for (size_t i = 0; i < sizeof(codes); i++) {
		begin(codes[i]);
		for (unsigned type = 1; type < 160; type++)
			if (type != 2 && type != 3 && type != 70 && type != RG_MESSAGE_AUTHENTICATOR)
				writer_add_u32(&writer, (uint8_t)type, 258);
		answered_by_peer();
		must_give_on((struct rg_span){0});
		for (unsigned type = 1; type < 256; type++)
			if (type != RG_MESSAGE_AUTHENTICATOR && (made.first[type] != 0) != may[type])
				fail_msg("code %u, attribute %u", codes[i], type);
		/* The peer's copy of our Proxy-State is not for the client. */
		assert_int_equal(packet_count(&made, RG_PROXY_STATE), 2);
	}
}

static void visitor_gets_the_site_s_vlan_and_not_the_peer_s(void **state)
{
	(void)state;
	begin(RG_ACCESS_ACCEPT);
	writer_add_u32(&writer, RG_TUNNEL_TYPE, 13);
	add(RG_TUNNEL_PRIVATE_GROUP_ID, "66");
	answered_by_peer();
	must_give_on(span_of(vlan_900, sizeof(vlan_900)));
	assert_int_equal(packet_count(&made, RG_TUNNEL_PRIVATE_GROUP_ID), 1);
	assert_true(span_equal(packet_find(&made, RG_TUNNEL_PRIVATE_GROUP_ID), span_text("900")));
	begin(RG_ACCESS_REJECT);
	answered_by_peer();
	must_give_on(span_of(vlan_900, sizeof(vlan_900)));
	assert_int_equal(packet_count(&made, RG_TUNNEL_PRIVATE_GROUP_ID), 0);
}

static void mppe_keys_are_hidden_anew(void **state)
{
	uint8_t msk[64], clear[256];
	(void)state;
	for (size_t i = 0; i < sizeof(msk); i++)
		msk[i] = (uint8_t)(i * 3);
	begin(RG_ACCESS_ACCEPT);
	writer_add_vendor(&writer, 9, 1, span_text("an ACL"));
	writer_add_mppe(&writer, msk, of_peer);
	writer_add_vendor(&writer, RG_VENDOR_MICROSOFT, 12, span_text("MS-CHAP-MPPE-Keys"));
	answered_by_peer();
	must_give_on((struct rg_span){0});
	assert_int_equal(packet_count(&made, RG_VENDOR_SPECIFIC), 2);
	struct rg_span receive = packet_find_vendor(&made, RG_VENDOR_MICROSOFT, 17),
		       send = packet_find_vendor(&made, RG_VENDOR_MICROSOFT, 16);
	assert_int_equal(mppe_reveal(clear, receive, of_client, client_key), 32);
	assert_memory_equal(clear, msk, 32);
	assert_int_equal(mppe_reveal(clear, send, of_client, client_key), 32);
	assert_memory_equal(clear, msk + 32, 32);
	assert_memory_not_equal(receive.data, send.data, 2);
	begin(RG_ACCESS_CHALLENGE); /* where keys have no place */
	writer_add_mppe(&writer, msk, of_peer);
	answered_by_peer();
	must_give_on((struct rg_span){0});
	assert_int_equal(packet_count(&made, RG_VENDOR_SPECIFIC), 0);
}

/* What was done for many answers at once is what is done for one alone. */
static void keys_hidden_anew_beforehand_are_given_on(void **state)
{
	uint8_t msk[64], alone[RG_RADIUS_MOST];
	struct rg_rehiding keys[3];
	(void)state;
	memset(msk, 0x55, sizeof(msk));
	begin(RG_ACCESS_ACCEPT);
	writer_add_mppe(&writer, msk, of_peer);
	answered_by_peer();
	struct rg_reply_composition composition = {
		.answer = &source,
		.peer_key = peer_key,
		.peer_authenticator = of_peer,
		.key = client_key,
		.authenticator = of_client,
		.token = 1,
	};
	struct rg_span packet = compose_reply(&composition, out);
	memcpy(alone, packet.data, packet.length);
	assert_int_equal(compose_reply_keys(&composition, keys, 1), 1);
	assert_int_equal(compose_reply_keys(&composition, keys, 3), 2);
	mppe_rehide(keys, 2);
	composition.rehidden = keys;
	composition.rehidden_count = 2;
	assert_true(span_equal(compose_reply(&composition, out), span_of(alone, packet.length)));
	keys[0].anew[10] ^= 1; /* it is taken from there */
	assert_false(span_equal(compose_reply(&composition, out), span_of(alone, packet.length)));
	keys[0].length = 0; /* or done where it was not */
	assert_true(span_equal(compose_reply(&composition, out), span_of(alone, packet.length)));
	composition.key = radius_key_1_1();
	assert_int_equal(compose_reply_keys(&composition, keys, 3), 0);
}

/* From RADIUS/1.1 there is no salt to take over: what stands there is key. */
static void keys_of_1_1_are_hidden_with_salts_of_their_own(void **state)
{
	uint8_t msk[64], clear[256];
	(void)state;
	memset(msk, 0xaa, sizeof(msk));
	writer_begin(&writer, memory, sizeof(memory), RG_ACCESS_ACCEPT, 70000, radius_key_1_1());
	writer_add_mppe(&writer, msk, NULL);
	assert_int_equal(packet_view_version(&source, writer_reply(&writer, NULL), RG_RADIUS_1_1),
			 RG_PACKET_OK);
	struct rg_reply_composition composition = {
		.answer = &source,
		.peer_key = radius_key_1_1(),
		.peer_authenticator = of_peer,
		.key = client_key,
		.authenticator = of_client,
		.token = 1,
	};
	unsigned first = 0;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(packet_view(&made, compose_reply_sealed(&composition)), RG_PACKET_OK);
		assert_int_equal(reply_verify(&made, of_client, client_key), RG_AUTHENTIC);
		struct rg_span receive = packet_find_vendor(&made, RG_VENDOR_MICROSOFT, 17),
			       send = packet_find_vendor(&made, RG_VENDOR_MICROSOFT, 16);
		assert_int_equal(mppe_reveal(clear, receive, of_client, client_key), 32);
		assert_memory_equal(clear, msk, 32);
		assert_int_equal(mppe_reveal(clear, send, of_client, client_key), 32);
		assert_memory_not_equal(receive.data, send.data, 2);
		first += receive.data[0] == 0xaa && receive.data[1] == 0xaa;
	}
	assert_true(first < 20);
	composition.key = radius_key_1_1();
	composition.token = 70001;
	assert_int_equal(packet_view_version(&made, compose_reply_sealed(&composition), RG_RADIUS_1_1),
			 RG_PACKET_OK);
	assert_int_equal(made.token, 70001);
	assert_true(span_equal(packet_find_vendor(&made, RG_VENDOR_MICROSOFT, 17), span_of(msk, 32)));
}

static void request_goes_on_over_1_1_and_back(void **state)
{
	uint8_t hidden[128], clear[128], copy[256];
	struct rg_packet first;
	struct rg_composition composition = onward();
	(void)state;
	int length = password_hide(hidden, span_text("geheim"), of_client, client_key);
	begin(RG_ACCESS_REQUEST);
	writer_add(&writer, RG_USER_PASSWORD, span_of(hidden, (size_t)length));
	sent_by_client();
	composition.key = radius_key_1_1();
	composition.token = 70000;
	struct rg_span sent = compose_sealed(&composition);
	assert_int_equal(packet_view_version(&first, sent, RG_RADIUS_1_1), RG_PACKET_OK);
	assert_int_equal(first.token, 70000);
	assert_true(span_equal(packet_find(&first, RG_USER_PASSWORD), span_text("geheim")));
	assert_int_equal(packet_count(&first, RG_MESSAGE_AUTHENTICATOR), 0);
	memcpy(copy, sent.data, sent.length);
	assert_int_equal(packet_view_version(&first, span_of(copy, sent.length), RG_RADIUS_1_1), RG_PACKET_OK);
	struct rg_composition again = {.source = &first,
				       .source_key = radius_key_1_1(),
				       .again = true,
				       .key = second_key,
				       .token = 9,
				       .authenticator = of_client};
	compose(&again);
	assert_int_equal(password_reveal(clear, packet_find(&made, RG_USER_PASSWORD), of_client,
					 second_key),
			 6);
	assert_memory_equal(clear, "geheim", 6);
}

static void W6_broken_mppe_key(void **state)
{
	(void)state;
	begin(RG_ACCESS_ACCEPT);
	writer_add_vendor(&writer, RG_VENDOR_MICROSOFT, 17, span_text("\x80\x01short"));
	answered_by_peer();
	assert_int_equal(give_on((struct rg_span){0}).length, 0);
}

static void session_timeout_is_at_most_eight_hours(void **state)
{
	static const uint32_t given[] = {60, 28800, 28801, UINT32_MAX};
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		uint32_t seconds = 0;
		begin(RG_ACCESS_ACCEPT);
		writer_add_u32(&writer, RG_SESSION_TIMEOUT, given[i]);
		answered_by_peer();
		must_give_on((struct rg_span){0});
		assert_true(packet_u32(&made, RG_SESSION_TIMEOUT, &seconds));
		assert_int_equal(seconds, given[i] < 28800 ? given[i] : 28800);
	}
	begin(RG_ACCESS_ACCEPT);
	add(RG_SESSION_TIMEOUT, "abc");
	answered_by_peer();
	must_give_on((struct rg_span){0});
	assert_int_equal(packet_count(&made, RG_SESSION_TIMEOUT), 0);
}

static void eap_passes_piece_by_piece(void **state)
{
	char piece[254];
	(void)state;
	memset(piece, 'e', sizeof(piece) - 1);
	piece[253] = '\0';
	begin(RG_ACCESS_CHALLENGE);
	add(RG_EAP_MESSAGE, piece);
	add(RG_STATE, "state");
	add(RG_EAP_MESSAGE, "the end");
	answered_by_peer();
	must_give_on((struct rg_span){0});
	assert_int_equal(packet_count(&made, RG_EAP_MESSAGE), 2);
	assert_int_equal(packet_find(&made, RG_EAP_MESSAGE).length, 253);
	assert_true(span_equal(packet_find(&made, RG_STATE), span_text("state")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_bears_what_may_leave_and_no_more),
		cmocka_unit_test(proxy_states_keep_their_order_and_ours_is_last),
		cmocka_unit_test(operator_name_is_the_administrators),
		cmocka_unit_test(password_is_hidden_anew),
		cmocka_unit_test(W6_broken_password),
		cmocka_unit_test(accounting_bears_no_vlan),
		cmocka_unit_test(B2_reply_bears_what_may_come_in_and_no_more),
		cmocka_unit_test(visitor_gets_the_site_s_vlan_and_not_the_peer_s),
		cmocka_unit_test(mppe_keys_are_hidden_anew),
		cmocka_unit_test(keys_hidden_anew_beforehand_are_given_on),
		cmocka_unit_test(keys_of_1_1_are_hidden_with_salts_of_their_own),
		cmocka_unit_test(request_goes_on_over_1_1_and_back),
		cmocka_unit_test(W6_broken_mppe_key),
		cmocka_unit_test(session_timeout_is_at_most_eight_hours),
		cmocka_unit_test(eap_passes_piece_by_piece),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

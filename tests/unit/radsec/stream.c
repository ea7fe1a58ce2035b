/* How packets lie in a stream of TLS records, and what becomes of a peer that does not read, or stops in the middle. */
#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "radsec/private.h"
#include "scene.h"

static struct scene scene;
static struct stranger stranger = {.fd = -1};
static struct end *inside = &scene.inside[0];

static int begin(void **state)
{
	(void)state;
	scene_begin(&scene, RG_TRANSPORT_TLS);
	return 0;
}

/* With an OpenSSL of its own as the caller, who is in. */
static int begin_in(void **state)
{
	begin(state);
	scene_open(&scene);
	stranger = stranger_call(&scene);
	return stranger_shake(&scene, &stranger, &scene.theirs) ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	stranger_leave(&stranger);
	scene_end(&scene);
	return 0;
}

static void says(const void *octets, size_t length)
{
	assert_int_equal(SSL_write(stranger.ssl, octets, (int)length), (int)length);
	scene_settle(&scene);
}

/* So many packets came, sooner or later, and no more. */
static void heard(unsigned packets)
{
	assert_true(scene_until(&scene, inside->packets >= packets));
	scene_settle(&scene);
	assert_int_equal(inside->packets, packets);
}

static void ended_as(enum rg_connection_end how, const char *detail)
{
	assert_true(scene_until(&scene, inside->ended));
	assert_int_equal(inside->how, how);
	assert_string_equal(inside->detail, detail);
}

static void test_many_packets_in_one_record(void **state)
{
	uint8_t octets[16384], packet[4096];
	size_t length = 0;
	(void)state;
	for (uint8_t i = 0; i < 60; i++) {
		struct rg_span one = scene_packet(packet, i, 20 + 4 * (size_t)i);
		memcpy(octets + length, one.data, one.length);
		length += one.length;
	}
	says(octets, length);
	heard(60);
	assert_int_equal(inside->octets, length);
	assert_int_equal(inside->last[1], 59);
}

static void test_a_packet_octet_by_octet(void **state)
{
	uint8_t packet[4096];
	(void)state;
	struct rg_span one = scene_packet(packet, 9, 40);
	for (size_t i = 0; i < one.length; i++) {
		assert_int_equal(inside->packets, 0);
		says(one.data + i, 1);
	}
	heard(1);
	assert_int_equal(inside->last_length, 40);
	assert_memory_equal(inside->last, one.data, 40);
}

static void test_packets_cut_anywhere(void **state)
{
	uint8_t octets[3 * 4096], packet[4096];
	size_t length = 0;
	(void)state;
	for (uint8_t i = 0; i < 3; i++) {
		struct rg_span one = scene_packet(packet, i, 4096 - i);
		memcpy(octets + length, one.data, one.length);
		length += one.length;
	}
	for (size_t at = 0; at < length;) {
		size_t piece = length - at < 1021 ? length - at : 1021;
		says(octets + at, piece);
		at += piece;
	}
	heard(3);
	assert_int_equal(inside->octets, length);
	assert_int_equal(inside->last_length, 4094);
}

static void bad_length(const uint8_t head[4])
{
	uint8_t octets[64];
	struct rg_span good = scene_packet(octets, 1, 20);
	memcpy(octets + good.length, head, 4);
	says(octets, good.length + 4);
	ended_as(RG_CONNECTION_MALFORMED, "a Length that no RADIUS packet has");
	heard(1);
}

static void test_W1_a_length_under_20_ends_it(void **state)
{
	(void)state;
	bad_length((const uint8_t[]){1, 1, 0, 19});
}

static void test_W1_a_length_over_4096_ends_it(void **state)
{
	(void)state;
	bad_length((const uint8_t[]){1, 1, 16, 1});
}

static void test_W3_a_malformed_packet_ends_it(void **state)
{
	uint8_t octets[64];
	(void)state;
	inside->refuse_packets = true;
	scene_packet(octets, 1, 20);
	scene_packet(octets + 20, 2, 20);
	says(octets, 40);
	ended_as(RG_CONNECTION_MALFORMED, "a malformed packet");
	heard(1);
}

static void test_T1_half_a_packet_and_silence(void **state)
{
	uint8_t packet[4096];
	(void)state;
	says(scene_packet(packet, 1, 100).data, 99);
	assert_true(scene_until(&scene, inside->connection->half_due != 0));
	scene_pass(&scene, RG_CONNECTION_HALF_NS - 5 * RG_SECOND);
	assert_int_equal(inside->ended, 0);
	scene_pass(&scene, 5 * RG_SECOND);
	ended_as(RG_CONNECTION_TIMEOUT, "half a packet, and silence");
}

static void test_T1_two_octets_of_a_packet_and_silence(void **state)
{
	(void)state;
	says("\001\001", 2);
	assert_true(scene_until(&scene, inside->connection->half_due != 0));
	scene_pass(&scene, RG_CONNECTION_HALF_NS + RG_SECOND);
	ended_as(RG_CONNECTION_TIMEOUT, "half a packet, and silence");
}

/* Each record ends in the middle of a packet: what goes on is no silence. */
static void test_T1_halves_that_go_on_are_no_silence(void **state)
{
	uint8_t octets[40];
	uint64_t due = 0;
	(void)state;
	scene_packet(octets, 1, sizeof(octets));
	says(octets, 30);
	for (unsigned i = 0; i < 5; i++) {
		assert_true(scene_until(&scene, inside->connection->half_due > due));
		due = inside->connection->half_due;
		uint8_t rest_and_next[40];
		memcpy(rest_and_next, octets + 30, 10);
		memcpy(rest_and_next + 10, octets, 30);
		says(rest_and_next, sizeof(rest_and_next));
		heard(i + 1);
	}
	/* Its own octets, one at a time, gain it nothing. */
	due = inside->connection->half_due;
	says(octets + 30, 1);
	assert_true(scene_until(&scene, inside->connection->half_length == 31));
	assert_int_equal(inside->connection->half_due, due);
}

static void test_T1_silence_between_packets_is_fine(void **state)
{
	uint8_t packet[4096];
	(void)state;
	says(scene_packet(packet, 1, 100).data, 99);
	says(packet + 99, 1);
	heard(1);
	scene_pass(&scene, 3600 * RG_SECOND);
	scene_settle(&scene);
	assert_int_equal(inside->ended, 0);
}

static void test_T1_a_silent_handshake(void **state)
{
	(void)state;
	scene_open(&scene);
	stranger = stranger_call(&scene);
	assert_true(scene_until(&scene, scene.arrived == 1));
	scene_pass(&scene, RG_CONNECTION_HANDSHAKE_NS - 5 * RG_SECOND);
	assert_int_equal(inside->ended, 0);
	scene_pass(&scene, 5 * RG_SECOND);
	ended_as(RG_CONNECTION_TIMEOUT, "no handshake within 10 s");
}

/* A handshake that goes on an octet at a time has no longer. */
static void test_T1_a_slow_handshake(void **state)
{
	static const uint8_t hello[] = {22, 3, 1, 0, 200, 1, 0, 0, 196};
	(void)state;
	scene_open(&scene);
	stranger = stranger_call(&scene);
	assert_true(scene_until(&scene, scene.arrived == 1));
	for (size_t i = 0; i < sizeof(hello); i++) {
		send(stranger.fd, hello + i, 1, 0);
		scene_pass(&scene, RG_SECOND);
		scene_settle(&scene);
	}
	scene_pass(&scene, RG_SECOND);
	ended_as(RG_CONNECTION_TIMEOUT, "no handshake within 10 s");
}

/* Who dawdles makes room, and who comes gets in. */
static void test_T1_half_open_ones_are_bounded(void **state)
{
	static int fds[RG_PORT_HALF_OPEN_MOST];
	struct rlimit limit;
	(void)state;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	scene_open(&scene);
	for (unsigned i = 0; i < RG_PORT_HALF_OPEN_MOST; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM, 0);
		assert_int_equal(connect(fds[i], (struct sockaddr *)&scene.address,
					 sizeof(scene.address)),
				 0);
		if (i % 32 == 31)
			scene_turn(&scene);
	}
	assert_true(scene_until(&scene, scene.arrived == RG_PORT_HALF_OPEN_MOST));
	assert_int_equal(inside->ended, 0);
	scene_dial(&scene);
	assert_true(scene_until(&scene, scene.outside.established));
	assert_string_equal(inside->detail, "no handshake while others wait");
	assert_int_equal(scene.inside[1].ended, 0);
	for (unsigned i = 0; i < RG_PORT_HALF_OPEN_MOST; i++)
		close(fds[i]);
}

static void test_O9_strangers_are_turned_away_unheard(void **state)
{
	char octet;
	(void)state;
	scene.nobody_home = true;
	scene_open(&scene);
	stranger = stranger_call(&scene);
	assert_true(scene_until(&scene, scene.knocks == 1));
	assert_true(scene_until(&scene, recv(stranger.fd, &octet, 1, 0) == 0));
	assert_int_equal(scene.arrived, 0);
}

static void test_T1_nonsense_for_a_hello(void **state)
{
	(void)state;
	scene_open(&scene);
	stranger = stranger_call(&scene);
	send(stranger.fd, "GET / HTTP/1.0\r\n\r\n", 18, 0);
	assert_true(scene_until(&scene, inside->ended));
	assert_int_equal(inside->how, RG_CONNECTION_TLS);
}

static void test_T2_a_peer_that_stops_reading(void **state)
{
	unsigned sent = 0;
	(void)state;
	/* A thousand times what the kernel may hold, were there no bound. */
	while (inside->connection && sent < 1000000 && end_says(inside, 1, 4096)) {
		sent++;
		if (sent % 100 == 0)
			scene_turn(&scene);
	}
	assert_true(sent < 100000);
	ended_as(RG_CONNECTION_STUCK, "too much waits for it");
}

static void test_T2_a_little_that_is_not_read_for_long(void **state)
{
	(void)state;
	/* Until the kernel takes no more: then it waits here. */
	while (inside->connection->stuck_due == 0) {
		end_says(inside, 1, 4096);
		scene_turn(&scene);
		assert_int_equal(inside->ended, 0);
	}
	scene_pass(&scene, RG_CONNECTION_STUCK_NS - 5 * RG_SECOND);
	assert_int_equal(inside->ended, 0);
	scene_pass(&scene, 5 * RG_SECOND);
	ended_as(RG_CONNECTION_STUCK, "it reads nothing");
}

static void test_T2_a_reset_with_packets_under_way(void **state)
{
	struct linger at_once = {1, 0};
	uint8_t packet[4096];
	(void)state;
	inside->echo = true;
	says(scene_packet(packet, 1, 100).data, 100);
	assert_true(end_says(inside, 2, 4000));
	setsockopt(stranger.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(stranger.fd);
	stranger.fd = -1;
	assert_true(scene_until(&scene, inside->ended));
	assert_int_equal(inside->how, RG_CONNECTION_CLOSED);
}

static void test_T2_a_connection_that_is_cut(void **state)
{
	(void)state;
	close(stranger.fd);
	stranger.fd = -1;
	ended_as(RG_CONNECTION_CLOSED, "cut by the other side");
}

static void test_a_goodbye(void **state)
{
	(void)state;
	SSL_shutdown(stranger.ssl);
	ended_as(RG_CONNECTION_CLOSED, "closed by the other side");
}

static void test_we_say_goodbye(void **state)
{
	char octet;
	(void)state;
	connection_end(inside->connection, RG_CONNECTION_OURS, "done");
	assert_true(scene_until(&scene, (SSL_read(stranger.ssl, &octet, 1),
					 SSL_get_shutdown(stranger.ssl) & SSL_RECEIVED_SHUTDOWN)));
}

static void test_E8_a_renegotiation_is_refused(void **state)
{
	char octet;
	(void)state;
	scene_open(&scene);
	stranger = stranger_call(&scene);
	SSL_CTX_set_max_proto_version(stranger.context, TLS1_2_VERSION);
	assert_true(stranger_shake(&scene, &stranger, &scene.theirs));
	SSL_renegotiate(stranger.ssl);
	SSL_do_handshake(stranger.ssl);
	/* "no renegotiation", which OpenSSL takes for the end. */
	assert_true(scene_until(&scene, SSL_read(stranger.ssl, &octet, 1) < 0 &&
						ERR_GET_REASON(ERR_get_error()) == SSL_R_NO_RENEGOTIATION));
}

static void test_a_key_update_in_the_middle(void **state)
{
	uint8_t packet[4096];
	(void)state;
	says(scene_packet(packet, 1, 100).data, 50);
	assert_int_equal(SSL_key_update(stranger.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
	says(packet + 50, 50);
	heard(1);
	assert_int_equal(inside->ended, 0);
}

/* As after a handshake, or the answer to a KeyUpdate, that the socket would not take at once. */
static void test_O3_a_socket_that_takes_all_again_wakes_nobody(void **state)
{
	(void)state;
	inside->connection->writing = true;
	stream_poll(inside->connection);
	assert_true(scene_until(&scene, !inside->connection->writing));
	assert_true(end_says(inside, 1, 100));
	assert_true(scene_until(&scene, !inside->connection->writing &&
						inside->connection->out_length == 0));
}

/* Answers to what was asked in one turn leave in as few records as may be. */
static void test_answers_leave_in_one_record(void **state)
{
	uint8_t octets[16384];
	int length = 0;
	(void)state;
	for (uint8_t i = 0; i < 10; i++)
		assert_true(end_says(inside, i, 100));
	assert_true(scene_until(&scene, (length = SSL_read(stranger.ssl, octets, sizeof(octets))) > 0));
	assert_int_equal(length, 1000);
	assert_int_equal(octets[901], 9);
}

/* Both ways and much of it: nothing is lost and nothing mixed up. */
static void test_much_both_ways(void **state)
{
	unsigned sent = 0;
	(void)state;
	scene_open(&scene);
	inside->echo = true;
	scene_meet(&scene);
	while (scene.outside.packets < 20000 && !scene.outside.ended && !inside->ended) {
		for (unsigned i = 0; i < 200 && sent < 20000 && sent < scene.outside.packets + 1000; i++)
			sent += end_says(&scene.outside, (uint8_t)sent, 20 + sent % 700);
		scene_turn(&scene);
	}
	assert_int_equal(scene.outside.packets, 20000);
	assert_int_equal(scene.outside.octets, inside->octets);
	assert_int_equal(scene.outside.last[1], 19999 & 255);
}

/* Events that end what they are told of. */

static void test_T2_ended_at_the_first_of_many_packets(void **state)
{
	uint8_t octets[400];
	(void)state;
	inside->end_when_packet = true;
	for (uint8_t i = 0; i < 10; i++)
		scene_packet(octets + 40 * i, i, 40);
	says(octets, sizeof(octets));
	heard(1);
	ended_as(RG_CONNECTION_OURS, "enough");
}

static void test_T2_the_port_is_closed_at_a_packet(void **state)
{
	uint8_t octets[80];
	(void)state;
	inside->close_when_packet = &scene.port;
	scene_packet(octets, 1, 40);
	scene_packet(octets + 40, 2, 40);
	says(octets, sizeof(octets));
	heard(1);
	ended_as(RG_CONNECTION_OURS, "the port is closed");
	assert_null(scene.port);
}

static void see(void *context, struct rg_connection *connection)
{
	assert_true(connection_is_open(connection));
	++*(unsigned *)context;
}

static void test_each_of_a_port_that_is_open(void **state)
{
	unsigned seen = 0;
	(void)state;
	struct stranger silent = stranger_call(&scene);
	assert_true(scene_until(&scene, scene.arrived == 2));
	radsec_port_each(scene.port, see, &seen);
	assert_int_equal(seen, 1);
	stranger_leave(&silent);
	scene_settle(&scene);
}

#define NEW(test) cmocka_unit_test_setup_teardown(test, begin, end)
#define IN(test)  cmocka_unit_test_setup_teardown(test, begin_in, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN(test_many_packets_in_one_record),
		IN(test_a_packet_octet_by_octet),
		IN(test_packets_cut_anywhere),
		IN(test_W1_a_length_under_20_ends_it),
		IN(test_W1_a_length_over_4096_ends_it),
		IN(test_W3_a_malformed_packet_ends_it),
		IN(test_T1_half_a_packet_and_silence),
		IN(test_T1_two_octets_of_a_packet_and_silence),
		IN(test_T1_halves_that_go_on_are_no_silence),
		IN(test_T1_silence_between_packets_is_fine),
		NEW(test_T1_a_silent_handshake),
		NEW(test_T1_a_slow_handshake),
		NEW(test_T1_half_open_ones_are_bounded),
		NEW(test_T1_nonsense_for_a_hello),
		NEW(test_O9_strangers_are_turned_away_unheard),
		IN(test_T2_a_peer_that_stops_reading),
		IN(test_T2_a_little_that_is_not_read_for_long),
		IN(test_T2_a_reset_with_packets_under_way),
		IN(test_T2_a_connection_that_is_cut),
		IN(test_a_goodbye),
		IN(test_we_say_goodbye),
		NEW(test_E8_a_renegotiation_is_refused),
		IN(test_a_key_update_in_the_middle),
		IN(test_O3_a_socket_that_takes_all_again_wakes_nobody),
		IN(test_answers_leave_in_one_record),
		NEW(test_much_both_ways),
		IN(test_T2_ended_at_the_first_of_many_packets),
		IN(test_T2_the_port_is_closed_at_a_packet),
		IN(test_each_of_a_port_that_is_open),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What comes to a port of DTLS: hellos with and without cookies, from one source and from many, and what gets lost. */
#include <dlfcn.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "radsec/private.h"
#include "scene.h"
#include "../directory/shortage.h"

static struct scene scene;
static struct stranger stranger = {.fd = -1};
static struct end *inside = &scene.inside[0];

static bool no_chance; /* RAND_bytes has none to give */

/* In place of libcrypto's. */
int RAND_bytes(unsigned char *out, int length)
{
	int (*real)(unsigned char *, int);
	*(void **)&real = dlsym(RTLD_NEXT, "RAND_bytes");
	return no_chance ? 0 : real(out, length);
}

static int begin(void **state)
{
	(void)state;
	scene_begin(&scene, RG_TRANSPORT_DTLS);
	scene_open(&scene);
	return 0;
}

static int end(void **state)
{
	(void)state;
	stranger_leave(&stranger);
	scene_end(&scene);
	return 0;
}

static unsigned kept(void)
{
	unsigned count = 0;
	for (struct rg_connection *each = scene.place.connections; each; each = each->next)
		count++;
	return count;
}

static size_t hear(int fd, uint8_t out[4096])
{
	ssize_t got = -1;
	assert_true(scene_until(&scene, (got = recv(fd, out, 4096, MSG_DONTWAIT)) > 0));
	return (size_t)got;
}

/* A first hello, as OpenSSL says it. */
static size_t hello_make(uint8_t out[4096])
{
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
	SSL_CTX *context = SSL_CTX_new(DTLS_client_method());
	SSL *ssl = SSL_new(context);
	SSL_set_options(ssl, SSL_OP_NO_QUERY_MTU);
	SSL_set_mtu(ssl, 1400);
	SSL_set_fd(ssl, pair[0]);
	SSL_connect(ssl);
	ssize_t got = recv(pair[1], out, 4096, 0);
	assert_true(got > 60);
	SSL_free(ssl);
	SSL_CTX_free(context);
	ERR_clear_error();
	close(pair[0]);
	close(pair[1]);
	return (size_t)got;
}

/* Nobody of ten thousand is remembered; each is told a cookie. */
static void test_T5_a_hello_without_cookie_keeps_no_state(void **state)
{
	uint8_t hello[4096], answer[4096];
	size_t length = hello_make(hello);
	(void)state;
	for (unsigned i = 0; i < 300; i++) {
		struct stranger one = stranger_call(&scene);
		assert_int_equal(send(one.fd, hello, length, 0), length);
		size_t got = hear(one.fd, answer);
		assert_true(got > 14 && got < length);
		assert_int_equal(answer[0], 22); /* handshake */
		assert_int_equal(answer[13], 3); /* HelloVerifyRequest */
		stranger_leave(&one);
	}
	assert_int_equal(scene.arrived, 0);
	assert_int_equal(kept(), 1); /* the one that waits for them all */
	assert_int_equal(scene.wheel.armed, 0);
	scene_meet(&scene);
}

/* First of all, for the key of cookies is drawn once a process: with none nobody is told a cookie that anybody could make,
 * and it is drawn for the next one. */
static void test_O3_the_key_of_cookies_is_drawn_again(void **state)
{
	uint8_t hello[4096], answer[4096];
	size_t length = hello_make(hello);
	struct stranger one = stranger_call(&scene);
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		no_chance = true;
		assert_int_equal(send(one.fd, hello, length, 0), length);
		scene_settle(&scene);
		no_chance = false;
		assert_true(recv(one.fd, answer, sizeof(answer), MSG_DONTWAIT) < 0);
	}
	assert_int_equal(send(one.fd, hello, length, 0), length);
	hear(one.fd, answer);
	assert_int_equal(answer[13], 3); /* HelloVerifyRequest */
	stranger_leave(&one);
	scene_meet(&scene);
}

/* The one that waits for them all had none of its own to tell by whom a cookie was asked for. */
static void test_O3_a_hello_that_finds_no_memory_is_not_heard(void **state)
{
	uint8_t hello[4096], answer[4096];
	size_t length = hello_make(hello);
	struct stranger one = stranger_call(&scene);
	(void)state;
	for (unsigned at = 1; at == 1 || shortage.failed; at++) {
		assert_int_equal(send(one.fd, hello, length, 0), length);
		shortage.failed = false;
		shortage.left = at;
		scene_turn(&scene);
		shortage.left = 0;
		while (recv(one.fd, answer, sizeof(answer), MSG_DONTWAIT) > 0)
			;
	}
	assert_int_equal(send(one.fd, hello, length, 0), length);
	hear(one.fd, answer);
	assert_int_equal(answer[13], 3); /* HelloVerifyRequest */
	stranger_leave(&one);
	scene_meet(&scene);
}

/* Else another vhost would answer, and be taken for a stranger. */
static void test_O3_whom_it_calls_is_named_or_nobody_is_called(void **state)
{
	const union rg_address address = {.v4 = scene.address};
	const struct rg_dial dial = {.transport = RG_TRANSPORT_DTLS,
				     .host = "gate.example",
				     .addresses = &address,
				     .address_count = 1};
	char why[256];
	struct rg_radsec *radsec = radsec_get(&scene.theirs, true, why);
	(void)state;
	shortage.failed = true;
	for (unsigned at = 1; shortage.failed; at++) {
		shortage.failed = false;
		shortage.left = at;
		struct rg_connection *caller = connection_dial(&scene.place, radsec, &dial, NULL, NULL);
		shortage.left = 0;
		if (caller && caller->state != ENDING) {
			const char *named = SSL_get_servername(caller->ssl, TLSEXT_NAMETYPE_host_name);
			assert_non_null(named);
			assert_string_equal(named, dial.host);
		}
		if (caller)
			connection_end(caller, RG_CONNECTION_OURS, "");
		scene_turn(&scene);
	}
	radsec_unref(&radsec);
}

/* The hello of one source, cookie and all, from another. */
static void test_T5_a_cookie_is_good_for_its_source_alone(void **state)
{
	uint8_t hello[4096];
	struct stranger other;
	(void)state;
	/* Between the caller and the port, to hear what it says. */
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t length = sizeof(any);
	int between = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(between, (struct sockaddr *)&any, sizeof(any)), 0);
	getsockname(between, (struct sockaddr *)&any, &length);
	scene.dial.port = ntohs(any.sin_port);
	scene_dial(&scene);
	size_t got = 0;
	for (unsigned hellos = 0; hellos < 2; hellos++) {
		struct sockaddr_in caller;
		uint8_t answer[4096];
		length = sizeof(caller);
		ssize_t heard = -1;
		assert_true(scene_until(&scene, (heard = recvfrom(between, hello, sizeof(hello),
								  MSG_DONTWAIT,
								  (struct sockaddr *)&caller,
								  &length)) > 0));
		got = (size_t)heard;
		if (hellos == 1)
			break;
		sendto(between, hello, got, 0, (struct sockaddr *)&scene.address,
		       sizeof(scene.address));
		size_t answered = hear(between, answer);
		sendto(between, answer, answered, 0, (struct sockaddr *)&caller, length);
	}
	other = stranger_call(&scene);
	send(other.fd, hello, got, 0);
	uint8_t answer[4096];
	hear(other.fd, answer);
	assert_int_equal(answer[13], 3); /* HelloVerifyRequest again */
	assert_int_equal(scene.arrived, 0);
	/* And from where it was made for, it is. */
	sendto(between, hello, got, 0, (struct sockaddr *)&scene.address, sizeof(scene.address));
	assert_true(scene_until(&scene, scene.arrived == 1));
	close(between);
	stranger_leave(&other);
}

static void test_O9_strangers_get_no_answer(void **state)
{
	uint8_t hello[4096], answer[4096];
	size_t length = hello_make(hello);
	(void)state;
	scene.nobody_home = true;
	stranger = stranger_call(&scene);
	send(stranger.fd, hello, length, 0);
	assert_true(scene_until(&scene, scene.knocks == 1));
	scene_settle(&scene);
	assert_true(recv(stranger.fd, answer, sizeof(answer), MSG_DONTWAIT) < 0);
	assert_int_equal(kept(), 0);
}

static void test_W1_nonsense_is_dropped(void **state)
{
	static const char *const nonsense[] = {"", "x", "\x16", "\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\1\1",
					       "GET / HTTP/1.0\r\n\r\n"};
	static const size_t lengths[] = {0, 1, 1, 14, 18};
	(void)state;
	stranger = stranger_call(&scene);
	for (size_t i = 0; i < 5; i++) {
		send(stranger.fd, nonsense[i], lengths[i], 0);
		scene_settle(&scene);
	}
	assert_int_equal(scene.arrived, 0);
	scene_meet(&scene);
}

static unsigned soon(SSL *ssl, unsigned former_us)
{
	(void)ssl;
	return former_us == 0 ? 30000 : 2 * former_us;
}

/* Between both ends: one datagram of theirs gets lost, and then none. */
static void lose(unsigned which)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}}, caller;
	socklen_t length = sizeof(any);
	unsigned seen = 0;
	int front = socket(AF_INET, SOCK_DGRAM, 0), back = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(front, (struct sockaddr *)&any, sizeof(any)), 0);
	getsockname(front, (struct sockaddr *)&any, &length);
	connect(back, (struct sockaddr *)&scene.address, sizeof(scene.address));
	scene.dial.port = ntohs(any.sin_port);
	scene_dial(&scene);
	uint64_t until = clock_now() + 20 * RG_SECOND;
	while (!(inside->established && scene.outside.established) && clock_now() < until) {
		uint8_t datagram[4096];
		ssize_t got;
		scene_turn(&scene);
		if (scene.outside.connection)
			DTLS_set_timer_cb(scene.outside.connection->ssl, soon);
		if (inside->connection)
			DTLS_set_timer_cb(inside->connection->ssl, soon);
		length = sizeof(caller);
		while ((got = recvfrom(front, datagram, sizeof(datagram), MSG_DONTWAIT,
				       (struct sockaddr *)&caller, &length)) > 0)
			if (seen++ != which)
				send(back, datagram, (size_t)got, 0);
		while ((got = recv(back, datagram, sizeof(datagram), MSG_DONTWAIT)) > 0)
			if (seen++ != which)
				sendto(front, datagram, (size_t)got, 0, (struct sockaddr *)&caller,
				       sizeof(caller));
	}
	if (!inside->established || !scene.outside.established)
		fail_msg("datagram %u was lost, and with it the handshake: %s", which,
			 scene.outside.detail);
	close(front);
	close(back);
}

static void test_O5_a_lost_datagram_is_repeated(void **state)
{
	for (unsigned which = 0; which < 9; which++) {
		lose(which);
		end(state);
		begin(state);
	}
}

/* From the same port as before (RFC 6347 §4.2.8): a NAS that was switched off and on. */
static void test_a_client_that_begins_anew(void **state)
{
	(void)state;
	stranger = stranger_call(&scene);
	assert_true(stranger_shake(&scene, &stranger, &scene.theirs));
	SSL_set_quiet_shutdown(stranger.ssl, 1);
	SSL_free(stranger.ssl);
	/* A hello alone, which anybody could have sent in its name, changes nothing. */
	uint8_t hello[4096], answer[4096];
	send(stranger.fd, hello, hello_make(hello), 0);
	hear(stranger.fd, answer);
	assert_int_equal(inside->ended, 0);
	assert_true(stranger_shake(&scene, &stranger, &scene.theirs));
	assert_true(scene_until(&scene, inside->ended));
	assert_string_equal(inside->detail, "the other side began anew");
	assert_int_equal(scene.inside[1].ended, 0);
	uint8_t packet[4096];
	assert_true(SSL_write(stranger.ssl, scene_packet(packet, 1, 50).data, 50) == 50);
	assert_true(scene_until(&scene, scene.inside[1].packets == 1));
}

static void test_the_longest_packet_both_ways(void **state)
{
	(void)state;
	inside->echo = true;
	scene_meet(&scene);
	assert_true(end_says(&scene.outside, 3, 4096));
	assert_true(scene_until(&scene, scene.outside.packets == 1));
	assert_int_equal(inside->last_length, 4096);
	assert_int_equal(scene.outside.last_length, 4096);
	assert_int_equal(scene.outside.last[4095], 3);
}

static void test_W3_a_malformed_packet_is_dropped(void **state)
{
	(void)state;
	inside->refuse_packets = true;
	scene_meet(&scene);
	assert_true(end_says(&scene.outside, 3, 40));
	assert_true(end_says(&scene.outside, 4, 40));
	assert_true(scene_until(&scene, inside->packets == 2));
	scene_settle(&scene);
	assert_int_equal(inside->ended, 0);
}

static void test_T2_ended_at_a_packet(void **state)
{
	(void)state;
	inside->end_when_packet = true;
	scene_meet(&scene);
	assert_true(end_says(&scene.outside, 3, 40));
	assert_true(end_says(&scene.outside, 4, 40));
	assert_true(scene_until(&scene, inside->ended && scene.outside.ended));
	assert_int_equal(inside->packets, 1);
	assert_int_equal(scene.outside.how, RG_CONNECTION_CLOSED);
}

static void test_T2_the_port_is_closed_at_a_packet(void **state)
{
	(void)state;
	inside->close_when_packet = &scene.port;
	scene_meet(&scene);
	stranger = stranger_call(&scene);
	uint8_t hello[4096];
	size_t length = hello_make(hello);
	unsigned knocks = scene.knocks;
	assert_true(end_says(&scene.outside, 3, 40));
	assert_true(end_says(&scene.outside, 4, 40));
	outbox_flush(scene.place.outbox);
	send(stranger.fd, hello, length, 0); /* in the same turn */
	assert_true(scene_until(&scene, inside->ended && scene.outside.ended));
	assert_int_equal(inside->packets, 1);
	assert_int_equal(scene.knocks, knocks);
}

/* Whoever forges the source of a datagram says nothing, and ends nothing. */
static void test_forged_datagrams_are_dropped(void **state)
{
	static const uint8_t alert[] = {21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 1, 0};
	static const uint8_t later[] = {21, 254, 253, 0, 1, 0, 0, 0, 0, 0, 9, 0, 2, 1, 0};
	static const uint8_t data[] = {23, 254, 253, 0, 1, 0, 0, 0, 0, 0, 9, 0, 1, 0};
	(void)state;
	stranger = stranger_call(&scene);
	assert_true(stranger_shake(&scene, &stranger, &scene.theirs));
	send(stranger.fd, alert, sizeof(alert), 0);
	send(stranger.fd, later, sizeof(later), 0);
	send(stranger.fd, data, sizeof(data), 0);
	for (uint8_t length = 0; length < 48; length++) {
		uint8_t record[64] = {23, 254, 253, 0, 1, 0, 0, 0, 0, 0, 9, 0, length};
		send(stranger.fd, record, 13u + length, 0);
		record[2] = 255;
		send(stranger.fd, record, 13u + length, 0);
	}
	scene_settle(&scene);
	uint8_t packet[4096];
	SSL_write(stranger.ssl, scene_packet(packet, 1, 50).data, 50);
	assert_true(scene_until(&scene, inside->packets == 1));
	assert_int_equal(inside->ended, 0);
}

static void test_a_client_that_is_gone_for_half_an_hour(void **state)
{
	(void)state;
	scene_meet(&scene);
	inside->connection->heard_ms -= 20 * 60 * 1000;
	scene_pass(&scene, 31 * 60 * RG_SECOND);
	assert_int_equal(inside->ended, 0); /* it said something in between */
	inside->connection->heard_ms -= 20 * 60 * 1000;
	scene_pass(&scene, 31 * 60 * RG_SECOND);
	assert_true(scene_until(&scene, inside->ended));
	assert_int_equal(inside->how, RG_CONNECTION_IDLE);
	assert_true(scene_until(&scene, scene.outside.ended)); /* it is told */
	assert_int_equal(scene.outside.how, RG_CONNECTION_CLOSED);
}

static void test_the_port_is_closed(void **state)
{
	(void)state;
	scene_meet(&scene);
	radsec_port_close(&scene.port);
	assert_true(scene_until(&scene, inside->ended && scene.outside.ended));
	assert_string_equal(inside->detail, "the port is closed");
	assert_int_equal(scene.outside.how, RG_CONNECTION_CLOSED);
}

static void test_nobody_listens_any_more(void **state)
{
	(void)state;
	scene_meet(&scene);
	inside->connection->broken = true; /* no word of parting, as when it is killed */
	radsec_port_close(&scene.port);
	assert_true(scene_until(&scene, inside->ended));
	scene_settle(&scene);
	end_says(&scene.outside, 1, 40);
	assert_true(scene_until(&scene, scene.outside.ended));
	assert_int_equal(scene.outside.how, RG_CONNECTION_UNREACHABLE);
}

static void test_a_renewed_port_takes_hellos(void **state)
{
	uint8_t hello[4096], answer[4096];
	size_t length = hello_make(hello);
	(void)state;
	stranger = stranger_call(&scene);
	send(stranger.fd, hello, length, 0);
	hear(stranger.fd, answer);
	scene_certificate(&scene, &scene.ours, &(struct pki_want){.cn = "renewed"});
	scene_renew(&scene);
	scene_meet(&scene);
	assert_string_equal(scene.outside.subject, "CN=renewed");
}

#define NEW(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NEW(test_O3_the_key_of_cookies_is_drawn_again),
		NEW(test_T5_a_hello_without_cookie_keeps_no_state),
		NEW(test_O3_a_hello_that_finds_no_memory_is_not_heard),
		NEW(test_O3_whom_it_calls_is_named_or_nobody_is_called),
		NEW(test_T5_a_cookie_is_good_for_its_source_alone),
		NEW(test_O9_strangers_get_no_answer),
		NEW(test_W1_nonsense_is_dropped),
		NEW(test_O5_a_lost_datagram_is_repeated),
		NEW(test_a_client_that_begins_anew),
		NEW(test_the_longest_packet_both_ways),
		NEW(test_W3_a_malformed_packet_is_dropped),
		NEW(test_T2_ended_at_a_packet),
		NEW(test_T2_the_port_is_closed_at_a_packet),
		NEW(test_forged_datagrams_are_dropped),
		NEW(test_a_client_that_is_gone_for_half_an_hour),
		NEW(test_the_port_is_closed),
		NEW(test_nobody_listens_any_more),
		NEW(test_a_renewed_port_takes_hellos),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

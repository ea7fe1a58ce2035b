/* What is asked in one turn: kept, sent together, in order, whatever the socket takes. */
#include "modules/dir_ldap/gather.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define MOST (512u << 10)

struct scene {
	Sockbuf *sockbuf;
	struct rg_gather *gather;
	int own, peer;
};

static struct scene *open_scene(int type)
{
	int fds[2];
	struct scene *scene = calloc(1, sizeof(*scene));
	assert_non_null(scene);
	assert_int_equal(socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, fds), 0);
	scene->own = fds[0];
	scene->peer = fds[1];
	scene->sockbuf = ber_sockbuf_alloc();
	assert_int_equal(ber_sockbuf_add_io(scene->sockbuf, &ber_sockbuf_io_tcp,
					    LBER_SBIOD_LEVEL_PROVIDER, NULL),
			 0);
	ber_sockbuf_ctrl(scene->sockbuf, LBER_SB_OPT_SET_FD, &scene->own);
	scene->gather = gather_requests(scene->sockbuf);
	assert_non_null(scene->gather);
	return scene;
}

static void close_scene(struct scene *scene)
{
	ber_sockbuf_free(scene->sockbuf);
	close(scene->peer);
	free(scene);
}

static BerElement *request(const char *octets, size_t length)
{
	BerElement *ber = ber_alloc_t(LBER_USE_DER);
	assert_int_equal(ber_write(ber, octets, length, 0), length);
	return ber;
}

static void ask(struct scene *scene, const char *octets)
{
	BerElement *ber = request(octets, strlen(octets));
	assert_int_equal(ber_flush2(scene->sockbuf, ber, LBER_FLUSH_FREE_ALWAYS), 0);
}

/* Without a word of it having left before. */
static void what_is_asked_together_leaves_together(void **state)
{
	struct scene *scene = open_scene(SOCK_SEQPACKET); /* what one call sends is one message */
	char read_octets[64];
	(void)state;
	assert_int_equal(gather_send(scene->gather), RG_GATHERED_SENT); /* nothing */
	ask(scene, "person ");
	ask(scene, "disabled");
	assert_int_equal(recv(scene->peer, read_octets, sizeof(read_octets), 0), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(gather_send(scene->gather), RG_GATHERED_SENT);
	assert_int_equal(recv(scene->peer, read_octets, sizeof(read_octets), 0), 15);
	assert_memory_equal(read_octets, "person disabled", 15);
	assert_int_equal(gather_send(scene->gather), RG_GATHERED_SENT);
	assert_int_equal(recv(scene->peer, read_octets, sizeof(read_octets), 0), -1);
	close_scene(scene);
}

static size_t drain(const struct scene *scene, char *octets, size_t at)
{
	ssize_t got;
	while ((got = read(scene->peer, octets + at, MOST - at)) > 0)
		at += (size_t)got;
	return at;
}

/* Far more than there is room for, here and in the socket, to somebody who reads now and then. */
static void a_full_socket_is_waited_for_and_nothing_is_lost(void **state)
{
	struct scene *scene = open_scene(SOCK_STREAM);
	char *sent = malloc(MOST), *got = malloc(MOST);
	int small = 4096;
	size_t read_so_far = 0;
	unsigned full = 0, waited = 0;
	(void)state;
	assert_true(sent && got);
	assert_int_equal(setsockopt(scene->own, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	for (size_t i = 0; i < MOST; i++)
		sent[i] = (char)(i * 2654435761u >> 13);
	BerElement *ber = request(sent, MOST);
	for (int left = -1; left != 0;) {
		left = ber_flush2(scene->sockbuf, ber, LBER_FLUSH_FREE_NEVER);
		assert_true(left == 0 || errno == EAGAIN);
		waited += left != 0;
		full += gather_send(scene->gather) == RG_GATHERED_FULL;
		read_so_far = drain(scene, got, read_so_far);
	}
	ber_free(ber, 1);
	while (gather_send(scene->gather) == RG_GATHERED_FULL)
		read_so_far = drain(scene, got, read_so_far);
	assert_int_equal(drain(scene, got, read_so_far), MOST);
	assert_memory_equal(got, sent, MOST);
	assert_true(full > 0 && waited > 0);
	free(sent);
	free(got);
	close_scene(scene);
}

static void a_connection_that_is_gone_is_known_as_that(void **state)
{
	struct scene *scene = open_scene(SOCK_STREAM);
	(void)state;
	ask(scene, "person");
	shutdown(scene->peer, SHUT_RDWR);
	assert_int_equal(gather_send(scene->gather), RG_GATHERED_LOST);
	assert_int_equal(gather_send(scene->gather), RG_GATHERED_LOST);
	close_scene(scene);
}

static void the_end_sends_what_waits(void **state)
{
	struct scene *scene = open_scene(SOCK_STREAM);
	char octets[16];
	(void)state;
	ask(scene, "unbind");
	ber_sockbuf_free(scene->sockbuf);
	assert_int_equal(recv(scene->peer, octets, sizeof(octets), 0), 6);
	assert_memory_equal(octets, "unbind", 6);
	assert_int_equal(recv(scene->peer, octets, sizeof(octets), 0), 0);
	close(scene->peer);
	free(scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_asked_together_leaves_together),
		cmocka_unit_test(a_full_socket_is_waited_for_and_nothing_is_lost),
		cmocka_unit_test(a_connection_that_is_gone_is_known_as_that),
		cmocka_unit_test(the_end_sends_what_waits),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* DTLS over memory: each datagram is fed whole, and each record that OpenSSL writes leaves as a datagram. */
#include <errno.h>
#include <openssl/bio.h>
#include <pthread.h>
#include <string.h>

#include "radsec/private.h"

#define MTU 1400 /* of a handshake's records: no path has less, tunnels included */
#define UDP_OVER_IPV6 48

static BIO_METHOD *method;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int on_write(BIO *bio, const char *data, int length)
{
	struct rg_connection *connection = BIO_get_data(bio);
	struct rg_span datagram = span_of(data, (size_t)length);
	BIO_clear_retry_flags(bio);
	outbox_add(connection->place->outbox, connection->fd, datagram,
		   connection->server ? &connection->peer.address : NULL,
		   connection->server ? &connection->local : NULL);
	return length;
}

static long on_control(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	switch (command) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_DGRAM_QUERY_MTU:
	case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
		return MTU;
	case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
		return UDP_OVER_IPV6;
	default:
		return 0;
	}
}

static void make_method(void)
{
	method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagrams");
	if (!method)
		return;
	BIO_meth_set_write(method, on_write);
	BIO_meth_set_ctrl(method, on_control);
}

bool datagram_prepare(SSL *ssl, struct rg_connection *connection)
{
	pthread_once(&once, make_method);
	BIO *in = BIO_new(BIO_s_mem()), *out = method ? BIO_new(method) : NULL;
	if (!in || !out) {
		BIO_free(in);
		BIO_free(out);
		return false;
	}
	BIO_set_mem_eof_return(in, -1);
	BIO_set_data(out, connection);
	BIO_set_init(out, 1);
	SSL_set_bio(ssl, in, out);
	SSL_set_mtu(ssl, MTU);
	return true;
}

void datagram_refill(SSL *ssl, struct rg_span datagram)
{
	BIO *in = SSL_get_rbio(ssl);
	(void)BIO_reset(in);
	BIO_write(in, datagram.data, (int)datagram.length);
}

void datagram_feed(struct rg_connection *connection, struct rg_span datagram)
{
	if (datagram.length == 0 || datagram.length > RG_DATAGRAM_MOST + 1)
		return;
	datagram_refill(connection->ssl, datagram);
	if (connection->state == SHAKING_HANDS)
		connection_shake(connection);
	if (connection->state == OPEN)
		connection_read(connection);
}

#define DATAGRAMS_A_TURN 32

void datagram_receive(struct rg_connection *connection)
{
	uint8_t bytes[RG_DATAGRAM_MOST + 1];
	for (unsigned i = 0; i < DATAGRAMS_A_TURN && connection->state != ENDING; i++) {
		ssize_t got = recv(connection->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (got >= 0) {
			datagram_feed(connection, span_of(bytes, (size_t)got));
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN && errno != EWOULDBLOCK) /* nobody listens there (ICMP) */
			connection_fail(connection, RG_CONNECTION_UNREACHABLE, strerror(errno));
		return;
	}
}

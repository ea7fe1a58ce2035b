/* DTLS: OpenSSL is fed one datagram at a time, and each record that it writes leaves as a datagram. */
#include <errno.h>
#include <openssl/bio.h>
#include <string.h>

#include "core/once.h"
#include "radsec/private.h"

#define MTU	      1232 /* of a handshake's records: what the least path of IPv6 takes */
#define UDP_OVER_IPV6 48

static BIO_METHOD *method;
static struct rg_once made = RG_ONCE;

static int on_read(BIO *bio, char *data, int most)
{
	struct rg_connection *connection = BIO_get_data(bio);
	struct rg_span input = connection->input;
	connection->input = span_of(NULL, 0);
	BIO_clear_retry_flags(bio);
	if (input.length == 0 || input.length > (size_t)most) {
		BIO_set_retry_read(bio);
		return -1;
	}
	memcpy(data, input.data, input.length);
	return (int)input.length;
}

static int on_write(BIO *bio, const char *data, int length)
{
	const struct rg_connection *connection = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	outbox_add(connection->place->outbox, connection->fd, span_of(data, (size_t)length),
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
	default: /* OpenSSL's list; the others say nothing to what is no socket */
		return 0;
	}
}

static bool make_method(void)
{
	method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagrams");
	if (!method)
		return false;
	BIO_meth_set_read(method, on_read);
	BIO_meth_set_write(method, on_write);
	BIO_meth_set_ctrl(method, on_control);
	return true;
}

bool datagram_prepare(struct rg_connection *connection)
{
	BIO *bio = once_made(&made, make_method) ? BIO_new(method) : NULL;
	if (!bio)
		return false;
	BIO_set_data(bio, connection);
	BIO_set_init(bio, 1);
	SSL_set_bio(connection->ssl, bio, bio);
	SSL_set_mtu(connection->ssl, MTU);
	return true;
}

/* Octets that a record has before there is anything in it: a tag, and with AES-GCM a part of the nonce (RFC 5288 §3,
 * RFC 7905 §2). */
static size_t least_of(const SSL *ssl)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
	return cipher && SSL_CIPHER_get_cipher_nid(cipher) == NID_chacha20_poly1305 ? 16 : 24;
}

/* Anybody may forge the source of a datagram, and what cannot be deciphered is dropped (RFC 6347 §4.1.2.7); but OpenSSL
 * takes a record that is too short to be deciphered for an end of the connection. */
static bool is_plausible(const SSL *ssl, struct rg_span datagram)
{
	struct rg_cursor records = cursor_over(datagram);
	size_t least = least_of(ssl);
	while (cursor_left(&records) != 0) {
		cursor_take(&records, 1 + 2); /* type, version */
		uint16_t epoch = cursor_u16(&records);
		cursor_take(&records, 6); /* sequence number */
		size_t length = cursor_u16(&records);
		cursor_take(&records, length);
		if (records.failed || (epoch != 0 && length < least))
			return false;
	}
	return true;
}

void datagram_feed(struct rg_connection *connection, struct rg_span datagram)
{
	if (!is_plausible(connection->ssl, datagram))
		return;
	connection->input = datagram;
	connection->heard_ms = uv_now(connection->place->loop);
	if (connection->state == SHAKING_HANDS)
		connection_shake(connection);
	if (connection->state == OPEN)
		stream_read(connection);
	connection->input = span_of(NULL, 0); /* borrowed until now */
}

static void take_datagram(void *context, const struct rg_datagram *datagram)
{
	datagram_feed(context, datagram->bytes);
}

void datagram_receive(struct rg_connection *connection)
{
	int count = inbox_receive(connection->place->inbox, connection->fd, take_datagram, connection);
	if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR &&
	    connection->state != ENDING) {
		connection->broken = true; /* nobody listens there (ICMP) */
		const char *detail = strerror(errno);
		if (connection->state == OPEN || !dialing_next(connection))
			connection_end(connection, RG_CONNECTION_UNREACHABLE, detail);
	}
}

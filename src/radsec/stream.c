/* Packets in a stream of TLS records: many in one record and one system call, both ways. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "core/once.h"
#include "radsec/private.h"

#define RECORD_MOST  16384
#define READS_A_TURN 8 /* a peer that sends without end leaves the others their time */
#define ROOM_KEPT    65536 /* of a queue that ran empty */

/* The socket, as OpenSSL sees it. */

static BIO_METHOD *method;
static struct rg_once made = RG_ONCE;

/* What is short of what was asked for is all there is: the next look at the socket is left to the loop. */
static int on_bio_read(BIO *bio, char *data, int most)
{
	struct rg_connection *connection = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	if (connection->reads_left == 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	ssize_t got = recv(connection->fd, data, (size_t)most, 0);
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
		connection->reads_left = 0;
		BIO_set_retry_read(bio);
	}
	connection->reads_left -= connection->reads_left != 0;
	if (got > 0 && got < most)
		connection->reads_left = 0;
	return (int)got;
}

static int on_bio_write(BIO *bio, const char *data, int length)
{
	const struct rg_connection *connection = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	ssize_t sent = send(connection->fd, data, (size_t)length, MSG_NOSIGNAL);
	if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		BIO_set_retry_write(bio);
	return (int)sent;
}

static long on_bio_control(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH;
}

static bool make_method(void)
{
	method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "RadSec");
	if (!method)
		return false;
	BIO_meth_set_read(method, on_bio_read);
	BIO_meth_set_write(method, on_bio_write);
	BIO_meth_set_ctrl(method, on_bio_control);
	return true;
}

bool stream_prepare(struct rg_connection *connection)
{
	BIO *bio = once_made(&made, make_method) ? BIO_new(method) : NULL;
	if (!bio)
		return false;
	BIO_set_data(bio, connection);
	BIO_set_init(bio, 1);
	SSL_set_bio(connection->ssl, bio, bio);
	stream_turn(connection);
	return true;
}

void stream_options(int fd)
{
	int on = 1, idle_s = 60, between_s = 20, probes = 3;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* each write is a whole turn's */
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &between_s, sizeof(between_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

void stream_turn(struct rg_connection *connection)
{
	connection->reads_left = READS_A_TURN;
}

/* The loop. */

static void go_on(struct rg_connection *connection)
{
	if (connection->state == CONNECTING)
		dialing_go_on(connection);
	if (connection->transport == RG_TRANSPORT_DTLS && connection->state != ENDING) {
		datagram_receive(connection);
		return;
	}
	stream_turn(connection);
	if (connection->state == SHAKING_HANDS)
		connection_shake(connection);
	if (connection->state == OPEN)
		stream_read(connection);
	if (connection->state == OPEN && connection->out_length != 0)
		connection_mark(connection);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct rg_connection *connection = poll->data;
	(void)events;
	if (connection->state == ENDING)
		return;
	connection->place->busy = true;
	go_on(connection); /* what is wrong with the socket shows when it is used */
	if (status != 0 && connection->poll == poll)
		stream_poll(connection); /* libuv looks no longer at one with an error */
	connection->place->busy = false;
}

void stream_poll(struct rg_connection *connection)
{
	if (!connection->own_fd || connection->state == ENDING)
		return;
	if (!connection->poll) {
		connection->poll = calloc(1, sizeof(*connection->poll));
		if (!connection->poll ||
		    uv_poll_init(connection->place->loop, connection->poll, connection->fd) != 0) {
			free(connection->poll);
			connection->poll = NULL;
			connection_end(connection, RG_CONNECTION_OURS, "no memory");
			return;
		}
		connection->poll->data = connection;
	}
	bool writes = connection->writing || connection->state == CONNECTING;
	uv_poll_start(connection->poll, UV_READABLE | (writes ? UV_WRITABLE : 0), on_ready);
}

/* Reading. */

/* Cuts off at most RG_CONNECTION_TOGETHER whole packets. False: what comes next is none. */
static bool cut_packets(struct rg_cursor *cursor, struct rg_span *packets, size_t *count)
{
	*count = 0;
	while (*count < RG_CONNECTION_TOGETHER && cursor_left(cursor) >= 4) {
		struct rg_cursor ahead = *cursor;
		cursor_u16(&ahead); /* Code, and Identifier or nothing */
		size_t whole = cursor_u16(&ahead);
		if (whole < 20 || whole > RG_CONNECTION_PACKET_MOST)
			return false;
		if (cursor_left(cursor) < whole)
			break;
		packets[(*count)++] = cursor_take(cursor, whole);
	}
	return true;
}

/* Hands over each whole packet of the octets; returns how many were used. SIZE_MAX: the connection has ended. */
static size_t take_packets(struct rg_connection *connection, struct rg_span octets)
{
	struct rg_span packets[RG_CONNECTION_TOGETHER];
	struct rg_cursor cursor = cursor_over(octets);
	size_t count;
	do {
		bool fine = cut_packets(&cursor, packets, &count);
		if (count != 0 &&
		    !connection->events->packets(connection->owner, connection, packets, count))
			connection_end(connection, RG_CONNECTION_MALFORMED, "a malformed packet");
		else if (!fine)
			connection_end(connection, RG_CONNECTION_MALFORMED,
				       "a Length that no RADIUS packet has");
		if (connection->state == ENDING)
			return SIZE_MAX;
	} while (count == RG_CONNECTION_TOGETHER);
	return octets.length - cursor_left(&cursor);
}

/* What is left of the octets waits for the rest of its packet, whose time began with its first one. */
static void keep_half(struct rg_connection *connection, struct rg_span octets, bool begins)
{
	if (octets.length != 0 && !connection->half)
		connection->half = malloc(RG_CONNECTION_PACKET_MOST);
	if (octets.length != 0 && !connection->half) {
		connection_end(connection, RG_CONNECTION_OURS, "no memory");
		return;
	}
	connection->half_length = octets.length;
	if (octets.length != 0)
		memcpy(connection->half, octets.data, octets.length);
	if (octets.length == 0)
		connection->half_due = 0;
	else if (begins)
		connection->half_due = clock_now() + RG_CONNECTION_HALF_NS;
	connection_arm(connection);
}

static void take_stream(struct rg_connection *connection, struct rg_span octets, size_t kept)
{
	size_t used = take_packets(connection, octets);
	if (used == SIZE_MAX || (kept == 0 && used == octets.length))
		return;
	keep_half(connection, span_of(octets.data + used, octets.length - used),
		  kept == 0 || used != 0);
}

/* OpenSSL wants to write no more; a socket that may be written to would wake us for ever. */
static void written_all(struct rg_connection *connection)
{
	if (!connection->writing || connection->out_length != 0)
		return;
	connection->writing = false;
	stream_poll(connection);
}

static void reading_ended(struct rg_connection *connection, int result, int error_number)
{
	switch (SSL_get_error(connection->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		written_all(connection);
		return;
	case SSL_ERROR_WANT_WRITE: /* a KeyUpdate is to be answered */
		connection->writing = true;
		stream_poll(connection);
		return;
	case SSL_ERROR_ZERO_RETURN:
		connection_end(connection, RG_CONNECTION_CLOSED, "closed by the other side");
		return;
	case SSL_ERROR_SYSCALL:
		connection->broken = true;
		ERR_clear_error();
		connection_end(connection, RG_CONNECTION_CLOSED,
			       error_number ? strerror(error_number) : "cut by the other side");
		return;
	default:
		connection_fail_tls(connection);
	}
}

void stream_read(struct rg_connection *connection)
{
	uint8_t octets[RG_CONNECTION_PACKET_MOST + RECORD_MOST];
	bool stream = connection->transport == RG_TRANSPORT_TLS;
	/* To the end of what was read ahead, for that makes no socket readable. */
	while (connection->state == OPEN) {
		size_t kept = connection->half_length;
		if (kept != 0)
			memcpy(octets, connection->half, kept);
		ERR_clear_error();
		errno = 0;
		int got = SSL_read(connection->ssl, octets + kept, RECORD_MOST);
		int error_number = errno;
		if (got <= 0) {
			reading_ended(connection, got, error_number);
			return;
		}
		struct rg_span octets_read = span_of(octets, kept + (size_t)got);
		if (stream)
			take_stream(connection, octets_read, kept);
		else /* one record, one packet (RFC 7360 §5); what is none is dropped, as over UDP */
			connection->events->packets(connection->owner, connection, &octets_read, 1);
	}
}

/* Writing. */

static bool grow(struct rg_connection *connection, size_t needed)
{
	size_t capacity = connection->out_capacity ? connection->out_capacity : 4096;
	while (capacity < needed)
		capacity *= 2;
	if (capacity == connection->out_capacity)
		return true;
	uint8_t *out = realloc(connection->out, capacity);
	if (!out)
		return false;
	connection->out = out;
	connection->out_capacity = capacity;
	return true;
}

static bool send_record(struct rg_connection *connection, struct rg_span packet)
{
	ERR_clear_error();
	bool sent = SSL_write(connection->ssl, packet.data, (int)packet.length) > 0;
	ERR_clear_error();
	return sent; /* or lost, as datagrams are */
}

bool connection_send(struct rg_connection *connection, struct rg_span packet)
{
	if (connection->state != OPEN)
		return false;
	if (connection->transport == RG_TRANSPORT_DTLS)
		return send_record(connection, packet);
	size_t needed = connection->out_length + packet.length;
	if (needed > RG_CONNECTION_QUEUE_MOST || !grow(connection, needed)) {
		connection->broken = true;
		connection_end(connection, RG_CONNECTION_STUCK, "too much waits for it");
		return false;
	}
	memcpy(connection->out + connection->out_length, packet.data, packet.length);
	connection->out_length = needed;
	connection_mark(connection);
	return true;
}

/* Writes what waits, in records as long as may be; what the socket did not take stays at the head. False: it is cut. */
static bool push(struct rg_connection *connection, size_t *written)
{
	bool whole = true;
	*written = 0;
	while (whole && connection->out_length != *written) {
		size_t left = connection->out_length - *written;
		ERR_clear_error();
		int sent = SSL_write(connection->ssl, connection->out + *written,
				     left < RECORD_MOST ? (int)left : RECORD_MOST);
		int error = sent > 0 ? SSL_ERROR_NONE : SSL_get_error(connection->ssl, sent);
		if (sent > 0)
			*written += (size_t)sent;
		else if (error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_READ)
			whole = false;
		else
			connection->broken = true;
		if (connection->broken)
			break;
	}
	ERR_clear_error();
	connection->out_length -= *written;
	if (connection->out_length != 0 && *written != 0)
		memmove(connection->out, connection->out + *written, connection->out_length);
	return !connection->broken;
}

static void shrink(struct rg_connection *connection)
{
	if (connection->out_length != 0 || connection->out_capacity <= ROOM_KEPT)
		return;
	free(connection->out);
	connection->out = NULL;
	connection->out_capacity = 0;
}

void stream_write(struct rg_connection *connection)
{
	size_t written;
	if (connection->state != OPEN || connection->transport == RG_TRANSPORT_DTLS)
		return;
	if (!push(connection, &written)) {
		connection_end(connection, RG_CONNECTION_CLOSED, "cut by the other side");
		return;
	}
	bool waits = connection->out_length != 0;
	uint64_t due = connection->stuck_due;
	if (!waits)
		connection->stuck_due = 0;
	else if (written != 0 || due == 0)
		connection->stuck_due = clock_now() + RG_CONNECTION_STUCK_NS;
	if (connection->writing != waits) {
		connection->writing = waits;
		stream_poll(connection);
	}
	if (connection->stuck_due != due)
		connection_arm(connection);
	shrink(connection);
}

void stream_part(struct rg_connection *connection)
{
	size_t written;
	if (connection->transport == RG_TRANSPORT_TLS && !push(connection, &written))
		return;
	ERR_clear_error();
	SSL_shutdown(connection->ssl); /* said once; nobody waits for the answer */
	ERR_clear_error();
}

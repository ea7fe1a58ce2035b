/* Packets in a stream of TLS records, and in and out of DTLS ones. */
#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "radsec/private.h"

#define RECORD_MOST 16384
#define READS_A_TURN 64 /* a peer that sends without end leaves the others their time */

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct rg_connection *connection = poll->data;
	(void)status; /* what is wrong with the socket shows at the next read */
	(void)events;
	if (connection->state == CONNECTING || connection->state == RESOLVING) {
		dialing_go_on(connection);
		return;
	}
	if (connection->transport == RG_TRANSPORT_DTLS) {
		datagram_receive(connection);
		return;
	}
	if (connection->state == SHAKING_HANDS)
		connection_shake(connection);
	if (connection->state == OPEN)
		connection_read(connection);
	if (connection->state == OPEN && (connection->writing || connection->out_length != 0))
		connection_mark(connection);
}

void connection_poll(struct rg_connection *connection)
{
	if (!connection->own_fd || connection->state == ENDING)
		return;
	if (!connection->poll) {
		connection->poll = calloc(1, sizeof(*connection->poll));
		if (!connection->poll ||
		    uv_poll_init(connection->place->loop, connection->poll, connection->fd) != 0) {
			free(connection->poll);
			connection->poll = NULL;
			connection_fail(connection, RG_CONNECTION_UNREACHABLE, "no memory");
			return;
		}
		connection->poll->data = connection;
	}
	bool writes = connection->writing || connection->state == CONNECTING;
	uv_poll_start(connection->poll, UV_READABLE | (writes ? UV_WRITABLE : 0), on_ready);
}

/* Hands over each whole packet of the octets; returns how many were used. SIZE_MAX: the connection has ended. */
static size_t take_packets(struct rg_connection *connection, const uint8_t *bytes, size_t length)
{
	size_t used = 0;
	while (length - used >= 4) {
		struct rg_cursor cursor = cursor_over(span_of(bytes + used, length - used));
		cursor_u16(&cursor); /* Code, and Identifier or nothing */
		size_t whole = cursor_u16(&cursor);
		if (whole < 20 || whole > RG_CONNECTION_PACKET_MOST) {
			connection_fail(connection, RG_CONNECTION_MALFORMED,
					"a Length that no RADIUS packet has");
			return SIZE_MAX;
		}
		if (length - used < whole)
			break;
		if (!connection->events->packet(connection->owner, connection,
						span_of(bytes + used, whole)) &&
		    connection->state != ENDING)
			connection_fail(connection, RG_CONNECTION_MALFORMED, "a malformed packet");
		if (connection->state == ENDING)
			return SIZE_MAX;
		used += whole;
	}
	return used;
}

static void keep_half(struct rg_connection *connection, const uint8_t *bytes, size_t length)
{
	if (length != 0 && !connection->half)
		connection->half = malloc(RG_CONNECTION_PACKET_MOST);
	if (length != 0 && !connection->half) {
		connection_fail(connection, RG_CONNECTION_OURS, "no memory");
		return;
	}
	if (length != 0)
		memcpy(connection->half, bytes, length);
	/* Its time began with its first octet. */
	if (length == 0)
		connection->half_due = 0;
	else if (connection->half_due == 0)
		connection->half_due = clock_now() + RG_CONNECTION_HALF_NS;
	connection->half_length = length;
	connection_arm(connection);
}

/* RFC 7360 §5: one record, one packet; what is none is dropped, as over UDP. */
static void take_record(struct rg_connection *connection, const uint8_t *bytes, size_t length)
{
	connection->events->packet(connection->owner, connection, span_of(bytes, length));
}

static void reading_ended(struct rg_connection *connection, int result)
{
	switch (SSL_get_error(connection->ssl, result)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return;
	case SSL_ERROR_ZERO_RETURN:
		connection_fail(connection, RG_CONNECTION_CLOSED, "closed by the other side");
		return;
	case SSL_ERROR_SYSCALL:
		ERR_clear_error();
		connection_fail(connection, RG_CONNECTION_CLOSED,
				errno ? strerror(errno) : "cut by the other side");
		return;
	default:
		if (ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
			ERR_clear_error();
			connection_fail(connection, RG_CONNECTION_CLOSED, "cut by the other side");
			return;
		}
		connection_fail_tls(connection);
	}
}

void connection_read(struct rg_connection *connection)
{
	uint8_t bytes[RG_CONNECTION_PACKET_MOST + RECORD_MOST];
	bool tls = connection->transport == RG_TRANSPORT_TLS;
	/* What is read ahead makes no descriptor readable, so it is read to its end. */
	for (unsigned reads = 0; reads < READS_A_TURN || SSL_has_pending(connection->ssl); reads++) {
		size_t kept = tls ? connection->half_length : 0;
		if (kept != 0)
			memcpy(bytes, connection->half, kept);
		ERR_clear_error();
		errno = 0;
		int got = SSL_read(connection->ssl, bytes + kept, RECORD_MOST);
		if (got <= 0) {
			reading_ended(connection, got);
			return;
		}
		if (!tls) {
			take_record(connection, bytes, (size_t)got);
		} else {
			size_t length = kept + (size_t)got;
			size_t used = take_packets(connection, bytes, length);
			if (used != SIZE_MAX && (kept != 0 || used != length))
				keep_half(connection, bytes + used, length - used);
			else if (used != SIZE_MAX)
				connection->half_length = 0;
		}
		if (connection->state == ENDING)
			return;
	}
}

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

bool connection_send(struct rg_connection *connection, struct rg_span packet)
{
	if (connection->state != OPEN)
		return false;
	if (connection->transport == RG_TRANSPORT_DTLS) {
		ERR_clear_error();
		bool sent = SSL_write(connection->ssl, packet.data, (int)packet.length) > 0;
		ERR_clear_error();
		return sent; /* or lost, as datagrams are */
	}
	size_t needed = connection->out_length + packet.length;
	if (needed > RG_CONNECTION_QUEUE_MOST || !grow(connection, needed)) {
		connection_fail(connection, RG_CONNECTION_STUCK, "too much waits for it");
		return false;
	}
	memcpy(connection->out + connection->out_length, packet.data, packet.length);
	connection->out_length = needed;
	connection_mark(connection);
	return true;
}

static void note_progress(struct rg_connection *connection, size_t written)
{
	bool waits = connection->out_length != 0;
	if (waits && written != 0)
		memmove(connection->out, connection->out + written, connection->out_length);
	if (!waits)
		connection->stuck_due = 0;
	else if (written != 0 || connection->stuck_due == 0)
		connection->stuck_due = clock_now() + RG_CONNECTION_STUCK_NS;
	if (connection->writing != waits) {
		connection->writing = waits;
		connection_poll(connection);
	}
	connection_arm(connection);
}

void connection_write(struct rg_connection *connection)
{
	size_t written = 0;
	if (connection->state != OPEN || connection->transport == RG_TRANSPORT_DTLS)
		return;
	while (connection->out_length != 0) {
		size_t piece = connection->out_length < RECORD_MOST ? connection->out_length : RECORD_MOST;
		ERR_clear_error();
		int sent = SSL_write(connection->ssl, connection->out + written, (int)piece);
		if (sent <= 0) {
			int error = SSL_get_error(connection->ssl, sent);
			if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
				ERR_clear_error();
				connection_fail(connection, RG_CONNECTION_CLOSED, "cut by the other side");
				return;
			}
			break;
		}
		written += (size_t)sent;
		connection->out_length -= (size_t)sent;
	}
	note_progress(connection, written);
}

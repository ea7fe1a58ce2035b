/* Packets in a stream of TLS records, both ways, with the records wherever the input cuts them:
 * what is handed over is what a reading of the whole stream finds in it, up to a Length that no
 * packet has; what is sent arrives in its order. OpenSSL's records are this file's own. */
#include "fuzz.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "radsec/private.h"

#define STREAM_MOST 32768

static struct {
	uint8_t in[STREAM_MOST], out[STREAM_MOST], written[STREAM_MOST];
	size_t in_length, given,
		handed; /* octets; given: as records so far; handed: over, as packets */
	size_t out_length, written_length;
	unsigned records_left;          /* that may be read before the socket is dry */
	unsigned packets, packets_most; /* the owner wants so many, and then no more */
	bool owner_ends, refused;
	uint32_t cut;
} now;

/* Where the next record ends. */
static size_t cut_next(size_t most)
{
	now.cut = now.cut * 1103515245u + 12345u;
	size_t length = now.cut >> 16 & 7 ? 1 + (now.cut >> 19) % 64u : 1 + (now.cut >> 17) % 8000u;
	return length < most ? length : most;
}

int SSL_read(SSL *ssl, void *out, int most)
{
	(void)ssl;
	size_t left = now.in_length - now.given;
	if (left == 0 || now.records_left == 0)
		return -1;
	now.records_left--;
	size_t length = cut_next(left < (size_t)most ? left : (size_t)most);
	memcpy(out, now.in + now.given, length);
	now.given += length;
	return (int)length;
}

int SSL_write(SSL *ssl, const void *data, int length)
{
	(void)ssl;
	size_t taken = cut_next((size_t)length);
	MUST(length > 0);
	if ((now.cut >> 8 & 3) == 0)
		return -1; /* the socket is full */
	MUST(taken <= sizeof(now.written) - now.written_length);
	memcpy(now.written + now.written_length, data, taken);
	now.written_length += taken;
	return (int)taken;
}

int SSL_get_error(const SSL *ssl, int result)
{
	(void)ssl;
	return result > 0 ? SSL_ERROR_NONE : SSL_ERROR_WANT_READ;
}

/* There are none, and OpenSSL takes as long to find that out as all the rest takes. */
void ERR_clear_error(void)
{
}

int SSL_shutdown(SSL *ssl)
{
	(void)ssl;
	return 0;
}

/* False: the owner wants no more. */
static bool take_packet(struct rg_span packet)
{
	MUST(!now.refused && packet.length >= 20 && packet.length <= 4096);
	MUST(now.handed + packet.length <= now.given);
	MUST(span_equal(packet, span_of(now.in + now.handed, packet.length)));
	MUST(packet.length == (size_t)(packet.data[2] << 8 | packet.data[3]));
	now.handed += packet.length;
	now.refused = ++now.packets >= now.packets_most;
	return !now.refused;
}

static bool on_packets(void *owner, struct rg_connection *connection, const struct rg_span *packets,
		       size_t count)
{
	(void)owner;
	MUST(count != 0 && count <= RG_CONNECTION_TOGETHER);
	for (size_t i = 0; i < count; i++)
		if (!take_packet(packets[i])) {
			if (now.owner_ends)
				connection_end(connection, RG_CONNECTION_OURS, "enough");
			return now.owner_ends;
		}
	return true;
}

static const struct rg_connection_events events = {.packets = on_packets};

/* What waits for its rest: at the place where the last packet ended. False: no packet can begin so.
 */
static bool half_may_be(const struct rg_connection *connection)
{
	size_t half = now.given - now.handed;
	size_t length =
		half >= 4 ? (size_t)(now.in[now.handed + 2] << 8 | now.in[now.handed + 3]) : 20;
	if (length < 20 || length > 4096)
		return false;
	MUST(half < length || half < 4);
	MUST(connection->half_length == half && (connection->half_due != 0) == (half != 0));
	MUST(half == 0 || memcmp(connection->half, now.in + now.handed, half) == 0);
	return true;
}

static void judge(const struct rg_connection *connection)
{
	if (connection->state == OPEN) {
		MUST(!now.refused && half_may_be(connection));
		return;
	}
	MUST(connection->state == ENDING);
	if (now.refused)
		MUST(connection->end ==
		     (now.owner_ends ? RG_CONNECTION_OURS : RG_CONNECTION_MALFORMED));
	else
		MUST(connection->end == RG_CONNECTION_MALFORMED && !half_may_be(connection));
}

/* An octet says which: a packet of its own Length, or any octets; then they come, a record or
 * several at a time. */
static void hear(struct rg_connection *connection, uint8_t how, struct rg_span piece)
{
	struct rg_buffer in = buffer_over(now.in + now.in_length, STREAM_MOST - now.in_length);
	size_t more = (size_t)(how & 0xf0) << 3; /* of zeros behind it */
	if (how & 1) {
		buffer_put(&in, piece);
	} else {
		buffer_u16(&in, how);
		buffer_u16(&in, (uint16_t)(20 + piece.length + more));
		buffer_put(&in, span_of("sixteen octets..", 16));
		buffer_put(&in, piece);
		uint8_t *zeros = buffer_room(&in, more);
		if (zeros)
			memset(zeros, 0, more);
	}
	if (!in.failed)
		now.in_length += in.length;
	for (now.records_left = 1 + (how >> 2 & 3);
	     connection->state == OPEN && now.records_left;) {
		size_t before = now.given;
		stream_read(connection);
		judge(connection);
		if (now.given == before)
			break;
	}
}

static void say(struct rg_connection *connection, uint8_t how, struct rg_span piece)
{
	bool was_open = connection->state == OPEN;
	if (piece.length == 0 || piece.length > STREAM_MOST - now.out_length)
		return;
	MUST(connection_send(connection, piece) == was_open);
	if (was_open) {
		memcpy(now.out + now.out_length, piece.data, piece.length);
		now.out_length += piece.length;
	}
	if (how & 4)
		stream_write(connection);
	MUST(now.written_length <= now.out_length);
	MUST(memcmp(now.written, now.out, now.written_length) == 0);
	if (connection->state == OPEN)
		MUST(connection->out_length == now.out_length - now.written_length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rg_wheel wheel;
	static struct rg_connection_place place = {.wheel = &wheel};
	struct rg_cursor cursor = cursor_over(span_of(data, size));
	if (wheel.tick == 0)
		wheel_init(&wheel, clock_now());
	struct rg_connection connection = {
		.place = &place,
		.events = &events,
		.transport = RG_TRANSPORT_TLS,
		.state = OPEN,
		.ssl = (SSL *)&connection, /* never looked into */
		.fd = -1,
		.timer = {.fire = NULL},
	};
	now.in_length = now.given = now.handed = now.out_length = now.written_length = 0;
	now.packets = 0;
	now.refused = false;
	now.cut = cursor_u8(&cursor);
	uint8_t patience = cursor_u8(&cursor);
	now.packets_most = patience & 0x7f ? patience & 0x7f : 1000;
	now.owner_ends = patience & 0x80;
	while (cursor_left(&cursor) != 0) {
		uint8_t how = cursor_u8(&cursor);
		if (how & 2)
			say(&connection, how, piece_next(&cursor));
		else
			hear(&connection, how, piece_next(&cursor));
	}
	timer_cancel(&wheel, &connection.timer);
	place.dirty = place.ending = NULL;
	free(connection.half);
	free(connection.out);
	return 0;
}

/* What strangers send to a port of DTLS, from a few addresses: nothing is kept of anybody, and
 * little is said, before a cookie comes back from where it went. */
#include "fuzz.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "core/clock.h"
#include "radsec/private.h"

#define STEPS_MOST    8
#define SOURCES       4
#define COOKIE        32
#define ANSWER_MOST   100 /* octets: HelloVerifyRequest's, or an alert */
#define DATAGRAM_MOST 2048

static struct scene {
	uv_loop_t loop;
	struct rg_wheel wheel;
	struct rg_connection_place place;
	struct rg_radsec radsec;
	struct rg_radsec_port *port;
	union rg_address sources[SOURCES];
	/* The last two that each was ever sent, which are good for a while. libFuzzer remembers what is compared, and brings
	 * back in one input what was sent in another. */
	uint8_t cookies[SOURCES][2][COOKIE];
	unsigned known[SOURCES];
	bool has_cookie[SOURCES]; /* sent in this input */
	bool shakes, refuses; /* who is proven may go on; nobody is worth a handshake */
	bool good;            /* what is being heard brings back what its source was sent */
	unsigned source;      /* whose datagram is being heard */
	unsigned said;        /* datagrams that left meanwhile */
	unsigned arrived;
} scene;

static unsigned source_of(const union rg_address *address)
{
	for (unsigned i = 0; i < SOURCES; i++)
		if (address_equal(address, &scene.sources[i]))
			return i;
	MUST(!"a datagram to nobody");
	return 0;
}

static void keep_cookie(unsigned source, struct rg_span datagram)
{
	struct rg_cursor cursor = cursor_over(datagram);
	bool handshake = cursor_u8(&cursor) == 22;
	cursor_take(&cursor, 12);
	bool verify = cursor_u8(&cursor) == 3; /* RFC 6347 §4.3.2: hello_verify_request */
	cursor_take(&cursor, 11 + 2);
	struct rg_span cookie = cursor_take(&cursor, cursor_u8(&cursor));
	if (!handshake || !verify || cursor.failed)
		return;
	MUST(cookie.length == COOKIE && cursor_left(&cursor) == 0);
	scene.has_cookie[source] = true;
	uint8_t *last = scene.cookies[source][0];
	if (scene.known[source] != 0 && memcmp(last, cookie.data, COOKIE) == 0)
		return;
	memcpy(scene.cookies[source][1], last, COOKIE);
	memcpy(last, cookie.data, COOKIE);
	scene.known[source] += scene.known[source] < 2;
}

/* What the port's datagrams leave by. */
int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
	(void)fd;
	(void)flags;
	for (unsigned i = 0; i < count; i++) {
		const struct msghdr *header = &messages[i].msg_hdr;
		struct rg_span datagram =
			span_of(header->msg_iov->iov_base, header->msg_iov->iov_len);
		MUST(header->msg_name);
		unsigned source = source_of(header->msg_name);
		if (scene.port->connections == 0 && !scene.arrived) {
			MUST(source == scene.source && datagram.length <= ANSWER_MOST);
			keep_cookie(source, datagram);
		}
		scene.said++;
	}
	return (int)count;
}

static bool on_knock(void *owner, const union rg_address *source)
{
	(void)owner;
	MUST(source_of(source) == scene.source);
	return !scene.refuses;
}

static void on_ended(void *owner, struct rg_connection *connection, enum rg_connection_end how,
		     const char *detail)
{
	(void)owner;
	(void)connection;
	(void)how;
	MUST(detail);
}

static bool on_established(void *owner, struct rg_connection *connection, char *refusal)
{
	(void)owner;
	(void)connection;
	(void)refusal;
	MUST(!"a handshake without a certificate");
	return false;
}

static const struct rg_connection_events events = {.established = on_established,
						   .ended = on_ended};

static void on_arrived(void *owner, struct rg_connection *connection)
{
	(void)owner;
	MUST(scene.good && !scene.refuses);
	MUST(address_equal(&connection_peer(connection)->address, &scene.sources[scene.source]));
	scene.arrived++;
	if (scene.shakes)
		connection_own(connection, &events, NULL);
	else
		connection_end(connection, RG_CONNECTION_OURS, "nobody we know");
}

static const struct rg_radsec_port_events port_events = {.knock = on_knock, .arrived = on_arrived};

static SSL_CTX *context_new(void)
{
	SSL_CTX *context = SSL_CTX_new(DTLS_server_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	MUST(context && key && certificate);
	X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
	MUST(X509_set_pubkey(certificate, key) && X509_sign(certificate, key, EVP_sha256()) > 0);
	MUST(SSL_CTX_use_certificate(context, certificate) == 1 &&
	     SSL_CTX_use_PrivateKey(context, key) == 1);
	SSL_CTX_set_options(context, SSL_OP_COOKIE_EXCHANGE | SSL_OP_NO_QUERY_MTU);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	port_set_up_context(context);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return context;
}

static void set_up(void)
{
	if (scene.port)
		return;
	for (unsigned i = 0; i < SOURCES; i++) {
		scene.sources[i].v4 = (struct sockaddr_in){
			.sin_family = AF_INET,
			.sin_port = htons((uint16_t)(2083 + i % 2)),
			.sin_addr.s_addr = htonl(0xc0000201u + i / 2),
		};
	}
	MUST(uv_loop_init(&scene.loop) == 0);
	wheel_init(&scene.wheel, clock_now());
	scene.place = (struct rg_connection_place){.loop = &scene.loop,
						   .wheel = &scene.wheel,
						   .inbox = inbox_new(),
						   .outbox = outbox_new()};
	scene.radsec.dtls = context_new();
	scene.radsec.versions = RG_RADIUS_1_0;
	atomic_init(&scene.radsec.references, 1);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	MUST(fd >= 0);
	scene.port = radsec_port_open(&scene.place, RG_TRANSPORT_DTLS, fd, &scene.radsec,
				      &port_events, NULL);
	MUST(scene.port);
}

/* A ClientHello (RFC 6347 §4.2.1) with that cookie, in one record; TLS 1.2, one suite. */
static void hello_write(struct rg_buffer *out, struct rg_span cookie, struct rg_span extensions,
			uint8_t sequence)
{
	size_t length = 2 + 32 + 1 + 1 + cookie.length + 2 + 2 + 2 + 2 + extensions.length;
	buffer_u8(out, 22);
	buffer_u16(out, 0xfefd);
	buffer_u16(out, 0); /* epoch */
	buffer_u16(out, 0);
	buffer_u32(out, sequence);
	buffer_u16(out, (uint16_t)(12 + length));
	buffer_u8(out, 1);
	buffer_u8(out, 0);
	buffer_u16(out, (uint16_t)length);
	buffer_u16(out, sequence); /* message_seq */
	buffer_u8(out, 0);         /* fragment_offset */
	buffer_u16(out, 0);
	buffer_u8(out, 0); /* fragment_length */
	buffer_u16(out, (uint16_t)length);
	buffer_u16(out, 0xfefd);
	for (unsigned i = 0; i < 8; i++)
		buffer_u32(out, i);
	buffer_u8(out, 0); /* session_id */
	buffer_u8(out, (uint8_t)cookie.length);
	buffer_put(out, cookie);
	buffer_u16(out, 2);
	buffer_u16(out, 0xc02b); /* ECDHE-ECDSA-AES128-GCM-SHA256 */
	buffer_u8(out, 1);
	buffer_u8(out, 0);
	buffer_u16(out, (uint16_t)extensions.length);
	buffer_put(out, extensions);
}

/* Whether these octets hold a cookie that went to that source, anywhere. */
static bool holds_cookie(struct rg_span datagram, unsigned source)
{
	bool holds = false;
	for (unsigned i = 0; i < scene.known[source]; i++)
		holds |= memmem(datagram.data, datagram.length, scene.cookies[source][i], COOKIE) != NULL;
	return holds;
}

static void hear(struct rg_span datagram)
{
	struct rg_datagram heard = {.bytes = datagram, .source = scene.sources[scene.source]};
	unsigned before = scene.port->connections;
	scene.said = 0;
	scene.arrived = 0;
	scene.good = holds_cookie(datagram, scene.source);
	scene.place.busy = true;
	hello_take_datagram(scene.port, &heard);
	scene.place.busy = false;
	place_flush(&scene.place);
	outbox_flush(scene.place.outbox);
	MUST(scene.good || scene.port->connections <= before);
	MUST(before != 0 || scene.arrived || scene.said <= 1);
	MUST(scene.port->connections <= SOURCES);
	MUST(!scene.refuses || before != 0 || scene.said == 0);
}

/* One datagram: whose, what, and what is wrong with it. */
static void step(struct rg_cursor *cursor)
{
	static uint8_t memory[DATAGRAM_MOST];
	static const uint8_t groups[] = {0, 10, 0, 4, 0,  2, 0, 23, 0, 11, 0,
					 2, 1,  0, 0, 13, 0, 4, 0,  2, 4,  3};
	struct rg_buffer out = buffer_over(memory, sizeof(memory));
	uint8_t how = cursor_u8(cursor), whose = cursor_u8(cursor);
	struct rg_span piece = piece_next(cursor);
	unsigned from = whose >> 2 & 3; /* whose cookie it brings */
	scene.source = whose & 3;
	scene.refuses = (how & 0xe0) == 0xe0;
	scene.shakes = whose & 0x80;
	struct rg_span cookie =
		scene.has_cookie[from] ? span_of(scene.cookies[from][0], COOKIE) : span_of(NULL, 0);
	struct rg_span extensions = how & 4 ? piece : span_of(groups, sizeof(groups));
	switch (how & 3) {
	case 0: /* any octets */
		buffer_put(&out, piece);
		break;
	case 1: /* a hello without one */
		hello_write(&out, span_of(NULL, 0), extensions, how >> 4 & 1);
		break;
	case 2:
		hello_write(&out, cookie, extensions, 1);
		break;
	case 3: /* with one of its own, or in pieces */
		hello_write(&out, piece, span_of(groups, sizeof(groups)), 1);
		break;
	}
	if (out.failed)
		return;
	/* One octet of it is another. */
	if ((how & 8) && out.length != 0)
		memory[(whose * 7u + piece.length) % out.length] ^= (uint8_t)(how | 1);
	hear(buffer_span(&out));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rg_cursor cursor = cursor_over(span_of(data, size));
	set_up();
	memset(scene.has_cookie, 0, sizeof(scene.has_cookie));
	for (unsigned i = 0; i < STEPS_MOST && cursor_left(&cursor) != 0; i++)
		step(&cursor);
	/* All leave, and nothing stays but the one that waits. */
	scene.good = true;
	place_close(&scene.place);
	outbox_flush(scene.place.outbox);
	MUST(scene.port->connections == 0 && scene.port->half_open == 0 && !scene.port->stranger);
	MUST(!scene.place.connections && !scene.place.dirty && !scene.place.ending);
	ERR_clear_error();
	return 0;
}

#include "radsec/port.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "radsec/cookie.h"
#include "radsec/private.h"

#define BUCKETS	       1024u
#define ACCEPTS_A_TURN 32

struct rg_radsec_port {
	struct rg_connection_place *place;
	enum rg_transport transport;
	int fd;
	uv_poll_t poll;
	struct rg_radsec *radsec;
	const struct rg_radsec_port_events *events;
	void *owner;
	unsigned half_open, connections;
	struct rg_connection *buckets[BUCKETS]; /* by source address */
	struct rg_timer rest;
	struct rg_connection *stranger; /* DTLS: what waits for a hello with a good cookie */
};

static unsigned bucket_of(const union rg_address *source)
{
	uint32_t hash = source->any.sa_family == AF_INET6 ? source->v6.sin6_port : source->v4.sin_port;
	const uint8_t *bytes = source->any.sa_family == AF_INET6
				       ? source->v6.sin6_addr.s6_addr
				       : (const uint8_t *)&source->v4.sin_addr;
	for (unsigned i = 0; i < (source->any.sa_family == AF_INET6 ? 16u : 4u); i++)
		hash = (hash ^ bytes[i]) * 16777619u;
	return (hash ^ hash >> 15) % BUCKETS;
}

/* RFC 9765 §3.3: the newest that both speak; 1.1 wants TLS 1.3. */
static int on_alpn(SSL *ssl, const unsigned char **chosen, unsigned char *length,
		   const unsigned char *offered, unsigned offered_length, void *context)
{
	static const uint8_t versions[] = "\012radius/1.1\012radius/1.0";
	const struct rg_radsec *radsec = context;
	bool newer = (radsec->versions & RG_RADIUS_1_1) && SSL_version(ssl) == TLS1_3_VERSION;
	bool older = radsec->versions & RG_RADIUS_1_0;
	const uint8_t *from = newer ? versions : versions + 11;
	unsigned most = (newer ? 11u : 0u) + (older ? 11u : 0u);
	unsigned char *found;
	if (most == 0 || SSL_select_next_proto(&found, length, from, most, offered,
					       offered_length) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*chosen = found;
	return SSL_TLSEXT_ERR_OK;
}

void port_set_up_context(SSL_CTX *context, struct rg_radsec *radsec)
{
	SSL_CTX_set_alpn_select_cb(context, on_alpn, radsec);
	SSL_CTX_set_cookie_generate_cb(context, cookie_make);
	SSL_CTX_set_cookie_verify_cb(context, cookie_check);
}

const struct rg_secret *port_psk(struct rg_connection *connection, const char *identity)
{
	struct rg_radsec_port *port = connection->port;
	if (!port || !port->events->psk)
		return NULL;
	return port->events->psk(port->owner, &connection->peer.address, identity);
}

static void log_full(const struct rg_radsec_port *port)
{
	static struct rg_log_limit limit = {.burst = 1, .every_s = 60};
	(void)port;
	log_limited(&limit, RG_LOG_WARNING, "RadSec: too many connections at once; more are turned away");
}

static bool has_room(const struct rg_radsec_port *port)
{
	if (port->half_open < RG_PORT_HALF_OPEN_MOST && port->connections < RG_PORT_CONNECTIONS_MOST)
		return true;
	log_full(port);
	return false;
}

static struct rg_connection *connection_of_port(struct rg_radsec_port *port,
						const union rg_address *source)
{
	struct rg_connection *connection = connection_new(port->place, port->radsec, port->transport);
	bool tls = port->transport == RG_TRANSPORT_TLS;
	if (!connection)
		return NULL;
	connection->server = true;
	connection->port = port;
	connection->peer.address = *source;
	connection->state = SHAKING_HANDS;
	connection->ssl = SSL_new(tls ? port->radsec->tls : port->radsec->dtls);
	if (!connection->ssl) {
		connection_fail(connection, RG_CONNECTION_OURS, "no memory");
		return NULL;
	}
	SSL_set_app_data(connection->ssl, connection);
	SSL_set_accept_state(connection->ssl);
	psk_serve(connection);
	return connection;
}

static void enter(struct rg_radsec_port *port, struct rg_connection *connection)
{
	struct rg_connection **bucket = &port->buckets[bucket_of(&connection->peer.address)];
	connection->next_in_bucket = *bucket;
	connection->counted = true;
	*bucket = connection;
	port->connections++;
	port->half_open++;
	connection->half_open = true;
	port->events->arrived(port->owner, connection);
}

void port_opened(struct rg_connection *connection)
{
	if (connection->port && connection->half_open)
		connection->port->half_open--;
	connection->half_open = false;
}

void port_forget(struct rg_connection *connection)
{
	struct rg_radsec_port *port = connection->port;
	if (!port)
		return;
	port_opened(connection);
	if (port->stranger == connection)
		port->stranger = NULL;
	if (connection->counted) {
		struct rg_connection **at = &port->buckets[bucket_of(&connection->peer.address)];
		while (*at != connection)
			at = &(*at)->next_in_bucket;
		*at = connection->next_in_bucket;
		port->connections--;
	}
	connection->port = NULL;
}

/* TLS. */

static void accept_one(struct rg_radsec_port *port, int fd, const union rg_address *source)
{
	int on = 1;
	struct rg_connection *connection = NULL;
	if (has_room(port) && port->events->knock(port->owner, source))
		connection = connection_of_port(port, source);
	if (!connection) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	connection->fd = fd;
	connection->own_fd = true;
	enter(port, connection);
	if (SSL_set_fd(connection->ssl, fd) != 1)
		connection_fail(connection, RG_CONNECTION_OURS, "no memory");
	connection_poll(connection);
}

/* Out of descriptors: the port rests a moment rather than to spin on what it cannot take. */
static void on_rested(struct rg_timer *timer, uint64_t now);

static void on_acceptable(uv_poll_t *poll, int status, int events)
{
	struct rg_radsec_port *port = poll->data;
	(void)status;
	(void)events;
	for (unsigned i = 0; i < ACCEPTS_A_TURN; i++) {
		union rg_address source = {0};
		socklen_t length = sizeof(source);
		int fd = accept4(port->fd, &source.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			accept_one(port, fd, &source);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			uv_poll_stop(&port->poll);
			timer_arm(port->place->wheel, &port->rest, clock_now() + RG_SECOND);
		}
		if (errno != ECONNABORTED && errno != EINTR)
			return;
	}
}

/* DTLS: a hello without a cookie is answered, and nothing is kept of it (RFC 6347 §4.2.1; attacks.md T5). */

static void take_stranger(struct rg_radsec_port *port, const struct rg_datagram *datagram)
{
	BIO_ADDR *ignored = BIO_ADDR_new();
	if (!port->stranger)
		port->stranger = connection_of_port(port, &datagram->source);
	struct rg_connection *stranger = port->stranger;
	if (!ignored || !stranger)
		goto out;
	if (!SSL_get_rbio(stranger->ssl) && !datagram_prepare(stranger->ssl, stranger))
		goto out;
	stranger->peer.address = datagram->source;
	stranger->local = datagram->local;
	stranger->fd = port->fd;
	datagram_refill(stranger->ssl, datagram->bytes);
	ERR_clear_error();
	if (DTLSv1_listen(stranger->ssl, ignored) == 1) {
		port->stranger = NULL;
		connection_begin(stranger);
		enter(port, stranger);
		datagram_feed(stranger, datagram->bytes);
	}
	ERR_clear_error();
out:
	BIO_ADDR_free(ignored);
}

static void take_datagram(void *context, const struct rg_datagram *datagram)
{
	struct rg_radsec_port *port = context;
	struct rg_connection *connection = port->buckets[bucket_of(&datagram->source)];
	while (connection && !address_equal(&connection->peer.address, &datagram->source))
		connection = connection->next_in_bucket;
	if (connection)
		datagram_feed(connection, datagram->bytes);
	else if (has_room(port) && port->events->knock(port->owner, &datagram->source))
		take_stranger(port, datagram);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct rg_radsec_port *port = poll->data;
	(void)status;
	(void)events;
	inbox_receive(port->place->inbox, port->fd, take_datagram, port);
}

static void listen_on(struct rg_radsec_port *port)
{
	uv_poll_start(&port->poll, UV_READABLE,
		      port->transport == RG_TRANSPORT_TLS ? on_acceptable : on_readable);
}

static void on_rested(struct rg_timer *timer, uint64_t now)
{
	(void)now;
	listen_on((struct rg_radsec_port *)((char *)timer - offsetof(struct rg_radsec_port, rest)));
}

struct rg_radsec_port *radsec_port_open(struct rg_connection_place *place,
					enum rg_transport transport, int fd,
					struct rg_radsec *radsec,
					const struct rg_radsec_port_events *events, void *owner)
{
	struct rg_radsec_port *port = calloc(1, sizeof(*port));
	if (!port || uv_poll_init(place->loop, &port->poll, fd) != 0) {
		free(port);
		return NULL;
	}
	port->place = place;
	port->transport = transport;
	port->fd = fd;
	port->radsec = radsec_ref(radsec);
	port->events = events;
	port->owner = owner;
	port->poll.data = port;
	port->rest.fire = on_rested;
	listen_on(port);
	return port;
}

void radsec_port_renew(struct rg_radsec_port *port, struct rg_radsec *radsec)
{
	if (port->radsec == radsec)
		return;
	if (port->stranger)
		connection_end(port->stranger, RG_CONNECTION_OURS, "");
	port->stranger = NULL;
	radsec_unref(&port->radsec);
	port->radsec = radsec_ref(radsec);
}

static void port_closed(uv_handle_t *handle)
{
	struct rg_radsec_port *port = handle->data;
	close(port->fd);
	free(port);
}

void radsec_port_close(struct rg_radsec_port **holder)
{
	struct rg_radsec_port *port = *holder;
	*holder = NULL;
	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct rg_connection *each = port->buckets[i]; each; each = each->next_in_bucket)
			connection_end(each, RG_CONNECTION_OURS, "the port is closed");
	if (port->stranger)
		connection_end(port->stranger, RG_CONNECTION_OURS, "");
	place_flush(port->place); /* what ends must not ask for us any more */
	timer_cancel(port->place->wheel, &port->rest);
	radsec_unref(&port->radsec);
	uv_close((uv_handle_t *)&port->poll, port_closed);
}

void radsec_port_each(struct rg_radsec_port *port,
		      void (*each)(void *context, struct rg_connection *), void *context)
{
	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct rg_connection *one = port->buckets[i]; one; one = one->next_in_bucket)
			if (connection_is_open(one))
				each(context, one);
}

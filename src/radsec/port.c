#include "radsec/port.h"

#include <errno.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/log.h"
#include "radsec/cookie.h"
#include "radsec/private.h"

#define ACCEPTS_A_TURN 32

struct rg_connection **port_bucket(struct rg_radsec_port *port, const union rg_address *source)
{
	bool v6 = source->any.sa_family == AF_INET6;
	uint32_t hash = v6 ? source->v6.sin6_port : source->v4.sin_port;
	struct rg_cursor octets = cursor_over(v6 ? span_of(&source->v6.sin6_addr, 16)
						 : span_of(&source->v4.sin_addr, 4));
	while (cursor_left(&octets) != 0)
		hash = (hash ^ cursor_u8(&octets)) * 16777619u; /* FNV-1a */
	return &port->buckets[(hash ^ hash >> 15) % RG_PORT_BUCKETS];
}

/* RFC 9765 §3.3: the newest that both speak; 1.1 wants TLS 1.3. */
static int on_alpn(SSL *ssl, const unsigned char **chosen, unsigned char *length,
		   const unsigned char *offered, unsigned offered_length, void *context)
{
	static const uint8_t both[] = "\012radius/1.1\012radius/1.0";
	const struct rg_connection *connection = SSL_get_app_data(ssl);
	unsigned versions = connection->radsec->versions;
	bool newer = (versions & RG_RADIUS_1_1) && SSL_version(ssl) == TLS1_3_VERSION;
	bool older = versions & RG_RADIUS_1_0;
	const uint8_t *from = newer ? both : both + 11;
	unsigned char *found;
	(void)context;
	if ((!newer && !older) ||
	    SSL_select_next_proto(&found, length, from, newer && older ? 22 : 11, offered,
				  offered_length) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*chosen = found;
	return SSL_TLSEXT_ERR_OK;
}

void port_set_up_context(SSL_CTX *context)
{
	SSL_CTX_set_alpn_select_cb(context, on_alpn, NULL);
	SSL_CTX_set_cookie_generate_cb(context, cookie_make);
	SSL_CTX_set_cookie_verify_cb(context, cookie_check);
}

const struct rg_secret *port_psk(const struct rg_connection *connection, const char *identity)
{
	const struct rg_radsec_port *port = connection->port;
	if (!port || !port->events->psk)
		return NULL;
	return port->events->psk(port->owner, &connection->peer.address, identity);
}

/* Half open ones: a list by age, so that who dawdles makes room for who comes. */

static void half_open_add(struct rg_radsec_port *port, struct rg_connection *connection)
{
	connection->next_half_open = NULL;
	connection->self_half_open = port->youngest_half_open;
	*port->youngest_half_open = connection;
	port->youngest_half_open = &connection->next_half_open;
	port->half_open++;
}

static void half_open_remove(struct rg_radsec_port *port, struct rg_connection *connection)
{
	if (!connection->self_half_open)
		return;
	*connection->self_half_open = connection->next_half_open;
	if (connection->next_half_open)
		connection->next_half_open->self_half_open = connection->self_half_open;
	else
		port->youngest_half_open = connection->self_half_open;
	connection->self_half_open = NULL;
	port->half_open--;
}

bool port_has_room(struct rg_radsec_port *port)
{
	static struct rg_log_limit limit = {.burst = 1, .every_s = 60};
	bool room = port->connections < RG_PORT_CONNECTIONS_MOST;
	if (room && port->half_open < RG_PORT_HALF_OPEN_MOST)
		return true;
	log_limited(&limit, RG_LOG_WARNING, "RadSec: too many connections at once: %s",
		    room ? "the oldest handshakes are given up" : "more are turned away");
	struct rg_connection *oldest = port->oldest_half_open;
	if (room) {
		half_open_remove(port, oldest);
		connection_end(oldest, RG_CONNECTION_TIMEOUT, "no handshake while others wait");
	}
	return room;
}

struct rg_connection *port_new_connection(struct rg_radsec_port *port, const union rg_address *source)
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
	if (!connection->ssl || !SSL_set_app_data(connection->ssl, connection)) {
		connection_end(connection, RG_CONNECTION_OURS, "no memory");
		return NULL;
	}
	SSL_set_accept_state(connection->ssl);
	psk_serve(connection);
	return connection;
}

void port_enter(struct rg_radsec_port *port, struct rg_connection *connection)
{
	struct rg_connection **bucket = port_bucket(port, &connection->peer.address);
	connection->next_in_bucket = *bucket;
	connection->counted = true;
	*bucket = connection;
	port->connections++;
	half_open_add(port, connection);
	connection_begin(connection);
	port->events->arrived(port->owner, connection);
}

void port_opened(struct rg_connection *connection)
{
	struct rg_radsec_port *port = connection->port;
	if (!port)
		return;
	half_open_remove(port, connection);
	if (port->radsec == connection->radsec)
		return;
	radsec_unref(&connection->radsec);
	connection->radsec = radsec_ref(port->radsec);
}

void port_forget(struct rg_connection *connection)
{
	struct rg_radsec_port *port = connection->port;
	if (!port)
		return;
	half_open_remove(port, connection);
	if (port->stranger == connection)
		port->stranger = NULL;
	if (connection->counted) {
		struct rg_connection **at = port_bucket(port, &connection->peer.address);
		while (*at != connection)
			at = &(*at)->next_in_bucket;
		*at = connection->next_in_bucket;
		port->connections--;
	}
	connection->port = NULL;
}

static void accept_one(struct rg_radsec_port *port, int fd, const union rg_address *source)
{
	struct rg_connection *connection = NULL;
	if (port->events->knock(port->owner, source) && port_has_room(port))
		connection = port_new_connection(port, source);
	if (!connection) {
		close(fd);
		return;
	}
	stream_options(fd);
	connection->fd = fd;
	connection->own_fd = true;
	port_enter(port, connection);
	if (!stream_prepare(connection))
		connection_end(connection, RG_CONNECTION_OURS, "no memory");
	stream_poll(connection);
}

static void on_acceptable(struct rg_radsec_port *port)
{
	/* Whoever is told of one that arrived may close the port. */
	for (unsigned i = 0; i < ACCEPTS_A_TURN && !port->closed; i++) {
		union rg_address source = {0};
		socklen_t length = sizeof(source);
		int fd = accept4(port->fd, &source.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			accept_one(port, fd, &source);
			continue;
		}
		/* The port rests a moment rather than to spin on what it cannot take. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			uv_poll_stop(&port->poll);
			timer_arm(port->place->wheel, &port->rest, clock_now() + RG_SECOND);
		}
		if (errno != ECONNABORTED && errno != EINTR)
			return;
	}
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct rg_radsec_port *port = poll->data;
	(void)events;
	port->place->busy = true;
	if (status != 0)
		timer_arm(port->place->wheel, &port->rest, clock_now() + RG_SECOND / 10);
	if (port->transport == RG_TRANSPORT_TLS)
		on_acceptable(port);
	else
		inbox_receive(port->place->inbox, port->fd, hello_take_datagram, port);
	port->place->busy = false;
}

static void on_rested(struct rg_timer *timer, uint64_t now)
{
	struct rg_radsec_port *port =
		(struct rg_radsec_port *)((char *)timer - offsetof(struct rg_radsec_port, rest));
	(void)now;
	uv_poll_start(&port->poll, UV_READABLE, on_ready);
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
	port->youngest_half_open = &port->oldest_half_open;
	port->poll.data = port;
	port->rest.fire = on_rested;
	uv_poll_start(&port->poll, UV_READABLE, on_ready);
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
	port->closed = true;
	for (unsigned i = 0; i < RG_PORT_BUCKETS; i++)
		while (port->buckets[i]) {
			struct rg_connection *each = port->buckets[i];
			connection_end(each, RG_CONNECTION_OURS, "the port is closed");
			port_forget(each);
		}
	if (port->stranger) {
		connection_end(port->stranger, RG_CONNECTION_OURS, "");
		port_forget(port->stranger);
	}
	/* What was said by DTLS leaves while the descriptor is still this one. */
	if (port->transport == RG_TRANSPORT_DTLS)
		outbox_flush(port->place->outbox);
	timer_cancel(port->place->wheel, &port->rest);
	radsec_unref(&port->radsec);
	uv_close((uv_handle_t *)&port->poll, port_closed);
}

void radsec_port_each(struct rg_radsec_port *port,
		      void (*each)(void *context, struct rg_connection *), void *context)
{
	for (unsigned i = 0; i < RG_PORT_BUCKETS; i++)
		for (struct rg_connection *one = port->buckets[i]; one; one = one->next_in_bucket)
			if (connection_is_open(one))
				each(context, one);
}

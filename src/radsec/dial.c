/* The side that connects: a name becomes addresses, which are tried in order. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "radsec/private.h"

struct dialing {
	struct rg_connection *connection; /* NULL: it gave up while the name was looked up */
	uv_getaddrinfo_t request;
	bool asking;
	union rg_address *addresses;
	size_t count, next;
	char host[256], port[8];
};

static void free_unasked(struct dialing *dialing)
{
	free(dialing->addresses);
	free(dialing);
}

void dialing_free(struct rg_connection *connection)
{
	struct dialing *dialing = connection->dialing;
	connection->dialing = NULL;
	if (!dialing)
		return;
	dialing->connection = NULL;
	if (dialing->asking)
		uv_cancel((uv_req_t *)&dialing->request); /* or its answer finds nobody */
	else
		free_unasked(dialing);
}

static bool prepare(struct rg_connection *connection)
{
	bool tls = connection->transport == RG_TRANSPORT_TLS;
	if (tls ? SSL_set_fd(connection->ssl, connection->fd) != 1
		: !datagram_prepare(connection->ssl, connection))
		return false;
	SSL_set_connect_state(connection->ssl);
	return true;
}

static void connected(struct rg_connection *connection)
{
	int on = 1;
	if (connection->transport == RG_TRANSPORT_TLS)
		setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	connection->state = SHAKING_HANDS;
	if (!prepare(connection))
		connection_fail(connection, RG_CONNECTION_OURS, "no memory");
	else
		connection_shake(connection);
}

static void descriptor_closed(uv_handle_t *handle)
{
	close((int)(intptr_t)handle->data);
	free(handle);
}

/* The address did not answer: its socket goes. */
static void hang_up(struct rg_connection *connection)
{
	if (connection->poll) {
		uv_poll_stop(connection->poll);
		connection->poll->data = (void *)(intptr_t)connection->fd;
		uv_close((uv_handle_t *)connection->poll, descriptor_closed);
		connection->poll = NULL;
	} else if (connection->fd >= 0) {
		close(connection->fd);
	}
	connection->fd = -1;
	connection->own_fd = false;
}

/* The next address. False: there is none left, and the connection has failed. */
static bool try_next(struct rg_connection *connection, int error)
{
	struct dialing *dialing = connection->dialing;
	bool tls = connection->transport == RG_TRANSPORT_TLS;
	for (; dialing->next < dialing->count; error = errno) {
		const union rg_address *address = &dialing->addresses[dialing->next++];
		hang_up(connection);
		connection->fd = socket(address->any.sa_family,
					(tls ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (connection->fd < 0)
			continue;
		connection->own_fd = true;
		connection->peer.address = *address;
		if (connect(connection->fd, &address->any, address_length(address)) == 0) {
			connected(connection);
			return true;
		}
		if (errno != EINPROGRESS)
			continue;
		connection->state = CONNECTING;
		connection_poll(connection);
		return true;
	}
	connection_fail(connection, RG_CONNECTION_UNREACHABLE, strerror(error));
	return false;
}

void dialing_go_on(struct rg_connection *connection)
{
	int error = 0;
	socklen_t length = sizeof(error);
	if (connection->state != CONNECTING)
		return;
	if (getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
		error = errno;
	if (error == 0)
		connected(connection);
	else
		try_next(connection, error);
}

/* Room for so many. False: no memory. */
static bool room_make(struct dialing *dialing, size_t count)
{
	dialing->addresses = calloc(count + 1, sizeof(*dialing->addresses));
	return dialing->addresses;
}

static bool addresses_take(struct dialing *dialing, const struct addrinfo *found)
{
	size_t count = 0;
	for (const struct addrinfo *info = found; info; info = info->ai_next)
		count++;
	if (!room_make(dialing, count))
		return false;
	for (const struct addrinfo *info = found; info; info = info->ai_next)
		if (info->ai_addrlen <= sizeof(dialing->addresses[0]))
			memcpy(&dialing->addresses[dialing->count++], info->ai_addr, info->ai_addrlen);
	return dialing->count != 0;
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
	struct dialing *dialing = request->data;
	struct rg_connection *connection = dialing->connection;
	char detail[160];
	bool taken = addresses_take(dialing, found);
	uv_freeaddrinfo(found);
	dialing->asking = false;
	if (!connection) {
		free_unasked(dialing);
		return;
	}
	if (connection->state == ENDING)
		return;
	snprintf(detail, sizeof(detail), "its name cannot be looked up: %s",
		 status ? uv_strerror(status) : "no address");
	if (status != 0 || !taken)
		connection_fail(connection, RG_CONNECTION_UNREACHABLE, detail);
	else
		try_next(connection, EHOSTUNREACH);
}

static bool look_up(struct rg_connection *connection, const struct rg_dial *dial)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct dialing *dialing = calloc(1, sizeof(*dialing));
	connection->dialing = dialing;
	if (!dialing)
		return false;
	dialing->connection = connection;
	dialing->request.data = dialing;
	if (dial->address_count != 0) {
		if (!room_make(dialing, dial->address_count))
			return false;
		memcpy(dialing->addresses, dial->addresses, dial->address_count * sizeof(dial->addresses[0]));
		dialing->count = dial->address_count;
		return true;
	}
	snprintf(dialing->host, sizeof(dialing->host), "%s", dial->host);
	snprintf(dialing->port, sizeof(dialing->port), "%u", dial->port);
	dialing->asking = uv_getaddrinfo(connection->place->loop, &dialing->request, on_resolved,
					 dialing->host, dialing->port, &hints) == 0;
	return dialing->asking;
}

/* RFC 9765 §3.3: what we speak, the newer first. */
static bool offer_versions(SSL *ssl, unsigned versions, enum rg_transport transport)
{
	static const uint8_t both[] = "\012radius/1.1\012radius/1.0";
	bool newer = (versions & RG_RADIUS_1_1) && transport == RG_TRANSPORT_TLS;
	const uint8_t *from = newer ? both : both + 11;
	unsigned length = newer && !(versions & RG_RADIUS_1_0) ? 11 : newer ? 22 : 11;
	return SSL_set_alpn_protos(ssl, from, length) == 0;
}

static bool set_up(struct rg_connection *connection, const struct rg_dial *dial)
{
	struct rg_radsec *radsec = connection->radsec;
	connection->ssl = SSL_new(dial->transport == RG_TRANSPORT_TLS ? radsec->tls : radsec->dtls);
	if (!connection->ssl ||
	    !offer_versions(connection->ssl, radsec->versions, dial->transport))
		return false;
	SSL_set_app_data(connection->ssl, connection);
	/* A name among several vhosts (RFC 6066 §3); addresses are none. */
	struct in6_addr ignored;
	if (inet_pton(AF_INET, dial->host, &ignored) != 1 && inet_pton(AF_INET6, dial->host, &ignored) != 1)
		SSL_set_tlsext_host_name(connection->ssl, dial->host);
	if (dial->psk) {
		connection->psk = dial->psk;
		snprintf(connection->psk_identity, sizeof(connection->psk_identity), "%s",
			 dial->psk_identity);
	}
	return !dial->psk || psk_offer(connection);
}

struct rg_connection *connection_dial(struct rg_connection_place *place, struct rg_radsec *radsec,
				      const struct rg_dial *dial,
				      const struct rg_connection_events *events, void *owner)
{
	struct rg_connection *connection = connection_new(place, radsec, dial->transport);
	if (!connection)
		return NULL;
	connection_own(connection, events, owner);
	if (!set_up(connection, dial) || !look_up(connection, dial))
		connection_fail(connection, RG_CONNECTION_OURS, "no memory");
	else if (dial->address_count != 0)
		try_next(connection, EHOSTUNREACH);
	ERR_clear_error();
	return connection;
}

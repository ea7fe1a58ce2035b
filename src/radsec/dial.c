/* The side that connects: a name becomes addresses, which are tried in order. */
#include <errno.h>
#include <netdb.h>
#include <arpa/inet.h>
#include <openssl/err.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/chores.h"
#include "core/secret.h"
#include "radsec/private.h"

#define ADDRESS_NS (3 * RG_SECOND) /* for one address to be connected, while there are others */

struct dialing {
	struct rg_connection *connection; /* NULL: it gave up while the name was looked up */
	struct rg_chore chore;
	bool asking;
	int status;             /* of getaddrinfo */
	struct addrinfo *found; /* by it */
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
		chore_leave_out(&dialing->chore); /* or its answer finds nobody */
	else
		free_unasked(dialing);
}

static void connected(struct rg_connection *connection)
{
	bool tls = connection->transport == RG_TRANSPORT_TLS;
	connection->state = SHAKING_HANDS;
	connection->connect_due = 0;
	connection_begin(connection);
	if (!(tls ? stream_prepare(connection) : datagram_prepare(connection))) {
		connection_end(connection, RG_CONNECTION_OURS, "no memory");
		return;
	}
	if (tls)
		stream_options(connection->fd);
	SSL_set_connect_state(connection->ssl);
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

/* RFC 9765 §3.3: what we speak, the newer first. */
static bool offer_versions(SSL *ssl, unsigned versions, enum rg_transport transport)
{
	static const uint8_t both[] = "\012radius/1.1\012radius/1.0";
	bool newer = (versions & RG_RADIUS_1_1) && transport == RG_TRANSPORT_TLS;
	bool older = versions & RG_RADIUS_1_0;
	const uint8_t *from = newer ? both : both + 11;
	return (newer || older) && SSL_set_alpn_protos(ssl, from, newer && older ? 22 : 11) == 0;
}

static bool set_up(struct rg_connection *connection)
{
	const struct rg_radsec *radsec = connection->radsec;
	const char *host = connection->dialing->host;
	enum rg_transport transport = connection->transport;
	uint8_t address[16];
	connection->ssl = SSL_new(transport == RG_TRANSPORT_TLS ? radsec->tls : radsec->dtls);
	if (!connection->ssl || !SSL_set_app_data(connection->ssl, connection) ||
	    !offer_versions(connection->ssl, radsec->versions, transport))
		return false;
	/* A name among several vhosts (RFC 6066 §3); addresses are none. */
	if (inet_pton(AF_INET, host, address) != 1 && inet_pton(AF_INET6, host, address) != 1 &&
	    !SSL_set_tlsext_host_name(connection->ssl, host))
		return false;
	return !connection->keyed || psk_offer(connection);
}

static bool has_another(const struct rg_connection *connection)
{
	const struct dialing *dialing = connection->dialing;
	return dialing && dialing->next < dialing->count && connection->state != ENDING;
}

/* A socket to the next address. False: it cannot be, with errno. */
static bool try_one(struct rg_connection *connection, const union rg_address *address)
{
	int kind = connection->transport == RG_TRANSPORT_TLS ? SOCK_STREAM : SOCK_DGRAM;
	hang_up(connection);
	connection->fd = socket(address->any.sa_family, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (connection->fd < 0)
		return false;
	connection->own_fd = true;
	connection->peer.address = *address;
	if (connect(connection->fd, &address->any, address_length(address)) == 0) {
		connected(connection);
		return true;
	}
	if (errno != EINPROGRESS)
		return false;
	connection->state = CONNECTING;
	connection->connect_due = has_another(connection) ? clock_now() + ADDRESS_NS : 0;
	connection_begin(connection);
	stream_poll(connection);
	return true;
}

/* The next address that a socket may be had to. False: there is none left. */
static bool try_next(struct rg_connection *connection)
{
	struct dialing *dialing = connection->dialing;
	while (has_another(connection))
		if (try_one(connection, &dialing->addresses[dialing->next++]))
			return true;
	return false;
}

bool dialing_next(struct rg_connection *connection)
{
	if (!has_another(connection))
		return false;
	SSL_free(connection->ssl);
	connection->ssl = NULL;
	connection->broken = false;
	connection->writing = false;
	connection->dtls_due = 0;
	ERR_clear_error();
	if (!set_up(connection)) {
		connection_end(connection, RG_CONNECTION_OURS, "no memory");
		return true;
	}
	return try_next(connection);
}

void dialing_go_on(struct rg_connection *connection)
{
	int error = 0;
	socklen_t length = sizeof(error);
	if (getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
		error = errno;
	if (error == 0)
		connected(connection);
	else if (!dialing_next(connection))
		connection_end(connection, RG_CONNECTION_UNREACHABLE, strerror(error));
}

/* Room for so many. False: no memory. */
static bool room_make(struct dialing *dialing, size_t count)
{
	dialing->addresses = calloc(count + 1, sizeof(*dialing->addresses));
	return dialing->addresses;
}

static void addresses_take(struct dialing *dialing, const struct addrinfo *found)
{
	size_t count = 0;
	for (const struct addrinfo *info = found; info; info = info->ai_next)
		count++;
	if (!room_make(dialing, count))
		return;
	for (const struct addrinfo *info = found; info; info = info->ai_next)
		if (info->ai_addrlen <= sizeof(dialing->addresses[0]))
			memcpy(&dialing->addresses[dialing->count++], info->ai_addr, info->ai_addrlen);
}

static void begin(struct rg_connection *connection)
{
	if (!try_next(connection))
		connection_end(connection, RG_CONNECTION_UNREACHABLE, strerror(errno));
}

static void resolved(struct rg_connection *connection, int status)
{
	char detail[160];
	if (has_another(connection)) {
		begin(connection);
		return;
	}
	snprintf(detail, sizeof(detail), "its name cannot be looked up: %s",
		 status ? gai_strerror(status) : "no address");
	connection_end(connection, RG_CONNECTION_UNREACHABLE, detail);
}

static struct dialing *dialing_of(struct rg_chore *chore)
{
	return (struct dialing *)((char *)chore - offsetof(struct dialing, chore));
}

/* In a thread beside. */
static void look_up_now(struct rg_chore *chore)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct dialing *dialing = dialing_of(chore);
	dialing->status = getaddrinfo(dialing->host, dialing->port, &hints, &dialing->found);
}

static void on_resolved(struct rg_chore *chore, bool left_out)
{
	struct dialing *dialing = dialing_of(chore);
	struct rg_connection *connection = dialing->connection;
	int status = left_out ? EAI_AGAIN : dialing->status;
	dialing->asking = false;
	if (connection && status == 0)
		addresses_take(dialing, dialing->found);
	if (!left_out && dialing->found)
		freeaddrinfo(dialing->found);
	dialing->found = NULL;
	if (!connection) {
		free_unasked(dialing);
		return;
	}
	if (connection->state == ENDING)
		return;
	connection->place->busy = true;
	resolved(connection, status);
	connection->place->busy = false;
}

static bool look_up(struct rg_connection *connection)
{
	struct dialing *dialing = connection->dialing;
	dialing->chore.work = look_up_now;
	dialing->chore.done = on_resolved;
	dialing->asking = chore_begin(&dialing->chore, connection->place->loop);
	return dialing->asking;
}

static bool note(struct rg_connection *connection, const struct rg_dial *dial)
{
	struct dialing *dialing = calloc(1, sizeof(*dialing));
	connection->dialing = dialing;
	if (!dialing)
		return false;
	dialing->connection = connection;
	snprintf(dialing->host, sizeof(dialing->host), "%s", dial->host);
	snprintf(dialing->port, sizeof(dialing->port), "%u", dial->port);
	if (dial->address_count != 0 && !room_make(dialing, dial->address_count))
		return false;
	for (size_t i = 0; i < dial->address_count; i++)
		dialing->addresses[dialing->count++] = dial->addresses[i];
	if (!dial->psk)
		return true;
	snprintf(connection->psk_identity, sizeof(connection->psk_identity), "%s", dial->psk_identity);
	connection->keyed = true;
	connection->psk = secret_new(dial->psk->data, dial->psk->length);
	return connection->psk;
}

struct rg_connection *connection_dial(struct rg_connection_place *place, struct rg_radsec *radsec,
				      const struct rg_dial *dial,
				      const struct rg_connection_events *events, void *owner)
{
	struct rg_connection *connection = connection_new(place, radsec, dial->transport);
	if (!connection)
		return NULL;
	connection_own(connection, events, owner);
	connection_begin(connection);
	if (!note(connection, dial) || !set_up(connection))
		connection_end(connection, RG_CONNECTION_OURS, "no memory");
	else if (dial->address_count != 0)
		begin(connection);
	else if (!look_up(connection))
		connection_end(connection, RG_CONNECTION_OURS, "no memory");
	ERR_clear_error();
	return connection;
}

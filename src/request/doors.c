#include "request/doors.h"

#include <stdio.h>
#include <stdlib.h>

#include "client/identify.h"
#include "core/log.h"
#include "radsec/connection.h"
#include "radsec/port.h"
#include "request/note.h"
#include "request/path.h"

/* A listening port. */
struct rg_door {
	struct rg_door *next;
	struct rg_worker *worker;
	struct rg_radsec_port *port;
	struct rg_port_socket socket;
	bool kept; /* while a new configuration is taken */
};

static struct rg_radsec *credential_of(const struct rg_worker *worker, const struct rg_port_socket *socket)
{
	return worker->lease->snapshot->radsec[socket->credential];
}

static void refused(const struct rg_connection_peer *peer, const char *why)
{
	static struct rg_log_limit limit = {.burst = 30, .every_s = 60};
	char from[64];
	address_text(from, &peer->address);
	log_limited(&limit, RG_LOG_WARNING, "RadSec from %s refused: %s (%s)", from, why, peer->subject);
}

static const struct rg_client *client_of(const struct rg_link *link)
{
	return client_identify(link->worker->lease->snapshot->raddb, link->transport, link->connection);
}

static bool on_established(void *owner, struct rg_connection *connection, char *refusal)
{
	struct rg_link *link = owner;
	const struct rg_connection_peer *peer = connection_peer(connection);
	link->version = peer->version;
	link->client = client_of(link);
	if (!link->client) {
		count(link->worker->counters, RG_COUNT_DROP_UNKNOWN_CLIENT);
		snprintf(refusal, 160, "no client, and no peer that accepts, has its name and address");
		return false;
	}
	log_write(RG_LOG_INFO, "RadSec from %s: connected (TLS %s, %s)", link->client->name, peer->tls,
		  peer->psk_identity ? "by its key" : peer->subject);
	return true;
}

static bool on_packets(void *owner, struct rg_connection *connection, const struct rg_span *packets, size_t count)
{
	struct rg_link *link = owner;
	struct rg_datagram datagrams[RG_CONNECTION_TOGETHER];
	for (size_t i = 0; i < count; i++)
		datagrams[i] = (struct rg_datagram){.bytes = packets[i],
						    .source = connection_peer(connection)->address};
	return path_run_batch(link->worker, link, datagrams, count);
}

static void on_ended(void *owner, struct rg_connection *connection, enum rg_connection_end how,
		     const char *detail)
{
	struct rg_link *link = owner;
	if (link->client)
		log_write(RG_LOG_INFO, "RadSec from %s: ended: %s", link->client->name, detail);
	else
		refused(connection_peer(connection), detail);
	(void)how;
	link_drop_requests(link);
	link_leave(link);
	free(link);
}

static const struct rg_connection_events connection_events = {
	.established = on_established,
	.packets = on_packets,
	.ended = on_ended,
};

/* Somebody is at the door: nobody knows yet who. */
static void on_arrived(void *owner, struct rg_connection *connection)
{
	struct rg_door *door = owner;
	struct rg_worker *worker = door->worker;
	struct rg_link *link = calloc(1, sizeof(*link));
	if (!link) {
		connection_end(connection, RG_CONNECTION_OURS, "no memory");
		return;
	}
	*link = (struct rg_link){
		.kind = RG_LINK_CONNECTION,
		.worker = worker,
		.serves = door->socket.serves,
		.serial = ++worker->links.last_serial,
		.owner = worker->number,
		.transport = door->socket.transport,
		.version = RG_RADIUS_1_0,
		.connection = connection,
	};
	link_enter(link);
	connection_own(connection, &connection_events, link);
}

/* Draining too: who is let in now could only begin something. */
static bool on_knock(void *owner, const union rg_address *source)
{
	const struct rg_door *door = owner;
	const struct rg_raddb *raddb = door->worker->lease->snapshot->raddb;
	if (door->worker->draining)
		return false;
	if (client_may_come(raddb, door->socket.transport, source))
		return true;
	count(door->worker->counters, RG_COUNT_DROP_UNKNOWN_CLIENT);
	return false;
}

static const struct rg_secret *on_psk(void *owner, const union rg_address *source,
				      const char *identity)
{
	const struct rg_door *door = owner;
	return client_psk(door->worker->lease->snapshot->raddb, door->socket.transport, source,
			  identity);
}

static const struct rg_radsec_port_events port_events = {
	.knock = on_knock,
	.psk = on_psk,
	.arrived = on_arrived,
};

static void door_open(struct rg_worker *worker, const struct rg_port_socket *socket)
{
	struct rg_door *door = calloc(1, sizeof(*door));
	if (door) {
		*door = (struct rg_door){.worker = worker, .socket = *socket, .kept = true};
		door->port = radsec_port_open(&worker->place, socket->transport, socket->fd,
					      credential_of(worker, socket), &port_events, door);
	}
	if (!door || !door->port) {
		log_write(RG_LOG_ERROR, "worker %u: a socket cannot be used before the next reload",
			  worker->number);
		free(door);
		return;
	}
	door->next = worker->doors;
	worker->doors = door;
}

static struct rg_door *door_of(const struct rg_worker *worker, int fd)
{
	struct rg_door *door = worker->doors;
	while (door && door->socket.fd != fd)
		door = door->next;
	return door;
}

bool doors_serve(const struct rg_worker *worker, int fd)
{
	return door_of(worker, fd);
}

static bool is_radsec(const struct rg_port_socket *socket)
{
	return socket->transport == RG_TRANSPORT_TLS || socket->transport == RG_TRANSPORT_DTLS;
}

void doors_take(struct rg_worker *worker, const struct rg_port_socket *sockets, size_t count)
{
	for (struct rg_door *door = worker->doors; door; door = door->next)
		door->kept = false;
	for (size_t i = 0; i < count; i++) {
		struct rg_door *door = is_radsec(&sockets[i]) ? door_of(worker, sockets[i].fd) : NULL;
		if (door) {
			door->kept = true;
			door->socket = sockets[i];
			radsec_port_renew(door->port, credential_of(worker, &sockets[i]));
		} else if (is_radsec(&sockets[i])) {
			door_open(worker, &sockets[i]);
		}
	}
	for (struct rg_door **at = &worker->doors; *at;) {
		struct rg_door *door = *at;
		if (door->kept) {
			at = &door->next;
			continue;
		}
		*at = door->next;
		radsec_port_close(&door->port); /* with its connections, and the socket */
		free(door);
	}
}

/* The client may have another name now, another block, or none at all. */
static void renew(void *context, struct rg_connection *connection)
{
	struct rg_door *door = context;
	struct rg_link *link = connection_owner(connection);
	if (!connection_recheck(connection, credential_of(door->worker, &door->socket)))
		return;
	link->serves = door->socket.serves;
	link->client = client_of(link);
	if (!link->client)
		connection_end(connection, RG_CONNECTION_DISTRUSTED,
			       "no client has its name and address any more");
}

void doors_renew(struct rg_worker *worker)
{
	for (struct rg_door *door = worker->doors; door; door = door->next)
		radsec_port_each(door->port, renew, door);
	place_flush(&worker->place); /* nothing of the former configuration is pointed to any more */
}

/* The connections of one worker together: what they have to say leaves at once, and their ends come one at a time. */
#include <openssl/err.h>
#include <stdlib.h>
#include <unistd.h>

#include "radsec/private.h"

void connection_mark(struct rg_connection *connection)
{
	if (connection->dirty)
		return;
	connection->dirty = true;
	connection->next_dirty = connection->place->dirty;
	connection->place->dirty = connection;
}

static void unmark(struct rg_connection *connection)
{
	struct rg_connection **at = &connection->place->dirty;
	if (!connection->dirty)
		return;
	while (*at != connection)
		at = &(*at)->next_dirty;
	*at = connection->next_dirty;
	connection->dirty = false;
}

static void poll_closed(uv_handle_t *handle)
{
	struct rg_connection *connection = handle->data;
	close(connection->fd);
	free(connection->poll);
	free(connection);
}

/* Out of every list; its memory goes once libuv has let go of the descriptor. */
static void connection_free(struct rg_connection *connection)
{
	*connection->self = connection->next;
	if (connection->next)
		connection->next->self = connection->self;
	unmark(connection);
	dialing_free(connection);
	port_forget(connection);
	SSL_free(connection->ssl);
	ERR_clear_error();
	radsec_unref(&connection->radsec);
	secret_free(&connection->psk);
	borne_free(&connection->borne);
	if (connection->half)
		secret_wipe(connection->half, RG_CONNECTION_PACKET_MOST);
	free(connection->half);
	free(connection->out);
	/* The word of parting names a descriptor that is about to be another's. */
	if (connection->own_fd && connection->transport == RG_TRANSPORT_DTLS)
		outbox_flush(connection->place->outbox);
	if (connection->poll) {
		uv_close((uv_handle_t *)connection->poll, poll_closed);
		return;
	}
	if (connection->own_fd)
		close(connection->fd);
	free(connection);
}

static void reap(struct rg_connection_place *place)
{
	while (place->ending) {
		struct rg_connection *connection = place->ending;
		place->ending = connection->next_ending;
		if (connection->events)
			connection->events->ended(connection->owner, connection, connection->end,
						  connection->detail);
		connection_free(connection);
	}
}

void place_flush(struct rg_connection_place *place)
{
	if (place->busy)
		return;
	place->busy = true;
	while (place->ending || place->dirty) {
		reap(place);
		while (place->dirty) {
			struct rg_connection *connection = place->dirty;
			place->dirty = connection->next_dirty;
			connection->dirty = false;
			stream_write(connection);
		}
	}
	place->busy = false;
}

void place_close(struct rg_connection_place *place)
{
	for (struct rg_connection *connection = place->connections; connection;
	     connection = connection->next)
		connection_end(connection, RG_CONNECTION_OURS, "the gateway stops");
	place_flush(place);
}

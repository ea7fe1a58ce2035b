/* The connections of one worker together: what they have to say leaves at once, and their ends come one at a time. */
#include <openssl/err.h>
#include <stdlib.h>
#include <unistd.h>

#include "radsec/private.h"

static void poll_closed(uv_handle_t *handle)
{
	struct rg_connection *connection = handle->data;
	if (connection->own_fd)
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
	timer_cancel(connection->place->wheel, &connection->timer);
	dialing_free(connection);
	port_forget(connection);
	SSL_free(connection->ssl);
	ERR_clear_error();
	radsec_unref(&connection->radsec);
	OPENSSL_cleanse(connection->half, connection->half ? RG_CONNECTION_PACKET_MOST : 0);
	free(connection->half);
	free(connection->out);
	if (connection->poll) {
		uv_close((uv_handle_t *)connection->poll, poll_closed);
		return;
	}
	if (connection->own_fd && connection->fd >= 0)
		close(connection->fd);
	free(connection);
}

static void unmark(struct rg_connection *connection)
{
	struct rg_connection **at = &connection->place->dirty;
	while (connection->dirty && *at != connection)
		at = &(*at)->next_dirty;
	if (connection->dirty)
		*at = connection->next_dirty;
	connection->dirty = false;
}

static void reap(struct rg_connection_place *place)
{
	place->ending = false;
	for (struct rg_connection *connection = place->connections, *next; connection;
	     connection = next) {
		next = connection->next;
		if (connection->state != ENDING)
			continue;
		unmark(connection);
		/* The owner may end others meanwhile; they are marked, and freed in a turn of their own. */
		if (connection->events)
			connection->events->ended(connection->owner, connection, connection->end,
						  connection->detail);
		next = connection->next;
		connection_free(connection);
	}
}

void place_flush(struct rg_connection_place *place)
{
	do {
		if (place->ending)
			reap(place);
		while (place->dirty) {
			struct rg_connection *connection = place->dirty;
			place->dirty = connection->next_dirty;
			connection->dirty = false;
			connection_write(connection);
		}
	} while (place->ending);
}

void place_close(struct rg_connection_place *place)
{
	for (struct rg_connection *connection = place->connections; connection;
	     connection = connection->next)
		connection_end(connection, RG_CONNECTION_OURS, "the gateway stops");
	place_flush(place);
}

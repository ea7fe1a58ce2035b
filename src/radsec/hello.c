/* What comes to a port of DTLS: told apart by its source, and nothing is kept of a hello without a cookie (RFC 6347
 * §4.2.1; attacks.md T5). */
#include <openssl/err.h>

#include "radsec/private.h"

#define HANDSHAKE    22
#define CLIENT_HELLO 1

/* The first word of a new handshake: in the clear, in epoch 0 (RFC 6347 §4.1, §4.2.2). */
static bool is_hello(struct rg_span datagram)
{
	struct rg_cursor record = cursor_over(datagram);
	uint8_t type = cursor_u8(&record);
	cursor_u16(&record); /* version */
	uint16_t epoch = cursor_u16(&record);
	cursor_take(&record, 6 + 2); /* sequence number, length */
	return type == HANDSHAKE && epoch == 0 && cursor_u8(&record) == CLIENT_HELLO &&
	       !record.failed;
}

/* The one that waits for a hello with a good cookie: the same for all who have none. */
static struct rg_connection *stranger_of(struct rg_radsec_port *port,
					 const struct rg_datagram *datagram)
{
	struct rg_connection *stranger = port->stranger;
	if (!stranger) {
		stranger = port_new_connection(port, &datagram->source);
		if (!stranger || !datagram_prepare(stranger)) {
			if (stranger)
				connection_end(stranger, RG_CONNECTION_OURS, "no memory");
			return NULL;
		}
		port->stranger = stranger;
	}
	stranger->peer.address = datagram->source;
	stranger->local = datagram->local;
	stranger->fd = port->fd;
	return stranger;
}

/* former: what was open to that source, or NULL. A cookie that comes back proves that its client began anew, and it makes
 * room (RFC 6347 §4.2.8). */
static void take_hello(struct rg_radsec_port *port, const struct rg_datagram *datagram,
		       struct rg_connection *former)
{
	BIO_ADDR *ignored = BIO_ADDR_new();
	struct rg_connection *stranger = ignored ? stranger_of(port, datagram) : NULL;
	if (stranger) {
		stranger->input = datagram->bytes;
		ERR_clear_error();
		bool proven = DTLSv1_listen(stranger->ssl, ignored) == 1;
		stranger->input = span_of(NULL, 0);
		ERR_clear_error();
		if (proven && former) {
			former->broken = true; /* nobody is there to part from */
			connection_end(former, RG_CONNECTION_CLOSED, "the other side began anew");
		}
		if (proven && port_has_room(port)) {
			port->stranger = NULL;
			port_enter(port, stranger);
			connection_shake(stranger); /* the hello is OpenSSL's already */
		}
	}
	BIO_ADDR_free(ignored);
}

void hello_take_datagram(void *context, const struct rg_datagram *datagram)
{
	struct rg_radsec_port *port = context;
	struct rg_connection *connection = *port_bucket(port, &datagram->source);
	if (port->closed) /* by an event of another datagram of this turn */
		return;
	while (connection && (connection->state == ENDING ||
			      !address_equal(&connection->peer.address, &datagram->source)))
		connection = connection->next_in_bucket;
	bool begins = is_hello(datagram->bytes);
	if (connection && !(begins && connection->state == OPEN))
		datagram_feed(connection, datagram->bytes);
	else if (begins && port->events->knock(port->owner, &datagram->source))
		take_hello(port, datagram, connection);
}

#include "request/handover.h"

#include <stdio.h>
#include <stdlib.h>

#include "request/path.h"
#include "request/ports.h"

struct parcel {
	struct rg_message message;
	struct rg_datagram datagram;
	union rg_address bound; /* UDP: the port that it came to, to find our own socket of it */
	struct rg_link link;    /* a connection: what the other worker must know of it */
	char client[128];       /* by name: the other worker may have another configuration already */
	uint8_t bytes[];
};

/* What stands here for another worker's connection, made where there is none. NULL: no memory, or no such client. */
static struct rg_link *remote_link(struct rg_worker *worker, const struct parcel *parcel)
{
	const struct rg_raddb *raddb = worker->lease->snapshot->raddb;
	const struct rg_client *client = raddb->clients;
	while (client < raddb->clients + raddb->client_count &&
	       strcmp(client->name, parcel->client) != 0)
		client++;
	if (client == raddb->clients + raddb->client_count)
		return NULL;
	struct rg_link *link = link_find(worker, parcel->link.owner, parcel->link.serial);
	if (!link) {
		link = malloc(sizeof(*link));
		if (!link)
			return NULL;
		*link = parcel->link;
		link->kind = RG_LINK_REMOTE;
		link->worker = worker;
		link->requests = NULL;
		link->connection = NULL;
		link_enter(link);
	}
	link->client = client;
	return link;
}

void handover_forget(struct rg_link *remote)
{
	if (remote->requests || remote->busy)
		return;
	link_leave(remote);
	free(remote);
}

static void on_packet(struct rg_message *message, void *owner, bool closing)
{
	struct parcel *parcel = (struct parcel *)message;
	struct rg_worker *worker = owner;
	struct rg_link *link = NULL;
	if (!closing && worker->lease)
		link = parcel->link.kind == RG_LINK_UDP ? ports_find(worker, &parcel->bound)
							: remote_link(worker, parcel);
	if (link && link->kind == RG_LINK_REMOTE) {
		link->busy = true;
		path_run(worker, link, &parcel->datagram);
		link->busy = false;
		handover_forget(link);
	} else if (link) {
		path_run(worker, link, &parcel->datagram);
	}
	free(parcel);
}

void handover_packet(struct rg_worker *from, unsigned to, const struct rg_inbound *inbound)
{
	size_t length = inbound->datagram->bytes.length;
	struct parcel *parcel = malloc(sizeof(*parcel) + length);
	socklen_t bound = sizeof(parcel->bound);
	if (!parcel)
		return;
	parcel->message = (struct rg_message){.deliver = on_packet};
	parcel->datagram = *inbound->datagram;
	parcel->link = *inbound->link;
	snprintf(parcel->client, sizeof(parcel->client), "%s", inbound->client->name);
	memcpy(parcel->bytes, inbound->datagram->bytes.data, length);
	parcel->datagram.bytes = span_of(parcel->bytes, length);
	if (inbound->link->kind != RG_LINK_UDP ||
	    getsockname(inbound->link->fd, &parcel->bound.any, &bound) == 0)
		mailbox_post(&from->siblings[to].mailbox, &parcel->message);
	else
		free(parcel);
}

struct answer {
	struct rg_message message;
	uint64_t serial;
	size_t length;
	uint8_t bytes[];
};

static void on_answer(struct rg_message *message, void *owner, bool closing)
{
	struct answer *answer = (struct answer *)message;
	struct rg_worker *worker = owner;
	struct rg_link *link = closing ? NULL : link_find(worker, worker->number, answer->serial);
	if (link)
		link_send(link, span_of(answer->bytes, answer->length), NULL, NULL, NULL);
	free(answer);
}

void handover_answer(struct rg_link *remote, struct rg_span packet)
{
	struct answer *answer = malloc(sizeof(*answer) + packet.length);
	if (!answer)
		return;
	answer->message = (struct rg_message){.deliver = on_answer};
	answer->serial = remote->serial;
	answer->length = packet.length;
	memcpy(answer->bytes, packet.data, packet.length);
	mailbox_post(&remote->worker->siblings[remote->owner].mailbox, &answer->message);
}

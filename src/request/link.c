#include "request/link.h"

#include "radsec/connection.h"
#include "radsec/key.h"
#include "request/answer.h"
#include "request/handover.h"
#include "request/worker.h"

static void send_datagram(const struct rg_link *link, struct rg_span packet,
			  const struct rg_radius_key *key, const union rg_address *to,
			  const struct rg_local *local)
{
	if (key)
		outbox_add_unsealed(link->worker->outbox, link->fd, packet, key, to, local);
	else
		outbox_add(link->worker->outbox, link->fd, packet, to, local);
}

void link_send(struct rg_link *link, struct rg_span packet, const struct rg_radius_key *key,
	       const union rg_address *to, const struct rg_local *local)
{
	uint8_t sealed[RG_RADIUS_MOST];
	if (key && link->kind != RG_LINK_UDP)
		packet = packet_seal(sealed, packet, key);
	switch (link->kind) {
	case RG_LINK_UDP:
		send_datagram(link, packet, key, to, local);
		break;
	case RG_LINK_CONNECTION:
		connection_send(link->connection, packet);
		break;
	case RG_LINK_REMOTE:
		handover_answer(link, packet);
		break;
	}
	count(link->worker->counters, RG_COUNT_DATAGRAMS_OUT);
}

const struct rg_radius_key *link_key(const struct rg_link *link, const struct rg_client *client)
{
	if (link->kind == RG_LINK_UDP || (client->key && link->version == RG_RADIUS_1_0))
		return client->key;
	if (link->version == RG_RADIUS_1_1)
		return radius_key_1_1();
	return radsec_key(link->transport);
}

void link_hold(struct rg_link *link, struct rg_request *request)
{
	request->link = link;
	request->link_next = link->requests;
	request->link_self = &link->requests;
	if (link->requests)
		link->requests->link_self = &request->link_next;
	link->requests = request;
}

void link_let_go(struct rg_request *request)
{
	struct rg_link *link = request->link;
	*request->link_self = request->link_next;
	if (request->link_next)
		request->link_next->link_self = request->link_self;
	request->link = NULL;
	/* Of somebody else's connection we know only as long as it waits for us. */
	if (link->kind == RG_LINK_REMOTE)
		handover_forget(link);
}

void link_drop_requests(struct rg_link *link)
{
	while (link->requests)
		request_drop(link->requests);
}

static struct rg_link **bucket_of(struct rg_link_table *table, uint64_t serial)
{
	return &table->buckets[serial % RG_LINK_BUCKETS];
}

void link_enter(struct rg_link *link)
{
	struct rg_link **bucket = bucket_of(&link->worker->links, link->serial);
	link->next = *bucket;
	*bucket = link;
}

void link_leave(struct rg_link *link)
{
	struct rg_link **at = bucket_of(&link->worker->links, link->serial);
	while (*at != link)
		at = &(*at)->next;
	*at = link->next;
}

struct rg_link *link_find(struct rg_worker *worker, unsigned owner, uint64_t serial)
{
	struct rg_link *link = *bucket_of(&worker->links, serial);
	while (link && (link->serial != serial || link->owner != owner))
		link = link->next;
	return link;
}

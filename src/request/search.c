#include "request/search.h"

#include <stdio.h>

#include "core/clock.h"
#include "request/answer.h"
#include "request/away.h"
#include "request/refuse.h"
#include "request/worker.h"
#include "upstream/found.h"

#define WAITS_MOST 4096 /* requests of one worker that wait at once */

/* A request that waits, and what it said. */
struct rg_wait {
	struct rg_request *request;
	struct rg_search *search;
	const struct rg_route *route; /* of the request's lease */
	uint8_t version;              /* of RADIUS, in which it was said */
	uint16_t length;
	uint8_t bytes[];
};

static size_t wait_size(size_t length)
{
	return sizeof(struct rg_wait) + length;
}

void wait_end(struct rg_request *request)
{
	struct rg_worker *worker = request->worker;
	struct rg_wait *wait = request->wait;
	request->wait = NULL;
	search_cancel(&wait->search);
	worker->waits--;
	slab_free(&worker->slab, wait, wait_size(wait->length));
}

static struct rg_found_order found_order(const struct rg_request *request,
					 const struct rg_route *route, struct rg_span realm)
{
	return (struct rg_found_order){
		.discover = request->lease->snapshot->discover,
		.route = route,
		.realm = realm,
		.now = clock_now(),
	};
}

/* RFC 7585 §3.4.4: where nothing is found, static peers; and a realm that nobody serves is refused
 * at once. */
static enum rg_next go_without(struct rg_request *request, const struct rg_packet *packet,
			       const struct rg_route *route, struct rg_span realm,
			       const struct rg_found *found)
{
	char detail[160];
	if (route->peer_count != 0)
		return away_send(request, packet, route, realm, clock_now());
	snprintf(detail, sizeof(detail), "discovery: %.120s",
		 found && found->outcome != RG_FOUND_PEERS ? found->why : "too much at once");
	if (found && found->outcome == RG_FOUND_NONE && packet->code == RG_ACCESS_REQUEST)
		return refuse_request(request, packet, "visitor", RG_REASON_REALM_UNKNOWN, detail);
	return away_silence(request, packet, detail);
}

static enum rg_next go(struct rg_request *request, const struct rg_packet *packet,
		       const struct rg_route *route, struct rg_span realm, struct rg_found *found)
{
	struct rg_found_order order = found_order(request, route, realm);
	const struct rg_route *way = NULL;
	if (found && found->outcome == RG_FOUND_PEERS)
		way = found_learn(&request->worker->upstream, &order, found);
	if (way)
		return away_send(request, packet, way, realm, order.now);
	return go_without(request, packet, route, realm, found);
}

static void on_found(void *asker, struct rg_found *found)
{
	struct rg_request *request = asker;
	struct rg_wait *wait = request->wait;
	struct rg_packet packet;
	struct rg_nai nai;
	uint8_t bytes[RG_RADIUS_MOST];
	const struct rg_route *route = wait->route;
	unsigned version = wait->version;
	size_t length = wait->length;
	memcpy(bytes, wait->bytes, length);
	wait->search = NULL; /* has ended */
	wait_end(request);
	if (packet_view_version(&packet, span_of(bytes, length), version) != RG_PACKET_OK ||
	    nai_parse(&nai, packet_find(&packet, RG_USER_NAME)) != RG_NAI_OK)
		request_drop(request);
	else
		go(request, &packet, route, nai.realm, found);
}

static bool wait_begin(struct rg_inbound *inbound, struct rg_found **found)
{
	struct rg_request *request = inbound->request;
	struct rg_worker *worker = inbound->worker;
	struct rg_span bytes = span_of(inbound->packet.data, inbound->packet.length);
	struct rg_discover_order order = {
		.realm = inbound->nai.realm,
		.tags = inbound->destination.route->discover,
		.tag_count = inbound->destination.route->discover_count,
		.mailbox = &worker->mailbox,
		.done = on_found,
		.asker = request,
	};
	struct rg_wait *wait = worker->waits < WAITS_MOST
				       ? slab_alloc(&worker->slab, wait_size(bytes.length))
				       : NULL;
	*found = NULL;
	if (!wait)
		return false;
	*wait = (struct rg_wait){
		.request = request,
		.route = inbound->destination.route,
		.version = inbound->packet.version,
		.length = (uint16_t)bytes.length,
		.search = discover_ask(request->lease->snapshot->discover, &order, found),
	};
	memcpy(wait->bytes, bytes.data, bytes.length);
	request->wait = wait;
	worker->waits++;
	if (wait->search)
		return true;
	wait_end(request);
	return false;
}

enum rg_next search_stage(struct rg_inbound *inbound)
{
	struct rg_request *request = inbound->request;
	const struct rg_route *route = inbound->destination.route;
	struct rg_span realm = inbound->nai.realm;
	struct rg_found_order order = found_order(request, route, realm);
	struct rg_found *found;
	const struct rg_route *way = found_route(&inbound->worker->upstream, &order);
	if (way)
		return away_send(request, &inbound->packet, way, realm, order.now);
	if (wait_begin(inbound, &found))
		return RG_WAIT;
	enum rg_next next = go(request, &inbound->packet, route, realm, found);
	found_unref(&found);
	return next;
}

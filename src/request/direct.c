/* Whose realm is it? Ours, somebody else's, or nobody's (federation.md, "Realms and routing"). */
#include <ctype.h>
#include <stdio.h>

#include "request/answer.h"
#include "request/home.h"
#include "request/note.h"
#include "request/path.h"
#include "request/refuse.h"
#include "request/worker.h"
#include "upstream/compose.h"

/* What follows the MAC in "AA-BB-CC-DD-EE-FF:govroam" (RFC 3580 §3.20), however the MAC is written. */
static struct rg_span ssid_of(struct rg_span called)
{
	struct rg_cursor cursor = cursor_over(called);
	for (unsigned digits = 0; digits < 12;) {
		uint8_t c = cursor_u8(&cursor);
		if (cursor.failed || (!isxdigit(c) && !memchr("-:.", c, 3)))
			return (struct rg_span){0};
		digits += isxdigit(c) ? 1 : 0;
	}
	return cursor_u8(&cursor) == ':' ? cursor_rest(&cursor) : (struct rg_span){0};
}

/* A network that is named must be one of the client's; where none is named, none is another. */
static bool ssid_allowed(const struct rg_client *client, struct rg_span called)
{
	struct rg_span ssid = ssid_of(called);
	if (client->ssids.count == 0 || !ssid.data)
		return true;
	for (size_t i = 0; i < client->ssids.count; i++)
		if (span_equal(ssid, span_text(client->ssids.items[i])))
			return true;
	return false;
}

static bool came_from(const struct rg_route *route, const struct rg_client *client)
{
	for (size_t i = 0; route && client->peer && i < route->peer_count; i++)
		if (route->peers[i] == client->peer)
			return true;
	return false;
}

static enum rg_next settle_way(struct rg_inbound *inbound)
{
	const struct rg_destination *to = &inbound->destination;
	char detail[160];
	switch (to->way) {
	case RG_WAY_HOME:
		return RG_NEXT;
	case RG_WAY_AWAY:
		if (came_from(to->route, inbound->client))
			return refuse(inbound, RG_REASON_REALM_LOOP,
				      "the peer that asks is the one that it would go to");
		if (inbound->client->peer)
			return refuse(inbound, RG_REASON_REALM_REFUSED,
				      "a federation peer may ask for our own realms only");
		return RG_NEXT;
	case RG_WAY_REFUSED:
		snprintf(detail, sizeof(detail), "refused by \"%.100s\"", to->refused_by);
		return refuse(inbound, RG_REASON_REALM_REFUSED, detail);
	case RG_WAY_NOWHERE:
		/* A reload took the realm away: another worker may have the answer that is to be repeated. */
		if (home_has_another_worker(inbound))
			return RG_DROP;
		if (inbound->nai.machine)
			return refuse(inbound, RG_REASON_REALM_MALFORMED,
				      "a machine (host/...) of no local realm");
		return refuse(inbound, RG_REASON_REALM_UNKNOWN, "no realm or route has this name");
	}
	return RG_DROP;
}

/* An Accounting-Request goes on where a route says so. Nothing here keeps it, so nothing acknowledges it. */
static enum rg_next settle_accounting(struct rg_inbound *inbound)
{
	const struct rg_destination *to = &inbound->destination;
	bool loops = inbound->client->peer ||
		     packet_count(&inbound->packet, RG_PROXY_STATE) > RG_PROXY_STATES_MOST;
	if (to->way == RG_WAY_AWAY && to->route->accounting && !loops)
		return RG_NEXT;
	count(inbound->worker->counters, RG_COUNT_ACCOUNTING_UNKEPT);
	request_drop(inbound->request);
	return RG_DROP;
}

enum rg_next route_stage(struct rg_inbound *inbound)
{
	const struct rg_packet *packet = &inbound->packet;
	enum rg_nai_fault fault = nai_parse(&inbound->nai, packet_find(packet, RG_USER_NAME));
	bool accounting = packet->code == RG_ACCOUNTING_REQUEST;
	inbound->destination = (struct rg_destination){.way = RG_WAY_NOWHERE};
	if (fault == RG_NAI_OK)
		inbound->destination = route_table_find(inbound->worker->lease->snapshot->routes,
							&inbound->nai);
	if (accounting)
		return settle_accounting(inbound);
	if (fault != RG_NAI_OK)
		return refuse(inbound, RG_REASON_REALM_MALFORMED, nai_fault_text(fault));
	if (!ssid_allowed(inbound->client, packet_find(packet, RG_CALLED_STATION_ID)))
		return refuse(inbound, RG_REASON_SSID_REFUSED,
			      "Called-Station-Id names a network that is not the client's");
	if (packet_count(packet, RG_PROXY_STATE) > RG_PROXY_STATES_MOST)
		return refuse(inbound, RG_REASON_REALM_LOOP, "more than 16 Proxy-States");
	return settle_way(inbound);
}

#include "request/link.h"

#include "request/answer.h"
#include "request/worker.h"

void link_send(struct rg_link *link, struct rg_span packet, const union rg_address *to,
	       const struct rg_local *local)
{
	switch (link->kind) {
	case RG_LINK_UDP:
		outbox_add(link->worker->outbox, link->fd, packet, to, local);
		break;
	}
	count(link->worker->counters, RG_COUNT_DATAGRAMS_OUT);
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
	*request->link_self = request->link_next;
	if (request->link_next)
		request->link_next->link_self = request->link_self;
}

void link_drop_requests(struct rg_link *link)
{
	while (link->requests)
		request_drop(link->requests);
}

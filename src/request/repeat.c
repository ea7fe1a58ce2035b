/* The duplicate window (RFC 5080 §2.2.2). */
#include "core/clock.h"
#include "request/answer.h"
#include "request/home.h"
#include "request/path.h"
#include "request/worker.h"

/* The same request once more: the NAS has not heard from us yet. */
static enum rg_next repeated(struct rg_inbound *inbound, struct rg_request *request)
{
	struct rg_worker *worker = inbound->worker;
	switch (request->state) {
	case RG_REQUEST_ANSWERED:
		count(worker->counters, RG_COUNT_REPEATED);
		answer_again(request);
		return RG_REPLY;
	case RG_REQUEST_UNDER_WAY:
		if (request->forward) { /* retransmission belongs to the client: on it goes */
			upstream_repeat(&worker->upstream, request->forward, clock_now());
			return RG_WAIT;
		}
		if (request->session)
			home_repeated(request);
		break;
	case RG_REQUEST_DELAYED:
	case RG_REQUEST_SILENT:
		break;
	}
	count(worker->counters, RG_COUNT_DROP_DUPLICATE);
	return RG_DROP;
}

enum rg_next window_stage(struct rg_inbound *inbound)
{
	struct rg_worker *worker = inbound->worker;
	struct rg_request *request = window_find(&worker->window, inbound->link,
						 &inbound->datagram->source, inbound->packet.token);
	if (request && memcmp(request->authenticator, packet_authenticator(&inbound->packet),
			      RG_AUTHENTICATOR) == 0)
		return repeated(inbound, request);
	if (request) /* another one under this Identifier: the client has given the former up */
		request_drop(request);
	struct rg_request *victim = window_victim(&worker->window);
	if (victim)
		request_drop(victim);
	/* While the gateway stops, what is under way may end, and nothing begins. */
	bool begins = inbound->packet.first[RG_STATE] == 0;
	inbound->request = worker->draining && begins ? NULL : request_new(inbound);
	if (inbound->request && window_add(&worker->window, inbound->request))
		return RG_NEXT;
	if (inbound->request)
		request_drop(inbound->request);
	count(worker->counters, RG_COUNT_DROP_OVERLOAD);
	return RG_DROP;
}

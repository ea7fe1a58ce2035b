/* What must hold inside the gateway between any two turns of its loops: whoever points to somebody
 * is pointed back at, whatever waits has a time and somebody who works on it, every count counts
 * what is there, nothing exceeds its bound. */
#include <stdlib.h>
#include <string.h>

#include "home/decide.h"
#include "request/ports.h"
#include "sim.h"
#include "upstream/forward.h"
#include "upstream/peer.h"

/* One worker, counted. */
struct counted {
	struct rg_worker *worker;
	unsigned requests, open, sessions, forwards, probes, timers, held;
	size_t pieces;
	uint64_t soonest;
};

static void count_timer(struct counted *counted, const struct rg_timer *timer)
{
	if (!timer_armed(timer))
		return;
	counted->timers++;
	if (timer->due_ns < counted->soonest)
		counted->soonest = timer->due_ns;
}

static void check_request(struct counted *counted, const struct rg_request *request)
{
	const struct rg_worker *worker = counted->worker;
	bool session = request->session, forward = request->forward, wait = request->wait;
	must(request->worker == worker && request->lease->holds != 0);
	must(session + forward + wait <= 1);
	switch (request->state) {
	case RG_REQUEST_UNDER_WAY:
		if (session + forward + wait == 0)
			broken("a request (Identifier %u) is under way, and nobody works on it",
			       request->token);
		must(!request->reply && !timer_armed(&request->timer));
		counted->open++;
		break;
	case RG_REQUEST_DELAYED:
		must(request->reply && timer_armed(&request->timer) &&
		     session + forward + wait == 0);
		counted->open++;
		break;
	case RG_REQUEST_ANSWERED:
		must(request->reply && timer_armed(&request->timer) &&
		     session + forward + wait == 0);
		must(request->timer.due_ns <= world.now + RG_WINDOW_REPEAT_NS);
		break;
	case RG_REQUEST_SILENT:
		must(!request->reply && timer_armed(&request->timer) &&
		     session + forward + wait == 0);
		break;
	}
	if (session)
		must(request->session->request == request && request->session->owner == worker);
	if (forward)
		must(request->forward->request == request);
	must(window_find(&worker->window, request->link, &request->source, request->token) ==
	     request);
	count_timer(counted, &request->timer);
	counted->requests++;
	counted->pieces += 1 + (request->reply != NULL) + (request->proxy_states != NULL) +
			   (request->operator_name != NULL);
	counted->held += request->lease == worker->lease;
}

static void check_requests(struct counted *counted)
{
	for (uint16_t port = AUTH_PORT; port <= ACCT_PORT; port++) {
		union rg_address any = {.v4 = {.sin_family = AF_INET, .sin_port = htons(port)}};
		const struct rg_link *link = ports_find(counted->worker, &any);
		for (const struct rg_request *request = link ? link->requests : NULL; request;
		     request = request->link_next)
			check_request(counted, request);
	}
}

/* attacks.md B1: what nobody signed teaches nothing. */
static void check_lessons(const struct rg_worker *worker)
{
	const struct rg_snapshot *snapshot = worker->lease ? worker->lease->snapshot : NULL;
	for (size_t i = 0; snapshot && i < snapshot->raddb->client_count; i++)
		for (unsigned n = 0; n < NASES_MOST; n++)
			if (strcmp(snapshot->raddb->clients[i].name, nases[n].name) == 0 &&
			    snapshot->client_learned[i] && atomic_load(snapshot->client_learned[i]))
				must(nases[n].signed_ns != 0);
}

static void check_sessions(struct counted *counted)
{
	const struct rg_worker *worker = counted->worker;
	for (unsigned i = 0; i < RG_SESSION_SHARES; i++) {
		unsigned count = 0;
		for (const struct rg_session *session = worker->sessions.shares[i].oldest; session;
		     session = session->newer, count++) {
			must(session->owner == worker &&
			     worker->sessions.slots[session->slot] == session);
			must(timer_armed(&session->deadline));
			must(!session->request || session->request->session == session);
			must((session->conversation.state == RG_CONVERSATION_ENDED) == session->silent);
			must(!session->silent || (!session->request && !session->decision));
			/* Only a decision keeps somebody waiting. */
			must(!session->request || session->decision);
			must(session->lease->holds != 0);
			count_timer(counted, &session->deadline);
			counted->held += session->lease == worker->lease;
		}
		must(count == worker->sessions.shares[i].count);
		counted->sessions += count;
	}
}

static void check_forward(void *context, struct rg_forward *forward)
{
	struct counted *counted = context;
	must(forward->channel && forward->channel->forwards[forward->token] == forward);
	must(forward->peer == forward->channel->peer && timer_armed(&forward->timer) &&
	     forward->bytes);
	if (forward->request) {
		must(forward->request->forward == forward &&
		     forward->request->worker == counted->worker);
	} else {
		must(forward->peer->health.probe == forward);
		counted->probes++;
	}
	count_timer(counted, &forward->timer);
	counted->forwards++;
	counted->pieces += 2;
}

static void check_peers(struct counted *counted)
{
	for (struct rg_peer *peer = counted->worker->upstream.peers; peer; peer = peer->next) {
		unsigned before = counted->forwards, used = 0;
		channels_each(peer, check_forward, counted);
		if (counted->forwards - before != peer->under_way)
			broken("%u requests are under way to peer %s, and %u are counted",
			       counted->forwards - before, peer->name, peer->under_way);
		for (unsigned port = 0; port < RG_PORTS; port++)
			for (const struct rg_channel *channel = peer->channels[port]; channel;
			     channel = channel->next)
				used += channel->used;
		must(used == peer->under_way);
		count_timer(counted, &peer->health.timer);
	}
	count_timer(counted, &counted->worker->upstream.tend);
}

static void check_worker(struct counted *counted)
{
	const struct rg_worker *worker = counted->worker;
	check_lessons(worker);
	check_requests(counted);
	check_sessions(counted);
	check_peers(counted);
	must(counted->requests == worker->window.count && worker->window.count <= RG_WINDOW_MOST);
	must(counted->open == worker->open);
	must(counted->sessions == worker->sessions.count);
	if (counted->sessions > world.plan.sessions)
		broken("%u conversations, of which there may be %u", counted->sessions,
		       world.plan.sessions);
	if (counted->timers != worker->wheel.armed)
		broken("%u timers are armed, of which %u are anybody's", worker->wheel.armed,
		       counted->timers);
	if (counted->timers != 0 &&
	    worker->wheel.soonest_ns > counted->soonest + 2 * RG_WHEEL_TICK_NS)
		broken("a timer is due before the wheel looks");
	/* The worker's own hold, and one of each. */
	if (worker->lease)
		must(worker->lease->holds == counted->held + 1);
}

void inside_check(void)
{
	size_t pieces = 0;
	for (unsigned i = 0; i < world.plan.workers; i++) {
		struct counted counted = {.worker = &gateway_workers[i], .soonest = UINT64_MAX};
		check_worker(&counted);
		pieces += counted.pieces;
	}
	if (pieces != slab_pieces)
		broken("%zu pieces of memory are given out, of which %zu are anybody's",
		       slab_pieces, pieces);
}

void inside_check_quiet(void)
{
	for (unsigned i = 0; i < world.plan.workers; i++) {
		struct counted counted = {.worker = &gateway_workers[i], .soonest = UINT64_MAX};
		check_worker(&counted);
		must(counted.requests == 0 && counted.sessions == 0 && counted.open == 0);
		must(counted.forwards == counted.probes && counted.worker->waits == 0);
	}
	must(toys_running == 0 && questions_open == 0);
}

void inside_check_end(void)
{
	for (unsigned i = 0; i < world.plan.workers; i++) {
		const struct rg_worker *worker = &gateway_workers[i];
		must(worker->window.count == 0 && worker->sessions.count == 0 && worker->open == 0);
		must(worker->wheel.armed == 0 && worker->waits == 0);
	}
	must(toys_running == 0 && questions_open == 0);
	if (slab_pieces != 0 || slab_octets != 0)
		broken("%zu pieces of memory were never given back", slab_pieces);
}

/* What the log and the metrics will say of somebody. */
void inside_record(const struct rg_signin *record)
{
	const char *name = record->inner[0] ? record->inner : record->outer;
	struct signin *signin = signin_of_name(name, strlen(name));
	if (!signin || record->client[0] == '\0')
		return;
	switch (record->reason) {
	case RG_REASON_DIRECTORY_NO_ENTRY:
	case RG_REASON_DIRECTORY_AMBIGUOUS:
	case RG_REASON_DIRECTORY_DISABLED:
	case RG_REASON_PASSWORD_WRONG:
	case RG_REASON_PASSWORD_EXPIRED:
	case RG_REASON_ACCOUNT_LOCKED:
		if (!signin->denied_by_directory)
			broken("p%u: %s, which the directory never said", signin->number,
			       reason_word(record->reason));
		break;
	case RG_REASON_DIRECTORY_UNAVAILABLE:
		if (record->result != RG_RESULT_NO_ANSWER)
			broken("p%u: could not be asked about, and %s", signin->number,
			       result_word(record->result));
		break;
	default:
		break;
	}
	if (record->result == RG_RESULT_ACCEPT && signin->kind <= HOME_TLS &&
	    ++signin->accept_records > 1)
		broken("p%u: one conversation, two records of an Accept", signin->number);
}

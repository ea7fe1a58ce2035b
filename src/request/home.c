/* Our own realms: a request is one turn of an EAP session. */
#include "request/home.h"

#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "home/decide.h"
#include "request/answer.h"
#include "request/handover.h"
#include "request/note.h"
#include "request/path.h"
#include "request/refuse.h"
#include "request/verdict.h"
#include "request/worker.h"

#define ROOM_MOST  3600 /* octets of EAP beside everything else that an answer of 4096 may bear */
#define ROOM_LEAST 64   /* the least Framed-MTU there is (RFC 2865 §5.12) */

void home_forget(struct rg_request *request)
{
	request->session->request = NULL;
	request->session = NULL;
}

static void session_end(struct rg_worker *worker, struct rg_session *session)
{
	if (session->request)
		session->request->session = NULL;
	timer_cancel(&worker->wheel, &session->deadline);
	decision_free(&session->decision);
	conversation_end(&session->conversation);
	lease_drop(worker, session->lease);
	session_free(&worker->sessions, &session);
	atomic_store_explicit(&worker->session_count, worker->sessions.count, memory_order_relaxed);
}

/* It could not be decided about: whoever asks on, through whichever proxy, is not refused for that,
 * for as long as a NAS repeats. */
static void fall_silent(struct rg_worker *worker, struct rg_session *session)
{
	session->request->session = NULL;
	session->request = NULL;
	decision_free(&session->decision);
	conversation_end(&session->conversation);
	session->silent = true;
	timer_cancel(&worker->wheel, &session->deadline);
	timer_arm(&worker->wheel, &session->deadline, clock_now() + RG_SILENCE_NS);
}

void home_end(struct rg_worker *worker, struct rg_session *session, enum rg_reason reason,
	      const char *detail)
{
	struct rg_request *request = session->request;
	bool undecided = session->reported || reason == RG_REASON_DIRECTORY_UNAVAILABLE;
	if (!session->reported) {
		verdict_note_method(session);
		note_end(worker, &session->signin, RG_RESULT_NO_ANSWER, reason, detail);
	}
	if (request && undecided) {
		fall_silent(worker, session);
		request_silence(request);
		return;
	}
	session_end(worker, session);
	if (request)
		request_drop(request);
}

void home_give_up(struct rg_session *session, enum rg_reason reason, const char *detail)
{
	const struct rg_conversation *conversation = &session->conversation;
	if (session->silent)
		session_end(session->owner, session);
	else if (conversation->pending != RG_REASON_NONE)
		home_end(session->owner, session, verdict_reason(session, conversation->pending),
			 conversation->pending_detail);
	else
		home_end(session->owner, session, reason, detail);
}

static void on_deadline(struct rg_timer *timer, uint64_t now)
{
	struct rg_session *session =
		(struct rg_session *)((char *)timer - offsetof(struct rg_session, deadline));
	(void)now;
	if (session->request)
		home_give_up(session, RG_REASON_DIRECTORY_UNAVAILABLE, NULL);
	else
		home_give_up(session, RG_REASON_SUPPLICANT_ABANDONED,
			     "the supplicant did not go on");
}

static void make_room(struct rg_worker *worker)
{
	struct rg_session *victim = session_table_victim(&worker->sessions);
	if (victim)
		count(worker->counters, RG_COUNT_SESSIONS_EVICTED);
	for (; victim;
	     victim = session_table_victim(&worker->sessions)) /* one may fall silent first */
		home_give_up(victim, RG_REASON_OVERLOAD, "too many conversations at once");
}

static size_t room_for(const struct rg_packet *packet, const struct rg_request *request)
{
	uint32_t mtu = 0;
	size_t states = request->proxy_states_length;
	size_t room = states < ROOM_MOST - ROOM_LEAST ? ROOM_MOST - states : ROOM_LEAST;
	if (packet_u32(packet, RG_FRAMED_MTU, &mtu) && mtu < room) /* RFC 3579 §2.4 */
		room = mtu;
	return room < ROOM_LEAST ? ROOM_LEAST : room;
}

static struct rg_session *session_begin(const struct rg_inbound *inbound)
{
	struct rg_worker *worker = inbound->worker;
	const struct rg_realm *realm = inbound->destination.realm;
	make_room(worker);
	struct rg_session *session = session_new(&worker->sessions, inbound->client->name);
	if (!session)
		return NULL;
	session->owner = worker;
	session->lease = inbound->request->lease;
	session->lease->holds++;
	session->home = &session->lease->snapshot->homes[realm->number];
	session->client = inbound->client;
	session->deadline.fire = on_deadline;
	uint64_t now = inbound->request->received_ns;
	timer_arm(&worker->wheel, &session->deadline,
		  now + (uint64_t)session->lease->snapshot->raddb->gateway.session_s * RG_SECOND);
	struct rg_eap_start start = {
		.tls = session->home->tls,
		.fragment = (size_t)realm->eap.fragment,
		.realm = session->home->realm->name,
		.inner = &realm->eap.inner,
	};
	conversation_begin(&session->conversation, realm->eap.methods, &start);
	note_begin(&session->signin, &inbound->packet, inbound->client, realm->name, now);
	signin_step(&session->signin, "client", "%.40s at %.40s", inbound->client->name,
		    inbound->client->site);
	signin_step(&session->signin, "realm", "%.80s, of %s", realm->name, realm->where.file);
	count(worker->counters, RG_COUNT_SESSIONS_BEGUN);
	atomic_store_explicit(&worker->session_count, worker->sessions.count, memory_order_relaxed);
	return session;
}

/* A directory that could not be asked refuses nobody, and a proxy beside the one that asked is
 * another client. */
static bool is_undecided(const struct rg_inbound *inbound, struct rg_span state)
{
	const struct rg_session *session = session_find(&inbound->worker->sessions, state);
	return session &&
	       (session->silent || (session->reported && session->decision &&
				    strcmp(session->client->name, inbound->client->name) != 0));
}

/* The conversation that a State names, if it is this client's and this realm's (attacks.md P4). */
static struct rg_session *session_of(const struct rg_inbound *inbound, struct rg_span state)
{
	struct rg_session *session = session_find(&inbound->worker->sessions, state);
	if (!session || session->silent ||
	    strcmp(session->client->name, inbound->client->name) != 0 ||
	    strcmp(session->home->realm->name, inbound->destination.realm->name) != 0)
		return NULL;
	return session;
}

/* One packet of the supplicant's to its session, and what comes of it. */
static enum rg_next take_turn(struct rg_inbound *inbound, struct rg_session *session,
			      struct rg_span eap)
{
	uint8_t memory[RG_RADIUS_MOST];
	struct rg_buffer out = buffer_over(memory, sizeof(memory));
	struct rg_turn_result result;
	struct rg_request *request = inbound->request;
	session->room = room_for(&inbound->packet, request);
	session->request = request;
	request->session = session;
	/* After EAP-Start it is the Identity, and with it this User-Name, that the certificate is
	 * held against. */
	if (session->conversation.state == RG_CONVERSATION_IDENTITY)
		note_name(&session->signin, &inbound->packet);
	enum rg_turn turn = conversation_turn(&session->conversation, eap,
					      packet_find(&inbound->packet, RG_USER_NAME),
					      session->room, &out, &result);
	return verdict_turn(inbound->worker, session, turn, &out, &result);
}

/* While it is decided about, the NAS may lose patience and ask under another Identifier: the answer
 * goes there. */
static enum rg_next take_over(struct rg_inbound *inbound, struct rg_session *session,
			      struct rg_span eap)
{
	struct rg_request *former = session->request;
	if (!conversation_answered_by(&session->conversation, eap)) {
		count(inbound->worker->counters, RG_COUNT_DROP_WRONG_EAP_ID);
		request_drop(inbound->request);
		return RG_DROP;
	}
	if (former) {
		home_forget(former);
		request_drop(former);
	}
	session->request = inbound->request;
	inbound->request->session = session;
	home_repeated(inbound->request);
	return RG_WAIT;
}

void home_repeated(struct rg_request *request)
{
	struct rg_session *session = request->session;
	if (!session->decision)
		return;
	if (decision_result(session->decision)->verdict == RG_VERDICT_UNAVAILABLE) {
		signin_step(&session->signin, "repeat", "the client asks again");
		decision_again(session->decision);
	}
	verdict_decided(session);
}

/* Another worker has the session: a NAS that changed its port. The datagram goes there whole. */
static enum rg_next hand_over(struct rg_inbound *inbound, unsigned worker)
{
	if (worker >= inbound->worker->workers)
		return refuse(inbound, RG_REASON_METHOD_REFUSED, "State of no worker");
	count(inbound->worker->counters, RG_COUNT_HANDED_OVER);
	request_drop(inbound->request);
	handover_packet(inbound->worker, worker, inbound);
	return RG_DROP;
}

bool home_has_another_worker(struct rg_inbound *inbound)
{
	uint16_t worker;
	struct rg_span state = packet_find(&inbound->packet, RG_STATE);
	return state.data &&
	       session_state_owner(&inbound->worker->sessions, state, &worker) ==
		       RG_STATE_OTHER_WORKER &&
	       worker < inbound->worker->workers && hand_over(inbound, worker) == RG_DROP;
}

static enum rg_next go_on(struct rg_inbound *inbound, struct rg_span state, struct rg_span eap)
{
	uint16_t worker;
	struct rg_session *session = NULL;
	enum rg_state_owner owner = session_state_owner(&inbound->worker->sessions, state, &worker);
	switch (owner) {
	case RG_STATE_MINE:
		session = session_of(inbound, state);
		break;
	case RG_STATE_OTHER_WORKER:
		return hand_over(inbound, worker);
	case RG_STATE_OTHER_NODE:
	case RG_STATE_FOREIGN:
		break;
	}
	if (!session && owner == RG_STATE_MINE && is_undecided(inbound, state)) {
		count(inbound->worker->counters, RG_COUNT_DROP_DUPLICATE);
		request_silence(inbound->request);
		return RG_DROP;
	}
	if (!session)
		return refuse(inbound, RG_REASON_METHOD_REFUSED,
			      "State of no conversation under way: ended, timed out, or not ours");
	if (conversation_waits(&session->conversation))
		return take_over(inbound, session, eap);
	return take_turn(inbound, session, eap);
}

/* An empty EAP-Message is EAP-Start: the NAS leaves the question for the Identity to us. */
static enum rg_next invite(struct rg_inbound *inbound, struct rg_session *session)
{
	uint8_t memory[RG_EAP_HEADER];
	struct rg_buffer out = buffer_over(memory, sizeof(memory));
	conversation_invite(&session->conversation, &out);
	session->request = inbound->request;
	inbound->request->session = session;
	return verdict_turn(inbound->worker, session, RG_TURN_REQUEST, &out, NULL);
}

static enum rg_next begin(struct rg_inbound *inbound, struct rg_span eap)
{
	struct rg_session *session = session_begin(inbound);
	if (!session)
		return refuse(inbound, RG_REASON_OVERLOAD, "no room for another conversation");
	if (eap.length == 0)
		return invite(inbound, session);
	return take_turn(inbound, session, eap);
}

enum rg_next home_stage(struct rg_inbound *inbound)
{
	uint8_t memory[RG_RADIUS_MOST];
	struct rg_buffer eap = buffer_over(memory, sizeof(memory));
	if (inbound->destination.way != RG_WAY_HOME)
		return RG_NEXT;
	if (!packet_eap(&inbound->packet, &eap))
		return refuse(inbound, RG_REASON_METHOD_REFUSED,
			      "no EAP: our realms serve no bare passwords");
	struct rg_span state = packet_find(&inbound->packet, RG_STATE);
	return state.data ? go_on(inbound, state, buffer_span(&eap))
			  : begin(inbound, buffer_span(&eap));
}

#include "request/verdict.h"

#include <stdio.h>

#include "core/secret.h"
#include "core/text.h"
#include "home/decide.h"
#include "request/answer.h"
#include "request/home.h"
#include "request/note.h"
#include "request/worker.h"

enum rg_reason verdict_reason(const struct rg_session *session, enum rg_reason reason)
{
	const struct rg_proof *proof = conversation_proof(&session->conversation);
	if (reason == RG_REASON_CERTIFICATE_UNKNOWN_CA && proof &&
	    tls_trust_set_knows_chain(session->home->trust, proof, session->home->tls))
		return RG_REASON_CERTIFICATE_OTHER_REALM;
	return reason == RG_REASON_NONE ? RG_REASON_INTERNAL : reason;
}

void verdict_note_method(struct rg_session *session)
{
	const struct rg_conversation *conversation = &session->conversation;
	const struct rg_proof *proof = conversation_proof(conversation);
	struct rg_signin *signin = &session->signin;
	signin->tls_us = conversation->method_us;
	if (conversation->method)
		snprintf(signin->method, sizeof(signin->method), "%s", conversation->method->label);
	if (!proof)
		return;
	if (proof->tls_version)
		snprintf(signin->tls, sizeof(signin->tls), "%s", proof->tls_version);
	signin->resumed = proof->resumed;
}

/* The request is detached from the session, which ends; the answer leaves. */
static struct rg_request *detach(struct rg_session *session)
{
	struct rg_request *request = session->request;
	if (request)
		home_forget(request);
	return request;
}

static void session_over(struct rg_worker *worker, struct rg_session *session, enum rg_result result,
			 enum rg_reason reason, const char *detail)
{
	verdict_note_method(session);
	note_end(worker, &session->signin, result, reason, detail);
	session->reported = true;
	home_end(worker, session, reason, NULL);
}

static void challenge(struct rg_worker *worker, struct rg_session *session, struct rg_span eap)
{
	uint8_t state[RG_STATE_LENGTH];
	session_state(&worker->sessions, session, state);
	struct rg_reply reply = {
		.code = RG_ACCESS_CHALLENGE,
		.eap = eap,
		.state = span_of(state, sizeof(state)),
	};
	answer_reply(detach(session), &reply);
}

static void reject(struct rg_worker *worker, struct rg_session *session, struct rg_span eap,
		   enum rg_reason reason, const char *detail)
{
	struct rg_reply reply = {.code = RG_ACCESS_REJECT, .eap = eap};
	struct rg_request *request = detach(session);
	signin_step(&session->signin, "reject", "%s", reason_word(reason));
	session_over(worker, session, RG_RESULT_REJECT, reason, detail);
	answer_reply(request, &reply);
}

/* The inner name, CUI and the rule's attributes reach our own clients only, never the federation. */
static void add_personal(const struct rg_session *session, const struct rg_request *request,
			 struct rg_reply *reply, char cui[65])
{
	const struct rg_raddb *raddb = session->lease->snapshot->raddb;
	const char *identity = decision_identity(session->decision);
	/* Without the operator it would be the same for all of them (RFC 5580 §4.1 names it; federation.md). */
	if (request->wants_cui && raddb->cui_key && request->operator_name) {
		cui_compute(cui, raddb->cui_key, request->operator_name, identity);
		reply->cui = span_text(cui);
	}
	if (request->client->peer)
		return;
	reply->user_name = span_text(identity);
	if (reply->user_name.length > 253)
		reply->user_name = (struct rg_span){0};
	reply->attributes = decision_result(session->decision)->rule->reply;
}

static void grant(struct rg_worker *worker, struct rg_session *session, struct rg_span eap)
{
	struct rg_eap_keys keys = {0};
	char cui[65];
	struct rg_conversation *conversation = &session->conversation;
	/* Never an Accept without a decision that grants it (architecture.md). */
	if (!session->decision ||
	    decision_result(session->decision)->verdict != RG_VERDICT_GRANTED ||
	    !conversation->method->keys(conversation->running, &keys)) {
		uint8_t memory[4];
		struct rg_buffer failure = buffer_over(memory, sizeof(memory));
		secret_wipe(&keys, sizeof(keys));
		conversation_refused(conversation, &failure);
		reject(worker, session, buffer_span(&failure), RG_REASON_INTERNAL, "no keys");
		return;
	}
	struct rg_request *request = detach(session);
	struct rg_reply reply = {
		.code = RG_ACCESS_ACCEPT,
		.eap = eap,
		.keys = &keys,
		.key_name = request->wants_key_name,
	};
	add_personal(session, request, &reply, cui);
	bool said = answer_reply(request, &reply);
	secret_wipe(&keys, sizeof(keys));
	if (said) {
		conversation->method->accepted(conversation->running);
		session_over(worker, session, RG_RESULT_ACCEPT, RG_REASON_ACCEPTED, NULL);
	} else {
		session_over(worker, session, RG_RESULT_NO_ANSWER, RG_REASON_INTERNAL,
			     "the Access-Accept does not fit in 4096 octets");
	}
}

static enum rg_next fail(struct rg_worker *worker, struct rg_session *session, struct rg_span eap,
			 const struct rg_turn_result *result)
{
	char detail[160];
	const struct rg_proof *proof = conversation_proof(&session->conversation);
	if (proof && proof->subject[0])
		signin_step(&session->signin, "certificate", "%.90s", proof->subject);
	/* What the decision said is escaped already. */
	if (result->detail == session->answer_detail)
		snprintf(detail, sizeof(detail), "%s", result->detail);
	else
		text_escape(detail, sizeof(detail), span_text(result->detail));
	signin_step(&session->signin, "failed", "%.90s", detail);
	reject(worker, session, eap, verdict_reason(session, result->reason), detail);
	return RG_REPLY;
}

static void decided_later(void *context)
{
	verdict_decided(context);
}

/* The method has proof of who it is; whether that one may come in is asked now. */
static enum rg_next decide(struct rg_worker *worker, struct rg_session *session)
{
	const struct rg_proof *proof = conversation_proof(&session->conversation);
	verdict_note_method(session);
	signin_step(&session->signin, session->conversation.method->label, "TLS %s, %s%s%s%s%.60s",
		    proof->tls_version ? proof->tls_version : "?",
		    proof->resumed ? "resumed" : "full handshake", proof->inner ? ", inside " : "",
		    proof->inner ? proof->inner : "", proof->subject[0] ? ": " : "", proof->subject);
	struct rg_decision_case facts = {
		.home = session->home,
		.proof = proof,
		.claim = conversation_claim(&session->conversation),
		.attempts = &session->lease->snapshot->raddb->attempts,
		.outer = session->signin.outer,
		.method = session->conversation.method->label,
		.site = session->client->site,
		.operator = session->client->peer ? "" : session->client->operator,
		.signin = &session->signin,
		.mailbox = &worker->mailbox,
	};
	decision_free(&session->decision);
	session->decision = decision_begin(&facts, decided_later, session);
	return verdict_decided(session);
}

enum rg_next verdict_turn(struct rg_worker *worker, struct rg_session *session, enum rg_turn turn,
			  struct rg_buffer *out, const struct rg_turn_result *result)
{
	switch (turn) {
	case RG_TURN_REQUEST:
		challenge(worker, session, buffer_span(out));
		return RG_REPLY;
	case RG_TURN_PROVEN:
	case RG_TURN_ASK:
		return decide(worker, session);
	case RG_TURN_SUCCESS:
		grant(worker, session, buffer_span(out));
		return RG_REPLY;
	case RG_TURN_FAILURE:
		return fail(worker, session, buffer_span(out), result);
	case RG_TURN_DISCARD:
		count(worker->counters, RG_COUNT_DROP_WRONG_EAP_ID);
		request_drop(session->request);
		return RG_DROP;
	}
	return RG_DROP;
}

/* The directory could not be asked: silence, so that the NAS asks again, here or elsewhere. The log hears of it now. */
static enum rg_next keep_silent(struct rg_worker *worker, struct rg_session *session)
{
	verdict_note_method(session);
	if (!session->reported)
		note_end(worker, &session->signin, RG_RESULT_NO_ANSWER,
			 RG_REASON_DIRECTORY_UNAVAILABLE,
			 decision_result(session->decision)->detail);
	session->reported = true;
	return RG_WAIT;
}

/* A method that asked says the outcome in its own words, a refusal too. */
static enum rg_turn tell(struct rg_session *session, struct rg_buffer *out,
			 struct rg_turn_result *turn_result)
{
	const struct rg_decision_result *result = decision_result(session->decision);
	struct rg_conversation *conversation = &session->conversation;
	struct rg_answer answer = {
		.granted = result->verdict == RG_VERDICT_GRANTED,
		.reason = result->reason,
		.detail = result->detail[0] ? session->answer_detail : NULL,
		.again = result->reason == RG_REASON_PASSWORD_WRONG,
	};
	memcpy(session->answer_detail, result->detail, sizeof(session->answer_detail));
	memcpy(answer.hash_hash, result->hash_hash, sizeof(answer.hash_hash));
	enum rg_turn turn = conversation_answered(conversation, &answer, session->room, out, turn_result);
	secret_wipe(&answer, sizeof(answer));
	return turn;
}

enum rg_next verdict_decided(struct rg_session *session)
{
	struct rg_worker *worker = session->owner;
	uint8_t memory[RG_RADIUS_MOST];
	struct rg_buffer out = buffer_over(memory, sizeof(memory));
	struct rg_turn_result turn_result;
	const struct rg_decision_result *result =
		session->decision ? decision_result(session->decision) : NULL;
	/* Without a request the NAS has given up meanwhile; the deadline ends the session. */
	if (!session->request || (result && result->verdict == RG_VERDICT_PENDING))
		return RG_WAIT;
	if (!result) {
		conversation_refused(&session->conversation, &out);
		reject(worker, session, buffer_span(&out), RG_REASON_INTERNAL, "out of memory");
		return RG_REPLY;
	}
	bool asked = session->conversation.state == RG_CONVERSATION_ASKED;
	if (asked && result->verdict != RG_VERDICT_UNAVAILABLE)
		return verdict_turn(worker, session, tell(session, &out, &turn_result), &out,
				    &turn_result);
	switch (result->verdict) {
	case RG_VERDICT_GRANTED:
		return verdict_turn(worker, session,
				    conversation_granted(&session->conversation, session->room,
							 &out, &turn_result),
				    &out, &turn_result);
	case RG_VERDICT_REFUSED: {
		char detail[160];
		snprintf(detail, sizeof(detail), "%s", result->detail);
		conversation_refused(&session->conversation, &out);
		reject(worker, session, buffer_span(&out), result->reason, detail);
		return RG_REPLY;
	}
	case RG_VERDICT_UNAVAILABLE:
		return keep_silent(worker, session);
	case RG_VERDICT_PENDING:
		break;
	}
	return RG_WAIT;
}

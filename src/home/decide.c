#include "home/decide.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/secret.h"
#include "core/text.h"
#include "home/attempts.h"
#include "home/authorize.h"
#include "home/identity.h"

/* An OCSP question cannot be called back: it outlives the decision that gave it up. */
struct ocsp_errand {
	struct rg_message message;
	struct rg_ocsp_question question;
	struct rg_mailbox *mailbox;
	struct rg_decision *decision; /* NULL: given up; touched on the worker only */
};

struct rg_decision {
	struct rg_decision_case facts;
	struct rg_decision_result result;
	struct rg_identity identity;
	char canonical[256]; /* the directory's own name for that one, or "" */
	struct rg_attempt attempt; /* the claim's, until it is known whether it was right */
	struct ocsp_errand *errand;
	struct rg_inquiry *inquiry;
	bool revocation_settled;
	uint64_t asked_ns;
	void (*decided)(void *context);
	void *context;
};

static void settle(struct rg_decision *decision, enum rg_verdict verdict, enum rg_reason reason)
{
	decision->result.verdict = verdict;
	decision->result.reason = reason;
}

/* Where the directory's answer and the rules leave the person. */
static void apply_rules(struct rg_decision *decision, const struct rg_question *answer)
{
	const struct rg_realm *realm = decision->facts.home->realm;
	struct rg_circumstances now = {
		.identity = decision_identity(decision),
		.method = decision->facts.method,
		.site = decision->facts.site,
		.operator = decision->facts.operator,
		.member = answer->member,
	};
	const struct rg_rule *rule = authorize(realm, &now);
	if (rule && !rule->deny) {
		decision->result.rule = rule;
		signin_step(decision->facts.signin, "rule", "%s:%u allows", rule->where.file,
			    rule->where.line);
		settle(decision, RG_VERDICT_GRANTED, RG_REASON_ACCEPTED);
		return;
	}
	if (rule)
		snprintf(decision->result.detail, sizeof(decision->result.detail),
			 "denied by the rule at %s:%u", rule->where.file, rule->where.line);
	else
		snprintf(decision->result.detail, sizeof(decision->result.detail),
			 "no rule of %s allows it", realm->where.file);
	signin_step(decision->facts.signin, "rule", "%.90s", decision->result.detail);
	settle(decision, RG_VERDICT_REFUSED, RG_REASON_NOT_AUTHORIZED);
}

static enum rg_reason reason_of(enum rg_outcome outcome)
{
	switch (outcome) {
	case RG_OUTCOME_FOUND:
		return RG_REASON_ACCEPTED;
	case RG_OUTCOME_NO_ENTRY:
		return RG_REASON_DIRECTORY_NO_ENTRY;
	case RG_OUTCOME_AMBIGUOUS:
		return RG_REASON_DIRECTORY_AMBIGUOUS;
	case RG_OUTCOME_DISABLED:
		return RG_REASON_DIRECTORY_DISABLED;
	case RG_OUTCOME_WRONG_SECRET:
		return RG_REASON_PASSWORD_WRONG;
	case RG_OUTCOME_PASSWORD_EXPIRED:
		return RG_REASON_PASSWORD_EXPIRED;
	case RG_OUTCOME_MUST_CHANGE:
		return RG_REASON_PASSWORD_MUST_CHANGE;
	case RG_OUTCOME_LOCKED:
		return RG_REASON_ACCOUNT_LOCKED;
	case RG_OUTCOME_OTHER_CERTIFICATE:
		return RG_REASON_CERTIFICATE_INVALID;
	case RG_OUTCOME_UNAVAILABLE:
		return RG_REASON_DIRECTORY_UNAVAILABLE;
	}
	return RG_REASON_INTERNAL;
}

static const char *outcome_text(enum rg_outcome outcome)
{
	switch (outcome) {
	case RG_OUTCOME_FOUND:
		return "found";
	case RG_OUTCOME_NO_ENTRY:
		return "no entry";
	case RG_OUTCOME_AMBIGUOUS:
		return "more than one entry";
	case RG_OUTCOME_DISABLED:
		return "disabled";
	case RG_OUTCOME_WRONG_SECRET:
		return "wrong password";
	case RG_OUTCOME_PASSWORD_EXPIRED:
		return "password expired";
	case RG_OUTCOME_MUST_CHANGE:
		return "password must be changed";
	case RG_OUTCOME_LOCKED:
		return "locked";
	case RG_OUTCOME_OTHER_CERTIFICATE:
		return "has another certificate";
	case RG_OUTCOME_UNAVAILABLE:
		return "could not be asked";
	}
	return "?";
}

/* A name that nobody has is a guess as well. */
static enum rg_attempt_outcome attempt_outcome(enum rg_outcome outcome)
{
	switch (outcome) {
	case RG_OUTCOME_FOUND:
		return RG_ATTEMPT_RIGHT;
	case RG_OUTCOME_NO_ENTRY:
	case RG_OUTCOME_WRONG_SECRET:
		return RG_ATTEMPT_WRONG;
	case RG_OUTCOME_AMBIGUOUS:
	case RG_OUTCOME_DISABLED:
	case RG_OUTCOME_PASSWORD_EXPIRED:
	case RG_OUTCOME_MUST_CHANGE:
	case RG_OUTCOME_LOCKED:
	case RG_OUTCOME_OTHER_CERTIFICATE:
	case RG_OUTCOME_UNAVAILABLE:
		break;
	}
	return RG_ATTEMPT_UNKNOWN;
}

static void take_answer(struct rg_decision *decision, const struct rg_question *answer)
{
	struct rg_signin *signin = decision->facts.signin;
	char shown[80];
	attempts_end(&decision->attempt, decision->facts.attempts,
		     attempt_outcome(answer->outcome), clock_now());
	signin->directory_us += (uint32_t)((clock_now() - decision->asked_ns) / 1000);
	text_escape(shown, sizeof(shown), span_text(answer->detail));
	signin_step(signin, "directory", "%s%s%s", outcome_text(answer->outcome),
		    shown[0] ? ": " : "", shown);
	text_escape(decision->result.detail, sizeof(decision->result.detail),
		    span_text(answer->detail));
	switch (answer->outcome) {
	case RG_OUTCOME_FOUND:
		decision->result.detail[0] = '\0';
		snprintf(decision->canonical, sizeof(decision->canonical), "%s", answer->canonical);
		snprintf(signin->inner, sizeof(signin->inner), "%s", decision_identity(decision));
		apply_rules(decision, answer);
		if (decision->result.verdict == RG_VERDICT_GRANTED)
			memcpy(decision->result.hash_hash, answer->hash_hash,
			       sizeof(decision->result.hash_hash));
		break;
	case RG_OUTCOME_NO_ENTRY:
	case RG_OUTCOME_AMBIGUOUS:
	case RG_OUTCOME_DISABLED:
	case RG_OUTCOME_WRONG_SECRET:
	case RG_OUTCOME_PASSWORD_EXPIRED:
	case RG_OUTCOME_MUST_CHANGE:
	case RG_OUTCOME_LOCKED:
	case RG_OUTCOME_OTHER_CERTIFICATE:
		settle(decision, RG_VERDICT_REFUSED, reason_of(answer->outcome));
		break;
	case RG_OUTCOME_UNAVAILABLE:
		settle(decision, RG_VERDICT_UNAVAILABLE, RG_REASON_DIRECTORY_UNAVAILABLE);
		break;
	}
}

static void on_answer(void *asker, const struct rg_question *answer)
{
	struct rg_decision *decision = asker;
	decision->inquiry = NULL;
	take_answer(decision, answer);
	decision->decided(decision->context);
}

/* The directory module keeps its own, shorter time for each server; this ends it all. */
#define DIRECTORY_DEADLINE_NS (10 * RG_SECOND)

static void add_claim(struct rg_ask *ask, const struct rg_claim *claim)
{
	switch (claim->kind) {
	case RG_CLAIM_PASSWORD:
		ask->kind = RG_ASK_PASSWORD;
		ask->password = claim->password;
		return;
	case RG_CLAIM_MSCHAPV2:
		ask->kind = RG_ASK_MSCHAPV2;
		ask->mschap_name = claim->mschap_name;
		memcpy(ask->challenge, claim->challenge, sizeof(ask->challenge));
		memcpy(ask->nt_response, claim->nt_response, sizeof(ask->nt_response));
		return;
	}
}

static void ask_directory(struct rg_decision *decision)
{
	const struct rg_realm *realm = decision->facts.home->realm;
	decision->asked_ns = clock_now();
	struct rg_ask ask = {
		.kind = RG_ASK_IDENTITY,
		.identity = decision->identity.identity,
		.user = decision->identity.user,
		.realm = decision->identity.realm,
		.host = decision->identity.host,
		.certificate = decision->facts.proof->certificate,
		.groups = realm->groups,
		.group_count = realm->group_count,
		.deadline_ns = decision->asked_ns + DIRECTORY_DEADLINE_NS,
	};
	if (decision->facts.claim)
		add_claim(&ask, decision->facts.claim);
	settle(decision, RG_VERDICT_PENDING, RG_REASON_NONE);
	decision->inquiry = directory_ask(decision->facts.home->directory, &ask,
					  decision->facts.mailbox, on_answer, decision);
	if (!decision->inquiry) {
		snprintf(decision->result.detail, sizeof(decision->result.detail),
			 "too many questions wait for the directory already");
		signin_step(decision->facts.signin, "directory", "queue full");
		attempts_end(&decision->attempt, decision->facts.attempts, RG_ATTEMPT_UNKNOWN,
			     clock_now());
		settle(decision, RG_VERDICT_UNAVAILABLE, RG_REASON_DIRECTORY_UNAVAILABLE);
	}
}

static void take_revocation(struct rg_decision *decision, const struct rg_ocsp_question *answer)
{
	char shown[80];
	bool require = decision->facts.home->realm->eap.ocsp == RG_OCSP_REQUIRE;
	text_escape(shown, sizeof(shown), span_text(answer->detail));
	switch (answer->outcome) {
	case RG_REVOCATION_GOOD:
		signin_step(decision->facts.signin, "ocsp", "good");
		break;
	case RG_REVOCATION_REVOKED:
		signin_step(decision->facts.signin, "ocsp", "revoked %s", shown);
		snprintf(decision->result.detail, sizeof(decision->result.detail),
			 "the OCSP responder says so: %s", shown);
		settle(decision, RG_VERDICT_REFUSED, RG_REASON_CERTIFICATE_REVOKED);
		return;
	case RG_REVOCATION_UNAVAILABLE:
		signin_step(decision->facts.signin, "ocsp", "no answer%s%s",
			    shown[0] ? ": " : "", shown);
		if (require) {
			snprintf(decision->result.detail, sizeof(decision->result.detail),
				 "OCSP: %s", shown);
			settle(decision, RG_VERDICT_REFUSED, RG_REASON_REVOCATION_UNAVAILABLE);
			return;
		}
		break;
	}
	decision->revocation_settled = true;
	ask_directory(decision);
}

static void on_ocsp(struct rg_message *message, void *owner, bool closing)
{
	struct ocsp_errand *errand = (struct ocsp_errand *)message;
	struct rg_decision *decision = closing ? NULL : errand->decision;
	(void)owner;
	if (decision) {
		decision->errand = NULL;
		take_revocation(decision, &errand->question);
	}
	free(errand);
	if (decision && decision->result.verdict != RG_VERDICT_PENDING)
		decision->decided(decision->context);
}

static void ocsp_answered(struct rg_ocsp_question *question)
{
	struct ocsp_errand *errand =
		(struct ocsp_errand *)((char *)question - offsetof(struct ocsp_errand, question));
	mailbox_post(errand->mailbox, &errand->message);
}

static void ask_ocsp(struct rg_decision *decision)
{
	struct ocsp_errand *errand = calloc(1, sizeof(*errand));
	struct rg_ocsp_question none = {.outcome = RG_REVOCATION_UNAVAILABLE, .detail = "overload"};
	if (errand) {
		errand->message.deliver = on_ocsp;
		errand->mailbox = decision->facts.mailbox;
		errand->question.answered = ocsp_answered;
		errand->decision = decision;
		decision->errand = errand;
		settle(decision, RG_VERDICT_PENDING, RG_REASON_NONE);
		if (tls_ocsp_ask(decision->facts.home->tls, decision->facts.proof,
				 &errand->question))
			return;
		decision->errand = NULL;
		free(errand);
	}
	take_revocation(decision, &none);
}

/* What no directory need be asked about: an empty password is none (RFC 4513 §5.1.2), and one with a NUL in it
 * might be cut there by whoever compares it. */
static bool password_possible(struct rg_decision *decision)
{
	const struct rg_claim *claim = decision->facts.claim;
	if (!claim || claim->kind != RG_CLAIM_PASSWORD)
		return true;
	if (claim->password.length != 0 &&
	    !memchr(claim->password.data, 0, claim->password.length))
		return true;
	snprintf(decision->result.detail, sizeof(decision->result.detail), "%s",
		 claim->password.length ? "a password with a NUL in it" : "an empty password");
	signin_step(decision->facts.signin, "password", "%s", decision->result.detail);
	settle(decision, RG_VERDICT_REFUSED, RG_REASON_PASSWORD_WRONG);
	return false;
}

/* Too many wrong ones before: the directory is not asked, nor does it count this one. */
static bool attempt_allowed(struct rg_decision *decision)
{
	const struct rg_decision_case *facts = &decision->facts;
	if (!facts->claim || !facts->attempts ||
	    attempts_begin(&decision->attempt, facts->attempts, &decision->identity, facts->signin->mac,
			   clock_now(), decision->result.detail))
		return true;
	signin_step(facts->signin, "attempts", "%s", decision->result.detail);
	settle(decision, RG_VERDICT_REFUSED, RG_REASON_TOO_MANY_ATTEMPTS);
	return false;
}

struct rg_decision *decision_begin(const struct rg_decision_case *facts,
				   void (*decided)(void *context), void *context)
{
	struct rg_decision *decision = calloc(1, sizeof(*decision));
	if (!decision)
		return NULL;
	decision->facts = *facts;
	decision->decided = decided;
	decision->context = context;
	enum rg_reason reason = identity_settle(&decision->identity, facts->home->realm,
						facts->home->routes, facts->proof, facts->outer, decision->result.detail);
	snprintf(facts->signin->inner, sizeof(facts->signin->inner), "%s",
		 decision->identity.identity);
	signin_step(facts->signin, "identity", "%s",
		    reason == RG_REASON_NONE ? "lies in the realm" : decision->result.detail);
	if (reason != RG_REASON_NONE)
		settle(decision, RG_VERDICT_REFUSED, reason);
	else if (!password_possible(decision) || !attempt_allowed(decision))
		return decision;
	else if (facts->proof->x509 && tls_ocsp_needed(facts->home->tls))
		ask_ocsp(decision);
	else
		ask_directory(decision);
	return decision;
}

void decision_again(struct rg_decision *decision)
{
	decision->result.detail[0] = '\0';
	if (attempt_allowed(decision))
		ask_directory(decision);
}

const struct rg_decision_result *decision_result(const struct rg_decision *decision)
{
	return &decision->result;
}

const char *decision_identity(const struct rg_decision *decision)
{
	return decision->canonical[0] ? decision->canonical : decision->identity.identity;
}

void decision_free(struct rg_decision **freed)
{
	struct rg_decision *decision = *freed;
	*freed = NULL;
	if (!decision)
		return;
	if (decision->errand)
		decision->errand->decision = NULL;
	if (decision->inquiry)
		inquiry_cancel(&decision->inquiry);
	attempts_end(&decision->attempt, decision->facts.attempts, RG_ATTEMPT_UNKNOWN, clock_now());
	secret_wipe(decision->result.hash_hash, sizeof(decision->result.hash_hash));
	free(decision);
}

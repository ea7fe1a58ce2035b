/* Whether a proven person or machine may come in: name, revocation, directory, rules, in this order
 * (architecture.md, "What an EAP-TLS sign-in must bind together"). Asks OCSP and the directory without waiting. */
#ifndef RG_HOME_DECIDE_H
#define RG_HOME_DECIDE_H
#include "core/mailbox.h"
#include "home/realm.h"
#include "observe/signin.h"
#include "roamgate/eap.h"

struct rg_rule;
struct rg_decision;

struct rg_decision_case {
	const struct rg_home *home;
	const struct rg_proof *proof; /* must live as long as the decision */
	const struct rg_claim *claim; /* what the directory has to verify as well; NULL: nothing. Lives as long */
	const struct rg_attempt_settings *attempts; /* for claims */
	const char *outer, *method;
	const char *site, *operator;  /* the client's; operator "" for a federation peer */
	struct rg_signin *signin;     /* steps and times are noted here; the inner identity is set */
	struct rg_mailbox *mailbox;   /* of the worker on which all this happens */
};

enum rg_verdict {
	RG_VERDICT_PENDING,     /* `decided` will be called */
	RG_VERDICT_GRANTED,     /* rule says what the reply bears */
	RG_VERDICT_REFUSED,     /* reason */
	RG_VERDICT_UNAVAILABLE, /* could not be asked: no refusal; decision_again may be tried */
};

struct rg_decision_result {
	enum rg_verdict verdict;
	enum rg_reason reason;
	const struct rg_rule *rule;
	char detail[160]; /* escaped */
	uint8_t hash_hash[16]; /* GRANTED RG_CLAIM_MSCHAPV2: as of struct rg_question; wiped with the decision */
};

/* Begins. NULL: no memory. Look at decision_result at once; when PENDING, decided is called later, once, on the
 * mailbox's loop. */
struct rg_decision *decision_begin(const struct rg_decision_case *,
				   void (*decided)(void *context), void *context);
/* Asks once more what could not be asked. */
void decision_again(struct rg_decision *);
const struct rg_decision_result *decision_result(const struct rg_decision *);
/* The name that counts, as the directory writes it where it knows better; "" until settled. */
const char *decision_identity(const struct rg_decision *);
void decision_free(struct rg_decision **); /* cancels what is under way */
#endif

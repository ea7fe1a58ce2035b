/* The EAP conversations of one worker: found by State, bounded in number and, when the table is full,
 * shared fairly: the oldest of the busiest client goes first (attacks.md E3). */
#ifndef RG_EAP_SESSION_H
#define RG_EAP_SESSION_H
#include <stdbool.h>
#include <stdint.h>

#include "core/timer.h"
#include "eap/conversation.h"
#include "observe/signin.h"

#define RG_STATE_LENGTH 16
#define RG_SESSION_SHARES 256

struct rg_decision; /* home/decide.h */
struct rg_request;
struct rg_lease;
struct rg_home;
struct rg_client;

struct rg_session {
	struct rg_session *older, *newer; /* of the same share */
	struct rg_timer deadline;
	uint32_t slot;
	uint64_t tag;    /* random: a State cannot be guessed */
	uint8_t share;
	void *owner;     /* the worker */
	struct rg_lease *lease;
	const struct rg_home *home;
	const struct rg_client *client; /* State is worth nothing to another */
	struct rg_conversation conversation;
	struct rg_request *request; /* the one that waits for our answer, or NULL */
	struct rg_decision *decision; /* under way or made, or NULL */
	char answer_detail[160]; /* escaped: why the last claim was refused; outlives that decision */
	size_t room;     /* most octets of an EAP packet towards this supplicant */
	bool silent;     /* over and undecided: whoever still asks gets no answer; conversation and decision have ended */
	bool reported;   /* its end is in the log already: a directory that could not be asked */
	struct rg_signin signin;
};

struct rg_session_share {
	struct rg_session *oldest, *newest;
	uint32_t count;
};

struct rg_session_table {
	struct rg_session **slots;
	uint32_t *free_slots; /* used - count of them, the last one to be taken next */
	uint32_t most, count;
	uint32_t used; /* slots that were ever taken: the first ones */
	uint8_t node;
	uint16_t worker;
	struct rg_session_share shares[RG_SESSION_SHARES];
};

bool session_table_init(struct rg_session_table *, uint32_t most, uint8_t node, uint16_t worker);
void session_table_destroy(struct rg_session_table *); /* must be empty */

/* A session that must go for another to fit, or NULL: there is room. The caller ends it. */
struct rg_session *session_table_victim(struct rg_session_table *);
/* A new session, zeroed but for slot, tag and share. NULL: full, or no memory. */
struct rg_session *session_new(struct rg_session_table *, const char *client_name);
/* Takes it out of the table and frees it; what it points to is the caller's to end first. */
void session_free(struct rg_session_table *, struct rg_session **);

/* The State attribute's octets: which gateway, worker, slot, and the tag. */
void session_state(const struct rg_session_table *, const struct rg_session *,
		   uint8_t out[RG_STATE_LENGTH]);

enum rg_state_owner {
	RG_STATE_MINE,
	RG_STATE_OTHER_WORKER, /* *worker says which */
	RG_STATE_OTHER_NODE,
	RG_STATE_FOREIGN,      /* not of our making */
};
enum rg_state_owner session_state_owner(const struct rg_session_table *, struct rg_span state,
					uint16_t *worker);
/* The session of a State that is mine; NULL: ended, or forged. */
struct rg_session *session_find(const struct rg_session_table *, struct rg_span state);
/* Any session, for a walk that ends them all; NULL: none. */
struct rg_session *session_any(const struct rg_session_table *);
#endif

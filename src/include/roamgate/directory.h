/* A directory answers questions about people. It has threads of its own; whoever asks never waits.
 *
 * Each question that `ask` took gets exactly one call of question->answered, from whatever thread,
 * at the latest a little after its deadline and before `close` returns.
 */
#ifndef ROAMGATE_DIRECTORY_H
#define ROAMGATE_DIRECTORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "roamgate/span.h"

enum rg_question_kind {
	RG_ASK_IDENTITY, /* is there exactly one live entry of this name, and in which groups is it? */
	RG_ASK_PASSWORD, /* that, and is this its password? An empty one never is. */
	RG_ASK_MSCHAPV2, /* that, and did whoever made nt_response know its password? (RFC 2759) */
};

/* Never one "failed". UNAVAILABLE is no refusal of the person. */
enum rg_outcome {
	RG_OUTCOME_FOUND,
	RG_OUTCOME_NO_ENTRY,
	RG_OUTCOME_AMBIGUOUS,
	RG_OUTCOME_DISABLED,
	RG_OUTCOME_WRONG_SECRET,
	/* These three are said only where the secret was right, or by a directory that tells them
	 * without looking at it. */
	RG_OUTCOME_PASSWORD_EXPIRED,
	RG_OUTCOME_MUST_CHANGE, /* the password has to be changed before it counts */
	RG_OUTCOME_LOCKED,      /* after too many wrong ones, or for now */
	RG_OUTCOME_OTHER_CERTIFICATE, /* the entry has certificates, and this is none of them */
	RG_OUTCOME_UNAVAILABLE,       /* could not be asked */
};

struct rg_question {
	enum rg_question_kind kind;
	/* %{identity}, %{user}, %{realm}, %{host} of filters; host is "" for people. Owned by the asker. */
	const char *identity, *user, *realm, *host;
	struct rg_span password;    /* RG_ASK_PASSWORD */
	/* RG_ASK_MSCHAPV2: the ChallengeHash (RFC 2759 §8.2), made by the asker; the supplicant's
	 * NT-Response; the name that went into the former, as the supplicant wrote it. */
	uint8_t challenge[8], nt_response[24];
	const char *mschap_name;
	struct rg_span certificate; /* DER of the leaf, for certificate_attribute; empty for none */
	/* DNs or names of which the asker wants to know whether the person is a member. */
	const char *const *groups;
	size_t group_count;
	uint64_t deadline_ns; /* CLOCK_MONOTONIC */
	atomic_bool cancelled; /* the asker is gone: may be answered at once, with anything */

	/* Written by the directory before `answered`. */
	enum rg_outcome outcome;
	bool *member;      /* group_count of them, all false at the start */
	char detail[160];  /* for the helpdesk: the entry's DN, or which server said what */
	/* The person's name in the directory, where that knows a better one than identity; else "". */
	char canonical[256];
	/* RG_ASK_MSCHAPV2, FOUND: the MD4 of the NT hash (RFC 2759 §8.4), from which the authenticator
	 * response and the MPPE keys are made. A secret, as the password is: wiped by its asker. */
	uint8_t hash_hash[16];
	void (*answered)(struct rg_question *); /* set by the asker */
};

enum rg_directory_state { RG_DIRECTORY_UNKNOWN, RG_DIRECTORY_UP, RG_DIRECTORY_DOWN };

/* One server of a directory, for `roamgate status`. */
struct rg_directory_server {
	const char *uri; /* borrowed until the callback returns */
	enum rg_directory_state state;
	const char *why; /* "" when up */
	int64_t since;   /* seconds since the epoch */
};

#define RG_OFFERS_IDENTITY 1u
#define RG_OFFERS_PASSWORD 2u
#define RG_OFFERS_MSCHAPV2 4u
#define RG_OFFERS_GROUPS   8u /* it knows where groups stand */

struct rg_directory_kind {
	unsigned (*offers)(const void *settings); /* RG_OFFERS_* */
	/* Starts; connects only when asked or in a thread of its own, so that it never waits and never
	 * fails for a server that is down. Settings live until close. NULL, with errno: no memory, no
	 * descriptor or no thread. */
	void *(*open)(const void *settings, const char *name);
	/* False, and question untouched: the queue is full. */
	bool (*ask)(void *directory, struct rg_question *);
	void (*status)(void *directory, void (*each)(void *context, const struct rg_directory_server *),
		       void *context);
	/* Ends its threads; questions still open are answered UNAVAILABLE before it returns. */
	void (*close)(void *directory);
};

#endif

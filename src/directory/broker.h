/* Directories in use, and the questions on their way. A directory is open as long as a snapshot
 * holds it; equal settings are one directory, whichever reload or realm asks. */
#ifndef RG_DIRECTORY_BROKER_H
#define RG_DIRECTORY_BROKER_H
#include "config/raddb.h"
#include "core/mailbox.h"
#include "roamgate/directory.h"

struct rg_directory;
struct json_t;

/* Opens it, on a copy of its settings, or takes another reference. NULL, with errno: no memory,
 * descriptor or thread. */
struct rg_directory *directory_get(const struct rg_realm *);
/* The last reference closes it: what is still asked of it is answered UNAVAILABLE before this
 * returns, which may take as long as a connection attempt that is under way. No worker's thread may
 * do this. */
void directory_unref(struct rg_directory **);
/* true: from now on each is closed in a thread of its own, and directory_unref returns at once: the
 * thread that serves administrators does not wait for a name that DNS does not answer. false: no
 * more, and those that are being closed are waited for; before the workers' mailboxes go. */
void directories_close_aside(bool aside);

/* A question of a worker: asked, then answered on that worker's loop by `done`, exactly once,
 * unless cancelled. Its end is `done` or inquiry_cancel, whichever comes first; after `done` it is
 * gone. */
struct rg_inquiry;
typedef void inquiry_done(void *asker, const struct rg_question *answer);

struct rg_ask {
	enum rg_question_kind kind;
	const char *identity, *user, *realm, *host;
	struct rg_span password, certificate;
	/* RG_ASK_MSCHAPV2, as of struct rg_question. */
	uint8_t challenge[8], nt_response[24];
	const char *mschap_name;
	const char *const *groups;
	size_t group_count;
	uint64_t deadline_ns;
};

/* Copies what it is given, and wipes its copies, and the answer, once `done` has returned. NULL: the
 * queue is full or there is no memory; treat it as UNAVAILABLE. The mailbox is the worker's; it must
 * outlive the question. Once it is closed `done` is not called any more: cancel. */
struct rg_inquiry *directory_ask(struct rg_directory *, const struct rg_ask *, struct rg_mailbox *,
				 inquiry_done *done, void *asker);
/* done will not be called. On the worker's thread. */
void inquiry_cancel(struct rg_inquiry **);

/* [{"realm","uri","state","why","since"}] of one directory, appended to array. */
void directory_status_json(struct rg_directory *, const char *realm, struct json_t *array);
#endif

/* How another thread reaches a loop: a queue that many may post to and one loop drains. */
#ifndef RG_CORE_MAILBOX_H
#define RG_CORE_MAILBOX_H
#include <pthread.h>
#include <stdbool.h>
#include <uv.h>

/* Embed it as the first member of whatever is posted. */
struct rg_message {
	struct rg_message *next;
	/* Called once, on the mailbox's loop; owns the message. closing: the loop ends, only free. */
	void (*deliver)(struct rg_message *, void *owner, bool closing);
};

struct rg_mailbox {
	pthread_mutex_t lock;
	struct rg_message *first, **last;
	bool closed;
	uv_async_t async;
	void *owner;
};

int mailbox_init(struct rg_mailbox *, uv_loop_t *, void *owner);
/* From any thread. After close the message is delivered at once with closing set. */
void mailbox_post(struct rg_mailbox *, struct rg_message *);
void mailbox_close(struct rg_mailbox *); /* on the loop's thread; run the loop once more after it */
void mailbox_destroy(struct rg_mailbox *); /* once nobody can post any more and the loop has ended */
#endif

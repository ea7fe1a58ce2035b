/* What blocks, such as looking up a name, and is done by a few threads for loops that may not
 * block. One set a process. */
#ifndef RG_CORE_CHORES_H
#define RG_CORE_CHORES_H
#include <stdbool.h>
#include <uv.h>

#include "core/sandbox.h"

/* Embed it. Zeroed but for what its owner fills in: */
struct rg_chore {
	void (*work)(struct rg_chore *); /* in a thread of this set */
	/* On the loop that asked; the chore is its owner's again. left_out: work was not called. */
	void (*done)(struct rg_chore *, bool left_out);
	/* And what is ours: */
	struct rg_chore *next;
	uv_async_t async;
	bool left_out;
};

/* Starts the threads, of that role. False, with errno: not all could be, and there are none. */
bool chores_open(enum rg_role role);
/* Has it done; the loop goes on until it is. On the loop's thread. False: no threads, or no way to
 * wake the loop. */
bool chore_begin(struct rg_chore *, uv_loop_t *);
/* Nobody waits for it any more: unless it is begun it is left out. Done is called soon, or when it
 * is done. */
void chore_leave_out(struct rg_chore *);
/* Once no loop asks. */
void chores_close(void);
#endif

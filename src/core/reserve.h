/* Memory for what is read as a whole or not at all, such as a configuration: where malloc has none,
 * a reserve is given up for the rest of it, and what was read is refused.
 *
 * It is state of the process and of its threads, and not of an object that is handed down: given up it is malloc's, of which
 * there is one, and libraries that are called in between, by which nothing can be handed on, live on it too. Handed down it
 * would go through each function that reads a name, with nothing that any of them could do with it but to hand it on. */
#ifndef RG_CORE_RESERVE_H
#define RG_CORE_RESERVE_H
#include <stdbool.h>
#include <stddef.h>

/* Sets a reserve aside, unless there is one, and forgets what this thread lacked before. False: no
 * memory. */
bool reserve_begin(void);
/* Zeroed, to be freed; never NULL: the program is aborted where the reserve does not suffice, or
 * was never begun. */
void *reserve_calloc(size_t count, size_t size);
/* This thread left something out for want of memory. */
void reserve_note(void);
/* Whether this thread, since reserve_begin, left something out or used the reserve: what it read
 * counts for nothing. */
bool reserve_used(void);
/* Whether malloc has so much at this moment: asked before libraries that take it without a look. */
bool memory_is_there(size_t size);
#endif

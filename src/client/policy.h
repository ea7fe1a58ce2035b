/* Message-Authenticator policy "auto": what clients and peers have been seen to do. Learned only upward, only from
 * verified packets, shared by all workers, and kept across restarts in state_dir. */
#ifndef RG_CLIENT_POLICY_H
#define RG_CLIENT_POLICY_H
#include <stdatomic.h>
#include <stdbool.h>

/* True once that client or peer has sent a genuine Message-Authenticator. Lives as long as the process. */
typedef atomic_bool rg_learned;

/* Reads what was learned before; a missing file is an empty one, and of one that cannot be read the log says
 * so. Main thread. */
void policy_open(const char *state_dir);
void policy_close(void);
/* The cell of that name ("client NAME", "peer NAME"); made where there is none. NULL: no memory. Main thread. */
rg_learned *policy_cell(const char *name);
/* Writes all cells if one changed since: atomically, by rename. False with errno. Main thread. */
bool policy_save(void);
/* The same, now and then; the log says once that it fails, and once that it is well again. */
void policy_keep(void);
#endif

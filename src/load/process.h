/* What another process has used: proc(5). */
#ifndef RG_LOAD_PROCESS_H
#define RG_LOAD_PROCESS_H
#include <stdbool.h>
#include <stdint.h>

struct rg_process_use {
	uint64_t cpu_ns;             /* CPU time of all its threads, those that ended included */
	uint64_t user_ns, system_ns; /* how it was split, to the kernel's tick (10 ms) */
	uint64_t memory_kib;         /* resident now */
	uint64_t memory_peak_kib;    /* the most it ever was */
};

/* False: there is no such process. */
bool process_use(struct rg_process_use *, int pid);
#endif

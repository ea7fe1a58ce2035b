/* Counters of a worker: written by that worker alone, read by anyone (relaxed), summed when asked. */
#ifndef RG_OBSERVE_COUNTER_H
#define RG_OBSERVE_COUNTER_H
#include <stdatomic.h>
#include <stdint.h>

#include "radius/packet.h"

#define RG_WORKERS_MOST 64 /* counters of the main thread are those of this number */

enum rg_counter {
	RG_COUNT_DATAGRAMS_IN,
	RG_COUNT_DATAGRAMS_OUT,
	RG_COUNT_SEND_FAILED,
	RG_COUNT_ACCESS_REQUEST,
	RG_COUNT_ACCOUNTING_REQUEST,
	RG_COUNT_STATUS_SERVER,
	RG_COUNT_ACCEPT,
	RG_COUNT_REJECT,
	RG_COUNT_CHALLENGE,
	RG_COUNT_ACCOUNTING_RESPONSE,
	RG_COUNT_DROP_UNKNOWN_CLIENT,
	RG_COUNT_DROP_MALFORMED,          /* by fault: see RG_COUNT_FAULT */
	RG_COUNT_DROP_AUTHENTICATOR,      /* Message-Authenticator or Request Authenticator wrong */
	RG_COUNT_DROP_NO_MESSAGE_AUTHENTICATOR,
	RG_COUNT_DROP_NOT_SERVED,         /* a code that this port does not serve */
	RG_COUNT_DROP_DUPLICATE,          /* repeat of one in progress */
	RG_COUNT_REPEATED,                /* answered again, byte for byte */
	RG_COUNT_REFORWARDED,             /* repeat sent on unchanged */
	RG_COUNT_DROP_WRONG_EAP_ID,
	RG_COUNT_DROP_OVERLOAD,
	RG_COUNT_ACCOUNTING_UNKEPT,       /* verified, kept by nothing, left unacknowledged */
	RG_COUNT_FORWARDED,
	RG_COUNT_UPSTREAM_ANSWERS,
	RG_COUNT_UPSTREAM_BAD,            /* forged, unsolicited, wrong code */
	RG_COUNT_UPSTREAM_LOST,
	RG_COUNT_FAILOVERS,
	RG_COUNT_SESSIONS_BEGUN,
	RG_COUNT_SESSIONS_EVICTED,
	RG_COUNT_HANDED_OVER,
	RG_COUNT_OBSERVE_LOST,
	RG_COUNT_OVERFLOWED,              /* dropped by the kernel: a socket was full */
	RG_COUNT_FAULT,                   /* RG_PACKET_FAULT_COUNT slots from here */
	RG_COUNTERS = RG_COUNT_FAULT + RG_PACKET_FAULT_COUNT
};

struct rg_counters {
	_Alignas(64) _Atomic uint64_t value[RG_COUNTERS];
};

static inline void count_more(struct rg_counters *counters, enum rg_counter which, uint64_t more)
{
	atomic_store_explicit(&counters->value[which],
			      atomic_load_explicit(&counters->value[which], memory_order_relaxed) + more,
			      memory_order_relaxed);
}

static inline void count(struct rg_counters *counters, enum rg_counter which)
{
	count_more(counters, which, 1);
}

/* The counters of one worker, or with RG_WORKERS_MOST of the main thread; they live as long as the process. */
struct rg_counters *counters_of(unsigned worker);
uint64_t counters_sum(enum rg_counter);
const char *counter_word(enum rg_counter); /* "drop_unknown_client"; of a fault: its word, "attribute-length"; static */
#endif

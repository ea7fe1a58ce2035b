#include "observe/counter.h"

#include <stddef.h>

/* A table of the process: one row a worker and one for the main thread. */
static struct rg_counters table[RG_WORKERS_MOST + 1];

static const char *const words[RG_COUNT_FAULT] = {
	[RG_COUNT_DATAGRAMS_IN] = "datagrams_in",
	[RG_COUNT_DATAGRAMS_OUT] = "datagrams_out",
	[RG_COUNT_SEND_FAILED] = "send_failed",
	[RG_COUNT_ACCESS_REQUEST] = "access_request",
	[RG_COUNT_ACCOUNTING_REQUEST] = "accounting_request",
	[RG_COUNT_STATUS_SERVER] = "status_server",
	[RG_COUNT_ACCEPT] = "accept",
	[RG_COUNT_REJECT] = "reject",
	[RG_COUNT_CHALLENGE] = "challenge",
	[RG_COUNT_ACCOUNTING_RESPONSE] = "accounting_response",
	[RG_COUNT_DROP_UNKNOWN_CLIENT] = "drop_unknown_client",
	[RG_COUNT_DROP_MALFORMED] = "drop_malformed",
	[RG_COUNT_DROP_AUTHENTICATOR] = "drop_authenticator",
	[RG_COUNT_DROP_NO_MESSAGE_AUTHENTICATOR] = "drop_no_message_authenticator",
	[RG_COUNT_DROP_NOT_SERVED] = "drop_not_served",
	[RG_COUNT_DROP_DUPLICATE] = "drop_duplicate",
	[RG_COUNT_REPEATED] = "repeated",
	[RG_COUNT_REFORWARDED] = "reforwarded",
	[RG_COUNT_DROP_WRONG_EAP_ID] = "drop_wrong_eap_id",
	[RG_COUNT_DROP_OVERLOAD] = "drop_overload",
	[RG_COUNT_ACCOUNTING_UNKEPT] = "accounting_unkept",
	[RG_COUNT_FORWARDED] = "forwarded",
	[RG_COUNT_UPSTREAM_ANSWERS] = "upstream_answers",
	[RG_COUNT_UPSTREAM_BAD] = "upstream_bad",
	[RG_COUNT_UPSTREAM_LOST] = "upstream_lost",
	[RG_COUNT_FAILOVERS] = "failovers",
	[RG_COUNT_SESSIONS_BEGUN] = "sessions_begun",
	[RG_COUNT_SESSIONS_EVICTED] = "sessions_evicted",
	[RG_COUNT_HANDED_OVER] = "handed_over",
	[RG_COUNT_OBSERVE_LOST] = "observe_lost",
	[RG_COUNT_OVERFLOWED] = "overflowed",
};

struct rg_counters *counters_of(unsigned worker)
{
	return &table[worker < RG_WORKERS_MOST ? worker : RG_WORKERS_MOST];
}

uint64_t counters_sum(enum rg_counter which)
{
	uint64_t sum = 0;
	for (size_t i = 0; i <= RG_WORKERS_MOST; i++)
		sum += atomic_load_explicit(&table[i].value[which], memory_order_relaxed);
	return sum;
}

const char *counter_word(enum rg_counter which)
{
	if (which >= RG_COUNT_FAULT)
		return packet_fault_word((enum rg_packet_fault)(which - RG_COUNT_FAULT));
	return words[which];
}

#include "request/path.h"

/* Every datagram goes down this table until a stage answers it, drops it or waits for somebody. */
static enum rg_next (*const stages[])(struct rg_inbound *) = {
	view_stage,   /* is it a RADIUS packet? */
	client_stage, /* does somebody we know ask, where that may be asked? */
	verify_stage, /* and is it really them? */
	status_stage, /* are we alive? */
	window_stage, /* is it new, or a repeat? */
	route_stage,  /* whose realm is it? */
	home_stage,   /* ours: the EAP session */
	away_stage,   /* somebody else's: a peer */
};

bool path_run(struct rg_worker *worker, struct rg_link *link, const struct rg_datagram *datagram)
{
	struct rg_inbound inbound = {
		.worker = worker, .link = link, .datagram = datagram};
	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++)
		if (stages[i](&inbound) != RG_NEXT)
			break;
	return !inbound.broken;
}

#include "request/path.h"

#include "request/worker.h"

/* Every datagram goes down these tables until a stage answers it, drops it or waits for somebody.
 * Those of a batch meet in between: their digests cost less together. */
static enum rg_next (*const first_stages[])(struct rg_inbound *) = {
	view_stage,   /* is it a RADIUS packet? */
	client_stage, /* does somebody we know ask, where that may be asked? */
};
static enum rg_next (*const stages[])(struct rg_inbound *) = {
	verify_stage, /* and is it really them? */
	status_stage, /* are we alive? */
	window_stage, /* is it new, or a repeat? */
	route_stage,  /* whose realm is it? */
	home_stage,   /* ours: the EAP session */
	away_stage,   /* somebody else's: a peer */
};

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))
#define TOGETHER                                                                                   \
	16u /* as many as are verified in step; more would leave the processor's nearest memory */

static enum rg_next run(struct rg_inbound *inbound,
			enum rg_next (*const table[])(struct rg_inbound *), size_t length)
{
	enum rg_next next = RG_NEXT;
	for (size_t i = 0; i < length && next == RG_NEXT; i++)
		next = table[i](inbound);
	return next;
}

/* Which of them are repeats is seen soon: a window of many thousands is in no processor's cache. */
static void foresee(struct rg_inbound *known[], size_t count,
		    void (*fetch)(const struct rg_window *, const struct rg_link *,
				  const union rg_address *, uint32_t))
{
	for (size_t i = 0; i < count; i++)
		fetch(&known[i]->worker->window, known[i]->link, &known[i]->datagram->source,
		      known[i]->packet.token);
}

/* Takes them from first stage to last. False: the frame of one is broken; where they came in a
 * stream, those after it are none. */
static bool run_together(struct rg_inbound *inbounds, size_t count)
{
	struct rg_inbound *known[TOGETHER];
	size_t known_count = 0;
	bool broken = false;
	for (size_t i = 0; i < count && !(broken && inbounds[i].link->kind != RG_LINK_UDP); i++) {
		if (run(&inbounds[i], first_stages, LENGTH(first_stages)) == RG_NEXT)
			known[known_count++] = &inbounds[i];
		broken = broken || inbounds[i].broken;
	}
	foresee(known, known_count, window_fetch);
	verify_digests(known, known_count);
	foresee(known, known_count, window_fetch_found);
	for (size_t i = 0; i < known_count; i++)
		run(known[i], stages, LENGTH(stages));
	return !broken;
}

static void begin(struct rg_inbound *inbound, struct rg_worker *worker, struct rg_link *link,
		  const struct rg_datagram *datagram)
{
	*inbound = (struct rg_inbound){.worker = worker, .link = link, .datagram = datagram};
}

bool path_run(struct rg_worker *worker, struct rg_link *link, const struct rg_datagram *datagram)
{
	struct rg_inbound inbound;
	begin(&inbound, worker, link, datagram);
	return run_together(&inbound, 1);
}

bool path_run_batch(struct rg_worker *worker, struct rg_link *link,
		    const struct rg_datagram *datagrams, size_t count)
{
	struct rg_inbound inbounds[TOGETHER];
	bool whole = true;
	outbox_gather(worker->outbox);
	for (size_t at = 0; at < count && (whole || link->kind == RG_LINK_UDP); at += TOGETHER) {
		size_t together = count - at < TOGETHER ? count - at : TOGETHER;
		for (size_t i = 0; i < together; i++)
			begin(&inbounds[i], worker, link, &datagrams[at + i]);
		whole = run_together(inbounds, together) && whole;
	}
	outbox_seal(worker->outbox);
	return whole;
}

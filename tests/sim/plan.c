/* What the seed decides before anything happens: how large the region is, and what goes wrong in
 * it. */
#include "sim.h"

static void draw_network(struct plan *plan, struct chance *chance)
{
	plan->delay_ms = chance_between(chance, 0, 10);
	plan->jitter_ms =
		plan->calm ? chance_between(chance, 0, 20) : chance_between(chance, 0, 300);
	if (plan->calm)
		return;
	plan->loss = chance_permille(chance, 300) ? chance_between(chance, 100, 300)
						  : chance_below(chance, 100);
	plan->repeat = chance_between(chance, 0, 200);
	plan->corrupt = chance_between(chance, 0, 60);
}

static void draw_trouble(struct plan *plan, struct chance *chance)
{
	if (plan->calm)
		return;
	plan->sick = chance_permille(chance, 400) ? chance_between(chance, 50, 600) : 0;
	plan->stalls = chance_permille(chance, 300) ? chance_between(chance, 1, 6) : 0;
	plan->moods = chance_permille(chance, 700) ? chance_between(chance, 20, 500) : 0;
	plan->cut = chance_permille(chance, 200);
	plan->drain = chance_permille(chance, 500);
	plan->shortage = chance_permille(chance, 100) ? chance_between(chance, 1, 40) : 0;
	plan->few_ids = chance_permille(chance, 150);
	plan->flaps = chance_permille(chance, 300) ? chance_between(chance, 1, 8) : 0;
}

void plan_draw(struct plan *plan, uint64_t seed)
{
	struct chance chance = chance_of(seed, 1);
	*plan = (struct plan){.calm = chance_permille(&chance, 300)};
	plan->workers = chance_between(&chance, 1, WORKERS_MOST);
	plan->nases = chance_between(&chance, 1, PROXY);
	plan->peers = chance_between(&chance, 1, PEERS_MOST);
	plan->signins = chance_between(&chance, 1, 14);
	plan->sessions = plan->calm ? 64 : chance_between(&chance, 2, 24);
	plan->reject_delay_ms =
		chance_permille(&chance, 500) ? chance_between(&chance, 100, 2000) : 0;
	plan->session_s = chance_between(&chance, 30, 60);
	plan->balance = chance_permille(&chance, 500);
	plan->status_server = chance_permille(&chance, 500);
	plan->span_s = chance_between(&chance, 1, 40);
	plan->crowd = chance_permille(&chance, 15);
	plan->half_open = chance_permille(&chance, 40);
	plan->tls = chance_permille(&chance, 100);
	plan->reload = chance_permille(&chance, 250);
	draw_network(plan, &chance);
	draw_trouble(plan, &chance);
	if (plan->peers > 1 && chance_permille(&chance, 250))
		plan->dead_peer = chance_between(&chance, 1, plan->peers);
	if (plan->crowd) {
		plan->signins = chance_between(&chance, 280, 620);
		plan->sessions = 4096;
		plan->span_s = 2;
		plan->tls = plan->half_open = false;
	}
	if (plan->half_open) {
		plan->signins += 120;
		plan->sessions = chance_between(&chance, 32, 64);
		plan->nases = PROXY;
	}
}

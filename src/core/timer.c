#include "core/timer.h"

#include <stddef.h>
#include <string.h>

void wheel_init(struct rg_wheel *wheel, uint64_t now)
{
	memset(wheel, 0, sizeof(*wheel));
	wheel->tick = now / RG_WHEEL_TICK_NS;
	wheel->soonest_ns = UINT64_MAX;
}

static void link_in(struct rg_wheel *wheel, struct rg_timer *timer)
{
	/* The tick that begins at or after due, so that nothing fires early. */
	uint64_t tick = timer->due_ns / RG_WHEEL_TICK_NS + (timer->due_ns % RG_WHEEL_TICK_NS != 0);
	if (tick <= wheel->tick)
		tick = wheel->tick + 1;
	struct rg_timer **slot = &wheel->slots[tick % RG_WHEEL_SLOTS];
	timer->next = *slot;
	timer->self = slot;
	if (timer->next)
		timer->next->self = &timer->next;
	*slot = timer;
	wheel->armed++;
	if (tick * RG_WHEEL_TICK_NS < wheel->soonest_ns)
		wheel->soonest_ns = tick * RG_WHEEL_TICK_NS;
}

void timer_cancel(struct rg_wheel *wheel, struct rg_timer *timer)
{
	if (!timer->self)
		return;
	*timer->self = timer->next;
	if (timer->next)
		timer->next->self = timer->self;
	timer->self = NULL;
	timer->next = NULL;
	wheel->armed--;
}

void timer_arm(struct rg_wheel *wheel, struct rg_timer *timer, uint64_t due_ns)
{
	timer_cancel(wheel, timer);
	timer->due_ns = due_ns;
	link_in(wheel, timer);
}

static void serve_slot(struct rg_wheel *wheel, uint64_t now)
{
	/* Taken off whole, so that a timer that re-arms itself into this slot waits for the next turn. */
	struct rg_timer *due = wheel->slots[wheel->tick % RG_WHEEL_SLOTS];
	wheel->slots[wheel->tick % RG_WHEEL_SLOTS] = NULL;
	if (due)
		due->self = &due;
	while (due) {
		struct rg_timer *timer = due;
		timer_cancel(wheel, timer);
		if (timer->due_ns > now)
			link_in(wheel, timer); /* a later turn of the wheel */
		else
			timer->fire(timer, now);
	}
}

/* The next slot that holds anything; a timer of a later turn makes it early, never late. */
static uint64_t find_soonest(const struct rg_wheel *wheel)
{
	if (wheel->armed == 0)
		return UINT64_MAX;
	uint64_t tick = wheel->tick + 1;
	while (!wheel->slots[tick % RG_WHEEL_SLOTS])
		tick++;
	return tick * RG_WHEEL_TICK_NS;
}

void wheel_advance(struct rg_wheel *wheel, uint64_t now)
{
	uint64_t target = now / RG_WHEEL_TICK_NS;
	/* After a long pause every slot is visited once; more turns would find the same timers. */
	if (target > wheel->tick + RG_WHEEL_SLOTS)
		wheel->tick = target - RG_WHEEL_SLOTS;
	while (wheel->tick < target) {
		wheel->tick++;
		serve_slot(wheel, now);
	}
	wheel->soonest_ns = find_soonest(wheel);
}

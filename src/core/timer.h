/* Deadlines by the ten thousand: a wheel of intrusive lists, so that arming and cancelling cost the
 * same whatever their number. Ticks of 10 ms; a timer never fires early. */
#ifndef RG_CORE_TIMER_H
#define RG_CORE_TIMER_H
#include <stdbool.h>
#include <stdint.h>

#define RG_WHEEL_SLOTS 1024
#define RG_WHEEL_TICK_NS UINT64_C(10000000)

struct rg_timer {
	struct rg_timer *next, **self; /* self NULL: not armed */
	uint64_t due_ns;
	void (*fire)(struct rg_timer *, uint64_t now);
};

struct rg_wheel {
	uint64_t tick; /* the last one served */
	unsigned armed;
	uint64_t soonest_ns; /* nothing is due before it; UINT64_MAX: nothing is armed */
	struct rg_timer *slots[RG_WHEEL_SLOTS];
};

void wheel_init(struct rg_wheel *, uint64_t now);
void timer_arm(struct rg_wheel *, struct rg_timer *, uint64_t due_ns); /* re-arms an armed one */
void timer_cancel(struct rg_wheel *, struct rg_timer *);
static inline bool timer_armed(const struct rg_timer *timer)
{
	return timer->self;
}
/* Fires what is due; a timer may arm or cancel any timer, itself included. */
void wheel_advance(struct rg_wheel *, uint64_t now);
#endif

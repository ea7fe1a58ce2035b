#include "core/timer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/clock.h"

#define START (1000 * RG_SECOND + 3 * RG_MS)
#define TURN  (RG_WHEEL_SLOTS * RG_WHEEL_TICK_NS)

struct alarm {
	struct rg_timer timer; /* first, so that one is the other */
	unsigned fired;
	uint64_t fired_at;
	struct rg_wheel *wheel;
	struct alarm *other; /* for those that touch another one when they fire */
	uint64_t again;      /* re-arms itself by so much */
};

static void on_fire(struct rg_timer *timer, uint64_t now)
{
	struct alarm *alarm = (struct alarm *)timer;
	assert_false(timer_armed(timer));
	assert_true(now >= timer->due_ns);
	alarm->fired++;
	alarm->fired_at = now;
}

static void arm(struct rg_wheel *wheel, struct alarm *alarm, uint64_t due)
{
	if (!alarm->timer.fire)
		alarm->timer.fire = on_fire;
	timer_arm(wheel, &alarm->timer, due);
}

static void fires_once_due_and_never_early(void **state)
{
	struct rg_wheel wheel;
	struct alarm alarm = {0};
	(void)state;
	for (uint64_t delay = 0; delay < 50 * RG_MS; delay += 333333) {
		alarm.fired = 0;
		wheel_init(&wheel, START);
		arm(&wheel, &alarm, START + delay);
		assert_true(timer_armed(&alarm.timer));
		uint64_t now = START;
		while (alarm.fired == 0) {
			now += RG_MS;
			assert_true(now < START + delay + 3 * RG_WHEEL_TICK_NS);
			wheel_advance(&wheel, now);
		}
		assert_true(alarm.fired_at >= START + delay);
		wheel_advance(&wheel, now + 3 * TURN);
		assert_int_equal(alarm.fired, 1);
		assert_int_equal(wheel.armed, 0);
	}
}

static void very_long_deadlines(void **state)
{
	static const uint64_t delays[] = {TURN - 1, TURN, TURN + 1, 5 * TURN + 77,
					  86400 * RG_SECOND};
	struct rg_wheel wheel;
	struct alarm alarms[5] = {0}, never = {0};
	(void)state;
	wheel_init(&wheel, START);
	for (size_t i = 0; i < 5; i++)
		arm(&wheel, &alarms[i], START + delays[i]);
	arm(&wheel, &never, UINT64_MAX);
	for (uint64_t now = START; now < START + 6 * TURN; now += 7 * RG_MS) {
		wheel_advance(&wheel, now);
		for (size_t i = 0; i < 5; i++)
			if (now < START + delays[i])
				assert_int_equal(alarms[i].fired, 0);
			else if (now > START + delays[i] + 2 * RG_WHEEL_TICK_NS)
				assert_int_equal(alarms[i].fired, 1);
	}
	assert_int_equal(alarms[4].fired, 0);
	wheel_advance(&wheel, START + 86400 * RG_SECOND + 2 * RG_WHEEL_TICK_NS);
	assert_int_equal(alarms[4].fired, 1);
	assert_int_equal(never.fired, 0);
	assert_int_equal(wheel.armed, 1);
	timer_cancel(&wheel, &never.timer);
	assert_int_equal(wheel.armed, 0);
}

static void all_are_served_after_a_long_pause(void **state)
{
	struct rg_wheel wheel;
	struct alarm *alarms = calloc(3000, sizeof(*alarms));
	(void)state;
	wheel_init(&wheel, START);
	for (uint64_t i = 0; i < 3000; i++)
		arm(&wheel, &alarms[i], START + i * 9 * RG_MS);
	uint64_t now = START + 2500 * 9 * RG_MS;
	wheel_advance(&wheel, now);
	wheel_advance(&wheel, now + RG_WHEEL_TICK_NS);
	for (uint64_t i = 0; i < 3000; i++)
		if (i <= 2500)
			assert_int_equal(alarms[i].fired, 1);
		else if (i > 2503)
			assert_int_equal(alarms[i].fired, 0);
	wheel_advance(&wheel, START + 4000 * 9 * RG_MS);
	for (uint64_t i = 0; i < 3000; i++)
		assert_int_equal(alarms[i].fired, 1);
	free(alarms);
}

static void a_past_deadline_fires_at_the_next_tick(void **state)
{
	struct rg_wheel wheel;
	struct alarm alarm = {0};
	(void)state;
	wheel_init(&wheel, START);
	arm(&wheel, &alarm, START - 100 * RG_SECOND);
	wheel_advance(&wheel, START); /* the same tick */
	assert_int_equal(alarm.fired, 0);
	wheel_advance(&wheel, START + RG_WHEEL_TICK_NS);
	assert_int_equal(alarm.fired, 1);
}

static void arming_again_moves_it(void **state)
{
	struct rg_wheel wheel;
	struct alarm alarm = {0};
	(void)state;
	wheel_init(&wheel, START);
	arm(&wheel, &alarm, START + 20 * RG_MS);
	arm(&wheel, &alarm, START + 200 * RG_MS);
	assert_int_equal(wheel.armed, 1);
	wheel_advance(&wheel, START + 100 * RG_MS);
	assert_int_equal(alarm.fired, 0);
	wheel_advance(&wheel, START + 220 * RG_MS);
	assert_int_equal(alarm.fired, 1);
}

static void cancelling(void **state)
{
	struct rg_wheel wheel;
	struct alarm alarms[3] = {0};
	(void)state;
	wheel_init(&wheel, START);
	for (int i = 0; i < 3; i++)
		arm(&wheel, &alarms[i], START + 20 * RG_MS);
	timer_cancel(&wheel, &alarms[1].timer);
	timer_cancel(&wheel, &alarms[1].timer); /* no harm */
	assert_int_equal(wheel.armed, 2);
	wheel_advance(&wheel, START + RG_SECOND);
	assert_int_equal(alarms[0].fired, 1);
	assert_int_equal(alarms[1].fired, 0);
	assert_int_equal(alarms[2].fired, 1);
}

static void on_fire_again(struct rg_timer *timer, uint64_t now)
{
	struct alarm *alarm = (struct alarm *)timer;
	on_fire(timer, now);
	timer_arm(alarm->wheel, timer, now + alarm->again);
}

static void rearming_while_firing(void **state)
{
	/* At once, within the tick, the next tick, and a whole turn on: into the slot being served.
	 */
	static const uint64_t again[] = {0, 1, RG_WHEEL_TICK_NS, TURN};
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct rg_wheel wheel;
		struct alarm alarm = {
			.timer = {.fire = on_fire_again}, .wheel = &wheel, .again = again[i]};
		wheel_init(&wheel, START);
		arm(&wheel, &alarm, START);
		uint64_t now = START;
		for (unsigned turn = 1; turn <= 5; turn++) {
			now += again[i] + RG_WHEEL_TICK_NS;
			unsigned before = alarm.fired;
			wheel_advance(&wheel, now);
			assert_true(alarm.fired > before);
			assert_true(alarm.fired <= before + 2);
			assert_int_equal(wheel.armed, 1);
		}
		timer_cancel(&wheel, &alarm.timer);
	}
}

static void on_fire_other(struct rg_timer *timer, uint64_t now)
{
	struct alarm *alarm = (struct alarm *)timer;
	on_fire(timer, now);
	if (alarm->again)
		timer_arm(alarm->wheel, &alarm->other->timer, now + alarm->again);
	else
		timer_cancel(alarm->wheel, &alarm->other->timer);
}

static void touching_another_of_the_same_tick(void **state)
{
	(void)state;
	for (int cancel = 0; cancel < 2; cancel++) {
		struct rg_wheel wheel;
		struct alarm alarms[4] = {0};
		wheel_init(&wheel, START);
		/* Two pairs; in each the one that is served first cancels or postpones the other.
		 */
		for (int i = 0; i < 4; i++) {
			alarms[i] = (struct alarm){.timer = {.fire = on_fire_other},
						   .wheel = &wheel,
						   .other = &alarms[i ^ 1],
						   .again = cancel ? 0 : RG_SECOND};
			arm(&wheel, &alarms[i], START + 20 * RG_MS);
		}
		wheel_advance(&wheel, START + 40 * RG_MS);
		assert_int_equal(alarms[0].fired + alarms[1].fired, 1);
		assert_int_equal(alarms[2].fired + alarms[3].fired, 1);
		assert_int_equal(wheel.armed, cancel ? 0 : 2);
		for (int i = 0; i < 4; i++)
			timer_cancel(&wheel, &alarms[i].timer);
	}
}

static void ten_thousand_at_random(void **state)
{
	struct rg_wheel wheel;
	struct alarm *alarms = calloc(10000, sizeof(*alarms));
	uint64_t seed = 1, now = START;
	(void)state;
	wheel_init(&wheel, now);
	for (int step = 0; step < 100000; step++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		struct alarm *alarm = &alarms[seed % 10000];
		if (seed >> 60 == 0)
			timer_cancel(&wheel, &alarm->timer);
		else
			arm(&wheel, alarm, now + (seed >> 20) % (3 * TURN));
		if (step % 10 == 0)
			wheel_advance(&wheel, now += RG_MS);
	}
	wheel_advance(&wheel, now += 4 * TURN);
	for (int i = 0; i < 10000; i++)
		assert_false(timer_armed(&alarms[i].timer));
	assert_int_equal(wheel.armed, 0);
	free(alarms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fires_once_due_and_never_early),
		cmocka_unit_test(very_long_deadlines),
		cmocka_unit_test(all_are_served_after_a_long_pause),
		cmocka_unit_test(a_past_deadline_fires_at_the_next_tick),
		cmocka_unit_test(arming_again_moves_it),
		cmocka_unit_test(cancelling),
		cmocka_unit_test(rearming_while_firing),
		cmocka_unit_test(touching_another_of_the_same_tick),
		cmocka_unit_test(ten_thousand_at_random),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

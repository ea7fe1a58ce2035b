/* The relay between all of them: it loses, repeats, delays, reorders and spoils. */
#include <stdlib.h>

#include "sim.h"

static bool is_gateway(uint32_t ip)
{
	return ip == GATEWAY || ip == GATEWAY + 1;
}

static void arrive(void *context)
{
	struct flight *flight = context;
	trace("arrives", (uint64_t)flight->to.ip << 16 | flight->to.port, flight->bytes,
	      flight->length);
	if (is_gateway(flight->to.ip))
		socket_deliver(flight);
	else if (nas_is_at(flight->to))
		nas_receive(flight);
	else if (peer_is_at(flight->to))
		peer_receive(flight);
	free(flight);
}

static void depart(const struct flight *flight, uint64_t delay)
{
	struct flight *copy = own(sizeof(*copy));
	memcpy(copy, flight, sizeof(*copy) - sizeof(copy->bytes) + flight->length);
	event_at(world.now + delay, arrive, copy);
}

static uint64_t delay_draw(void)
{
	const struct plan *plan = &world.plan;
	uint64_t delay = plan->delay_ms * RG_MS +
			 (uint64_t)chance_below(&world.net, 1000 * plan->jitter_ms + 1) * 1000;
	/* Now and then one that was thought lost. */
	if (!plan->calm && chance_permille(&world.net, 5))
		delay += (uint64_t)chance_below(&world.net, 15000) * RG_MS;
	return delay;
}

/* Nobody can tell that what is not signed is not what was sent. */
static unsigned corruption(const struct flight *flight)
{
	const struct exchange *exchange = flight->origin;
	return exchange && !exchange->is_signed ? 0 : world.plan.corrupt;
}

/* A bit turned, or an end cut off. */
static void spoil(struct flight *flight)
{
	unsigned how = chance_below(&world.net, 8);
	flight->spoilt = true;
	if (how == 0 && flight->length > 1) {
		flight->length = chance_below(&world.net, (unsigned)flight->length);
	} else {
		unsigned at = chance_below(&world.net, (unsigned)flight->length);
		flight->bytes[at] ^= (uint8_t)(1u << chance_below(&world.net, 8));
	}
}

void net_send_safely(struct spot from, struct spot to, const void *bytes, size_t length,
		     void *origin, uint64_t delay)
{
	struct flight flight = {.from = from, .to = to, .origin = origin, .length = length};
	must(length <= sizeof(flight.bytes));
	memcpy(flight.bytes, bytes, length);
	depart(&flight, delay);
}

void net_send(struct spot from, struct spot to, const void *bytes, size_t length, void *origin)
{
	const struct plan *plan = &world.plan;
	struct flight flight = {.from = from, .to = to, .origin = origin, .length = length};
	trace("leaves", (uint64_t)to.ip << 16 | to.port, bytes, length);
	if (length > sizeof(flight.bytes))
		return;
	memcpy(flight.bytes, bytes, length);
	if (chance_permille(&world.net, plan->repeat)) {
		struct flight copy = flight;
		if (chance_permille(&world.net, 4 * corruption(&flight)))
			spoil(&copy);
		depart(&copy, delay_draw());
	}
	if (chance_permille(&world.net, plan->loss)) {
		say("    lost: %x:%u to %x:%u", from.ip, from.port, to.ip, to.port);
		return;
	}
	if (chance_permille(&world.net, corruption(&flight)) && length != 0)
		spoil(&flight);
	depart(&flight, delay_draw());
}

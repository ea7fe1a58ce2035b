#include "upstream/pool.h"

#include "upstream/affinity.h"

uint32_t realm_hash(struct rg_span realm)
{
	uint32_t hash = UINT32_C(0x811c9dc5);
	for (size_t i = 0; i < realm.length; i++) {
		uint8_t c = realm.data[i];
		hash = (hash ^ (c >= 'A' && c <= 'Z' ? c | 0x20u : c)) * UINT32_C(0x01000193);
	}
	return hash ? hash : 1;
}

static uint64_t hash_more(uint64_t hash, struct rg_span text)
{
	for (size_t i = 0; i < text.length; i++)
		hash = (hash ^ text.data[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* Whose State nobody remembers goes where all workers would send it: by who signs in, weighed
 * against each peer (rendezvous hashing), so that one peer more or less moves nobody but its own.
 */
static uint64_t affection(const struct rg_packet *packet, const struct rg_peer *peer)
{
	uint64_t hash = hash_more(UINT64_C(0xcbf29ce484222325), packet_find(packet, RG_USER_NAME));
	hash = hash_more(hash, packet_find(packet, RG_CALLING_STATION_ID));
	hash = hash_more(hash, span_text(peer->name));
	return (hash ^ hash >> 31) * UINT64_C(0x9e3779b97f4a7c15);
}

/* How much a peer has to do, against its share of new conversations. */
static uint64_t burden(struct rg_peer *peer, uint64_t now)
{
	return ((uint64_t)peer->under_way + 1) * RG_WEIGHT / health_weight(peer, now);
}

struct candidate {
	struct rg_peer *peer;
	unsigned place;
	enum rg_fitness fitness;
	uint64_t cost; /* the lower the better, among those that are equally fit */
};

static struct rg_peer *untried(const struct rg_upstream *upstream, const struct rg_choice *choice,
			       unsigned place)
{
	if (choice->tried >> place & 1)
		return NULL;
	struct rg_peer *peer = peer_find(upstream, choice->route->peers[place]);
	return peer && !peer->gone ? peer : NULL;
}

static unsigned places(const struct rg_choice *choice)
{
	return choice->route->peer_count < RG_POOL_MOST ? (unsigned)choice->route->peer_count
							: RG_POOL_MOST;
}

/* The peer that gave the State, unless it is unfit. */
static bool remembered(const struct rg_upstream *upstream, const struct rg_choice *choice,
		       struct candidate *best)
{
	uint64_t key = affinity_key(packet_find(choice->packet, RG_STATE), choice->realm);
	uint16_t number = affinity_find(upstream->worker, key, choice->now);
	for (unsigned place = 0; number != 0 && place < places(choice); place++) {
		struct rg_peer *peer = untried(upstream, choice, place);
		if (peer && peer->number == number &&
		    health_fitness(peer, choice->realm, choice->now) < RG_FIT_CONNECTING) {
			*best = (struct candidate){.peer = peer, .place = place};
			return true;
		}
	}
	return false;
}

/* In the order of the route. A peer that comes back gets its share of what is new only. */
static void by_order(const struct rg_upstream *upstream, const struct rg_choice *choice,
		     bool begins, struct candidate *best)
{
	for (unsigned place = 0; place < places(choice); place++) {
		struct rg_peer *peer = untried(upstream, choice, place);
		if (!peer)
			continue;
		enum rg_fitness fitness = health_fitness(peer, choice->realm, choice->now);
		if (fitness == RG_FIT && begins && !health_admits(peer, choice->now))
			fitness = RG_FIT_RECOVERING;
		if (!best->peer || fitness < best->fitness)
			*best = (struct candidate){peer, place, fitness, 0};
		if (fitness == RG_FIT)
			return;
	}
}

static void by_burden(struct rg_upstream *upstream, const struct rg_choice *choice, bool begins,
		      struct candidate *best)
{
	unsigned count = places(choice);
	unsigned first = upstream->turn++; /* of peers with equally much to do, each has its turn */
	for (unsigned i = 0; i < count; i++) {
		unsigned place = (first + i) % count;
		struct rg_peer *peer = untried(upstream, choice, place);
		if (!peer)
			continue;
		enum rg_fitness fitness = health_fitness(peer, choice->realm, choice->now);
		uint64_t cost =
			begins ? burden(peer, choice->now) : affection(choice->packet, peer);
		if (!best->peer || fitness < best->fitness ||
		    (fitness == best->fitness && cost < best->cost))
			*best = (struct candidate){peer, place, fitness, cost};
	}
}

struct rg_peer *pool_choose(struct rg_upstream *upstream, struct rg_choice *choice)
{
	struct candidate best = {0};
	bool begins = choice->packet->first[RG_STATE] == 0;
	if (begins || choice->route->peer_count == 1 || !remembered(upstream, choice, &best)) {
		switch (choice->route->strategy) {
		case RG_FAILOVER:
			by_order(upstream, choice, begins, &best);
			break;
		case RG_BALANCE:
			by_burden(upstream, choice, begins, &best);
			break;
		}
	}
	if (!best.peer || best.fitness > choice->worst)
		return NULL;
	choice->tried |= UINT64_C(1) << best.place;
	choice->place = (uint8_t)best.place;
	return best.peer;
}

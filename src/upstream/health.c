#include "upstream/health.h"

#include <openssl/rand.h>
#include <stddef.h>

#include "core/clock.h"
#include "core/log.h"
#include "upstream/forward.h"
#include "upstream/peer.h"

static void say(struct rg_peer *peer, enum rg_peer_state state, enum rg_peer_why why)
{
	peer->health.state = state;
	atomic_store(&peer->stats->state, state);
	atomic_store(&peer->stats->why, why);
	atomic_store(&peer->stats->since_wall_ns, clock_wall());
}

static uint64_t jitter(uint64_t interval)
{
	uint16_t random = 0;
	RAND_bytes((unsigned char *)&random, sizeof(random));
	return interval + interval / 8 * random / 65536;
}

static void schedule(struct rg_peer *peer, uint64_t due)
{
	timer_arm(peer->upstream->wheel, &peer->health.timer, due);
}

/* Realms. */

static void realm_forget(struct rg_health *health, unsigned i)
{
	health->silent[i] = health->silent[--health->silent_count];
}

static void realm_mark(struct rg_health *health, uint32_t realm, uint64_t now)
{
	unsigned at = 0;
	while (at < health->silent_count && health->silent[at].realm != realm)
		at++;
	if (at == RG_SILENT_REALMS) /* so many: the one that was found first is tried again */
		at = 0;
	else if (at == health->silent_count)
		health->silent_count++;
	health->silent[at] = (struct rg_silent_realm){realm, now + RG_REALM_AGAIN_NS};
}

static bool realm_is_silent(const struct rg_health *health, uint32_t realm, uint64_t now)
{
	for (unsigned i = 0; i < health->silent_count; i++)
		if (health->silent[i].realm == realm)
			return now < health->silent[i].until_ns;
	return false;
}

static void realm_answered(struct rg_health *health, uint32_t realm, uint64_t now)
{
	unsigned at = realm % RG_ANSWERED_REALMS;
	health->answered[at].realm = realm;
	health->answered[at].ns = now;
	for (unsigned i = 0; i < health->silent_count; i++)
		if (health->silent[i].realm == realm)
			realm_forget(health, i);
}

/* Not long ago it answered for somebody else than the realm of which nobody hears. */
static bool serves_others(const struct rg_health *health, uint64_t now)
{
	for (unsigned i = 0; i < RG_ANSWERED_REALMS; i++)
		if (health->answered[i].ns != 0 &&
		    health->answered[i].realm != health->silent_realm &&
		    now < health->answered[i].ns + RG_REALM_KNOWN_NS)
			return true;
	return false;
}

bool health_overdue(struct rg_peer *peer, const struct rg_forward *forward, uint64_t now)
{
	struct rg_health *health = &peer->health;
	unsigned at = forward->realm % RG_ANSWERED_REALMS;
	if (now < forward->sent_ns + RG_REALM_SILENT_NS ||
	    health->last_answer_ns <= forward->sent_ns)
		return false;
	if (health->answered[at].realm == forward->realm &&
	    health->answered[at].ns > forward->sent_ns)
		return false; /* this request is lost, not its realm */
	realm_mark(health, forward->realm, now);
	return true;
}

/* Up and down. */

static bool is_udp(const struct rg_peer *peer)
{
	return peer->settings->transport == RG_TRANSPORT_UDP;
}

/* Over RadSec each connection has a watchdog of its own (line.h). */
static bool asks(const struct rg_peer *peer)
{
	return peer->settings->status_server && is_udp(peer) && !peer->gone;
}

static void go_down(struct rg_peer *peer, enum rg_peer_why why, uint64_t now)
{
	struct rg_health *health = &peer->health;
	uint64_t again = RG_TWINIT_NS;
	if (why == RG_WHY_SILENT && health->bad_since_answer)
		why = RG_WHY_NOT_GENUINE;
	/* To be refused costs whoever tries nothing; silence costs him his patience. */
	if (peer->settings->status_server || why == RG_WHY_REFUSED_CONNECTION)
		again = RG_DOWN_PROBE_NS;
	health->silent_since_ns = 0;
	health->on_trial = health->tried = false;
	health->recovered_ns = 0;
	if (peer_stats_is_news(peer->stats, RG_PEER_DOWN))
		log_write(RG_LOG_WARNING, "peer %s is down: %s", peer->name, peer_why_text(why));
	say(peer, RG_PEER_DOWN, why);
	if (!peer->gone)
		schedule(peer, now + jitter(again));
	forwards_give_up(peer, 0, now);
	if (!is_udp(peer))
		lines_give_up(peer); /* the next one begins anew */
}

static void come_up(struct rg_peer *peer, uint64_t now)
{
	struct rg_health *health = &peer->health;
	if (health->state == RG_PEER_DOWN || health->on_trial) {
		if (peer_stats_is_news(peer->stats, RG_PEER_UP))
			log_write(RG_LOG_INFO, "peer %s is up again", peer->name);
		health->recovered_ns = now;
		health->credit = 0;
	}
	health->on_trial = health->tried = false;
	say(peer, RG_PEER_UP, RG_WHY_ANSWERS);
}

void health_connected(struct rg_peer *peer, uint64_t now)
{
	if (peer->health.state != RG_PEER_UP)
		come_up(peer, now);
}

void health_disconnected(struct rg_peer *peer, const char *detail, uint64_t now)
{
	struct rg_health *health = &peer->health;
	health->silent_since_ns = 0;
	health->recovered_ns = 0;
	if (peer->gone)
		return;
	(void)now;
	timer_cancel(peer->upstream->wheel, &health->timer); /* a connection tells, not silence */
	if (health->state == RG_PEER_DOWN)
		return;
	if (peer_stats_is_news(peer->stats, RG_PEER_DOWN))
		log_write(RG_LOG_WARNING, "peer %s is down: %s", peer->name, detail);
	say(peer, RG_PEER_DOWN, RG_WHY_DISCONNECTED);
}

void health_refused(struct rg_peer *peer, uint64_t now)
{
	if (peer->health.state != RG_PEER_DOWN)
		go_down(peer, RG_WHY_REFUSED_CONNECTION, now);
}

void health_answered(struct rg_peer *peer, const struct rg_forward *forward, uint64_t now)
{
	struct rg_health *health = &peer->health;
	health->last_answer_ns = now;
	health->silent_since_ns = 0;
	health->probes_lost = 0;
	health->bad_since_answer = false;
	if (forward->request) {
		realm_answered(health, forward->realm, now);
	} else if (asks(peer)) {
		health->twinit_ns = jitter(RG_TWINIT_NS);
		schedule(peer, now + health->twinit_ns);
	}
	if (health->state == RG_PEER_UP)
		return;
	come_up(peer, now);
	if (asks(peer))
		schedule(peer, now + health->twinit_ns);
}

void health_sent(struct rg_peer *peer, uint32_t realm, uint64_t now)
{
	struct rg_health *health = &peer->health;
	health->tried = health->on_trial;
	if (health->silent_since_ns != 0) {
		health->unanswered++;
		health->silent_many |= realm != health->silent_realm;
		return;
	}
	health->silent_since_ns = now;
	health->silent_realm = realm;
	health->silent_many = false;
	health->unanswered = 1;
	if (peer->settings->status_server && !is_udp(peer))
		return;
	/* Armed for something earlier, it looks again then. */
	if (health->state != RG_PEER_DOWN &&
	    (!timer_armed(&health->timer) || health->timer.due_ns > now + RG_SILENT_NS))
		schedule(peer, now + RG_SILENT_NS);
}

void health_unheard(struct rg_peer *peer, uint64_t now)
{
	if (peer->health.state != RG_PEER_DOWN && now >= peer->health.last_answer_ns + RG_SILENT_NS)
		go_down(peer, RG_WHY_SILENT, now);
}

void health_probe_lost(struct rg_peer *peer, uint64_t now)
{
	struct rg_health *health = &peer->health;
	bool many = health->silent_since_ns != 0 && health->unanswered >= RG_UNANSWERED_MANY;
	health->probes_lost++;
	if (health->state == RG_PEER_DOWN)
		schedule(peer, now + jitter(RG_DOWN_PROBE_NS));
	else if (health->probes_lost < RG_PROBES_MOST && !many)
		schedule(peer, now);
	else
		go_down(peer, RG_WHY_SILENT, now);
}

static void probe(struct rg_peer *peer, uint64_t now)
{
	if (peer->health.probe)
		return; /* its end comes back to this */
	peer->health.last_probe_ns = now;
	if (!forward_probe(peer, NULL, now))
		schedule(peer, now + jitter(RG_DOWN_PROBE_NS));
}

/* When it is to be asked next: after silence at once, without traffic every Twinit, never more
 * often than every 6 s but for the repeat of a question that was not answered. */
static uint64_t next_probe(const struct rg_health *health)
{
	uint64_t due = health->last_answer_ns + health->twinit_ns;
	if (health->silent_since_ns != 0 && health->silent_since_ns + RG_SILENT_NS < due)
		due = health->silent_since_ns + RG_SILENT_NS;
	if (health->last_probe_ns != 0 && due < health->last_probe_ns + RG_DOWN_PROBE_NS)
		due = health->last_probe_ns + RG_DOWN_PROBE_NS;
	return health->last_answer_ns == 0 || health->probes_lost != 0 ? 0 : due;
}

/* A peer that says nothing is asked; one that does not answer even that is down (RFC 3539 §3.4). */
static void look_by_asking(struct rg_peer *peer, uint64_t now)
{
	uint64_t due = next_probe(&peer->health);
	if (now >= due || peer->health.state == RG_PEER_DOWN)
		probe(peer, now);
	else
		schedule(peer, due);
}

/* Where it is not to be asked, silence alone decides, and live traffic tries it again later. */
static void look_by_listening(struct rg_peer *peer, uint64_t now)
{
	struct rg_health *health = &peer->health;
	if (health->state == RG_PEER_DOWN && !is_udp(peer))
		return; /* a new connection tells */
	if (health->state == RG_PEER_DOWN) {
		say(peer, RG_PEER_UNKNOWN, RG_WHY_TRY_AGAIN);
		health->on_trial = true;
		return;
	}
	if (health->silent_since_ns == 0)
		return; /* the next request wakes it */
	/* Twice as patient: one dead realm behind a living peer looks the same. */
	uint64_t due = health->silent_since_ns + (health->on_trial ? 1 : 2) * RG_SILENT_NS;
	if (now < due) {
		schedule(peer, due);
	} else if (!health->silent_many && serves_others(health, now)) {
		realm_mark(health, health->silent_realm, now);
		health->silent_since_ns = 0;
		forwards_give_up(peer, health->silent_realm, now);
	} else {
		go_down(peer, RG_WHY_SILENT, now);
	}
}

static void on_timer(struct rg_timer *timer, uint64_t now)
{
	struct rg_peer *peer =
		(struct rg_peer *)((char *)timer - offsetof(struct rg_peer, health.timer));
	if (peer->gone)
		return;
	channels_tidy(peer, now);
	if (asks(peer))
		look_by_asking(peer, now);
	else
		look_by_listening(peer, now);
}

/* Shares. */

enum rg_fitness health_fitness(const struct rg_peer *peer, uint32_t realm, uint64_t now)
{
	const struct rg_health *health = &peer->health;
	if (health->state == RG_PEER_DOWN || health->tried)
		return RG_UNFIT;
	if (!is_udp(peer) && peer->lines.open == 0)
		return RG_FIT_CONNECTING;
	return health->silent_count != 0 && realm_is_silent(health, realm, now)
		       ? RG_FIT_REALM_SILENT
		       : RG_FIT;
}

unsigned health_weight(struct rg_peer *peer, uint64_t now)
{
	struct rg_health *health = &peer->health;
	if (health->recovered_ns == 0)
		return RG_WEIGHT;
	uint64_t elapsed = now - health->recovered_ns;
	if (elapsed >= RG_SLOW_START_NS)
		health->recovered_ns = 0;
	unsigned weight = (unsigned)(RG_WEIGHT * elapsed / RG_SLOW_START_NS);
	if (weight >= RG_WEIGHT)
		return RG_WEIGHT;
	return weight < RG_WEIGHT / 16 ? RG_WEIGHT / 16 : weight;
}

bool health_admits(struct rg_peer *peer, uint64_t now)
{
	unsigned weight = health_weight(peer, now);
	if (weight == RG_WEIGHT)
		return true;
	peer->health.credit += weight;
	if (peer->health.credit < RG_WEIGHT)
		return false;
	peer->health.credit -= RG_WEIGHT;
	return true;
}

void health_init(struct rg_peer *peer, uint64_t now)
{
	peer->health.timer.fire = on_timer;
	peer->health.twinit_ns = jitter(RG_TWINIT_NS);
	atomic_store(&peer->stats->state, RG_PEER_UNKNOWN);
	atomic_store(&peer->stats->why, RG_WHY_NOTHING_YET);
	atomic_store(&peer->stats->since_wall_ns, 0);
	if (asks(peer))
		schedule(peer, now); /* whether it is there is known before anyone needs it */
}

void health_end(struct rg_peer *peer)
{
	timer_cancel(peer->upstream->wheel, &peer->health.timer);
}

#include "upstream/found.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/text.h"
#include "upstream/peer.h"
#include "upstream/pool.h"

#define TEND_NS (5 * RG_SECOND)

struct rg_found_way {
	struct rg_found_way *next;
	struct rg_upstream *upstream;
	uint32_t hash; /* of the realm */
	bool retired;  /* another is in its place; what is under way still speaks of it */
	uint64_t expires_ns, used_ns;
	struct rg_search *renewal;
	const struct rg_route
		*written; /* of the current configuration; of a retired one: gone, perhaps */
	struct rg_found *found;
	struct rg_route route;
	size_t count; /* of the found ones, which stand first in the route */
	struct {
		struct rg_peer_settings settings;
		struct rg_peer *peer;
		const char *names[1];
		char name[128];
	} peers[RG_FOUND_PEERS_MOST];
	char realm[RG_DNS_NAME];
	struct rg_peer_settings *places[];
};

static bool realm_is(const struct rg_found_way *way, struct rg_span realm)
{
	return text_equal_nocase(span_text(way->realm), realm);
}

/* The route of the current configuration that says the same. A request may have begun with a former
 * one. */
static const struct rg_route *current_route(const struct rg_upstream *upstream,
					    const struct rg_route *route)
{
	const struct rg_raddb *raddb = upstream->raddb;
	if (route->number < raddb->route_count && route == &raddb->routes[route->number])
		return route;
	for (size_t i = 0; i < raddb->route_count; i++) {
		const struct rg_route *other = &raddb->routes[i];
		if (other->discover_count != 0 && strcmp(other->digest, route->digest) == 0 &&
		    other->credential && route->credential &&
		    strcmp(other->credential->digest, route->credential->digest) == 0)
			return other;
	}
	return NULL;
}

static struct rg_found_way *way_find(const struct rg_upstream *upstream,
				     const struct rg_route *written, struct rg_span realm)
{
	uint32_t hash = realm_hash(realm);
	struct rg_found_way *way = upstream->found;
	while (way && (way->retired || way->hash != hash || way->written != written ||
		       !realm_is(way, realm)))
		way = way->next;
	return way;
}

/* Same digest, same connections: whatever else DNS says anew, it is the same server for the same
 * realm. */
static void peer_digest(const struct rg_found_way *way, const struct rg_found_host *host,
			char out[65])
{
	char text[1024];
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	snprintf(text, sizeof(text), "%s %s %u %d %s %d", way->realm, host->name, host->port,
		 host->transport, way->written->credential->digest,
		 way->written->discover_realm_only);
	EVP_Digest(text, strlen(text), digest, &length, EVP_sha256(), NULL);
	text_hex(out, span_of(digest, length < 32 ? length : 32));
}

/* RFC 7585 §2.2, and what radiusdtls-bis says of discovered servers: its certificate bears the
 * realm (NAIRealm), or the name that DNS gave, where the route believes DNS so far. */
static void peer_describe(struct rg_found_way *way, size_t i)
{
	const struct rg_found_host *host = &way->found->hosts[i];
	struct rg_peer_settings *settings = &way->peers[i].settings;
	snprintf(way->peers[i].name, sizeof(way->peers[i].name), "%.63s (%.60s)", host->name,
		 way->realm);
	way->peers[i].names[0] = host->name;
	*settings = (struct rg_peer_settings){
		.where = way->written->where,
		.name = way->peers[i].name,
		.transport = host->transport,
		.host = host->name,
		.port = host->port,
		.found_addresses = host->addresses,
		.found_address_count = host->address_count,
		.credential = way->written->credential,
		.server_names = {way->peers[i].names, way->written->discover_realm_only ? 0 : 1},
		.found_realm = way->realm,
		.message_authenticator = RG_MA_REQUIRE,
		.number = SIZE_MAX,
	};
	peer_digest(way, host, settings->digest);
	way->places[i] = settings;
}

static struct rg_found_way *way_new(struct rg_upstream *upstream, const struct rg_route *written,
				    struct rg_span realm, struct rg_found *found)
{
	size_t places = RG_FOUND_PEERS_MOST + written->peer_count;
	struct rg_found_way *way =
		calloc(1, sizeof(*way) + places * sizeof(struct rg_peer_settings *));
	if (!way || !text_from_span(way->realm, sizeof(way->realm), realm)) {
		free(way);
		return NULL;
	}
	text_lower(way->realm);
	way->upstream = upstream;
	way->hash = realm_hash(realm);
	way->written = written;
	way->found = found_ref(found);
	way->expires_ns = found->expires_ns;
	way->count =
		found->host_count < RG_FOUND_PEERS_MOST ? found->host_count : RG_FOUND_PEERS_MOST;
	for (size_t i = 0; i < way->count; i++)
		peer_describe(way, i);
	for (size_t i = 0; i < written->peer_count; i++)
		way->places[way->count + i] = written->peers[i];
	way->route = *written;
	way->route.peers = way->places;
	way->route.peer_count = way->count + written->peer_count;
	way->route.strategy = RG_FAILOVER;
	return way;
}

static void way_free(struct rg_found_way *way)
{
	search_cancel(&way->renewal);
	found_unref(&way->found);
	free(way);
}

static void way_retire(struct rg_found_way *way)
{
	search_cancel(&way->renewal);
	way->retired = true;
	for (size_t i = 0; i < way->count; i++) {
		struct rg_peer *peer = way->peers[i].peer;
		/* Another way to the same realm may have taken it over. */
		if (peer && peer->settings == &way->peers[i].settings)
			upstream_retire(way->upstream, peer);
		way->peers[i].peer = NULL;
	}
}

struct use {
	const struct rg_route *route;
	bool used;
};

static void use_see(void *context, struct rg_forward *forward)
{
	struct use *use = context;
	use->used = use->used || forward->route == use->route;
}

/* Whether a request is under way by it, at whatever peer. */
static bool way_is_used(const struct rg_found_way *way)
{
	struct use use = {&way->route, false};
	for (struct rg_peer *peer = way->upstream->peers; peer && !use.used; peer = peer->next)
		channels_each(peer, use_see, &use);
	return use.used;
}

static void on_tend(struct rg_timer *timer, uint64_t now)
{
	struct rg_upstream *upstream =
		(struct rg_upstream *)((char *)timer - offsetof(struct rg_upstream, tend));
	for (struct rg_found_way **at = &upstream->found; *at;) {
		struct rg_found_way *way = *at;
		uint64_t idle_ns = (uint64_t)upstream->raddb->discovery.idle_s * RG_SECOND;
		if (!way->retired && now >= way->used_ns + idle_ns && !way_is_used(way))
			way_retire(way);
		if (way->retired && !way_is_used(way)) {
			*at = way->next;
			way_free(way);
		} else {
			at = &way->next;
		}
	}
	if (upstream->found)
		timer_arm(upstream->wheel, timer, now + TEND_NS);
}

/* Room for one more: the longest unused one that nothing is under way by makes it. */
static bool make_room(struct rg_upstream *upstream)
{
	static struct rg_log_limit limit = {.burst = 1, .every_s = 60};
	struct rg_found_way *oldest = NULL;
	int64_t live = 0;
	for (struct rg_found_way *way = upstream->found; way; way = way->next) {
		if (way->retired)
			continue;
		live++;
		if ((!oldest || way->used_ns < oldest->used_ns) && !way_is_used(way))
			oldest = way;
	}
	if (live < upstream->raddb->discovery.peers)
		return true;
	if (!oldest) {
		log_limited(&limit, RG_LOG_WARNING,
			    "discovery: found peers of %lld realm%s are in use, which is all that "
			    "discovery.peers allows",
			    (long long)live, text_plural((uint64_t)live));
		return false;
	}
	way_retire(oldest);
	return true;
}

/* Its peers are the upstream's from now on; those that the former way had stay connected. */
static void way_enter(struct rg_found_way *way, uint64_t now)
{
	struct rg_upstream *upstream = way->upstream;
	for (size_t i = 0; i < way->count; i++)
		way->peers[i].peer = upstream_adopt(upstream, &way->peers[i].settings);
	way->next = upstream->found;
	upstream->found = way;
	way->used_ns = now;
	upstream->tend.fire = on_tend;
	if (!timer_armed(&upstream->tend))
		timer_arm(upstream->wheel, &upstream->tend, now + TEND_NS);
}

const struct rg_route *found_learn(struct rg_upstream *upstream, const struct rg_found_order *order,
				   struct rg_found *found)
{
	const struct rg_route *written = current_route(upstream, order->route);
	struct rg_found_way *former = written ? way_find(upstream, written, order->realm) : NULL;
	if (!written)
		return NULL;
	if (former && former->found == found)
		return &former->route;
	if (!former && !make_room(upstream))
		return NULL;
	struct rg_found_way *way = way_new(upstream, written, order->realm, found);
	if (!way)
		return former ? &former->route : NULL;
	way_enter(way, order->now);
	if (former)
		way_retire(former);
	return &way->route;
}

static void on_renewed(void *asker, struct rg_found *found)
{
	struct rg_found_way *way = asker;
	struct rg_upstream *upstream = way->upstream;
	way->renewal = NULL;
	struct rg_found_order order = {
		.route = way->written,
		.realm = span_text(way->realm),
		.now = clock_now(),
	};
	if (!found || found->outcome == RG_FOUND_UNAVAILABLE)
		way->expires_ns =
			order.now + (uint64_t)upstream->raddb->discovery.backoff_s * RG_SECOND;
	else if (found->outcome == RG_FOUND_NONE)
		way_retire(way); /* the next request asks, and hears so */
	else
		found_learn(upstream, &order, found);
}

/* While it is asked for anew the former peers serve on. */
static void way_renew(struct rg_found_way *way, struct rg_discover *discover)
{
	struct rg_found *found = NULL;
	struct rg_discover_order order = {
		.realm = span_text(way->realm),
		.tags = way->written->discover,
		.tag_count = way->written->discover_count,
		.mailbox = way->upstream->mailbox,
		.done = on_renewed,
		.asker = way,
	};
	way->renewal = discover_ask(discover, &order, &found);
	if (way->renewal)
		return;
	on_renewed(way, found);
	found_unref(&found);
}

const struct rg_route *found_route(struct rg_upstream *upstream, const struct rg_found_order *order)
{
	const struct rg_route *written = current_route(upstream, order->route);
	struct rg_found_way *way = written ? way_find(upstream, written, order->realm) : NULL;
	if (way && order->now >= way->expires_ns && !way->renewal) {
		way_renew(way, order->discover);
		way = way_find(upstream, written,
			       order->realm); /* the answer may be here already */
	}
	if (!way)
		return NULL;
	way->used_ns = order->now;
	return &way->route;
}

void found_configure(struct rg_upstream *upstream)
{
	uint64_t now = clock_now();
	struct rg_found_way *ways = upstream->found;
	upstream->found = NULL;
	while (ways) {
		struct rg_found_way *way = ways, *fresh = NULL;
		ways = way->next;
		const struct rg_route *written =
			way->retired ? NULL : current_route(upstream, way->written);
		if (written)
			fresh = way_new(upstream, written, span_text(way->realm), way->found);
		if (fresh) {
			way_enter(fresh, now);
			fresh->used_ns = way->used_ns;
		}
		if (!way->retired)
			way_retire(way);
		way->next = upstream->found;
		upstream->found = way;
	}
}

void found_close(struct rg_upstream *upstream)
{
	timer_cancel(upstream->wheel, &upstream->tend);
	while (upstream->found) {
		struct rg_found_way *way = upstream->found;
		upstream->found = way->next;
		way_free(way);
	}
}

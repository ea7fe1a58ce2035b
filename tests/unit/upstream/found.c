/* Routes to peers that discovery found: what they are made of, how many there are, and what a
 * reload leaves of them. Nobody is called here: the credential has no files. */
#include "upstream/found.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/clock.h"
#include "scene.h"

static struct scene scene;
static struct rg_credential credentials[2];
static struct rg_route routes[2];
static struct rg_service_tag tag = {"x-eduroam:radius.tls", RG_TRANSPORT_TLS};
static struct rg_radsec *radsec[2];

static void describe(struct rg_credential *credential, struct rg_route *route)
{
	*credential = (struct rg_credential){.name = "federation", .digest = "credential"};
	*route = (struct rg_route){
		.peers = scene.order,
		.peer_count = 1,
		.strategy = RG_BALANCE,
		.pap = true,
		.discover = &tag,
		.discover_count = 1,
		.credential = credential,
		.digest = "route",
	};
}

/* The i-th of two raddbs that say the same. */
static void configure(unsigned i)
{
	scene.raddb.credentials = &credentials[i];
	scene.raddb.credential_count = 1;
	scene.raddb.routes = &routes[i];
	scene.raddb.route_count = 1;
	upstream_configure(&scene.upstream, &scene.raddb, scene.learned, radsec);
}

static int set_up(void **state)
{
	(void)state;
	scene_begin(&scene, 1);
	scene.raddb.discovery.peers = 3;
	scene.raddb.discovery.idle_s = 600;
	for (unsigned i = 0; i < 2; i++)
		describe(&credentials[i], &routes[i]);
	configure(0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scene_end(&scene);
	return 0;
}

static struct rg_found *found_of(unsigned hosts, const char *name)
{
	struct rg_found *found = calloc(1, sizeof(*found) + hosts * sizeof(found->hosts[0]));
	atomic_init(&found->references, 1);
	found->expires_ns = clock_now() + 3600 * RG_SECOND;
	found->host_count = hosts;
	for (unsigned i = 0; i < hosts; i++) {
		snprintf(found->hosts[i].name, sizeof(found->hosts[i].name), "%s%u.hub.nl", name,
			 i);
		found->hosts[i].port = 2083;
		found->hosts[i].transport = RG_TRANSPORT_TLS;
		found->hosts[i].address_count = 1;
		found->hosts[i].addresses[0].any.sa_family = AF_INET;
	}
	return found;
}

static struct rg_found_order order_of(const char *realm, uint64_t now)
{
	return (struct rg_found_order){.route = &routes[0], .realm = span_text(realm), .now = now};
}

static const struct rg_route *learn(const char *realm, unsigned hosts, const char *name,
				    uint64_t now)
{
	struct rg_found_order order = order_of(realm, now);
	struct rg_found *found = found_of(hosts, name);
	const struct rg_route *route = found_learn(&scene.upstream, &order, found);
	found_unref(&found);
	return route;
}

static const struct rg_route *look(const char *realm)
{
	struct rg_found_order order = order_of(realm, clock_now());
	return found_route(&scene.upstream, &order);
}

static unsigned found_peers(void)
{
	unsigned count = 0;
	upstream_tidy(&scene.upstream);
	for (const struct rg_peer *peer = scene.upstream.peers; peer; peer = peer->next)
		count += peer->found;
	return count;
}

static void found_peers_stand_before_the_written_ones(void **state)
{
	(void)state;
	const struct rg_route *route = learn("Druten.nl", 2, "radsec", clock_now());
	assert_non_null(route);
	assert_int_equal(route->peer_count, 3);
	assert_int_equal(route->strategy, RG_FAILOVER);
	assert_true(route->pap);
	assert_string_equal(route->peers[0]->name, "radsec0.hub.nl (druten.nl)");
	assert_string_equal(route->peers[1]->name, "radsec1.hub.nl (druten.nl)");
	assert_ptr_equal(route->peers[2], &scene.settings[0]);
	assert_string_equal(route->peers[0]->found_realm, "druten.nl");
	assert_int_equal(route->peers[0]->server_names.count, 1);
	assert_string_equal(route->peers[0]->server_names.items[0], "radsec0.hub.nl");
	assert_int_equal(route->peers[0]->found_address_count, 1);
	assert_int_equal(route->peers[0]->message_authenticator, RG_MA_REQUIRE);
	assert_ptr_equal(look("DRUTEN.nl"), route);
	assert_null(look("wijchen.nl"));
	assert_int_equal(found_peers(), 2);
}

static void where_the_realm_alone_counts_a_host_s_name_does_not(void **state)
{
	(void)state;
	routes[0].discover_realm_only = true;
	const struct rg_route *route = learn("druten.nl", 1, "radsec", clock_now());
	assert_int_equal(route->peers[0]->server_names.count, 0);
	assert_string_equal(route->peers[0]->found_realm, "druten.nl");
}

static void no_more_than_a_few_of_a_realm_are_called(void **state)
{
	(void)state;
	assert_int_equal(learn("druten.nl", 8, "radsec", clock_now())->peer_count,
			 RG_FOUND_PEERS_MOST + 1);
	assert_int_equal(found_peers(), RG_FOUND_PEERS_MOST);
}

static void what_is_found_again_keeps_its_connections(void **state)
{
	(void)state;
	uint64_t now = clock_now();
	const struct rg_route *former = learn("druten.nl", 2, "radsec", now);
	const struct rg_peer *peer = peer_find(&scene.upstream, former->peers[0]);
	const struct rg_route *route = learn("druten.nl", 2, "radsec", now);
	assert_ptr_not_equal(route, former);
	assert_ptr_equal(peer_find(&scene.upstream, route->peers[0]), peer);
	assert_false(peer->gone);
	assert_int_equal(found_peers(), 2);
	/* One of them has moved. */
	route = learn("druten.nl", 1, "radsec", now);
	assert_ptr_equal(peer_find(&scene.upstream, route->peers[0]), peer);
	assert_int_equal(found_peers(), 1);
	learn("druten.nl", 1, "elsewhere", now);
	assert_int_equal(found_peers(), 1);
}

static void O8_realms_with_found_peers_are_bounded(void **state)
{
	(void)state;
	uint64_t now = clock_now();
	char realm[32];
	for (unsigned i = 0; i < 100; i++) {
		snprintf(realm, sizeof(realm), "realm%u.nl", i);
		assert_non_null(learn(realm, 1, "radsec", now + i));
		assert_true(found_peers() <= 3);
	}
	assert_non_null(look("realm99.nl"));
	assert_non_null(look("realm97.nl"));
	assert_null(look("realm96.nl"));
}

/* A request that goes to the written peer, since the found one is not reached: its way stays. */
static void a_way_in_use_is_not_given_up(void **state)
{
	(void)state;
	uint64_t now = clock_now();
	char realm[32];
	for (unsigned i = 0; i < 3; i++) {
		snprintf(realm, sizeof(realm), "realm%u.nl", i);
		scene.route = *learn(realm, 1, "radsec", now);
		const struct rg_route *route = look(realm);
		scene.forward = scene_try(&scene, now);
		assert_non_null(scene.forward);
		scene.forward->route = route;
	}
	assert_null(learn("realm3.nl", 1, "radsec", now));
	assert_non_null(look("realm0.nl"));
	upstream_cancel(&scene.upstream, &scene.forward);
	assert_non_null(learn("realm3.nl", 1, "radsec", now));
	assert_null(look("realm2.nl"));
	assert_non_null(look("realm1.nl"));
}

static void a_reload_of_the_same_route_leaves_its_peers(void **state)
{
	(void)state;
	const struct rg_route *route = learn("druten.nl", 2, "radsec", clock_now());
	const struct rg_peer *peer = peer_find(&scene.upstream, route->peers[0]);
	configure(1);
	memset(&credentials[0], 0x55, sizeof(credentials[0]));
	struct rg_found_order order = {
		.route = &routes[1], .realm = span_text("druten.nl"), .now = clock_now()};
	route = found_route(&scene.upstream, &order);
	assert_non_null(route);
	assert_ptr_equal(route->peers[0]->credential, &credentials[1]);
	assert_ptr_equal(peer_find(&scene.upstream, route->peers[0]), peer);
	assert_ptr_equal(peer->settings, route->peers[0]);
	assert_int_equal(found_peers(), 2);
}

static void a_request_of_the_former_configuration_finds_the_same(void **state)
{
	(void)state;
	learn("druten.nl", 1, "radsec", clock_now());
	configure(1);
	assert_non_null(look("druten.nl")); /* asks with the former route */
	assert_non_null(learn("wijchen.nl", 1, "radsec", clock_now()));
}

static void a_route_or_credential_that_changed_takes_its_peers_away(void **state)
{
	(void)state;
	learn("druten.nl", 2, "radsec", clock_now());
	snprintf(credentials[1].digest, sizeof(credentials[1].digest), "another certificate");
	configure(1);
	assert_int_equal(found_peers(), 0);
	assert_null(look("druten.nl"));
	assert_null(learn("wijchen.nl", 1, "radsec", clock_now()));
}

static void what_nobody_uses_goes(void **state)
{
	(void)state;
	uint64_t now = clock_now();
	learn("druten.nl", 1, "radsec", now);
	for (unsigned s = 0; s < 590; s += 10)
		wheel_advance(&scene.wheel, now + s * RG_SECOND);
	assert_int_equal(found_peers(), 1);
	wheel_advance(&scene.wheel, now + 610 * RG_SECOND);
	assert_int_equal(found_peers(), 0);
	assert_null(look("druten.nl"));
}

static void status_knows_them_as_long_as_they_are(void **state)
{
	(void)state;
	struct rg_found_peer peers[8];
	struct rg_peer_summary sum;
	learn("druten.nl", 2, "radsec", clock_now());
	assert_int_equal(peer_stats_found_peers(peers, 8), 2);
	assert_int_equal(peer_stats_found_peers(peers, 1), 1);
	assert_int_equal(peers[0].transport, RG_TRANSPORT_TLS);
	peer_stats_summary("radsec0.hub.nl (druten.nl)", 1, &sum);
	assert_int_equal(sum.answered, 0);
	snprintf(routes[1].digest, sizeof(routes[1].digest), "another");
	configure(1);
	assert_int_equal(found_peers(), 0);
	assert_int_equal(peer_stats_found_peers(peers, 8), 0);
}

#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SCENE(found_peers_stand_before_the_written_ones),
		WITH_SCENE(where_the_realm_alone_counts_a_host_s_name_does_not),
		WITH_SCENE(no_more_than_a_few_of_a_realm_are_called),
		WITH_SCENE(what_is_found_again_keeps_its_connections),
		WITH_SCENE(O8_realms_with_found_peers_are_bounded),
		WITH_SCENE(a_way_in_use_is_not_given_up),
		WITH_SCENE(a_reload_of_the_same_route_leaves_its_peers),
		WITH_SCENE(a_request_of_the_former_configuration_finds_the_same),
		WITH_SCENE(a_route_or_credential_that_changed_takes_its_peers_away),
		WITH_SCENE(what_nobody_uses_goes),
		WITH_SCENE(status_knows_them_as_long_as_they_are),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Workers that ask for the peers of realms, and a DNS server that helps, lies, fails or says
 * nothing. */
#include "discover/discover.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "zone.h"

static const struct rg_service_tag eduroam[] = {{"x-eduroam:radius.tls", RG_TRANSPORT_TLS}};
static const struct rg_service_tag general[] = {{"aaa+auth:radius.tls.tcp", RG_TRANSPORT_TLS},
						{"aaa+auth:radius.dtls.udp", RG_TRANSPORT_DTLS}};

/* A worker, a server and discovery between them. */
struct scene {
	struct zone *zone;
	char resolver[32];
	const char *resolvers[1], *allow[2];
	struct rg_discovery_settings settings;
	struct rg_discover *discover;
	uv_loop_t loop;
	struct rg_mailbox mailbox;
	unsigned told;
	struct rg_found *found; /* the last one */
	unsigned deadline_hits;
};

static void scene_discover(struct scene *scene)
{
	char why[256];
	static unsigned number;
	snprintf(scene->settings.digest, sizeof(scene->settings.digest), "%u", number++);
	scene->discover = discover_get(&scene->settings, why);
	if (!scene->discover)
		fail_msg("%s", why);
}

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	scene->zone = zone_open();
	snprintf(scene->resolver, sizeof(scene->resolver), "127.0.0.1:%u", zone_port(scene->zone));
	scene->resolvers[0] = scene->resolver;
	scene->allow[0] = "*";
	scene->settings = (struct rg_discovery_settings){
		.resolvers = {scene->resolvers, 1},
		.allow = {scene->allow, 1},
		.timeout_ms = 3000,
		.ttl_min_s = 60,
		.ttl_max_s = 86400,
		.negative_s = 600,
		.backoff_s = 30,
		.cache = 1000,
		.peers = 64,
		.loopback = true,
	};
	uv_loop_init(&scene->loop);
	mailbox_init(&scene->mailbox, &scene->loop, scene);
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;
	discover_unref(&scene->discover);
	mailbox_close(&scene->mailbox);
	uv_run(&scene->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&scene->loop), 0);
	mailbox_destroy(&scene->mailbox);
	found_unref(&scene->found);
	zone_close(&scene->zone);
	free(scene);
	return 0;
}

static void on_done(void *asker, struct rg_found *found)
{
	struct scene *scene = asker;
	found_unref(&scene->found);
	scene->found = found ? found_ref(found) : NULL;
	scene->told++;
}

static struct rg_search *ask_tags(struct scene *scene, const char *realm,
				  const struct rg_service_tag *tags, size_t count,
				  struct rg_found **known)
{
	struct rg_discover_order order = {
		.realm = span_text(realm),
		.tags = tags,
		.tag_count = count,
		.mailbox = &scene->mailbox,
		.done = on_done,
		.asker = scene,
	};
	return discover_ask(scene->discover, &order, known);
}

static void wait_told(struct scene *scene, unsigned told)
{
	while (scene->told < told)
		uv_run(&scene->loop, UV_RUN_ONCE);
}

/* Asks and waits; what is known at once counts as well. */
static enum rg_found_outcome ask(struct scene *scene, const char *realm,
				 const struct rg_service_tag *tags, size_t count)
{
	struct rg_found *known;
	unsigned told = scene->told;
	if (ask_tags(scene, realm, tags, count, &known)) {
		wait_told(scene, told + 1);
	} else {
		found_unref(&scene->found);
		scene->found = known;
	}
	return scene->found ? scene->found->outcome : RG_FOUND_UNAVAILABLE;
}

static uint64_t seconds_left(const struct scene *scene)
{
	return (scene->found->expires_ns - clock_now() + RG_SECOND / 2) / RG_SECOND;
}

static void druten(struct zone *zone)
{
	zone_naptr(zone, "druten.nl", 3600, 100, 10, "s", "x-eduroam:radius.tls",
		   "_radsec._tcp.hub.nl");
	zone_naptr(zone, "druten.nl", 3600, 10, 10, "s", "x-other:radius.tls",
		   "_other._tcp.hub.nl");
	zone_srv(zone, "_radsec._tcp.hub.nl", 1800, 20, 0, 2084, "radsec2.hub.nl");
	zone_srv(zone, "_radsec._tcp.hub.nl", 1800, 10, 0, 2083, "radsec1.hub.nl");
	zone_address(zone, "radsec1.hub.nl", 900, "192.0.2.1");
	zone_address(zone, "radsec1.hub.nl", 900, "2001:db8::1");
	zone_address(zone, "radsec2.hub.nl", 900, "192.0.2.2");
}

static void assert_host(const struct scene *scene, size_t i, const char *name,
			enum rg_transport transport, const char *first_address)
{
	char text[64];
	assert_true(i < scene->found->host_count);
	const struct rg_found_host *host = &scene->found->hosts[i];
	assert_string_equal(host->name, name);
	assert_int_equal(host->transport, transport);
	address_text(text, &host->addresses[0]);
	assert_string_equal(text, first_address);
}

static void naptr_srv_and_addresses_give_peers_in_order(void **state)
{
	struct scene *scene = *state;
	druten(scene->zone);
	scene_discover(scene);
	assert_int_equal(ask(scene, "Druten.NL", eduroam, 1), RG_FOUND_PEERS);
	assert_int_equal(scene->found->host_count, 2);
	assert_host(scene, 0, "radsec1.hub.nl", RG_TRANSPORT_TLS, "[2001:db8::1]:2083");
	assert_host(scene, 1, "radsec2.hub.nl", RG_TRANSPORT_TLS, "192.0.2.2:2084");
	assert_int_equal(scene->found->hosts[0].address_count, 2);
	assert_int_equal(seconds_left(scene), 900);
}

static void what_is_known_is_not_asked_again(void **state)
{
	struct scene *scene = *state;
	druten(scene->zone);
	scene_discover(scene);
	assert_int_equal(ask(scene, "druten.nl", eduroam, 1), RG_FOUND_PEERS);
	unsigned asked = zone_asked(scene->zone, NULL, 0), told = scene->told;
	assert_int_equal(ask(scene, "DRUTEN.nl", eduroam, 1), RG_FOUND_PEERS);
	assert_int_equal(ask(scene, "nobody.nl", eduroam, 1), RG_FOUND_NONE);
	assert_int_equal(ask(scene, "nobody.nl", eduroam, 1), RG_FOUND_NONE);
	assert_int_equal(scene->told, told + 1);
	assert_int_equal(zone_asked(scene->zone, "nobody.nl", 0), 1);
	assert_int_equal(zone_asked(scene->zone, NULL, 0), asked + 1);
}

static void many_who_ask_for_one_realm_ask_dns_once(void **state)
{
	struct scene *scene = *state;
	struct rg_found *known;
	druten(scene->zone);
	scene_discover(scene);
	for (unsigned i = 0; i < 500; i++)
		if (!ask_tags(scene, "druten.nl", eduroam, 1, &known)) {
			assert_non_null(known); /* it was quick */
			found_unref(&known);
			scene->told++;
		}
	wait_told(scene, 500);
	assert_int_equal(zone_asked(scene->zone, "druten.nl", RG_DNS_NAPTR), 1);
	assert_int_equal(zone_asked(scene->zone, "radsec1.hub.nl", RG_DNS_A), 1);
}

static void a_naptr_record_may_name_a_host(void **state)
{
	struct scene *scene = *state;
	zone_naptr(scene->zone, "druten.nl", 10, 1, 2, "A", "AAA+AUTH:radius.dtls.udp",
		   "dtls.hub.nl");
	zone_naptr(scene->zone, "druten.nl", 10, 1, 1, "a", "aaa+auth:radius.tls.tcp",
		   "tls.hub.nl");
	zone_address(scene->zone, "dtls.hub.nl", 5, "192.0.2.2");
	zone_address(scene->zone, "tls.hub.nl", 5, "192.0.2.1");
	scene_discover(scene);
	assert_int_equal(ask(scene, "druten.nl", general, 2), RG_FOUND_PEERS);
	assert_host(scene, 0, "tls.hub.nl", RG_TRANSPORT_TLS, "192.0.2.1:2083");
	assert_host(scene, 1, "dtls.hub.nl", RG_TRANSPORT_DTLS, "192.0.2.2:2083");
	assert_int_equal(seconds_left(scene), 60); /* not less than ttl_min_s */
}

static void without_naptr_the_well_known_srv_names_are_asked(void **state)
{
	struct scene *scene = *state;
	zone_srv(scene->zone, "_radiusdtls._udp.druten.nl", 300, 0, 0, 2083, "hub.nl");
	zone_address(scene->zone, "hub.nl", 300, "192.0.2.2");
	scene_discover(scene);
	assert_int_equal(ask(scene, "druten.nl", general, 2), RG_FOUND_PEERS);
	assert_host(scene, 0, "hub.nl", RG_TRANSPORT_DTLS, "192.0.2.2:2083");
	/* A consortium's own tag says that the realm is of it; an SRV record does not. */
	assert_int_equal(ask(scene, "druten.nl", eduroam, 1), RG_FOUND_NONE);
}

static void a_record_without_flag_leads_to_another_name(void **state)
{
	struct scene *scene = *state;
	zone_naptr(scene->zone, "druten.nl", 300, 1, 1, "", "x-eduroam:radius.tls", "hub.nl");
	zone_naptr(scene->zone, "hub.nl", 300, 1, 1, "s", "x-eduroam:radius.tls",
		   "_radsec._tcp.hub.nl");
	zone_srv(scene->zone, "_radsec._tcp.hub.nl", 300, 0, 0, 2083, "radsec.hub.nl");
	zone_address(scene->zone, "radsec.hub.nl", 300, "192.0.2.1");
	scene_discover(scene);
	assert_int_equal(ask(scene, "druten.nl", eduroam, 1), RG_FOUND_PEERS);
	assert_host(scene, 0, "radsec.hub.nl", RG_TRANSPORT_TLS, "192.0.2.1:2083");
}

static void N1_replacements_that_go_round_or_on_for_ever_end(void **state)
{
	struct scene *scene = *state;
	zone_naptr(scene->zone, "a.nl", 300, 1, 1, "", "x-eduroam:radius.tls", "b.nl");
	zone_naptr(scene->zone, "b.nl", 300, 1, 1, "", "x-eduroam:radius.tls", "a.nl");
	for (unsigned i = 0; i < 50; i++) {
		char from[16], to[16];
		snprintf(from, sizeof(from), "n%u.nl", i);
		snprintf(to, sizeof(to), "n%u.nl", i + 1);
		zone_naptr(scene->zone, from, 300, 1, 1, "", "x-eduroam:radius.tls", to);
	}
	scene_discover(scene);
	assert_int_equal(ask(scene, "a.nl", eduroam, 1), RG_FOUND_NONE);
	assert_int_equal(zone_asked(scene->zone, "a.nl", RG_DNS_NAPTR), 1);
	unsigned asked = zone_asked(scene->zone, NULL, 0);
	assert_int_equal(ask(scene, "n0.nl", eduroam, 1), RG_FOUND_NONE);
	assert_true(zone_asked(scene->zone, NULL, 0) <= asked + 5);
}

static void N1_addresses_of_our_own_networks_are_not_believed(void **state)
{
	struct scene *scene = *state;
	static const char *const addresses[] = {
		"127.0.0.1", "10.0.0.1", "169.254.169.254", "224.0.0.1", "0.0.0.0",
		"::1",       "fe80::1",  "ff02::1",         "fd00::1",   "::ffff:127.0.0.1"};
	zone_naptr(scene->zone, "druten.nl", 300, 1, 1, "a", "x-eduroam:radius.tls", "inside.nl");
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		zone_address(scene->zone, "inside.nl", 300, addresses[i]);
	scene->settings.loopback = false;
	scene_discover(scene);
	assert_int_equal(ask(scene, "druten.nl", eduroam, 1), RG_FOUND_NONE);
	assert_non_null(strstr(scene->found->why, "addresses"));
	discover_unref(&scene->discover);
	scene->settings.loopback = true;
	scene_discover(scene);
	assert_int_equal(ask(scene, "druten.nl", eduroam, 1), RG_FOUND_PEERS);
	/* 127.0.0.1, ::1 and ::ffff:127.0.0.1 */
	assert_int_equal(scene->found->hosts[0].address_count, 3);
}

static void N1_counts_are_capped(void **state)
{
	struct scene *scene = *state;
	char name[64], address[64];
	for (unsigned i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "_srv%u._tcp.hub.nl", i);
		zone_naptr(scene->zone, "druten.nl", 300, 1, (uint16_t)i, "s",
			   "x-eduroam:radius.tls", name);
		for (unsigned j = 0; j < 8 && i < 8; j++) {
			char host[64];
			snprintf(host, sizeof(host), "h%u-%u.hub.nl", i, j);
			zone_srv(scene->zone, name, 300, (uint16_t)j, 0, 2083, host);
		}
	}
	for (unsigned i = 0; i < 60; i++) {
		snprintf(address, sizeof(address), "192.0.2.%u", i + 1);
		zone_address(scene->zone, "h0-0.hub.nl", 300, address);
	}
	scene_discover(scene);
	assert_int_equal(ask(scene, "druten.nl", eduroam, 1), RG_FOUND_PEERS);
	assert_true(scene->found->host_count <= RG_FOUND_HOSTS);
	assert_true(scene->found->hosts[0].address_count <= RG_FOUND_ADDRESSES);
	/* One for the NAPTR records, 4 for SRV, 2 for each of 8 hosts; large answers are asked for
	 * again over TCP. */
	assert_true(zone_asked(scene->zone, NULL, 0) <= 2 * (1 + 4 + 16));
}

static void N1_noise_is_no_answer(void **state)
{
	struct scene *scene = *state;
	druten(scene->zone);
	zone_mood(scene->zone, ZONE_BABBLES);
	scene_discover(scene);
	assert_int_equal(ask(scene, "druten.nl", eduroam, 1), RG_FOUND_UNAVAILABLE);
	assert_int_equal(seconds_left(scene), 30);
}

static void a_truncated_answer_is_fetched_over_tcp(void **state)
{
	struct scene *scene = *state;
	druten(scene->zone);
	zone_mood(scene->zone, ZONE_TRUNCATES);
	scene_discover(scene);
	assert_int_equal(ask(scene, "druten.nl", eduroam, 1), RG_FOUND_PEERS);
	assert_int_equal(scene->found->host_count, 2);
}

static void a_server_that_fails_is_no_refusal(void **state)
{
	struct scene *scene = *state;
	druten(scene->zone);
	zone_mood(scene->zone, ZONE_FAILS);
	scene_discover(scene);
	assert_int_equal(ask(scene, "druten.nl", eduroam, 1), RG_FOUND_UNAVAILABLE);
	/* And is left alone for backoff_s. */
	unsigned asked = zone_asked(scene->zone, NULL, 0);
	zone_mood(scene->zone, ZONE_ANSWERS);
	assert_int_equal(ask(scene, "druten.nl", eduroam, 1), RG_FOUND_UNAVAILABLE);
	assert_int_equal(zone_asked(scene->zone, NULL, 0), asked);
}

static void a_silent_server_is_given_up_in_time(void **state)
{
	struct scene *scene = *state;
	zone_mood(scene->zone, ZONE_SILENT);
	scene->settings.timeout_ms = 200;
	scene_discover(scene);
	assert_int_equal(ask(scene, "druten.nl", eduroam, 1), RG_FOUND_UNAVAILABLE);
	assert_true(zone_asked(scene->zone, "druten.nl", RG_DNS_NAPTR) >= 1);
}

static void what_was_found_serves_on_while_dns_is_away(void **state)
{
	struct scene *scene = *state;
	druten(scene->zone);
	scene->settings.timeout_ms = 300;
	scene->settings.ttl_min_s = 0;
	scene->settings.ttl_max_s = 0;
	scene_discover(scene);
	assert_int_equal(ask(scene, "druten.nl", eduroam, 1), RG_FOUND_PEERS);
	zone_mood(scene->zone, ZONE_SILENT);
	assert_int_equal(ask(scene, "druten.nl", eduroam, 1), RG_FOUND_PEERS);
	assert_int_equal(scene->found->host_count, 2);
	assert_int_equal(seconds_left(scene), 30);
	/* A realm that has gone is gone, though. */
	assert_int_equal(ask(scene, "wijchen.nl", eduroam, 1), RG_FOUND_UNAVAILABLE);
}

static void that_there_is_none_is_kept_as_long_as_its_zone_says(void **state)
{
	struct scene *scene = *state;
	zone_negative(scene->zone, 120);
	scene_discover(scene);
	assert_int_equal(ask(scene, "nobody.nl", eduroam, 1), RG_FOUND_NONE);
	assert_int_equal(seconds_left(scene), 120);
	zone_negative(scene->zone, 100000);
	assert_int_equal(ask(scene, "nobody2.nl", eduroam, 1), RG_FOUND_NONE);
	assert_int_equal(seconds_left(scene), 600);
	zone_negative(scene->zone, 1);
	assert_int_equal(ask(scene, "nobody3.nl", eduroam, 1), RG_FOUND_NONE);
	assert_int_equal(seconds_left(scene), 60);
}

static void realms_that_are_not_allowed_or_no_dns_names_are_not_asked_for(void **state)
{
	struct scene *scene = *state;
	static const char *const realms[] = {"druten.be",   "nl", "a b.nl", "x..nl",
					     "\xc3\xa9.nl", "",   "xnl",    "a.nl."};
	scene->allow[0] = "*.nl";
	scene_discover(scene);
	for (size_t i = 0; i < sizeof(realms) / sizeof(realms[0]); i++)
		assert_int_equal(ask(scene, realms[i], eduroam, 1), RG_FOUND_NONE);
	char longest[400];
	memset(longest, 'a', sizeof(longest));
	strcpy(longest + 390, ".nl");
	assert_int_equal(ask(scene, longest, eduroam, 1), RG_FOUND_NONE);
	assert_int_equal(zone_asked(scene->zone, NULL, 0), 0);
	assert_int_equal(scene->told, 0);
	ask(scene, "druten.nl", eduroam, 1);
	assert_int_equal(zone_asked(scene->zone, "druten.nl", 0), 1);
}

static void a_cancelled_search_is_not_told(void **state)
{
	struct scene *scene = *state;
	struct rg_found *known;
	druten(scene->zone);
	zone_mood(scene->zone, ZONE_SILENT);
	scene_discover(scene);
	struct rg_search *first = ask_tags(scene, "druten.nl", eduroam, 1, &known);
	struct rg_search *second = ask_tags(scene, "druten.nl", eduroam, 1, &known);
	assert_non_null(first);
	assert_non_null(second);
	search_cancel(&first);
	assert_null(first);
	zone_mood(scene->zone, ZONE_ANSWERS); /* c-ares repeats its question */
	wait_told(scene, 1);
	uv_run(&scene->loop, UV_RUN_NOWAIT);
	assert_int_equal(scene->told, 1);
	assert_int_equal(scene->found->outcome, RG_FOUND_PEERS);
}

static void closing_answers_what_is_asked(void **state)
{
	struct scene *scene = *state;
	struct rg_found *known;
	zone_mood(scene->zone, ZONE_SILENT);
	scene_discover(scene);
	for (unsigned i = 0; i < 200; i++) {
		char realm[32];
		snprintf(realm, sizeof(realm), "r%u.nl", i);
		assert_non_null(ask_tags(scene, realm, eduroam, 1, &known));
	}
	discover_unref(&scene->discover);
	wait_told(scene, 200);
	assert_true(!scene->found || scene->found->outcome == RG_FOUND_UNAVAILABLE);
}

static void O8_a_flood_of_realms_at_a_silent_server_is_bounded(void **state)
{
	struct scene *scene = *state;
	struct rg_found *known;
	unsigned waiting = 0, refused = 0;
	const char *preloaded = getenv("LD_PRELOAD");
	if (preloaded && strstr(preloaded, "vgpreload"))
		skip(); /* valgrind asks too slowly to be a flood */
	zone_mood(scene->zone, ZONE_SILENT);
	scene->settings.timeout_ms = 300;
	scene->settings.cache = 100;
	scene_discover(scene);
	for (unsigned i = 0; i < 20000; i++) {
		char realm[32];
		snprintf(realm, sizeof(realm), "r%u.example", i);
		if (ask_tags(scene, realm, eduroam, 1, &known))
			waiting++;
		else if (known)
			found_unref(&known);
		else
			refused++;
	}
	assert_true(refused > 0 && waiting < 4096);
	wait_told(scene, waiting);
	/* And the next one is asked for. */
	zone_mood(scene->zone, ZONE_ANSWERS);
	druten(scene->zone);
	for (;;) {
		enum rg_found_outcome outcome = ask(scene, "druten.nl", eduroam, 1);
		if (outcome == RG_FOUND_PEERS)
			break;
		assert_int_equal(outcome, RG_FOUND_UNAVAILABLE);
		discover_unref(&scene->discover);
		scene_discover(scene);
	}
	json_t *status = discover_status_json(scene->discover);
	assert_true(json_integer_value(json_object_get(status, "known")) <= 100);
	assert_int_equal(json_integer_value(json_object_get(status, "asking")), 0);
	const json_t *realm = json_array_get(json_object_get(status, "realms"), 0);
	assert_string_equal(json_string_value(json_object_get(realm, "realm")), "druten.nl");
	assert_string_equal(json_string_value(json_array_get(json_object_get(realm, "servers"), 0)),
			    "radsec1.hub.nl:2083/tls");
	json_decref(status);
}

static void equal_settings_are_one(void **state)
{
	struct scene *scene = *state;
	char why[256];
	druten(scene->zone);
	scene_discover(scene);
	struct rg_discover *again = discover_get(&scene->settings, why);
	assert_ptr_equal(again, scene->discover);
	discover_unref(&again);
	assert_int_equal(ask(scene, "druten.nl", eduroam, 1), RG_FOUND_PEERS);
}

#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SCENE(naptr_srv_and_addresses_give_peers_in_order),
		WITH_SCENE(what_is_known_is_not_asked_again),
		WITH_SCENE(many_who_ask_for_one_realm_ask_dns_once),
		WITH_SCENE(a_naptr_record_may_name_a_host),
		WITH_SCENE(without_naptr_the_well_known_srv_names_are_asked),
		WITH_SCENE(a_record_without_flag_leads_to_another_name),
		WITH_SCENE(N1_replacements_that_go_round_or_on_for_ever_end),
		WITH_SCENE(N1_addresses_of_our_own_networks_are_not_believed),
		WITH_SCENE(N1_counts_are_capped),
		WITH_SCENE(N1_noise_is_no_answer),
		WITH_SCENE(a_truncated_answer_is_fetched_over_tcp),
		WITH_SCENE(a_server_that_fails_is_no_refusal),
		WITH_SCENE(a_silent_server_is_given_up_in_time),
		WITH_SCENE(what_was_found_serves_on_while_dns_is_away),
		WITH_SCENE(that_there_is_none_is_kept_as_long_as_its_zone_says),
		WITH_SCENE(realms_that_are_not_allowed_or_no_dns_names_are_not_asked_for),
		WITH_SCENE(a_cancelled_search_is_not_told),
		WITH_SCENE(closing_answers_what_is_asked),
		WITH_SCENE(O8_a_flood_of_realms_at_a_silent_server_is_bounded),
		WITH_SCENE(equal_settings_are_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* discovery, and routes whose peers are found: what is read, and what is wrong with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kit.h"

#define CFG   "roamgate.cfg"
#define PEERS "federation.d/peers.cfg"

/* Lines 1 and 2 of discovery.cfg are a credential. */
#define CREDENTIALS                                                                                \
	"credentials = ( { name = \"federation\"; certificate = \"certs/server.pem\";\n"           \
	"  private_key = \"certs/server.key\"; ca = \"certs/ca.pem\"; } );\n"

#define ROUTE                                                                                      \
	"routes = ( { realms = [ \"*.nl\" ];\n"                                                    \
	"  discover = [ \"x-eduroam:radius.tls\", \"AAA+auth:radius.dtls.udp\" ];\n"               \
	"  credential = \"federation\"; peers = [ \"govroam-1\" ]; } );\n"

#define FILE_NAME "federation.d/discovery.cfg"

static struct rg_raddb *load(const char *discovery, struct rg_report *report)
{
	char text[4096];
	kit_new();
	snprintf(text, sizeof(text), "%s%s%s", CREDENTIALS, discovery, ROUTE);
	kit_write(FILE_NAME, text);
	return kit_load(report);
}

static struct rg_raddb *load_good(const char *discovery)
{
	struct rg_report report = {0};
	struct rg_raddb *raddb = load(discovery, &report);
	if (!raddb)
		kit_show(&report);
	report_free(&report);
	assert_non_null(raddb);
	return raddb;
}

static void tags_and_credential_of_a_route(void **state)
{
	(void)state;
	struct rg_raddb *raddb = load_good("");
	const struct rg_route *route = NULL;
	for (size_t i = 0; i < raddb->route_count; i++)
		if (raddb->routes[i].discover_count != 0)
			route = &raddb->routes[i];
	assert_non_null(route);
	assert_int_equal(route->discover_count, 2);
	assert_string_equal(route->discover[0].text, "x-eduroam:radius.tls");
	assert_int_equal(route->discover[0].transport, RG_TRANSPORT_TLS);
	assert_string_equal(route->discover[1].text, "aaa+auth:radius.dtls.udp");
	assert_int_equal(route->discover[1].transport, RG_TRANSPORT_DTLS);
	assert_string_equal(route->credential->name, "federation");
	assert_int_equal(route->peer_count, 1);
	assert_false(route->discover_realm_only);
	raddb_free(&raddb);
}

static void defaults_are_the_reference_s(void **state)
{
	(void)state;
	struct rg_raddb *raddb = load_good("");
	const struct rg_discovery_settings *discovery = &raddb->discovery;
	assert_int_equal(discovery->resolvers.count, 0);
	assert_int_equal(discovery->allow.count, 1);
	assert_string_equal(discovery->allow.items[0], "*");
	assert_int_equal(discovery->timeout_ms, 3000);
	assert_int_equal(discovery->ttl_min_s, 60);
	assert_int_equal(discovery->ttl_max_s, 86400);
	assert_int_equal(discovery->negative_s, 600);
	assert_int_equal(discovery->backoff_s, 30);
	assert_int_equal(discovery->cache, 10000);
	assert_int_equal(discovery->peers, 64);
	assert_int_equal(discovery->idle_s, 600);
	assert_false(discovery->private || discovery->loopback);
	raddb_free(&raddb);
}

static void resolvers_have_ports(void **state)
{
	(void)state;
	static const char *const meant[] = {"127.0.0.1:53", "127.0.0.1:5353", "[::1]:53",
					    "[2001:db8::1]:53", "[2001:db8::1]:54"};
	struct rg_raddb *raddb =
		load_good("discovery = { resolvers = [ \"127.0.0.1\", \"127.0.0.1:5353\", \"::1\", "
			  "\"[2001:db8::1]\", \"[2001:db8::1]:54\" ]; allow = [ \"*.NL\", "
			  "\"druten.be\" ]; };");
	assert_int_equal(raddb->discovery.resolvers.count, 5);
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(raddb->discovery.resolvers.items[i], meant[i]);
	assert_string_equal(raddb->discovery.allow.items[0], "*.nl");
	raddb_free(&raddb);
}

static void the_same_meaning_keeps_what_was_found(void **state)
{
	(void)state;
	struct rg_raddb *a =
		load_good("discovery = { resolvers = \"127.0.0.1\"; timeout_ms = 3000; };");
	struct rg_raddb *b = load_good("discovery = { resolvers = [ \"127.0.0.1:53\" ]; };");
	struct rg_raddb *c = load_good("discovery = { resolvers = [ \"127.0.0.2:53\" ]; };");
	assert_string_equal(a->discovery.digest, b->discovery.digest);
	assert_string_not_equal(a->discovery.digest, c->discovery.digest);
	raddb_free(&a);
	raddb_free(&b);
	raddb_free(&c);
}

struct wrong {
	const char *discovery, *from,
		*to; /* the group on line 3; and what is replaced in the file */
	unsigned line;
	const char *key, *word;
};

static const struct wrong wrongs[] = {
	{"discovery = { resolver = \"127.0.0.1\"; };\n", NULL, NULL, 3, "discovery.resolver",
	 "did you mean \"resolvers\"?"},
	{"discovery = { resolvers = \"dns.example.nl\"; };\n", NULL, NULL, 3, "discovery.resolvers",
	 "dns.example.nl"},
	{"discovery = { resolvers = \"127.0.0.1:0\"; };\n", NULL, NULL, 3, "discovery.resolvers",
	 "127.0.0.1:0"},
	{"discovery = { resolvers = \"127.0.0.1:65536\"; };\n", NULL, NULL, 3,
	 "discovery.resolvers", "65536"},
	{"discovery = { resolvers = \"127.0.0.1:5x\"; };\n", NULL, NULL, 3, "discovery.resolvers",
	 "5x"},
	{"discovery = { resolvers = \"[127.0.0.1]:53\"; };\n", NULL, NULL, 3, "discovery.resolvers",
	 "[127"},
	{"discovery = { resolvers = \"[::1:53\"; };\n", NULL, NULL, 3, "discovery.resolvers",
	 "[::1"},
	{"discovery = { resolvers = \"\"; };\n", NULL, NULL, 3, "discovery.resolvers",
	 "no ADDRESS"},
	{"discovery = { timeout_ms = 5; };\n", NULL, NULL, 3, "discovery.timeout_ms", "from 100"},
	{"discovery = { allow = \"*nl\"; };\n", NULL, NULL, 3, "discovery.allow", "*nl"},
	{"discovery = { ttl_min_s = 100; ttl_max_s = 50; };\n", NULL, NULL, 3,
	 "discovery.ttl_max_s", "ttl_min_s"},
	{"discovery = 5;\n", NULL, NULL, 3, "discovery", "must be a group"},
	{"", "\"x-eduroam:radius.tls\"", "\"radius.tls\"", 4, "routes[0].discover",
	 "no service tag"},
	{"", "\"x-eduroam:radius.tls\"", "\"x-eduroam:radius.tsl\"", 4, "routes[0].discover",
	 "did you mean \"radius.tls\"?"},
	{"", "\"x-eduroam:radius.tls\"", "\"-x:radius.tls\"", 4, "routes[0].discover",
	 "no service tag"},
	{"", "\"x-eduroam:radius.tls\"", "\"aaa+auth:radius.dtls.udp\"", 4, "routes[0].discover",
	 "twice"},
	{"", "credential = \"federation\"; peers", "peers", 3, "routes[0].credential",
	 "is missing"},
	{"", "credential = \"federation\"", "credential = \"federatoin\"", 5,
	 "routes[0].credential", "did you mean \"federation\"?"},
	{"", "peers = [", "discover_names = \"none\"; peers = [", 5, "routes[0].discover_names",
	 "\"realm\""},
	{"", "  discover = [ \"x-eduroam:radius.tls\", \"AAA+auth:radius.dtls.udp\" ];\n", "\n", 5,
	 "routes[0].credential", "belongs to discover"},
};

static void O1_what_is_wrong_is_found_at_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		const struct wrong *one = &wrongs[i];
		struct rg_report report = {0};
		char text[4096];
		kit_new();
		snprintf(text, sizeof(text), "%s%s%s", CREDENTIALS, one->discovery, ROUTE);
		kit_write(FILE_NAME, text);
		if (one->from)
			kit_replace(FILE_NAME, one->from, one->to);
		struct rg_raddb *raddb = kit_load(&report);
		bool good = !raddb &&
			    kit_found(&report, false, FILE_NAME, one->line, one->key, one->word);
		if (!good) {
			fprintf(stderr, "%s %s: not found; what was:\n", one->key, one->word);
			kit_show(&report);
		}
		raddb_free(&raddb);
		report_free(&report);
		assert_true(good);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tags_and_credential_of_a_route),
		cmocka_unit_test(defaults_are_the_reference_s),
		cmocka_unit_test(resolvers_have_ports),
		cmocka_unit_test(the_same_meaning_keeps_what_was_found),
		cmocka_unit_test(O1_what_is_wrong_is_found_at_its_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

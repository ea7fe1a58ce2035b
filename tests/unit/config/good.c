/* What a good raddb holds once it is read. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/rows.h"
#include "core/secret.h"
#include "kit.h"
#include "module/module.h"

#define CFG "roamgate.cfg"
#define CLIENTS "clients.d/clients.cfg"
#define REALMS "realms.d/beuningen.cfg"
#define PEERS "federation.d/peers.cfg"

static struct rg_raddb *load_good(void)
{
	struct rg_report report = {0};
	struct rg_raddb *raddb = kit_load(&report);
	if (!raddb)
		kit_show(&report);
	report_free(&report);
	assert_non_null(raddb);
	return raddb;
}

static void a_good_raddb_has_nothing_to_say(void **state)
{
	(void)state;
	struct rg_report report = {0};
	kit_new();
	struct rg_raddb *raddb = kit_load(&report);
	kit_show(&report);
	assert_non_null(raddb);
	assert_int_equal(report.error_count + report.warning_count, 0);
	raddb_free(&raddb);
	report_free(&report);
}

static void defaults_are_the_contract_s(void **state)
{
	(void)state;
	kit_new();
	kit_write(CFG, "listen = ( { address = \"::\"; } );");
	/* dir_ldif may not be there: what the default modules are is looked at apart. */
	kit_write(CFG, "gateway = { modules = [ \"eap_tls\", \"dir_ldap\" ]; };\n"
		       "listen = ( { address = \"::\"; }, { transport = \"http\"; address = \"127.0.0.1\"; },\n"
		       "  { address = \"::\"; serves = [ \"acct\" ]; } );");
	struct rg_raddb *raddb = load_good();
	assert_string_equal(raddb->gateway.name, "roamgate");
	assert_string_equal(raddb->gateway.country, "NL");
	assert_string_equal(raddb->gateway.user, "roamgate");
	assert_string_equal(raddb->gateway.control, "/run/roamgate/control.sock");
	assert_string_equal(raddb->gateway.state_dir, "/var/lib/roamgate");
	assert_string_equal(raddb->gateway.module_dir, "");
	assert_int_equal(raddb->gateway.workers, 0);
	assert_int_equal(raddb->gateway.max_sessions, 20000);
	assert_int_equal(raddb->gateway.session_s, 60);
	assert_int_equal(raddb->gateway.reject_delay_ms, 1000);
	assert_int_equal(raddb->gateway.node, 1);
	assert_int_equal(raddb->log.level, RG_LOG_INFO);
	assert_int_equal(raddb->log.format, RG_LOG_TEXT);
	assert_string_equal(raddb->log.target, "stderr");
	assert_int_equal(raddb->listen_count, 3);
	assert_int_equal(raddb->listens[0].serves, RG_SERVES_AUTH);
	assert_int_equal(ntohs(((struct sockaddr_in6 *)&raddb->listens[0].socket_address)->sin6_port), 1812);
	assert_int_equal(raddb->listens[1].transport, RG_TRANSPORT_HTTP);
	assert_int_equal(ntohs(((struct sockaddr_in *)&raddb->listens[1].socket_address)->sin_port), 9812);
	assert_int_equal(ntohs(((struct sockaddr_in6 *)&raddb->listens[2].socket_address)->sin6_port), 1813);
	raddb_free(&raddb);
}

static void methods_of_later_versions_are_warned_of(void **state)
{
	(void)state;
	struct rg_report report = {0};
	kit_new();
	kit_replace(CFG, "\"eap_tls\",", "\"eap_tls\", \"eap_teap\",");
	kit_replace(REALMS, "eap = {", "eap = { methods = [ \"teap\", \"tls\" ];");
	kit_replace(REALMS, "{ }", "{ methods = [ \"teap\" ]; }");
	struct rg_raddb *raddb = kit_load(&report);
	kit_show(&report);
	assert_non_null(raddb);
	assert_int_equal(report.warning_count, 2); /* a module and a method */
	assert_string_equal(raddb->realms[0].eap.methods[0]->label, "tls");
	assert_null(raddb->realms[0].eap.methods[1]);
	raddb_free(&raddb);
	report_free(&report);
	kit_replace(REALMS, ", \"tls\"", "");
	assert_null(kit_load(&report));
	assert_int_equal(report.error_count, 1);
	assert_non_null(strstr(report.errors[0].message, "nobody could sign in"));
	report_free(&report);
}

/* Root reads everything; the gateway, once it serves, is another user. */
static void files_that_the_gateway_s_user_cannot_read_are_warned_of(void **state)
{
	(void)state;
	struct rg_report report = {0};
	kit_new();
	kit_replace(CFG, "user = \"\"", "user = \"nobody\"");
	struct rg_raddb *raddb = kit_load(&report);
	assert_non_null(raddb);
	assert_int_equal(report.warning_count != 0, geteuid() == 0);
	if (geteuid() == 0)
		assert_non_null(strstr(report.warnings[0].message, "cannot be read by \"nobody\""));
	raddb_free(&raddb);
	report_free(&report);
}

static void a_realm_as_it_is_written(void **state)
{
	(void)state;
	kit_new();
	struct rg_raddb *raddb = load_good();
	const struct rg_realm *realm = &raddb->realms[0];
	assert_int_equal(raddb->realm_count, 1);
	assert_string_equal(realm->name, "beuningen.nl");
	assert_string_equal(realm->names.items[1], "*.beuningen.nl");
	assert_string_equal(realm->operator, "beuningen");
	assert_string_equal(realm->where.file, REALMS);
	assert_int_equal(realm->where.line, 2);
	assert_string_equal(realm->eap.methods[0]->label, "tls");
	assert_null(realm->eap.methods[1]);
	assert_int_equal(realm->eap.tls_min, RG_TLS_1_2);
	assert_int_equal(realm->eap.tls_max, RG_TLS_1_3);
	assert_int_equal(realm->eap.fragment, 1024);
	assert_int_equal(realm->eap.resume_s, 28800);
	assert_int_equal(realm->eap.ocsp, RG_OCSP_OFF);
	assert_int_equal(realm->eap.ocsp_timeout_ms, 2000);
	assert_int_equal(realm->eap.outer_identity, RG_OUTER_ANONYMOUS_OR_SAME);
	assert_int_equal(realm->eap.identity_from.count, 3);
	assert_int_equal(realm->eap.identity_from.items[0], RG_NAME_SAN_UPN);
	assert_int_equal(realm->eap.identity_from.items[2], RG_NAME_SUBJECT_CN);
	assert_true(realm->eap.certificate[0] == '/');
	assert_string_equal(realm->directory.module->name, "dir_ldap");
	assert_int_equal(realm->rule_count, 2);
	assert_int_equal(realm->group_count, 1);
	assert_string_equal(realm->groups[0], "cn=ict");
	assert_int_equal(realm->rules[0].group, 0);
	assert_true(realm->rules[0].home);
	assert_int_equal(realm->rules[1].group, -1);
	/* Session-Timeout, 6 octets, 3600 */
	assert_int_equal(realm->rules[0].reply.length, 6);
	assert_memory_equal(realm->rules[0].reply.data, "\x1b\x06\x00\x00\x0e\x10", 6);
	raddb_free(&raddb);
}

static void clients_and_the_peers_that_accept(void **state)
{
	(void)state;
	kit_new();
	kit_replace(CLIENTS, " site = \"beuningen\";", "");
	kit_replace(REALMS, "home = true", "home = false");
	struct rg_raddb *raddb = load_good();
	const struct rg_client *client = &raddb->clients[0], *peer = &raddb->clients[1];
	assert_int_equal(raddb->client_count, 2);
	assert_string_equal(client->site, "stadhuis");
	assert_string_equal(client->operator, "stadhuis");
	assert_string_equal(client->operator_name, "1beuningen.nl");
	assert_int_equal(client->message_authenticator, RG_MA_REQUIRE);
	assert_int_equal(client->address_count, 2);
	assert_int_equal(client->addresses[0].bits, 112);
	assert_memory_equal(client->addresses[0].address, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\x14\0\0", 16);
	assert_int_equal(client->addresses[1].bits, 48);
	assert_non_null(client->key);
	assert_null(client->previous_key);
	assert_null(client->peer);
	assert_true(client->visitor_reply.length > 12);
	assert_ptr_equal(peer->peer, &raddb->peers[0]);
	assert_string_equal(peer->name, "govroam-1");
	assert_int_equal(peer->addresses[0].bits, 128);
	assert_int_equal(peer->number, 1);
	assert_ptr_equal(peer->key, raddb->peers[0].key);
	raddb_free(&raddb);
}

static void peers_routes_and_refusals(void **state)
{
	(void)state;
	kit_new();
	struct rg_raddb *raddb = load_good();
	const struct rg_peer_settings *peer = &raddb->peers[0];
	assert_int_equal(ntohs(((const struct sockaddr_in *)&peer->address)->sin_port), 1812);
	assert_int_equal(ntohs(((const struct sockaddr_in *)&peer->accounting_address)->sin_port), 1813);
	assert_false(peer->status_server);
	assert_int_equal(raddb->routes[0].peer_count, 1);
	assert_ptr_equal(raddb->routes[0].peers[0], peer);
	assert_int_equal(raddb->routes[0].strategy, RG_FAILOVER);
	assert_false(raddb->routes[0].accounting || raddb->routes[0].pap);
	assert_int_equal(raddb->refuse.count, 11);
	assert_string_equal(raddb->refuse.items[0], "*.example");
	assert_string_equal(raddb->refuse.items[10], "yahoo.*");
	raddb_free(&raddb);
	kit_replace(PEERS, "refuse =", "refuse_defaults = false;\nrefuse =");
	raddb = load_good();
	assert_int_equal(raddb->refuse.count, 1);
	raddb_free(&raddb);
}

static void secrets_lose_one_newline_and_nothing_else(void **state)
{
	(void)state;
	kit_new();
	kit_write("secrets/cui", " 0123456789abcdef \n\n");
	kit_replace(CFG, "listen =", "cui = { key_file = \"secrets/cui\"; };\nlisten =");
	struct rg_raddb *raddb = load_good();
	assert_true(span_equal(secret_span(raddb->cui_key), span_text(" 0123456789abcdef \n")));
	raddb_free(&raddb);
	kit_write("secrets/cui", "0123456789abcdef\r\n");
	raddb = load_good();
	assert_true(span_equal(secret_span(raddb->cui_key), span_text("0123456789abcdef")));
	raddb_free(&raddb);
}

static void included_files_keep_their_own_lines(void **state)
{
	(void)state;
	struct rg_report report = {0};
	kit_new();
	kit_write("shared/switches.cfg", "\n\n{ name = \"switch\"; addresses = \"10.9.0.0/16\";\n"
					 "  secret = \"a secret of switches\"; }\n");
	kit_write("clients.d/more.cfg", "clients = (\n@include \"shared/switches.cfg\"\n);\n");
	struct rg_raddb *raddb = load_good();
	assert_int_equal(raddb->client_count, 3);
	assert_string_equal(raddb->clients[1].where.file, "shared/switches.cfg");
	assert_int_equal(raddb->clients[1].where.line, 3);
	raddb_free(&raddb);
	kit_replace("shared/switches.cfg", "secret =", "secert =");
	assert_null(kit_load(&report));
	assert_true(kit_found(&report, false, "shared/switches.cfg", 4, "clients[0].secert", "\"secret\""));
	report_free(&report);
}

static void other_files_and_empty_folders_are_left_alone(void **state)
{
	(void)state;
	kit_new();
	kit_write("realms.d/beuningen.cfg~", "broken");
	kit_write("realms.d/.beuningen.cfg", "broken");
	kit_write("realms.d/notes.txt", "broken");
	kit_write("federation.d/peers.cfg", "");
	struct rg_raddb *raddb = load_good();
	assert_int_equal(raddb->peer_count, 0);
	raddb_free(&raddb);
}

struct lines {
	char text[2048];
};

static void line_take(void *context, const char *line)
{
	struct lines *lines = context;
	strcat(lines->text, line);
	strcat(lines->text, "\n");
}

static const char *differences(const struct rg_raddb *from, const struct rg_raddb *to)
{
	static struct lines lines;
	lines.text[0] = '\0';
	raddb_differences(from, to, line_take, &lines);
	return lines.text;
}

static void digests_hold_still_and_follow_what_counts(void **state)
{
	(void)state;
	kit_new();
	struct rg_raddb *first = load_good(), *second = load_good();
	assert_string_equal(first->digest, second->digest);
	assert_string_equal(first->realms[0].directory.digest, second->realms[0].directory.digest);
	assert_string_equal(first->peers[0].digest, second->peers[0].digest);
	assert_string_equal(differences(first, second), "");
	raddb_free(&second);
	/* White space and comments mean nothing to a directory or peer. */
	kit_replace(REALMS, "type = \"ldap\";", "type = \"ldap\" ; // as ever");
	kit_replace(PEERS, "accepts = true;", "\n\n    accepts = TRUE;");
	second = load_good();
	assert_string_equal(first->realms[0].directory.digest, second->realms[0].directory.digest);
	assert_string_equal(first->peers[0].digest, second->peers[0].digest);
	assert_string_equal(differences(first, second), "");
	raddb_free(&second);
	/* Another secret is another peer, though the text is the same. */
	kit_write("secrets/peer", "another secret of the peer\n");
	second = load_good();
	assert_string_not_equal(first->peers[0].digest, second->peers[0].digest);
	assert_string_not_equal(first->digest, second->digest);
	assert_string_equal(differences(first, second), "peer govroam-1 changed\n");
	raddb_free(&second);
	/* The same value under another key. */
	kit_replace(PEERS, "accepts = TRUE", "status_server = TRUE");
	raddb_free(&first);
	first = load_good();
	kit_replace(PEERS, "status_server = TRUE", "accepts = TRUE");
	second = load_good();
	assert_string_not_equal(first->peers[0].digest, second->peers[0].digest);
	raddb_free(&second);
	/* A rule is the realm's matter, not its directory's. */
	kit_replace(REALMS, "home = true", "home = false");
	raddb_free(&first);
	first = load_good();
	kit_replace(REALMS, "base = \"dc=beuningen", "base = \"ou=people,dc=beuningen");
	second = load_good();
	assert_string_not_equal(first->realms[0].directory.digest, second->realms[0].directory.digest);
	raddb_free(&second);
	raddb_free(&first);
}

static void differences_are_told_item_by_item(void **state)
{
	(void)state;
	kit_new();
	struct rg_raddb *first = load_good();
	kit_replace(CFG, "name = \"test\"", "name = \"test2\"");
	kit_replace(CFG, "port = 1812", "port = 1645");
	kit_replace(CLIENTS, "\"stadhuis\"", "\"stadhuis-2\"");
	kit_replace(REALMS, "\"*.beuningen.nl\"", "\"*.beuningen.example.nl\"");
	kit_replace(PEERS, "*.example", "*.test");
	kit_write("federation.d/z.cfg", "routes = ( { realms = [ \"test.nl\" ]; peers = \"govroam-1\"; } );");
	struct rg_raddb *second = load_good();
	assert_string_equal(differences(first, second), "gateway changed\n"
							 "realm beuningen.nl changed\n"
							 "client stadhuis-2 added\n"
							 "client stadhuis removed\n"
							 "route test.nl added\n"
							 "listen udp 127.0.0.1 port 1645 added\n"
							 "listen udp 127.0.0.1 port 1812 removed\n"
							 "refuse changed\n");
	raddb_free(&first);
	raddb_free(&second);
}

/* Modules of this program, to see what the host does with every kind of row. */
struct inner {
	int64_t depth;
	bool present;
};

struct every {
	const char *text, *path;
	int64_t number;
	bool yes;
	struct rg_strings words;
	int choice;
	struct rg_choices choices;
	struct rg_secret *password;
	struct inner inner;
	bool inner_given;
	struct rg_items items;
};

static const char *const colours[] = {"red", "green", "blue", NULL};
static const struct rg_row inner_rows[] = {
	{.name = "depth", .type = RG_INTEGER, .offset = offsetof(struct inner, depth), .fallback = "7"},
	{0},
};
static const struct rg_row every_rows[] = {
	{.name = "text", .type = RG_STRING, .offset = offsetof(struct every, text), .fallback = "none"},
	{.name = "path", .type = RG_PATH, .offset = offsetof(struct every, path)},
	{.name = "number", .type = RG_INTEGER, .offset = offsetof(struct every, number), .fallback = "30"},
	{.name = "yes", .type = RG_BOOLEAN, .offset = offsetof(struct every, yes), .fallback = "true"},
	{.name = "words", .type = RG_STRINGS, .offset = offsetof(struct every, words), .fallback = "a b c"},
	{.name = "choice", .type = RG_CHOICE, .offset = offsetof(struct every, choice),
	 .fallback = "green", .choices = colours},
	{.name = "choices", .type = RG_CHOICES, .offset = offsetof(struct every, choices),
	 .fallback = "blue red", .choices = colours},
	{.name = "password", .type = RG_SECRET, .offset = offsetof(struct every, password)},
	{.name = "inner", .type = RG_GROUP, .offset = offsetof(struct every, inner), .rows = inner_rows,
	 .size = sizeof(struct inner), .present = offsetof(struct every, inner_given)},
	{.name = "items", .type = RG_LIST, .offset = offsetof(struct every, items), .rows = inner_rows,
	 .size = sizeof(struct inner)},
	{0},
};

static bool dislike;

static void every_check(const void *settings, struct rg_complaint *complaint)
{
	const struct every *every = settings;
	if (dislike)
		complain_error(complaint, "number", "%d is not liked", (int)every->number);
	if (every->number == 31)
		complain_warning(complaint, NULL, "31 is odd");
}

static unsigned offers_nothing(const void *settings)
{
	const struct every *every = settings;
	return strcmp(every->text, "all") == 0 ? RG_OFFERS_MSCHAPV2 | RG_OFFERS_IDENTITY : RG_OFFERS_IDENTITY;
}

static const struct rg_directory_kind every_kind = {.offers = offers_nothing};
static const struct rg_module dir_every = {
	.abi = RG_MODULE_ABI,
	.kind = RG_MODULE_DIRECTORY,
	.name = "dir_every",
	.settings = every_rows,
	.settings_size = sizeof(struct every),
	.check = every_check,
	.ops.directory = &every_kind,
};
static const struct rg_eap_method hash_method = {.type = 26, .label = "hash", .needs = RG_OFFERS_MSCHAPV2};
static const struct rg_module eap_hash = {
	.abi = RG_MODULE_ABI, .kind = RG_MODULE_EAP, .name = "eap_hash", .ops.eap = &hash_method};

static void every_realm(const char *directory, const char *methods)
{
	char text[2048];
	snprintf(text, sizeof(text),
		 "realms = ( { names = \"every.nl\";\n"
		 "eap = { methods = %s; certificate = \"certs/server.pem\"; private_key = \"certs/server.key\";\n"
		 "  client_ca = \"certs/ca.pem\"; };\n"
		 "directory = { type = \"every\";\n%s };\nauthorize = ( { } ); } );\n",
		 methods, directory);
	kit_new();
	kit_replace(CFG, "\"dir_ldap\"", "\"dir_ldap\", \"dir_every\", \"eap_hash\"");
	kit_write("realms.d/every.cfg", text);
}

static void every_row_s_fallback_and_value(void **state)
{
	(void)state;
	char path[400];
	every_realm("", "\"tls\"");
	struct rg_raddb *raddb = load_good();
	const struct every *every = raddb->realms[1].directory.settings;
	assert_string_equal(every->text, "none");
	assert_null(every->path);
	assert_int_equal(every->number, 30);
	assert_true(every->yes);
	assert_int_equal(every->words.count, 3);
	assert_string_equal(every->words.items[2], "c");
	assert_int_equal(every->choice, 1);
	assert_int_equal(every->choices.count, 2);
	assert_int_equal(every->choices.items[0], 2);
	assert_null(every->password);
	assert_int_equal(every->inner.depth, 7);
	assert_false(every->inner_given);
	assert_int_equal(every->items.count, 0);
	raddb_free(&raddb);

	every_realm("text = \"x\"; path = \"a/b\"; number = 5000000000L; yes = false; words = \"one\";\n"
		    "choice = \"blue\"; choices = [ \"green\" ]; password = \"pw\"; inner = { };\n"
		    "items = ( { depth = 1; }, { }, { depth = 3; } );",
		    "\"tls\"");
	raddb = load_good();
	every = raddb->realms[1].directory.settings;
	assert_string_equal(every->text, "x");
	snprintf(path, sizeof(path), "%s/a/b", raddb->dir);
	assert_string_equal(every->path, path);
	assert_true(every->number == INT64_C(5000000000));
	assert_false(every->yes);
	assert_int_equal(every->words.count, 1);
	assert_int_equal(every->choice, 2);
	assert_int_equal(every->choices.count, 1);
	assert_true(span_equal(secret_span(every->password), span_text("pw")));
	assert_true(every->inner_given);
	assert_int_equal(every->inner.depth, 7);
	assert_int_equal(every->items.count, 3);
	const struct inner *items = every->items.items;
	assert_int_equal(items[0].depth, 1);
	assert_int_equal(items[1].depth, 7);
	assert_int_equal(items[2].depth, 3);
	raddb_free(&raddb);
}

static void a_module_s_own_check_is_heard(void **state)
{
	(void)state;
	struct rg_report report = {0};
	dislike = true;
	every_realm("number = 31;", "\"tls\"");
	assert_null(kit_load(&report));
	dislike = false;
	assert_true(kit_found(&report, false, "realms.d/every.cfg", 5, "realms[0].directory.number", "31"));
	assert_true(kit_found(&report, true, "realms.d/every.cfg", 4, "realms[0].directory", "odd"));
	report_free(&report);
}

static void a_method_that_the_directory_cannot_serve_is_refused(void **state)
{
	(void)state;
	struct rg_report report = {0};
	every_realm("text = \"some\";", "[ \"tls\", \"hash\" ]");
	assert_null(kit_load(&report));
	assert_true(kit_found(&report, false, "realms.d/every.cfg", 4, "realms[0].directory.type", "checks of MSCHAPv2"));
	report_free(&report);
	every_realm("text = \"all\";", "[ \"tls\", \"hash\" ]");
	struct rg_raddb *raddb = load_good();
	assert_ptr_equal(raddb->realms[1].eap.methods[1], &hash_method);
	raddb_free(&raddb);
}

/* The realm with ttls and peap; directory dir_ldap, which binds. */
static void tunnel_realm(const char *methods, const char *inner)
{
	char eap[256];
	kit_new();
	kit_replace(CFG, "\"eap_tls\",", "\"eap_tls\", \"eap_ttls\", \"eap_peap\",");
	snprintf(eap, sizeof(eap), "eap = { methods = [ %s ]; %s", methods, inner);
	kit_replace(REALMS, "eap = {", eap);
}

static void inner_methods_unasked_are_what_the_directory_can_check(void **state)
{
	(void)state;
	struct rg_report report = {0};
	tunnel_realm("\"peap\", \"ttls\", \"tls\"", "");
	struct rg_raddb *raddb = kit_load(&report);
	assert_non_null(raddb);
	const struct rg_eap_inner *inner = &raddb->realms[0].eap.inner;
	assert_true(inner->pap);
	assert_false(inner->mschapv2); /* an LDAP bind cannot check it */
	assert_false(inner->binding_required);
	assert_string_equal(inner->methods[0]->label, "gtc");
	assert_null(inner->methods[1]);
	assert_true(kit_found(&report, true, REALMS, 3, "realms[0].eap.methods", "Windows"));
	raddb_free(&raddb);
	report_free(&report);
}

static void inner_methods_as_written(void **state)
{
	(void)state;
	struct rg_report report = {0};
	tunnel_realm("\"peap\"", "inner_methods = [ \"tls\", \"gtc\" ]; cryptobinding = \"require\";");
	struct rg_raddb *raddb = kit_load(&report);
	kit_show(&report);
	assert_non_null(raddb);
	assert_int_equal(report.warning_count, 0);
	const struct rg_eap_inner *inner = &raddb->realms[0].eap.inner;
	assert_string_equal(inner->methods[0]->label, "tls");
	assert_string_equal(inner->methods[1]->label, "gtc");
	assert_null(inner->methods[2]);
	assert_false(inner->pap);
	assert_true(inner->binding_required);
	raddb_free(&raddb);
	report_free(&report);
}

static void inner_methods_that_cannot_be(void **state)
{
	static const struct {
		const char *methods, *inner, *key, *word;
		bool warning;
	} cases[] = {
		{"\"tls\", \"mschapv2\"", "", "methods", "inside a tunnel only", false},
		{"\"gtc\"", "", "methods", "inside a tunnel only", false},
		{"\"pap\"", "", "methods", "inside a tunnel only", false},
		{"\"md5\"", "", "methods", "inside a tunnel only", false},
		{"\"peap\"", "inner_methods = [ \"mschapv2\" ];", "inner_methods", "can check MSCHAPv2", false},
		{"\"peap\"", "inner_methods = [ \"pap\" ];", "inner_methods", "none of them runs inside \"peap\"",
		 false},
		{"\"ttls\"", "inner_methods = [ \"chap\" ];", "inner_methods", "there is no inner method", false},
		{"\"ttls\"", "inner_methods = [ \"gct\" ];", "inner_methods", "\"gtc\"", false},
		{"\"ttls\"", "inner_methods = [ \"pap\", \"pap\" ];", "inner_methods", "twice", false},
		{"\"ttls\"", "inner_methods = [ \"gtc\", \"gtc\" ];", "inner_methods", "twice", false},
		{"\"ttls\"", "cryptobinding = \"always\";", "cryptobinding", "\"require\"", false},
		{"\"tls\"", "inner_methods = [ \"pap\" ];", "inner_methods", "no effect", true},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rg_report report = {0};
		char key[64];
		snprintf(key, sizeof(key), "realms[0].eap.%s", cases[i].key);
		tunnel_realm(cases[i].methods, cases[i].inner);
		struct rg_raddb *raddb = kit_load(&report);
		assert_int_equal(raddb != NULL, cases[i].warning);
		if (!kit_found(&report, cases[i].warning, REALMS, 3, key, cases[i].word)) {
			kit_show(&report);
			fail_msg("case %zu: %s", i, cases[i].word);
		}
		raddb_free(&raddb);
		report_free(&report);
	}
}

static void a_realm_of_passwords_needs_no_ca_of_staff(void **state)
{
	(void)state;
	struct rg_report report = {0};
	tunnel_realm("\"ttls\"", "inner_methods = [ \"pap\" ];");
	kit_replace(REALMS, "      client_ca = \"certs/ca.pem\";\n", "");
	kit_replace(REALMS, "      crl = \"certs/ca.crl\";\n", "");
	struct rg_raddb *raddb = kit_load(&report);
	kit_show(&report);
	assert_non_null(raddb);
	raddb_free(&raddb);
	report_free(&report);
	kit_replace(REALMS, "[ \"pap\" ]", "[ \"pap\", \"tls\" ]");
	assert_null(kit_load(&report));
	assert_true(kit_found(&report, false, REALMS, 3, "realms[0].eap.client_ca", "method \"tls\" needs it"));
	report_free(&report);
}

static void attempts_as_written_and_unasked(void **state)
{
	(void)state;
	kit_new();
	struct rg_raddb *raddb = load_good();
	assert_int_equal(raddb->attempts.max, 10);
	assert_int_equal(raddb->attempts.window_s, 600);
	assert_int_equal(raddb->attempts.exempt.count, 0);
	raddb_free(&raddb);
	kit_replace(CFG, "listen =", "attempts = { max = 3; exempt = [ \"test@*\", \"*\" ]; };\nlisten =");
	struct rg_report report = {0};
	raddb = kit_load(&report);
	assert_non_null(raddb);
	assert_int_equal(raddb->attempts.max, 3);
	assert_int_equal(raddb->attempts.window_s, 600);
	assert_string_equal(raddb->attempts.exempt.items[0], "test@*");
	assert_true(kit_found(&report, true, CFG, 6, "attempts.exempt", "everybody"));
	raddb_free(&raddb);
	report_free(&report);
}

static void modules_are_refused_that_are_of_another_interface(void **state)
{
	(void)state;
	char why[512] = "";
	struct rg_module other = dir_every;
	other.abi = RG_MODULE_ABI + 1;
	assert_false(module_adopt(&other, why));
	assert_non_null(strstr(why, "interface"));
	other.abi = RG_MODULE_ABI;
	other.ops.directory = NULL;
	assert_false(module_adopt(&other, why));
	assert_null(module_load("/nonexistent", "dir_nothing", why));
	assert_non_null(strstr(why, "/nonexistent"));
	assert_null(module_load("", "../x", why));
	assert_non_null(module_load("", "eap_tls", why));
	assert_ptr_equal(module_load("/nonexistent", "eap_tls", why), module_load("", "eap_tls", why));
	assert_int_equal(module_eap_by_label("tls")->type, 13);
	assert_null(module_eap_by_label("none"));
	assert_null(module_directory("none"));
}

static int modules_adopt(void **state)
{
	(void)state;
	char why[512];
	return module_adopt(&dir_every, why) && module_adopt(&eap_hash, why) ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_raddb_has_nothing_to_say),
		cmocka_unit_test(defaults_are_the_contract_s),
		cmocka_unit_test(methods_of_later_versions_are_warned_of),
		cmocka_unit_test(files_that_the_gateway_s_user_cannot_read_are_warned_of),
		cmocka_unit_test(a_realm_as_it_is_written),
		cmocka_unit_test(clients_and_the_peers_that_accept),
		cmocka_unit_test(peers_routes_and_refusals),
		cmocka_unit_test(secrets_lose_one_newline_and_nothing_else),
		cmocka_unit_test(included_files_keep_their_own_lines),
		cmocka_unit_test(other_files_and_empty_folders_are_left_alone),
		cmocka_unit_test(digests_hold_still_and_follow_what_counts),
		cmocka_unit_test(differences_are_told_item_by_item),
		cmocka_unit_test(every_row_s_fallback_and_value),
		cmocka_unit_test(a_module_s_own_check_is_heard),
		cmocka_unit_test(a_method_that_the_directory_cannot_serve_is_refused),
		cmocka_unit_test(inner_methods_unasked_are_what_the_directory_can_check),
		cmocka_unit_test(inner_methods_as_written),
		cmocka_unit_test(inner_methods_that_cannot_be),
		cmocka_unit_test(a_realm_of_passwords_needs_no_ca_of_staff),
		cmocka_unit_test(attempts_as_written_and_unasked),
		cmocka_unit_test(modules_are_refused_that_are_of_another_interface),
	};
	return cmocka_run_group_tests(tests, modules_adopt, NULL);
}

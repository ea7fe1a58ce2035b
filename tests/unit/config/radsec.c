/* Credentials, and who asks or is asked over TLS and DTLS. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/secret.h"
#include "kit.h"

#define RADSEC "federation.d/radsec.cfg"

static struct rg_raddb *load_good(void)
{
	struct rg_report report = {0};
	struct rg_raddb *raddb = kit_load(&report);
	kit_show(&report);
	assert_int_equal(report.error_count + report.warning_count, 0);
	report_free(&report);
	assert_non_null(raddb);
	return raddb;
}

static void credentials_and_listens_as_they_are_written(void **state)
{
	(void)state;
	kit_radsec();
	struct rg_raddb *raddb = load_good();
	const struct rg_credential *credential = &raddb->credentials[0];
	assert_string_equal(credential->name, "federation");
	assert_string_equal(credential->where.file, RADSEC);
	assert_int_equal(credential->where.line, 2);
	assert_true(credential->certificate[0] == '/' && credential->ca[0] == '/');
	assert_int_equal(credential->tls_min, RG_TLS_1_2);
	assert_int_equal(credential->tls_max, RG_TLS_1_3);
	assert_int_equal(credential->versions, RG_RADIUS_1_0 | RG_RADIUS_1_1);
	assert_int_equal(raddb->listen_count, 3);
	assert_int_equal(raddb->listens[1].transport, RG_TRANSPORT_TLS);
	assert_ptr_equal(raddb->listens[1].credential, credential);
	assert_int_equal(raddb->listens[1].serves, RG_SERVES_AUTH | RG_SERVES_ACCT);
	assert_int_equal(raddb->listens[2].transport, RG_TRANSPORT_DTLS);
	assert_int_equal(ntohs(((struct sockaddr_in *)&raddb->listens[2].socket_address)->sin_port),
			 2083);
	assert_null(raddb->listens[0].credential);
	raddb_free(&raddb);
	kit_replace(RADSEC, "name = \"federation\"",
		    "radius = \"1.0\"; tls_max = \"1.2\"; name = \"federation\"");
	raddb = load_good();
	assert_int_equal(raddb->credentials[0].versions, RG_RADIUS_1_0);
	assert_int_equal(raddb->credentials[0].tls_max, RG_TLS_1_2);
	raddb_free(&raddb);
}

static void peers_of_tls_and_dtls(void **state)
{
	(void)state;
	kit_radsec();
	struct rg_raddb *raddb = load_good();
	const struct rg_peer_settings *tls = &raddb->peers[1], *psk = &raddb->peers[2];
	assert_string_equal(tls->host, "radsec.example.nl");
	assert_int_equal(tls->port, 2083);
	assert_int_equal(tls->address.ss_family, AF_UNSPEC);
	assert_ptr_equal(tls->credential, &raddb->credentials[0]);
	assert_int_equal(tls->server_names.count, 1);
	assert_int_equal(tls->client_names.count, 3);
	assert_string_equal(tls->client_names.items[0], "proxy.example.nl");
	assert_int_equal(tls->address_count, 0);
	assert_null(tls->key);
	assert_null(tls->psk);
	assert_string_equal(psk->host, "192.0.2.9");
	assert_int_equal(ntohs(((const struct sockaddr_in *)&psk->address)->sin_port), 2083);
	assert_int_equal(psk->accounting_address.ss_family, AF_UNSPEC);
	assert_string_equal(psk->psk_identity, "gateway@example.nl");
	assert_true(
		span_equal(secret_span(psk->psk), span_text("a key for TLS-PSK and nothing else")));
	assert_int_equal(psk->server_names.count, 0);
	/* It names no credential, and has one that offers TLS 1.3 alone. */
	assert_ptr_equal(psk->credential, &raddb->credentials[1]);
	assert_int_equal(raddb->credential_count, 2);
	assert_int_equal(psk->credential->number, 1);
	assert_string_equal(psk->credential->name, "");
	assert_null(psk->credential->certificate);
	assert_int_equal(psk->credential->tls_min, RG_TLS_1_3);
	raddb_free(&raddb);
}

static void names_of_a_peer_are_its_host_where_none_are_given(void **state)
{
	(void)state;
	kit_radsec();
	kit_replace(RADSEC, "server_names = [ \"radsec.example.nl\" ];", "secret = \"radsec\";");
	kit_replace(RADSEC,
		    "client_names = [ \"Proxy.example.nl\", \"192.0.2.7\", \"bergen.nl\" ];",
		    "addresses = [ \"192.0.2.0/24\", \"2001:db8::/32\" ];");
	kit_replace(RADSEC, "\"radsec.example.nl\"", "\"RadSec.example.nl\"");
	struct rg_raddb *raddb = load_good();
	const struct rg_peer_settings *peer = &raddb->peers[1];
	assert_string_equal(peer->server_names.items[0], "radsec.example.nl");
	assert_string_equal(peer->client_names.items[0], "radsec.example.nl");
	assert_int_equal(peer->address_count, 2);
	assert_non_null(peer->key);
	raddb_free(&raddb);
	/* A name to know it by, and the address at which it is. */
	kit_replace(RADSEC, "addresses = [", "address = \"192.0.2.8\"; addresses = [");
	raddb = load_good();
	peer = &raddb->peers[1];
	assert_int_equal(peer->address.ss_family, AF_INET);
	assert_string_equal(peer->host, "RadSec.example.nl");
	assert_int_equal(peer->address_count, 2);
	raddb_free(&raddb);
}

static const struct rg_client *client_named(const struct rg_raddb *raddb, const char *name)
{
	for (size_t i = 0; i < raddb->client_count; i++)
		if (strcmp(raddb->clients[i].name, name) == 0)
			return &raddb->clients[i];
	return NULL;
}

static void who_may_ask_over_what(void **state)
{
	(void)state;
	kit_radsec();
	struct rg_raddb *raddb = load_good();
	const struct rg_client *hall = client_named(raddb, "hall"),
			       *pub = client_named(raddb, "pub");
	const struct rg_client *tls = client_named(raddb, "tls"), *psk = client_named(raddb, "psk");
	assert_int_equal(client_named(raddb, "stadhuis")->transports, RG_OVER_UDP);
	assert_int_equal(client_named(raddb, "govroam-1")->transports, RG_OVER_UDP);
	assert_int_equal(hall->transports, RG_OVER_TLS | RG_OVER_DTLS);
	assert_int_equal(hall->address_count, 0);
	assert_string_equal(hall->names.items[0], "ap.example.nl");
	assert_string_equal(hall->site, "hall");
	assert_null(hall->key);
	assert_int_equal(pub->transports, RG_OVER_TLS | RG_OVER_DTLS);
	assert_string_equal(pub->psk_identity, "pub@example.nl");
	assert_int_equal(pub->psk->length, 31);
	assert_int_equal(pub->address_count, 1);
	assert_int_equal(tls->transports, RG_OVER_TLS);
	assert_ptr_equal(tls->peer, &raddb->peers[1]);
	assert_string_equal(tls->names.items[2], "bergen.nl");
	assert_int_equal(tls->address_count, 0);
	assert_int_equal(psk->transports, RG_OVER_DTLS);
	assert_string_equal(psk->psk_identity, "gateway@example.nl");
	assert_int_equal(psk->address_count, 1);
	assert_int_equal(psk->addresses[0].bits, 128);
	for (size_t i = 0; i < raddb->client_count; i++)
		assert_int_equal(raddb->clients[i].number, i);
	raddb_free(&raddb);
}

static void a_key_in_hex_is_the_octets_it_says(void **state)
{
	(void)state;
	kit_radsec();
	kit_write("secrets/psk", "0x00112233445566778899aAbBcCdDeEfF\n");
	struct rg_raddb *raddb = load_good();
	assert_int_equal(raddb->peers[2].psk->length, 16);
	assert_memory_equal(raddb->peers[2].psk->data,
			    "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16);
	raddb_free(&raddb);
	/* What is hex in part only is text. */
	kit_write("secrets/psk", "0x00112233445566778899aAbBcCdDeEfg\n");
	raddb = load_good();
	assert_int_equal(raddb->peers[2].psk->length, 34);
	raddb_free(&raddb);
}

struct wrong {
	const char *what, *from, *to;
	unsigned line;
	const char *key, *word;
};

#define FILES                                                                                      \
	"certificate = \"certs/federation.pem\"; private_key = \"certs/federation.key\";\n    ca " \
	"= \"certs/ca.pem\"; crl = \"certs/ca.crl\";"
#define PSK "psk_identity = \"gateway@example.nl\"; psk_file = \"secrets/psk\";"
#define NAMES                                                                                      \
	"    server_names = [ \"radsec.example.nl\" ]; accepts = true;\n"                          \
	"    client_names = [ \"Proxy.example.nl\", \"192.0.2.7\", \"bergen.nl\" ];"
#define LISTEN "port = 2083; credential = \"federation\";"

static const struct wrong errors[] = {
	{"no such credential", LISTEN, "credential = \"federaton\";", 7, "listen[0].credential",
	 "did you mean \"federation\"?"},
	{"listen without credential", LISTEN, "", 7, "listen[0].credential", "is missing"},
	{"udp with a credential", "transport = \"dtls\"", "transport = \"udp\"", 8,
	 "listen[1].credential", "belongs to tls and dtls"},
	{"two listens of UDP's ports", "transport = \"tls\"; address",
	 "transport = \"dtls\"; address", 8, "listen[1].port", "federation.d/radsec.cfg:7"},
	{"unknown version", "ca = ", "radius = \"1.2\"; ca = ", 4, "credentials[0].radius",
	 "\"1.1\""},
	{"no version", "ca = ", "radius = [ ]; ca = ", 4, "credentials[0].radius", "is empty"},
	{"1.1 over TLS 1.2", "ca = ", "radius = \"1.1\"; tls_max = \"1.2\"; ca = ", 4,
	 "credentials[0].radius", "needs TLS 1.3"},
	{"DTLS of TLS 1.3", "ca = ", "tls_min = \"1.3\"; ca = ", 8, "listen[1].credential",
	 "DTLS here is 1.2"},
	{"DTLS of RADIUS/1.1", "ca = ", "radius = \"1.1\"; ca = ", 8, "listen[1].credential",
	 "does not speak"},
	{"TLS versions crossed", "ca = ", "tls_max = \"1.2\"; tls_min = \"1.3\"; ca = ", 4,
	 "credentials[0].tls_min", "above tls_max"},
	{"key without certificate", "certificate = \"certs/federation.pem\";", "", 2,
	 "credentials[0].certificate", "go together"},
	{"certificate without ca", "ca = \"certs/ca.pem\";", "", 2, "credentials[0].ca",
	 "go together"},
	{"CRL alone", FILES, "crl = \"certs/ca.crl\";", 3, "credentials[0].crl", "belongs to a ca"},
	{"CRL not there", "certs/ca.crl", "certs/none.crl", 4, "credentials[0].crl",
	 "No such file"},
	{"credential twice", "  { name = \"federation\";\n",
	 "  { name = \"federation\"; },\n{ name = \"federation\";\n", 3, "credentials[1].name",
	 "is taken"},
	{"peer without credential", "host = \"radsec.example.nl\"; credential = \"federation\";",
	 "host = \"radsec.example.nl\";", 11, "peers[0].credential", "psk_identity and psk_file"},
	{"peer with an unknown credential",
	 "host = \"radsec.example.nl\"; credential = \"federation\";",
	 "host = \"radsec.example.nl\"; credential = \"fedration\";", 11, "peers[0].credential",
	 "did you mean \"federation\"?"},
	{"peer nowhere", "host = \"radsec.example.nl\"; ", "", 11, "peers[0].host", "is missing"},
	{"host with a port", "\"radsec.example.nl\";", "\"radsec.example.nl:2083\";", 11,
	 "peers[0].host", "a key of its own"},
	{"name as address", "192.0.2.9", "radsec.nl", 14, "peers[1].address", "given as host"},
	{"accounting port", "accepts = true;\n    client",
	 "accounting_port = 1813; accepts = true;\n    client", 12, "peers[0].accounting_port",
	 "one port"},
	{"discovery of a peer", "host = \"radsec.example.nl\"; ", "discover = \"x-eduroam:radius.tls\"; ", 11,
	 "peers[0].discover", "belongs to routes"},
	{"wildcard", "[ \"radsec.example.nl\" ]", "[ \"*.example.nl\" ]", 12,
	 "peers[0].server_names", "in full"},
	{"no name", "\"bergen.nl\"", "\"ber gen.nl\"", 13, "peers[0].client_names",
	 "no name of a host"},
	{"names of none", "[ \"radsec.example.nl\" ]", "[ ]", 12, "peers[0].server_names",
	 "is empty"},
	{"names and a key", PSK, PSK " server_names = \"a.nl\";", 15, "peers[1].server_names",
	 "TLS-PSK shows none"},
	{"identity without key", PSK, "psk_identity = \"gateway@example.nl\";", 14, "peers[1].psk",
	 "better psk_file"},
	{"key without identity", PSK, "psk_file = \"secrets/psk\";", 14, "peers[1].psk_identity",
	 "go together"},
	{"short key", "psk_file = \"secrets/psk\"", "psk = \"15 octets, only\"", 15, "peers[1].psk",
	 "15 octets"},
	{"short key in hex", "psk_file = \"secrets/psk\"",
	 "psk = \"0x00112233445566778899aabbccddee\"", 15, "peers[1].psk", "15 octets"},
	{"empty identity", "gateway@example.nl", "", 15, "peers[1].psk_identity", "is empty"},
	{"O6 hostile identity", "gateway@example.nl", "gate\\nway", 15, "peers[1].psk_identity",
	 "gate\\x0away"},
	{"secret as key", "psk_file = \"secrets/psk\"", "psk_file = \"secrets/peer\"", 15,
	 "peers[1].psk_file", "RFC 9813"},
	{"identity twice", "gateway@example.nl", "pub@example.nl", 15, "peers[1].psk_identity",
	 "federation.d/radsec.cfg:19"},
	{"one name, two clients", "\"ap.example.nl\" ]; }",
	 "\"ap.example.nl\" ]; }, { name = \"x\"; client_names = \"AP.example.nl\"; }", 18,
	 "clients[1].client_names", "\"hall\" too (federation.d/radsec.cfg:18)"},
	{"one name, a client and a peer", "\"ap.example.nl\"", "\"bergen.nl\"", 13,
	 "peers[0].client_names", "\"hall\" too"},
	{"no addresses", "10.7.0.0/16", "10.7.0.1/16", 19, "clients[1].addresses",
	 "10.7.0.0/16 meant"},
	{"names and a key of a client", "{ name = \"hall\";",
	 "{ name = \"hall\"; psk_identity = \"x\"; psk = \"a key of sixteen octets and more\";", 18,
	 "clients[0].client_names", "TLS-PSK shows none"},
};

static const struct wrong warnings[] = {
	{"credential of nobody", "credentials = (\n", "credentials = ( { name = \"spare\"; },\n", 1,
	 "credentials[0]", "no listen, peer or route"},
	{"key for two versions of TLS", "credential = \"federation\";\n" NAMES,
	 "credential = \"federation\";\n    psk_identity = \"x\"; psk = \"a key of its own, and "
	 "long enough\";",
	 11, "peers[0].credential", "RFC 9813"},
	{"names of one who may not ask", "accepts = true;\n    client", "\n    client", 13,
	 "peers[0].client_names", "may not ask"},
	{"no way in",
	 "  { transport = \"dtls\"; address = \"127.0.0.1\"; credential = \"federation\"; }",
	 "  { transport = \"http\"; address = \"127.0.0.1\"; }", 14, "peers[1].accepts",
	 "over dtls"},
};

static void expect(const struct wrong *wrong, bool warning)
{
	struct rg_report report = {0};
	struct rg_raddb *raddb = kit_load(&report);
	bool good = (raddb != NULL) == warning &&
		    kit_found(&report, warning, RADSEC, wrong->line, wrong->key, wrong->word);
	if (!good) {
		fprintf(stderr, "%s: not found; what was:\n", wrong->what);
		kit_show(&report);
	}
	raddb_free(&raddb);
	report_free(&report);
	assert_true(good);
}

static void O1_what_is_wrong_is_told_at_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		kit_radsec();
		kit_replace(RADSEC, errors[i].from, errors[i].to);
		expect(&errors[i], false);
	}
}

static void what_is_dubious_is_a_warning(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(warnings) / sizeof(warnings[0]); i++) {
		kit_radsec();
		kit_replace(RADSEC, warnings[i].from, warnings[i].to);
		expect(&warnings[i], true);
	}
}

static void one_name_from_two_places_is_two_clients(void **state)
{
	(void)state;
	kit_radsec();
	kit_replace(RADSEC, "{ name = \"hall\";",
		    "{ name = \"a\"; addresses = \"10.1.0.0/16\"; client_names = \"ap.nl\"; },\n"
		    "{ name = \"b\"; addresses = \"10.2.0.0/16\"; client_names = \"ap.nl\"; },\n"
		    "{ name = \"hall\";");
	struct rg_raddb *raddb = load_good();
	raddb_free(&raddb);
	kit_replace(RADSEC, "10.2.0.0/16", "10.1.2.0/24");
	expect(&(struct wrong){.what = "one in the other",
			       .key = "clients[1].client_names",
			       .word = "\"a\" too"},
	       false);
}

static void one_name_over_two_transports_is_two_clients(void **state)
{
	(void)state;
	kit_radsec();
	kit_replace(RADSEC, "  { name = \"psk\";",
		    "  { name = \"too\"; transport = \"dtls\"; host = \"radsec.example.nl\"; "
		    "accepts = true;\n"
		    "    credential = \"federation\"; client_names = \"proxy.example.nl\"; },\n"
		    "  { name = \"psk\";");
	kit_replace(RADSEC, "[ \"tls\", \"psk\" ]", "[ \"tls\", \"too\", \"psk\" ]");
	struct rg_raddb *raddb = load_good();
	raddb_free(&raddb);
}

static void who_has_a_certificate_is_shown_one(void **state)
{
	(void)state;
	kit_radsec();
	kit_replace(RADSEC, "credentials = (\n", "credentials = ( { name = \"bare\"; },\n");
	kit_replace(RADSEC, LISTEN, "port = 2083; credential = \"bare\";");
	expect(&(struct wrong){.what = "tls shows none",
			       .key = "peers[0].accepts",
			       .word = "no certificate"},
	       true);
	kit_replace(RADSEC, "\"127.0.0.1\"; credential = \"federation\";",
		    "\"127.0.0.1\"; credential = \"bare\";");
	expect(&(struct wrong){.what = "neither does dtls",
			       .key = "clients[0]",
			       .word = "no certificate"},
	       true);
	kit_replace(RADSEC, "host = \"radsec.example.nl\"; credential = \"federation\"",
		    "host = \"radsec.example.nl\"; credential = \"bare\"");
	expect(&(struct wrong){.what = "nor the peer",
			       .key = "peers[0].credential",
			       .word = "to show"},
	       false);
}

static void a_world_readable_key_is_refused(void **state)
{
	(void)state;
	kit_radsec();
	kit_mode("secrets/psk", 0604);
	expect(&(struct wrong){"open to all", NULL, NULL, 15, "peers[1].psk_file", "chmod o="},
	       false);
}

static void leaf(struct kit_leaf wanted)
{
	wanted.base = "certs/federation";
	wanted.cn = "radsec.beuningen.nl";
	kit_leaf(&wanted);
}

static void expect_file(unsigned line, const char *key, const char *word, bool warning)
{
	expect(&(struct wrong){word, NULL, NULL, line, key, word}, warning);
}

static void certificates_that_peers_refuse(void **state)
{
	(void)state;
	const char *key = "credentials[0].certificate", *dns = "radsec.beuningen.nl";
	const char *both = "serverAuth,clientAuth";
	kit_radsec();
	leaf((struct kit_leaf){.dns = dns, .usage = both, .days = 12});
	expect_file(3, key, "ends in 12 days", true);
	leaf((struct kit_leaf){.dns = dns, .usage = both, .days = -3});
	expect_file(3, key, "ended 3 days ago: peers refuse", true);
	leaf((struct kit_leaf){.dns = dns, .usage = "serverAuth", .days = 90});
	expect_file(3, key, "clientAuth", true);
	leaf((struct kit_leaf){.dns = dns, .usage = "clientAuth", .days = 90});
	expect_file(3, key, "serverAuth", true);
	leaf((struct kit_leaf){.usage = both, .days = 90});
	expect_file(3, key, "no subjectAltName", true);
	/* Wildcards, another CN and no extended key usage are nobody's trouble here. */
	leaf((struct kit_leaf){
		.dns = "*.beuningen.nl", .usage = "", .days = 90, .with_root = true});
	struct rg_raddb *raddb = load_good();
	raddb_free(&raddb);
}

static void what_a_credential_is_not_shown_as_is_not_asked_of_it(void **state)
{
	(void)state;
	kit_radsec();
	leaf((struct kit_leaf){.dns = "radsec.beuningen.nl", .usage = "serverAuth", .days = 90});
	/* A peer of TLS-PSK names it for its versions alone. */
	kit_replace(RADSEC, "ca = ", "tls_max = \"1.2\"; ca = ");
	kit_replace(RADSEC, NAMES,
		    "accepts = true; psk_identity = \"x\"; psk = \"a key of its own, and long "
		    "enough\";");
	struct rg_raddb *raddb = load_good();
	assert_ptr_equal(raddb->peers[1].credential, &raddb->credentials[0]);
	raddb_free(&raddb);
}

static void O1_keys_and_lists_that_do_not_fit(void **state)
{
	(void)state;
	const char *both = "serverAuth,clientAuth", *dns = "radsec.beuningen.nl";
	kit_radsec();
	leaf((struct kit_leaf){.dns = dns, .usage = both, .days = 90, .other_key = true});
	expect_file(3, "credentials[0].private_key", "is not the key", false);
	leaf((struct kit_leaf){.dns = dns, .usage = both, .days = 90, .passphrase = "geheim"});
	expect_file(3, "credentials[0].private_key", "encrypted", false);
	kit_radsec();
	kit_crl(-2, false);
	expect_file(4, "credentials[0].crl", "every peer is refused", true);
	kit_crl(90, true);
	expect_file(4, "credentials[0].crl", "signed by no CA of ca", false);
	kit_radsec();
	kit_replace(RADSEC, "certs/ca.pem", "certs/federation.pem");
	expect_file(4, "credentials[0].ca", "certificate of a CA", false);
}

static void line_take(void *context, const char *line)
{
	char *lines = context;
	snprintf(lines + strlen(lines), 1024 - strlen(lines), "%s\n", line);
}

static void a_reload_tells_what_changed(void **state)
{
	(void)state;
	char lines[1024] = "";
	kit_radsec();
	struct rg_raddb *first = load_good();
	struct rg_raddb *second = load_good();
	raddb_differences(first, second, line_take, lines);
	assert_string_equal(lines, "");
	assert_string_equal(first->digest, second->digest);
	raddb_free(&second);
	leaf((struct kit_leaf){
		.dns = "radsec.beuningen.nl", .usage = "serverAuth,clientAuth", .days = 900});
	second = load_good();
	raddb_differences(first, second, line_take, lines);
	assert_string_equal(lines, "credential federation changed\n");
	assert_string_not_equal(first->digest, second->digest);
	raddb_free(&first);
	first = second;
	lines[0] = '\0';
	kit_write("secrets/psk", "another key for TLS-PSK and nothing else\n");
	kit_replace(RADSEC, LISTEN, "serves = \"auth\"; " LISTEN);
	second = load_good();
	raddb_differences(first, second, line_take, lines);
	assert_string_equal(lines, "peer psk changed\nlisten tls 127.0.0.1 port 2083 changed\n");
	raddb_free(&second);
	raddb_free(&first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(credentials_and_listens_as_they_are_written),
		cmocka_unit_test(peers_of_tls_and_dtls),
		cmocka_unit_test(names_of_a_peer_are_its_host_where_none_are_given),
		cmocka_unit_test(who_may_ask_over_what),
		cmocka_unit_test(a_key_in_hex_is_the_octets_it_says),
		cmocka_unit_test(O1_what_is_wrong_is_told_at_its_place),
		cmocka_unit_test(what_is_dubious_is_a_warning),
		cmocka_unit_test(one_name_from_two_places_is_two_clients),
		cmocka_unit_test(one_name_over_two_transports_is_two_clients),
		cmocka_unit_test(who_has_a_certificate_is_shown_one),
		cmocka_unit_test(a_world_readable_key_is_refused),
		cmocka_unit_test(certificates_that_peers_refuse),
		cmocka_unit_test(what_a_credential_is_not_shown_as_is_not_asked_of_it),
		cmocka_unit_test(O1_keys_and_lists_that_do_not_fit),
		cmocka_unit_test(a_reload_tells_what_changed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Raddbs with one thing wrong each: found, at its file, line and key, and in so many words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kit.h"

#define CFG "roamgate.cfg"
#define CLIENTS "clients.d/clients.cfg"
#define REALMS "realms.d/beuningen.cfg"
#define PEERS "federation.d/peers.cfg"

struct broken {
	const char *what;
	const char *name, *from, *to; /* a file, and what is replaced in it */
	const char *file;	      /* where it must be found */
	unsigned line;
	const char *key, *word;
};

#define TEN "\"x\", \"x\", \"x\", \"x\", \"x\", \"x\", \"x\", \"x\", \"x\", \"x\", "

#define ALONG "a/folder/of/a/name/that/is/long/"

static const struct broken broken[] = {
	{"unknown key", CFG, "user = \"\"", "usr = \"\"", CFG, 3, "gateway.usr", "did you mean \"user\"?"},
	{"unknown key like no other", CLIENTS, "operator_name", "colour", CLIENTS, 5, "clients[0].colour",
	 "unknown key: there are name, site, "},
	{"unknown key where there are many", REALMS, "starttls", "colour", REALMS, 12, "realms[0].directory.colour", ", …"},
	{"unknown key at the top", CLIENTS, "clients =", "clints =", CLIENTS, 1, "clints", "\"clients\""},
	{"unknown key in a list", REALMS, "crl = ", "clr = ", REALMS, 7, "realms[0].eap.clr", "\"crl\""},
	{"unknown key of a secret", CLIENTS, "secret_file", "secret_fle", CLIENTS, 4,
	 "clients[0].secret_fle", "\"secret_file\""},
	{"wrong type", CFG, "port = 1812", "port = \"1812\"", CFG, 7, "listen[0].port", "must be a number"},
	{"string for a list", CLIENTS, "[ \"10.20.0.0/16\", \"fd00:20::/48\" ]", "5", CLIENTS, 3,
	 "clients[0].addresses", "array of strings"},
	{"number too large for its range", CFG, "port = 1812", "port = 65536", CFG, 7, "listen[0].port",
	 "from 1 to 65535"},
	{"number too large for libconfig", CFG, "port = 1812", "port = 4294969108", CFG, 7, "",
	 "4294969108L"},
	{"negative number too large for libconfig", CFG, "port = 1812", "port = -4294965484", CFG, 7, "",
	 "4294965484L"},
	{"peer named as a client", CLIENTS, "\"stadhuis\"", "\"govroam-1\"", PEERS, 2, "peers[0].name",
	 "clients.d/clients.cfg:2"},
	{"group for a list", PEERS, "routes = (\n  {", "routes = (\n  5, {", PEERS, 0, "routes[0]", "a group"},
	{"list that is a group", CFG, "listen = (\n  {", "log = ( ); listen = (\n  {", CFG, 0, "log",
	 "must be a group"},
	{"negative number", CFG, "name = \"test\"", "session_s = -1", CFG, 2, "gateway.session_s",
	 "from 1 to 600"},
	{"unknown choice", CFG, "serves = [ \"auth\" ]", "serves = [ \"auht\" ]", CFG, 7,
	 "listen[0].serves[0]", "\"auth\""},
	{"choice twice", CFG, "[ \"auth\" ]", "[ \"auth\", \"auth\" ]", CFG, 7, "listen[0].serves[1]",
	 "twice"},
	{"missing key", CLIENTS, "name = \"stadhuis\"; ", "", CLIENTS, 2, "clients[0].name", "is missing"},
	{"missing addresses", CLIENTS, "addresses = [ \"10.20.0.0/16\", \"fd00:20::/48\" ];", "", CLIENTS, 2,
	 "clients[0].addresses", "is missing"},
	{"missing secret", CLIENTS, "secret_file = \"secrets/client\";", "", CLIENTS, 2,
	 "clients[0].secret", "is missing"},
	{"syntax", REALMS, "    eap = {", "    eap = {{", REALMS, 3, "", "syntax error"},
	{"comma after the last", REALMS, "[ \"beuningen.nl\",", "[ \"beuningen.nl\", ,", REALMS, 2, "",
	 "a comma too many"},
	{"end in the middle", REALMS, "    );\n  }\n);\n", "", REALMS, 19, "", "syntax error"},
	{"comment without end", CFG, "listen = (", "/* listen = (", CFG, 6, "", "never ends"},
	{"string without end", CFG, "name = \"test\"", "name = \"test", CFG, 0, "", "never ends"},
	{"key twice", CFG, "user = \"\"", "name = \"again\"", CFG, 3, "", "duplicate"},
	{"unknown module", CFG, "\"dir_ldap\"", "\"dir_ldap\", \"eap_tsl\"", CFG, 4, "gateway.modules[2]",
	 "\"eap_tls\""},
	{"module that is a path", CFG, "\"dir_ldap\"", "\"../dir_ldap\"", CFG, 4, "gateway.modules[1]",
	 "no name of a module"},
	{"address", CFG, "127.0.0.1", "127.0.0.256", CFG, 7, "listen[0].address", "no address"},
	{"port taken", CFG, " }\n);", " },\n  { address = \"127.0.0.1\"; port = 1812; } );", CFG, 8,
	 "listen[1].port", "roamgate.cfg:7"},
	{"bits beyond the prefix", CLIENTS, "10.20.0.0/16", "10.20.1.0/16", CLIENTS, 3,
	 "clients[0].addresses", "10.20.0.0/16 meant"},
	{"prefix too long", CLIENTS, "fd00:20::/48", "fd00:20::/129", CLIENTS, 3, "clients[0].addresses",
	 "0 to 128"},
	{"no network", CLIENTS, "10.20.0.0/16", "stadhuis", CLIENTS, 3, "clients[0].addresses",
	 "\"stadhuis\""},
	{"same prefix twice", CLIENTS, "fd00:20::/48", "10.20.0.0/16", CLIENTS, 3, "clients[0].addresses",
	 "clients.d/clients.cfg:3"},
	{"prefix of an accepting peer", CLIENTS, "fd00:20::/48", "::ffff:192.0.2.10", PEERS, 2,
	 "peers[0].address", "192.0.2.10/32"},
	{"missing secret file", CLIENTS, "secrets/client", "secrets/nobody", CLIENTS, 4,
	 "clients[0].secret_file", "No such file"},
	{"secret given twice", CLIENTS, "secret_file =", "secret = \"x\"; secret_file =", CLIENTS, 4,
	 "clients[0].secret_file", "one of the two"},
	{"empty secret", CLIENTS, "secret_file = \"secrets/client\"", "secret = \"\"", CLIENTS, 4,
	 "clients[0].secret", "is empty"},
	{"operator name without namespace", CLIENTS, "1beuningen.nl", "beuningen.nl", CLIENTS, 5,
	 "clients[0].operator_name", "RFC 5580"},
	{"unknown attribute", CLIENTS, "Tunnel-Type", "Tunel-Type", CLIENTS, 6,
	 "clients[0].visitor_reply[0]", "Tunnel-Type"},
	{"VLAN out of range", CLIENTS, "= 900", "= 4095", CLIENTS, 8, "clients[0].visitor_reply[2]",
	 "1 to 4094"},
	{"VLAN 0", CLIENTS, "= 900", "= 0", CLIENTS, 8, "clients[0].visitor_reply[2]", "1 to 4094"},
	{"attribute of our own", REALMS, "Session-Timeout = 3600", "State = 0x01", REALMS, 18,
	 "realms[0].authorize[0].reply[0]", "gateway itself"},
	{"Reply-Message", REALMS, "Session-Timeout = 3600", "Reply-Message = hello", REALMS, 18,
	 "realms[0].authorize[0].reply[0]", "RFC 3579"},
	{"realm twice in other case", REALMS, "\"*.beuningen.nl\"", "\"Beuningen.NL\"", REALMS, 2,
	 "realms[0].names", "realms.d/beuningen.cfg:2"},
	{"realm with an inner star", REALMS, "*.beuningen.nl", "a.*.nl", REALMS, 2, "realms[0].names",
	 "first label"},
	{"realm of one label", REALMS, "\"beuningen.nl\"", "\"beuningen\"", REALMS, 2, "realms[0].names",
	 "without a dot"},
	{"realm that is everything", REALMS, "*.beuningen.nl", "*", REALMS, 2, "realms[0].names", "*"},
	{"realm also routed", PEERS, "\"*\"", "\"*\", \"beuningen.nl\"", PEERS, 6, "routes[0].realms",
	 "realms.d/beuningen.cfg:2"},
	{"missing certificate", REALMS, "certificate = \"certs/server.pem\";", "", REALMS, 3,
	 "realms[0].eap.certificate", "method \"tls\" needs it"},
	{"certificate not there", REALMS, "certs/server.pem", "certs/srever.pem", REALMS, 4,
	 "realms[0].eap.certificate", "No such file"},
	{"certificate is a directory", REALMS, "certs/server.pem", "certs", REALMS, 4,
	 "realms[0].eap.certificate", "no file"},
	{"CRL not there", REALMS, "certs/ca.crl", "certs/none.crl", REALMS, 7, "realms[0].eap.crl",
	 "No such file"},
	{"a key for a certificate", REALMS, "certs/server.pem", "certs/server.key", REALMS, 4,
	 "realms[0].eap.certificate", "holds no certificate"},
	{"a certificate for a key", REALMS, "certs/server.key", "certs/server.pem", REALMS, 5,
	 "realms[0].eap.private_key", "holds no private key"},
	{"a leaf for a CA", REALMS, "client_ca = \"certs/ca.pem\"", "client_ca = \"certs/server.pem\"",
	 REALMS, 6, "realms[0].eap.client_ca", "certificate of a CA"},
	{"a CA for a CRL", REALMS, "certs/ca.crl", "certs/ca.pem", REALMS, 7, "realms[0].eap.crl",
	 "revocation list"},
	{"TLS versions crossed", REALMS, "crl =", "tls_min = \"1.3\"; tls_max = \"1.2\"; crl =", REALMS, 7,
	 "realms[0].eap.tls_min", "above tls_max"},
	{"unknown method", REALMS, "eap = {", "eap = { methods = [ \"tsl\" ];", REALMS, 3,
	 "realms[0].eap.methods", "\"tls\""},
	{"method without module", REALMS, "eap = {", "eap = { methods = [ \"tls\", \"teap\" ];", REALMS, 3,
	 "realms[0].eap.methods", "eap_teap"},
	{"fragment out of range", REALMS, "crl =", "fragment = 99; crl =", REALMS, 7,
	 "realms[0].eap.fragment", "100 to 4000"},
	{"unknown directory type", REALMS, "\"ldap\"", "\"lpad\"", REALMS, 10, "realms[0].directory.type",
	 "\"ldap\""},
	{"directory type without module", REALMS, "\"ldap\"", "\"winbind\"", REALMS, 10,
	 "realms[0].directory.type", "dir_winbind"},
	{"unknown key of a module", REALMS, "base = ", "bsae = ", REALMS, 13, "realms[0].directory.bsae",
	 "\"base\""},
	{"missing key of a module", REALMS, "base = \"dc=beuningen,dc=nl\";", "", REALMS, 9,
	 "realms[0].directory.base", "is missing"},
	{"LDAP without TLS elsewhere", REALMS, "127.0.0.1:389", "ldap.beuningen.nl", REALMS, 12,
	 "realms[0].directory.starttls", "loopback only"},
	{"groups that nobody can tell", REALMS, "groups = { attribute = \"memberOf\"; };", "", REALMS, 17,
	 "realms[0].authorize[0].group", "directory.groups"},
	{"rule for a method not offered", REALMS, "{ }", "{ methods = [ \"peap\" ]; }", REALMS, 19,
	 "realms[0].authorize[1].methods", "offers"},
	{"rule for an empty group", REALMS, "cn=ict", "", REALMS, 17, "realms[0].authorize[0].group",
	 "is empty"},
	{"rule that is no group", REALMS, "{ }", "5", REALMS, 0, "realms[0].authorize[1]", "a group"},
	{"unknown key of a rule", REALMS, "home = true", "hom = true", REALMS, 17,
	 "realms[0].authorize[0].hom", "\"home\""},
	{"route to nobody", PEERS, "peers = [ \"govroam-1\" ]", "peers = [ \"govroam1\" ]", PEERS, 6,
	 "routes[0].peers", "\"govroam-1\""},
	{"route to more peers than are looked at", PEERS, "peers = [ \"govroam-1\" ]",
	 "peers = [ " TEN TEN TEN TEN TEN TEN "\"x\" ]", PEERS, 6, "routes[0].peers", "60 are the most"},
	{"udp peer without address", PEERS, "address = \"192.0.2.10\"", "host = \"radius.nl\"", PEERS, 2,
	 "peers[0].address", "is missing"},
	{"udp peer with a PSK", PEERS, "accepts = true", "psk = \"a key of sixteen octets and more\"", PEERS, 3,
	 "peers[0].psk", "belongs to tls and dtls"},
	{"peer without secret", PEERS, "secret_file = \"secrets/peer\"; ", "", PEERS, 2, "peers[0].secret",
	 "is missing"},
	{"listen of a credential that is not there", CFG, " }\n);",
	 " },\n  { transport = \"tls\"; address = \"::\"; credential = \"c\"; } );", CFG, 8,
	 "listen[1].credential", "there is no \"c\""},
	{"tls listen without a credential", CFG, " }\n);", " },\n  { transport = \"tls\"; address = \"::\"; } );",
	 CFG, 8, "listen[1].credential", "is missing"},
	{"tls peer without a credential", PEERS, " }\n);",
	 " },\n  { name = \"p\"; transport = \"dtls\"; host = \"p.nl\"; } );", PEERS, 4, "peers[1].credential",
	 "is missing"},
	{"TLS-PSK identity without its key", PEERS, " }\n);",
	 " },\n  { name = \"p\"; transport = \"tls\"; host = \"p.nl\"; psk_identity = \"i\"; } );", PEERS, 4,
	 "peers[1].psk", "psk_file"},
	{"udp peer with names", PEERS, "secret_file =", "server_names = [ \"p.nl\" ]; secret_file =", PEERS, 3,
	 "peers[0].server_names", "tls and dtls"},
	{"refusal that is no pattern", PEERS, "*.example", "exa mple.nl", PEERS, 8, "refuse[0]",
	 "no realm"},
	{"state in a file", CFG, "user = \"\"", "state_dir = \"secrets/client/x/y\"", CFG, 3, "gateway.state_dir",
	 "secrets/client is no folder"},
	{"control socket in a file", CFG, "user = \"\"", "control = \"secrets/client/x\"", CFG, 3,
	 "gateway.control", "secrets/client is no folder"},
	{"control socket that is a folder", CFG, "user = \"\"", "control = \"secrets\"", CFG, 3,
	 "gateway.control", "secrets exists and is no socket"},
	{"control socket far down", CFG, "user = \"\"", "control = \"" ALONG ALONG ALONG ALONG "x\"", CFG, 3,
	 "gateway.control", "than the 107 octets"},
	{"log that is a folder", CFG, "listen =", "log = { target = \"secrets\"; };\nlisten =", CFG, 6,
	 "log.target", "is a folder"},
	{"include that is not there", CFG, "listen = (", "@include \"more.cfg\"\nlisten = (", CFG, 6, "",
	 "more.cfg"},
	{"O10 include loop", CFG, "listen = (", "@include \"roamgate.cfg\"\nlisten = (", CFG, 6, "", "loop"},
	{"O1 include of a directory", CFG, "listen = (", "@include \"secrets\"\nlisten = (", CFG, 6, "",
	 "Is a directory"},
};

static void check_broken(const struct broken *one)
{
	struct rg_report report = {0};
	kit_new();
	kit_replace(one->name, one->from, one->to);
	struct rg_raddb *raddb = kit_load(&report);
	bool good = !raddb && kit_found(&report, false, one->file, one->line, one->key, one->word);
	if (!good) {
		fprintf(stderr, "%s: not found; what was:\n", one->what);
		kit_show(&report);
	}
	raddb_free(&raddb);
	report_free(&report);
	assert_true(good);
}

static void O1_each_broken_raddb_is_refused_at_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		check_broken(&broken[i]);
}

static const struct broken dubious[] = {
	{"short secret", CLIENTS, "secret_file = \"secrets/client\"", "secret = \"15 octets, only\"",
	 CLIENTS, 4, "clients[0].secret", "15 octets"},
	{"site of no client", REALMS, "{ }", "{ sites = [ \"druten\" ]; }", REALMS, 19,
	 "realms[0].authorize[1].sites", "druten"},
	{"operator of no client", REALMS, "names =", "operator = \"druten\"; names =", REALMS, 17,
	 "realms[0].authorize[0].home", "druten"},
	{"rule after everyone", REALMS, "{ }", "{ }, { deny = true; }", REALMS, 19,
	 "realms[0].authorize[2]", "never reached"},
	{"later module", CFG, "\"dir_ldap\"", "\"dir_ldap\", \"eap_teap\"", CFG, 4, "gateway.modules[2]",
	 "not served"},
	{"later group", CFG, "listen =", "store = { type = \"sqlite\"; };\nlisten =", CFG, 6, "store",
	 "not served"},
	{"later key", CLIENTS, "operator_name", "disconnect_port = 3799; operator_name", CLIENTS, 5,
	 "clients[0].disconnect_port", "not served"},
	{"peer that no route names", PEERS, " }\n);",
	 " },\n  { name = \"p\"; address = \"192.0.2.11\"; secret_file = \"secrets/peer\"; } );", PEERS, 4,
	 "peers[1]", "no route"},
	{"route that is refused", PEERS, "\"*\"", "\"*.local\", \"*\"", PEERS, 6, "routes[0].realms",
	 "refused"},
	{"VLAN without type", CLIENTS, "\"Tunnel-Type = VLAN\",", "", CLIENTS, 6,
	 "clients[0].visitor_reply", "without Tunnel-Type"},
	{"log in a folder that is not there", CFG, "listen =", "log = { target = \"logs/x.log\"; };\nlisten =", CFG,
	 6, "log.target", "/logs on this machine"},
	{"nobody listens", CFG, "serves = [ \"auth\" ]", "serves = [ \"acct\" ]", CFG, 0, "listen",
	 "nothing listens"},
};

static void what_is_dubious_is_a_warning(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(dubious) / sizeof(dubious[0]); i++) {
		struct rg_report report = {0};
		const struct broken *one = &dubious[i];
		kit_new();
		kit_replace(one->name, one->from, one->to);
		struct rg_raddb *raddb = kit_load(&report);
		bool good = raddb && kit_found(&report, true, one->file, one->line, one->key, one->word);
		if (!good) {
			fprintf(stderr, "%s: not found; what was:\n", one->what);
			kit_show(&report);
		}
		raddb_free(&raddb);
		report_free(&report);
		assert_true(good);
	}
}

static void all_errors_of_all_files_come_at_once(void **state)
{
	(void)state;
	struct rg_report report = {0};
	kit_new();
	kit_replace("roamgate.cfg", "user", "usr");
	kit_replace("clients.d/clients.cfg", "10.20.0.0/16", "10.20.0.0/33");
	kit_replace("clients.d/clients.cfg", "1beuningen.nl", "beuningen.nl");
	kit_replace("realms.d/beuningen.cfg", "eap = {", "eap = ;");
	kit_replace("federation.d/peers.cfg", "192.0.2.10", "192.0.2");
	assert_null(kit_load(&report));
	assert_true(kit_found(&report, false, CFG, 3, "gateway.usr", NULL));
	assert_true(kit_found(&report, false, CLIENTS, 3, "clients[0].addresses", NULL));
	assert_true(kit_found(&report, false, CLIENTS, 5, "clients[0].operator_name", NULL));
	assert_true(kit_found(&report, false, REALMS, 3, "", "syntax"));
	assert_true(kit_found(&report, false, PEERS, 2, "peers[0].address", NULL));
	report_free(&report);
}

/* What one key says wrong hides nothing that another does, and is told once. */
static void all_errors_of_one_group_come_at_once(void **state)
{
	(void)state;
	struct rg_report report = {0};
	kit_new();
	kit_write(REALMS, "realms = ( { names = [ \"w.nl\" ]; eap = { identity_from = [ \"san_upm\" ]; };\n"
			  "directory = { type = \"ldap\"; base = \"dc=nl\"; connections = 99; uris = [ \"http://x\", \"ldaps://x:99999\" ];\n"
			  "filter = \"(uid=%{usr})\"; bind_dn = \"cn=x\"; bind_password_file = \"secrets/no\"; }; } );\n");
	kit_write(PEERS, "peers = ( { name = \"p\"; address = \"x\"; accepts = \"yes\"; },\n"
			 "{ name = \"q\"; transport = \"tsl\"; host = \"q.nl\"; credential = \"c\"; },\n"
			 "{ name = \"r\"; transport = \"tls\"; accepts = 1; host = \"r r\"; credential = \"c\"; } );\n"
			 "listen = ( { address = \"x\"; port = 0; } );\n"
			 "discovery = { cache = 1; resolvers = [ \"x\" ]; };\n");
	assert_null(kit_load(&report));
	assert_true(kit_found(&report, false, REALMS, 2, "realms[0].directory.connections", NULL));
	assert_true(kit_found(&report, false, REALMS, 2, "realms[0].directory.uris", "http://x"));
	assert_true(kit_found(&report, false, REALMS, 2, "realms[0].directory.uris", "1 to 65535"));
	assert_true(kit_found(&report, false, REALMS, 3, "realms[0].directory.filter", "usr"));
	assert_true(kit_found(&report, false, REALMS, 3, "realms[0].directory.bind_password_file", "cannot be read"));
	assert_false(kit_found(&report, false, REALMS, 3, "realms[0].directory.bind_password_file", "is missing"));
	assert_true(kit_found(&report, false, REALMS, 1, "realms[0].eap.identity_from[0]", "san_upm"));
	assert_false(kit_found(&report, false, REALMS, 1, "realms[0].eap.identity_from", "is empty"));
	assert_true(kit_found(&report, false, PEERS, 1, "peers[0].accepts", NULL));
	assert_true(kit_found(&report, false, PEERS, 1, "peers[0].address", NULL));
	assert_true(kit_found(&report, false, PEERS, 1, "peers[0].secret", "is missing"));
	assert_true(kit_found(&report, false, PEERS, 2, "peers[1].transport", NULL));
	assert_false(kit_found(&report, false, PEERS, 2, NULL, "belongs to"));
	assert_true(kit_found(&report, false, PEERS, 3, "peers[2].accepts", NULL));
	assert_true(kit_found(&report, false, PEERS, 3, "peers[2].host", NULL));
	assert_true(kit_found(&report, false, PEERS, 4, "listen[0].port", NULL));
	assert_true(kit_found(&report, false, PEERS, 4, "listen[0].address", NULL));
	assert_true(kit_found(&report, false, PEERS, 5, "discovery.cache", NULL));
	assert_true(kit_found(&report, false, PEERS, 5, "discovery.resolvers", NULL));
	report_free(&report);
}

static size_t errors_at(const struct rg_report *report, const char *key)
{
	size_t count = 0;
	for (size_t i = 0; i < report->error_count; i++)
		count += !key || strcmp(report->errors[i].key, key) == 0;
	return count;
}

static void an_unknown_directory_type_hides_nothing(void **state)
{
	(void)state;
	struct rg_report report = {0};
	kit_new();
	kit_replace(REALMS, "\"ldap\"", "\"lpad\"; connections = 99; bsae = \"x\"");
	kit_replace(REALMS, "127.0.0.1:389", "127.0.0.1:99999");
	assert_null(kit_load(&report));
	assert_true(kit_found(&report, false, REALMS, 10, "realms[0].directory.type",
			      "did you mean \"ldap\""));
	assert_true(kit_found(&report, false, REALMS, 10, "realms[0].directory.connections", NULL));
	assert_true(kit_found(&report, false, REALMS, 10, "realms[0].directory.bsae", "\"base\""));
	assert_true(
		kit_found(&report, false, REALMS, 11, "realms[0].directory.uris", "1 to 65535"));
	assert_int_equal(errors_at(&report, "realms[0].directory.type"), 1);
	report_free(&report);
	kit_new();
	kit_replace(REALMS, "\"ldap\"", "\"nothing like it\"");
	assert_null(kit_load(&report));
	assert_int_equal(errors_at(&report, NULL), 1);
	report_free(&report);
}

/* And not again of each realm that would use it. First of all tests, for what is loaded stays. */
static void a_module_that_cannot_be_loaded_is_told_once(void **state)
{
	(void)state;
	struct rg_report report = {0};
	kit_new();
	kit_replace(CFG, "\"dir_ldap\"",
		    "\"dir_ldap\", \"eap_peap\", \"dir_winbind\", \"sink_fticks\"");
	kit_replace(CFG, "user = \"\"", "user = \"\"; module_dir = \"secrets\"");
	kit_write("fticks.cfg", "fticks = { };\n");
	kit_replace(CFG, "listen =", "@include \"fticks.cfg\"\nlisten =");
	kit_write("realms.d/more.cfg",
		  "realms = ( { names = [ \"druten.nl\" ]; eap = { methods = [ \"peap\" ]; "
		  "certificate = "
		  "\"certs/server.pem\"; private_key = \"certs/server.key\"; };\n"
		  "directory = { type = \"winbind\"; }; authorize = ( { } ); } );\n");
	assert_null(kit_load(&report));
	if (report.error_count != 5 || report.warning_count != 0)
		kit_show(&report);
	assert_int_equal(errors_at(&report, NULL), 5);
	for (unsigned i = 0; i < 5; i++) {
		char key[32];
		snprintf(key, sizeof(key), "gateway.modules[%u]", i);
		assert_int_equal(errors_at(&report, key), 1);
	}
	assert_int_equal(report.warning_count, 0);
	report_free(&report);
}

static void a_byte_order_mark_is_not_part_of_the_configuration(void **state)
{
	(void)state;
	struct rg_report report = {0};
	kit_new();
	kit_write("federation.d/zz.cfg", "\xef\xbb\xbfrefuse = \"x.nl\";\r\n");
	struct rg_raddb *raddb = kit_load(&report);
	assert_non_null(raddb);
	raddb_free(&raddb);
	report_free(&report);
}

/* libconfig notes a string's line when it has seen what comes after it. */
static void the_line_is_the_key_s_own_without_semicolons(void **state)
{
	(void)state;
	struct rg_report report = {0};
	kit_new();
	kit_write(CLIENTS, "clients = (\n{ name = \"a\"\n  secret_file = \"secrets/nobody\"\n\n\n"
			   "  addresses = \"10.0.0.0/8\"\n}\n)\n");
	assert_null(kit_load(&report));
	assert_true(kit_found(&report, false, CLIENTS, 3, "clients[0].secret_file", NULL));
	report_free(&report);
}

static void secret_files_are_guarded(void **state)
{
	(void)state;
	struct rg_report report = {0};
	kit_new();
	kit_mode("secrets/client", 0644);
	assert_null(kit_load(&report));
	assert_true(kit_found(&report, false, CLIENTS, 4, "clients[0].secret_file", "0644"));
	report_free(&report);
	kit_write("secrets/client", "\n");
	assert_null(kit_load(&report));
	assert_true(kit_found(&report, false, CLIENTS, 4, "clients[0].secret_file", "is empty"));
	report_free(&report);
	kit_write_octets("secrets/client", "0123456789\0abcdefgh", 19);
	assert_null(kit_load(&report));
	assert_true(kit_found(&report, false, CLIENTS, 4, "clients[0].secret_file", "NUL"));
	report_free(&report);
}

static void O1_unreadable_and_absent_raddbs(void **state)
{
	(void)state;
	struct rg_report report = {0};
	kit_new();
	kit_write("roamgate.cfg", NULL);
	assert_null(kit_load(&report));
	assert_true(kit_found(&report, false, CFG, 0, NULL, "No such file"));
	report_free(&report);
	assert_null(raddb_load("/nonexistent/roamgate.cfg", &report));
	assert_int_equal(report.error_count, 1);
	report_free(&report);
	kit_new();
	kit_write("realms.d/zz.cfg/not-a-file", "x");
	assert_null(kit_load(&report));
	assert_true(kit_found(&report, false, "realms.d/zz.cfg", 0, NULL, "Is a directory"));
	report_free(&report);
}

static void O6_hostile_text_in_names_is_refused_or_printed_as_one_line(void **state)
{
	(void)state;
	struct rg_report report = {0};
	char *printed = NULL;
	size_t size = 0, lines = 0;
	kit_new();
	kit_replace(REALMS, "\"*.beuningen.nl\"", "\"a\\nb\\x1b[31m.nl\"");
	assert_null(kit_load(&report));
	FILE *out = open_memstream(&printed, &size);
	report_print(&report, out);
	fclose(out);
	for (size_t i = 0; i < size; i++) {
		lines += printed[i] == '\n';
		assert_true(printed[i] == '\n' || (unsigned char)printed[i] >= 0x20);
	}
	assert_int_equal(lines, report.error_count + report.warning_count);
	free(printed);
	report_free(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_module_that_cannot_be_loaded_is_told_once),
		cmocka_unit_test(O1_each_broken_raddb_is_refused_at_its_place),
		cmocka_unit_test(what_is_dubious_is_a_warning),
		cmocka_unit_test(all_errors_of_all_files_come_at_once),
		cmocka_unit_test(all_errors_of_one_group_come_at_once),
		cmocka_unit_test(an_unknown_directory_type_hides_nothing),
		cmocka_unit_test(a_byte_order_mark_is_not_part_of_the_configuration),
		cmocka_unit_test(the_line_is_the_key_s_own_without_semicolons),
		cmocka_unit_test(secret_files_are_guarded),
		cmocka_unit_test(O1_unreadable_and_absent_raddbs),
		cmocka_unit_test(O6_hostile_text_in_names_is_refused_or_printed_as_one_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

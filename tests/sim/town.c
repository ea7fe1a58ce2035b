/* The region's raddb, written and read as an administrator's is, and the gateway that runs on it.
 */
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../unit/eap/pki.h"
#include "config/report.h"
#include "eap/tls_context.h"
#include "module/module.h"
#include "radius/dictionary.h"
#include "sim.h"

struct rg_worker gateway_workers[WORKERS_MOST];

static struct {
	char root[256];                /* what all seeds of this process share: certificates */
	char folder[300];              /* this seed's raddb */
	struct rg_tls_context *tls[8]; /* so that they are made once */
	size_t tls_count;
	uv_loop_t loop; /* the main thread's */
	struct rg_mailbox home;
	struct rg_snapshot *snapshot;
	struct rg_port_socket ports[WORKERS_MOST][2];
} town;

/* What one configuration has that another lacks. */
struct variant {
	unsigned peers;
	bool without_hall, without_beta;
};

/* Files. */

static FILE *file_open(const char *name)
{
	char path[400];
	must(snprintf(path, sizeof(path), "%s/%s", town.folder, name) < (int)sizeof(path));
	FILE *file = fopen(path, "w");
	must(file);
	must(fchmod(fileno(file), 0600) == 0);
	return file;
}

static void folder_make(const char *name)
{
	char path[400];
	snprintf(path, sizeof(path), "%s/%s", town.folder, name);
	must(mkdir(path, 0700) == 0);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void write_gateway(const struct variant *variant)
{
	const struct plan *plan = &world.plan;
	FILE *file = file_open("roamgate.cfg");
	fprintf(file,
		"gateway = { name = \"sim\"; user = \"\"; reject_delay_ms = %u; session_s = %u;\n"
		"  modules = [ \"eap_toy\", \"eap_toyask\", \"eap_tls\", \"dir_sim\" ]; };\n"
		"attempts = { max = 10; };\n"
		"listen = ( { address = \"0.0.0.0\"; port = 1812; serves = [ \"auth\" ]; },\n"
		"  { address = \"0.0.0.0\"; port = 1813; serves = [ \"acct\" ]; } );\n",
		plan->reject_delay_ms, plan->session_s);
	fclose(file);
	file = file_open("clients.d/clients.cfg");
	fputs("clients = (\n", file);
	for (unsigned i = variant->without_hall ? 1 : 0; i < FEDERATION; i++)
		fprintf(file,
			"  { name = \"%s\"; site = \"%s\"; addresses = [ \"10.1.%u.0/24\" ];\n"
			"    secret = \"%s\"; message_authenticator = \"%s\"; }%s\n",
			nases[i].name, nases[i].forbidden ? "cellar" : "hall", i, nases[i].secret,
			nases[i].lenient ? "auto" : "require", i + 1 < FEDERATION ? "," : "");
	fputs(");\n", file);
	fclose(file);
}

static void write_realm(FILE *file, const char *name, const char *methods, bool last)
{
	fprintf(file,
		"  { names = [ \"%s\" ];\n"
		"    eap = { methods = [ %s ]; certificate = \"%s/server.pem\";\n"
		"      private_key = \"%s/server.key\"; client_ca = \"%s/ca.pem\"; };\n"
		"    directory = { type = \"sim\"; };\n"
		"    authorize = ( { sites = [ \"cellar\" ]; deny = true; }, { group = \"staff\"; "
		"} ); }%s\n",
		name, methods, town.root, town.root, town.root, last ? "" : ",");
}

/* peers: so many of them are configured. */
static void write_federation(unsigned peers)
{
	FILE *file = file_open("federation.d/peers.cfg");
	fputs("peers = (\n", file);
	for (unsigned i = 0; i < peers; i++)
		fprintf(file,
			"  { name = \"peer%u\"; address = \"10.2.%u.1\"; port = 1812; secret = "
			"\"%s\";\n"
			"    status_server = %s; accepts = %s; }%s\n",
			i, i, peer_secret(i), world.plan.status_server ? "true" : "false",
			i == 0 ? "true" : "false", i + 1 < peers ? "," : "");
	fputs(");\nroutes = (\n", file);
	for (unsigned pap = 0; pap < 2; pap++) {
		fprintf(file, "  { realms = [ %s ]; %s = true; strategy = \"%s\"; peers = [",
			pap ? "\"pap.nl\"" : "\"visit.nl\", \"loop.nl\"",
			pap ? "pap" : "accounting", world.plan.balance ? "balance" : "failover");
		for (unsigned i = 0; i < peers; i++)
			fprintf(file, "%s\"peer%u\"", i ? ", " : " ", i);
		fprintf(file, " ]; }%s\n", pap ? "" : ",");
	}
	fputs(");\nrefuse = [ \"*.refused.nl\" ];\n", file);
	fclose(file);
}

static void write_raddb(const struct variant *variant)
{
	snprintf(town.folder, sizeof(town.folder), "%s/%llu", town.root,
		 (unsigned long long)getpid());
	must(mkdir(town.folder, 0700) == 0);
	folder_make("clients.d");
	folder_make("realms.d");
	folder_make("federation.d");
	write_gateway(variant);
	FILE *file = file_open("realms.d/realms.cfg");
	fputs("realms = (\n", file);
	write_realm(file, "alpha.nl", "\"toy\"", false);
	if (!variant->without_beta)
		write_realm(file, "beta.nl", "\"toy\", \"toyask\"", false);
	write_realm(file, "delta.nl", "\"tls\"", true);
	fputs(");\n", file);
	fclose(file);
	write_federation(variant->peers);
}

static struct rg_raddb *read_raddb(const struct variant *variant)
{
	char path[400];
	struct rg_report report = {0};
	write_raddb(variant);
	snprintf(path, sizeof(path), "%s/roamgate.cfg", town.folder);
	struct rg_raddb *raddb = raddb_load(path, &report);
	if (!raddb) {
		report_print(&report, stderr);
		broken("the raddb is not good");
	}
	report_free(&report);
	nftw(town.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return raddb;
}

/* Certificates. */

static void write_pair(const char *name, const struct pki *pki)
{
	char path[400];
	snprintf(path, sizeof(path), "%s/%s.pem", town.root, name);
	pki_write_certificates(path, (X509 *const[]){pki->certificate}, 1);
	snprintf(path, sizeof(path), "%s/%s.key", town.root, name);
	pki_write_key(path, pki->key);
}

static void write_laptop(const char *whose, unsigned number, const struct pki *issuer)
{
	char name[32], san[64];
	snprintf(name, sizeof(name), "%s%u", whose, number);
	snprintf(san, sizeof(san), "email:p%u@delta.nl", number);
	struct pki pki = pki_make(&(struct pki_want){
		.cn = name, .issuer = issuer, .usage = "clientAuth", .san = san});
	write_pair(name, &pki);
	pki_free(&pki);
}

static void make_certificates(void)
{
	struct pki ca = pki_make(&(struct pki_want){.cn = "CA of the town", .ca = true});
	struct pki server = pki_make(&(struct pki_want){.cn = "radius.delta.nl",
							.issuer = &ca,
							.usage = "serverAuth",
							.san = "DNS:radius.delta.nl"});
	struct pki other = pki_make(&(struct pki_want){.cn = "CA of another town", .ca = true});
	write_pair("ca", &ca);
	write_pair("server", &server);
	for (unsigned i = 0; i < TLS_MOST; i++) {
		write_laptop("staff", i, &ca);
		write_laptop("stray", i, &other);
	}
	pki_free(&ca);
	pki_free(&server);
	pki_free(&other);
}

const char *town_folder(void)
{
	return town.root;
}

bool town_prepare(void)
{
	const char *why, *tmp = getenv("TMPDIR");
	char text[512];
	struct rg_raddb *raddb;
	snprintf(town.root, sizeof(town.root), "%s/roamgate-sim-XXXXXX",
		 tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(town.root) || !dictionary_open(NULL, &why))
		return false;
	make_certificates();
	must(module_adopt(&toy_module, text) && module_adopt(&toyask_module, text) &&
	     module_adopt(&sim_directory_module, text) && module_adopt(&roamgate_module, text));
	plan_draw(&world.plan, 0);
	raddb = read_raddb(&(struct variant){.peers = 1});
	for (size_t i = 0; i < raddb->realm_count; i++)
		town.tls[town.tls_count++] =
			tls_context_get(&raddb->realms[i].eap, raddb->realms[i].name, NULL, NULL);
	raddb_free(&raddb);
	return true;
}

void town_end(void)
{
	while (town.tls_count != 0)
		tls_context_unref(&town.tls[--town.tls_count]);
	nftw(town.root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* The gateway. */

static void on_lesson(void)
{
}

static void publish(const struct variant *variant)
{
	char why[256];
	struct rg_raddb_share *share = raddb_share_new(read_raddb(variant));
	must(share);
	struct rg_snapshot *snapshot = snapshot_new(share, true, why);
	if (!snapshot)
		broken("no snapshot: %s", why);
	raddb_share_unref(&share);
	for (unsigned i = 0; i < world.plan.workers; i++) {
		struct rg_port_socket *ports = worker_publication(&gateway_workers[i], 2);
		must(ports);
		memcpy(ports, town.ports[i], 2 * sizeof(*ports));
		worker_publish(&gateway_workers[i], snapshot);
	}
	snapshot_unref(&town.snapshot);
	town.snapshot = snapshot;
}

static struct rg_port_socket port_open(uint16_t port, unsigned serves)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
	return (struct rg_port_socket){
		.fd = udp_listen((const struct sockaddr *)&any, true),
		.serves = serves,
	};
}

void gateway_begin(void)
{
	unsigned workers = world.plan.workers;
	must(uv_loop_init(&town.loop) == 0 && mailbox_init(&town.home, &town.loop, NULL) == 0);
	for (unsigned i = 0; i < workers; i++) {
		must(worker_init(&gateway_workers[i], i, workers, world.plan.sessions, 1,
				 gateway_workers, &town.home));
		gateway_workers[i].learned = on_lesson;
		town.ports[i][0] = port_open(AUTH_PORT, RG_SERVES_AUTH);
		town.ports[i][1] = port_open(ACCT_PORT, RG_SERVES_ACCT);
	}
	publish(&(struct variant){.peers = world.plan.peers});
}

/* The same again; or with a peer, a client or a realm less. */
void gateway_reload(void)
{
	struct variant variant = {.peers = world.plan.peers};
	if (!world.plan.calm) {
		variant.peers -= variant.peers > 1 && chance_permille(&world.town, 400);
		variant.without_hall = chance_permille(&world.town, 200);
		variant.without_beta = chance_permille(&world.town, 200);
	}
	if (variant.without_hall || variant.without_beta)
		world.lessened_ns = world.now;
	say("reload, with %u peers%s%s", variant.peers,
	    variant.without_hall ? ", without the hall" : "",
	    variant.without_beta ? ", without beta.nl" : "");
	publish(&variant);
}

void gateway_drain(void)
{
	say("the gateway begins nothing new");
	for (unsigned i = 0; i < world.plan.workers; i++)
		worker_drain(&gateway_workers[i]);
}

void gateway_stop(void)
{
	unsigned workers = world.plan.workers;
	say("the gateway stops");
	for (unsigned i = 0; i < workers; i++)
		worker_stop(&gateway_workers[i]);
	for (unsigned i = 0; i < workers; i++)
		worker_join(&gateway_workers[i]);
	snapshot_unref(&town.snapshot);
	mailbox_close(&town.home);
	uv_run(&town.loop, UV_RUN_DEFAULT);
	must(uv_loop_close(&town.loop) == 0);
	inside_check_end();
	for (unsigned i = 0; i < workers; i++)
		worker_destroy(&gateway_workers[i]);
	mailbox_destroy(&town.home);
}

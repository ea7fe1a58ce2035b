/* A roamgate.cfg, beside certificates and secrets that it may name: it is refused and the report
 * says why, or it is a snapshot that the daemon can work with. Read a second time it is the same.
 */
#include "fuzz.h"

#include "../unit/config/kit.h"
#include "client/table.h"
#include "module/module.h"
#include "route/table.h"

extern const struct rg_module module_eap_tls, module_eap_ttls, module_eap_peap, module_eap_gtc,
	module_eap_mschapv2, module_dir_ldif, module_dir_ldap, module_sink_fticks;

/* As tests/lib/lsan.supp: libconfig loses the string that a syntax error stands behind. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so\n";
}

static void set_up(void)
{
	static const struct rg_module *const modules[] = {
		&module_eap_tls,      &module_eap_ttls, &module_eap_peap, &module_eap_gtc,
		&module_eap_mschapv2, &module_dir_ldif, &module_dir_ldap, &module_sink_fticks};
	static bool ready;
	char why[512];
	if (ready)
		return;
	ready = true;
	setenv("TMPDIR", "/dev/shm", 1); /* no disk */
	setenv("ROAMGATE_MODULES", "/nonexistent", 1);
	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++)
		MUST(module_adopt(modules[i], why));
	kit_new();
	kit_radsec();
	atexit(kit_remove);
	kit_write("clients.d/clients.cfg", NULL);
	kit_write("realms.d/beuningen.cfg", NULL);
	kit_write("federation.d/peers.cfg", NULL);
	kit_write("federation.d/radsec.cfg", NULL);
	kit_write("people.ldif", "dn: uid=jan,dc=x\nobjectClass: account\nuid: jan\n");
}

static unsigned lines_of(struct rg_span text)
{
	unsigned lines = 1;
	for (size_t i = 0; i < text.length; i++)
		lines += text.data[i] == '\n';
	return lines;
}

static void judge_findings(const struct rg_finding *findings, size_t count, unsigned lines)
{
	for (size_t i = 0; i < count; i++) {
		MUST(findings[i].message[0] && findings[i].file && findings[i].key);
		MUST(strcmp(findings[i].file, "roamgate.cfg") != 0 || findings[i].line <= lines);
		for (const char *at = findings[i].message; *at; at++)
			MUST((uint8_t)*at >= 0x20 && *at != 0x7f);
	}
}

static void no_difference(void *context, const char *line)
{
	(void)context;
	(void)line;
	MUST(!"a raddb differs from itself");
}

/* What the daemon makes of it next, and what it takes for granted. */
static void judge(const struct rg_raddb *raddb)
{
	struct rg_route_table *routes = route_table_new(raddb);
	struct rg_client_table *clients =
		client_table_new(raddb->clients, raddb->client_count, RG_OVER_UDP);
	MUST(routes && clients && raddb->gateway.name && raddb->gateway.workers >= 0);
	for (size_t i = 0; i < raddb->realm_count; i++) {
		const struct rg_realm *realm = &raddb->realms[i];
		MUST(realm->number == i && realm->names.count != 0 && realm->directory.module);
		MUST(realm->eap.methods && realm->eap.methods[0]);
		for (size_t j = 0; j < realm->rule_count; j++)
			MUST(realm->rules[j].group < (int)realm->group_count);
		struct rg_nai nai = {.realm = span_text(realm->name)};
		MUST(realm->name[0] == '*' || route_table_find(routes, &nai).way == RG_WAY_HOME);
	}
	for (size_t i = 0; i < raddb->client_count; i++)
		MUST(raddb->clients[i].number == i && raddb->clients[i].transports != 0 &&
		     (raddb->clients[i].key || !(raddb->clients[i].transports & RG_OVER_UDP)));
	for (size_t i = 0; i < raddb->route_count; i++)
		MUST(raddb->routes[i].number == i &&
		     raddb->routes[i].peer_count <= RG_ROUTE_PEERS_MOST);
	for (size_t i = 0; i < raddb->peer_count; i++)
		MUST(raddb->peers[i].transport != RG_TRANSPORT_UDP || raddb->peers[i].key);
	raddb_differences(raddb, raddb, no_difference, NULL);
	client_table_free(&clients);
	route_table_free(&routes);
}

static struct rg_raddb *load(unsigned lines, size_t *errors, size_t *warnings)
{
	struct rg_report report = {0};
	struct rg_raddb *raddb = kit_load(&report);
	MUST((raddb == NULL) == (report.error_count != 0));
	judge_findings(report.errors, report.error_count, lines);
	judge_findings(report.warnings, report.warning_count, lines);
	*errors = report.error_count;
	*warnings = report.warning_count;
	report_free(&report);
	return raddb;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t errors, warnings, errors_again, warnings_again;
	set_up();
	kit_write_octets("roamgate.cfg", size ? (const void *)data : "", size);
	unsigned lines = lines_of(span_of(data, size));
	struct rg_raddb *raddb = load(lines, &errors, &warnings);
	if (!raddb)
		return 0;
	judge(raddb);
	struct rg_raddb *again = load(lines, &errors_again, &warnings_again);
	MUST(again && warnings == warnings_again && strcmp(raddb->digest, again->digest) == 0);
	raddb_differences(raddb, again, no_difference, NULL);
	raddb_free(&again);
	raddb_free(&raddb);
	return 0;
}

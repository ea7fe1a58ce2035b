/* gateway, log, listen, cui: the gateway itself and where it listens. */
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "config/rows.h"
#include "core/text.h"
#include "module/module.h"

/* Settings that other versions act on; here they are only checked. */
struct node {
	int64_t node, port;
	const char *address;
	struct rg_secret *secret;
};

static const struct rg_row node_rows[] = {
	{.name = "node", .type = RG_INTEGER, .offset = offsetof(struct node, node), .least = 1, .most = 255,
	 .flags = RG_REQUIRED, .help = "its gateway.node"},
	{.name = "address", .type = RG_STRING, .offset = offsetof(struct node, address),
	 .flags = RG_REQUIRED, .help = "where it listens"},
	{.name = "port", .type = RG_INTEGER, .offset = offsetof(struct node, port), .fallback = "1812",
	 .least = 1, .most = 65535, .help = "its port"},
	{.name = "secret", .type = RG_SECRET, .offset = offsetof(struct node, secret),
	 .flags = RG_REQUIRED, .help = "shared with it"},
	{0},
};

struct gateway {
	struct rg_gateway gateway;
	struct rg_items nodes;
};

#define GATEWAY(member) offsetof(struct gateway, gateway.member)

static const struct rg_row gateway_rows[] = {
	{.name = "name", .type = RG_STRING, .offset = GATEWAY(name), .fallback = "roamgate",
	 .help = "in logs, metrics and Status-Server replies"},
	{.name = "country", .type = RG_STRING, .offset = GATEWAY(country), .fallback = "NL",
	 .help = "VISCOUNTRY of F-Ticks"},
	{.name = "workers", .type = RG_INTEGER, .offset = GATEWAY(workers), .fallback = "0", .most = 256,
	 .help = "event loops; 0: one a core"},
	{.name = "user", .type = RG_STRING, .offset = GATEWAY(user), .fallback = "roamgate",
	 .help = "run as, once sockets and keys are open; \"\" keeps the caller's"},
	{.name = "sandbox", .type = RG_BOOLEAN, .offset = GATEWAY(sandbox), .fallback = "true",
	 .help = "once it serves, each thread is held to the system calls and files that it needs"},
	{.name = "control", .type = RG_PATH, .offset = GATEWAY(control),
	 .fallback = "/run/roamgate/control.sock", .help = "the roamgate command talks to this"},
	{.name = "state_dir", .type = RG_PATH, .offset = GATEWAY(state_dir),
	 .fallback = "/var/lib/roamgate", .help = "ticket keys, sign-in store"},
	{.name = "modules", .type = RG_STRINGS, .offset = GATEWAY(modules),
	 .fallback = "eap_tls eap_ttls eap_peap dir_ldap dir_ldif", .help = "loadable modules in use"},
	{.name = "max_sessions", .type = RG_INTEGER, .offset = GATEWAY(max_sessions),
	 .fallback = "20000", .least = 1, .most = 10000000, .help = "EAP conversations under way"},
	{.name = "session_s", .type = RG_INTEGER, .offset = GATEWAY(session_s), .fallback = "60",
	 .least = 1, .most = 600, .help = "longest EAP conversation"},
	{.name = "reject_delay_ms", .type = RG_INTEGER, .offset = GATEWAY(reject_delay_ms),
	 .fallback = "1000", .most = 10000, .help = "for rejects made here; 0: none"},
	{.name = "module_dir", .type = RG_STRING, .offset = GATEWAY(module_dir), .fallback = "",
	 .help = "where modules lie; \"\": as installed, or $ROAMGATE_MODULES"},
	{.name = "node", .type = RG_INTEGER, .offset = GATEWAY(node), .fallback = "1", .least = 1,
	 .most = 255, .help = "of several gateways of one region"},
	{.name = "nodes", .type = RG_LIST, .offset = offsetof(struct gateway, nodes), .rows = node_rows,
	 .size = sizeof(struct node), .help = "the other gateways of this region"},
	{0},
};

void gateway_default(struct rg_reading *reading)
{
	struct gateway gateway = {0};
	rows_default(reading, gateway_rows, &gateway);
	reading->raddb->gateway = gateway.gateway;
	reading->raddb->log = (struct rg_log_settings){RG_LOG_INFO, RG_LOG_TEXT, "stderr"};
}

static void user_check(struct rg_complaint *at, const char *user)
{
	if (*user && config_setting_get_member(at->group, "user") && !getpwnam(user))
		complain_warning(at, "user", "there is no user \"%s\" on this machine", user);
}

/* Cuts the last name off; false: there is none. */
static bool path_cut(char *path)
{
	char *slash = strrchr(path, '/');
	if (!slash || path[1] == '\0')
		return false;
	slash[slash == path] = '\0';
	return true;
}

/* A folder that is made at the start where it is not there; but not in a file. */
static void folder_check(struct rg_complaint *at, const char *key, const char *folder)
{
	char path[4096];
	struct stat is;
	if (!config_setting_get_member(at->group, key) ||
	    (size_t)snprintf(path, sizeof(path), "%s", folder) >= sizeof(path))
		return;
	while (stat(path, &is) != 0)
		if (!path_cut(path))
			return;
	if (!S_ISDIR(is.st_mode))
		complain_error(at, key, "%s is no folder", path);
}

static void control_check(struct rg_complaint *at, const char *control)
{
	const size_t most = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;
	char folder[4096];
	struct stat is;
	if (strlen(control) > most)
		complain_error(at, "control",
			       "is longer than the %zu octets a socket's path may have", most);
	else if (config_setting_get_member(at->group, "control") && lstat(control, &is) == 0 &&
		 !S_ISSOCK(is.st_mode))
		complain_error(at, "control", "%s exists and is no socket: name a file that is not there",
			       control);
	snprintf(folder, sizeof(folder), "%s", control);
	if (path_cut(folder))
		folder_check(at, "control", folder);
}

void gateway_read(struct rg_reading *reading, config_setting_t *setting)
{
	struct gateway gateway = {0};
	struct rg_canon canon = {0};
	struct rg_complaint at = {reading, setting};
	if (setting->type != CONFIG_TYPE_GROUP) {
		setting_error(reading, setting, "must be a group { … }, is %s", type_text(setting));
		return;
	}
	canon_setting(&canon, setting);
	reading->canon = &canon;
	rows_read(&at, gateway_rows, NULL, &gateway);
	reading->canon = NULL;
	canon_end(&canon, reading->raddb->gateway_digest);
	if (*gateway.gateway.name == '\0')
		complain_error(&at, "name", "is empty");
	if (*gateway.gateway.module_dir)
		gateway.gateway.module_dir =
			path_resolve(reading->raddb, gateway.gateway.module_dir);
	user_check(&at, gateway.gateway.user);
	folder_check(&at, "state_dir", gateway.gateway.state_dir);
	control_check(&at, gateway.gateway.control);
	if (gateway.nodes.count != 0)
		complain_warning(&at, "nodes", "several gateways of one region are not served by this version");
	reading->raddb->gateway = gateway.gateway;
}

static const char *const log_levels[] = {"error", "warning", "info", "debug", NULL};
static const char *const log_formats[] = {"text", "json", NULL};

static const struct rg_row log_rows[] = {
	{.name = "level", .type = RG_CHOICE, .offset = offsetof(struct rg_log_settings, level),
	 .fallback = "info", .choices = log_levels, .help = "least that is written"},
	{.name = "format", .type = RG_CHOICE, .offset = offsetof(struct rg_log_settings, format),
	 .fallback = "text", .choices = log_formats, .help = "of a line"},
	{.name = "target", .type = RG_STRING, .offset = offsetof(struct rg_log_settings, target),
	 .fallback = "stderr", .help = "stderr, syslog, or a path"},
	{0},
};

/* Nobody makes its folder, without which there is no start; but on the machine that checks there need be none yet. */
static void log_check(struct rg_complaint *at, const char *target)
{
	char folder[4096];
	struct stat is;
	snprintf(folder, sizeof(folder), "%s", target);
	if (stat(target, &is) == 0 && S_ISDIR(is.st_mode))
		complain_error(at, "target", "%s is a folder: name a file in it", target);
	else if (path_cut(folder) && (stat(folder, &is) != 0 || !S_ISDIR(is.st_mode)))
		complain_warning(at, "target",
				 "there is no folder %s on this machine: without it roamgated does not start",
				 folder);
}

void log_read(struct rg_reading *reading, config_setting_t *setting)
{
	struct rg_log_settings *log = &reading->raddb->log;
	struct rg_canon canon = {0};
	struct rg_complaint at = {reading, setting};
	if (setting->type != CONFIG_TYPE_GROUP) {
		setting_error(reading, setting, "must be a group { … }, is %s", type_text(setting));
		return;
	}
	canon_setting(&canon, setting);
	canon_end(&canon, reading->raddb->log_digest);
	rows_read(&at, log_rows, NULL, log);
	if (*log->target == '\0')
		complain_error(&at, "target", "must be stderr, syslog or a path, is empty");
	else if (strcmp(log->target, "stderr") != 0 && strcmp(log->target, "syslog") != 0) {
		log->target = path_resolve(reading->raddb, log->target);
		log_check(&at, log->target);
	}
}

struct listen {
	int transport;
	const char *address, *credential;
	int64_t port;
	struct rg_choices serves;
};

static const char *const transports[] = {"udp", "tls", "dtls", "http", NULL};
static const char *const services[] = {"auth", "acct", NULL};

static const struct rg_row listen_rows[] = {
	{.name = "transport", .type = RG_CHOICE, .offset = offsetof(struct listen, transport),
	 .fallback = "udp", .choices = transports, .help = "udp, tls, dtls (RADIUS) or http"},
	{.name = "address", .type = RG_STRING, .offset = offsetof(struct listen, address),
	 .flags = RG_REQUIRED, .help = "IPv4 or IPv6 address; 0.0.0.0 and :: are all of this machine"},
	{.name = "port", .type = RG_INTEGER, .offset = offsetof(struct listen, port), .least = 1,
	 .most = 65535, .help = "1812 (auth), 1813 (acct), 2083 (tls, dtls), 9812 (http)"},
	{.name = "serves", .type = RG_CHOICES, .offset = offsetof(struct listen, serves),
	 .choices = services, .help = "auth, acct; by the port where it is left out"},
	{.name = "credential", .type = RG_STRING, .offset = offsetof(struct listen, credential),
	 .help = "of tls and dtls: which of credentials is shown"},
	{0},
};

static uint16_t listen_port(const struct listen *listen)
{
	if (listen->port != 0)
		return (uint16_t)listen->port;
	switch ((enum rg_transport)listen->transport) {
	case RG_TRANSPORT_UDP:
		return listen->serves.count == 1 && listen->serves.items[0] == 1 ? 1813 : 1812;
	case RG_TRANSPORT_TLS:
	case RG_TRANSPORT_DTLS:
		return 2083;
	case RG_TRANSPORT_HTTP:
		break;
	}
	return 9812;
}

static unsigned listen_serves(const struct listen *listen, uint16_t port)
{
	unsigned serves = 0;
	for (size_t i = 0; i < listen->serves.count; i++)
		serves |= listen->serves.items[i] == 0 ? RG_SERVES_AUTH : RG_SERVES_ACCT;
	if (serves != 0)
		return serves;
	switch ((enum rg_transport)listen->transport) {
	case RG_TRANSPORT_UDP:
		return port == 1813 ? RG_SERVES_ACCT : RG_SERVES_AUTH;
	case RG_TRANSPORT_TLS:
	case RG_TRANSPORT_DTLS:
		/* RFC 6614 §2.1: one port for all kinds of packets. */
		return RG_SERVES_AUTH | RG_SERVES_ACCT;
	case RG_TRANSPORT_HTTP:
		break;
	}
	return 0;
}

/* TCP and UDP have ports of their own. */
static bool is_datagram(enum rg_transport transport)
{
	return transport == RG_TRANSPORT_UDP || transport == RG_TRANSPORT_DTLS;
}

static void listen_duplicate(struct rg_complaint *at, const struct rg_listen *listen)
{
	const struct rg_raddb *raddb = at->reading->raddb;
	for (size_t i = 0; i < raddb->listen_count; i++) {
		const struct rg_listen *other = &raddb->listens[i];
		if (is_datagram(other->transport) == is_datagram(listen->transport) &&
		    memcmp(&other->socket_address, &listen->socket_address,
			   sizeof(other->socket_address)) == 0)
			complain_error(at, "port", "that address and port are taken at %s:%u",
				       other->where.file, other->where.line);
	}
}

static void listen_credential(struct rg_complaint *at, const struct listen *read, struct rg_listen *listen)
{
	if (listen->transport != RG_TRANSPORT_TLS && listen->transport != RG_TRANSPORT_DTLS) {
		if (read->credential)
			complain_error(at, "credential", "belongs to tls and dtls, not to %s",
				       transports[listen->transport]);
		return;
	}
	if (read->credential) {
		listen->credential = credential_find(at, read->credential);
		if (listen->credential)
			credential_judge(at, listen->credential, listen->transport);
	} else {
		complain_error(at, "credential",
			       "is missing: which of credentials is shown (one of a name alone serves TLS-PSK)");
	}
}

void listen_read(struct rg_reading *reading, config_setting_t *setting)
{
	struct listen read = {0};
	struct rg_complaint at = {reading, setting};
	rows_read(&at, listen_rows, NULL, &read);
	if (!read.address || told_of(&at, "transport"))
		return;
	uint16_t port = listen_port(&read);
	struct rg_listen listen = {
		.where = setting_where(setting),
		.transport = (enum rg_transport)read.transport,
		.address = read.address,
		.serves = listen_serves(&read, port),
	};
	if (!address_parse(read.address, port, &listen.socket_address)) {
		complain_error(&at, "address", "\"%s\" is no address", read.address);
		return;
	}
	listen_credential(&at, &read, &listen);
	if (listen.transport == RG_TRANSPORT_HTTP && read.serves.count != 0)
		complain_error(&at, "serves", "belongs to RADIUS, not to http");
	listen_duplicate(&at, &listen);
	listen.digest = arena_format(&reading->raddb->arena, "%u %s", listen.serves,
				     read.credential ? read.credential : "");
	reading->listens[reading->raddb->listen_count] = setting;
	reading->raddb->listens[reading->raddb->listen_count++] = listen;
}

struct cui {
	struct rg_secret *key;
};

static const struct rg_row cui_rows[] = {
	{.name = "key", .type = RG_SECRET, .offset = offsetof(struct cui, key), .flags = RG_REQUIRED,
	 .help = "of Chargeable-User-Identity (RFC 4372)"},
	{0},
};

void cui_read(struct rg_reading *reading, config_setting_t *setting)
{
	struct cui cui = {0};
	struct rg_complaint at = {reading, setting};
	if (setting->type != CONFIG_TYPE_GROUP) {
		setting_error(reading, setting, "must be a group { … }, is %s", type_text(setting));
		return;
	}
	rows_read(&at, cui_rows, NULL, &cui);
	if (cui.key && cui.key->length < 16)
		complain_warning(&at, "key", "has %zu octet%s: a key under 16 can be guessed",
				 cui.key->length, text_plural(cui.key->length));
	reading->raddb->cui_key = cui.key;
}

/* The raddb, read and judged: plain data, immutable, all of it in one arena.
 *
 * raddb_load reads roamgate.cfg and the *.cfg of clients.d, realms.d and federation.d (in the order of
 * their names), checks every key against its row, every file, every name against the others, and
 * reports all that is wrong at once. It starts nothing and connects to nothing. */
#ifndef RG_CONFIG_RADDB_H
#define RG_CONFIG_RADDB_H
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/report.h"
#include "core/arena.h"
#include "core/log.h"
#include "radius/key.h"
#include "roamgate/eap.h"
#include "roamgate/module.h"

struct rg_where {
	const char *file; /* relative to the raddb */
	unsigned line;
};

enum rg_transport { RG_TRANSPORT_UDP, RG_TRANSPORT_TLS, RG_TRANSPORT_DTLS, RG_TRANSPORT_HTTP };

/* Bits of `serves`. */
#define RG_SERVES_AUTH 1u
#define RG_SERVES_ACCT 2u

/* What this gateway shows its RadSec peers, and whom it trusts for them. */
struct rg_credential {
	struct rg_where where;
	const char *name;            /* "": serves peers of TLS-PSK that name no credential */
	/* Absolute. The first three are all NULL where only TLS-PSK is spoken; crl may be. */
	const char *certificate, *private_key, *ca, *crl;
	int tls_min, tls_max;        /* enum rg_tls_version */
	unsigned versions;           /* RG_RADIUS_1_*, never 0 */
	size_t number;
	char digest[65];             /* of all that was written, and of the state of its files */
};

struct rg_listen {
	struct rg_where where;
	enum rg_transport transport;
	const char *address;
	struct sockaddr_storage socket_address; /* port included */
	unsigned serves;
	const struct rg_credential *credential; /* of tls and dtls */
	const char *digest;                     /* of what may change while its port stays */
};

struct rg_gateway {
	const char *name, *country, *user, *control, *state_dir, *module_dir;
	int64_t workers;         /* as written; 0: one a core */
	struct rg_strings modules;
	int64_t max_sessions, session_s, reject_delay_ms, node;
	bool sandbox;
};

struct rg_log_settings {
	enum rg_log_level level;
	enum rg_log_format format;
	const char *target;
};

enum rg_ma_policy { RG_MA_REQUIRE, RG_MA_AUTO };

struct rg_prefix {
	uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
	uint8_t bits;        /* of 128 */
};

/* Bits of what a client may ask over. */
#define RG_OVER_UDP 1u
#define RG_OVER_TLS 2u
#define RG_OVER_DTLS 4u

/* Who may ask: a NAS, or a federation peer that `accepts`. One that asks over TLS or DTLS is told by a name
 * of its certificate or by its PSK identity, and by the addresses that it comes from. */
struct rg_client {
	struct rg_where where;
	const char *name, *site, *operator;
	const char *operator_name;        /* "1beuningen.nl", or NULL */
	unsigned transports;              /* RG_OVER_* */
	struct rg_prefix *addresses;      /* over TLS and DTLS none may be given: it comes from anywhere */
	size_t address_count;
	struct rg_strings names;          /* of which its certificate bears one */
	const char *psk_identity;         /* with psk: TLS-PSK in place of a certificate (RFC 9813); or NULL */
	const struct rg_secret *psk;
	/* Over TLS and DTLS key is NULL where no `secret` is written: the fixed one of the transport. */
	const struct rg_radius_key *key, *previous_key; /* previous_key may be NULL */
	enum rg_ma_policy message_authenticator;
	struct rg_strings ssids;
	struct rg_span visitor_reply;     /* whole attributes on the wire */
	const struct rg_peer_settings *peer; /* a federation peer's requests; NULL for a NAS */
	size_t number;                    /* its index; unique in this raddb */
	char digest[65];                  /* of all that was written, secrets included */
};

/* The realm's `eap` group. The files are named here and read by the TLS engine (eap/tls_context.h). */
enum rg_ocsp { RG_OCSP_OFF, RG_OCSP_SOFT, RG_OCSP_REQUIRE };
enum rg_tls_version { RG_TLS_1_2, RG_TLS_1_3 };
enum rg_outer { RG_OUTER_ANONYMOUS_OR_SAME, RG_OUTER_ANY };

struct rg_eap_settings {
	const struct rg_eap_method **methods; /* in the order offered; NULL-terminated */
	struct rg_strings method_labels;
	const char *certificate, *private_key, *client_ca, *crl; /* absolute; crl may be NULL */
	int ocsp, tls_min, tls_max, outer_identity;
	int64_t ocsp_timeout_ms;
	const char *ocsp_responder;           /* "http://HOST[:PORT]/PATH" in place of the certificate's; or NULL */
	int64_t fragment, resume_s;
	struct rg_choices identity_from;      /* enum rg_name_kind */
	struct rg_strings inner_labels;       /* as written; empty: what the directory can verify */
	int cryptobinding;                    /* 1: required of PEAP's supplicants */
	struct rg_eap_inner inner;            /* methods NULL: the realm has no tunnel */
};

/* What an `authorize` rule says; conditions all hold or the next is tried. */
struct rg_rule {
	struct rg_where where;
	int group;                   /* index into the realm's groups, or -1: any */
	struct rg_strings sites, methods;
	const char *identity;        /* glob, or NULL */
	bool home, deny;
	struct rg_span reply;        /* whole attributes on the wire */
};

struct rg_directory_settings {
	const struct rg_module *module; /* its kind's operations */
	const char *type;               /* as written */
	void *settings;                 /* the module's struct */
	char digest[65];                /* of all that was written: same digest, same directory */
};

struct rg_realm {
	struct rg_where where;
	struct rg_strings names;     /* lower case; names.items[0] labels it everywhere */
	const char *name, *operator;
	struct rg_eap_settings eap;
	struct rg_directory_settings directory;
	const char *const *groups;   /* every group that a rule names, once */
	size_t group_count;
	struct rg_rule *rules;
	size_t rule_count;
	size_t number;
	char digest[65];             /* of all that was written, and of the state of its files */
};

union rg_address;

struct rg_peer_settings {
	struct rg_where where;
	const char *name;
	enum rg_transport transport;
	const char *host;                          /* as written: host or address */
	uint16_t port;                             /* for sign-ins */
	struct sockaddr_storage address, accounting_address; /* family AF_UNSPEC: none */
	const struct rg_radius_key *key;           /* tls, dtls: NULL where the transport's fixed one counts */
	/* Of tls and dtls. */
	const struct rg_credential *credential;
	struct rg_strings server_names;            /* of which its certificate bears one when we ask */
	struct rg_strings client_names;            /* … and when it asks */
	const char *psk_identity;                  /* with psk, in place of certificates; or NULL */
	const struct rg_secret *psk;
	struct rg_prefix *addresses;               /* that it may ask from; none: anywhere */
	size_t address_count;
	bool status_server, accepts;
	enum rg_ma_policy message_authenticator;
	/* Of one that discovery found: it is in no raddb, and goes when it rests. */
	const char *found_realm;                   /* its certificate bears this (NAIRealm), or one of server_names */
	const union rg_address *found_addresses;   /* of host, with port: the only ones that may be dialled */
	size_t found_address_count;
	char digest[65];                           /* same digest: sockets and health survive a reload */
	size_t number;
};

#define RG_ROUTE_PEERS_MOST 60 /* of one route */

enum rg_strategy { RG_FAILOVER, RG_BALANCE };

/* How routes with `discover` find peers (RFC 7585). */
struct rg_discovery_settings {
	struct rg_strings resolvers; /* "ADDRESS:PORT", "[ADDRESS]:PORT"; none: those of this machine */
	struct rg_strings allow;     /* which realms are looked for; as realms of routes are written */
	int64_t timeout_ms;          /* for all questions about one realm */
	int64_t ttl_min_s, ttl_max_s, negative_s, backoff_s, cache, peers, idle_s;
	bool private, loopback;      /* addresses of such networks are believed */
	char digest[65];             /* of all of it: same digest, same cache */
};

/* What is looked for, "aaa+auth:radius.tls.tcp" (RFC 3958), lower case, and what it stands for. */
#define RG_SERVICE_TAGS_MOST 8 /* of a route */

struct rg_service_tag {
	const char *text;
	enum rg_transport transport; /* TLS or DTLS */
};

struct rg_route {
	struct rg_where where;
	struct rg_strings realms;                  /* lower case; "*" is everyone else */
	struct rg_peer_settings **peers;
	size_t peer_count;
	struct rg_service_tag *discover;           /* peers are found by these, before the written ones */
	size_t discover_count;
	const struct rg_credential *credential;    /* shown to a found peer */
	bool discover_realm_only;                  /* a found peer must bear the realm; its host's name is not enough */
	enum rg_strategy strategy;
	bool accounting, pap;
	size_t number;
	char digest[65];
};

/* `attempts`: how many wrong passwords of one device within a window; of one person twice as many. */
struct rg_attempt_settings {
	int64_t max, window_s;
	struct rg_strings exempt; /* globs of identities that are not counted */
};

/* Of each sink whose group is written (roamgate/sink.h). */
struct rg_sink_settings {
	struct rg_where where;
	const struct rg_module *module;
	void *settings;              /* the module's struct */
	char digest[65];             /* of all that was written, the state of files and what the sink is told of the gateway */
};

struct rg_keepsake {
	struct rg_keepsake *next;
	struct rg_secret *secret;
	struct rg_radius_key *key;
	bool psk; /* the secret is one of TLS-PSK */
};

struct rg_raddb {
	struct rg_arena arena;
	const char *dir;             /* absolute */
	const char *main_file;       /* roamgate.cfg's own name */
	struct rg_gateway gateway;
	struct rg_log_settings log;
	struct rg_listen *listens;
	size_t listen_count;
	struct rg_credential *credentials;
	size_t credential_count;
	struct rg_client *clients;
	size_t client_count;
	struct rg_realm *realms;
	size_t realm_count;
	struct rg_peer_settings *peers;
	size_t peer_count;
	struct rg_route *routes;
	size_t route_count;
	struct rg_discovery_settings discovery;
	struct rg_strings refuse;    /* the built-in list included unless refuse_defaults = false */
	struct rg_attempt_settings attempts;
	struct rg_sink_settings *sinks;
	size_t sink_count;
	const struct rg_secret *cui_key; /* RFC 4372; NULL: none configured */
	char digest[65];             /* of all that was read: files, secrets, the state of files named */
	char gateway_digest[65], log_digest[65];
	struct rg_keepsake *keepsakes; /* secrets and keys, for raddb_free to wipe */
};

/* file: path of roamgate.cfg. NULL where report holds an error. Modules named in it are loaded
 * (module/module.h) and stay loaded. */
struct rg_raddb *raddb_load(const char *file, struct rg_report *report);
void raddb_free(struct rg_raddb **);

/* One line an item that differs: "realm druten.nl added", "client stadhuis-wijchen changed". Calls
 * each for every line; nothing when both say the same. */
void raddb_differences(const struct rg_raddb *from, const struct rg_raddb *to,
		       void (*each)(void *context, const char *line), void *context);
#endif

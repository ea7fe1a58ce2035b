/* What the readers of src/config share while one raddb is read. */
#ifndef RG_CONFIG_READING_H
#define RG_CONFIG_READING_H
#include <libconfig.h>

#include "config/certificates.h"
#include "config/digest.h"
#include "config/raddb.h"
#include "config/reader.h"
#include "config/source.h"

struct rg_reading {
	struct rg_raddb *raddb;
	struct rg_report *report;
	struct rg_source *sources;
	size_t source_count;
	struct rg_canon *canon; /* of the item being read: its files and secrets go in as well */
	struct rg_certificates *certificates;
	struct rg_reader reader;
	bool refuse_defaults;
	/* The groups that the raddb's arrays were read from, in step with them; a peer that is a client
	 * stands in clients with its own group. */
	config_setting_t **credentials, **listens, **clients, **realms, **peers, **routes;
	const struct rg_credential *without_files; /* of TLS-PSK, where no credential is named */
	/* Those of the report's errors that rows_read found in the group that it read last. */
	size_t told_from, told_to;
	struct rg_arena scratch; /* gone when the raddb is read */
};

/* A group of configuration under judgement; what roamgate/module.h's complain_* write to. */
struct rg_complaint {
	struct rg_reading *reading;
	const config_setting_t *group;
};

/* Whether rows_read has just complained of this key of the group, or of what stands in it. */
bool told_of(struct rg_complaint *, const char *key);

/* The same about any setting. Neither says anything of a key that rows_read has just complained of: it
 * would be what follows from that. */
void setting_error(const struct rg_reading *, const config_setting_t *, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void setting_warning(const struct rg_reading *, const config_setting_t *, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The top-level keys, once a setting. Each fills its part of the raddb. */
void gateway_read(struct rg_reading *, config_setting_t *);
void log_read(struct rg_reading *, config_setting_t *);
void listen_read(struct rg_reading *, config_setting_t *);
void cui_read(struct rg_reading *, config_setting_t *);
void attempts_read(struct rg_reading *, config_setting_t *);
void sink_read(struct rg_reading *, config_setting_t *); /* fticks and whatever else a sink owns */
void later_read(struct rg_reading *, config_setting_t *); /* shared, store and the like */
void credential_read(struct rg_reading *, config_setting_t *);
void discovery_read(struct rg_reading *, config_setting_t *);
void client_read(struct rg_reading *, config_setting_t *);
void realm_read(struct rg_reading *, config_setting_t *);
void peer_read(struct rg_reading *, config_setting_t *);
void route_read(struct rg_reading *, config_setting_t *);
void refuse_read(struct rg_reading *, config_setting_t *);
void refuse_defaults_read(struct rg_reading *, config_setting_t *);

/* Before and after all of them. */
void gateway_default(struct rg_reading *);
void attempts_default(struct rg_reading *);
void discovery_default(struct rg_reading *);
void modules_read(struct rg_reading *); /* loads gateway.modules */
/* Whether a key at the top belongs to a sink, loaded or not. */
bool sink_owns(const char *name);
/* Whether a configuration may name this module already, though it comes with a later version. */
bool module_is_later(const char *name);
/* Whether gateway.modules names it, or one that works with it: that it cannot be loaded was said
 * there. */
bool module_is_named(const struct rg_gateway *, const char *name);
/* Complains that nothing serves word, which takes the module of that prefix ("eap_", "dir_") and
 * name; unless it is one that could not be loaded: that was said, once and not of each realm. */
void module_wanted(struct rg_complaint *, const char *key, const char *word, const char *prefix,
		   const char *name);
void refuse_finish(struct rg_reading *);
void clients_finish(struct rg_reading *); /* a client for each peer that accepts */
void raddb_judge(struct rg_reading *);

/* Of a group that names one: the credential, or NULL and the complaint is made. */
const struct rg_credential *credential_find(struct rg_complaint *, const char *name);
/* Whether what it says can be kept over tls or dtls. */
void credential_judge(struct rg_complaint *, const struct rg_credential *, enum rg_transport);
/* What a peer of TLS-PSK uses that names none; the raddb has it behind those that are written. */
const struct rg_credential *credential_without_files(struct rg_reading *);
/* A name of a host, or an address. False: the complaint is made. */
bool host_check(struct rg_complaint *, const char *key, const char *host);
/* Lower case, and without those that are none, of which it complains. */
struct rg_strings peer_names_read(struct rg_complaint *, const char *key, const struct rg_strings *);
/* The key, decoded where it is written in hex. NULL: there is none, or the complaint is made. */
const struct rg_secret *psk_read(struct rg_complaint *, const char *identity, const struct rg_secret *psk);
/* Credentials, and clients that ask over TLS and DTLS, against each other. */
void radsec_judge(struct rg_reading *);

/* A RADIUS secret as a key that lives as long as the raddb. NULL for a NULL secret. */
const struct rg_radius_key *key_make(struct rg_raddb *, const struct rg_secret *);
/* Warns of one that is short. key: "secret". */
void secret_judge(struct rg_complaint *, const char *key, const struct rg_secret *);
/* Networks, each checked; key: "addresses". Returns how many are in *out. */
size_t prefixes_read(struct rg_complaint *, const char *key, const struct rg_strings *,
		     struct rg_prefix **out);
/* Whether some address lies in both. */
bool prefixes_overlap(const struct rg_prefix *, const struct rg_prefix *);
/* What raddb_free wipes. Returns secret. */
struct rg_secret *secret_keep(struct rg_raddb *, struct rg_secret *);

/* Reply attributes, each encoded; key: "visitor_reply" or "reply". */
struct rg_span attributes_read(struct rg_complaint *, const char *key,
			       const struct rg_strings *lines);

/* The realm's inner_methods; at is its eap group, offers what its directory does. */
void inner_read(struct rg_complaint *, struct rg_realm *, unsigned offers);
/* Methods that nothing protects outside a tunnel. */
bool inner_only(const char *label);
/* The realm's authorize list; at is the realm's group. */
void rules_read(struct rg_complaint *, struct rg_realm *);
void prefix_print(const struct rg_prefix *, char out[64]);
/* "10.0.0.0/8", "fd00::1" and so on. False: the complaint is made. */
bool prefix_parse(struct rg_complaint *, const char *key, const char *text, struct rg_prefix *);
/* An address alone and a port. False: text is none; nothing is said. */
bool address_parse(const char *text, uint16_t port, struct sockaddr_storage *);
struct rg_prefix prefix_of_address(const struct sockaddr_storage *);

/* Lower case, checked: labels, and "*." in front. "*" only where any is true. NULL: complained. */
const char *pattern_read(struct rg_complaint *, const char *key, const char *text, bool any);
/* Each of them, "*" too; those that are none are complained of and left out. */
struct rg_strings patterns_read(struct rg_complaint *, const char *key, const struct rg_strings *);
/* A route's discover and credential. */
void route_discover_read(struct rg_complaint *, struct rg_route *, const struct rg_strings *tags,
			 const char *credential);

/* Absolute path of one relative to the raddb. */
const char *path_resolve(const struct rg_raddb *, const char *path);
#endif

/* realms: whose staff sign in here. */
#include <stdio.h>
#include <string.h>

#include "config/rows.h"
#include "core/text.h"
#include "module/module.h"

struct realm {
	struct rg_strings names;
	const char *operator;
	struct rg_eap_settings eap;
};

#define EAP(member) offsetof(struct rg_eap_settings, member)

static const char *const ocsp_policies[] = {"off", "soft", "require", NULL};
static const char *const tls_versions[] = {"1.2", "1.3", NULL};
static const char *const outer_policies[] = {"anonymous-or-same", "any", NULL};
static const char *const binding_policies[] = {"optional", "require", NULL};
/* In the order of enum rg_name_kind. */
static const char *const name_kinds[] = {"san_upn", "san_email", "subject_cn", "san_dns", NULL};

static const struct rg_row eap_rows[] = {
	{.name = "methods", .type = RG_STRINGS, .offset = EAP(method_labels), .fallback = "tls",
	 .help = "offered in this order"},
	{.name = "certificate", .type = RG_FILE, .offset = EAP(certificate),
	 .help = "of the server, with its intermediates"},
	{.name = "private_key", .type = RG_FILE, .offset = EAP(private_key), .help = "its key"},
	{.name = "client_ca", .type = RG_FILE, .offset = EAP(client_ca),
	 .help = "who may sign staff certificates"},
	{.name = "crl", .type = RG_FILE, .offset = EAP(crl), .help = "what they revoked"},
	{.name = "ocsp", .type = RG_CHOICE, .offset = EAP(ocsp), .fallback = "off",
	 .choices = ocsp_policies, .help = "off, soft or require"},
	{.name = "ocsp_timeout_ms", .type = RG_INTEGER, .offset = EAP(ocsp_timeout_ms),
	 .fallback = "2000", .least = 100, .most = 30000, .help = "longest wait for a responder"},
	{.name = "ocsp_responder", .type = RG_STRING, .offset = EAP(ocsp_responder),
	 .help = "http://HOST[:PORT]/PATH in place of the one that a certificate names"},
	{.name = "tls_min", .type = RG_CHOICE, .offset = EAP(tls_min), .fallback = "1.2",
	 .choices = tls_versions, .help = "lowest version"},
	{.name = "tls_max", .type = RG_CHOICE, .offset = EAP(tls_max), .fallback = "1.3",
	 .choices = tls_versions, .help = "highest version"},
	{.name = "fragment", .type = RG_INTEGER, .offset = EAP(fragment), .fallback = "1024",
	 .least = 100, .most = 4000, .help = "most TLS octets in one packet"},
	{.name = "resume_s", .type = RG_INTEGER, .offset = EAP(resume_s), .fallback = "28800",
	 .most = 604800, .help = "life of session tickets; 0: none"},
	{.name = "identity_from", .type = RG_CHOICES, .offset = EAP(identity_from),
	 .fallback = "san_upn san_email subject_cn", .choices = name_kinds,
	 .help = "which names of the certificate count, first found wins"},
	{.name = "outer_identity", .type = RG_CHOICE, .offset = EAP(outer_identity),
	 .fallback = "anonymous-or-same", .choices = outer_policies,
	 .help = "what the outer name may be"},
	{.name = "inner_methods", .type = RG_STRINGS, .offset = EAP(inner_labels),
	 .help = "offered inside tunnels, in this order"},
	{.name = "cryptobinding", .type = RG_CHOICE, .offset = EAP(cryptobinding), .fallback = "optional",
	 .choices = binding_policies, .help = "of PEAP's supplicants: optional or require"},
	{0},
};

static const struct rg_row realm_rows[] = {
	{.name = "names", .type = RG_STRINGS, .offset = offsetof(struct realm, names),
	 .flags = RG_REQUIRED, .help = "the realms; *.example.nl is all below example.nl"},
	{.name = "operator", .type = RG_STRING, .offset = offsetof(struct realm, operator),
	 .help = "whose people these are"},
	{.name = "eap", .type = RG_GROUP, .offset = offsetof(struct realm, eap), .rows = eap_rows,
	 .size = sizeof(struct rg_eap_settings), .help = "how they sign in"},
	{0},
};

static const char *const realm_others[] = {"directory", "authorize", NULL};

static void names_read(struct rg_complaint *at, const struct rg_strings *written, struct rg_realm *realm)
{
	struct rg_arena *arena = &at->reading->raddb->arena;
	const char **names = arena_alloc(arena, (written->count + 1) * sizeof(*names));
	size_t count = 0;
	for (size_t i = 0; i < written->count; i++) {
		names[count] = pattern_read(at, "names", written->items[i], false);
		if (names[count])
			count++;
	}
	if (config_setting_get_member(at->group, "names") && written->count == 0)
		complain_error(at, "names", "is empty");
	realm->names = (struct rg_strings){names, count};
	realm->name = count ? names[0] : "";
	if (!realm->operator) {
		const char *first = strncmp(realm->name, "*.", 2) == 0 ? realm->name + 2 : realm->name;
		realm->operator= arena_format(arena, "%.*s", (int)strcspn(first, "."), first);
	} else if (*realm->operator== '\0') {
		complain_error(at, "operator", "is empty");
	}
}

/* Labels that a realm may name, with the module that serves each. */
static const char *const method_labels[] = {"tls", "peap", "ttls", "teap", NULL};

static bool word_in(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(*words, word) == 0)
			return true;
	return false;
}

/* Whether it comes with a later version. */
static bool method_missing(struct rg_complaint *at, const char *label)
{
	char hint[128], module[80];
	snprintf(module, sizeof(module), "eap_%s", label);
	if (module_is_later(module) && module_is_named(&at->reading->raddb->gateway, module)) {
		complain_warning(at, "methods", "\"%s\" is not served by this version: it is not offered",
				 label);
		return true;
	}
	if (word_in(label, method_labels))
		module_wanted(at, "methods", label, "eap_", label);
	else
		complain_error(at, "methods", "there is no method \"%s\"%s", label,
			       hint_text(label, method_labels, hint));
	return false;
}

static void methods_read(struct rg_complaint *at, struct rg_eap_settings *eap)
{
	size_t count = 0, later = 0, labels = eap->method_labels.count;
	eap->methods = arena_alloc(&at->reading->raddb->arena, (labels + 1) * sizeof(*eap->methods));
	for (size_t i = 0; i < labels; i++) {
		const char *label = eap->method_labels.items[i];
		if (inner_only(label)) {
			complain_error(at, "methods",
				       "\"%s\" is safe inside a tunnel only: name it in inner_methods, and \"peap\" "
				       "or \"ttls\" here", label);
			continue;
		}
		eap->methods[count] = module_eap_by_label(label);
		if (!eap->methods[count]) {
			later += method_missing(at, label);
			continue;
		}
		for (size_t j = 0; j < count; j++)
			if (eap->methods[j] == eap->methods[count])
				complain_error(at, "methods", "\"%s\" is there twice", label);
		count++;
	}
	if (labels == 0)
		complain_error(at, "methods", "is empty: nobody could sign in");
	else if (later == labels)
		complain_error(at, "methods", "none is served by this version: nobody could sign in");
}

static bool labelled(const struct rg_strings *labels, const char *label)
{
	for (size_t i = 0; i < labels->count; i++)
		if (strcmp(labels->items[i], label) == 0)
			return true;
	return false;
}

/* All methods there are speak TLS; where staff show no certificates nobody need have signed any. */
static void files_needed(struct rg_complaint *at, const struct rg_eap_settings *eap)
{
	static const char *const keys[] = {"certificate", "private_key", "client_ca"};
	bool staff_certificates = labelled(&eap->method_labels, "tls") || labelled(&eap->inner_labels, "tls");
	const char *first = eap->method_labels.count ? eap->method_labels.items[0] : "tls";
	for (size_t i = 0; i < (staff_certificates ? 3 : 2); i++)
		if (!config_setting_get_member(at->group, keys[i]))
			complain_error(at, keys[i], "is missing: method \"%s\" needs it", i == 2 ? "tls" : first);
}

static void eap_judge(struct rg_complaint *at, struct rg_eap_settings *eap)
{
	methods_read(at, eap);
	files_needed(at, eap);
	if (eap->tls_min > eap->tls_max)
		complain_error(at, "tls_min", "is above tls_max");
	if (eap->ocsp_responder && strncmp(eap->ocsp_responder, "http://", 7) != 0)
		complain_error(at, "ocsp_responder", "\"%s\" is no http:// address", eap->ocsp_responder);
	if (eap->identity_from.count == 0)
		complain_error(at, "identity_from", "is empty: no name would count");
	certificates_judge(at->reading->certificates, at,
			   &(struct rg_certificate_files){
				   .shown = RG_SHOWN_TO_LAPTOPS,
				   .certificate = eap->certificate,
				   .private_key = eap->private_key,
				   .ca = eap->client_ca,
				   .crl = eap->crl,
			   });
}

static const char *const directory_kinds[] = {"ldap",    "ldif",    "ad", "openldap",
					      "freeipa", "winbind", NULL};

static const struct rg_module *directory_module(struct rg_complaint *at, const char *type)
{
	static const char *const presets[] = {"ad", "openldap", "freeipa", NULL};
	const char *kind = word_in(type, presets) ? "ldap" : type;
	const struct rg_module *module = module_directory(kind);
	if (!module)
		module_wanted(at, "type", type, "dir_", kind);
	return module;
}

static bool row_exists(const struct rg_row *rows, const char *name)
{
	for (; rows && rows->name; rows++)
		if (strcmp(rows->name, name) == 0)
			return true;
	return false;
}

/* NULL: none that is known. What else is wrong in the group is said too, as of the type that was
 * meant. */
static const char *directory_type(struct rg_complaint *at)
{
	char hint[128];
	config_setting_t *type = config_setting_get_member(at->group, "type");
	if (!type) {
		complain_error(at, "type", "is missing: \"ldap\", \"ldif\"");
		return NULL;
	}
	if (type->type != CONFIG_TYPE_STRING) {
		setting_error(at->reading, type, "must be a string, is %s", type_text(type));
		return NULL;
	}
	const char *name = config_setting_get_string(type);
	if (!word_in(name, directory_kinds) && !module_directory(name)) {
		const char *meant = text_nearest(name, directory_kinds);
		complain_error(at, "type", "there is no directory type \"%s\"%s", name,
			       hint_text(name, directory_kinds, hint));
		if (!meant || !config_setting_set_string(type, meant))
			return NULL;
		name = meant;
	}
	return arena_text(&at->reading->raddb->arena, name);
}

static unsigned directory_offers(const struct rg_directory_settings *directory)
{
	const struct rg_directory_kind *kind = directory->module->ops.directory;
	return kind->offers ? kind->offers(directory->settings) : 0;
}

/* Why passwords that a directory can verify are no use to MSCHAPv2, and what is. */
static const char mschapv2_advice[] =
	": a bind verifies a password and never an MSCHAPv2 response, which takes nt_hash_attribute or, of an Active "
	"Directory, type = \"winbind\"";

static void offers_judge(struct rg_complaint *at, const struct rg_realm *realm)
{
	const struct rg_directory_settings *directory = &realm->directory;
	unsigned offers = directory_offers(directory);
	for (size_t i = 0; realm->eap.methods && realm->eap.methods[i]; i++) {
		unsigned lacks = realm->eap.methods[i]->needs & ~offers;
		if (lacks == 0)
			continue;
		complain_error(at, "type", "method \"%s\" needs %s, which directory \"%s\" does not offer as it is set up%s",
			       realm->eap.methods[i]->label,
			       lacks & RG_OFFERS_IDENTITY   ? "look-ups of identities"
			       : lacks & RG_OFFERS_PASSWORD ? "checks of passwords"
							    : "checks of MSCHAPv2",
			       directory->type,
			       lacks == RG_OFFERS_MSCHAPV2 ? mschapv2_advice : "");
	}
}

/* Where machines count by their DNS name, (uid=%{user}) finds the person who is called as the machine is. */
static void machines_judge(struct rg_complaint *at, const struct rg_realm *realm)
{
	const char *filter;
	bool machines = false;
	for (size_t i = 0; i < realm->eap.identity_from.count; i++)
		machines |= realm->eap.identity_from.items[i] == RG_NAME_SAN_DNS;
	if (machines && config_setting_lookup_string(at->group, "filter", &filter) &&
	    strstr(filter, "%{user}") && !strstr(filter, "%{host}"))
		complain_warning(at, "filter",
				 "%%{user} of a machine is its host name: one that is called like a person is taken "
				 "for that person (look for machines by %%{host}, or leave san_dns out of "
				 "identity_from)");
}

#define OFFERS_ALL (RG_OFFERS_IDENTITY | RG_OFFERS_PASSWORD | RG_OFFERS_MSCHAPV2 | RG_OFFERS_GROUPS)

/* eap: of the same realm, whose inner methods the directory has to serve. */
static void directory_read(struct rg_complaint *at, struct rg_complaint *eap, struct rg_realm *realm)
{
	static const char *const host_keys[] = {"type", NULL};
	struct rg_reading *reading = at->reading;
	struct rg_directory_settings *directory = &realm->directory;
	struct rg_canon canon = {.outer = reading->canon};
	directory->type = directory_type(at);
	directory->module = directory->type ? directory_module(at, directory->type) : NULL;
	if (!directory->module) {
		directory->type = directory->type ? directory->type : "";
		inner_read(eap, realm, OFFERS_ALL);
		return;
	}
	const struct rg_module *module = directory->module;
	bool own_type = row_exists(module->settings, "type");
	directory->settings = arena_alloc(&reading->raddb->arena, module->settings_size);
	canon_setting(&canon, at->group);
	reading->canon = &canon;
	bool fine = rows_read(at, module->settings, own_type ? NULL : host_keys, directory->settings);
	reading->canon = canon.outer;
	canon_end(&canon, directory->digest);
	if (!own_type && strncmp(module->name, "dir_", 4) == 0 &&
	    strcmp(module->name + 4, directory->type) != 0)
		complain_warning(at, "type", "the presets of \"%s\" are not served by this version: it is taken as \"%s\"",
				 directory->type, module->name + 4);
	if (module->check)
		module->check(directory->settings, at);
	machines_judge(at, realm);
	/* What one that is written wrong would offer, nobody knows. */
	if (fine)
		offers_judge(at, realm);
	inner_read(eap, realm, fine ? directory_offers(directory) : OFFERS_ALL);
}

static bool group_of(struct rg_complaint *at, const char *key, struct rg_complaint *inner)
{
	*inner = (struct rg_complaint){at->reading, config_setting_get_member(at->group, key)};
	return inner->group && inner->group->type == CONFIG_TYPE_GROUP;
}

void realm_read(struct rg_reading *reading, config_setting_t *setting)
{
	struct realm read = {0};
	struct rg_canon canon = {.outer = reading->canon};
	struct rg_complaint at = {reading, setting}, eap, directory;
	struct rg_realm *realm = &reading->raddb->realms[reading->raddb->realm_count];
	canon_setting(&canon, setting);
	reading->canon = &canon;
	rows_read(&at, realm_rows, realm_others, &read);
	*realm = (struct rg_realm){
		.where = setting_where(setting), .operator= read.operator, .eap = read.eap};
	names_read(&at, &read.names, realm);
	if (group_of(&at, "eap", &eap))
		eap_judge(&eap, &realm->eap);
	else if (!eap.group)
		complain_error(&at, "eap", "is missing: certificate, private_key and client_ca stand in it");
	if (group_of(&at, "directory", &directory))
		directory_read(&directory, &eap, realm);
	else if (directory.group)
		setting_error(reading, directory.group, "must be a group { … }, is %s",
			      type_text(directory.group));
	else
		complain_error(&at, "directory", "is missing");
	rules_read(&at, realm);
	canon_text(&canon, realm->directory.digest);
	reading->canon = canon.outer;
	canon_end(&canon, realm->digest);
	reading->realms[reading->raddb->realm_count] = setting;
	realm->number = reading->raddb->realm_count++;
}

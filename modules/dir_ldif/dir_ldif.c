#include "dir_ldif.h"

#include "roamgate/module.h"

#define FIELD(field) offsetof(struct rg_ldif_settings, field)

static const struct rg_row rows[] = {
	{.name = "file",
	 .type = RG_FILE,
	 .offset = FIELD(file),
	 .flags = RG_REQUIRED,
	 .help = "the people and groups, as LDIF; read again by itself when it changes"},
	{.name = "base",
	 .type = RG_STRING,
	 .offset = FIELD(lookup.base),
	 .flags = RG_REQUIRED,
	 .help = "where people are looked for"},
	{.name = "scope",
	 .type = RG_CHOICE,
	 .offset = FIELD(lookup.scope),
	 .fallback = "sub",
	 .choices = lookup_scopes,
	 .help = "sub: anywhere below base; one: right below; base: itself"},
	{.name = "filter",
	 .type = RG_STRING,
	 .offset = FIELD(lookup.filter),
	 .help = "which entry is the person's"},
	{.name = "disabled",
	 .type = RG_STRING,
	 .offset = FIELD(lookup.disabled),
	 .help = "an entry that matches is refused; \"\": none is"},
	{.name = "groups",
	 .type = RG_GROUP,
	 .offset = FIELD(lookup.groups),
	 .rows = lookup_group_rows,
	 .size = sizeof(struct rg_lookup_groups),
	 .present = FIELD(lookup.groups.present),
	 .help = "how a person's groups are found"},
	{.name = "certificate_attribute",
	 .type = RG_STRING,
	 .offset = FIELD(lookup.certificate_attribute),
	 .help = "the certificate must be one of its values"},
	{.name = "certificate_mapping",
	 .type = RG_CHOICES,
	 .offset = FIELD(lookup.certificate_mapping),
	 .choices = lookup_mappings,
	 .help = "how a certificate has to be mapped to the entry; off: it need not be"},
	{.name = "nt_hash_attribute",
	 .type = RG_STRING,
	 .offset = FIELD(lookup.nt_hash_attribute),
	 .help = "for MSCHAPv2, beside userPassword in clear text: the NT hash, as digits or octets"},
	{.name = "timeout_ms",
	 .type = RG_INTEGER,
	 .offset = FIELD(timeout_ms),
	 .fallback = "2000",
	 .least = 50,
	 .most = 60000,
	 .help = "as for ldap; a file has no use for it"},
	{.name = "connections",
	 .type = RG_INTEGER,
	 .offset = FIELD(connections),
	 .fallback = "4",
	 .least = 1,
	 .most = 32,
	 .help = "as for ldap; a file has no use for it"},
	{.name = "queue",
	 .type = RG_INTEGER,
	 .offset = FIELD(queue),
	 .fallback = "4096",
	 .least = 1,
	 .most = 1000000,
	 .help = "most questions that wait at once"},
	{0},
};

static void check(const void *opaque, struct rg_complaint *complaint)
{
	const struct rg_ldif_settings *settings = opaque;
	lookup_check(&settings->lookup, complaint);
}

static unsigned offers(const void *settings)
{
	(void)settings;
	return RG_OFFERS_IDENTITY | RG_OFFERS_PASSWORD | RG_OFFERS_MSCHAPV2;
}

static const struct rg_directory_kind operations = {
	.offers = offers,
	.open = directory_open_ldif,
	.ask = directory_ask_ldif,
	.status = directory_status_ldif,
	.close = directory_close_ldif,
};

const struct rg_module roamgate_module = {
	.abi = RG_MODULE_ABI,
	.kind = RG_MODULE_DIRECTORY,
	.name = "dir_ldif",
	.settings = rows,
	.settings_size = sizeof(struct rg_ldif_settings),
	.check = check,
	.ops.directory = &operations,
};

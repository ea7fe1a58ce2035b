#include "dir_ldap.h"

#include "roamgate/module.h"
#include "settings.h"

static unsigned offers(const void *settings)
{
	const struct rg_ldap_settings *ldap = settings;
	return RG_OFFERS_IDENTITY | RG_OFFERS_PASSWORD |
	       (ldap->lookup.nt_hash_attribute ? RG_OFFERS_MSCHAPV2 : 0) |
	       (lookup_groups(&ldap->lookup)->present ? RG_OFFERS_GROUPS : 0);
}

static const struct rg_directory_kind operations = {
	.offers = offers,
	.open = directory_open_ldap,
	.ask = directory_ask_ldap,
	.status = directory_status_ldap,
	.close = directory_close_ldap,
};

const struct rg_module roamgate_module = {
	.abi = RG_MODULE_ABI,
	.kind = RG_MODULE_DIRECTORY,
	.name = "dir_ldap",
	.settings = settings_rows,
	.settings_size = sizeof(struct rg_ldap_settings),
	.check = settings_check,
	.ops.directory = &operations,
};

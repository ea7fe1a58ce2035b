#include "dir_winbind.h"

#include "roamgate/module.h"

_Static_assert(offsetof(struct rg_winbind_settings, ldap) == 0, "the rows of LDAP begin at 0");

static const struct rg_row rows[] = {
#include "modules/dir_ldap/rows.h"
	{.name = "domain",
	 .type = RG_STRING,
	 .offset = offsetof(struct rg_winbind_settings, domain),
	 .help = "NetBIOS name of the accounts' domain; absent: the one that winbindd is a member "
		 "of"},
	{.name = "verifiers",
	 .type = RG_INTEGER,
	 .offset = offsetof(struct rg_winbind_settings, verifiers),
	 .fallback = "4",
	 .least = 1,
	 .most = 64,
	 .help = "most questions to winbindd at once, a thread each"},
	{.name = "verify_ms",
	 .type = RG_INTEGER,
	 .offset = offsetof(struct rg_winbind_settings, verify_ms),
	 .fallback = "5000",
	 .least = 50,
	 .most = 60000,
	 .help = "longest wait for winbindd"},
	{0},
};

struct rg_ldap_settings winbind_ldap(const struct rg_winbind_settings *settings)
{
	struct rg_ldap_settings ldap = settings->ldap;
	ldap.lookup.type = RG_LOOKUP_AD;
	ldap.lookup.name_attribute = "sAMAccountName";
	return ldap;
}

static void check(const void *opaque, struct rg_complaint *complaint)
{
	const struct rg_winbind_settings *settings = opaque;
	struct rg_ldap_settings ldap = winbind_ldap(settings);
	settings_check(&ldap, complaint);
	if (settings->domain && !*settings->domain)
		complain_error(complaint, "domain", "is empty");
	if (ldap.lookup.nt_hash_attribute)
		complain_error(complaint, "nt_hash_attribute",
			       "has no use here: winbindd verifies MSCHAPv2");
}

static unsigned offers(const void *settings)
{
	(void)settings;
	return RG_OFFERS_IDENTITY | RG_OFFERS_PASSWORD | RG_OFFERS_MSCHAPV2 | RG_OFFERS_GROUPS;
}

static const struct rg_directory_kind operations = {
	.offers = offers,
	.open = directory_open_winbind,
	.ask = directory_ask_winbind,
	.status = directory_status_winbind,
	.close = directory_close_winbind,
};

const struct rg_module roamgate_module = {
	.abi = RG_MODULE_ABI,
	.kind = RG_MODULE_DIRECTORY,
	.name = "dir_winbind",
	.settings = rows,
	.settings_size = sizeof(struct rg_winbind_settings),
	.check = check,
	.ops.directory = &operations,
};

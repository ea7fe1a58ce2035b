#include "directory/preset.h"

#include "directory/mapping.h"

static const int mapping_ad[] = {RG_MAPPING_SID, RG_MAPPING_ALTSECID, RG_MAPPING_UPN};

#define BIT_AND "1.2.840.113556.1.4.803" /* LDAP_MATCHING_RULE_BIT_AND */
/* UF_ACCOUNTDISABLE, or a day of expiry that has come: 0 and the largest number are never. */
#define DISABLED_AD                                                                                \
	"(|(userAccountControl:" BIT_AND ":=2)"                                                    \
	"(&(accountExpires>=1)(accountExpires<=%{filetime})))"

/* A machine's %{user} is its host name, which may be some person's uid: so a machine is looked for
 * as one. */
const struct rg_preset presets[] = {
	[RG_LOOKUP_LDAP] =
		{
			.filter =
				"(|(mail=%{identity})(userPrincipalName=%{identity})(uid=%{user}))",
			.machine_filter = "(|(dNSHostName=%{host})(mail=%{identity})("
					  "userPrincipalName=%{identity}))",
			.disabled =
				"(|(userAccountControl:" BIT_AND ":=2)(pwdAccountLockedTime=*))",
			/* Of a lock that ends by itself only the server knows whether it has ended,
			 * and a bind is what takes it off. The value is that of one without end
			 * (draft-behera-ldap-password-policy §5.3.3). */
			.disabled_bind = "(|(userAccountControl:" BIT_AND ":=2)"
					 "(pwdAccountLockedTime=000001010000Z))",
		},
	[RG_LOOKUP_AD] =
		{
			.filter = "(&(objectCategory=person)(objectClass=user)(|(userPrincipalName="
				  "%{identity})"
				  "(mail=%{identity})(sAMAccountName=%{user})))",
			.machine_filter = "(&(objectClass=computer)(|(dNSHostName=%{host})"
					  "(&(!(dNSHostName=*))(sAMAccountName=%{user}$))))",
			.disabled = DISABLED_AD,
			.disabled_bind = DISABLED_AD,
			.groups = {.present = true,
				   .attribute = "memberOf",
				   .nested = RG_NESTED_ON,
				   .primary = true},
			.certificate_mapping = {mapping_ad, 3},
			.account_control = "msDS-User-Account-Control-Computed",
		},
	[RG_LOOKUP_OPENLDAP] =
		{
			.filter = "(&(objectClass=person)(|(mail=%{identity})(uid=%{user})))",
			.machine_filter = "(&(objectClass=device)(|(cn=%{host})(cn=%{user})))",
			.disabled = "(pwdAccountLockedTime=*)",
			.disabled_bind = "(pwdAccountLockedTime=000001010000Z)",
			.groups = {.present = true,
				   .attribute = "memberOf",
				   .nested = RG_NESTED_OFF},
		},
	[RG_LOOKUP_FREEIPA] =
		{
			.filter = "(&(objectClass=posixAccount)(|(krbPrincipalName=%{identity})("
				  "mail=%{identity})"
				  "(uid=%{user})))",
			.machine_filter = "(&(objectClass=ipaHost)(fqdn=%{host}))",
			.disabled = "(nsAccountLock=TRUE)",
			.disabled_bind = "(nsAccountLock=TRUE)",
			/* It holds groups in groups too. */
			.groups = {.present = true,
				   .attribute = "memberOf",
				   .nested = RG_NESTED_OFF},
		},
};

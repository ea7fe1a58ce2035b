/* How an entry is looked for and judged: the settings that directory modules have in common. */
#ifndef RG_DIRECTORY_LOOKUP_H
#define RG_DIRECTORY_LOOKUP_H
#include "roamgate/directory.h"
#include "roamgate/module.h"

enum rg_scope { RG_SCOPE_SUB, RG_SCOPE_ONE, RG_SCOPE_BASE };
enum rg_nested { RG_NESTED_AUTO, RG_NESTED_ON, RG_NESTED_OFF };

struct rg_lookup_groups {
	bool present;
	const char *attribute;     /* of the person's entry, its values the groups; or NULL and */
	const char *base, *filter; /* the entries below base that match are the groups */
	int nested;                /* enum rg_nested */
};

struct rg_lookup {
	const char *base;
	int scope;                     /* enum rg_scope */
	const char *filter, *disabled; /* NULL: the fallback; disabled "": nobody */
	struct rg_lookup_groups groups;
	const char *certificate_attribute; /* or NULL */
	struct rg_choices certificate_mapping;
	const char *nt_hash_attribute;
};

/* Where `filter` is absent. A machine's %{user} is its host name, which may be some person's uid: so a machine is
 * looked for as one. */
#define RG_FALLBACK_FILTER "(|(mail=%{identity})(userPrincipalName=%{identity})(uid=%{user}))"
#define RG_FALLBACK_MACHINE_FILTER "(|(dNSHostName=%{host})(mail=%{identity})(userPrincipalName=%{identity}))"
#define RG_FALLBACK_DISABLED                                                                       \
	"(|(userAccountControl:1.2.840.113556.1.4.803:=2)(pwdAccountLockedTime=*))"
/* Where a bind follows: of a lock that ends by itself only the server knows whether it has ended, and a
 * bind is what takes it off. The value is that of one without end (draft-behera-ldap-password-policy
 * §5.3.3). */
#define RG_FALLBACK_DISABLED_BIND                                                                  \
	"(|(userAccountControl:1.2.840.113556.1.4.803:=2)(pwdAccountLockedTime=000001010000Z))"

/* Words of the choices, in the order of the enums; NULL-terminated. */
extern const char *const lookup_scopes[];
extern const char *const lookup_nested[];
extern const char *const lookup_mappings[];
/* Rows of the `groups` group, over struct rg_lookup_groups. */
extern const struct rg_row lookup_group_rows[];

/* The filter for a name; host: of a machine, else "". */
const char *lookup_filter(const struct rg_lookup *, const char *host);

/* The filter of those who are refused, also where none is given; "": nobody. */
const char *lookup_disabled(const struct rg_lookup *, bool bind_follows);

/* Complains of what is wrong with them; no I/O. */
void lookup_check(const struct rg_lookup *, struct rg_complaint *);

/* The certificate of a question is the attribute's value. */
static inline bool lookup_same_certificate(const struct rg_question *question, struct rg_span value)
{
	return span_equal(question->certificate, value);
}
#endif

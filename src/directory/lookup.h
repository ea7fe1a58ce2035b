/* How an entry is looked for and judged: the settings that directory modules have in common. */
#ifndef RG_DIRECTORY_LOOKUP_H
#define RG_DIRECTORY_LOOKUP_H
#include "roamgate/directory.h"
#include "roamgate/module.h"

enum rg_scope { RG_SCOPE_SUB, RG_SCOPE_ONE, RG_SCOPE_BASE };
/* Whose product: which preset holds for what is left out. */
enum rg_lookup_type {
	RG_LOOKUP_LDAP,
	RG_LOOKUP_AD,
	RG_LOOKUP_OPENLDAP,
	RG_LOOKUP_FREEIPA,
};
enum rg_nested { RG_NESTED_AUTO, RG_NESTED_ON, RG_NESTED_OFF };

struct rg_lookup_groups {
	bool present;
	const char *attribute;     /* of the person's entry, its values the groups; or NULL and */
	const char *base, *filter; /* the entries below base that match are the groups */
	int nested;                /* enum rg_nested */
	bool primary;              /* with attribute: primaryGroupID names one more */
};

struct rg_lookup {
	int type; /* enum rg_lookup_type */
	const char *base;
	int scope;                     /* enum rg_scope */
	const char *filter, *disabled; /* NULL: the preset's; disabled "": nobody */
	struct rg_lookup_groups groups;
	const char *certificate_attribute; /* or NULL */
	struct rg_choices certificate_mapping;
	const char *nt_hash_attribute;
	const char *account_control; /* NULL: the preset's; "": none */
	const char *name_attribute;  /* whose value is the canonical name; no key; or NULL */
};

/* Words of the choices, in the order of the enums; NULL-terminated. */
extern const char *const lookup_types[];
extern const char *const lookup_scopes[];
extern const char *const lookup_nested[];
extern const char *const lookup_mappings[];
/* Rows of the `groups` group, over struct rg_lookup_groups. */
extern const struct rg_row lookup_group_rows[];

/* What holds: the key, or else the preset's. */
/* host: of a machine, else "". */
const char *lookup_filter(const struct rg_lookup *, const char *host);
/* Of those who are refused; "": nobody. */
const char *lookup_disabled(const struct rg_lookup *, bool bind_follows);
const struct rg_lookup_groups *lookup_groups(const struct rg_lookup *);
/* The ways of which one has to hold; count 0: none is asked for. */
struct rg_choices lookup_mapping(const struct rg_lookup *);
/* The attribute whose bits say what the directory computes of an account; NULL: none. */
const char *lookup_account_control(const struct rg_lookup *);
#define RG_ACCOUNT_LOCKED 16u /* ADS_UF_LOCKOUT ([MS-ADTS] 2.2.16) */

/* Complains of what is wrong with them; no I/O. */
void lookup_check(const struct rg_lookup *, struct rg_complaint *);

/* The certificate of a question is the attribute's value. */
static inline bool lookup_same_certificate(const struct rg_question *question, struct rg_span value)
{
	return span_equal(question->certificate, value);
}
#endif

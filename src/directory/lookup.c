#include "directory/lookup.h"

#include <stdlib.h>

#include "directory/dn.h"
#include "directory/filter.h"
#include "directory/mapping.h"
#include "directory/preset.h"

const char *const lookup_types[] = {"ldap", "ad", "openldap", "freeipa", NULL};
const char *const lookup_scopes[] = {"sub", "one", "base", NULL};
const char *const lookup_nested[] = {"auto", "on", "off", NULL};
const char *const lookup_mappings[] = {"sid", "altsecid", "upn", "off", NULL};

const struct rg_row lookup_group_rows[] = {
	{.name = "attribute",
	 .type = RG_STRING,
	 .offset = offsetof(struct rg_lookup_groups, attribute),
	 .help = "attribute of the person's entry whose values are their groups"},
	{.name = "base",
	 .type = RG_STRING,
	 .offset = offsetof(struct rg_lookup_groups, base),
	 .help = "in place of attribute: where groups lie"},
	{.name = "filter",
	 .type = RG_STRING,
	 .offset = offsetof(struct rg_lookup_groups, filter),
	 .help = "with base: which of them the person is in, such as (member=%{dn})"},
	{.name = "nested",
	 .type = RG_CHOICE,
	 .offset = offsetof(struct rg_lookup_groups, nested),
	 .fallback = "auto",
	 .choices = lookup_nested,
	 .help = "groups in groups: on, off, or auto: where the server says it has the matching "
		 "rule"},
	{.name = "primary",
	 .type = RG_BOOLEAN,
	 .offset = offsetof(struct rg_lookup_groups, primary),
	 .fallback = "false",
	 .help = "with attribute: Active Directory's primary group, which is not among its values, "
		 "counts too"},
	{0},
};

static void check_filter(struct rg_complaint *complaint, const char *key, const char *filter,
			 unsigned allowed, bool names_person)
{
	char why[160];
	unsigned used = 0;
	if (!filter_check(filter, allowed, &used, why))
		complain_error(complaint, key, "no filter: %s", why);
	else if (names_person && !(used & ~(RG_NAMES_REALM | RG_NAMES_FILETIME)))
		complain_error(complaint, key,
			       "it names no person: %%{identity}, %%{user} or %%{host} is missing");
}

static void check_dn(struct rg_complaint *complaint, const char *key, const char *text)
{
	char *normal = dn_normal(text);
	if (!normal)
		complain_error(complaint, key, "\"%s\" is no distinguished name", text);
	free(normal);
}

static void check_groups(const struct rg_lookup_groups *groups, struct rg_complaint *complaint)
{
	if (!groups->present)
		return;
	if (groups->attribute && (groups->base || groups->filter)) {
		complain_error(complaint, "groups",
			       "either attribute, or base and filter, not both");
		return;
	}
	if (!groups->attribute && !(groups->base && groups->filter)) {
		complain_error(complaint, "groups", "attribute is missing, or base and filter are");
		return;
	}
	if (groups->attribute)
		return;
	if (groups->primary)
		complain_error(complaint, "groups",
			       "primary wants attribute: a search finds no primary group");
	check_dn(complaint, "groups", groups->base);
	check_filter(complaint, "groups", groups->filter,
		     RG_NAMES_IDENTITY | RG_NAMES_USER | RG_NAMES_REALM | RG_NAMES_HOST |
			     RG_NAMES_DN | RG_NAMES_FILETIME,
		     true);
}

const char *lookup_filter(const struct rg_lookup *lookup, const char *host)
{
	const struct rg_preset *preset = &presets[lookup->type];
	if (lookup->filter)
		return lookup->filter;
	return host && host[0] ? preset->machine_filter : preset->filter;
}

const char *lookup_disabled(const struct rg_lookup *lookup, bool bind_follows)
{
	const struct rg_preset *preset = &presets[lookup->type];
	if (lookup->disabled)
		return lookup->disabled;
	return bind_follows ? preset->disabled_bind : preset->disabled;
}

const struct rg_lookup_groups *lookup_groups(const struct rg_lookup *lookup)
{
	return lookup->groups.present ? &lookup->groups : &presets[lookup->type].groups;
}

struct rg_choices lookup_mapping(const struct rg_lookup *lookup)
{
	struct rg_choices ways = lookup->certificate_mapping;
	if (ways.count == 0)
		ways = presets[lookup->type].certificate_mapping;
	for (size_t i = 0; i < ways.count; i++)
		if (ways.items[i] == RG_MAPPING_OFF)
			return (struct rg_choices){0};
	return ways;
}

const char *lookup_account_control(const struct rg_lookup *lookup)
{
	const char *name = lookup->account_control ? lookup->account_control
						   : presets[lookup->type].account_control;
	return name && *name ? name : NULL;
}

void lookup_check(const struct rg_lookup *lookup, struct rg_complaint *complaint)
{
	const unsigned before = RG_NAMES_IDENTITY | RG_NAMES_USER | RG_NAMES_REALM | RG_NAMES_HOST |
				RG_NAMES_FILETIME;
	if (lookup->base)
		check_dn(complaint, "base", lookup->base);
	if (lookup->filter)
		check_filter(complaint, "filter", lookup->filter, before, true);
	if (lookup->disabled && *lookup->disabled)
		check_filter(complaint, "disabled", lookup->disabled, before | RG_NAMES_DN, false);
	check_groups(&lookup->groups, complaint);
	for (size_t i = 0; i < lookup->certificate_mapping.count; i++)
		if (lookup->certificate_mapping.items[i] == RG_MAPPING_OFF &&
		    lookup->certificate_mapping.count > 1)
			complain_error(complaint, "certificate_mapping",
				       "\"off\" stands alone, or not at all");
}

#include "directory/lookup.h"

#include <stdlib.h>

#include "directory/dn.h"
#include "directory/filter.h"

const char *const lookup_scopes[] = {"sub", "one", "base", NULL};
const char *const lookup_nested[] = {"auto", "on", "off", NULL};
const char *const lookup_mappings[] = {"sid", "altsecid", "upn", NULL};

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
	{0},
};

static void check_filter(struct rg_complaint *complaint, const char *key, const char *filter,
			 unsigned allowed, bool names_person)
{
	char why[160];
	unsigned used = 0;
	if (!filter_check(filter, allowed, &used, why))
		complain_error(complaint, key, "no filter: %s", why);
	else if (names_person && !(used & ~RG_NAMES_REALM))
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
	check_dn(complaint, "groups", groups->base);
	check_filter(complaint, "groups", groups->filter,
		     RG_NAMES_IDENTITY | RG_NAMES_USER | RG_NAMES_REALM | RG_NAMES_HOST |
			     RG_NAMES_DN,
		     true);
}

const char *lookup_filter(const struct rg_lookup *lookup, const char *host)
{
	if (lookup->filter)
		return lookup->filter;
	return host && host[0] ? RG_FALLBACK_MACHINE_FILTER : RG_FALLBACK_FILTER;
}

const char *lookup_disabled(const struct rg_lookup *lookup, bool bind_follows)
{
	if (lookup->disabled)
		return lookup->disabled;
	return bind_follows ? RG_FALLBACK_DISABLED_BIND : RG_FALLBACK_DISABLED;
}

void lookup_check(const struct rg_lookup *lookup, struct rg_complaint *complaint)
{
	const unsigned before = RG_NAMES_IDENTITY | RG_NAMES_USER | RG_NAMES_REALM | RG_NAMES_HOST;
	if (lookup->base)
		check_dn(complaint, "base", lookup->base);
	if (lookup->filter)
		check_filter(complaint, "filter", lookup->filter, before, true);
	if (lookup->disabled && *lookup->disabled)
		check_filter(complaint, "disabled", lookup->disabled, before | RG_NAMES_DN, false);
	check_groups(&lookup->groups, complaint);
	if (lookup->certificate_mapping.count > 0)
		complain_warning(complaint, "certificate_mapping", "has no effect yet");
}

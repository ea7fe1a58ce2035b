/* realms[].authorize: who of a realm may come in where, and with which reply. */
#include <string.h>

#include "config/rows.h"
#include "roamgate/directory.h"

struct rule {
	struct rg_rule rule;
	const char *group;
	struct rg_strings reply;
};

static const struct rg_row rule_rows[] = {
	{.name = "group", .type = RG_STRING, .offset = offsetof(struct rule, group),
	 .help = "a member of this group (DN or name)"},
	{.name = "sites", .type = RG_STRINGS, .offset = offsetof(struct rule, rule.sites),
	 .help = "at one of these sites"},
	{.name = "home", .type = RG_BOOLEAN, .offset = offsetof(struct rule, rule.home),
	 .fallback = "false", .help = "at a site of the realm's own operator"},
	{.name = "methods", .type = RG_STRINGS, .offset = offsetof(struct rule, rule.methods),
	 .help = "signing in by one of these methods"},
	{.name = "identity", .type = RG_STRING, .offset = offsetof(struct rule, rule.identity),
	 .help = "with a name like this: * and ?"},
	{.name = "deny", .type = RG_BOOLEAN, .offset = offsetof(struct rule, rule.deny),
	 .fallback = "false", .help = "refuse"},
	{.name = "reply", .type = RG_STRINGS, .offset = offsetof(struct rule, reply),
	 .help = "reply attributes for the own clients"},
	{0},
};

/* Its index among the realm's groups, added where it is new. Rules are few: a walk will do. */
static int group_index(struct rg_realm *realm, const char **groups, const char *group)
{
	for (size_t i = 0; i < realm->group_count; i++)
		if (strcmp(groups[i], group) == 0)
			return (int)i;
	groups[realm->group_count] = group;
	return (int)realm->group_count++;
}

static bool strings_hold(const struct rg_strings *strings, const char *text)
{
	for (size_t i = 0; i < strings->count; i++)
		if (strcmp(strings->items[i], text) == 0)
			return true;
	return false;
}

static void rule_judge(struct rg_complaint *at, const struct rg_realm *realm, const struct rule *read)
{
	const struct rg_rule *rule = &read->rule;
	if (read->group && *read->group == '\0')
		complain_error(at, "group", "is empty");
	if (rule->identity && *rule->identity == '\0')
		complain_error(at, "identity", "is empty: it would match nobody");
	if (config_setting_get_member(at->group, "sites") && rule->sites.count == 0)
		complain_error(at, "sites", "is empty: the rule would match nobody");
	if (config_setting_get_member(at->group, "methods") && rule->methods.count == 0)
		complain_error(at, "methods", "is empty: the rule would match nobody");
	for (size_t i = 0; i < rule->methods.count; i++)
		if (!strings_hold(&realm->eap.method_labels, rule->methods.items[i]))
			complain_error(at, "methods", "\"%s\" is no method that this realm offers",
				       rule->methods.items[i]);
	if (rule->deny && read->reply.count != 0)
		complain_warning(at, "reply", "is never sent: the rule refuses");
}

static bool rule_is_unconditional(const struct rg_rule *rule)
{
	return rule->group < 0 && rule->sites.count == 0 && rule->methods.count == 0 &&
	       !rule->home && (!rule->identity || strcmp(rule->identity, "*") == 0);
}

/* Whether the directory group says where groups stand, in a way that every directory module shares. */
/* Where groups stand is written, or the directory knows it of itself: products have presets. */
static bool has_groups(struct rg_complaint *at, const struct rg_realm *realm)
{
	const config_setting_t *directory = config_setting_get_member(at->group, "directory");
	const struct rg_module *module = realm->directory.module;
	unsigned offers = module && module->ops.directory->offers
				  ? module->ops.directory->offers(realm->directory.settings)
				  : 0;
	return !directory || directory->type != CONFIG_TYPE_GROUP || offers & RG_OFFERS_GROUPS ||
	       config_setting_get_member(directory, "groups");
}

static struct rg_rule rule_read(struct rg_complaint *at, struct rg_realm *realm, const char **groups)
{
	struct rule read = {0};
	rows_read(at, rule_rows, NULL, &read);
	rule_judge(at, realm, &read);
	read.rule.where = setting_where(at->group);
	read.rule.group = read.group ? group_index(realm, groups, read.group) : -1;
	read.rule.reply = attributes_read(at, "reply", &read.reply);
	return read.rule;
}

void rules_read(struct rg_complaint *at, struct rg_realm *realm)
{
	struct rg_arena *arena = &at->reading->raddb->arena;
	config_setting_t *list = config_setting_get_member(at->group, "authorize"), *item;
	if (!list) {
		complain_warning(at, "authorize", "is missing: without a rule that matches everyone is refused");
		return;
	}
	size_t most = config_setting_is_aggregate(list) ? (size_t)config_setting_length(list) : 0;
	const char **groups = arena_alloc(arena, (most + 1) * sizeof(*groups));
	bool groups_known = has_groups(at, realm), ended = false;
	unsigned index = 0;
	realm->rules = arena_alloc(arena, (most + 1) * sizeof(*realm->rules));
	realm->groups = groups;
	while ((item = list_next(at->reading, list, &index))) {
		struct rg_complaint inner = {at->reading, item};
		struct rg_rule *rule = &realm->rules[realm->rule_count++];
		*rule = rule_read(&inner, realm, groups);
		if (rule->group >= 0 && !groups_known)
			complain_error(&inner, "group",
				       "needs directory.groups, which says where groups stand");
		if (ended)
			complain_warning(&inner, NULL, "is never reached: a rule before it matches everyone");
		ended = ended || rule_is_unconditional(rule);
	}
	if (realm->rule_count == 0 && most == 0)
		complain_warning(at, "authorize", "has no rule: everyone is refused");
}

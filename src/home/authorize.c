#include "home/authorize.h"

#include <string.h>
#include <strings.h>

#include "core/text.h"

static bool listed(const struct rg_strings *list, const char *word)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcasecmp(list->items[i], word) == 0)
			return true;
	return false;
}

static bool holds(const struct rg_rule *rule, const struct rg_realm *realm,
		  const struct rg_circumstances *now)
{
	if (rule->group >= 0 && !now->member[rule->group])
		return false;
	if (rule->sites.count != 0 && !listed(&rule->sites, now->site))
		return false;
	if (rule->methods.count != 0 && !listed(&rule->methods, now->method))
		return false;
	if (rule->identity && !text_glob(rule->identity, now->identity))
		return false;
	return !rule->home || (now->operator[0] && strcasecmp(now->operator, realm->operator) == 0);
}

const struct rg_rule *authorize(const struct rg_realm *realm, const struct rg_circumstances *now)
{
	for (size_t i = 0; i < realm->rule_count; i++)
		if (holds(&realm->rules[i], realm, now))
			return &realm->rules[i];
	return NULL;
}

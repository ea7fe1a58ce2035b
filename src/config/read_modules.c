/* gateway.modules: loads what is named there. */
#include <stdio.h>
#include <string.h>

#include "config/rows.h"
#include "core/text.h"
#include "module/module.h"

/* Modules that a configuration may name already and that come with later versions. */
static const char *const later_modules[] = {"eap_teap", NULL};
static const char *const known_modules[] = {"eap_tls",	    "dir_ldap", "dir_ldif",    "eap_ttls",    "eap_peap",
					    "eap_mschapv2", "eap_gtc",	"eap_teap",    "sink_fticks", "dir_winbind",
					    NULL};

static bool word_in(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(*words, word) == 0)
			return true;
	return false;
}

bool module_is_later(const char *name)
{
	return word_in(name, later_modules);
}

static const config_setting_t *modules_setting(const struct rg_reading *reading)
{
	for (size_t i = 0; i < reading->source_count; i++) {
		if (!reading->sources[i].parsed)
			continue;
		config_setting_t *gateway =
			config_setting_get_member(source_root(&reading->sources[i]), "gateway");
		if (gateway && gateway->type == CONFIG_TYPE_GROUP &&
		    config_setting_get_member(gateway, "modules"))
			return config_setting_get_member(gateway, "modules");
	}
	return NULL;
}

static void module_missing(struct rg_reading *reading, const config_setting_t *setting, const char *name,
			   const char *why)
{
	char hint[128];
	if (!setting)
		report_error(reading->report, reading->raddb->main_file, 0, "gateway.modules",
			     "\"%s\" cannot be loaded: %s", name, why);
	else if (module_is_later(name))
		setting_warning(reading, setting, "\"%s\" is not served by this version", name);
	else if (word_in(name, known_modules))
		setting_error(reading, setting, "\"%s\" cannot be loaded: %s", name, why);
	else
		setting_error(reading, setting, "\"%s\" cannot be loaded%s: %s", name,
			      hint_text(name, known_modules, hint), why);
}

bool module_is_named(const struct rg_gateway *gateway, const char *name)
{
	for (size_t i = 0; i < gateway->modules.count; i++) {
		const char *named = gateway->modules.items[i];
		const struct rg_module *module = module_by_name(named);
		if (strcmp(named, name) == 0 ||
		    (module && module->uses && word_in(name, module->uses)))
			return true;
	}
	return false;
}

void module_wanted(struct rg_complaint *at, const char *key, const char *word, const char *prefix,
		   const char *name)
{
	char module[80];
	snprintf(module, sizeof(module), "%s%s", prefix, name);
	if (!module_is_named(&at->reading->raddb->gateway, module))
		complain_error(at, key,
			       "\"%s\" is served by no loaded module: add \"%s\" to gateway.modules",
			       word, module);
}

void modules_read(struct rg_reading *reading)
{
	const struct rg_gateway *gateway = &reading->raddb->gateway;
	const config_setting_t *list = modules_setting(reading);
	for (size_t i = 0; i < gateway->modules.count; i++) {
		char why[512];
		const config_setting_t *item = list;
		if (list && list->type != CONFIG_TYPE_STRING)
			item = config_setting_get_elem(list, (unsigned)i);
		const struct rg_module *module =
			module_load(gateway->module_dir, gateway->modules.items[i], why);
		if (!module)
			module_missing(reading, item, gateway->modules.items[i], why);
		/* Those that it works with, which nobody need know by name. */
		for (size_t j = 0; module && module->uses && module->uses[j]; j++)
			if (!module_load(gateway->module_dir, module->uses[j], why))
				module_missing(reading, item, module->uses[j], why);
	}
}

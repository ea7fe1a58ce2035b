/* Groups at the top that belong to sinks: read by the rows of the module that owns them. */
#include <string.h>

#include "config/rows.h"
#include "module/module.h"
#include "roamgate/sink.h"

/* Those of modules that come with this program, for whoever writes the group and forgets the
 * module. */
static const struct {
	const char *group, *module;
} known[] = {
	{"fticks", "sink_fticks"},
};

static const char *module_of(const char *group)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].group, group) == 0)
			return known[i].module;
	return NULL;
}

bool sink_owns(const char *name)
{
	return module_of(name) || module_sink(name);
}

static const char *path_of(struct rg_complaint *at, const char *key)
{
	const char *text = NULL;
	if (!config_setting_lookup_string(at->group, key, &text) || *text == '\0')
		return NULL;
	return path_resolve(at->reading->raddb, text);
}

/* Where a sink shows a certificate, under the names that all groups use for it, it is a client's.
 */
static void files_judge(struct rg_complaint *at)
{
	const struct rg_certificate_files files = {
		.shown = RG_SHOWN_TO_SERVERS,
		.certificate = path_of(at, "certificate"),
		.private_key = path_of(at, "private_key"),
		.ca = path_of(at, "ca"),
	};
	if (files.certificate || files.private_key || files.ca)
		certificates_judge(at->reading->certificates, at, &files);
}

static void sink_take(struct rg_reading *reading, config_setting_t *setting,
		      const struct rg_module *module)
{
	struct rg_raddb *raddb = reading->raddb;
	struct rg_canon canon = {0};
	struct rg_complaint at = {reading, setting};
	struct rg_sink_settings *sink = &raddb->sinks[raddb->sink_count];
	*sink = (struct rg_sink_settings){
		.where = setting_where(setting),
		.module = module,
		.settings = arena_alloc(&raddb->arena, module->settings_size),
	};
	canon_setting(&canon, setting);
	canon_text(&canon, raddb->gateway.name);
	canon_text(&canon, raddb->gateway.country);
	reading->canon = &canon;
	rows_read(&at, module->settings, NULL, sink->settings);
	reading->canon = NULL;
	canon_end(&canon, sink->digest);
	files_judge(&at);
	if (module->check)
		module->check(sink->settings, &at);
	raddb->sink_count++;
}

void sink_read(struct rg_reading *reading, config_setting_t *setting)
{
	const struct rg_raddb *raddb = reading->raddb;
	const struct rg_module *module = module_sink(setting->name);
	if (setting->type != CONFIG_TYPE_GROUP) {
		setting_error(reading, setting, "must be a group { … }, is %s", type_text(setting));
		return;
	}
	const char *name = module ? module->name : module_of(setting->name);
	/* What is loaded but not named stays loaded from a former reading. */
	if (!module_is_named(&raddb->gateway, name))
		setting_warning(reading, setting,
				"does nothing: \"%s\" is not among gateway.modules", name);
	else if (module)
		sink_take(reading, setting, module);
}

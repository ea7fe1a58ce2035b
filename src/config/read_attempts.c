/* attempts: how many wrong passwords are let through to a directory. */
#include "config/rows.h"

#define FIELD(member) offsetof(struct rg_attempt_settings, member)

static const struct rg_row rows[] = {
	{.name = "max",
	 .type = RG_INTEGER,
	 .offset = FIELD(max),
	 .fallback = "10",
	 .least = 1,
	 .most = 1000000,
	 .help = "wrong passwords of one device in a window; of one person twice as many"},
	{.name = "window_s",
	 .type = RG_INTEGER,
	 .offset = FIELD(window_s),
	 .fallback = "600",
	 .least = 1,
	 .most = 86400,
	 .help = "that window"},
	{.name = "exempt",
	 .type = RG_STRINGS,
	 .offset = FIELD(exempt),
	 .help = "people who are not counted, with * and ?: test accounts"},
	{0},
};

void attempts_default(struct rg_reading *reading)
{
	rows_default(reading, rows, &reading->raddb->attempts);
}

void attempts_read(struct rg_reading *reading, config_setting_t *setting)
{
	struct rg_complaint at = {reading, setting};
	struct rg_attempt_settings *attempts = &reading->raddb->attempts;
	if (setting->type != CONFIG_TYPE_GROUP) {
		setting_error(reading, setting, "must be a group { … }, is %s", type_text(setting));
		return;
	}
	rows_read(&at, rows, NULL, attempts);
	for (size_t i = 0; i < attempts->exempt.count; i++)
		if (attempts->exempt.items[i][0] == '*' && attempts->exempt.items[i][1] == '\0')
			complain_warning(&at, "exempt", "\"*\" exempts everybody: anyone may guess passwords without end");
}

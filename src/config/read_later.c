/* Groups of the contract whose work later versions do: their keys are checked, and one warning says so. */
#include <string.h>

#include "config/rows.h"

struct later {
	struct rg_strings redis;
	struct rg_secret *password;
	const char *type, *conninfo, *file;
	int64_t sign_ins, accounting;
	int choice;
};

#define LATER(member) offsetof(struct later, member)

static const char *const store_types[] = {"sqlite", "postgresql", NULL};

static const struct rg_row shared_rows[] = {
	{.name = "redis", .type = RG_STRINGS, .offset = LATER(redis), .help = "servers, ADDRESS:PORT"},
	{.name = "password", .type = RG_SECRET, .offset = LATER(password), .help = "of those servers"},
	{0},
};

static const struct rg_row store_rows[] = {
	{.name = "type", .type = RG_CHOICE, .offset = LATER(choice), .fallback = "sqlite",
	 .choices = store_types, .help = "sqlite or postgresql"},
	{.name = "conninfo", .type = RG_STRING, .offset = LATER(conninfo), .help = "of postgresql"},
	{.name = "file", .type = RG_PATH, .offset = LATER(file), .help = "of sqlite"},
	{0},
};

static const struct rg_row retention_rows[] = {
	{.name = "sign_ins", .type = RG_INTEGER, .offset = LATER(sign_ins), .fallback = "183",
	 .least = 1, .most = 36500, .help = "days that sign-ins are kept"},
	{.name = "accounting", .type = RG_INTEGER, .offset = LATER(accounting), .fallback = "183",
	 .least = 1, .most = 36500, .help = "days that accounting is kept"},
	{0},
};

static const struct {
	const char *name;
	const struct rg_row *rows;
} groups[] = {
	{"shared", shared_rows},
	{"store", store_rows},
	{"retention_days", retention_rows},
};

void later_read(struct rg_reading *reading, config_setting_t *setting)
{
	struct later later = {0};
	struct rg_complaint at = {reading, setting};
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (strcmp(groups[i].name, setting->name) != 0)
			continue;
		if (setting->type != CONFIG_TYPE_GROUP)
			setting_error(reading, setting, "must be a group { … }, is %s",
				      type_text(setting));
		else if (rows_read(&at, groups[i].rows, NULL, &later))
			setting_warning(reading, setting, "is not served by this version");
	}
}

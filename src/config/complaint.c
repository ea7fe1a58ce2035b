#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config/reading.h"

/* An error of the rows stands at that very key, or below it. */
static bool told_at(const struct rg_reading *reading, const char *file, const char *path)
{
	size_t length = strlen(path);
	for (size_t i = reading->told_from; i < reading->told_to; i++) {
		const struct rg_finding *told = &reading->report->errors[i];
		if (strcmp(told->file, file) == 0 && strncmp(told->key, path, length) == 0 &&
		    (told->key[length] == '\0' || strchr(".[", told->key[length])))
			return true;
	}
	return false;
}

typedef void report_any(struct rg_report *, const char *, unsigned, const char *, const char *, ...);

static void finding(report_any *report, const struct rg_reading *reading, const config_setting_t *setting,
		    const char *member, const char *format, va_list args)
	__attribute__((format(printf, 5, 0)));

static void finding(report_any *report, const struct rg_reading *reading, const config_setting_t *setting,
		    const char *member, const char *format, va_list args)
{
	char path[512], message[1024];
	struct rg_where where = setting_where(setting);
	setting_path(setting, member, path, sizeof(path));
	if (told_at(reading, where.file, path))
		return;
	vsnprintf(message, sizeof(message), format, args);
	report(reading->report, where.file, where.line, path, "%s", message);
}

/* Where a key of the group stands, as itself or as the file of a secret; else the group, and the key
 * as a member that is not there. */
static const config_setting_t *place_of(struct rg_complaint *at, const char **key)
{
	char file[80];
	if (!*key)
		return at->group;
	const config_setting_t *setting = config_setting_get_member(at->group, *key);
	if (!setting) {
		snprintf(file, sizeof(file), "%s_file", *key);
		setting = config_setting_get_member(at->group, file);
	}
	if (!setting)
		return at->group;
	*key = NULL;
	return setting;
}

bool told_of(struct rg_complaint *at, const char *key)
{
	char path[512];
	const config_setting_t *setting = place_of(at, &key);
	setting_path(setting, key, path, sizeof(path));
	return told_at(at->reading, setting_where(setting).file, path);
}

void complain_error(struct rg_complaint *at, const char *key, const char *format, ...)
{
	va_list args;
	const config_setting_t *setting = place_of(at, &key);
	va_start(args, format);
	finding(report_error, at->reading, setting, key, format, args);
	va_end(args);
}

void complain_warning(struct rg_complaint *at, const char *key, const char *format, ...)
{
	va_list args;
	const config_setting_t *setting = place_of(at, &key);
	va_start(args, format);
	finding(report_warning, at->reading, setting, key, format, args);
	va_end(args);
}

void setting_error(const struct rg_reading *reading, const config_setting_t *setting, const char *format,
		   ...)
{
	va_list args;
	va_start(args, format);
	finding(report_error, reading, setting, NULL, format, args);
	va_end(args);
}

void setting_warning(const struct rg_reading *reading, const config_setting_t *setting,
		     const char *format, ...)
{
	va_list args;
	va_start(args, format);
	finding(report_warning, reading, setting, NULL, format, args);
	va_end(args);
}

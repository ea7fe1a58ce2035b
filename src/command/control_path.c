#include <libconfig.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/control_client.h"

#define DEFAULT_PATH "/run/roamgate/control.sock"

/* The directory of file, "." where it names none. */
static void directory_of(const char *file, char *out, size_t capacity)
{
	const char *slash = strrchr(file, '/');
	if (!slash)
		snprintf(out, capacity, ".");
	else
		snprintf(out, capacity, "%.*s", slash == file ? 1 : (int)(slash - file), file);
}

/* What libconfig finds; false: the file cannot be read, or is broken. */
static bool parsed(const char *file, const char *dir, char *control, size_t capacity)
{
	config_t config;
	const char *value = DEFAULT_PATH;
	config_init(&config);
	config_set_include_dir(&config, dir);
	bool readable = config_read_file(&config, file) == CONFIG_TRUE;
	config_lookup_string(&config, "gateway.control", &value);
	if (readable)
		snprintf(control, capacity, "%s", value);
	config_destroy(&config);
	return readable;
}

/* `control = "…"` somewhere in a line, outside of its comment. */
static bool line_has(const char *line, char value[256])
{
	size_t comment = strcspn(line, "#");
	const char *slashes = strstr(line, "//");
	if (slashes && (size_t)(slashes - line) < comment)
		comment = (size_t)(slashes - line);
	for (const char *at = strstr(line, "control"); at; at = strstr(at + 1, "control")) {
		bool whole = at == line || strchr(" \t{;,", at[-1]);
		if ((size_t)(at - line) < comment && whole &&
		    sscanf(at, "control %*1[=:] \"%255[^\"]\"", value) == 1)
			return true;
	}
	return false;
}

/* For a file that libconfig refuses: the first line that looks right. */
static bool scanned(const char *file, char *control, size_t capacity)
{
	FILE *stream = fopen(file, "re");
	char *line = NULL, value[256];
	size_t size = 0;
	bool found = false;
	while (stream && !found && getline(&line, &size, stream) >= 0)
		found = line_has(line, value);
	if (found)
		snprintf(control, capacity, "%s", value);
	free(line);
	if (stream)
		fclose(stream);
	return found;
}

void control_path(const char *file, char *out, size_t capacity)
{
	char dir[4096], control[4096];
	directory_of(file, dir, sizeof(dir));
	if (!parsed(file, dir, control, sizeof(control)) && !scanned(file, control, sizeof(control)))
		snprintf(control, sizeof(control), "%s", DEFAULT_PATH);
	int length = control[0] == '/' ? snprintf(out, capacity, "%s", control)
				       : snprintf(out, capacity, "%s/%s", dir, control);
	if (length < 0 || (size_t)length >= capacity)
		snprintf(out, capacity, "%s", DEFAULT_PATH);
}

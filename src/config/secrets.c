#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/rows.h"
#include "core/reserve.h"
#include "core/secret.h"
#include "core/text.h"

#define SECRET_MOST 65536
#define SECRET_SHORT 16 /* RFC 2865 §3 */

static struct rg_keepsake *keepsake_new(struct rg_raddb *raddb)
{
	struct rg_keepsake *keepsake = arena_alloc(&raddb->arena, sizeof(*keepsake));
	keepsake->next = raddb->keepsakes;
	raddb->keepsakes = keepsake;
	return keepsake;
}

struct rg_secret *secret_keep(struct rg_raddb *raddb, struct rg_secret *secret)
{
	if (secret)
		keepsake_new(raddb)->secret = secret;
	return secret;
}

static struct rg_secret *secret_take(struct rg_complaint *at, const config_setting_t *setting,
				     const char *data, size_t length)
{
	if (length == 0) {
		setting_error(at->reading, setting, "is empty");
		return NULL;
	}
	if (memchr(data, '\0', length)) {
		setting_error(at->reading, setting, "holds a NUL octet");
		return NULL;
	}
	struct rg_secret *secret = secret_new(data, length);
	if (!secret) {
		reserve_note();
		return NULL;
	}
	if (at->reading->canon)
		canon_span(at->reading->canon, secret_span(secret));
	return secret_keep(at->reading->raddb, secret);
}

static struct rg_secret *secret_from_file(struct rg_complaint *at, const config_setting_t *setting)
{
	struct stat st;
	size_t length;
	struct rg_secret *secret = NULL;
	const char *written = config_setting_get_string(setting);
	const char *path = path_resolve(at->reading->raddb, written);
	char *text = file_read(path, SECRET_MOST, &length);
	if (!text) {
		setting_error(at->reading, setting, "%s cannot be read: %s", written, strerror(errno));
		return NULL;
	}
	reader_check(at, setting, path);
	if (stat(path, &st) == 0 && (st.st_mode & S_IRWXO) != 0) {
		setting_error(at->reading, setting, "%s is open to everyone (mode %04o): chmod o= %s",
			      written, (unsigned)st.st_mode & 07777, written);
	} else {
		size_t kept = length;
		if (kept > 0 && text[kept - 1] == '\n')
			kept--;
		if (kept > 0 && kept < length && text[kept - 1] == '\r')
			kept--;
		secret = secret_take(at, setting, text, kept);
	}
	secret_wipe(text, length);
	free(text);
	return secret;
}

bool secret_read(struct rg_complaint *at, const char *name, struct rg_secret **secret)
{
	char file[80];
	snprintf(file, sizeof(file), "%s_file", name);
	const config_setting_t *here = config_setting_get_member(at->group, name);
	const config_setting_t *there = config_setting_get_member(at->group, file);
	*secret = NULL;
	if (!here && !there)
		return true;
	if (here && there) {
		setting_error(at->reading, there, "%s is given as well: one of the two", name);
		return false;
	}
	const config_setting_t *setting = here ? here : there;
	if (setting->type != CONFIG_TYPE_STRING) {
		setting_error(at->reading, setting, "must be a string, is %s", type_text(setting));
		return false;
	}
	const char *text = config_setting_get_string(setting);
	*secret = here ? secret_take(at, here, text, strlen(text)) : secret_from_file(at, there);
	return *secret;
}

void secret_judge(struct rg_complaint *at, const char *key, const struct rg_secret *secret)
{
	if (secret && secret->length < SECRET_SHORT)
		complain_warning(at, key, "has %zu octet%s: a secret under %d can be guessed",
				 secret->length, text_plural(secret->length), SECRET_SHORT);
}

const struct rg_radius_key *key_make(struct rg_raddb *raddb, const struct rg_secret *secret)
{
	if (!secret)
		return NULL;
	struct rg_radius_key *made = radius_key_new(secret_span(secret));
	if (!made) {
		reserve_note();
		return NULL;
	}
	keepsake_new(raddb)->key = made;
	return made;
}

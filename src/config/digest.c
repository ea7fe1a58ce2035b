#include "config/digest.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/reserve.h"
#include "core/secret.h"
#include "core/text.h"

static void canon_grow(struct rg_canon *canon, size_t more)
{
	if (canon->capacity - canon->length >= more)
		return;
	size_t capacity = 2 * (canon->length + more) + 1024;
	uint8_t *data = reserve_calloc(1, capacity);
	if (canon->length != 0)
		memcpy(data, canon->data, canon->length);
	if (canon->data)
		secret_wipe(canon->data, canon->length);
	free(canon->data);
	canon->data = data;
	canon->capacity = capacity;
}

/* Each piece with its length in front, so that no two lists of pieces read the same. */
void canon_span(struct rg_canon *canon, struct rg_span span)
{
	uint64_t length = span.length;
	canon_grow(canon, span.length + sizeof(length));
	memcpy(canon->data + canon->length, &length, sizeof(length));
	if (span.length != 0)
		memcpy(canon->data + canon->length + sizeof(length), span.data, span.length);
	canon->length += span.length + sizeof(length);
}

void canon_text(struct rg_canon *canon, const char *text)
{
	canon_span(canon, span_text(text ? text : ""));
}

void canon_setting(struct rg_canon *canon, const config_setting_t *setting)
{
	char number[48];
	canon_text(canon, setting->name);
	switch (setting->type) {
	case CONFIG_TYPE_STRING:
		canon_text(canon, "s");
		canon_text(canon, config_setting_get_string(setting));
		return;
	case CONFIG_TYPE_BOOL:
		canon_text(canon, config_setting_get_bool(setting) ? "true" : "false");
		return;
	case CONFIG_TYPE_FLOAT:
		snprintf(number, sizeof(number), "f%.17g", config_setting_get_float(setting));
		canon_text(canon, number);
		return;
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		snprintf(number, sizeof(number), "i%lld",
			 setting->type == CONFIG_TYPE_INT ? config_setting_get_int(setting)
							  : config_setting_get_int64(setting));
		canon_text(canon, number);
		return;
	}
	int count = config_setting_length(setting);
	canon_text(canon, setting->type == CONFIG_TYPE_GROUP ? "{" : "(");
	for (int i = 0; i < count; i++)
		canon_setting(canon, config_setting_get_elem(setting, (unsigned)i));
	canon_text(canon, "}");
}

void canon_file(struct rg_canon *canon, const char *path)
{
	struct stat st;
	char stamp[160] = "none";
	canon_text(canon, path);
	if (stat(path, &st) == 0)
		snprintf(stamp, sizeof(stamp), "%llu %llu %lld.%09ld", (unsigned long long)st.st_ino,
			 (unsigned long long)st.st_size, (long long)st.st_mtim.tv_sec,
			 st.st_mtim.tv_nsec);
	canon_text(canon, stamp);
}

void canon_end(struct rg_canon *canon, char out[65])
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	static const uint8_t nothing[1];
	if (EVP_Q_digest(NULL, "SHA256", NULL, canon->data ? canon->data : nothing, canon->length, digest,
			 NULL) != 1) {
		reserve_note(); /* of libcrypto's memory */
		memset(digest, 0, sizeof(digest));
	}
	text_hex(out, span_of(digest, 32));
	if (canon->data)
		secret_wipe(canon->data, canon->length);
	free(canon->data);
	*canon = (struct rg_canon){0};
}

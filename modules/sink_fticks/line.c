#include "line.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

#include "core/text.h"

#define VENDOR 9  /* octets of "AA-BB-CC-" */
#define DIGEST 32 /* octets of SHA-256 */
#define VENDOR_DIGEST                                                                              \
	27 /* of which so many fit behind it: radsecproxy's CSI has 64 octets at most */

static void digest_of(uint8_t digest[DIGEST], const char *mac, struct rg_span key, bool keyed)
{
	uint8_t digits[18];
	size_t length = 0;
	unsigned written = DIGEST;
	for (; *mac; mac++)
		if (isxdigit((unsigned char)*mac))
			digits[length++] = (uint8_t)tolower((unsigned char)*mac);
	if (keyed)
		HMAC(EVP_sha256(), key.data, (int)key.length, digits, length, digest, &written);
	else
		EVP_Digest(digits, length, digest, &written, EVP_sha256(), NULL);
}

void fticks_csi(char out[FTICKS_CSI_MOST], const struct fticks_format *format, const char *mac)
{
	uint8_t digest[DIGEST] = {0};
	bool keyed =
		format->mac == FTICKS_VENDOR_KEY_HASHED || format->mac == FTICKS_FULLY_KEY_HASHED;
	out[0] = '\0';
	if (format->mac != FTICKS_STATIC && mac[0] == '\0')
		return;
	switch (format->mac) {
	case FTICKS_STATIC:
	case FTICKS_MAC_UNKNOWN:
		snprintf(out, FTICKS_CSI_MOST, "undisclosed");
		break;
	case FTICKS_ORIGINAL:
		snprintf(out, FTICKS_CSI_MOST, "%s", mac);
		break;
	case FTICKS_VENDOR_HASHED:
	case FTICKS_VENDOR_KEY_HASHED:
		digest_of(digest, mac, format->key, keyed);
		memcpy(out, mac, VENDOR);
		text_hex(out + VENDOR, span_of(digest, VENDOR_DIGEST));
		break;
	case FTICKS_FULLY_HASHED:
	case FTICKS_FULLY_KEY_HASHED:
		digest_of(digest, mac, format->key, keyed);
		text_hex(out, span_of(digest, DIGEST));
		break;
	}
}

struct line {
	char *out;
	size_t used;
};

static void add(struct line *line, const char *text)
{
	size_t length = strlen(text);
	if (length > FTICKS_LINE_MOST - 1 - line->used)
		length = FTICKS_LINE_MOST - 1 - line->used;
	memcpy(line->out + line->used, text, length);
	line->used += length;
	line->out[line->used] = '\0';
}

/* A '#' would end the value, a line feed the line, whatever wrote the name. */
static void add_escaped(struct line *line, const char *text)
{
	char one[5];
	for (; *text; text++) {
		unsigned char octet = (unsigned char)*text;
		if (octet < ' ' || octet > '~' || octet == '#' || octet == '\\')
			snprintf(one, sizeof(one), "\\x%02x", octet);
		else
			snprintf(one, sizeof(one), "%c", octet);
		add(line, one);
	}
}

size_t fticks_line(char out[FTICKS_LINE_MOST], const struct fticks_format *format,
		   const struct fticks_tick *tick)
{
	char csi[FTICKS_CSI_MOST];
	struct line line = {.out = out};
	fticks_csi(csi, format, tick->mac);
	add(&line, "F-TICKS/");
	add(&line, format->federation);
	add(&line, "/1.0#REALM=");
	add_escaped(&line, tick->realm);
	add(&line, "#VISCOUNTRY=");
	add_escaped(&line, format->country);
	if (tick->institution[0]) {
		add(&line, "#VISINST=");
		add_escaped(&line, tick->institution);
	}
	add(&line, "#CSI=");
	add(&line, csi);
	add(&line, tick->accepted ? "#RESULT=OK#" : "#RESULT=FAIL#");
	return line.used;
}

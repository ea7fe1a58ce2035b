#include <stdio.h>
#include <string.h>

#include "config/rows.h"
#include "radius/dictionary.h"

#define ATTRIBUTES_MOST 2048 /* octets of reply attributes that leave room for EAP and keys */

/* What the gateway itself puts into an answer, or must never: two of them would contradict. */
static const char *own_attribute(uint8_t type)
{
	switch (type) {
	case RG_USER_NAME:
	case RG_STATE:
	case RG_PROXY_STATE:
	case RG_EAP_MESSAGE:
	case RG_MESSAGE_AUTHENTICATOR:
	case RG_CUI:
	case RG_EAP_KEY_NAME:
		return "is set by the gateway itself";
	case RG_REPLY_MESSAGE:
		return "may not stand beside EAP-Message (RFC 3579 §2.6.5)";
	}
	return NULL;
}

/* "1" to "4094" (federation.md: Tunnel-Private-Group-Id), tag or no tag; a VLAN's name is left alone. */
static bool vlan_is_good(struct rg_span value)
{
	unsigned number = 0;
	if (value.length > 0 && value.data[0] < 0x20)
		value = span_of(value.data + 1, value.length - 1);
	for (size_t i = 0; i < value.length; i++) {
		if (value.data[i] < '0' || value.data[i] > '9')
			return true;
		number = number > 10000 ? number : number * 10 + value.data[i] - '0';
	}
	return number >= 1 && number <= 4094;
}

static bool attribute_judge(struct rg_complaint *at, const config_setting_t *setting, const char *line,
			    struct rg_span encoded, unsigned *seen)
{
	bool fine = true;
	struct rg_cursor cursor = cursor_over(encoded);
	while (cursor_left(&cursor) != 0) {
		uint8_t type = cursor_u8(&cursor), length = cursor_u8(&cursor);
		struct rg_span value = cursor_take(&cursor, length >= 2 ? length - 2u : 255);
		const char *why = cursor.failed ? "cannot be encoded" : own_attribute(type);
		if (!why && type == RG_TUNNEL_PRIVATE_GROUP_ID && !vlan_is_good(value))
			why = "is no VLAN: those are 1 to 4094";
		if (why) {
			setting_error(at->reading, setting, "\"%s\" %s", line, why);
			fine = false;
		}
		*seen |= type == RG_TUNNEL_TYPE ? 1 : type == RG_TUNNEL_MEDIUM_TYPE ? 2 : 0;
		*seen |= type == RG_TUNNEL_PRIVATE_GROUP_ID ? 4 : 0;
	}
	return fine;
}

struct rg_span attributes_read(struct rg_complaint *at, const char *key, const struct rg_strings *lines)
{
	uint8_t octets[ATTRIBUTES_MOST];
	struct rg_buffer out = buffer_over(octets, sizeof(octets));
	const config_setting_t *list = config_setting_get_member(at->group, key);
	unsigned seen = 0;
	for (size_t i = 0; i < lines->count; i++) {
		const config_setting_t *setting =
			list->type == CONFIG_TYPE_STRING ? list : config_setting_get_elem(list, (unsigned)i);
		char why[256] = "";
		uint8_t one[1024];
		size_t length = dictionary_encode(lines->items[i], one, sizeof(one), why);
		if (length == 0)
			setting_error(at->reading, setting, "\"%s\": %s", lines->items[i], why);
		else if (attribute_judge(at, setting, lines->items[i], span_of(one, length), &seen))
			buffer_put(&out, span_of(one, length));
	}
	if (out.failed)
		complain_error(at, key, "is more than %d octets of attributes", ATTRIBUTES_MOST);
	if ((seen & 4) && seen != 7)
		complain_warning(at, key,
				 "has Tunnel-Private-Group-Id without %s: most switches then ignore it",
				 !(seen & 1) ? "Tunnel-Type" : "Tunnel-Medium-Type");
	return span_of(arena_copy(&at->reading->raddb->arena, octets, out.length), out.length);
}

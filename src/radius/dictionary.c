#include "radius/dictionary.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/reserve.h"
#include "core/text.h"
#include "radius/shim/libradius.h"

#define DICTIONARY_ROOM ((size_t)16 << 20) /* octets: all dictionaries, and more */
#define PAIR_ROOM   65536 /* octets: what an attribute takes, and more */
#define VENDOR_DHCP 54 /* FreeRADIUS files DHCP options under it; they are no RADIUS attributes */

/* A process has one, as libfreeradius has, and only once: after dict_free the library still
 * remembers the attribute whose value it read last. Written before threads start and after they
 * end. */
static enum { NEVER, OPEN, CLOSED } dictionary;

bool dictionary_open(const char *dir, const char **why)
{
	static char missing[300];
	char path[200];
	if (dictionary == OPEN)
		return true;
	if (dictionary == CLOSED) {
		*why = "the dictionaries are loaded once a process";
		return false;
	}
	/* Other versions lay out the structs differently that we share with it. */
	if (fr_check_lib_magic(RADIUSD_MAGIC_NUMBER) < 0) {
		*why = fr_strerror();
		return false;
	}
	if (!dir)
		dir = "/usr/share/freeradius";
	snprintf(path, sizeof(path), "%s/dictionary", dir);
	if (access(path, R_OK) != 0) {
		snprintf(missing, sizeof(missing), "%s: %s", path, strerror(errno));
		*why = missing;
		return false;
	}
	/* libfreeradius walks over what it could not put into its tables. */
	if (!memory_is_there(DICTIONARY_ROOM)) {
		*why = "out of memory";
		return false;
	}
	fr_dns_lookups = false;
	fr_hostname_lookups = false; /* reading a configuration must not wait for DNS */
	if (dict_init(dir, "dictionary") < 0) {
		*why = fr_strerror();
		dictionary = CLOSED;
		return false;
	}
	dictionary = OPEN;
	return true;
}

void dictionary_close(void)
{
	if (dictionary != OPEN)
		return;
	dict_free();
	dictionary = CLOSED;
}

static size_t refuse(char why[256], const char *format, ...) __attribute__((format(printf, 2, 3)));

static size_t refuse(char why[256], const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(why, 256, format, args);
	va_end(args);
	return 0;
}

/* All names of the dictionary, for text_nearest: one walk for one error. */
struct names {
	const char **items;
	size_t count, capacity;
};

static int collect_name(void *context, void *data)
{
	struct names *names = context;
	const DICT_ATTR *da = data;
	if (da->vendor == 0 && da->attr > 255)
		return 0;
	if (names->count + 1 >= names->capacity) {
		size_t capacity = names->capacity ? 2 * names->capacity : 8192;
		const char **items = realloc(names->items, capacity * sizeof(*items));
		if (!items)
			return -1;
		names->items = items;
		names->capacity = capacity;
	}
	names->items[names->count++] = da->name;
	return 0;
}

static size_t refuse_unknown(char why[256], const char *name)
{
	struct names names = {0};
	const char *nearest = NULL;
	char safe[100];
	text_escape(safe, sizeof(safe), span_text(name));
	dict_walk(collect_name, &names);
	if (names.items) {
		names.items[names.count] = NULL;
		nearest = text_nearest(name, names.items);
	}
	if (nearest)
		refuse(why, "no attribute \"%s\" in the dictionaries (did you mean %.100s?)", safe,
		       nearest);
	else
		refuse(why, "no attribute \"%s\" in the dictionaries", safe);
	free(names.items);
	return 0;
}

/* What the gateway sets itself, or what only makes sense for one request. */
static bool set_by_gateway(const DICT_ATTR *da)
{
	return da->vendor == 0 &&
	       (da->attr == RG_EAP_MESSAGE || da->attr == RG_MESSAGE_AUTHENTICATOR ||
		da->attr == RG_STATE || da->attr == RG_PROXY_STATE ||
		da->attr == RG_CHAP_PASSWORD || da->attr == RG_CHAP_CHALLENGE);
}

/* Whether this attribute may be written from a configuration; 0 and why: it may not. */
static size_t check_attribute(const DICT_ATTR *da, char why[256])
{
	if (da->flags.encrypt != FLAG_ENCRYPT_NONE)
		return refuse(why, "%s travels encrypted and cannot be given as a fixed value",
			      da->name);
	if ((da->vendor == 0 && (da->attr > 255 || da->attr == 0)) || da->vendor == VENDOR_DHCP ||
	    da->flags.virtual)
		return refuse(why, "%s is internal to FreeRADIUS and never goes on the wire",
			      da->name);
	if (set_by_gateway(da))
		return refuse(why, "%s is set by the gateway itself", da->name);
	if (da->flags.has_tlv || (da->vendor == 0 && da->attr == RG_VENDOR_SPECIFIC))
		return refuse(why, "%s has no value of its own; name one of its sub-attributes",
			      da->name);
	return 1;
}

/* The name up to its tag. */
static void bare_name(char *out, size_t capacity, const char *name)
{
	size_t length = strcspn(name, ":");
	if (length >= capacity)
		length = capacity - 1;
	memcpy(out, name, length);
	out[length] = '\0';
}

/* "Name op value" taken apart. */
static size_t read_pair(const char *text, VALUE_PAIR_RAW *raw, char why[256])
{
	const char *at = text;
	memset(raw, 0, sizeof(*raw));
	if (strlen(text) > 1000)
		return refuse(why, "longer than 1000 characters");
	FR_TOKEN end = fr_pair_raw_from_str(&at, raw);
	if (end == T_INVALID)
		return refuse(why, "expected Name = value: %.200s", fr_strerror());
	if (end != T_EOL)
		return refuse(why, "more than one attribute; give each as a string of its own");
	if (raw->op != T_OP_EQ && raw->op != T_OP_SET && raw->op != T_OP_ADD)
		return refuse(why, "the operator must be =, := or +=");
	if (raw->quote == T_BACK_QUOTED_STRING)
		return refuse(why, "a value in backquotes would be a command; none is run");
	return 1;
}

/* "Name:3". FreeRADIUS takes a colon for part of the name where the tag is none. */
static size_t check_tag(const DICT_ATTR *da, const char *name, char why[256])
{
	const char *colon = strchr(name, ':');
	char *end;
	if (!colon)
		return 1;
	if (!da->flags.has_tag)
		return refuse(why, "%s bears no tag", da->name);
	unsigned long tag = strtoul(colon + 1, &end, 10);
	if (!isdigit((unsigned char)colon[1]) || *end != '\0' || tag > 31)
		return refuse(why, "the tag of %s must be 0 to 31", da->name);
	return 1;
}

/* FreeRADIUS takes a number modulo whatever fits. */
static size_t check_number(const DICT_ATTR *da, const char *value, char why[256])
{
	char *end;
	unsigned long long most = da->type == PW_TYPE_INTEGER && da->flags.has_tag ? 0xffffff
				  : da->type == PW_TYPE_INTEGER                    ? UINT32_MAX
				  : da->type == PW_TYPE_SHORT                      ? UINT16_MAX
				  : da->type == PW_TYPE_BYTE                       ? UINT8_MAX
										   : 0;
	if (most == 0)
		return 1;
	errno = 0;
	unsigned long long number = strtoull(value, &end, 0);
	if (end == value || *end != '\0')
		return 1; /* a name */
	if (errno != 0 || value[0] == '-' || number > most)
		return refuse(why, "the value of %s must be 0 to %llu", da->name, most);
	return 1;
}

/* FreeRADIUS cuts a value that is too long; an administrator is told instead. */
static size_t check_length(const VALUE_PAIR *vp, char why[256])
{
	size_t most = 253;
	if (vp->da->type != PW_TYPE_STRING && vp->da->type != PW_TYPE_OCTETS)
		return 1;
	if (vp->vp_length == 0)
		return refuse(why, "%s has an empty value", vp->da->name);
	if (vp->da->flags.long_extended)
		return 1;
	if (vp->da->vendor != 0)
		most -= 6;
	if (vp->da->flags.has_tag && TAG_VALID(vp->tag))
		most -= 1;
	if (vp->vp_length > most)
		return refuse(why, "the value of %s has %zu octet%s; %zu fit", vp->da->name,
			      vp->vp_length, text_plural(vp->vp_length), most);
	return 1;
}

static size_t encode_pair(VALUE_PAIR *vp, uint8_t *out, size_t capacity, char why[256])
{
	/* Encoding wants a packet to refer to, and reads nothing of it but for what check_attribute
	 * refuses. */
	RADIUS_PACKET packet = {.code = RG_ACCESS_ACCEPT, .sockfd = -1};
	const VALUE_PAIR *next = vp;
	struct rg_buffer buffer = buffer_over(out, capacity);
	while (next) {
		uint8_t octets[RG_RADIUS_MOST];
		int length = rad_vp2attr(&packet, NULL, "", &next, octets, sizeof(octets));
		if (length < 0)
			return refuse(why, "%.250s", fr_strerror());
		buffer_put(&buffer, span_of(octets, (size_t)length));
	}
	if (buffer.failed)
		return refuse(why, "does not fit");
	if (buffer.length == 0)
		return refuse(why, "%s cannot be encoded", vp->da->name);
	return buffer.length;
}

size_t dictionary_encode(const char *text, uint8_t *out, size_t capacity, char why[256])
{
	VALUE_PAIR_RAW raw;
	char name[sizeof(raw.l_opand)];
	size_t length = 0;
	why[0] = '\0';
	if (dictionary != OPEN)
		return refuse(why, "the dictionaries are not loaded");
	if (read_pair(text, &raw, why) == 0)
		return 0;
	bare_name(name, sizeof(name), raw.l_opand);
	const DICT_ATTR *da = dict_attrbyname(name);
	if (!da)
		return refuse_unknown(why, name);
	if (check_attribute(da, why) == 0 || check_tag(da, raw.l_opand, why) == 0 ||
	    check_number(da, raw.r_opand, why) == 0)
		return 0;
	/* libfreeradius does not look whether it has what it asked for. */
	if (!memory_is_there(PAIR_ROOM))
		return refuse(why, "no memory");
	TALLOC_CTX *context = talloc_new(NULL);
	VALUE_PAIR *vp = fr_pair_make(context, NULL, raw.l_opand, raw.r_opand, T_OP_EQ);
	if (!vp)
		refuse(why, "%.250s", fr_strerror());
	else if (check_length(vp, why) != 0)
		length = encode_pair(vp, out, capacity, why);
	talloc_free(context);
	return length;
}

static void print_pair(TALLOC_CTX *context, const VALUE_PAIR *vp,
		       void (*each)(void *context, const char *name, const char *value),
		       void *caller)
{
	char name[DICT_ATTR_MAX_NAME_LEN + 8];
	char *value = NULL;
	const uint8_t *octets;
	if (vp->da->flags.has_tag)
		snprintf(name, sizeof(name), "%s:%d", vp->da->name,
			 TAG_VALID(vp->tag) ? vp->tag : 0);
	else
		snprintf(name, sizeof(name), "%s", vp->da->name);
	if (vp->da->type == PW_TYPE_STRING && vp->da->flags.encrypt == FLAG_ENCRYPT_NONE) {
		size_t capacity = 4 * vp->vp_length + 1;
		value = talloc_array(context, char, capacity);
		if (value)
			text_escape(value, capacity, span_of(vp->vp_strvalue, vp->vp_length));
	} else if (vp->da->flags.encrypt != FLAG_ENCRYPT_NONE) {
		ssize_t length = rad_vp2data(&octets, vp);
		value = length < 0 ? NULL : talloc_array(context, char, 2 * (size_t)length + 3);
		if (value) {
			memcpy(value, "0x", 3);
			text_hex(value + 2, span_of(octets, (size_t)length));
		}
	} else {
		value = vp_aprints_value(context, vp, '\0');
	}
	each(caller, name, value ? value : "");
}

/* libfreeradius 3.2.1 joins NAS-Filter-Rules (RFC 4849) and reads past the packet's end where their
 * text has a NUL at the wrong place: they are not shown to it. False: the next attribute is none. */
static bool print_filter_rule(TALLOC_CTX *context, struct rg_cursor *cursor,
			      void (*each)(void *context, const char *name, const char *value),
			      void *caller)
{
	struct rg_cursor ahead = *cursor;
	if (cursor_u8(&ahead) != RG_NAS_FILTER_RULE)
		return false;
	uint8_t length = cursor_u8(&ahead);
	struct rg_span text = cursor_take(&ahead, length - 2u);
	char *value = talloc_array(context, char, 4 * text.length + 1);
	if (value)
		text_escape(value, 4 * text.length + 1, text);
	each(caller, "NAS-Filter-Rule", value ? value : "");
	*cursor = ahead;
	return true;
}

void dictionary_print(const struct rg_packet *packet,
		      void (*each)(void *context, const char *name, const char *value),
		      void *caller)
{
	RADIUS_PACKET outer = {.code = packet->code, .sockfd = -1};
	TALLOC_CTX *context = talloc_new(NULL);
	struct rg_cursor cursor = cursor_over(span_of(packet->data, packet->length));
	if (dictionary != OPEN || !context)
		goto out;
	cursor_take(&cursor, RG_RADIUS_HEADER);
	while (cursor_left(&cursor) != 0) {
		VALUE_PAIR *pairs = NULL;
		if (print_filter_rule(context, &cursor, each, caller))
			continue;
		ssize_t used = rad_attr2vp(context, &outer, NULL, NULL, cursor.at,
					   cursor_left(&cursor), &pairs);
		if (used <= 0)
			break;
		for (const VALUE_PAIR *vp = pairs; vp; vp = vp->next)
			print_pair(context, vp, each, caller);
		cursor_take(&cursor, (size_t)used);
	}
out:
	talloc_free(context);
}

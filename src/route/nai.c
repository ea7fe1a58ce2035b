#include "route/nai.h"

#include "core/text.h"

#define NAME_MOST 253 /* what a User-Name carries (RFC 7542 §2.3) */
#define LABEL_MOST 63

static struct rg_span span_from(struct rg_span span, size_t offset)
{
	return span_of(span.data + offset, span.length - offset);
}

/* One UTF-8 character, its code point in *point; false: not well formed (RFC 3629). */
static bool character_take(struct rg_cursor *cursor, uint32_t *point)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t first = cursor_u8(cursor);
	size_t length = first < 0x80		 ? 1
			: (first & 0xe0) == 0xc0 ? 2
			: (first & 0xf0) == 0xe0 ? 3
			: (first & 0xf8) == 0xf0 ? 4
						 : 0;
	if (length == 0)
		return false;
	*point = length == 1 ? first : first & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		uint8_t next = cursor_u8(cursor);
		if ((next & 0xc0) != 0x80)
			return false;
		*point = *point << 6 | (next & 0x3f);
	}
	return *point >= least[length] && *point <= 0x10ffff &&
	       !(*point >= 0xd800 && *point <= 0xdfff);
}

static bool is_space(uint32_t point)
{
	return point <= 0x20 || (point >= 0x7f && point <= 0xa0) || point == 0x1680 ||
	       (point >= 0x2000 && point <= 0x200a) || point == 0x2028 || point == 0x2029 ||
	       point == 0x202f || point == 0x205f || point == 0x3000;
}

static enum rg_nai_fault check_characters(struct rg_span name)
{
	bool space = false;
	for (struct rg_cursor cursor = cursor_over(name); cursor_left(&cursor) != 0;) {
		uint32_t point;
		if (!character_take(&cursor, &point) || point == 0)
			return RG_NAI_ENCODING;
		space = space || is_space(point);
	}
	return space ? RG_NAI_SPACE : RG_NAI_OK;
}

/* Characters of RFC 7542 §2.2's label: letters, digits, hyphens inside, and anything beyond ASCII. */
static bool label_is_good(struct rg_span label)
{
	if (label.length == 0 || label.length > LABEL_MOST || label.data[0] == '-' ||
	    label.data[label.length - 1] == '-')
		return false;
	for (size_t i = 0; i < label.length; i++) {
		uint8_t c = label.data[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    c != '-' && c < 0x80)
			return false;
	}
	return true;
}

static bool has_double_dot(struct rg_span text)
{
	for (size_t i = 1; i < text.length; i++)
		if (text.data[i] == '.' && text.data[i - 1] == '.')
			return true;
	return false;
}

enum rg_nai_fault realm_check(struct rg_span realm)
{
	if (realm.length == 0)
		return RG_NAI_NO_REALM;
	if (realm.data[0] == '.' || realm.data[realm.length - 1] == '.' || has_double_dot(realm))
		return RG_NAI_DOTS;
	bool dot_seen = memchr(realm.data, '.', realm.length);
	if (realm.length > NAME_MOST)
		return RG_NAI_LABEL;
	while (realm.length != 0) {
		const uint8_t *dot = memchr(realm.data, '.', realm.length);
		size_t length = dot ? (size_t)(dot - realm.data) : realm.length;
		if (!label_is_good(span_of(realm.data, length)))
			return RG_NAI_LABEL;
		realm = span_from(realm, dot ? length + 1 : length);
	}
	return dot_seen ? RG_NAI_OK : RG_NAI_NO_DOT;
}

/* "host/laptop7.beuningen.nl", as Windows names a machine. */
static bool machine_parse(struct rg_nai *nai, struct rg_span name)
{
	if (name.length < 5 || !text_equal_nocase(span_of(name.data, 5), span_text("host/")))
		return false;
	nai->machine = true;
	nai->realm = span_from(name, 5);
	const uint8_t *dot = nai->realm.length ? memchr(nai->realm.data, '.', nai->realm.length) : NULL;
	nai->user = span_of(nai->realm.data,
			    dot ? (size_t)(dot - nai->realm.data) : nai->realm.length);
	return true;
}

/* Splits at the last '@'; false: there is none. */
static bool name_split(struct rg_nai *nai, struct rg_span name, bool *two)
{
	size_t ats = 0;
	for (size_t i = 0; i < name.length; i++)
		if (name.data[i] == '@') {
			ats++;
			nai->user = span_of(name.data, i);
			nai->realm = span_from(name, i + 1);
		}
	*two = ats > 1;
	return ats != 0;
}

enum rg_nai_fault nai_parse(struct rg_nai *nai, struct rg_span name)
{
	bool two = false;
	*nai = (struct rg_nai){.user = name};
	bool split = name_split(nai, name, &two);
	if (!split)
		machine_parse(nai, name);

	enum rg_nai_fault fault = check_characters(name);
	if (fault != RG_NAI_OK)
		return fault;
	if (two)
		return RG_NAI_TWO_AT;
	if (name.length != 0 && memchr(name.data, '\\', name.length))
		return RG_NAI_DOMAIN_USER;
	if (!split && !nai->machine)
		return RG_NAI_NO_REALM;
	if (nai->realm.length != 0 && has_double_dot(name))
		return RG_NAI_DOTS;
	fault = realm_check(nai->realm);
	if (fault == RG_NAI_OK && name.length > NAME_MOST)
		return RG_NAI_LABEL;
	return fault;
}

const char *nai_fault_text(enum rg_nai_fault fault)
{
	switch (fault) {
	case RG_NAI_OK:
		return "well formed";
	case RG_NAI_NO_REALM:
		return "no realm in the name";
	case RG_NAI_TWO_AT:
		return "more than one @ in the name";
	case RG_NAI_SPACE:
		return "white space or a control character in the name";
	case RG_NAI_DOTS:
		return "two dots together, or a dot at the realm's begin or end";
	case RG_NAI_NO_DOT:
		return "a realm without a dot";
	case RG_NAI_LABEL:
		return "a realm with a character or length that no realm has";
	case RG_NAI_DOMAIN_USER:
		return "a name of the form DOMAIN\\user";
	case RG_NAI_ENCODING:
		return "a name that is no UTF-8, or holds a NUL";
	}
	return "";
}

#include "directory/filter.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "directory/assertion.h"

static const struct name {
	const char *word;
	unsigned bit;
} names[] = {
	{"%{identity}", RG_NAMES_IDENTITY},
	{"%{user}", RG_NAMES_USER},
	{"%{realm}", RG_NAMES_REALM},
	{"%{host}", RG_NAMES_HOST},
	{"%{dn}", RG_NAMES_DN},
	{"%{filetime}", RG_NAMES_FILETIME},
};
#define NAME_COUNT (sizeof(names) / sizeof(names[0]))

static const struct name *name_at(const char *text)
{
	for (size_t i = 0; i < NAME_COUNT; i++)
		if (strncmp(text, names[i].word, strlen(names[i].word)) == 0)
			return &names[i];
	return NULL;
}

/* FILETIME ([MS-DTYP] 2.3.3): units of 100 ns since the first day of 1601. */
#define FILETIME_EPOCH UINT64_C(116444736000000000)

/* room holds what is made up here. */
static struct rg_span name_value(const struct rg_filter_names *values, unsigned bit, char room[24])
{
	switch (bit) {
	case RG_NAMES_IDENTITY:
		return values->identity;
	case RG_NAMES_USER:
		return values->user;
	case RG_NAMES_REALM:
		return values->realm;
	case RG_NAMES_HOST:
		return values->host;
	case RG_NAMES_FILETIME:
		snprintf(room, 24, "%" PRIu64, FILETIME_EPOCH + values->wall_ns / 100);
		return span_text(room);
	default:
		return values->dn;
	}
}

struct rg_filter_names filter_names(const struct rg_question *question, const char *dn)
{
	return (struct rg_filter_names){
		.identity = span_text(question->identity),
		.user = span_text(question->user),
		.realm = span_text(question->realm),
		.host = span_text(question->host),
		.dn = span_text(dn),
		.wall_ns = clock_wall(),
	};
}

void filter_escape(struct rg_buffer *out, struct rg_span value)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < value.length; i++) {
		uint8_t octet = value.data[i];
		/* RFC 4515 §3 demands it of NUL ( ) * \ and allows it of any octet. */
		if (octet > ' ' && octet < 0x7f && !strchr("()*\\", octet)) {
			buffer_u8(out, octet);
			continue;
		}
		buffer_u8(out, '\\');
		buffer_u8(out, (uint8_t)digits[octet >> 4]);
		buffer_u8(out, (uint8_t)digits[octet & 15]);
	}
}

bool filter_expand(struct rg_buffer *out, const char *template,
		   const struct rg_filter_names *values)
{
	char before = 0, room[24];
	for (const char *at = template; *at;) {
		const struct name *name = *at == '%' ? name_at(at) : NULL;
		if (!name) {
			before = *at++;
			buffer_u8(out, (uint8_t)before);
			continue;
		}
		at += strlen(name->word);
		struct rg_span value = name_value(values, name->bit, room);
		if (value.length > RG_FILTER_VALUE_MOST)
			return false;
		if (value.length == 0 && (before == '*' || *at == '*'))
			return false;
		filter_escape(out, value);
		before = 0;
	}
	buffer_u8(out, 0);
	return !out->failed;
}

bool filter_check(const char *template, unsigned allowed, unsigned *used, char why[160])
{
	unsigned seen = 0;
	for (const char *at = strstr(template, "%{"); at; at = strstr(at + 2, "%{")) {
		const struct name *name = name_at(at);
		if (!name || !(name->bit & allowed)) {
			const char *end = strchr(at, '}');
			int length = end && end - at < 40 ? (int)(end - at) + 1 : 2;
			snprintf(why, 160, "%.*s is no name that can stand here", length, at);
			return false;
		}
		seen |= name->bit;
	}
	if (used)
		*used = seen;
	char example[8192];
	struct rg_buffer out = buffer_over(example, sizeof(example));
	struct rg_span x = span_text("x");
	const struct rg_filter_names any = {x, x, x, x, x, 0};
	if (!filter_expand(&out, template, &any)) {
		snprintf(why, 160, "it is too long");
		return false;
	}
	struct rg_filter *filter = filter_parse(example, why);
	bool good = filter;
	filter_free(&filter);
	return good;
}

/* Where text begins with "=%{dn})" and a plain attribute stands before it. */
static bool chain_fits(const char *template, const char *at)
{
	return strncmp(at, "=%{dn})", 7) == 0 && at > template && !strchr(":<>~(*", at[-1]);
}

char *filter_nested(const char *template)
{
	static const char rule[] = ":" RG_RULE_IN_CHAIN ":";
	size_t count = 0;
	for (const char *at = template; *at; at++)
		count += chain_fits(template, at);
	char *text = malloc(strlen(template) + count * (sizeof(rule) - 1) + 1);
	if (!text)
		return NULL;
	char *to = text;
	for (const char *at = template; *at; at++) {
		if (chain_fits(template, at))
			to = stpcpy(to, rule);
		*to++ = *at;
	}
	*to = 0;
	return text;
}

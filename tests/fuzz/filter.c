/* A name that a certificate or a laptop gives, in a directory's filter: whatever it is, it stays
 * one literal, to us and to libldap. And a filter that an administrator wrote. */
#include "fuzz.h"

#include <ldap.h>

#include "directory/assertion.h"
#include "directory/filter.h"

/* The shape of this one: an OR of two equalities, the second beside a NOT. */
#define TEMPLATE "(|(mail=%{identity})(&(uid=%{user})(!(host=*%{host}*))))"

static const struct rg_assertion *operand(const struct rg_assertion *of,
					  enum rg_assertion_kind kind)
{
	MUST(of && of->kind == kind);
	return of->first;
}

static void one_literal(struct rg_span name)
{
	static char text[RG_FILTER_MOST];
	struct rg_buffer out = buffer_over(text, sizeof(text));
	const struct rg_filter_names names = {
		.identity = name, .user = name, .realm = name, .host = name, .dn = name};
	char why[160];
	if (!filter_expand(&out, TEMPLATE, &names)) {
		MUST(name.length == 0 || name.length > RG_FILTER_VALUE_MOST);
		return;
	}
	for (size_t i = 0; i + 1 < out.length; i++)
		MUST(text[i] > ' ' && text[i] < 0x7f);
	struct rg_filter *filter = filter_parse(text, why);
	MUST(filter);
	const struct rg_assertion *mail = operand(filter->root, RG_ASSERT_OR);
	MUST(mail->kind == RG_ASSERT_EQUAL && span_equal(mail->value, name));
	MUST(mail->next && !mail->next->next);
	const struct rg_assertion *uid = operand(mail->next, RG_ASSERT_AND);
	MUST(uid->kind == RG_ASSERT_EQUAL && span_equal(uid->value, name));
	MUST(uid->next && !uid->next->next);
	const struct rg_assertion *host = operand(uid->next, RG_ASSERT_NOT);
	MUST(host->kind == RG_ASSERT_SUBSTRING && !host->next && host->part_count == 3);
	MUST(span_equal(host->parts[1], name));
	filter_free(&filter);
}

/* Of libldap, which its search functions use and no header of its shows. */
int ldap_pvt_put_filter(BerElement *, const char *filter);

/* BER's contents; the tag must be that one. */
static struct rg_span ber_take(struct rg_cursor *cursor, uint8_t tag)
{
	MUST(cursor_u8(cursor) == tag);
	size_t length = cursor_u8(cursor);
	if (length & 0x80) {
		size_t octets = length & 0x7f;
		for (length = 0; octets > 0; octets--)
			length = length << 8 | cursor_u8(cursor);
	}
	struct rg_span contents = cursor_take(cursor, length);
	MUST(!cursor->failed);
	return contents;
}

/* What libldap would send: one equalityMatch (RFC 4511 §4.5.1.7), of that value. */
static void one_assertion(struct rg_span name)
{
	static char text[RG_FILTER_MOST];
	struct rg_buffer out = buffer_over(text, sizeof(text));
	const struct rg_filter_names names = {.identity = name};
	struct berval sent;
	if (!filter_expand(&out, "(mail=%{identity})", &names))
		return;
	BerElement *ber = ber_alloc_t(LBER_USE_DER);
	MUST(ber && ldap_pvt_put_filter(ber, text) == 0 && ber_flatten2(ber, &sent, 0) == 0);
	struct rg_cursor whole = cursor_over(span_of(sent.bv_val, sent.bv_len));
	struct rg_cursor match = cursor_over(ber_take(&whole, 0xa3));
	MUST(cursor_left(&whole) == 0);
	MUST(span_equal(ber_take(&match, 0x04), span_text("mail")));
	MUST(span_equal(ber_take(&match, 0x04), name));
	MUST(cursor_left(&match) == 0);
	ber_free(ber, 1);
}

static void any_filter(struct rg_span text)
{
	char why[160] = "";
	char *copy = malloc(text.length + 1);
	MUST(copy);
	if (text.length != 0)
		memcpy(copy, text.data, text.length);
	copy[text.length] = '\0';
	struct rg_filter *filter = filter_parse(copy, why);
	MUST(filter || why[0]);
	filter_free(&filter);
	filter_check(copy, RG_NAMES_IDENTITY | RG_NAMES_USER, NULL, why);
	char *nested = filter_nested(copy);
	free(nested);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 6000)
		return 0;
	one_literal(span_of(data, size));
	one_assertion(span_of(data, size));
	any_filter(span_of(data, size));
	return 0;
}

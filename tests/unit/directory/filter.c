#include "directory/filter.h"

#include <lber.h>
#include <ldap.h>
#include <stdio.h>
#include <stdlib.h>

#include "directory/assertion.h"
#include "directory/dn.h"
#include "directory/group.h"
#include "support.h"

static char expanded[RG_FILTER_MOST];

/* The template with that identity and user; NULL: refused. */
static const char *expand(const char *template, struct rg_span name)
{
	struct rg_buffer out = buffer_over(expanded, sizeof(expanded));
	struct rg_filter_names names = {.identity = name, .user = name, .dn = name};
	return filter_expand(&out, template, &names) ? expanded : NULL;
}

/* The text is one assertion of uid with exactly that value, to our parser. */
static void is_one_literal(const char *text, struct rg_span value)
{
	char why[160];
	struct rg_filter *filter = filter_parse(text, why);
	assert_non_null(filter);
	assert_int_equal(filter->node_count, 1);
	assert_int_equal(filter->root->kind, RG_ASSERT_EQUAL);
	assert_string_equal(filter->root->attribute, "uid");
	assert_true(span_equal(filter->root->value, value));
	filter_free(&filter);
}

/* … and to libldap, which encodes it for the wire. */
static void is_one_literal_to_libldap(const char *text, struct rg_span value)
{
	char *list = malloc(strlen(text) + 3);
	BerElement *ber = ber_alloc_t(LBER_USE_DER), *reader;
	struct berval *octets = NULL, attribute, asserted;
	sprintf(list, "(%s)", text);
	assert_int_equal(ldap_put_vrFilter(ber, list), 0);
	assert_int_equal(ber_flatten(ber, &octets), 0);
	reader = ber_init(octets);
	ber_len_t length;
	assert_int_equal(ber_skip_tag(reader, &length), 0x30);
	assert_int_equal(ber_skip_tag(reader, &length), LDAP_FILTER_EQUALITY);
	assert_int_not_equal(ber_scanf(reader, "mm", &attribute, &asserted), LBER_ERROR);
	assert_true(span_equal(span_of(attribute.bv_val, attribute.bv_len), span_text("uid")));
	assert_true(span_equal(span_of(asserted.bv_val, asserted.bv_len), value));
	assert_int_equal(ber_skip_tag(reader, &length), LBER_DEFAULT);
	ber_free(reader, 1);
	ber_bvfree(octets);
	ber_free(ber, 1);
	free(list);
}

static void one_literal(struct rg_span value)
{
	const char *text = expand("(uid=%{user})", value);
	assert_non_null(text);
	is_one_literal(text, value);
	is_one_literal_to_libldap(text, value);
}

static void L1_hostile_names(void **state)
{
	(void)state;
	static const char *const names[] = {
		"*)(uid=*",   "*",       "(",     ")",   "\\",           "\\2a",       "\\\\",
		"a)(|(uid=*", "%{user}", " jan ", "a b", "\x7f\x80\xff", "\r\n\t\x1b", "j\xc3\xa9",
		"&",          "|(",      "!",     "=",   ":=",           "<=",         "~",
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		one_literal(span_text(names[i]));
	one_literal(span_of("a\0b", 3));
	one_literal(span_of("\0", 1));
	uint8_t all[256];
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (uint8_t)i;
	one_literal(span_of(all, sizeof(all)));
}

static void L1_names_of_4_KB(void **state)
{
	(void)state;
	uint8_t name[RG_FILTER_VALUE_MOST + 1];
	memset(name, '*', sizeof(name));
	one_literal(span_of(name, RG_FILTER_VALUE_MOST));
	assert_null(expand("(uid=%{user})", span_of(name, sizeof(name))));
	/* Six of them, each octet three, do not fit. */
	assert_null(expand("(|(a=%{user})(b=%{user})(c=%{user})(d=%{user})(e=%{user})(f=%{user}))",
			   span_of(name, RG_FILTER_VALUE_MOST)));
}

static void L1_empty_name_is_no_wildcard(void **state)
{
	(void)state;
	assert_null(expand("(uid=%{user}*)", span_text("")));
	assert_null(expand("(uid=*%{user})", span_text("")));
	assert_string_equal(expand("(uid=%{user}*)", span_text("j")), "(uid=j*)");
	assert_string_equal(expand("(uid=%{user})", span_text("")), "(uid=)");
}

static void templates_are_checked(void **state)
{
	(void)state;
	static const char *const broken[] = {
		"",
		"uid=%{user}",
		"(uid=%{user}",
		"(uid=%{user}))",
		"(uid=%{usr})",
		"(uid=%{user)",
		"(&(uid=%{user})",
		"(!(a=b)(c=d))",
		"(=%{user})",
		"(uid)",
		"(uid=\\zz)",
		"(uid=\\2)",
		"(a=b)(c=d)",
		"(a:dn:=%{user}",
		"(:=x)",
		"(a:1.2:=x*)",
		"(uid=a(b)",
		"(u id=x)",
		"(|(uid=%{dn}))",
	};
	const unsigned names = RG_NAMES_IDENTITY | RG_NAMES_USER;
	char why[160];
	unsigned used;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		why[0] = 0;
		assert_false(filter_check(broken[i], names, &used, why));
		assert_int_not_equal(strlen(why), 0);
	}
	assert_true(filter_check("(|(mail=%{identity})(uid=%{user}))", names, &used, why));
	assert_int_equal(used, names);
	assert_true(filter_check("(&(objectClass=*)(!(a~=b))(c>=%{user})(d<=2)(e:dn:2.5.13.2:=f))",
				 names, &used, why));
	assert_true(filter_check("( & (a=b) (|(c=d)(e=*f*)) )", names, NULL, why));
	char deep[256] = "";
	for (int i = 0; i < 40; i++)
		strcat(deep, "(!");
	assert_false(filter_check(deep, names, NULL, why));
	assert_non_null(strstr(why, "deep"));
}

static void nested_templates(void **state)
{
	(void)state;
	static const char *const pairs[][2] = {
		{"(member=%{dn})", "(member:" RG_RULE_IN_CHAIN ":=%{dn})"},
		{"(&(a=b)(member=%{dn})(owner=%{dn}))",
		 "(&(a=b)(member:" RG_RULE_IN_CHAIN ":=%{dn})(owner:" RG_RULE_IN_CHAIN ":=%{dn}))"},
		{"(member:1.2:=%{dn})", "(member:1.2:=%{dn})"},
		{"(uid=%{user})", "(uid=%{user})"},
		{"(a=%{dn}*)", "(a=%{dn}*)"},
	};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		char *nested = filter_nested(pairs[i][0]);
		assert_string_equal(nested, pairs[i][1]);
		free(nested);
	}
}

static void names_are_equal(void **state)
{
	(void)state;
	assert_true(dn_equal("cn=ICT,ou=Groups,dc=b,dc=nl", "CN=ict , OU=groups, DC=B,dc=nl"));
	assert_true(dn_equal("cn=a+uid=b,dc=nl", "UID=B+cn=A,dc=nl"));
	assert_true(dn_equal("cn=a\\,b,dc=nl", "cn=a\\2cb,dc=nl"));
	assert_true(dn_equal("cn=a  b,dc=nl", "cn=a b,dc=nl"));
	assert_false(dn_equal("cn=a\\,dc=b,dc=nl", "cn=a,dc=b,dc=nl"));
	assert_false(dn_equal("cn=ict,dc=nl", "cn=ict,dc=nl,dc=nl"));
	assert_false(dn_equal("no name", "no name"));
	assert_true(dn_within("uid=a,ou=b,dc=c", "dc=c"));
	assert_true(dn_within("dc=c", "dc=c"));
	assert_false(dn_within("dc=xdc=c", "dc=c"));
	assert_false(dn_within("dc=c", "uid=a,dc=c"));
}

static void groups_are_marked(void **state)
{
	(void)state;
	static const char *const groups[] = {"cn=ict,dc=nl", "Staff", "cn=none,dc=nl"};
	bool member[3] = {true, true, true};
	struct rg_question question = {.groups = groups, .group_count = 3, .member = member};
	struct rg_group_match match;
	assert_true(groups_prepare(&match, &question));
	assert_false(member[0] || member[1] || member[2]);
	groups_mark(&match, span_text("CN=ICT, DC=NL"));
	groups_mark(&match, span_text("staff"));
	groups_mark(&match, span_of("cn=none,dc=nl\0", 14));
	assert_true(member[0] && member[1] && !member[2]);
	groups_mark_name(&match, span_text("ict"));
	assert_false(member[2]);
	groups_free(&match);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(L1_hostile_names),
		cmocka_unit_test(L1_names_of_4_KB),
		cmocka_unit_test(L1_empty_name_is_no_wildcard),
		cmocka_unit_test(templates_are_checked),
		cmocka_unit_test(nested_templates),
		cmocka_unit_test(names_are_equal),
		cmocka_unit_test(groups_are_marked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

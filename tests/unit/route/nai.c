/* Names as they come from laptops, and those that are never sent on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "route/nai.h"

static void good(const char *name, const char *user, const char *realm, bool machine)
{
	struct rg_nai nai;
	enum rg_nai_fault fault = nai_parse(&nai, span_text(name));
	if (fault != RG_NAI_OK)
		fprintf(stderr, "%s: %s\n", name, nai_fault_text(fault));
	assert_int_equal(fault, RG_NAI_OK);
	assert_true(span_equal(nai.user, span_text(user)));
	assert_true(span_equal(nai.realm, span_text(realm)));
	assert_int_equal(nai.machine, machine);
}

static void names_of_people(void **state)
{
	(void)state;
	good("j.jansen@beuningen.nl", "j.jansen", "beuningen.nl", false);
	good("@beuningen.nl", "", "beuningen.nl", false);
	good("anonymous@sub.Beuningen.NL", "anonymous", "sub.Beuningen.NL", false);
	good("cat-connectivity-test@realm.example", "cat-connectivity-test", "realm.example", false);
	good("jos\xc3\xa9@beuningen.nl", "jos\xc3\xa9", "beuningen.nl", false);
	good("\xe2\x82\xac\xf0\x9f\x98\x80@beuningen.nl", "\xe2\x82\xac\xf0\x9f\x98\x80", "beuningen.nl",
	     false);
	good("a!#$%&'*+-/=?^_`{|}~@x.nl", "a!#$%&'*+-/=?^_`{|}~", "x.nl", false);
	good("x@wlan.mnc001.mcc204.3gppnetwork.org", "x", "wlan.mnc001.mcc204.3gppnetwork.org", false);
	good("x@b\xc3\xbc" "cher.example", "x", "b\xc3\xbc" "cher.example", false);
	good("x@1.2", "x", "1.2", false);
}

static void names_of_machines(void **state)
{
	(void)state;
	good("host/laptop7.beuningen.nl", "laptop7", "laptop7.beuningen.nl", true);
	good("HOST/laptop7.beuningen.nl", "laptop7", "laptop7.beuningen.nl", true);
	good("host/a@beuningen.nl", "host/a", "beuningen.nl", false);
}

static void bad_octets(const void *name, size_t length, enum rg_nai_fault fault)
{
	struct rg_nai nai;
	enum rg_nai_fault got = nai_parse(&nai, span_of(name, length));
	if (got != fault)
		fprintf(stderr, "%.*s: %s\n", (int)length, (const char *)name, nai_fault_text(got));
	assert_int_equal(got, fault);
	assert_true(strlen(nai_fault_text(got)) > 5);
}

static void bad(const char *name, enum rg_nai_fault fault)
{
	bad_octets(name, strlen(name), fault);
}

static void malformed_names(void **state)
{
	(void)state;
	bad("", RG_NAI_NO_REALM);
	bad("jan", RG_NAI_NO_REALM);
	bad("jan@", RG_NAI_NO_REALM);
	bad("@", RG_NAI_NO_REALM);
	bad("host/", RG_NAI_NO_REALM);
	bad("host", RG_NAI_NO_REALM);
	bad("jan@a.nl@b.nl", RG_NAI_TWO_AT);
	bad("jan@@b.nl", RG_NAI_TWO_AT);
	bad("jan jansen@b.nl", RG_NAI_SPACE);
	bad("jan@b.nl ", RG_NAI_SPACE);
	bad(" jan@b.nl", RG_NAI_SPACE);
	bad("jan@b .nl", RG_NAI_SPACE);
	bad("jan@b.nl\t", RG_NAI_SPACE);
	bad("jan\r\n@b.nl", RG_NAI_SPACE);
	bad("jan\x1b[0m@b.nl", RG_NAI_SPACE);
	bad("jan\x7f@b.nl", RG_NAI_SPACE);
	bad("jan\xc2\xa0@b.nl", RG_NAI_SPACE);
	bad("jan\xe3\x80\x80@b.nl", RG_NAI_SPACE);
	bad("jan@b..nl", RG_NAI_DOTS);
	bad("jan..j@b.nl", RG_NAI_DOTS);
	bad("jan@.b.nl", RG_NAI_DOTS);
	bad("jan@b.nl.", RG_NAI_DOTS);
	bad("jan@.", RG_NAI_DOTS);
	bad("host/.b.nl", RG_NAI_DOTS);
	bad("jan@beuningen", RG_NAI_NO_DOT);
	bad("host/laptop7", RG_NAI_NO_DOT);
	bad("GEMEENTE\\jan", RG_NAI_DOMAIN_USER);
	bad("GEMEENTE\\jan@b.nl", RG_NAI_DOMAIN_USER);
	bad("jan@b_c.nl", RG_NAI_LABEL);
	bad("jan@-b.nl", RG_NAI_LABEL);
	bad("jan@b-.nl", RG_NAI_LABEL);
	bad("jan@b/c.nl", RG_NAI_LABEL);
	bad("host/a/b.nl", RG_NAI_LABEL);
}

static void O6_octets_that_are_no_text(void **state)
{
	(void)state;
	bad_octets("jan\0@b.nl", 9, RG_NAI_ENCODING);
	bad_octets("jan@b.nl\0", 9, RG_NAI_ENCODING);
	bad("jan\xff@b.nl", RG_NAI_ENCODING);
	bad("jan\xc3@b.nl", RG_NAI_ENCODING);
	bad("jan\xc0\xaf@b.nl", RG_NAI_ENCODING);
	bad("jan\xed\xa0\x80@b.nl", RG_NAI_ENCODING);
	bad("jan\xf4\x90\x80\x80@b.nl", RG_NAI_ENCODING);
	bad("jan@b.nl\xe2\x82", RG_NAI_ENCODING);
}

static void L1_long_names(void **state)
{
	(void)state;
	char name[4200];
	memset(name, 'a', sizeof(name));
	memcpy(name + 253 - 5, "@b.nl", 5);
	struct rg_nai nai;
	assert_int_equal(nai_parse(&nai, span_of(name, 253)), RG_NAI_OK);
	memset(name, 'a', sizeof(name));
	memcpy(name + 254 - 5, "@b.nl", 5);
	bad_octets(name, 254, RG_NAI_LABEL);
	memset(name, 'a', sizeof(name));
	memcpy(name + 4000, "@b.nl", 5);
	bad_octets(name, 4005, RG_NAI_LABEL);
	memset(name, 'a', sizeof(name));
	name[0] = '@';
	memcpy(name + 64, ".nl", 3);
	assert_int_equal(nai_parse(&nai, span_of(name, 67)), RG_NAI_OK);
	memset(name + 1, 'a', 64);
	memcpy(name + 65, ".nl", 3);
	bad_octets(name, 68, RG_NAI_LABEL);
}

static void the_realm_is_told_though_the_name_is_bad(void **state)
{
	(void)state;
	struct rg_nai nai;
	assert_int_equal(nai_parse(&nai, span_text("jan jansen@b.nl")), RG_NAI_SPACE);
	assert_true(span_equal(nai.realm, span_text("b.nl")));
	assert_int_equal(nai_parse(&nai, span_text("GEMEENTE\\jan@b.nl")), RG_NAI_DOMAIN_USER);
	assert_true(span_equal(nai.realm, span_text("b.nl")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_people),
		cmocka_unit_test(names_of_machines),
		cmocka_unit_test(malformed_names),
		cmocka_unit_test(O6_octets_that_are_no_text),
		cmocka_unit_test(L1_long_names),
		cmocka_unit_test(the_realm_is_told_though_the_name_is_bad),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

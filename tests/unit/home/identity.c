#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "home/identity.h"

static const char *const names[] = {"beuningen.nl", "*.beuningen.nl"};
static const char *const bare_names[] = {"druten.nl"};

static const struct rg_realm beuningen = {.names = {names, 2}, .name = "beuningen.nl"};
static const struct rg_realm druten = {.names = {bare_names, 1}, .name = "druten.nl"};
static const struct rg_realm careless = {
	.names = {names, 2}, .name = "beuningen.nl", .eap.outer_identity = RG_OUTER_ANY};

static struct rg_identity identity;
static char detail[160];

static enum rg_reason settle(const struct rg_realm *realm, const char *name, const char *outer)
{
	const struct rg_proof proof = {.identity = name, .kind = RG_NAME_SAN_UPN};
	memset(&identity, 0, sizeof(identity));
	memset(detail, 0, sizeof(detail));
	return identity_settle(&identity, realm, &proof, outer, detail);
}

static void expect(const char *name, const char *user, const char *realm, const char *host)
{
	assert_string_equal(identity.identity, name);
	assert_string_equal(identity.user, user);
	assert_string_equal(identity.realm, realm);
	assert_string_equal(identity.host, host);
}

static void outer_that_goes_with_the_certificate(void **state)
{
	static const char *const outers[] = {
		"jan@beuningen.nl",	      "Jan@Beuningen.NL",      "@beuningen.nl",
		"anonymous@beuningen.nl",     "anon@beuningen.nl",     "ANONYMOUS-7@beuningen.nl",
		"anonymous@ict.beuningen.nl",
	};
	for (size_t i = 0; i < sizeof(outers) / sizeof(outers[0]); i++) {
		if (settle(&beuningen, "jan@beuningen.nl", outers[i]) != RG_REASON_NONE)
			fail_msg("%s: %s", outers[i], detail);
		expect("jan@beuningen.nl", "jan", "beuningen.nl", "");
	}
	(void)state;
}

static void outer_that_does_not(void **state)
{
	static const char *const outers[] = {
		"piet@beuningen.nl", "jan2@beuningen.nl", "ja@beuningen.nl",   "jan@ict.beuningen.nl",
		"ano@beuningen.nl",  "jan",		  "host/jan.beuningen.nl", "",
	};
	for (size_t i = 0; i < sizeof(outers) / sizeof(outers[0]); i++) {
		if (settle(&beuningen, "jan@beuningen.nl", outers[i]) != RG_REASON_IDENTITY_MISMATCH)
			fail_msg("%s", outers[i]);
		assert_true(detail[0] != '\0');
		assert_int_equal(settle(&careless, "jan@beuningen.nl", outers[i]), RG_REASON_NONE);
	}
	(void)state;
}

static void E7_name_of_another_realm(void **state)
{
	static const char *const others[] = {
		"jan@druten.nl",
		"jan@xbeuningen.nl",
		"jan@beuningen.nl.example.nl",
		"host/pc1.druten.nl",
		"host/beuningen.nl.example.nl",
		"host/pc1.xbeuningen.nl",
	};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (settle(&careless, others[i], "anonymous@beuningen.nl") !=
		    RG_REASON_CERTIFICATE_OTHER_REALM)
			fail_msg("%s", others[i]);
		assert_non_null(strstr(detail, others[i]));
	}
	(void)state;
}

static void sub_realms_by_wildcard_only(void **state)
{
	(void)state;
	assert_int_equal(settle(&beuningen, "jan@ICT.beuningen.nl", "anonymous@beuningen.nl"),
			 RG_REASON_NONE);
	expect("jan@ICT.beuningen.nl", "jan", "ict.beuningen.nl", "");
	assert_int_equal(settle(&druten, "jan@ict.druten.nl", "anonymous@druten.nl"),
			 RG_REASON_CERTIFICATE_OTHER_REALM);
}

static void name_without_at_belongs_to_the_realm(void **state)
{
	(void)state;
	assert_int_equal(settle(&beuningen, "jan", "jan@beuningen.nl"), RG_REASON_NONE);
	expect("jan", "jan", "beuningen.nl", "");
	assert_int_equal(settle(&beuningen, "jan", "anonymous@beuningen.nl"), RG_REASON_NONE);
	assert_int_equal(settle(&beuningen, "jan", "piet@beuningen.nl"), RG_REASON_IDENTITY_MISMATCH);
	/* Whatever it holds, it is a name for the directory to find, escaped there. */
	assert_int_equal(settle(&beuningen, "Jan (ICT) *", "anonymous@beuningen.nl"), RG_REASON_NONE);
	expect("Jan (ICT) *", "Jan (ICT) *", "beuningen.nl", "");
}

static void machines(void **state)
{
	(void)state;
	assert_int_equal(settle(&beuningen, "host/laptop7.beuningen.nl", "host/laptop7.beuningen.nl"),
			 RG_REASON_NONE);
	expect("host/laptop7.beuningen.nl", "laptop7", "beuningen.nl", "laptop7.beuningen.nl");
	assert_int_equal(settle(&druten, "host/pc1.druten.nl", "HOST/PC1.druten.nl"), RG_REASON_NONE);
	assert_int_equal(settle(&druten, "host/pc1.druten.nl", "host/pc2.druten.nl"),
			 RG_REASON_IDENTITY_MISMATCH);
	assert_int_equal(settle(&druten, "host/pc1.druten.nl", "anonymous@druten.nl"), RG_REASON_NONE);
	assert_int_equal(settle(&druten, "host/pc1.druten.nl", "pc1@druten.nl"),
			 RG_REASON_IDENTITY_MISMATCH);
}

/* A machine's certificate often has its FQDN as CN and no more. */
static void machine_by_its_common_name(void **state)
{
	(void)state;
	assert_int_equal(settle(&druten, "pc1.druten.nl", "host/pc1.druten.nl"), RG_REASON_NONE);
	expect("host/pc1.druten.nl", "pc1", "druten.nl", "pc1.druten.nl");
	/* And of no other machine. */
	assert_int_equal(settle(&druten, "pc2.druten.nl", "host/pc1.druten.nl"),
			 RG_REASON_IDENTITY_MISMATCH);
}

static void names_that_are_none(void **state)
{
	static const char *const broken[] = {
		"", "jan@", "jan@@beuningen.nl", "jan@beu ningen.nl", "jan@.beuningen.nl", "host/",
		"jan@beuningen..nl",
	};
	char longer[400];
	assert_int_equal(settle(&beuningen, NULL, "anonymous@beuningen.nl"),
			 RG_REASON_CERTIFICATE_INVALID);
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		if (settle(&beuningen, broken[i], "anonymous@beuningen.nl") !=
		    RG_REASON_CERTIFICATE_INVALID)
			fail_msg("%s", broken[i]);
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(settle(&beuningen, longer, "anonymous@beuningen.nl"),
			 RG_REASON_CERTIFICATE_INVALID);
	(void)state;
}

static void O6_control_characters_are_escaped_in_words(void **state)
{
	(void)state;
	assert_int_equal(settle(&beuningen, "jan\n\x1b[2J@druten.nl", "x@beuningen.nl"),
			 RG_REASON_CERTIFICATE_INVALID);
	assert_null(strchr(detail, '\n'));
	assert_null(strchr(detail, '\x1b'));
	assert_int_equal(settle(&beuningen, "jan@beuningen.nl", "p\niet@beuningen.nl"),
			 RG_REASON_IDENTITY_MISMATCH);
	assert_null(strchr(detail, '\n'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outer_that_goes_with_the_certificate),
		cmocka_unit_test(outer_that_does_not),
		cmocka_unit_test(E7_name_of_another_realm),
		cmocka_unit_test(sub_realms_by_wildcard_only),
		cmocka_unit_test(name_without_at_belongs_to_the_realm),
		cmocka_unit_test(machines),
		cmocka_unit_test(machine_by_its_common_name),
		cmocka_unit_test(names_that_are_none),
		cmocka_unit_test(O6_control_characters_are_escaped_in_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

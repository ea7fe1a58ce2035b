#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "home/identity.h"

static const char *const names[] = {"beuningen.nl", "*.beuningen.nl"};
static const char *const bare_names[] = {"druten.nl"};
static const char *const school_names[] = {"school.beuningen.nl"};
static const char *const guest_names[] = {"gasten.beuningen.nl"};

static struct rg_realm beuningen = {.names = {names, 2}, .name = "beuningen.nl"};
static struct rg_realm druten = {.names = {bare_names, 1}, .name = "druten.nl"};
static struct rg_realm careless = {
	.names = {names, 2}, .name = "beuningen.nl", .eap.outer_identity = RG_OUTER_ANY};
static enum rg_name_kind kind;

static struct rg_identity identity;
static char detail[160];

/* The realm among others of its region. */
static enum rg_reason settle(const struct rg_realm *realm, const char *name, const char *outer)
{
	const struct rg_proof proof = {.identity = name, .kind = kind};
	struct rg_realm realms[] = {*realm, {.names = {school_names, 1}, .name = "school.beuningen.nl"}};
	struct rg_route route = {.realms = {guest_names, 1}};
	const struct rg_raddb raddb = {
		.realms = realms, .realm_count = 2, .routes = &route, .route_count = 1};
	struct rg_route_table *routes = route_table_new(&raddb);
	memset(&identity, 0, sizeof(identity));
	memset(detail, 0, sizeof(detail));
	enum rg_reason reason = identity_settle(&identity, &realms[0], routes, &proof, outer, detail);
	route_table_free(&routes);
	return reason;
}

static int by_common_name(void **state)
{
	(void)state;
	kind = RG_NAME_SUBJECT_CN;
	return 0;
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

/* Towns that share a CA: a wildcard's realm has no claim on the people of a realm or route below it. */
static void E5_wildcard_takes_no_one_of_a_realm_below_it(void **state)
{
	static const char *const others[] = {
		"jan@school.beuningen.nl", "jan@SCHOOL.beuningen.nl", "host/pc1.school.beuningen.nl",
		"HOST/pc1.School.beuningen.nl", "jan@gasten.beuningen.nl",
	};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (settle(&careless, others[i], "anonymous@beuningen.nl") !=
		    RG_REASON_CERTIFICATE_OTHER_REALM)
			fail_msg("%s", others[i]);
	assert_int_equal(settle(&careless, "jan@ict.beuningen.nl", "anonymous@beuningen.nl"),
			 RG_REASON_NONE);
	assert_int_equal(settle(&careless, "host/pc1.ict.beuningen.nl", "anonymous@beuningen.nl"),
			 RG_REASON_NONE);
	(void)state;
}

/* Whoever may choose a mail address is not thereby a machine. */
static void persons_name_is_no_machine(void **state)
{
	static const enum rg_name_kind kinds[] = {RG_NAME_SAN_UPN, RG_NAME_SAN_EMAIL};
	for (size_t i = 0; i < 2; i++) {
		kind = kinds[i];
		assert_int_equal(settle(&beuningen, "host/laptop7.beuningen.nl", "anonymous@beuningen.nl"),
				 RG_REASON_CERTIFICATE_INVALID);
		assert_int_equal(settle(&beuningen, "HOST/laptop7.beuningen.nl",
					"host/laptop7.beuningen.nl"),
				 RG_REASON_CERTIFICATE_INVALID);
		assert_int_equal(settle(&beuningen, "laptop7.beuningen.nl", "host/laptop7.beuningen.nl"),
				 RG_REASON_IDENTITY_MISMATCH);
	}
	(void)state;
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

static int in_a_tunnel(void **state)
{
	(void)state;
	kind = RG_NAME_INNER;
	return 0;
}

static void E7_inner_realm_is_the_outer_one_or_below_it(void **state)
{
	static const struct {
		const char *name, *outer;
		enum rg_reason reason;
	} cases[] = {
		{"jan@beuningen.nl", "anonymous@beuningen.nl", RG_REASON_NONE},
		{"jan@werk.beuningen.nl", "@beuningen.nl", RG_REASON_NONE},
		{"jan@BEUNINGEN.nl", "jan@beuningen.nl", RG_REASON_NONE},
		{"jan", "anonymous@beuningen.nl", RG_REASON_NONE},
		{"BEUNINGEN\\jan", "anonymous@beuningen.nl", RG_REASON_NONE},
		{"host/pc1.beuningen.nl", "anonymous@beuningen.nl", RG_REASON_NONE},
		/* Above it, beside it, in another realm of the region, elsewhere. */
		{"jan@beuningen.nl", "anonymous@werk.beuningen.nl", RG_REASON_IDENTITY_MISMATCH},
		{"jan@thuis.beuningen.nl", "@werk.beuningen.nl", RG_REASON_IDENTITY_MISMATCH},
		{"jan@xbeuningen.nl", "@beuningen.nl", RG_REASON_IDENTITY_MISMATCH},
		{"jan@school.beuningen.nl", "@beuningen.nl", RG_REASON_IDENTITY_MISMATCH},
		{"jan@druten.nl", "@beuningen.nl", RG_REASON_IDENTITY_MISMATCH},
		{"jan@gasten.beuningen.nl", "@beuningen.nl", RG_REASON_IDENTITY_MISMATCH},
		{"host/pc1.druten.nl", "@beuningen.nl", RG_REASON_IDENTITY_MISMATCH},
		/* And it goes with the outer name. */
		{"jan@beuningen.nl", "piet@beuningen.nl", RG_REASON_IDENTITY_MISMATCH},
		{"BEUNINGEN\\jan", "piet@beuningen.nl", RG_REASON_IDENTITY_MISMATCH},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (settle(&beuningen, cases[i].name, cases[i].outer) != cases[i].reason)
			fail_msg("%s in %s", cases[i].name, cases[i].outer);
}

static void inner_names(void **state)
{
	static const char *const broken[] = {"", "jan@", "jan@@beuningen.nl", "BEUNINGEN\\", "host/"};
	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		if (settle(&beuningen, broken[i], "@beuningen.nl") != RG_REASON_REALM_MALFORMED)
			fail_msg("%s", broken[i]);
	assert_int_equal(settle(&beuningen, NULL, "@beuningen.nl"), RG_REASON_REALM_MALFORMED);
	assert_int_equal(settle(&beuningen, "BEUNINGEN\\jan", "@beuningen.nl"), RG_REASON_NONE);
	expect("jan", "jan", "beuningen.nl", "");
	assert_int_equal(settle(&beuningen, "host/pc1.beuningen.nl", "@beuningen.nl"), RG_REASON_NONE);
	expect("host/pc1.beuningen.nl", "pc1", "beuningen.nl", "pc1.beuningen.nl");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(outer_that_goes_with_the_certificate, by_common_name),
		cmocka_unit_test_setup(outer_that_does_not, by_common_name),
		cmocka_unit_test_setup(E7_name_of_another_realm, by_common_name),
		cmocka_unit_test_setup(sub_realms_by_wildcard_only, by_common_name),
		cmocka_unit_test_setup(E5_wildcard_takes_no_one_of_a_realm_below_it, by_common_name),
		cmocka_unit_test_setup(persons_name_is_no_machine, by_common_name),
		cmocka_unit_test_setup(name_without_at_belongs_to_the_realm, by_common_name),
		cmocka_unit_test_setup(machines, by_common_name),
		cmocka_unit_test_setup(machine_by_its_common_name, by_common_name),
		cmocka_unit_test_setup(names_that_are_none, by_common_name),
		cmocka_unit_test_setup(O6_control_characters_are_escaped_in_words, by_common_name),
		cmocka_unit_test_setup(E7_inner_realm_is_the_outer_one_or_below_it, in_a_tunnel),
		cmocka_unit_test_setup(inner_names, in_a_tunnel),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The evaluator, reader and passwords of dir_ldif. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "modules/dir_ldif/match.h"
#include "modules/dir_ldif/password.h"
#include "shortage.h"
#include "support.h"

static const char people[] =
	"version: 1\n\n"
	"# a comment\n"
	"dn: uid=jan,ou=people,dc=b,dc=nl\nobjectClass: top\nobjectClass: inetOrgPerson\nuid: jan\n"
	"cn: Jan   de\n  Boer\nmail: Jan.de.Boer@b.nl\nuserAccountControl: 514\nage: 42\n"
	"userCertificate;binary:: AAEC\nmemberOf: cn=ict, ou=groups, dc=b, dc=nl\n"
	"userPassword: geheim\n\n"
	"dn: cn=ict,ou=groups,dc=b,dc=nl\ncn: ict\nmember: UID=Jan,ou=people,dc=b,dc=nl\n"
	"memberOf: cn=top,ou=groups,dc=b,dc=nl\n\n"
	"dn: cn=top,ou=groups,dc=b,dc=nl\ncn: top\nmember: cn=ict,ou=groups,dc=b,dc=nl\n"
	"memberOf: cn=ict,ou=groups,dc=b,dc=nl\n";

static char path[64];
static struct rg_store *read_text(const char *text, size_t length, char why[160])
{
	unsigned at = shortage.left;
	shortage.left = 0;
	strcpy(path, "/tmp/roamgate-ldif-XXXXXX");
	int fd = mkstemp(path);
	assert_int_equal(write(fd, text, length), length);
	close(fd);
	why[0] = 0;
	shortage.left = at;
	struct rg_store *store = store_read(path, why);
	shortage.left = 0;
	unlink(path);
	return store;
}

static bool matches(const struct rg_store *store, const char *normal, const char *filter)
{
	char why[160];
	struct rg_matcher matcher;
	assert_true(matcher_make(&matcher, filter, why));
	const struct rg_entry *entry = store_find(store, normal);
	assert_non_null(entry);
	bool result = matcher_matches(&matcher, store, entry);
	matcher_free(&matcher);
	return result;
}

static void filters(void **state)
{
	(void)state;
	static const char *const yes[] = {
		"(uid=JAN)",
		"(cn=jan de boer)",
		"(cn=jan  DE boer )",
		"(uid=*)",
		"(mail=jan*@b.nl)",
		"(mail=*boer*)",
		"(mail=*de*boer*nl)",
		"(mail=jan.de.boer@b.nl*)",
		"(&(uid=jan)(objectclass=inetorgperson))",
		"(|(uid=x)(uid=jan))",
		"(!(uid=x))",
		"(&)",
		"(userAccountControl:1.2.840.113556.1.4.803:=2)",
		"(userAccountControl:1.2.840.113556.1.4.804:=3)",
		"(age>=42)",
		"(age>=5)",
		"(age<=100)",
		"(uid~=jan)",
		"(userCertificate=*)",
		"(userCertificate;binary=*)",
		"(userCertificate;binary=\\00\\01\\02)",
		"(memberOf=CN=ict,OU=groups,dc=b,dc=nl)",
		"(memberOf:1.2.840.113556.1.4.1941:=cn=top,ou=groups,dc=b,dc=nl)",
		"(memberOf:2.5.13.1:=cn=ict,ou=groups,dc=b,dc=nl)",
		"(uid:caseIgnoreMatch:=jan)",
		"(uid:=jan)",
		"(|(uid:1.2.3:=jan)(uid=jan))",
	};
	static const char *const no[] = {
		"(uid=ja)",
		"(uid=j*x)",
		"(mail=boer*)",
		"(mail=*boer)",
		"(mail=*boer*de*)",
		"(mail=jan.de.boer@b.nl*jan*)",
		"(&(uid=jan)(uid=x))",
		"(|)",
		"(!(uid=jan))",
		"(userAccountControl:1.2.840.113556.1.4.803:=3)",
		"(age>=43)",
		"(age<=9)",
		"(nothing=*)",
		"(userCertificate;lang-nl=*)",
		"(userPassword=geheim)",
		"(!(userPassword=geheim))",
		"(userPassword=*)",
		"(uid:1.2.3:=jan)",
		"(!(uid:1.2.3:=jan))",
		"(memberOf=ict)",
		"(memberOf:1.2.840.113556.1.4.1941:=cn=other,dc=nl)",
		"(pwdAccountLockedTime=*)",
		"(uid:dn:=jan)",
	};
	char why[160];
	struct rg_store *store = read_text(people, sizeof(people) - 1, why);
	assert_non_null(store);
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (!matches(store, "uid=jan,ou=people,dc=b,dc=nl", yes[i]))
			fail_msg("%s should match", yes[i]);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (matches(store, "uid=jan,ou=people,dc=b,dc=nl", no[i]))
			fail_msg("%s should not match", no[i]);
	store_release(&store);
}

static void groups_in_circles(void **state)
{
	(void)state;
	char why[160];
	struct rg_store *store = read_text(people, sizeof(people) - 1, why);
	static const char jan[] = "(member:1.2.840.113556.1.4.1941:=uid=jan,ou=people,dc=b,dc=nl)";
	assert_true(matches(store, "cn=top,ou=groups,dc=b,dc=nl", jan));
	assert_true(matches(store, "cn=ict,ou=groups,dc=b,dc=nl", jan));
	assert_false(matches(store, "cn=top,ou=groups,dc=b,dc=nl",
			     "(member:1.2.840.113556.1.4.1941:=uid=piet,dc=nl)"));
	store_release(&store);
}

static void broken_files(void **state)
{
	(void)state;
	static const char *const broken[] = {
		"uid: jan\n",
		"dn: no name\nuid: x\n",
		"dn: dc=nl\nno colon\n",
		"dn: dc=nl\ndc: nl\n\ndn: DC=NL\ndc: nl\n",
		"dn: dc=nl\nchangetype: delete\n",
		"include: file:///etc/passwd\n\ndn: dc=nl\ndc: nl\n",
		"dn: dc=nl\ndc: nl\n\nINCLUDE: file:///etc/passwd\n",
		"dn: dc=nl\nx:: *not base64*\n",
	};
	char why[160];
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct rg_store *store = read_text(broken[i], strlen(broken[i]), why);
		if (store)
			fail_msg("taken: %s", broken[i]);
		assert_int_not_equal(strlen(why), 0);
	}
	assert_null(read_text("dn: dc=nl\n\0\ndc: nl\n", 20, why));
	assert_null(store_read("/nonexistent/file", why));
	assert_string_equal(why, "No such file or directory");
	struct rg_store *empty = read_text("", 0, why);
	assert_non_null(empty);
	assert_null(store_find(empty, "dc=nl"));
	store_release(&empty);
	struct rg_store *windows =
		read_text("dn: dc=nl\r\ndc: nl\r\n\r\ndn: dc=b,dc=nl\r\ndc: b", 42, why);
	assert_non_null(windows);
	assert_int_equal(windows->count, 2);
	store_release(&windows);
}

static enum rg_password verify(const char *stored, const char *given)
{
	return password_verify(span_text(stored), span_text(given));
}

static void passwords(void **state)
{
	(void)state;
	/* Made by slappasswd and openssl passwd for "geheim". */
	static const char *const stored[] = {
		"geheim",
		"{SHA}kGByAB793z4R5tK1eC9Hd/4Dhzk=",
		"{SSHA}4De63O13lSt3Oq9LXhSJnE/TPnJ6b3V0MTIzNA==",
		"{ssha}4De63O13lSt3Oq9LXhSJnE/TPnJ6b3V0MTIzNA==",
		"{CRYPT}$6$zout$GibFqqZCeb/1N2clA56bDAiKrBgXwTLxmh8b.gtgS3d0.XwSt7yN/"
		"TJN4YKrcYWBCOI8OPxvFl5fyExsQKuF.1",
		"{CRYPT}$1$zout$0FqAnxBJ5VvAxLDubEbPR/",
		"{SSHA256}qF3XOBKpwdv8vEE8Gl/9ybvXUKy2Q3IBndhMl9iqXYV6b3V0MTIzNA==",
	};
	for (size_t i = 0; i < sizeof(stored) / sizeof(stored[0]); i++) {
		assert_int_equal(verify(stored[i], "geheim"), RG_PASSWORD_RIGHT);
		assert_int_equal(verify(stored[i], "geheim "), RG_PASSWORD_WRONG);
		assert_int_equal(verify(stored[i], "fout"), RG_PASSWORD_WRONG);
		assert_int_equal(verify(stored[i], ""), RG_PASSWORD_WRONG);
	}
	static const char *const odd[] = {"",       "{SSHA}",  "{SSHA}AAAA", "{SHA}====",
					  "{SHA}*", "{CRYPT}", "{CRYPT}*0",  "{CRYPT}x"};
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		assert_int_equal(verify(odd[i], "geheim"), RG_PASSWORD_WRONG);
		assert_int_equal(verify(odd[i], ""), RG_PASSWORD_WRONG);
	}
	assert_int_equal(verify("{ARGON2}x", "geheim"), RG_PASSWORD_UNKNOWN_SCHEME);
	assert_int_equal(password_verify(span_text("{CRYPT}$6$a$b"), span_of("a\0b", 3)),
			 RG_PASSWORD_WRONG);
}

/* As slappasswd writes them with OpenLDAP's pw-pbkdf2. */
static void passwords_of_pw_pbkdf2(void **state)
{
	static const char *const stored[] = {
		"{PBKDF2}10000$luRjRXNEeOd3pZC/.75THQ$QQV3lTxI6kXJ0Zd97twyQdL5t5o",
		"{PBKDF2-SHA1}10000$VSD5F4/O68DWkzb9OqbuWg$pd7RVTdlsBZ19/QLt8gvjScY.TE",
		"{PBKDF2-SHA256}10000$7aDwy/5thz4qj4tsRtZckg$"
		"SvZiLfEOwzn0h752.NpX3n6mv3proK5RHLGPf.qzd14",
		"{pbkdf2-sha512}10000$6.xU1VeNLCHNAaqlHigHHg$cFYxtpp2E9SxTcXZ3cTIHZDMC6gfDiHg"
		"BHo5g49ELKSs9QkHdIL0BCVlqJLvqnfzHfGnO5sIMvVhlB8G1x9FuA",
	};
	static const char *const broken[] = {
		"{PBKDF2}",
		"{PBKDF2}$$",
		"{PBKDF2}0$luRjRXNEeOd3pZC/.75THQ$QQV3lTxI6kXJ0Zd97twyQdL5t5o",
		"{PBKDF2}99999999999$luRjRXNEeOd3pZC/.75THQ$QQV3lTxI6kXJ0Zd97twyQdL5t5o",
		"{PBKDF2}10000$luRjRXNEeOd3pZC/.75THQ$",
		"{PBKDF2}10000$$QQV3lTxI6kXJ0Zd97twyQdL5t5o",
		"{PBKDF2}10000$luRjRXNEeOd3pZC/.75THQ$QQV3lTxI6kXJ0Zd97twyQdL5",
		"{PBKDF2}10000$luRjRXNEeOd3pZC/.75THQ$QQV3lTxI6kXJ0Zd97twyQdL5t5o$x",
		"{PBKDF2}-10000$luRjRXNEeOd3pZC/.75THQ$QQV3lTxI6kXJ0Zd97twyQdL5t5o",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(stored) / sizeof(stored[0]); i++) {
		assert_int_equal(verify(stored[i], "geheim"), RG_PASSWORD_RIGHT);
		assert_int_equal(verify(stored[i], "geheim2"), RG_PASSWORD_WRONG);
		assert_int_equal(verify(stored[i], ""), RG_PASSWORD_WRONG);
		assert_false(password_is_clear(span_text(stored[i])));
	}
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		assert_int_equal(verify(broken[i], "geheim"), RG_PASSWORD_WRONG);
}

static void assert_all_DNs_are_known(const struct rg_store *store)
{
	for (size_t i = 0; i < store->count; i++)
		for (size_t j = 0; j < store->entries[i].count; j++) {
			const struct rg_attribute *attribute = &store->entries[i].attributes[j];
			if (strcmp(attribute->name, "member") == 0 ||
			    strcmp(attribute->name, "memberOf") == 0)
				assert_non_null(attribute->values[0].dn);
		}
}

/* Found by the fuzzer of tests/fuzz/ldif.c: entries that are none were sorted where there is no memory. */
static void a_file_of_comments_is_a_directory_of_nobody(void **state)
{
	char why[160];
	(void)state;
	struct rg_store *store = read_text("# nobody\n", 9, why);
	if (store)
		assert_int_equal(store->count, 0);
	else
		assert_string_not_equal(why, "");
	store_release(&store);
}

/* A DN that there was no memory to read was none: not that of a group that denies, either. */
static void O3_people_are_read_whole_or_not_at_all(void **state)
{
	char why[160];
	unsigned at = 0, refused = 0;
	(void)state;
	shortage.spared = "liblber"; /* store.c sees to it that there is some */
	do {
		shortage.failed = false;
		shortage.left = ++at;
		struct rg_store *store = read_text(people, sizeof(people) - 1, why);
		if (store) {
			assert_int_equal(store->count, 3);
			assert_all_DNs_are_known(store);
		} else {
			assert_string_not_equal(why, "");
			refused++;
		}
		store_release(&store);
	} while (shortage.failed);
	assert_true(!shortage_works() || refused > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filters),
		cmocka_unit_test(groups_in_circles),
		cmocka_unit_test(broken_files),
		cmocka_unit_test(a_file_of_comments_is_a_directory_of_nobody),
		cmocka_unit_test(O3_people_are_read_whole_or_not_at_all),
		cmocka_unit_test(passwords),
		cmocka_unit_test(passwords_of_pw_pbkdf2),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

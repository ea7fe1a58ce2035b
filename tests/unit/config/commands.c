/* roamgate check, realm add and realm list: what they print and how they exit. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "command/command.h"
#include "kit.h"

static char printed[65536];
static char file[512];

/* Runs with -c of the kit's raddb; both outputs end in printed. */
static int run(int (*command)(int, char **), const char *const *words)
{
	char *argv[16] = {0};
	int argc = 0;
	FILE *out = tmpfile();
	for (; *words; words++)
		argv[argc++] = (char *)*words;
	argv[argc++] = (char *)"-c";
	argv[argc++] = file;
	fflush(stdout);
	fflush(stderr);
	int was_out = dup(STDOUT_FILENO), was_err = dup(STDERR_FILENO);
	dup2(fileno(out), STDOUT_FILENO);
	dup2(fileno(out), STDERR_FILENO);
	int status = command(argc, argv);
	fflush(stdout);
	fflush(stderr);
	dup2(was_out, STDOUT_FILENO);
	dup2(was_err, STDERR_FILENO);
	close(was_out);
	close(was_err);
	rewind(out);
	printed[fread(printed, 1, sizeof(printed) - 1, out)] = '\0';
	fclose(out);
	return status;
}

#define RUN(command, ...) run(command, (const char *const[]){__VA_ARGS__, NULL})

static void kit_begin(void)
{
	snprintf(file, sizeof(file), "%s/roamgate.cfg", kit_new());
}

static void check_says_all_and_exits_78(void **state)
{
	(void)state;
	kit_begin();
	assert_int_equal(RUN(command_check, "check"), 0);
	assert_string_equal(printed, "0 errors, 0 warnings\n");
	kit_replace("roamgate.cfg", "user", "usr");
	kit_replace("clients.d/clients.cfg", "10.20.0.0/16", "10.20.0.0/33");
	assert_int_equal(RUN(command_check, "check"), 78);
	assert_string_equal(printed,
			    "clients.d/clients.cfg:3: clients[0].addresses: \"10.20.0.0/33\": the part after / "
			    "must be 0 to 32\n"
			    "roamgate.cfg:3: gateway.usr: unknown key (did you mean \"user\"?)\n"
			    "2 errors, 0 warnings\n");
}

static void check_says_the_same_in_json(void **state)
{
	(void)state;
	kit_begin();
	kit_replace("roamgate.cfg", "user", "usr");
	assert_int_equal(RUN(command_check, "check", "--json"), 78);
	json_t *object = json_loads(printed, 0, NULL);
	json_t *error = json_array_get(json_object_get(object, "errors"), 0);
	assert_string_equal(json_string_value(json_object_get(error, "file")), "roamgate.cfg");
	assert_int_equal(json_integer_value(json_object_get(error, "line")), 3);
	assert_string_equal(json_string_value(json_object_get(error, "key")), "gateway.usr");
	assert_int_equal(json_array_size(json_object_get(object, "warnings")), 0);
	json_decref(object);
}

static void realm_list_tells_where_each_goes(void **state)
{
	(void)state;
	kit_begin();
	assert_int_equal(RUN(command_realm, "realm", "list", "--json"), 0);
	json_t *object = json_loads(printed, 0, NULL), *rows = json_object_get(object, "realms");
	assert_int_equal(json_array_size(rows), 3);
	json_t *last = json_array_get(rows, 2);
	assert_string_equal(json_string_value(json_object_get(last, "name")), "*");
	assert_string_equal(json_string_value(json_object_get(last, "goes_to")), "govroam-1");
	assert_string_equal(json_string_value(json_object_get(last, "file")), "federation.d/peers.cfg");
	json_decref(object);
	assert_int_equal(RUN(command_realm, "realm", "list"), 0);
	assert_non_null(strstr(printed, "*.beuningen.nl"));
	kit_replace("roamgate.cfg", "user", "usr");
	assert_int_equal(RUN(command_realm, "realm", "list"), 78);
}

static void realm_add_writes_what_check_understands(void **state)
{
	(void)state;
	kit_begin();
	assert_int_equal(RUN(command_realm, "realm", "add", "Druten.NL", "--directory-uri",
			     "ldap://127.0.0.1", "--base", "ou=x\\2cy,dc=nl"),
			 0);
	assert_non_null(strstr(printed, "realms.d/druten.nl.cfg"));
	assert_non_null(strstr(printed, "left to do"));
	/* All that is missing is files. */
	assert_int_equal(RUN(command_check, "check"), 78);
	assert_non_null(strstr(printed, "\n6 errors, "));
	assert_non_null(strstr(printed, "certs/druten/server.pem: No such file"));
	assert_null(strstr(printed, "unknown"));
	kit_write("secrets/druten-ldap", "secret");
	const char *const files[] = {"server.pem", "server.key", "client-ca.pem", "client-ca.crl",
				     "ldap-ca.pem"};
	const char *const from[] = {"server.pem", "server.key", "ca.pem", "ca.crl", "ca.pem"};
	for (size_t i = 0; i < 5; i++) {
		char here[64], there[64];
		snprintf(here, sizeof(here), "certs/%s", from[i]);
		snprintf(there, sizeof(there), "certs/druten/%s", files[i]);
		kit_copy(here, there);
	}
	assert_int_equal(RUN(command_check, "check"), 0);
	/* Neither the file nor the name a second time. */
	assert_int_equal(RUN(command_realm, "realm", "add", "druten.nl"), 1);
	assert_non_null(strstr(printed, "is there already"));
	assert_int_equal(RUN(command_realm, "realm", "add", "beuningen.nl"), 1);
}

/* Where an Active Directory has its people, and who reads there; groups are the type's own business. */
static void realm_add_knows_domains(void **state)
{
	static const char *const types[] = {"ad", "winbind"};
	static const char *const methods[] = {"methods = [ \"tls\" ]",
					      "methods = [ \"tls\", \"peap\" ]"};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		kit_begin();
		assert_int_equal(RUN(command_realm, "realm", "add", "wijchen.nl", "--type", types[i]), 0);
		assert_non_null(strstr(printed, "roamgate@wijchen.nl"));
		/* Each fails where that does not stand in the file. */
		kit_replace("realms.d/wijchen.nl.cfg", "base = \"dc=wijchen,dc=nl\";\n    }", "}");
		kit_replace("realms.d/wijchen.nl.cfg", methods[i], "");
	}
}

static void usage_is_checked(void **state)
{
	(void)state;
	kit_begin();
	assert_int_equal(RUN(command_realm, "realm", "add"), 2);
	assert_int_equal(RUN(command_realm, "realm", "add", "a b.nl"), 2);
	assert_int_equal(RUN(command_realm, "realm", "add", "../x.nl"), 2);
	assert_int_equal(RUN(command_realm, "realm", "add", "druten"), 2);
	assert_int_equal(RUN(command_realm, "realm", "add", "druten.nl", "--type", "lpad"), 2);
	assert_int_equal(RUN(command_realm, "realm", "add", "druten.nl", "--operator", "../x"), 2);
	assert_int_equal(RUN(command_realm, "realm"), 2);
	assert_int_equal(RUN(command_realm, "realm", "--help"), 0);
	assert_int_equal(RUN(command_check, "check", "more"), 2);
	assert_int_equal(RUN(command_check, "check", "--help"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_says_all_and_exits_78),
		cmocka_unit_test(check_says_the_same_in_json),
		cmocka_unit_test(realm_list_tells_where_each_goes),
		cmocka_unit_test(realm_add_writes_what_check_understands),
		cmocka_unit_test(realm_add_knows_domains),
		cmocka_unit_test(usage_is_checked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

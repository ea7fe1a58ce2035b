/* Large, deep and endless raddbs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/names.h"
#include "kit.h"
#include "route/table.h"

#define REALM_COUNT 10000

static void realm_print(FILE *out, unsigned i)
{
	fprintf(out,
		"{ names = [ \"r%u.nl\", \"*.r%u.nl\" ]; eap = { certificate = \"certs/server.pem\";\n"
		"private_key = \"certs/server.key\"; client_ca = \"certs/ca.pem\"; crl = \"certs/ca.crl\"; };\n"
		"directory = { type = \"ldap\"; uris = \"ldap://127.0.0.1\"; starttls = false;\n"
		"base = \"dc=r%u,dc=nl\"; groups = { attribute = \"memberOf\"; }; };\n"
		"authorize = ( { group = \"cn=a\"; }, { } ); },\n",
		i, i, i);
}

static void realms_write(void)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	fprintf(out, "realms = (\n");
	for (unsigned i = 0; i < REALM_COUNT; i++)
		realm_print(out, i);
	realm_print(out, REALM_COUNT);
	fclose(out);
	strcpy(strrchr(text, ','), ");");
	kit_write("realms.d/many.cfg", text);
	free(text);
}

static void O10_ten_thousand_realms_load_and_are_found(void **state)
{
	(void)state;
	struct rg_report report = {0};
	struct rg_nai nai;
	kit_new();
	realms_write();
	struct rg_raddb *raddb = kit_load(&report);
	assert_non_null(raddb);
	assert_int_equal(raddb->realm_count, REALM_COUNT + 2);
	struct rg_route_table *table = route_table_new(raddb);
	assert_non_null(table);
	assert_int_equal(nai_parse(&nai, span_text("jan@a.b.r7777.nl")), RG_NAI_OK);
	struct rg_destination to = route_table_find(table, &nai);
	assert_int_equal(to.way, RG_WAY_HOME);
	assert_string_equal(to.realm->name, "r7777.nl");
	route_table_free(&table);
	raddb_free(&raddb);
	report_free(&report);
}

static void nested_write(const char *open, const char *close, unsigned depth)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	fprintf(out, "\n\ngateway = ");
	for (unsigned i = 0; i < depth; i++)
		fputs(open, out);
	for (unsigned i = 0; i < depth; i++)
		fputs(close, out);
	fprintf(out, ";\n");
	fclose(out);
	kit_write("roamgate.cfg", text);
	free(text);
}

static void O10_deep_nesting_is_an_error_with_its_line(void **state)
{
	(void)state;
	const char *const shapes[][2] = {{"(", ")"}, {"{ a = ", "1; }"}};
	for (size_t i = 0; i < 2; i++)
		for (unsigned depth = 100; depth <= 100000; depth *= 10) {
			struct rg_report report = {0};
			kit_new();
			nested_write(shapes[i][0], shapes[i][1], depth);
			assert_null(kit_load(&report));
			assert_true(kit_found(&report, false, "roamgate.cfg", 3, NULL, NULL));
			report_free(&report);
		}
}

static void O10_includes_deeper_than_ten_or_in_a_ring(void **state)
{
	(void)state;
	struct rg_report report = {0};
	kit_new();
	for (int i = 0; i < 12; i++) {
		char name[32], text[64];
		snprintf(name, sizeof(name), "in/%d.cfg", i);
		snprintf(text, sizeof(text), "\n@include \"in/%d.cfg\"\n", i + 1);
		kit_write(name, text);
	}
	kit_replace("roamgate.cfg", "listen =", "@include \"in/0.cfg\"\nlisten =");
	assert_null(kit_load(&report));
	assert_true(kit_found(&report, false, "in/9.cfg", 2, "", "deeper"));
	report_free(&report);
	kit_write("in/3.cfg", "@include \"in/1.cfg\"\n");
	assert_null(kit_load(&report));
	assert_true(kit_found(&report, false, "in/3.cfg", 1, "", "loop"));
	report_free(&report);
}

/* Ten files that each include the next one ten times: ten to the ninth lines. */
static void O10_an_include_bomb_is_too_large(void **state)
{
	(void)state;
	struct rg_report report = {0};
	kit_new();
	for (int i = 0; i < 9; i++) {
		char name[32], text[1024] = "";
		snprintf(name, sizeof(name), "in/%d.cfg", i);
		for (int j = 0; j < 10; j++)
			snprintf(text + strlen(text), sizeof(text) - strlen(text),
				 "@include \"in/%d.cfg\"\n", i + 1);
		kit_write(name, text);
	}
	kit_write("in/9.cfg", "# nothing\n");
	kit_replace("roamgate.cfg", "listen =", "@include \"in/0.cfg\"\nlisten =");
	assert_null(kit_load(&report));
	assert_true(kit_found(&report, false, "roamgate.cfg", 0, "", "too large"));
	report_free(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(O10_ten_thousand_realms_load_and_are_found),
		cmocka_unit_test(O10_deep_nesting_is_an_error_with_its_line),
		cmocka_unit_test(O10_includes_deeper_than_ten_or_in_a_ring),
		cmocka_unit_test(O10_an_include_bomb_is_too_large),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

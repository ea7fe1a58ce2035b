/* What commands print for people. */
#include "command/show.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static void durations_in_words(void **state)
{
	static const struct {
		double seconds;
		const char *words;
	} rows[] = {
		{0, "0 seconds"},	  {-5, "0 seconds"},	    {1, "1 second"},
		{59.9, "59 seconds"},	  {60, "1 minute"},	    {61, "1 minute 1 second"},
		{3600, "1 hour"},	  {93784, "1 day 2 hours"}, {86400 * 400.0, "400 days"},
		{86400 + 59, "1 day"},
	};
	char words[64];
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		duration_words(words, rows[i].seconds);
		assert_string_equal(words, rows[i].words);
	}
}

static void times_of_this_zone(void **state)
{
	char text[64];
	(void)state;
	setenv("TZ", "Europe/Amsterdam", 1);
	tzset();
	local_time(text, "2026-11-24T03:27:11.123Z");
	assert_true(strcmp(text, "2026-11-24 04:27:11") == 0 || strcmp(text, "2026-11-24 03:27:11") == 0);
	setenv("TZ", "UTC-2", 1);
	tzset();
	local_time(text, "2026-11-24T23:27:11Z");
	assert_string_equal(text, "2026-11-25 01:27:11");
	local_time(text, "soon\033[2J");
	assert_string_equal(text, "soon?[2J");
	local_time(text, NULL);
	assert_string_equal(text, "");
}

static void O6_nothing_controls_the_terminal(void **state)
{
	char text[64];
	(void)state;
	assert_string_equal(show_text(text, sizeof(text), "a\033[31m\n\x7f\xc2\x9b b \xc3\xa9"),
			    "a?[31m??? b \xc3\xa9");
	assert_string_equal(show_text(text, 4, "abcdef"), "abc");
	assert_string_equal(show_text(text, sizeof(text), NULL), "");
}

static void tables_align(void **state)
{
	static const char *const headings[] = {"NAME", ">N", "WHY", NULL};
	char path[] = "/tmp/show-test-XXXXXX", text[512];
	struct rg_table table;
	(void)state;
	int fd = mkstemp(path), out = dup(STDOUT_FILENO);
	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	table_begin(&table, headings);
	table_cell(&table, RG_GREEN, "caf\xc3\xa9");
	table_cell(&table, RG_PLAIN, "%d", 7);
	table_cell(&table, RG_PLAIN, "a\nb");
	table_cell(&table, RG_PLAIN, "longer");
	table_cell(&table, RG_PLAIN, "%d", 1234);
	table_cell(&table, RG_PLAIN, "%s", "");
	table_end(&table, "Title");
	table_begin(&table, headings);
	table_end(&table, "None");
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	close(out);
	ssize_t length = pread(fd, text, sizeof(text) - 1, 0);
	close(fd);
	unlink(path);
	assert_true(length > 0);
	text[length] = '\0';
	assert_string_equal(text, "\nTitle\n"
				  "  NAME       N  WHY\n"
				  "  caf\xc3\xa9       7  a?b\n"
				  "  longer  1234  \n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_in_words),
		cmocka_unit_test(times_of_this_zone),
		cmocka_unit_test(O6_nothing_controls_the_terminal),
		cmocka_unit_test(tables_align),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

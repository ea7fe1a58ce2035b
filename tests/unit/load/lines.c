#include "load/lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>

static const struct sockaddr_in nobody = {
	.sin_family = AF_INET,
	.sin_port = 9,
	.sin_addr = {0x0100007f},
};

static void every_identifier_is_taken_once(void **state)
{
	struct rg_lines lines;
	uint8_t id;
	int asking[3 * RG_LINE_IDS];
	(void)state;
	assert_true(lines_open(&lines, 3, (const struct sockaddr *)&nobody));
	for (unsigned i = 0; i < 3 * RG_LINE_IDS; i++) {
		struct rg_line *line = lines_take(&lines, &asking[i], &id);
		assert_non_null(line);
		assert_ptr_equal(line->asking[id], &asking[i]);
	}
	assert_null(lines_take(&lines, asking, &id));
	line_give_back(&lines.line[1], 77);
	assert_ptr_equal(lines_take(&lines, asking, &id), &lines.line[1]);
	assert_int_equal(id, 77);
	lines_close(&lines);
}

static void an_identifier_rests_before_it_is_used_again(void **state)
{
	struct rg_lines lines;
	uint8_t id;
	(void)state;
	assert_true(lines_open(&lines, 1, (const struct sockaddr *)&nobody));
	for (unsigned i = 0; i < 1000; i++) {
		assert_true(line_take(&lines.line[0], &lines, &id));
		assert_int_equal(id, i % RG_LINE_IDS);
		line_give_back(&lines.line[0], id);
	}
	lines_close(&lines);
}

static void packets_leave_one_line_in_runs_and_all_lines_in_turn(void **state)
{
	struct rg_lines lines;
	unsigned changes = 0;
	const struct rg_line *former = NULL;
	uint8_t id;
	(void)state;
	assert_true(lines_open(&lines, 4, (const struct sockaddr *)&nobody));
	for (unsigned i = 0; i < 256; i++) {
		const struct rg_line *line = lines_take(&lines, &lines, &id);
		changes += line != former;
		former = line;
	}
	assert_int_equal(changes, 8);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(lines.line[i].used, 64);
	lines_close(&lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_identifier_is_taken_once),
		cmocka_unit_test(an_identifier_rests_before_it_is_used_again),
		cmocka_unit_test(packets_leave_one_line_in_runs_and_all_lines_in_turn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

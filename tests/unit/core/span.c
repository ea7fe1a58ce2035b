#include "roamgate/span.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void spans(void **state)
{
	(void)state;
	assert_int_equal(span_text(NULL).length, 0);
	assert_true(span_equal(span_text(NULL), span_text("")));
	assert_true(span_equal(span_text("ab"), span_of("abc", 2)));
	assert_false(span_equal(span_text("ab"), span_text("ac")));
	assert_false(span_equal(span_text("ab"), span_text("abc")));
}

static void a_cursor_reads_big_endian(void **state)
{
	struct rg_cursor cursor = cursor_over(span_of("\x01\x02\x03\x04\x05\x06\xff\xfe\xfd\xfc"
						      "ab",
						      12));
	(void)state;
	assert_int_equal(cursor_u8(&cursor), 1);
	assert_int_equal(cursor_u16(&cursor), 0x0203);
	assert_int_equal(cursor_u24(&cursor), 0x040506);
	assert_true(cursor_u32(&cursor) == 0xfffefdfc);
	assert_int_equal(cursor_left(&cursor), 2);
	assert_true(span_equal(cursor_rest(&cursor), span_text("ab")));
	assert_int_equal(cursor_rest(&cursor).length, 0);
	assert_false(cursor.failed);
}

static void a_cursor_stays_where_it_failed(void **state)
{
	struct rg_cursor cursor = cursor_over(span_of("\x01\x02\x03", 3));
	(void)state;
	assert_int_equal(cursor_u32(&cursor), 0);
	assert_true(cursor.failed);
	assert_int_equal(cursor_u8(&cursor), 0);
	assert_null(cursor_take(&cursor, 0).data);
	assert_int_equal(cursor_rest(&cursor).length, 0);
	cursor = cursor_over(span_of("ab", 2));
	assert_null(cursor_take(&cursor, SIZE_MAX).data);
	cursor = cursor_over(span_of(NULL, 0));
	assert_int_equal(cursor_take(&cursor, 0).length, 0);
	assert_false(cursor.failed);
	assert_int_equal(cursor_u8(&cursor), 0);
	assert_true(cursor.failed);
}

static void a_buffer_writes_big_endian(void **state)
{
	uint8_t memory[9];
	struct rg_buffer buffer = buffer_over(memory, sizeof(memory));
	(void)state;
	buffer_u8(&buffer, 1);
	buffer_u16(&buffer, 0x0203);
	buffer_u32(&buffer, 0xfffefdfc);
	buffer_put(&buffer, span_text("ab"));
	buffer_put(&buffer, span_of(NULL, 0));
	assert_false(buffer.failed);
	assert_true(span_equal(buffer_span(&buffer), span_of("\x01\x02\x03\xff\xfe\xfd\xfc"
							     "ab",
							     9)));
}

static void a_buffer_writes_nothing_past_its_end(void **state)
{
	uint8_t memory[4] = {9, 9, 9, 9};
	struct rg_buffer buffer = buffer_over(memory, 3);
	(void)state;
	buffer_u32(&buffer, 0);
	assert_true(buffer.failed);
	assert_int_equal(buffer.length, 0);
	buffer_u8(&buffer, 0); /* once failed, it stays failed */
	assert_null(buffer_room(&buffer, 0));
	assert_memory_equal(memory, "\x09\x09\x09\x09", 4);
	buffer = buffer_over(memory, 3);
	assert_null(buffer_room(&buffer, SIZE_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spans),
		cmocka_unit_test(a_cursor_reads_big_endian),
		cmocka_unit_test(a_cursor_stays_where_it_failed),
		cmocka_unit_test(a_buffer_writes_big_endian),
		cmocka_unit_test(a_buffer_writes_nothing_past_its_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

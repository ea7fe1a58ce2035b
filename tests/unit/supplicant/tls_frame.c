#include "supplicant/tls_frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define LENGTH 0x80
#define MORE   0x40
#define START  0x20

struct frames {
	struct rg_tls_frame frame;
	BIO *bio;
	const char *why;
};

static void open_frames(struct frames *frames)
{
	memset(frames, 0, sizeof(*frames));
	frames->bio = BIO_new(BIO_s_mem());
	frames->frame.started = true;
}

/* A Request of these flags, that announced length if they say so, and so much data. */
static enum rg_tls_frame_event in(struct frames *frames, uint8_t flags, uint32_t total, size_t data)
{
	static uint8_t memory[70000];
	struct rg_buffer out = buffer_over(memory, sizeof(memory));
	buffer_u8(&out, flags);
	if (flags & LENGTH)
		buffer_u32(&out, total);
	buffer_room(&out, data);
	return tls_frame_in(&frames->frame, buffer_span(&out), frames->bio, &frames->why);
}

static void expect_broken(struct frames *frames, enum rg_tls_frame_event event)
{
	assert_int_equal(event, RG_TLS_FRAME_BROKEN);
	assert_non_null(frames->why);
	BIO_free(frames->bio);
}

static void fragments_come_together(void **state)
{
	struct frames frames;
	(void)state;
	open_frames(&frames);
	assert_int_equal(in(&frames, LENGTH | MORE, 250, 100), RG_TLS_FRAME_MORE);
	assert_int_equal(in(&frames, MORE, 0, 100), RG_TLS_FRAME_MORE);
	assert_int_equal(in(&frames, 0, 0, 50), RG_TLS_FRAME_COMPLETE);
	assert_int_equal(BIO_ctrl_pending(frames.bio), 250);
	/* And the next message after it, without a length. */
	assert_int_equal(in(&frames, 0, 0, 10), RG_TLS_FRAME_COMPLETE);
	assert_int_equal(BIO_ctrl_pending(frames.bio), 260);
	BIO_free(frames.bio);
}

static void E1_frames_that_must_not_come(void **state)
{
	struct frames frames;
	(void)state;
	open_frames(&frames);
	expect_broken(&frames, in(&frames, 0, 0, 0)); /* an ACK for nothing */
	open_frames(&frames);
	expect_broken(&frames, in(&frames, START, 0, 0)); /* a second Start */
	open_frames(&frames);
	frames.frame.started = false;
	expect_broken(&frames, in(&frames, 0, 0, 10));
	open_frames(&frames);
	expect_broken(&frames,
		      tls_frame_in(&frames.frame, span_of(NULL, 0), frames.bio, &frames.why));
	open_frames(&frames);
	const uint8_t cut[] = {LENGTH, 0, 0};
	expect_broken(&frames,
		      tls_frame_in(&frames.frame, span_of(cut, 3), frames.bio, &frames.why));
}

static void E2_lengths_that_lie(void **state)
{
	struct frames frames;
	(void)state;
	open_frames(&frames);
	expect_broken(&frames, in(&frames, LENGTH, 9, 10));
	open_frames(&frames);
	expect_broken(&frames, in(&frames, LENGTH, 11, 10));
	open_frames(&frames);
	expect_broken(&frames, in(&frames, LENGTH | MORE, 9, 10));
	open_frames(&frames);
	expect_broken(&frames, in(&frames, LENGTH | MORE, 65537, 10));
	open_frames(&frames);
	expect_broken(&frames, in(&frames, LENGTH | MORE, UINT32_MAX, 10));
	open_frames(&frames);
	assert_int_equal(in(&frames, LENGTH | MORE, 100, 10), RG_TLS_FRAME_MORE);
	expect_broken(&frames, in(&frames, LENGTH | MORE, 101, 10));
	open_frames(&frames);
	enum rg_tls_frame_event event = RG_TLS_FRAME_MORE;
	for (int i = 0; i < 70 && event == RG_TLS_FRAME_MORE; i++)
		event = in(&frames, MORE, 0, 1000);
	expect_broken(&frames, event);
}

static void sends_in_pieces(void **state)
{
	struct frames frames;
	uint8_t memory[64];
	(void)state;
	open_frames(&frames);
	uint8_t data[100] = {1};
	BIO_write(frames.bio, data, sizeof(data));
	struct rg_buffer out = buffer_over(memory, sizeof(memory));
	tls_frame_out(&frames.frame, frames.bio, 50, &out);
	assert_int_equal(out.length, 50);
	assert_int_equal(memory[0], LENGTH | MORE);
	assert_int_equal(memory[4], 100);
	/* Data where an ACK is owed is refused; the ACK brings the rest. */
	assert_int_equal(in(&frames, 0, 0, 0), RG_TLS_FRAME_NEXT);
	out = buffer_over(memory, sizeof(memory));
	tls_frame_out(&frames.frame, frames.bio, 50, &out);
	assert_int_equal(memory[0], MORE);
	assert_int_equal(out.length, 50);
	assert_int_equal(in(&frames, 0, 0, 0), RG_TLS_FRAME_NEXT);
	out = buffer_over(memory, sizeof(memory));
	tls_frame_out(&frames.frame, frames.bio, 50, &out);
	assert_int_equal(memory[0], 0);
	assert_int_equal(out.length, 1 + 100 - 45 - 49);
	out = buffer_over(memory, sizeof(memory));
	tls_frame_out(&frames.frame, frames.bio, 50, &out);
	assert_int_equal(out.length, 1);
	assert_false(out.failed);
	BIO_free(frames.bio);
}

static void E1_data_where_an_ack_is_owed(void **state)
{
	struct frames frames;
	uint8_t memory[64], data[100] = {1};
	(void)state;
	open_frames(&frames);
	BIO_write(frames.bio, data, sizeof(data));
	struct rg_buffer out = buffer_over(memory, sizeof(memory));
	tls_frame_out(&frames.frame, frames.bio, 50, &out);
	expect_broken(&frames, in(&frames, 0, 0, 5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fragments_come_together),
		cmocka_unit_test(E1_frames_that_must_not_come),
		cmocka_unit_test(E2_lengths_that_lie),
		cmocka_unit_test(sends_in_pieces),
		cmocka_unit_test(E1_data_where_an_ack_is_owed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

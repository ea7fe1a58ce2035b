/* The engine against the sink, each in a thread of its own. */
#include "load/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <pthread.h>
#include <unistd.h>

#include "core/clock.h"
#include "load/sink.h"
#include "transport/udp.h"

static atomic_int sink_stop, load_stop;

struct sink {
	struct rg_sink_settings settings;
	struct rg_sink_tally tally;
	struct rg_radius_key *key;
	int fd;
	pthread_t thread;
	struct sockaddr_in address;
};

static void *serve(void *context)
{
	struct sink *sink = context;
	return sink_run(&sink->settings, sink->fd, &sink->tally) ? sink : NULL;
}

static void sink_begin(struct sink *sink, const char *secret)
{
	socklen_t length = sizeof(sink->address);
	sink->address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {0x0100007f}};
	sink->key = radius_key_new(span_text(secret));
	sink->settings.key = sink->key;
	sink->settings.stop = &sink_stop;
	sink_stop = 0;
	sink->fd = udp_listen((const struct sockaddr *)&sink->address, true);
	assert_true(sink->fd >= 0);
	assert_int_equal(getsockname(sink->fd, (struct sockaddr *)&sink->address, &length), 0);
	assert_int_equal(pthread_create(&sink->thread, NULL, serve, sink), 0);
}

static void sink_end(struct sink *sink)
{
	void *served;
	sink_stop = 1;
	pthread_join(sink->thread, &served);
	assert_non_null(served);
	close(sink->fd);
	radius_key_free(&sink->key);
}

static struct rg_load_tally tally;

/* Visitors against that sink. */
static void load(const struct sink *sink, struct rg_load_settings settings)
{
	struct rg_radius_key *key = radius_key_new(span_text("geheim"));
	const struct rg_visitor_settings visitor = {.key = key, .called = "02-00-00-00-00-01:x"};
	const char *why;
	settings.server = (const struct sockaddr *)&sink->address;
	settings.script = &script_visitor;
	settings.script_settings = &visitor;
	settings.pattern = "visitor%u@elders.nl";
	settings.identities = 100;
	settings.stop = &load_stop;
	if (settings.timeout_ns == 0)
		settings.timeout_ns = 60 * RG_SECOND;
	assert_true(load_run(&settings, &tally, &why));
	radius_key_free(&key);
}

static void all_are_accepted_and_their_keys_open(void **state)
{
	struct sink sink = {.settings = {.delay_ns = 0}};
	(void)state;
	sink_begin(&sink, "geheim");
	load(&sink, (struct rg_load_settings){.count = 3000, .outstanding = 500, .ports = 2});
	sink_end(&sink);
	assert_int_equal(tally.begun, 3000);
	assert_int_equal(tally.accepted, 3000);
	assert_int_equal(tally.keys_verified, 3000);
	assert_int_equal(tally.sign_ins.count, 3000);
	assert_int_equal(tally.round_trips, 3000);
	assert_int_equal(tally.refused + tally.failed + tally.lost, 0);
	assert_true(tally.ignored <= tally.repeats); /* answers to what a slow machine asked twice */
	assert_int_equal(sink.tally.ignored, 0);
}

static void the_warm_up_is_not_counted(void **state)
{
	struct sink sink = {.settings = {.delay_ns = 0}};
	(void)state;
	sink_begin(&sink, "geheim");
	load(&sink, (struct rg_load_settings){
			    .count = 10, .outstanding = 20, .ports = 1, .warm_up_each = true});
	sink_end(&sink);
	assert_int_equal(tally.begun, 10);
	assert_int_equal(tally.accepted, 10);
	assert_int_equal(sink.tally.answered, 30);
}

static void rejects_are_refusals_of_one_kind(void **state)
{
	struct sink sink = {.settings = {.reject = true}};
	(void)state;
	sink_begin(&sink, "geheim");
	load(&sink, (struct rg_load_settings){.count = 50, .outstanding = 10, .ports = 1});
	sink_end(&sink);
	assert_int_equal(tally.refused, 50);
	assert_int_equal(tally.kinds[0].count, 50);
	assert_int_equal(tally.kinds[1].count, 0);
	assert_string_equal(tally.kinds[0].why, "rejected");
}

static void answers_are_late_by_the_delay(void **state)
{
	struct sink sink = {.settings = {.delay_ns = 30 * RG_MS}};
	(void)state;
	sink_begin(&sink, "geheim");
	load(&sink, (struct rg_load_settings){.count = 20, .outstanding = 10, .ports = 1});
	sink_end(&sink);
	assert_int_equal(tally.accepted, 20);
	assert_true(tally.answers.least_ns >= 30 * RG_MS);
}

/* One at a time, each of 30 ms, where a thousand a second are due: the last one waits for all. */
static void at_a_rate_time_runs_from_when_a_sign_in_was_due(void **state)
{
	struct sink sink = {.settings = {.delay_ns = 30 * RG_MS}};
	(void)state;
	sink_begin(&sink, "geheim");
	load(&sink,
	     (struct rg_load_settings){.count = 5, .outstanding = 1, .ports = 1, .rate = 1000});
	sink_end(&sink);
	assert_int_equal(tally.accepted, 5);
	assert_true(tally.sign_ins.most_ns >= 140 * RG_MS);
}

static void a_rate_is_not_exceeded(void **state)
{
	struct sink sink = {.settings = {.delay_ns = 0}};
	(void)state;
	sink_begin(&sink, "geheim");
	load(&sink,
	     (struct rg_load_settings){.count = 21, .outstanding = 21, .ports = 1, .rate = 200});
	sink_end(&sink);
	assert_int_equal(tally.accepted, 21);
	assert_true(tally.elapsed_ns >= 100 * RG_MS);
}

static void silence_is_loss_and_ends(void **state)
{
	struct sink sink = {.settings = {.loss = 1}};
	(void)state;
	sink_begin(&sink, "geheim");
	load(&sink, (struct rg_load_settings){
			    .count = 5, .outstanding = 5, .ports = 1, .timeout_ns = 50 * RG_MS});
	sink_end(&sink);
	assert_int_equal(tally.lost, 5);
	assert_int_equal(tally.accepted, 0);
	assert_int_equal(sink.tally.dropped, 5);
	assert_false(tally.nobody_there);
}

static void a_lost_request_is_asked_again(void **state)
{
	struct sink sink = {.settings = {.loss = 0.5}};
	(void)state;
	sink_begin(&sink, "geheim");
	load(&sink, (struct rg_load_settings){
			    .count = 20, .outstanding = 20, .ports = 1, .repeat_ns = 20 * RG_MS});
	sink_end(&sink);
	assert_int_equal(tally.accepted, 20);
	assert_true(tally.repeats >= sink.tally.dropped); /* a slow machine asks again as well */
}

static void an_answer_with_another_secret_counts_for_nothing(void **state)
{
	struct sink sink = {.settings = {.delay_ns = 0}};
	(void)state;
	sink_begin(&sink, "ander");
	load(&sink, (struct rg_load_settings){
			    .count = 5, .outstanding = 5, .ports = 1, .timeout_ns = 50 * RG_MS});
	sink_end(&sink);
	assert_int_equal(tally.lost, 5);
	assert_int_equal(sink.tally.ignored, 5);
}

static void nobody_there_is_said_at_once(void **state)
{
	struct sink sink = {.settings = {.delay_ns = 0}};
	(void)state;
	sink_begin(&sink, "geheim");
	sink_end(&sink);
	load(&sink, (struct rg_load_settings){.count = 100, .outstanding = 5, .ports = 1});
	assert_true(tally.nobody_there);
	assert_int_equal(tally.accepted, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_are_accepted_and_their_keys_open),
		cmocka_unit_test(the_warm_up_is_not_counted),
		cmocka_unit_test(rejects_are_refusals_of_one_kind),
		cmocka_unit_test(answers_are_late_by_the_delay),
		cmocka_unit_test(at_a_rate_time_runs_from_when_a_sign_in_was_due),
		cmocka_unit_test(a_rate_is_not_exceeded),
		cmocka_unit_test(silence_is_loss_and_ends),
		cmocka_unit_test(a_lost_request_is_asked_again),
		cmocka_unit_test(an_answer_with_another_secret_counts_for_nothing),
		cmocka_unit_test(nobody_there_is_said_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

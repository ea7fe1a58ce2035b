/* From a worker's hand to log, counters, trace and metrics. */
#include "observe/observe.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "core/clock.h"
#include "core/log.h"
#include "exposition.h"
#include "observe/packed.h"
#include "observe/ring.h"
#include "observe/tally.h"

#define WORKERS 4

static char log_path[] = "/tmp/observe-test-XXXXXX";

static int setup(void **state)
{
	(void)state;
	if (truncate(log_path, 0) < 0 || !log_open(log_path, RG_LOG_INFO, RG_LOG_TEXT))
		return -1;
	return observe_open(WORKERS, 64) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	observe_close();
	log_close();
	return 0;
}

static void signin_make(struct rg_signin *signin, const char *outer, const char *label,
			enum rg_result result, enum rg_reason reason, uint32_t total_us)
{
	signin_begin(signin, clock_now());
	snprintf(signin->outer, sizeof(signin->outer), "%s", outer);
	snprintf(signin->label, sizeof(signin->label), "%s", label);
	signin->result = result;
	signin->reason = reason;
	signin->total_us = total_us;
}

static void hand_in(unsigned worker, const char *outer, const char *label, enum rg_result result,
		    enum rg_reason reason, uint32_t total_us)
{
	struct rg_signin signin;
	signin_make(&signin, outer, label, result, reason, total_us);
	observe_signin(observe_ring(worker), &signin);
}

static uint64_t ended(void)
{
	const char *label, *reason;
	json_t *reasons, *number, *signins = observe_signins_json();
	uint64_t sum = 0;
	json_object_foreach(signins, label, reasons)
		json_object_foreach(reasons, reason, number)
			sum += (uint64_t)json_integer_value(number);
	json_decref(signins);
	return sum;
}

static void await(uint64_t count)
{
	while (ended() < count)
		usleep(1000);
}

static void counts_by_label_and_reason(void **state)
{
	(void)state;
	hand_in(0, "a@x.nl", "x.nl", RG_RESULT_ACCEPT, RG_REASON_ACCEPTED, 1000);
	hand_in(1, "b@x.nl", "x.nl", RG_RESULT_ACCEPT, RG_REASON_ACCEPTED, 1000);
	hand_in(2, "c@x.nl", "x.nl", RG_RESULT_REJECT, RG_REASON_PASSWORD_WRONG, 1000);
	hand_in(3, "d@y.nl", "visitor", RG_RESULT_NO_ANSWER, RG_REASON_UPSTREAM_TIMEOUT, 1000);
	hand_in(3, "e", "", RG_RESULT_REJECT, RG_REASON_REALM_MALFORMED, 1000);
	await(5);
	json_t *signins = observe_signins_json();
	json_t *wanted = json_pack("{s:{s:i,s:i}, s:{s:i}, s:{s:i}}", "x.nl", "accepted", 2,
				   "password-wrong", 1, "visitor", "upstream-timeout", 1, "-",
				   "realm-malformed", 1);
	assert_true(json_equal(signins, wanted));
	json_decref(wanted);
	json_decref(signins);
}

static void one_log_line_a_sign_in(void **state)
{
	char line[4096];
	size_t lines = 0;
	(void)state;
	hand_in(0, "a@x.nl", "x.nl", RG_RESULT_ACCEPT, RG_REASON_ACCEPTED, 1000);
	hand_in(0, "evil\nsign-in id=1@x.nl", "x.nl", RG_RESULT_REJECT, RG_REASON_REALM_MALFORMED, 1000);
	await(2);
	log_close();
	FILE *file = fopen(log_path, "r");
	for (; fgets(line, sizeof(line), file); lines++)
		assert_non_null(strstr(line, "Z info sign-in id="));
	assert_non_null(strstr(line, "outer=\"evil\\x0asign-in id=1@x.nl\""));
	fclose(file);
	assert_int_equal(lines, 2);
}

static void trace_answers_and_follows(void **state)
{
	uint64_t last = 0;
	(void)state;
	hand_in(0, "a@x.nl", "x.nl", RG_RESULT_ACCEPT, RG_REASON_ACCEPTED, 1000);
	hand_in(0, "b@x.nl", "x.nl", RG_RESULT_ACCEPT, RG_REASON_ACCEPTED, 1000);
	await(2);
	json_t *found = observe_trace_json("A@X.nl", 10, 0, &last);
	assert_int_equal(json_array_size(found), 1);
	assert_int_equal(last, 2);
	json_decref(found);
	hand_in(0, "a@x.nl", "x.nl", RG_RESULT_REJECT, RG_REASON_OVERLOAD, 1000);
	await(3);
	found = observe_trace_json("a@x.nl", 10, last, &last);
	assert_int_equal(json_array_size(found), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(found, 0), "reason")),
			    "overload");
	assert_int_equal(last, 3);
	json_decref(found);
}

static void a_full_ring_takes_no_more_and_keeps_what_it_has(void **state)
{
	struct rg_ring ring;
	struct rg_signin signin;
	(void)state;
	assert_true(ring_init(&ring));
	atomic_store(&ring.head, UINT32_MAX - 3); /* across the counters' end */
	atomic_store(&ring.tail, UINT32_MAX - 3);
	signin_begin(&signin, 0);
	unsigned held = 0, taken = 0;
	for (unsigned round = 0; round < 5; round++) { /* records end where the ring does, and short of it */
		for (; signin.total_us = held, ring_put(&ring, &signin); held++)
			snprintf(signin.outer, sizeof(signin.outer), "%0*u", (int)(held % 250),
				 held);
		assert_true(held - taken > 300);
		for (; taken < held; taken++) {
			static struct rg_signin copy;
			assert_int_equal(ring_oldest(&ring)->total_us, taken);
			signin_unpack(&copy, ring_oldest_packed(&ring).data);
			assert_int_equal(copy.total_us, taken);
			ring_drop(&ring);
		}
		assert_null(ring_oldest(&ring));
		assert_true(ring_empty(&ring));
	}
	ring_destroy(&ring);
}

static void a_record_comes_out_as_it_went_in(void **state)
{
	static uint8_t packed[RG_PACKED_MOST];
	static struct rg_signin in, out;
	(void)state;
	signin_begin(&in, 7);
	signin_pack(&in, packed);
	signin_unpack(&out, packed);
	assert_memory_equal(&in, &out, offsetof(struct rg_signin, steps));
	assert_int_equal(out.steps, 0);
	/* Every field full. */
	memset(in.outer, 'o', sizeof(in.outer) - 1);
	memset(in.inner, 'i', sizeof(in.inner) - 1);
	memset(in.client, 'c', sizeof(in.client) - 1);
	memset(in.site, 's', sizeof(in.site) - 1);
	memset(in.called, 'd', sizeof(in.called) - 1);
	memset(in.realm, 'r', sizeof(in.realm) - 1);
	memset(in.label, 'l', sizeof(in.label) - 1);
	memset(in.method, 'm', sizeof(in.method) - 1);
	memset(in.tls, 't', sizeof(in.tls) - 1);
	memset(in.mac, 'a', sizeof(in.mac) - 1);
	memset(in.detail, 'e', sizeof(in.detail) - 1);
	in.resumed = true;
	in.result = RG_RESULT_REJECT;
	in.reason = RG_REASON_OVERLOAD;
	in.total_us = in.tls_us = in.directory_us = in.upstream_us = UINT32_MAX;
	for (unsigned i = 0; i < RG_STEPS_MOST + 1; i++)
		signin_step(&in, "step", "%0*u", RG_STEP_DETAIL - 1, i);
	assert_true(signin_pack(&in, packed) <= RG_PACKED_MOST);
	signin_unpack(&out, packed);
	assert_memory_equal(&in, &out, offsetof(struct rg_signin, step));
	for (unsigned i = 0; i < RG_STEPS_MOST; i++) {
		assert_string_equal(in.step[i].detail, out.step[i].detail);
		assert_string_equal(out.step[i].step, "step");
		assert_int_equal(in.step[i].us, out.step[i].us);
	}
}

struct producer {
	unsigned worker;
	pthread_t thread;
};

static void *produce(void *argument)
{
	const struct producer *producer = argument;
	struct rg_signin signin;
	signin_make(&signin, "a@x.nl", "x.nl", RG_RESULT_ACCEPT, RG_REASON_ACCEPTED, 500);
	for (unsigned i = 0; i < 5000; i++) {
		if (i % 3 == 0)
			signin_step(&signin, "round", "%u", i);
		observe_signin(observe_ring(producer->worker), &signin);
	}
	return NULL;
}

/* Nothing is lost without being counted, whoever reads meanwhile. */
static void overflow_is_counted(void **state)
{
	struct producer producers[WORKERS];
	uint64_t lost = counters_sum(RG_COUNT_OBSERVE_LOST);
	(void)state;
	for (unsigned i = 0; i < WORKERS; i++) {
		producers[i].worker = i;
		assert_int_equal(pthread_create(&producers[i].thread, NULL, produce, &producers[i]), 0);
	}
	for (int i = 0; i < 20; i++) {
		json_decref(observe_trace_json("a@x.nl", 5, 0, NULL));
		free(observe_metrics_text());
	}
	for (unsigned i = 0; i < WORKERS; i++)
		pthread_join(producers[i].thread, NULL);
	lost = counters_sum(RG_COUNT_OBSERVE_LOST) - lost;
	await(WORKERS * 5000 - lost);
	assert_int_equal(ended(), WORKERS * 5000 - lost);
}

static void closing_drains(void **state)
{
	char line[4096];
	size_t lines = 0;
	(void)state;
	for (int i = 0; i < 300; i++)
		hand_in(0, "a@x.nl", "x.nl", RG_RESULT_ACCEPT, RG_REASON_ACCEPTED, 1000);
	observe_close();
	log_close();
	FILE *file = fopen(log_path, "r");
	while (fgets(line, sizeof(line), file))
		lines++;
	fclose(file);
	assert_int_equal(lines, 300);
	assert_null(observe_ring(0));
	observe_signin(NULL, NULL);
	assert_int_equal(ended(), 0);
}

static struct exposition metrics(void)
{
	struct exposition exposition;
	char *text = observe_metrics_text();
	assert_non_null(text);
	exposition_read(&exposition, text);
	assert_string_equal(exposition.error, "");
	free(text);
	return exposition;
}

static void add_gauge(void *context, void *file)
{
	char label[64];
	metrics_label(label, sizeof(label), context);
	fprintf(file, "# HELP roamgate_peer_up Whether it answers.\n# TYPE roamgate_peer_up gauge\n"
		      "roamgate_peer_up{peer=\"%s\"} 1\n", label);
}

static void metrics_are_well_formed(void **state)
{
	(void)state;
	count(counters_of(1), RG_COUNT_DROP_NOT_SERVED);
	count(counters_of(2), RG_COUNT_DROP_NOT_SERVED);
	count(counters_of(RG_WORKERS_MOST), (enum rg_counter)(RG_COUNT_FAULT + RG_PACKET_SHORT));
	hand_in(0, "a@x.nl", "x.nl", RG_RESULT_ACCEPT, RG_REASON_ACCEPTED, 1000);
	hand_in(0, "a@x.nl", "x.nl", RG_RESULT_ACCEPT, RG_REASON_ACCEPTED, 1001);
	hand_in(0, "a@x.nl", "x.nl", RG_RESULT_REJECT, RG_REASON_PASSWORD_WRONG, 90000000);
	await(3);
	observe_metrics_gauges(add_gauge, (void *)"a\"b\\c\nd");
	struct exposition all = metrics();
	observe_metrics_gauges(NULL, NULL);
	assert_int_equal(exposition_value(&all, "roamgate_sign_ins_total{realm=\"x.nl\",reason=\"accepted\"}"), 2);
	assert_int_equal(exposition_value(&all, "roamgate_dropped_total{reason=\"not-served\"}"), 2);
	assert_int_equal(exposition_value(&all, "roamgate_malformed_total{fault=\"short\"}"), 1);
	assert_int_equal(exposition_value(&all, "roamgate_build_info{version=\"" PACKAGE_VERSION "\"}"), 1);
	assert_int_equal(exposition_value(&all, "roamgate_peer_up{peer=\"a\\\\x22b\\\\x5cc\\\\x0ad\"}"), 1);
	/* A bound belongs to its bucket; what lies beyond all of them is in +Inf alone. */
	assert_int_equal(exposition_value(&all, "roamgate_sign_in_seconds_bucket{result=\"accept\",le=\"0.001\"}"), 1);
	assert_int_equal(exposition_value(&all, "roamgate_sign_in_seconds_bucket{result=\"accept\",le=\"0.0025\"}"), 2);
	assert_int_equal(exposition_value(&all, "roamgate_sign_in_seconds_bucket{result=\"reject\",le=\"30\"}"), 0);
	assert_int_equal(exposition_value(&all, "roamgate_sign_in_seconds_bucket{result=\"reject\",le=\"+Inf\"}"), 1);
	assert_int_equal(exposition_value(&all, "roamgate_sign_in_seconds_count{result=\"reject\"}"), 1);
	assert_int_equal(exposition_value(&all, "roamgate_sign_in_seconds_sum{result=\"reject\"}"), 90);
	exposition_free(&all);
}

static void every_counter_is_in_the_metrics(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RG_COUNTERS; i++) {
		if (i == RG_COUNT_FAULT + RG_PACKET_OK)
			continue;
		assert_non_null(counter_word((enum rg_counter)i));
		struct exposition before = metrics();
		count(counters_of(0), (enum rg_counter)i);
		struct exposition after = metrics();
		unsigned differ = 0;
		for (size_t j = 0; j < before.count; j++)
			differ += before.samples[j].value != after.samples[j].value;
		assert_int_equal(before.count, after.count);
		assert_int_equal(differ, 1);
		exposition_free(&before);
		exposition_free(&after);
	}
}

static void O8_labels_are_bounded(void **state)
{
	struct rg_tally *tally = tally_new();
	struct rg_signin signin;
	char label[64];
	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		snprintf(label, sizeof(label), "realm-%u.example", i);
		signin_make(&signin, "a", label, RG_RESULT_REJECT, RG_REASON_REALM_UNKNOWN, 1);
		tally_add(tally, &signin);
	}
	assert_int_equal(tally->labels, RG_LABELS_MOST);
	assert_int_equal(tally->other.count[RG_REASON_REALM_UNKNOWN], 100000 - RG_LABELS_MOST);
	/* One that was there first still has its own row. */
	signin_make(&signin, "a", "realm-7.example", RG_RESULT_ACCEPT, RG_REASON_ACCEPTED, 1);
	tally_add(tally, &signin);
	assert_int_equal(tally->other.count[RG_REASON_ACCEPTED], 0);
	tally_free(&tally);
	assert_null(tally);
}

/* Names from outside are in no metric at all. */
static void O7_names_are_in_no_metric(void **state)
{
	(void)state;
	hand_in(0, "s3cret-name@x.nl", "x.nl", RG_RESULT_ACCEPT, RG_REASON_ACCEPTED, 1000);
	await(1);
	char *text = observe_metrics_text();
	assert_null(strstr(text, "s3cret-name"));
	free(text);
}

static void the_reader_of_metrics_is_strict(void **state)
{
	static const char *const broken[] = {
		"a 1\n",
		"# HELP a x\na 1\n",
		"# HELP a_total x\n# TYPE a_total counter\na_total{b=\"c} 1\n",
		"# HELP a_total x\n# TYPE a_total counter\na_total{b=\"\\x\"} 1\n",
		"# HELP a_total x\n# TYPE a_total counter\na_total 1\na_total 2\n",
		"# HELP a x\n# TYPE a counter\na 1\n",
		"# HELP a x\n# TYPE a gauge\na one\n",
		"# HELP a x\n# TYPE a gauge\nb 1\n",
		"# HELP a x\n# TYPE a gauge\na 1",
		"# HELP a x\n# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\n",
		"# HELP a x\n# TYPE a histogram\na_bucket{le=\"1\"} 2\na_sum 1\na_count 2\n",
		"# HELP a x\n# TYPE a histogram\na_bucket{le=\"+Inf\"} 2\na_sum 1\na_count 3\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct exposition exposition;
		exposition_read(&exposition, broken[i]);
		assert_string_not_equal(exposition.error, "");
		exposition_free(&exposition);
	}
}

#define WITH_OBSERVER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_OBSERVER(counts_by_label_and_reason),
		WITH_OBSERVER(one_log_line_a_sign_in),
		WITH_OBSERVER(trace_answers_and_follows),
		cmocka_unit_test(a_record_comes_out_as_it_went_in),
		cmocka_unit_test(a_full_ring_takes_no_more_and_keeps_what_it_has),
		WITH_OBSERVER(overflow_is_counted),
		WITH_OBSERVER(closing_drains),
		cmocka_unit_test(the_reader_of_metrics_is_strict),
		WITH_OBSERVER(metrics_are_well_formed),
		WITH_OBSERVER(every_counter_is_in_the_metrics),
		cmocka_unit_test(O8_labels_are_bounded),
		WITH_OBSERVER(O7_names_are_in_no_metric),
	};
	int fd = mkstemp(log_path);
	alarm(300); /* what waits for ever fails */
	if (fd < 0)
		return 1;
	close(fd);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(log_path);
	return failed;
}

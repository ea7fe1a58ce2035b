/* What `roamgate load` reports, for people and for machines. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "command/load.h"
#include "command/show.h"
#include "core/clock.h"
#include "core/text.h"

#define BAR 40

static double per(double amount, uint64_t count)
{
	return count ? amount / (double)count : 0;
}

static double a_second(const struct rg_load_tally *tally)
{
	return per((double)tally->sign_ins.count * RG_SECOND, tally->elapsed_ns);
}

static uint64_t process_cpu_ns(const struct rg_load_tally *tally)
{
	return tally->process_after.cpu_ns - tally->process_before.cpu_ns;
}

/* "840 µs", "1.23 ms", "2.1 s". */
static const char *span_words(char out[32], uint64_t ns)
{
	if (ns < RG_MS)
		snprintf(out, 32, "%.0f µs", (double)ns / 1e3);
	else if (ns < RG_SECOND)
		snprintf(out, 32, "%.2f ms", (double)ns / 1e6);
	else
		snprintf(out, 32, "%.2f s", (double)ns / 1e9);
	return out;
}

static void print_quantiles(const char *what, const struct rg_histogram *histogram)
{
	char p50[32], p90[32], p99[32], most[32];
	printf("%-14s p50 %s, p90 %s, p99 %s, longest %s\n", what,
	       span_words(p50, histogram_quantile(histogram, 0.5)),
	       span_words(p90, histogram_quantile(histogram, 0.9)),
	       span_words(p99, histogram_quantile(histogram, 0.99)),
	       span_words(most, histogram->most_ns));
}

/* How many took less than that, and no less than half of it. */
static uint64_t between_doublings(const struct rg_histogram *histogram, uint64_t end_ns)
{
	uint64_t count = 0;
	for (unsigned i = 0; i < RG_HISTOGRAM_BUCKETS; i++) {
		uint64_t end = histogram_end_ns(i);
		if (end > end_ns / 2 && end <= end_ns)
			count += histogram->buckets[i];
	}
	return count;
}

static void print_histogram(const struct rg_histogram *histogram)
{
	uint64_t end_ns = 1024;
	while (end_ns <= histogram->least_ns)
		end_ns *= 2;
	for (; end_ns / 2 <= histogram->most_ns; end_ns *= 2) {
		char end[32];
		uint64_t count = between_doublings(histogram, end_ns);
		int bar = (int)per((double)(count * BAR), histogram->count);
		printf("  under %10s %10" PRIu64 " %5.1f %%  %.*s\n", span_words(end, end_ns),
		       count, per(100.0 * (double)count, histogram->count), bar,
		       "########################################");
	}
}

static void print_process(const struct rg_load_plan *plan, const struct rg_load_tally *tally)
{
	const struct rg_process_use *after = &tally->process_after;
	if (!plan->settings.pid)
		return;
	if (!tally->process_known) {
		printf("process        %d is not there, or is no more\n", plan->settings.pid);
		return;
	}
	printf("process        %d: %.2f µs CPU a sign-in, %.2f s in all (user %.2f, kernel %.2f); "
	       "memory %.1f MB, at most %.1f MB\n",
	       plan->settings.pid, per((double)process_cpu_ns(tally) / 1e3, tally->sign_ins.count),
	       (double)process_cpu_ns(tally) / 1e9,
	       (double)(after->user_ns - tally->process_before.user_ns) / 1e9,
	       (double)(after->system_ns - tally->process_before.system_ns) / 1e9,
	       (double)after->memory_kib / 1024, (double)after->memory_peak_kib / 1024);
}

void load_print(const struct rg_load_plan *plan, const struct rg_load_tally *tally)
{
	char shown[160];
	printf("%s: %" PRIu64 " sign-in%s in %.2f s, %.0f a second, %u under way from %u port%s\n",
	       plan->text, tally->begun, text_plural(tally->begun),
	       (double)tally->elapsed_ns / RG_SECOND, a_second(tally), plan->settings.outstanding,
	       plan->settings.ports, text_plural(plan->settings.ports));
	printf("accepted       %" PRIu64 " (keys verified %" PRIu64 ", resumed %" PRIu64 ")\n",
	       tally->accepted, tally->keys_verified, tally->resumed);
	printf("refused        %" PRIu64 "\n", tally->refused + tally->failed);
	for (const struct rg_load_kind *kind = tally->kinds;
	     kind < tally->kinds + RG_LOAD_KINDS && kind->count != 0; kind++)
		printf("  %10" PRIu64 "   %s\n", kind->count,
		       show_text(shown, sizeof(shown), kind->why));
	printf("lost           %" PRIu64 "%s\n", tally->lost,
	       tally->nobody_there ? ": nothing listens there" : "");
	if (tally->abandoned != 0)
		printf("abandoned      %" PRIu64 "\n", tally->abandoned);
	printf("requests       %.1f a sign-in; %" PRIu64 " sent again, %" PRIu64
	       " not taken by the kernel\n",
	       per((double)tally->round_trips, tally->begun), tally->repeats, tally->unsent);
	if (tally->ignored + tally->unasked != 0)
		printf("strange        %" PRIu64 " answers that do not verify, %" PRIu64
		       " that nobody waited for\n",
		       tally->ignored, tally->unasked);
	if (tally->sign_ins.count != 0) {
		print_quantiles("sign-in", &tally->sign_ins);
		print_quantiles("one answer", &tally->answers);
		print_histogram(&tally->sign_ins);
	}
	printf("load itself    %.2f µs CPU a sign-in\n",
	       per((double)tally->own_cpu_ns / 1e3, tally->sign_ins.count));
	print_process(plan, tally);
}

static json_t *latency_json(const struct rg_histogram *histogram)
{
	return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f}", "least",
			 (double)histogram->least_ns / 1e3, "mean",
			 per((double)histogram->sum_ns / 1e3, histogram->count), "p50",
			 (double)histogram_quantile(histogram, 0.5) / 1e3, "p90",
			 (double)histogram_quantile(histogram, 0.9) / 1e3, "p99",
			 (double)histogram_quantile(histogram, 0.99) / 1e3, "max",
			 (double)histogram->most_ns / 1e3);
}

static json_t *histogram_json(const struct rg_histogram *histogram)
{
	json_t *list = json_array();
	for (unsigned i = 0; i < RG_HISTOGRAM_BUCKETS; i++)
		if (histogram->buckets[i] != 0)
			json_array_append_new(list,
					      json_pack("{s:f, s:I}", "under_us",
							(double)histogram_end_ns(i) / 1e3, "count",
							(json_int_t)histogram->buckets[i]));
	return list;
}

static json_t *kinds_json(const struct rg_load_tally *tally)
{
	json_t *object = json_object();
	for (const struct rg_load_kind *kind = tally->kinds;
	     kind < tally->kinds + RG_LOAD_KINDS && kind->count != 0; kind++)
		json_object_set_new(object, kind->why, json_integer((json_int_t)kind->count));
	return object;
}

static json_t *process_json(const struct rg_load_plan *plan, const struct rg_load_tally *tally)
{
	const struct rg_process_use *before = &tally->process_before,
				    *after = &tally->process_after;
	if (!tally->process_known)
		return json_null();
	return json_pack("{s:i, s:f, s:f, s:f, s:I, s:I, s:I}", "pid", plan->settings.pid,
			 "cpu_us_per_sign_in",
			 per((double)process_cpu_ns(tally) / 1e3, tally->sign_ins.count), "user_s",
			 (double)(after->user_ns - before->user_ns) / 1e9, "kernel_s",
			 (double)(after->system_ns - before->system_ns) / 1e9, "memory_before_kib",
			 (json_int_t)before->memory_kib, "memory_kib",
			 (json_int_t)after->memory_kib, "memory_peak_kib",
			 (json_int_t)after->memory_peak_kib);
}

struct json_t *load_json(const struct rg_load_plan *plan, const struct rg_load_tally *tally)
{
	json_t *object = json_pack(
		"{s:s, s:s, s:i, s:i, s:f, s:f}", "server", plan->text, "kind", plan->kind,
		"outstanding", (int)plan->settings.outstanding, "ports", (int)plan->settings.ports,
		"elapsed_s", (double)tally->elapsed_ns / 1e9, "sign_ins_per_s", a_second(tally));
	const struct {
		const char *name;
		uint64_t value;
	} counts[] = {
		{"begun", tally->begun},
		{"accepted", tally->accepted},
		{"refused", tally->refused + tally->failed},
		{"lost", tally->lost},
		{"abandoned", tally->abandoned},
		{"resumed", tally->resumed},
		{"keys_verified", tally->keys_verified},
		{"repeats", tally->repeats},
		{"unsent", tally->unsent},
		{"answers_ignored", tally->ignored},
		{"answers_unasked", tally->unasked},
	};
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		json_object_set_new(object, counts[i].name,
				    json_integer((json_int_t)counts[i].value));
	json_t *rest = json_pack(
		"{s:o, s:b, s:f, s:o, s:o, s:o, s:f, s:o}", "refused_by_kind", kinds_json(tally),
		"nobody_there", tally->nobody_there, "round_trips_per_sign_in",
		per((double)tally->round_trips, tally->begun), "sign_in_us",
		latency_json(&tally->sign_ins), "answer_us", latency_json(&tally->answers),
		"sign_in_histogram", histogram_json(&tally->sign_ins), "load_cpu_us_per_sign_in",
		per((double)tally->own_cpu_ns / 1e3, tally->sign_ins.count), "process",
		process_json(plan, tally));
	json_object_update(object, rest);
	json_decref(rest);
	return object;
}

#include "observe/sinks.h"

#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/text.h"
#include "observe/observe.h"
#include "roamgate/sink.h"

struct sink {
	unsigned users; /* sets that it is in; main thread only */
	const struct rg_sink_kind *kind;
	void *opened;
	char digest[65];
};

struct rg_sink_set {
	size_t count;
	struct sink *sinks[];
};

/* Changed by the main thread alone, which may read it without the lock. */
static struct {
	pthread_mutex_t lock;
	struct rg_sink_set *set;
} in_use = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct sink *sink_find(const struct rg_sink_settings *settings)
{
	for (size_t i = 0; in_use.set && i < in_use.set->count; i++) {
		struct sink *sink = in_use.set->sinks[i];
		if (sink->kind == settings->module->ops.sink &&
		    strcmp(sink->digest, settings->digest) == 0)
			return sink;
	}
	return NULL;
}

static struct sink *sink_open(const struct rg_sink_settings *settings,
			      const struct rg_gateway *gateway, char *why)
{
	char reason[RG_SINK_WHY] = "out of memory";
	struct sink *sink = calloc(1, sizeof(*sink));
	const struct rg_sink_gateway place = {gateway->name, gateway->country};
	if (sink) {
		sink->kind = settings->module->ops.sink;
		snprintf(sink->digest, sizeof(sink->digest), "%s", settings->digest);
		sink->opened = sink->kind->open(settings->settings, &place, reason);
		if (sink->opened)
			return sink;
	}
	snprintf(why, 256, "%.40s:%u: %.30s: %s", settings->where.file, settings->where.line,
		 settings->module->ops.sink->group, reason);
	free(sink);
	return NULL;
}

struct rg_sink_set *sinks_prepare(const struct rg_raddb *raddb, char *why)
{
	struct rg_sink_set *set =
		calloc(1, sizeof(*set) + raddb->sink_count * sizeof(set->sinks[0]));
	if (!set) {
		snprintf(why, 256, "out of memory");
		return NULL;
	}
	for (size_t i = 0; i < raddb->sink_count; i++) {
		struct sink *sink = sink_find(&raddb->sinks[i]);
		if (!sink)
			sink = sink_open(&raddb->sinks[i], &raddb->gateway, why);
		if (!sink) {
			sinks_discard(&set);
			return NULL;
		}
		sink->users++;
		set->sinks[set->count++] = sink;
	}
	return set;
}

void sinks_discard(struct rg_sink_set **set)
{
	for (size_t i = 0; *set && i < (*set)->count; i++) {
		struct sink *sink = (*set)->sinks[i];
		if (--sink->users != 0)
			continue;
		sink->kind->close(sink->opened);
		free(sink);
	}
	free(*set);
	*set = NULL;
}

void sinks_use(struct rg_sink_set **set)
{
	struct rg_sink_set *former = in_use.set;
	pthread_mutex_lock(&in_use.lock);
	in_use.set = set ? *set : NULL;
	pthread_mutex_unlock(&in_use.lock);
	if (set)
		*set = NULL;
	sinks_discard(&former);
}

static enum rg_ended_as ended_as(enum rg_result result)
{
	switch (result) {
	case RG_RESULT_ACCEPT:
		return RG_ENDED_ACCEPTED;
	case RG_RESULT_REJECT:
		return RG_ENDED_REJECTED;
	case RG_RESULT_NONE:
	case RG_RESULT_NO_ANSWER:
		break;
	}
	return RG_ENDED_SILENT;
}

void sinks_take(const struct rg_signin *signin)
{
	const struct rg_ended ended = {
		.id = signin->id,
		.wall_ns = signin->wall_ns + signin->total_us * UINT64_C(1000),
		.total_us = signin->total_us,
		.as = ended_as(signin->result),
		.reason = signin->reason,
		.outer = signin->outer,
		.inner = signin->inner,
		.realm = signin->realm,
		.label = signin->label,
		.mac = signin->mac,
		.called = signin->called,
		.client = signin->client,
		.site = signin->site,
		.operator_name = signin->operator_name,
		.elsewhere = signin->elsewhere,
		.method = signin->method,
		.tls = signin->tls,
		.resumed = signin->resumed,
		.detail = signin->detail,
	};
	pthread_mutex_lock(&in_use.lock);
	for (size_t i = 0; in_use.set && i < in_use.set->count; i++)
		in_use.set->sinks[i]->kind->take(in_use.set->sinks[i]->opened, &ended);
	pthread_mutex_unlock(&in_use.lock);
}

static const char *state_word(enum rg_sink_state state)
{
	switch (state) {
	case RG_SINK_UNKNOWN:
		return "unknown";
	case RG_SINK_UP:
		return "up";
	case RG_SINK_DOWN:
		return "down";
	}
	return "?";
}

json_t *sinks_status_json(void)
{
	json_t *list = json_array();
	for (size_t i = 0; in_use.set && i < in_use.set->count; i++) {
		struct rg_sink_status status = {0};
		char since[32];
		in_use.set->sinks[i]->kind->status(in_use.set->sinks[i]->opened, &status);
		text_time(since, (uint64_t)status.since * RG_SECOND);
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "sink",
						in_use.set->sinks[i]->kind->group, "state",
						state_word(status.state), "why", status.why,
						"since", since, "sent", (json_int_t)status.sent,
						"dropped", (json_int_t)status.dropped, "waiting",
						(json_int_t)status.waiting));
	}
	return list;
}

/* One sample of each sink; more: its other labels. */
static void write_samples(FILE *out, const char *family, const char *more,
			  uint64_t (*value)(const struct rg_sink_status *))
{
	for (size_t i = 0; i < in_use.set->count; i++) {
		struct rg_sink_status status = {0};
		char label[64];
		in_use.set->sinks[i]->kind->status(in_use.set->sinks[i]->opened, &status);
		metrics_label(label, sizeof(label), in_use.set->sinks[i]->kind->group);
		fprintf(out, "roamgate_sink_%s{sink=\"%s\"%s} %llu\n", family, label, more,
			(unsigned long long)value(&status));
	}
}

static uint64_t is_up(const struct rg_sink_status *status)
{
	return status->state != RG_SINK_DOWN;
}

static uint64_t how_many_wait(const struct rg_sink_status *status)
{
	return status->waiting;
}

static uint64_t how_many_left(const struct rg_sink_status *status)
{
	return status->sent;
}

static uint64_t how_many_dropped(const struct rg_sink_status *status)
{
	return status->dropped;
}

void sinks_metrics(FILE *out)
{
	if (!in_use.set || in_use.set->count == 0)
		return;
	fputs("# HELP roamgate_sink_up Whether what a sink sends to takes it.\n"
	      "# TYPE roamgate_sink_up gauge\n",
	      out);
	write_samples(out, "up", "", is_up);
	fputs("# HELP roamgate_sink_waiting Records that have not left yet.\n"
	      "# TYPE roamgate_sink_waiting gauge\n",
	      out);
	write_samples(out, "waiting", "", how_many_wait);
	fputs("# HELP roamgate_sink_records_total Records that left, or for which there was no "
	      "room.\n"
	      "# TYPE roamgate_sink_records_total counter\n",
	      out);
	write_samples(out, "records_total", ",outcome=\"sent\"", how_many_left);
	write_samples(out, "records_total", ",outcome=\"dropped\"", how_many_dropped);
}

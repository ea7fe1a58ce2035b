#include "observe/metrics.h"

#include "core/log.h"
#include "core/text.h"
#include "observe/counter.h"
#include "observe/observe.h"

void metrics_label(char *out, size_t capacity, const char *value)
{
	char safe[1100];
	size_t used = 0;
	text_escape(safe, sizeof(safe), span_text(value));
	for (const char *at = safe; *at && used + 3 < capacity; at++) {
		if (*at == '\\' || *at == '"')
			out[used++] = '\\';
		out[used++] = *at;
	}
	out[used] = '\0';
}

static void head(FILE *file, const char *family, const char *type, const char *help)
{
	fprintf(file, "# HELP roamgate_%s %s\n# TYPE roamgate_%s %s\n", family, help, family, type);
}

void metrics_write_process(FILE *file)
{
	head(file, "build_info", "gauge", "The program that runs; its value is 1.");
	fprintf(file, "roamgate_build_info{version=\"%s\"} 1\n", PACKAGE_VERSION);
	head(file, "log_lines_lost_total", "counter",
	     "Log lines that were dropped or could not be written.");
	fprintf(file, "roamgate_log_lines_lost_total %llu\n", (unsigned long long)log_lost());
}

/* A counter that stands alone as a family. */
static const struct {
	enum rg_counter which;
	const char *family, *help;
} families[] = {
	{RG_COUNT_DATAGRAMS_IN, "datagrams_received_total", "Datagrams that came in, of any kind."},
	{RG_COUNT_DATAGRAMS_OUT, "datagrams_sent_total", "Datagrams that were sent."},
	{RG_COUNT_OVERFLOWED, "datagrams_overflowed_total", "Datagrams that came while a socket was full, and were lost."},
	{RG_COUNT_SEND_FAILED, "datagrams_send_failed_total", "Datagrams that the system would not send."},
	{RG_COUNT_REPEATED, "answers_repeated_total", "Duplicates that got the same answer again."},
	{RG_COUNT_REFORWARDED, "requests_reforwarded_total", "Duplicates that were sent on unchanged."},
	{RG_COUNT_ACCOUNTING_UNKEPT, "accounting_unkept_total",
	 "Accounting-Requests that nothing kept and that were left unacknowledged."},
	{RG_COUNT_FORWARDED, "upstream_requests_total", "Requests that were sent on to a peer."},
	{RG_COUNT_UPSTREAM_ANSWERS, "upstream_answers_total", "Genuine answers of peers."},
	{RG_COUNT_UPSTREAM_BAD, "upstream_bad_answers_total", "Answers forged, unsolicited or of a wrong code."},
	{RG_COUNT_UPSTREAM_LOST, "upstream_lost_total", "Requests that a peer did not answer in time."},
	{RG_COUNT_FAILOVERS, "upstream_failovers_total", "Requests that went to a later peer of their route."},
	{RG_COUNT_SESSIONS_BEGUN, "sessions_begun_total", "EAP conversations begun."},
	{RG_COUNT_SESSIONS_EVICTED, "sessions_evicted_total",
	 "EAP conversations that gave way because the table was full."},
	{RG_COUNT_HANDED_OVER, "requests_handed_over_total", "Requests handed over to another worker."},
	{RG_COUNT_OBSERVE_LOST, "records_lost_total", "Sign-ins whose record was dropped by a full ring."},
};

/* Counters that are one family, told apart by a label. */
static const struct {
	enum rg_counter which;
	const char *value;
} packets_in[] = {
	{RG_COUNT_ACCESS_REQUEST, "access-request"},
	{RG_COUNT_ACCOUNTING_REQUEST, "accounting-request"},
	{RG_COUNT_STATUS_SERVER, "status-server"},
}, packets_out[] = {
	{RG_COUNT_ACCEPT, "access-accept"},
	{RG_COUNT_REJECT, "access-reject"},
	{RG_COUNT_CHALLENGE, "access-challenge"},
	{RG_COUNT_ACCOUNTING_RESPONSE, "accounting-response"},
}, drops[] = {
	{RG_COUNT_DROP_UNKNOWN_CLIENT, "unknown-client"},
	{RG_COUNT_DROP_MALFORMED, "malformed"},
	{RG_COUNT_DROP_AUTHENTICATOR, "authenticator"},
	{RG_COUNT_DROP_NO_MESSAGE_AUTHENTICATOR, "no-message-authenticator"},
	{RG_COUNT_DROP_NOT_SERVED, "not-served"},
	{RG_COUNT_DROP_DUPLICATE, "duplicate"},
	{RG_COUNT_DROP_WRONG_EAP_ID, "wrong-eap-id"},
	{RG_COUNT_DROP_OVERLOAD, "overload"},
};

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

static void sample(FILE *file, const char *family, const char *key, const char *value,
		   enum rg_counter which)
{
	fprintf(file, "roamgate_%s{%s=\"%s\"} %llu\n", family, key, value,
		(unsigned long long)counters_sum(which));
}

void metrics_write_counters(FILE *file)
{
	for (size_t i = 0; i < LENGTH_OF(families); i++) {
		head(file, families[i].family, "counter", families[i].help);
		fprintf(file, "roamgate_%s %llu\n", families[i].family,
			(unsigned long long)counters_sum(families[i].which));
	}
	head(file, "requests_total", "counter", "Requests received, by their code.");
	for (size_t i = 0; i < LENGTH_OF(packets_in); i++)
		sample(file, "requests_total", "code", packets_in[i].value, packets_in[i].which);
	head(file, "answers_total", "counter", "Answers sent, by their code.");
	for (size_t i = 0; i < LENGTH_OF(packets_out); i++)
		sample(file, "answers_total", "code", packets_out[i].value, packets_out[i].which);
	head(file, "dropped_total", "counter", "Packets dropped without an answer, by reason.");
	for (size_t i = 0; i < LENGTH_OF(drops); i++)
		sample(file, "dropped_total", "reason", drops[i].value, drops[i].which);
	head(file, "malformed_total", "counter", "Packets dropped as malformed, by what is wrong with them.");
	for (unsigned i = RG_PACKET_OK + 1; i < RG_PACKET_FAULT_COUNT; i++)
		sample(file, "malformed_total", "fault",
		       packet_fault_word((enum rg_packet_fault)i),
		       (enum rg_counter)(RG_COUNT_FAULT + i));
}

static void write_row(void *context, const struct rg_tally_row *row)
{
	char label[600];
	metrics_label(label, sizeof(label), row->label);
	for (unsigned i = 0; i < RG_REASON_COUNT; i++)
		if (row->count[i] != 0)
			fprintf(context, "roamgate_sign_ins_total{realm=\"%s\",reason=\"%s\"} %llu\n", label,
				reason_word((enum rg_reason)i), (unsigned long long)row->count[i]);
}

static void write_histogram(FILE *file, const char *family, const char *key, const char *value,
			    const struct rg_histogram *histogram)
{
	uint64_t below = 0;
	for (size_t i = 0; i < RG_BOUNDS; i++) {
		below += histogram->bucket[i];
		fprintf(file, "roamgate_%s_bucket{%s=\"%s\",le=\"%g\"} %llu\n", family, key, value,
			tally_bounds[i], (unsigned long long)below);
	}
	fprintf(file, "roamgate_%s_bucket{%s=\"%s\",le=\"+Inf\"} %llu\n", family, key, value,
		(unsigned long long)histogram->count);
	fprintf(file, "roamgate_%s_sum{%s=\"%s\"} %.6f\n", family, key, value, (double)histogram->sum_us / 1e6);
	fprintf(file, "roamgate_%s_count{%s=\"%s\"} %llu\n", family, key, value,
		(unsigned long long)histogram->count);
}

void metrics_write_tally(FILE *file, const struct rg_tally *tally)
{
	head(file, "sign_ins_total", "counter", "Sign-ins that ended, by realm and reason.");
	tally_each(tally, write_row, file);
	head(file, "sign_in_seconds", "histogram", "How long sign-ins took, by result.");
	for (unsigned i = RG_RESULT_ACCEPT; i <= RG_RESULT_NO_ANSWER; i++)
		write_histogram(file, "sign_in_seconds", "result", result_word((enum rg_result)i),
				&tally->result[i]);
	head(file, "sign_in_part_seconds", "histogram",
	     "How long sign-ins spent in TLS, the directory or upstream, of those that did.");
	for (unsigned i = 0; i < RG_PARTS; i++)
		write_histogram(file, "sign_in_part_seconds", "part", part_word((enum rg_part)i),
				&tally->part[i]);
}

#include "load/sink.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "load/random.h"
#include "radius/writer.h"
#include "transport/udp.h"

#define ANSWER_MOST     1024
#define EAP_SUCCESS     3
#define EAP_FAILURE     4
#define LONGEST_WAIT_NS (RG_SECOND / 5) /* how soon *stop is seen */

/* An answer that waits; all wait equally long, so they leave in the order in which they came. */
struct waiting {
	struct waiting *next;
	uint64_t due_ns;
	union rg_address to;
	struct rg_local from;
	size_t length;
	uint8_t bytes[];
};

struct sink {
	const struct rg_sink_settings *settings;
	struct rg_sink_tally *tally;
	int fd;
	uint64_t now;
	struct rg_inbox *inbox;
	struct rg_outbox *outbox;
	struct rg_random random;
	struct waiting *first, **last;
	uint8_t msk[64];
};

static void add_eap(struct rg_writer *writer, const struct rg_packet *request, uint8_t code)
{
	struct rg_span asked = packet_find(request, RG_EAP_MESSAGE);
	if (asked.length < 2)
		return;
	struct rg_cursor cursor = cursor_over(asked);
	cursor_u8(&cursor);
	uint8_t id = cursor_u8(&cursor);
	/* RFC 3748 §4.2: the Identifier of the Response that it answers. */
	const uint8_t eap[] = {code, id, 0, 4};
	writer_add_eap(writer, span_of(eap, sizeof(eap)));
}

static uint8_t answer_code(const struct sink *sink, uint8_t asked)
{
	if (asked == RG_ACCOUNTING_REQUEST)
		return RG_ACCOUNTING_RESPONSE;
	if (asked == RG_ACCESS_REQUEST && sink->settings->reject)
		return RG_ACCESS_REJECT;
	return RG_ACCESS_ACCEPT; /* of Status-Server too: RFC 5997 §3 */
}

static struct rg_span answer(const struct sink *sink, const struct rg_packet *request,
			     uint8_t *memory)
{
	const struct rg_radius_key *key = sink->settings->key;
	uint8_t code = answer_code(sink, request->code);
	struct rg_writer writer;
	writer_begin(&writer, memory, ANSWER_MOST, code, request->token, key);
	if (request->code == RG_ACCESS_REQUEST) {
		bool accept = code == RG_ACCESS_ACCEPT;
		add_eap(&writer, request, accept ? EAP_SUCCESS : EAP_FAILURE);
		if (accept)
			writer_add_mppe(&writer, sink->msk, packet_authenticator(request));
	}
	/* RFC 2865 §5.33: all of them, in order. */
	struct rg_attribute state = {0};
	while (packet_next_of(request, RG_PROXY_STATE, &state))
		writer_add(&writer, RG_PROXY_STATE, state.value);
	return writer_reply(&writer, packet_authenticator(request));
}

static bool genuine(const struct sink *sink, const struct rg_packet *request)
{
	if (request->code != RG_ACCESS_REQUEST && request->code != RG_STATUS_SERVER &&
	    request->code != RG_ACCOUNTING_REQUEST)
		return false;
	switch (request_verify(request, sink->settings->key)) {
	case RG_AUTHENTIC:
		return true;
	case RG_AUTHENTIC_ABSENT:
		return !packet_must_be_authentic(request);
	case RG_FORGED:
		return false;
	}
	return false;
}

static void keep(struct sink *sink, struct rg_span bytes, const struct rg_datagram *request)
{
	struct waiting *waiting = malloc(sizeof(*waiting) + bytes.length);
	if (!waiting) {
		sink->tally->unsent++;
		return;
	}
	*waiting = (struct waiting){
		.due_ns = sink->now + sink->settings->delay_ns,
		.to = request->source,
		.from = request->local,
		.length = bytes.length,
	};
	memcpy(waiting->bytes, bytes.data, bytes.length);
	*sink->last = waiting;
	sink->last = &waiting->next;
}

static void on_datagram(void *context, const struct rg_datagram *datagram)
{
	struct sink *sink = context;
	struct rg_packet request;
	uint8_t memory[ANSWER_MOST];
	if (packet_view(&request, datagram->bytes) != RG_PACKET_OK || !genuine(sink, &request)) {
		sink->tally->ignored++;
		return;
	}
	if (sink->settings->loss > 0 &&
	    (double)(random_next(&sink->random) >> 11) * 0x1p-53 < sink->settings->loss) {
		sink->tally->dropped++;
		return;
	}
	struct rg_span bytes = answer(sink, &request, memory);
	if (bytes.length == 0) {
		sink->tally->ignored++;
		return;
	}
	sink->tally->answered++;
	if (sink->settings->delay_ns != 0)
		keep(sink, bytes, datagram);
	else
		outbox_add(sink->outbox, sink->fd, bytes, &datagram->source, &datagram->local);
}

static void send_due(struct sink *sink)
{
	while (sink->first && sink->first->due_ns <= sink->now) {
		struct waiting *waiting = sink->first;
		outbox_add(sink->outbox, sink->fd, span_of(waiting->bytes, waiting->length),
			   &waiting->to, &waiting->from);
		sink->first = waiting->next;
		if (!sink->first)
			sink->last = &sink->first;
		free(waiting);
	}
	sink->tally->unsent += outbox_flush(sink->outbox);
}

static void wait_for_work(struct sink *sink)
{
	uint64_t wait = LONGEST_WAIT_NS;
	if (sink->first)
		wait = sink->first->due_ns > sink->now ? sink->first->due_ns - sink->now : 0;
	if (wait > LONGEST_WAIT_NS)
		wait = LONGEST_WAIT_NS;
	struct timespec timeout = {.tv_nsec = (long)wait};
	struct pollfd polled = {.fd = sink->fd, .events = POLLIN};
	ppoll(&polled, 1, &timeout, NULL);
}

bool sink_run(const struct rg_sink_settings *settings, int fd, struct rg_sink_tally *tally)
{
	struct sink sink = {.settings = settings, .tally = tally, .fd = fd};
	bool fine = false;
	*tally = (struct rg_sink_tally){0};
	sink.last = &sink.first;
	sink.inbox = inbox_new();
	sink.outbox = outbox_new();
	if (!sink.inbox || !sink.outbox || !random_begin(&sink.random) ||
	    RAND_bytes(sink.msk, sizeof(sink.msk)) != 1)
		goto out;
	fine = true;
	/* What had come when it was stopped counts as well. */
	for (bool stops = false; !stops;) {
		stops = *settings->stop;
		sink.now = clock_now();
		int count = inbox_receive(sink.inbox, fd, on_datagram, &sink);
		send_due(&sink);
		if (!stops && count != RG_BATCH)
			wait_for_work(&sink);
	}
	while (sink.first) {
		struct waiting *waiting = sink.first;
		sink.first = waiting->next;
		free(waiting);
	}
out:
	inbox_free(&sink.inbox);
	outbox_free(&sink.outbox);
	return fine;
}

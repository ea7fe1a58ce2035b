#include "request/note.h"

#include <stdio.h>

#include "core/clock.h"
#include "core/text.h"
#include "request/worker.h"

#define DROPPED_A_SECOND 20

static void copy_text(char *out, size_t capacity, const char *text)
{
	size_t length = text ? strnlen(text, capacity - 1) : 0;
	if (length != 0)
		memcpy(out, text, length);
	out[length] = '\0';
}

static void copy_span(char *out, size_t capacity, struct rg_span span)
{
	size_t length = span.length < capacity - 1 ? span.length : capacity - 1;
	if (length != 0)
		memcpy(out, span.data, length);
	out[length] = '\0';
	/* Records are C strings; a NUL inside must not hide what follows it. */
	for (size_t i = 0; i < length; i++)
		if (out[i] == '\0')
			out[i] = '\x01';
}

void note_name(struct rg_signin *signin, const struct rg_packet *packet)
{
	struct rg_nai nai;
	struct rg_span name = packet_find(packet, RG_USER_NAME);
	copy_span(signin->outer, sizeof(signin->outer), name);
	nai_parse(&nai, name);
	copy_span(signin->realm, sizeof(signin->realm), nai.realm);
	text_lower(signin->realm);
}

void note_begin(struct rg_signin *signin, const struct rg_packet *packet,
		const struct rg_client *client, const char *label, uint64_t now)
{
	signin_begin(signin, now);
	note_name(signin, packet);
	copy_span(signin->called, sizeof(signin->called), packet_find(packet, RG_CALLED_STATION_ID));
	text_mac(signin->mac, packet_find(packet, RG_CALLING_STATION_ID));
	copy_text(signin->client, sizeof(signin->client), client ? client->name : "");
	copy_text(signin->site, sizeof(signin->site), client ? client->site : "");
	copy_text(signin->operator_name, sizeof(signin->operator_name), client ? client->operator_name : NULL);
	signin->elsewhere = client && client->peer;
	copy_text(signin->label, sizeof(signin->label), label);
}

void note_end(struct rg_worker *worker, struct rg_signin *signin, enum rg_result result,
	      enum rg_reason reason, const char *detail)
{
	signin->result = result;
	signin->reason = reason;
	if (detail)
		copy_text(signin->detail, sizeof(signin->detail), detail);
	signin->total_us = (uint32_t)((clock_now() - signin->began_ns) / 1000);
	observe_signin(worker->ring, signin);
}

void note_dropped(const struct rg_inbound *inbound, enum rg_reason reason, const char *detail)
{
	static _Thread_local uint64_t second;
	static _Thread_local unsigned noted;
	uint64_t now = clock_now();
	char from[64];
	struct rg_signin signin;
	if (now / RG_SECOND != second) {
		second = now / RG_SECOND;
		noted = 0;
	}
	if (noted++ >= DROPPED_A_SECOND)
		return;
	note_begin(&signin, &inbound->packet, inbound->client, "-", now);
	address_text(from, &inbound->datagram->source);
	if (signin.client[0] == '\0')
		copy_text(signin.client, sizeof(signin.client), from);
	signin_step(&signin, "client", "from %s: %s", from, detail);
	note_end(inbound->worker, &signin, RG_RESULT_NO_ANSWER, reason, detail);
}

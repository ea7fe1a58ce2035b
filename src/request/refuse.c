#include "request/refuse.h"

#include "core/clock.h"
#include "eap/frame.h"
#include "request/answer.h"
#include "request/note.h"
#include "request/worker.h"

struct rg_span eap_failure_for(const struct rg_packet *packet, uint8_t out[4])
{
	struct rg_span eap = packet_find(packet, RG_EAP_MESSAGE);
	struct rg_buffer buffer = buffer_over(out, 4);
	if (!eap.data)
		return (struct rg_span){0};
	/* RFC 3748 §4.2: a Failure bears the Identifier of the Response that it answers. */
	struct rg_cursor cursor = cursor_over(eap);
	cursor_u8(&cursor);
	eap_result_write(&buffer, RG_EAP_CODE_FAILURE, cursor_u8(&cursor));
	return buffer_span(&buffer);
}

const char *label_of(const struct rg_destination *destination)
{
	switch (destination->way) {
	case RG_WAY_HOME:
		return destination->realm->name;
	case RG_WAY_AWAY:
		return "visitor";
	case RG_WAY_REFUSED:
	case RG_WAY_NOWHERE:
		return "-";
	}
	return "-";
}

enum rg_next refuse_request(struct rg_request *request, const struct rg_packet *packet,
			    const char *label, enum rg_reason reason, const char *detail)
{
	uint8_t failure[4];
	struct rg_signin signin;
	struct rg_reply reply = {
		.code = RG_ACCESS_REJECT,
		.eap = eap_failure_for(packet, failure),
	};
	note_begin(&signin, packet, request->client, label, request->received_ns);
	signin_step(&signin, "refused", "%.90s", detail);
	note_end(request->worker, &signin, RG_RESULT_REJECT, reason, detail);
	answer_reply(request, &reply);
	return RG_REPLY;
}

enum rg_next refuse(struct rg_inbound *inbound, enum rg_reason reason, const char *detail)
{
	return refuse_request(inbound->request, &inbound->packet, label_of(&inbound->destination),
			      reason, detail);
}

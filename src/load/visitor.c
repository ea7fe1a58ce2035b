/* A visitor: one Access-Request, and the answer of a home server far away. */
#include <openssl/rand.h>

#include "core/secret.h"
#include "load/script.h"
#include "radius/writer.h"

#define REQUEST_MOST           1024
#define EAP_RESPONSE           2
#define EAP_IDENTITY           1
#define SERVICE_TYPE_FRAMED    2
#define NAS_PORT_TYPE_WIRELESS 19
#define FRAMED_MTU             1400
#define MS_MPPE_SEND_KEY       16
#define MS_MPPE_RECV_KEY       17
#define MPPE_HALF              32

struct visitor {
	const struct rg_visitor_settings *settings;
	struct rg_who who;
	uint8_t authenticator[RG_AUTHENTICATOR];
	uint8_t id;
	const char *why;
	bool answered, keys_match;
	uint8_t request[REQUEST_MOST];
};

static bool visitor_begin(void *talk, const void *settings, const struct rg_who *who, unsigned slot)
{
	struct visitor *visitor = talk;
	(void)slot;
	visitor->settings = settings;
	visitor->who = *who;
	return true;
}

/* Octets that nobody guesses, drawn many at a time: one call for each packet costs more than the
 * rest of it. */
static bool draw(uint8_t *out, size_t length)
{
	static uint8_t pool[4096];
	static size_t used = sizeof(pool);
	if (used + length > sizeof(pool)) {
		if (RAND_bytes(pool, sizeof(pool)) != 1)
			return false;
		used = 0;
	}
	memcpy(out, pool + used, length);
	used += length;
	return true;
}

static void add_identity(struct rg_writer *writer, struct rg_span name)
{
	uint8_t memory[RG_WHO_MOST + 5];
	struct rg_buffer eap = buffer_over(memory, sizeof(memory));
	buffer_u8(&eap, EAP_RESPONSE);
	buffer_u8(&eap, 1);
	buffer_u16(&eap, (uint16_t)(5 + name.length));
	buffer_u8(&eap, EAP_IDENTITY);
	buffer_put(&eap, name);
	writer_add_eap(writer, buffer_span(&eap));
}

static struct rg_span visitor_request(void *talk, uint8_t id)
{
	struct visitor *visitor = talk;
	struct rg_span name = span_text(visitor->who.name);
	struct rg_writer writer;
	if (!draw(visitor->authenticator, sizeof(visitor->authenticator)))
		return span_of(NULL, 0);
	visitor->id = id;
	writer_begin(&writer, visitor->request, sizeof(visitor->request), RG_ACCESS_REQUEST, id,
		     visitor->settings->key);
	writer_add(&writer, RG_USER_NAME, name);
	writer_add(&writer, RG_NAS_IDENTIFIER, span_text("roamgate-load"));
	writer_add_u32(&writer, RG_NAS_PORT_TYPE, NAS_PORT_TYPE_WIRELESS);
	writer_add_u32(&writer, RG_SERVICE_TYPE, SERVICE_TYPE_FRAMED);
	writer_add(&writer, RG_CALLED_STATION_ID, span_text(visitor->settings->called));
	writer_add(&writer, RG_CALLING_STATION_ID, span_text(visitor->who.mac));
	writer_add_u32(&writer, RG_FRAMED_MTU, FRAMED_MTU);
	writer_add(&writer, RG_CONNECT_INFO, span_text("CONNECT 54Mbps 802.11"));
	add_identity(&writer, name);
	return writer_request(&writer, visitor->authenticator);
}

static bool key_opens(const struct visitor *visitor, const struct rg_packet *reply, uint8_t type)
{
	uint8_t clear[256];
	struct rg_span hidden = packet_find_vendor(reply, RG_VENDOR_MICROSOFT, type);
	if (!hidden.data)
		return false;
	int length = mppe_reveal(clear, hidden, visitor->authenticator, visitor->settings->key);
	secret_wipe(clear, MPPE_HALF);
	return length == MPPE_HALF;
}

static enum rg_supplicant_state judge(struct visitor *visitor, const struct rg_packet *reply)
{
	visitor->answered = true;
	if (reply->code == RG_ACCESS_CHALLENGE) {
		visitor->why = "challenged, where one answer was expected";
		return RG_SUPPLICANT_REFUSED;
	}
	if (reply->code == RG_ACCESS_REJECT) {
		visitor->why = "rejected";
		return RG_SUPPLICANT_REFUSED;
	}
	/* No session stands behind them: that they open with this request's authenticator and the
	 * secret is what can be told. */
	visitor->keys_match = key_opens(visitor, reply, MS_MPPE_RECV_KEY) &&
			      key_opens(visitor, reply, MS_MPPE_SEND_KEY);
	if (!visitor->keys_match && packet_find(reply, RG_VENDOR_SPECIFIC).data) {
		visitor->why = "accepted, but the MS-MPPE keys do not open";
		return RG_SUPPLICANT_FAILED;
	}
	return RG_SUPPLICANT_ACCEPTED;
}

static enum rg_supplicant_state visitor_reply(void *talk, struct rg_span datagram, bool *ignored)
{
	struct visitor *visitor = talk;
	struct rg_packet reply;
	*ignored = true;
	if (packet_view(&reply, datagram) != RG_PACKET_OK || reply.token != visitor->id ||
	    (reply.code != RG_ACCESS_ACCEPT && reply.code != RG_ACCESS_REJECT &&
	     reply.code != RG_ACCESS_CHALLENGE))
		return RG_SUPPLICANT_SEND;
	switch (reply_verify(&reply, visitor->authenticator, visitor->settings->key)) {
	case RG_AUTHENTIC:
		break;
	case RG_AUTHENTIC_ABSENT:
		/* RFC 3579 §3.2: what carries EAP must have it. A bare Reject opens nothing. */
		if (reply.code == RG_ACCESS_REJECT && !packet_must_be_authentic(&reply))
			break;
		return RG_SUPPLICANT_SEND;
	case RG_FORGED:
		return RG_SUPPLICANT_SEND;
	}
	*ignored = false;
	return judge(visitor, &reply);
}

static void visitor_tell(void *talk, struct rg_script_verdict *verdict)
{
	struct visitor *visitor = talk;
	*verdict = (struct rg_script_verdict){
		.round_trips = visitor->answered,
		.keys_match = visitor->keys_match,
		.why = visitor->why,
	};
}

static void visitor_end(void *talk)
{
	(void)talk;
}

const struct rg_script script_visitor = {
	.size = sizeof(struct visitor),
	.begin = visitor_begin,
	.request = visitor_request,
	.reply = visitor_reply,
	.tell = visitor_tell,
	.end = visitor_end,
};

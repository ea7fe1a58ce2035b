/* The conversation: EAP's own packets (RFC 3748) as the peer, RADIUS (RFC 3579) as the NAS. */
#include "supplicant/supplicant.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/secret.h"
#include "radius/writer.h"
#include "supplicant/method.h"
#include "supplicant/profile.h"

/* EAP packets of ours are no longer than this, whatever Framed-MTU allows. */
#define EAP_MOST   1400
#define EAP_LEAST  64
#define EAP_HEADER 4
/* A server that never comes to an end is left after so many. */
#define ROUNDS_MOST 200

enum { EAP_REQUEST = 1, EAP_RESPONSE = 2, EAP_SUCCESS = 3, EAP_FAILURE = 4 };
enum { TYPE_IDENTITY = 1, TYPE_NOTIFICATION = 2, TYPE_NAK = 3, TYPE_EXPANDED = 254 };

#define SERVICE_TYPE_FRAMED    2
#define NAS_PORT_TYPE_WIRELESS 19
#define MPPE_SEND_KEY          16
#define MPPE_RECV_KEY          17

struct rg_supplicant {
	struct rg_supplicant_profile *profile;
	const struct rg_radius_key *key;
	char *outer, *inner, *calling, *called, *nas_identifier;
	uint8_t nas_address[4];
	bool has_nas_address;
	uint32_t framed_mtu;

	void *method;         /* of profile->method; NULL: not begun */
	uint8_t refused_type; /* the method that we said Nak to; 0: none */
	uint8_t eap[EAP_MOST];
	size_t eap_length; /* the Response that is to be sent */
	uint8_t state[253];
	size_t state_length;

	uint8_t request[RG_RADIUS_MOST];
	size_t request_length; /* 0: not written since the last reply */
	uint8_t authenticator[RG_AUTHENTICATOR];

	enum rg_supplicant_state outcome;
	const char *why; /* what this file knows of it */
	bool keys_match;
	unsigned rounds, ignored;
	const char *ignored_why;
	uint8_t *reply_data;
	struct rg_packet reply;
	struct rg_supplicant_report report;
	char why_text[160];
};

/* Writes an EAP-Response of that type; a method's data is added to *out by the caller, then
 * eap_end. */
static struct rg_buffer eap_begin(struct rg_supplicant *supplicant, uint8_t id, uint8_t type)
{
	struct rg_buffer out = buffer_over(supplicant->eap, sizeof(supplicant->eap));
	buffer_u8(&out, EAP_RESPONSE);
	buffer_u8(&out, id);
	buffer_u16(&out, 0);
	buffer_u8(&out, type);
	return out;
}

static bool eap_end(struct rg_supplicant *supplicant, struct rg_buffer *out)
{
	struct rg_buffer length = buffer_over(supplicant->eap + 2, 2);
	buffer_u16(&length, (uint16_t)out->length);
	supplicant->eap_length = out->length;
	return !out->failed;
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

struct rg_supplicant *supplicant_new(struct rg_supplicant_profile *profile,
				     const struct rg_supplicant_identity *identity,
				     const struct rg_radius_key *key)
{
	struct rg_supplicant *supplicant = calloc(1, sizeof(*supplicant));
	if (!supplicant)
		return NULL;
	supplicant->profile = profile;
	supplicant->key = key;
	supplicant->framed_mtu = identity->framed_mtu;
	supplicant->outer = copy(identity->outer);
	supplicant->inner = copy(identity->inner ? identity->inner : profile->identity);
	supplicant->calling = copy(identity->calling);
	supplicant->called = copy(identity->called);
	supplicant->nas_identifier =
		copy(identity->nas_identifier ? identity->nas_identifier : "roamgate");
	supplicant->has_nas_address = identity->nas_address;
	if (identity->nas_address)
		memcpy(supplicant->nas_address, identity->nas_address, 4);
	/* The NAS asked for the identity itself, with an Identifier of its own. */
	struct rg_buffer out = eap_begin(supplicant, 1, TYPE_IDENTITY);
	buffer_put(&out, span_text(supplicant->outer));
	if (!eap_end(supplicant, &out) || !supplicant->outer || !supplicant->nas_identifier ||
	    strlen(supplicant->outer) > 253 || (!supplicant->inner && (identity->inner || profile->identity)) ||
	    (identity->calling && !supplicant->calling) ||
	    (identity->called && !supplicant->called))
		supplicant_free(&supplicant);
	return supplicant;
}

void supplicant_free(struct rg_supplicant **supplicant)
{
	struct rg_supplicant *it = *supplicant;
	if (!it)
		return;
	if (it->method)
		it->profile->method->end(&it->method);
	free(it->outer);
	free(it->inner);
	free(it->calling);
	free(it->called);
	free(it->nas_identifier);
	free(it->reply_data);
	free(it);
	*supplicant = NULL;
}

static void add_text(struct rg_writer *writer, uint8_t type, const char *text)
{
	if (text)
		writer_add(writer, type, span_text(text));
}

struct rg_span supplicant_request(struct rg_supplicant *supplicant, uint8_t id)
{
	if (supplicant->request_length != 0 && supplicant->request[1] == id)
		return span_of(supplicant->request, supplicant->request_length);
	supplicant->request_length = 0;
	if (RAND_bytes(supplicant->authenticator, RG_AUTHENTICATOR) != 1)
		return span_of(NULL, 0);
	struct rg_writer writer;
	writer_begin(&writer, supplicant->request, sizeof(supplicant->request), RG_ACCESS_REQUEST,
		     id, supplicant->key);
	add_text(&writer, RG_USER_NAME, supplicant->outer);
	if (supplicant->has_nas_address)
		writer_add(&writer, RG_NAS_IP_ADDRESS, span_of(supplicant->nas_address, 4));
	add_text(&writer, RG_NAS_IDENTIFIER, supplicant->nas_identifier);
	writer_add_u32(&writer, RG_NAS_PORT_TYPE, NAS_PORT_TYPE_WIRELESS);
	writer_add_u32(&writer, RG_SERVICE_TYPE, SERVICE_TYPE_FRAMED);
	add_text(&writer, RG_CALLED_STATION_ID, supplicant->called);
	add_text(&writer, RG_CALLING_STATION_ID, supplicant->calling);
	if (supplicant->framed_mtu != 0)
		writer_add_u32(&writer, RG_FRAMED_MTU, supplicant->framed_mtu);
	add_text(&writer, RG_CONNECT_INFO, "CONNECT 54Mbps 802.11");
	writer_add_eap(&writer, span_of(supplicant->eap, supplicant->eap_length));
	if (supplicant->state_length != 0)
		writer_add(&writer, RG_STATE, span_of(supplicant->state, supplicant->state_length));
	struct rg_span packet = writer_request(&writer, supplicant->authenticator);
	supplicant->request_length = packet.length;
	return packet;
}

static enum rg_supplicant_state ended(struct rg_supplicant *supplicant,
				      enum rg_supplicant_state outcome, const char *why)
{
	supplicant->why = why;
	supplicant->outcome = outcome;
	return outcome;
}

static enum rg_supplicant_state failed(struct rg_supplicant *supplicant, const char *why)
{
	return ended(supplicant, RG_SUPPLICANT_FAILED, why);
}

static bool nak(struct rg_supplicant *supplicant, uint8_t id, uint8_t offered)
{
	struct rg_buffer out = eap_begin(supplicant, id, TYPE_NAK);
	buffer_u8(&out, supplicant->profile->method->type);
	supplicant->refused_type = offered;
	return eap_end(supplicant, &out);
}

static size_t method_room(const struct rg_supplicant *supplicant)
{
	size_t most = EAP_MOST;
	if (supplicant->framed_mtu != 0 && supplicant->framed_mtu < most)
		most = supplicant->framed_mtu < EAP_LEAST ? EAP_LEAST : supplicant->framed_mtu;
	return most - EAP_HEADER - 1;
}

static enum rg_supplicant_state method_request(struct rg_supplicant *supplicant, uint8_t id,
					       struct rg_span data)
{
	const struct rg_peer_method *method = supplicant->profile->method;
	if (!supplicant->method)
		supplicant->method = method->start(supplicant->profile, supplicant->inner,
						   method_room(supplicant));
	if (!supplicant->method)
		return failed(supplicant, "no memory");
	struct rg_buffer out = eap_begin(supplicant, id, method->type);
	if (!method->respond(supplicant->method, data, &out))
		return failed(supplicant, NULL);
	return eap_end(supplicant, &out) ? RG_SUPPLICANT_SEND
					 : failed(supplicant, "no room for a Response");
}

static enum rg_supplicant_state eap_request(struct rg_supplicant *supplicant, uint8_t id,
					    struct rg_cursor *cursor)
{
	uint8_t type = cursor_u8(cursor);
	struct rg_span data = cursor_rest(cursor);
	bool fine = true;
	if (cursor->failed)
		return failed(supplicant, "the server sent an EAP-Request without a type");
	if (type == supplicant->profile->method->type)
		return method_request(supplicant, id, data);
	/* RFC 3748 §5.1, §5.2, §5.3.1. */
	struct rg_buffer out;
	switch (type) {
	case TYPE_IDENTITY:
		out = eap_begin(supplicant, id, TYPE_IDENTITY);
		buffer_put(&out, span_text(supplicant->outer));
		fine = eap_end(supplicant, &out);
		break;
	case TYPE_NOTIFICATION:
		out = eap_begin(supplicant, id, TYPE_NOTIFICATION);
		fine = eap_end(supplicant, &out);
		break;
	case TYPE_NAK:
		return failed(supplicant, "the server sent a Nak as a Request");
	case TYPE_EXPANDED:
		return failed(supplicant, "the server offers an expanded EAP type");
	default: /* any of IANA's methods */
		if (supplicant->method)
			return failed(supplicant,
				      "the server changed the EAP method in the midst of one");
		fine = nak(supplicant, id, type);
		break;
	}
	return fine ? RG_SUPPLICANT_SEND : failed(supplicant, "no room for a Response");
}

/* The EAP packet of a Challenge. */
static enum rg_supplicant_state challenge(struct rg_supplicant *supplicant, struct rg_span eap)
{
	struct rg_cursor cursor = cursor_over(eap);
	uint8_t code = cursor_u8(&cursor);
	uint8_t id = cursor_u8(&cursor);
	uint16_t length = cursor_u16(&cursor);
	if (cursor.failed || length != eap.length)
		return failed(supplicant, "the server sent an EAP packet of a wrong length");
	if (code != EAP_REQUEST)
		return failed(supplicant,
			      "the server sent an Access-Challenge without an EAP-Request");
	if (supplicant->rounds > ROUNDS_MOST)
		return failed(supplicant, "the server came to no end");
	return eap_request(supplicant, id, &cursor);
}

/* RFC 2548 §2.4.2: Recv-Key is the MSK's first half, Send-Key its second (RFC 5216 §2.3). */
static bool key_matches(struct rg_supplicant *supplicant, uint8_t type, const uint8_t expected[32])
{
	struct rg_span hidden = packet_find_vendor(&supplicant->reply, RG_VENDOR_MICROSOFT, type);
	uint8_t clear[256];
	if (!hidden.data)
		return false;
	int length = mppe_reveal(clear, hidden, supplicant->authenticator, supplicant->key);
	bool match = length == 32 && secret_equal(clear, 32, expected, 32);
	secret_wipe(clear, sizeof(clear));
	return match;
}

static bool has_key(const struct rg_supplicant *supplicant, uint8_t type)
{
	return packet_find_vendor(&supplicant->reply, RG_VENDOR_MICROSOFT, type).data;
}

static enum rg_supplicant_state accepted(struct rg_supplicant *supplicant, struct rg_span eap)
{
	const struct rg_peer_method *method = supplicant->profile->method;
	if (eap.length != EAP_HEADER || eap.data[0] != EAP_SUCCESS)
		return failed(supplicant, "the server sent an Access-Accept without EAP-Success");
	if (!supplicant->method)
		return failed(supplicant, "the server sent an EAP-Success without any method");
	const char *lacking = method->unproven(supplicant->method);
	if (lacking) {
		snprintf(supplicant->why_text, sizeof(supplicant->why_text), "the server sent %s",
			 lacking);
		return failed(supplicant, supplicant->why_text);
	}
	uint8_t msk[64];
	if (!method->keys(supplicant->method, msk))
		return failed(supplicant, "no keys come out of TLS");
	supplicant->keys_match = key_matches(supplicant, MPPE_RECV_KEY, msk) &&
				 key_matches(supplicant, MPPE_SEND_KEY, msk + 32);
	secret_wipe(msk, sizeof(msk));
	/* Without keys a wired port still opens; with wrong ones no port does. */
	if (!supplicant->keys_match &&
	    (has_key(supplicant, MPPE_RECV_KEY) || has_key(supplicant, MPPE_SEND_KEY)))
		return failed(supplicant,
			      "the Access-Accept's MS-MPPE keys are not those of this session");
	method->accepted(supplicant->method);
	return ended(supplicant, RG_SUPPLICANT_ACCEPTED, NULL);
}

/* Keeps the packet that ends the conversation. */
static bool reply_keep(struct rg_supplicant *supplicant, const struct rg_packet *packet)
{
	supplicant->reply_data = malloc(packet->length);
	if (!supplicant->reply_data)
		return false;
	memcpy(supplicant->reply_data, packet->data, packet->length);
	supplicant->reply = *packet;
	supplicant->reply.data = supplicant->reply_data;
	return true;
}

/* NULL: the reply is genuine. Anyone on the way can answer, so what does not verify changes
 * nothing. */
static const char *reply_fault(const struct rg_supplicant *supplicant, struct rg_span datagram,
			       struct rg_packet *packet)
{
	if (supplicant->request_length == 0 || supplicant->outcome != RG_SUPPLICANT_SEND)
		return "nothing had been asked";
	enum rg_packet_fault fault = packet_view(packet, datagram);
	if (fault != RG_PACKET_OK)
		return packet_fault_word(fault);
	if (packet->token != supplicant->request[1])
		return "its Identifier is another's";
	if (packet->code != RG_ACCESS_ACCEPT && packet->code != RG_ACCESS_REJECT &&
	    packet->code != RG_ACCESS_CHALLENGE)
		return "its code is no answer to an Access-Request";
	switch (reply_verify(packet, supplicant->authenticator, supplicant->key)) {
	case RG_AUTHENTIC:
		return NULL;
	case RG_AUTHENTIC_ABSENT:
		/* RFC 3579 §3.2; CVE-2024-3596. A bare Reject opens nothing. */
		if (packet->code == RG_ACCESS_REJECT && packet_count(packet, RG_EAP_MESSAGE) == 0)
			return NULL;
		return "it has no Message-Authenticator";
	case RG_FORGED:
		return "its authenticator is wrong: is the secret the same on both sides?";
	}
	return "its authenticator is wrong";
}

static enum rg_supplicant_state reply_act(struct rg_supplicant *supplicant,
					  const struct rg_packet *packet)
{
	uint8_t memory[RG_RADIUS_MOST];
	struct rg_buffer eap = buffer_over(memory, sizeof(memory));
	bool has_eap = packet_eap(packet, &eap);
	struct rg_span state = packet_find(packet, RG_STATE);
	/* RFC 2865 §5.24: the State of the last Challenge, unchanged; none where that had none. */
	supplicant->state_length = state.length;
	if (state.length != 0)
		memcpy(supplicant->state, state.data, state.length);
	supplicant->rounds++;
	if (packet->code == RG_ACCESS_CHALLENGE)
		return has_eap ? challenge(supplicant, buffer_span(&eap))
			       : failed(supplicant,
					"the server sent an Access-Challenge without EAP");
	if (!reply_keep(supplicant, packet))
		return failed(supplicant, "no memory");
	if (packet->code == RG_ACCESS_ACCEPT)
		return accepted(supplicant, buffer_span(&eap));
	return ended(supplicant, RG_SUPPLICANT_REFUSED, NULL);
}

enum rg_supplicant_state supplicant_reply(struct rg_supplicant *supplicant, struct rg_span datagram,
					  bool *ignored)
{
	struct rg_packet packet;
	const char *fault = reply_fault(supplicant, datagram, &packet);
	*ignored = fault;
	if (fault) {
		supplicant->ignored++;
		supplicant->ignored_why = fault;
		return supplicant->outcome;
	}
	enum rg_supplicant_state outcome = reply_act(supplicant, &packet);
	supplicant->request_length = 0;
	return outcome;
}

/* Why, where the method knows no better. */
static void report_why(struct rg_supplicant *supplicant, struct rg_supplicant_report *report)
{
	if (supplicant->outcome == RG_SUPPLICANT_SEND ||
	    supplicant->outcome == RG_SUPPLICANT_ACCEPTED) {
		report->why = NULL;
		report->reason = supplicant->outcome == RG_SUPPLICANT_ACCEPTED ? RG_REASON_ACCEPTED
									       : RG_REASON_NONE;
	} else if (supplicant->why) {
		report->why = supplicant->why;
	} else if (!report->why && supplicant->refused_type != 0 && !supplicant->method) {
		snprintf(supplicant->why_text, sizeof(supplicant->why_text),
			 "the server offers EAP method %s (%u) and would not change to %s",
			 report->offered, supplicant->refused_type,
			 supplicant->profile->method->label);
		report->why = supplicant->why_text;
		report->reason = RG_REASON_METHOD_REFUSED;
	} else if (!report->why) {
		snprintf(supplicant->why_text, sizeof(supplicant->why_text),
			 "the server refused %s, and did not tell a supplicant why", report->stage);
		report->why = supplicant->why_text;
	}
}

const struct rg_supplicant_report *supplicant_report(struct rg_supplicant *supplicant)
{
	struct rg_supplicant_report *report = &supplicant->report;
	*report = (struct rg_supplicant_report){
		.round_trips = supplicant->rounds,
		.ignored = supplicant->ignored,
		.ignored_why = supplicant->ignored_why,
		.stage = "before any EAP method",
		.keys_match = supplicant->keys_match,
		.reply = supplicant->reply_data ? &supplicant->reply : NULL,
		.request_authenticator = supplicant->authenticator,
	};
	if (supplicant->refused_type != 0)
		report->offered = peer_method_word(supplicant->refused_type);
	if (supplicant->method) {
		report->method = supplicant->profile->method->label;
		supplicant->profile->method->report(supplicant->method, report);
	}
	report_why(supplicant, report);
	return report;
}

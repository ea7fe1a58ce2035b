#include "upstream/compose.h"

#include "core/secret.h"
#include "radius/writer.h"
#include "upstream/filter.h"

/* Our Proxy-State says only that we were here: hops are counted by it, answers are matched by Identifier. */
static void add_proxy_state(struct rg_writer *writer, uint8_t node)
{
	const uint8_t mark[] = {'r', 'g', node};
	writer_add(writer, RG_PROXY_STATE, span_of(mark, sizeof(mark)));
}

/* User-Password is hidden with secret and authenticator of each hop (RFC 2865 §5.2). */
static void add_password(struct rg_writer *writer, const struct rg_composition *composition,
			 struct rg_span hidden)
{
	uint8_t clear[128], anew[128];
	int length = password_reveal(clear, hidden, packet_authenticator(composition->source),
				     composition->source_key);
	if (length >= 0)
		length = password_hide(anew, span_of(clear, (size_t)length),
				       composition->authenticator, composition->key);
	if (length >= 0)
		writer_add(writer, RG_USER_PASSWORD, span_of(anew, (size_t)length));
	else
		writer->out.failed = true;
	secret_wipe(clear, sizeof(clear));
}

struct rg_span compose_request(const struct rg_composition *composition, uint8_t *out)
{
	const struct rg_packet *source = composition->source;
	bool accounting = source->code == RG_ACCOUNTING_REQUEST;
	struct rg_writer writer;
	struct rg_attribute attribute = {0};
	/* What the site is called is the administrator's word, not the controller's. */
	bool ours = composition->operator_name && !composition->again;
	writer_begin(&writer, out, RG_RADIUS_MOST, source->code, composition->token,
		     composition->key);
	while (packet_next(source, &attribute)) {
		if (attribute.type == RG_MESSAGE_AUTHENTICATOR ||
		    (attribute.type == RG_OPERATOR_NAME && ours))
			continue;
		if (attribute.type == RG_USER_PASSWORD && !accounting)
			add_password(&writer, composition, attribute.value);
		else if (accounting ? filter_towards_federation_accounting(attribute.type)
				    : filter_towards_federation(attribute.type))
			writer_add(&writer, attribute.type, attribute.value);
	}
	if (!composition->again) {
		if (ours)
			writer_add(&writer, RG_OPERATOR_NAME,
				   span_text(composition->operator_name));
		add_proxy_state(&writer, composition->node);
	}
	/* What an Accounting-Request's answer is verified by is computed (RFC 2866 §3). */
	return accounting ? writer_request(&writer, NULL)
			  : writer_unsealed(&writer, composition->authenticator);
}

#define SESSION_TIMEOUT_MOST 28800u
#define MS_MPPE_SEND_KEY 16
#define MS_MPPE_RECV_KEY 17

/* The next key of a Vendor-Specific attribute whose cursor stands behind the vendor. False: there is none. */
static bool next_mppe_key(struct rg_cursor *cursor, uint8_t *type, struct rg_span *value)
{
	while (!cursor->failed && cursor_left(cursor) != 0) {
		*type = cursor_u8(cursor);
		uint8_t length = cursor_u8(cursor);
		*value = cursor_take(cursor, length < 2 ? SIZE_MAX : length - 2u);
		if (!cursor->failed && (*type == MS_MPPE_SEND_KEY || *type == MS_MPPE_RECV_KEY))
			return true;
	}
	return false;
}

/* Hides a key anew: it was hidden for us with the peer's secret (RFC 2548 §2.4.2). */
static void hide_anew(struct rg_writer *writer, const struct rg_reply_composition *composition,
		      uint8_t type, struct rg_span hidden)
{
	uint8_t clear[256];
	int length = mppe_reveal(clear, hidden, composition->peer_authenticator,
				 composition->peer_key);
	/* The salt can stay, since the authenticator does not; from RADIUS/1.1 there is none, the first octets are
	 * the key's. */
	struct rg_cursor cursor = cursor_over(hidden);
	uint16_t salt = radius_key_version(composition->peer_key) == RG_RADIUS_1_0 ? cursor_u16(&cursor) : 0;
	if (length >= 0)
		writer_add_mppe_key(writer, type, span_of(clear, (size_t)length), salt,
				    composition->authenticator);
	else
		writer->out.failed = true;
	secret_wipe(clear, sizeof(clear));
}

static void add_mppe_key(struct rg_writer *writer, const struct rg_reply_composition *composition,
			 uint8_t type, struct rg_span hidden)
{
	for (size_t i = 0; i < composition->rehidden_count; i++) {
		const struct rg_rehiding *rehidden = &composition->rehidden[i];
		if (rehidden->hidden.data != hidden.data || rehidden->length == 0)
			continue;
		writer_add_vendor(writer, RG_VENDOR_MICROSOFT, type,
				  span_of(rehidden->anew, rehidden->length));
		return;
	}
	hide_anew(writer, composition, type, hidden);
}

static void add_mppe_keys(struct rg_writer *writer, const struct rg_reply_composition *composition,
			  struct rg_span vendor_specific)
{
	uint8_t type;
	struct rg_span hidden;
	struct rg_cursor cursor = cursor_over(vendor_specific);
	if (cursor_u32(&cursor) != RG_VENDOR_MICROSOFT)
		return;
	while (next_mppe_key(&cursor, &type, &hidden))
		add_mppe_key(writer, composition, type, hidden);
}

size_t compose_reply_keys(const struct rg_reply_composition *composition, struct rg_rehiding *rehidings,
			  size_t most)
{
	uint8_t type;
	size_t count = 0;
	struct rg_attribute attribute = {0};
	if (composition->answer->code != RG_ACCESS_ACCEPT ||
	    radius_key_version(composition->peer_key) != RG_RADIUS_1_0 ||
	    radius_key_version(composition->key) != RG_RADIUS_1_0)
		return 0;
	while (packet_next_of(composition->answer, RG_VENDOR_SPECIFIC, &attribute)) {
		struct rg_cursor cursor = cursor_over(attribute.value);
		struct rg_rehiding rehiding = {.from = composition->peer_key,
					       .to = composition->key,
					       .from_authenticator = composition->peer_authenticator,
					       .to_authenticator = composition->authenticator};
		if (cursor_u32(&cursor) != RG_VENDOR_MICROSOFT)
			continue;
		while (count < most && next_mppe_key(&cursor, &type, &rehiding.hidden))
			rehidings[count++] = rehiding;
	}
	return count;
}

static void add_session_timeout(struct rg_writer *writer, struct rg_span value)
{
	struct rg_cursor cursor = cursor_over(value);
	uint32_t seconds = cursor_u32(&cursor);
	if (!cursor.failed && value.length == 4)
		writer_add_u32(writer, RG_SESSION_TIMEOUT,
			       seconds < SESSION_TIMEOUT_MOST ? seconds : SESSION_TIMEOUT_MOST);
}

struct rg_span compose_reply(const struct rg_reply_composition *composition, uint8_t *out)
{
	const struct rg_packet *answer = composition->answer;
	bool accept = answer->code == RG_ACCESS_ACCEPT;
	struct rg_writer writer;
	struct rg_attribute attribute = {0};
	writer_begin(&writer, out, RG_RADIUS_MOST, answer->code, composition->token,
		     composition->key);
	while (packet_next(answer, &attribute)) {
		if (attribute.type == RG_EAP_MESSAGE)
			writer_add(&writer, RG_EAP_MESSAGE, attribute.value);
		else if (attribute.type == RG_VENDOR_SPECIFIC && accept)
			add_mppe_keys(&writer, composition, attribute.value);
		else if (attribute.type == RG_SESSION_TIMEOUT)
			add_session_timeout(&writer, attribute.value);
		else if (filter_from_federation(attribute.type))
			writer_add(&writer, attribute.type, attribute.value);
	}
	if (accept)
		writer_add_encoded(&writer, composition->visitor_reply);
	writer_add_encoded(&writer, composition->proxy_states);
	return writer_unsealed(&writer, composition->authenticator);
}

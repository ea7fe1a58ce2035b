/* A datagram: packet_view beside FreeRADIUS, and every reader of the view. */
#include "fuzz.h"

#include "../unit/radius/referee_view.h"

#include "radius/dictionary.h"
#include "radius/key.h"
#include "radius/packet.h"

extern uint32_t fr_max_attributes;

static const struct rg_radius_key *key_of_all(void)
{
	static struct rg_radius_key *key;
	const char *why = "";
	if (!key) {
		MUST(dictionary_open(NULL, &why));
		fr_max_attributes = RG_ATTRIBUTES_MOST;
		key = radius_key_new(span_text("geheim van niemand"));
		MUST(key);
	}
	return key;
}

static void walk(const struct rg_packet *packet)
{
	struct rg_attribute attribute = {0};
	struct rg_span whole = span_of(packet->data, packet->length);
	uint8_t memory[RG_RADIUS_MOST], out[256];
	struct rg_buffer eap = buffer_over(memory, sizeof(memory));
	size_t many = 0, octets = RG_RADIUS_HEADER;
	uint32_t number;
	while (packet_next(packet, &attribute)) {
		MUST(attribute.type != 0 && lies_in(attribute.value, whole));
		MUST(packet->first[attribute.type] != 0 &&
		     packet->first[attribute.type] <= attribute.offset);
		if (packet->first[attribute.type] == attribute.offset)
			MUST(packet_count(packet, attribute.type) >= 1);
		packet_u32(packet, attribute.type, &number);
		mppe_reveal(out, attribute.value, packet_authenticator(packet), key_of_all());
		password_reveal(out, attribute.value, packet_authenticator(packet), key_of_all());
		octets += attribute.value.length + 2;
		many++;
	}
	MUST(many == packet->attributes && octets == packet->length);
	packet_eap(packet, &eap);
	/* Both keys, and two that the packet says. */
	const uint8_t types[] = {16, 17, packet->data[4], packet->data[packet->length - 1]};
	for (unsigned i = 0; i < sizeof(types); i++)
		MUST(lies_in(packet_find_vendor(packet, RG_VENDOR_MICROSOFT, types[i]), whole));
}

static void look_at(struct rg_span datagram)
{
	static const uint8_t asked[RG_AUTHENTICATOR] = {1, 2, 3};
	struct rg_packet packet;
	char why[160];
	if (packet_view_version(&packet, datagram, RG_RADIUS_1_1) == RG_PACKET_OK)
		walk(&packet);
	if (packet_view(&packet, datagram) == RG_PACKET_OK) {
		walk(&packet);
		/* Nobody who does not have the secret. */
		MUST(request_verify(&packet, key_of_all()) != RG_AUTHENTIC);
		MUST(reply_verify(&packet, asked, key_of_all()) == RG_FORGED);
	}
	enum rg_referee verdict = referee_view(datagram, why);
	if (verdict == RG_REFEREE_DIFFERS)
		fprintf(stderr, "FreeRADIUS differs: %s\n", why);
	MUST(verdict != RG_REFEREE_DIFFERS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t copy[RG_RADIUS_MOST];
	key_of_all();
	if (size > sizeof(copy))
		return 0;
	look_at(span_of(data, size));
	/* And with a Length that fits, or most inputs end there. */
	if (size >= RG_RADIUS_HEADER) {
		memcpy(copy, data, size);
		copy[2] = (uint8_t)(size >> 8);
		copy[3] = (uint8_t)size;
		look_at(span_of(copy, size));
	}
	return 0;
}

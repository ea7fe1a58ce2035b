/* What a supplicant says inside a tunnel: TTLS's attribute-value pairs, PEAP's TLVs, MSCHAPv2's
 * Response and the cryptobinding. The first octet says which; the next how. */
#include "fuzz.h"

#include <ctype.h>

#include "../../modules/eap_peap/extensions.h"
#include "../../modules/eap_ttls/phase2.h"
#include "core/text.h"
#include "eap/avp.h"
#include "roamgate/mschapv2.h"

/* The pairs, written anew and read again, are the same pairs. */
static void written_anew(struct rg_span clear)
{
	static uint8_t memory[16384];
	struct rg_buffer out = buffer_over(memory, sizeof(memory));
	struct rg_cursor cursor = cursor_over(clear), again;
	struct rg_avp avp, copy;
	size_t octets = 0;
	while (avp_next(&cursor, &avp)) {
		MUST(lies_in(avp.data, clear));
		octets += 8 + avp.data.length;
		/* Vendor 0 is written as none. */
		avp_write(&out, avp.code, avp.vendor, avp.data);
	}
	MUST(octets <= clear.length);
	if (out.failed)
		return;
	MUST(out.length % 4 == 0);
	cursor = cursor_over(clear);
	again = cursor_over(buffer_span(&out));
	while (avp_next(&cursor, &avp)) {
		MUST(avp_next(&again, &copy) && copy.mandatory);
		MUST(copy.code == avp.code && copy.vendor == avp.vendor &&
		     span_equal(copy.data, avp.data));
	}
	MUST(!avp_next(&again, &copy) && !again.failed);
}

static size_t count_of(struct rg_span clear, uint32_t code, uint32_t vendor)
{
	struct rg_cursor cursor = cursor_over(clear);
	struct rg_avp avp;
	size_t count = 0;
	while (avp_next(&cursor, &avp))
		count += avp.code == code && avp.vendor == vendor;
	return count;
}

static void pairs(struct rg_span clear)
{
	static struct phase2 phase2;
	written_anew(clear);
	if (clear.length > RG_TUNNEL_MESSAGE)
		return; /* as the tunnel bears it */
	enum phase2_way way = phase2_read(&phase2, clear);
	size_t eap = count_of(clear, AVP_EAP_MESSAGE, 0), pap = count_of(clear, 2, 0);
	size_t mschapv2 = count_of(clear, 25, VENDOR_MICROSOFT);
	MUST(lies_in(phase2.user_name, clear) || way == PHASE2_REFUSED);
	switch (way) {
	case PHASE2_EAP:
		MUST(eap != 0 && pap == 0 && mschapv2 == 0);
		MUST(phase2.eap.length <= clear.length);
		break;
	case PHASE2_PAP:
		MUST(eap == 0 && pap == 1 && mschapv2 == 0 && count_of(clear, 1, 0) == 1);
		MUST(lies_in(phase2.password, clear));
		break;
	case PHASE2_MSCHAPV2:
		MUST(eap == 0 && pap == 0 && mschapv2 == 1 && count_of(clear, 1, 0) == 1);
		MUST(count_of(clear, 11, VENDOR_MICROSOFT) == 1);
		MUST(lies_in(phase2.response, clear) && lies_in(phase2.challenge, clear));
		break;
	case PHASE2_REFUSED:
		MUST(phase2.why[0] != '\0' && strlen(phase2.why) < sizeof(phase2.why));
		return;
	}
	/* No mandatory one was passed over, and none that speaks of MSCHAP or CHAP. */
	MUST(count_of(clear, 3, 0) == 0 && count_of(clear, 60, 0) == 0);
	MUST(count_of(clear, 1, VENDOR_MICROSOFT) == 0);
}

static struct rg_peap_binding *binding_of(uint8_t seed)
{
	static struct rg_peap_binding binding;
	uint8_t material[128], isk[RG_BINDING_ISK];
	memset(material, seed, sizeof(material));
	memset(isk, 7, sizeof(isk));
	MUST(binding_make(&binding, material, seed & 1 ? isk : NULL));
	memset(binding.nonce, seed, sizeof(binding.nonce));
	return &binding;
}

static void extensions(struct rg_span clear, uint8_t id)
{
	struct peap_result result;
	bool is = extensions_is(clear);
	const char *wrong = extensions_read(clear, id, &result);
	if (wrong) {
		MUST(wrong[0]);
	} else {
		MUST(lies_in(result.binding, clear));
		MUST(clear.length >= 11 && clear.data[1] == id);
	}
	MUST(!is || (clear.length >= 5 && clear.data[0] == 2 && clear.data[4] == 33));
	/* Whoever has not made the tunnel fits nowhere. */
	if (!wrong && result.binding.data) {
		struct rg_peap_binding *binding = binding_of(id);
		MUST(!binding_fits(binding, RG_BINDING_REQUEST, result.binding));
		MUST(!binding_fits(binding, RG_BINDING_RESPONSE, result.binding));
	}
}

/* Ours, with one bit turned: no more. */
static void binding(struct rg_cursor *cursor, uint8_t seed)
{
	uint8_t memory[RG_BINDING_TLV];
	struct rg_buffer out = buffer_over(memory, sizeof(memory));
	struct rg_peap_binding *binding = binding_of(seed);
	MUST(binding_write(binding, RG_BINDING_RESPONSE, &out) && out.length == RG_BINDING_TLV);
	struct rg_span value = span_of(memory + 4, RG_BINDING_TLV - 4);
	MUST(binding_fits(binding, RG_BINDING_RESPONSE, value));
	MUST(!binding_fits(binding, RG_BINDING_REQUEST, value));
	uint16_t bit = cursor_u16(cursor) % (8 * (RG_BINDING_TLV - 4));
	memory[4 + bit / 8] ^= (uint8_t)(1u << bit % 8);
	/* The first octet is reserved, and covered by the MAC as zero. */
	MUST(bit < 8 || !binding_fits(binding, RG_BINDING_RESPONSE, value));
	MUST(!binding_fits(binding, RG_BINDING_RESPONSE, span_of(value.data, bit / 8)));
}

static struct rg_span without_realm(struct rg_span name)
{
	const uint8_t *at = name.length ? memchr(name.data, '@', name.length) : NULL;
	return at ? span_of(name.data, (size_t)(at - name.data)) : name;
}

static void mschapv2(struct rg_cursor *cursor)
{
	struct rg_mschapv2 core = {.challenge = "0123456789abcde"};
	char identity[256], text[RG_MSCHAPV2_AUTHENTICATOR + 1], failure[128];
	uint8_t keys[32];
	struct rg_span who = piece_next(cursor), response = piece_next(cursor);
	struct rg_span name = cursor_rest(cursor);
	if (!text_from_span(identity, sizeof(identity), who))
		return;
	const char *wrong = mschapv2_take(&core, response, name, identity);
	if (wrong) {
		MUST(wrong[0]);
		return;
	}
	/* The name whose password is asked about is whom the rules let in: but for domain and
	 * realm. */
	const char *slash = strchr(identity, '\\');
	MUST(response.length == RG_MSCHAPV2_RESPONSE);
	MUST(strcmp(core.claim.mschap_name, core.name) == 0);
	MUST(text_equal_nocase(without_realm(span_text(core.name)),
			       without_realm(span_text(slash ? slash + 1 : identity))));
	MUST(memcmp(core.claim.nt_response, response.data + 24, 24) == 0);
	MUST(mschapv2_authenticator(&core, core.peer_challenge, text));
	MUST(strlen(text) == RG_MSCHAPV2_AUTHENTICATOR && text[0] == 'S' && text[1] == '=');
	for (size_t i = 2; text[i]; i++)
		MUST(isxdigit((unsigned char)text[i]));
	MUST(mschapv2_keys(&core, core.peer_challenge, keys));
	for (int reason = 0; reason < RG_REASON_COUNT; reason++)
		MUST(mschapv2_failure(failure, (enum rg_reason)reason, true, core.challenge) <
		     sizeof(failure));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rg_cursor cursor = cursor_over(span_of(data, size));
	uint8_t which = cursor_u8(&cursor), how = cursor_u8(&cursor);
	switch (which % 4) {
	case 0:
		pairs(cursor_rest(&cursor));
		break;
	case 1:
		extensions(cursor_rest(&cursor), how);
		break;
	case 2:
		mschapv2(&cursor);
		break;
	case 3:
		binding(&cursor, how);
		break;
	}
	return 0;
}

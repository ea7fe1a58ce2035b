#include "extensions.h"

#include "eap/frame.h"

#define TYPE_EXTENSIONS   33
#define TLV_RESULT        3
#define TLV_CRYPTOBINDING 12
#define TLV_MANDATORY     0x8000u
#define TLV_TYPE          0x3fffu
#define STATUS_SUCCESS    1
#define STATUS_FAILURE    2

/* A Response without its header begins with a type, and none of those is 2 followed by its length.
 */
bool extensions_is(struct rg_span clear)
{
	struct rg_eap_response response;
	struct rg_cursor cursor = cursor_over(clear);
	cursor_take(&cursor, 2);
	uint16_t length = cursor_u16(&cursor);
	return eap_response_read(&response, clear) && length == clear.length &&
	       response.type == TYPE_EXTENSIONS;
}

static const char *take_tlv(uint16_t type, struct rg_span value, struct peap_result *result,
			    bool *has_result)
{
	struct rg_cursor cursor = cursor_over(value);
	switch (type & TLV_TYPE) {
	case TLV_RESULT: {
		uint16_t status = cursor_u16(&cursor);
		if (*has_result || cursor.failed || cursor_left(&cursor) != 0 ||
		    (status != STATUS_SUCCESS && status != STATUS_FAILURE))
			return "broken PEAP: a Result TLV that is none";
		*has_result = true;
		result->success = status == STATUS_SUCCESS;
		return NULL;
	}
	case TLV_CRYPTOBINDING:
		if (result->binding.data)
			return "broken PEAP: cryptobinding twice";
		result->binding = value.data ? value : span_of("", 0);
		return NULL;
	}
	return type & TLV_MANDATORY ? "broken PEAP: a mandatory TLV that is not known" : NULL;
}

const char *extensions_read(struct rg_span clear, uint8_t id, struct peap_result *result)
{
	struct rg_eap_response response;
	bool has_result = false;
	*result = (struct peap_result){0};
	if (!eap_response_read(&response, clear) || response.id != id)
		return "broken PEAP: an Extensions packet that answers none of ours";
	struct rg_cursor cursor = cursor_over(response.data);
	while (cursor_left(&cursor) != 0) {
		uint16_t type = cursor_u16(&cursor), length = cursor_u16(&cursor);
		struct rg_span value = cursor_take(&cursor, length);
		const char *wrong = cursor.failed ? "broken PEAP: a TLV of a wrong length"
						  : take_tlv(type, value, result, &has_result);
		if (wrong)
			return wrong;
	}
	return has_result ? NULL : "broken PEAP: no Result TLV";
}

bool extensions_write(struct rg_buffer *out, uint8_t id, bool success,
		      struct rg_peap_binding *binding)
{
	uint8_t memory[6 + RG_BINDING_TLV];
	struct rg_buffer tlvs = buffer_over(memory, sizeof(memory));
	buffer_u16(&tlvs, TLV_MANDATORY | TLV_RESULT);
	buffer_u16(&tlvs, 2);
	buffer_u16(&tlvs, success ? STATUS_SUCCESS : STATUS_FAILURE);
	if (binding && !binding_write(binding, RG_BINDING_REQUEST, &tlvs))
		return false;
	eap_request_write(out, id, TYPE_EXTENSIONS, buffer_span(&tlvs));
	return !out->failed;
}

#include "eap/frame.h"

bool eap_response_read(struct rg_eap_response *response, struct rg_span packet)
{
	struct rg_cursor cursor = cursor_over(packet);
	uint8_t code = cursor_u8(&cursor);
	response->id = cursor_u8(&cursor);
	uint16_t length = cursor_u16(&cursor);
	response->type = cursor_u8(&cursor);
	response->data = cursor_take(&cursor, length < RG_EAP_HEADER ? 0 : length - RG_EAP_HEADER);
	return !cursor.failed && code == RG_EAP_CODE_RESPONSE && length >= RG_EAP_HEADER;
}

void eap_request_write(struct rg_buffer *out, uint8_t id, uint8_t type, struct rg_span data)
{
	buffer_u8(out, RG_EAP_CODE_REQUEST);
	buffer_u8(out, id);
	buffer_u16(out, (uint16_t)(RG_EAP_HEADER + data.length));
	buffer_u8(out, type);
	buffer_put(out, data);
}

void eap_result_write(struct rg_buffer *out, enum rg_eap_code code, uint8_t id)
{
	buffer_u8(out, (uint8_t)code);
	buffer_u8(out, id);
	buffer_u16(out, 4);
}

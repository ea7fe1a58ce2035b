/* The EAP header (RFC 3748 §4). */
#ifndef RG_EAP_FRAME_H
#define RG_EAP_FRAME_H
#include <stdbool.h>
#include <stdint.h>

#include "roamgate/span.h"

enum rg_eap_code { RG_EAP_CODE_REQUEST = 1, RG_EAP_CODE_RESPONSE, RG_EAP_CODE_SUCCESS, RG_EAP_CODE_FAILURE };
enum rg_eap_type { RG_EAP_IDENTITY = 1, RG_EAP_NOTIFICATION = 2, RG_EAP_NAK = 3, RG_EAP_EXPANDED = 254 };

#define RG_EAP_HEADER 5 /* Code, Identifier, Length, Type */

struct rg_eap_response {
	uint8_t id, type;
	struct rg_span data; /* Type-Data */
};

/* Reads a packet from a supplicant: a Response whose Length fits (octets behind it are padding, §4.1). */
bool eap_response_read(struct rg_eap_response *, struct rg_span packet);

/* Writes a whole Request; data is its Type-Data. */
void eap_request_write(struct rg_buffer *, uint8_t id, uint8_t type, struct rg_span data);
/* Success or Failure (§4.2): id is that of the last Response. */
void eap_result_write(struct rg_buffer *, enum rg_eap_code, uint8_t id);
#endif

/* A RADIUS packet, read where it lies (RFC 2865 §3; RADIUS/1.1: RFC 9765 §4.1). Nothing is copied; the datagram must
 * outlive the view. */
#ifndef RG_RADIUS_PACKET_H
#define RG_RADIUS_PACKET_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "roamgate/span.h"

#define RG_RADIUS_HEADER 20
#define RG_RADIUS_MOST 4096      /* octets of a packet, RFC 2865 §3 */
#define RG_ATTRIBUTES_MOST 200   /* attributes of a packet that we look at (attacks.md W4) */
#define RG_AUTHENTICATOR 16

/* Versions of RADIUS, as bits (RFC 9765). 1.1 is spoken only inside TLS and DTLS, where both ends have agreed on it:
 * the same packet with a Token in place of Identifier and authenticators, nothing of which MD5 vouches for or hides. */
#define RG_RADIUS_1_0 1u
#define RG_RADIUS_1_1 2u

enum rg_code {
	RG_ACCESS_REQUEST = 1,
	RG_ACCESS_ACCEPT = 2,
	RG_ACCESS_REJECT = 3,
	RG_ACCOUNTING_REQUEST = 4,
	RG_ACCOUNTING_RESPONSE = 5,
	RG_ACCESS_CHALLENGE = 11,
	RG_STATUS_SERVER = 12,
	RG_PROTOCOL_ERROR = 52, /* "ask somebody else"; of RADIUS/1.1 alone (RFC 7930 §4, RFC 9765 §6.1) */
};

enum rg_attribute_type {
	RG_USER_NAME = 1, RG_USER_PASSWORD = 2, RG_CHAP_PASSWORD = 3, RG_NAS_IP_ADDRESS = 4, RG_NAS_PORT = 5,
	RG_SERVICE_TYPE = 6, RG_FRAMED_MTU = 12, RG_REPLY_MESSAGE = 18, RG_STATE = 24, RG_CLASS = 25,
	RG_VENDOR_SPECIFIC = 26, RG_SESSION_TIMEOUT = 27, RG_CALLED_STATION_ID = 30, RG_CALLING_STATION_ID = 31,
	RG_NAS_IDENTIFIER = 32, RG_PROXY_STATE = 33, RG_CHAP_CHALLENGE = 60, RG_NAS_PORT_TYPE = 61,
	RG_TUNNEL_TYPE = 64, RG_TUNNEL_MEDIUM_TYPE = 65, RG_TUNNEL_PASSWORD = 69, RG_CONNECT_INFO = 77,
	RG_EAP_MESSAGE = 79, RG_MESSAGE_AUTHENTICATOR = 80, RG_TUNNEL_PRIVATE_GROUP_ID = 81, RG_CUI = 89,
	RG_NAS_FILTER_RULE = 92, RG_NAS_IPV6_ADDRESS = 95, RG_ERROR_CAUSE = 101, RG_EAP_KEY_NAME = 102,
	RG_OPERATOR_NAME = 126,
};

#define RG_VENDOR_MICROSOFT 311

/* Each is a named counter; the packet is dropped. */
enum rg_packet_fault {
	RG_PACKET_OK,
	RG_PACKET_SHORT,               /* under 20 octets */
	RG_PACKET_LENGTH,              /* Length under 20, over 4096 or over the datagram */
	RG_PACKET_CODE,                /* a code that we do not know */
	RG_PACKET_ATTRIBUTE_LENGTH,    /* length 0, 1, or past the end; a stray octet */
	RG_PACKET_ATTRIBUTE_TYPE,      /* type 0 */
	RG_PACKET_ATTRIBUTES_MANY,
	RG_PACKET_MESSAGE_AUTHENTICATOR, /* twice, or not 16 octets; means nothing in 1.1 */
	RG_PACKET_EAP_WITH_PASSWORD,   /* EAP-Message beside User-, CHAP- or ARAP-Password (RFC 3579 §3.3) */
	RG_PACKET_FAULT_COUNT
};

const char *packet_fault_word(enum rg_packet_fault); /* "attribute-length"; static */

struct rg_packet {
	const uint8_t *data;
	size_t length;            /* the packet's Length; a longer datagram's tail is ignored (RFC 2865 §3) */
	uint8_t code;
	uint8_t version;          /* RG_RADIUS_1_0 or RG_RADIUS_1_1 */
	uint16_t attributes;      /* how many */
	uint32_t token;           /* what an answer is known by: the Identifier; in 1.1 the Token */
	uint16_t first[256];      /* by type: offset of the first attribute of that type; 0: none */
};

struct rg_attribute {
	uint8_t type;
	uint16_t offset;          /* of the attribute's type octet in the packet */
	struct rg_span value;
};

/* Reads and checks the whole frame of a packet of that version (RG_RADIUS_1_0, RG_RADIUS_1_1). On a fault the view must
 * not be used. */
enum rg_packet_fault packet_view_version(struct rg_packet *, struct rg_span datagram,
					 unsigned version);

/* Of RADIUS as RFC 2865 has it, which all of UDP speaks. */
static inline enum rg_packet_fault packet_view(struct rg_packet *packet, struct rg_span datagram)
{
	return packet_view_version(packet, datagram, RG_RADIUS_1_0);
}

/* Of 1.1: the Token and what is reserved, which nothing looks at. */
static inline const uint8_t *packet_authenticator(const struct rg_packet *packet)
{
	return packet->data + 4;
}

/* Whether its sender had to add a Message-Authenticator, whatever the policy: EAP-Message (RFC 3579 §3.3),
 * Status-Server (RFC 5997 §3). Its absence is no fault of the frame; who verifies the packet drops it. */
static inline bool packet_must_be_authentic(const struct rg_packet *packet)
{
	return packet->first[RG_EAP_MESSAGE] != 0 || packet->code == RG_STATUS_SERVER;
}

/* The first attribute's value; data NULL: there is none. */
struct rg_span packet_find(const struct rg_packet *, uint8_t type);
/* Walks all attributes in order; start with {0}. */
bool packet_next(const struct rg_packet *, struct rg_attribute *);
/* Walks those of one type; start with {0}. */
bool packet_next_of(const struct rg_packet *, uint8_t type, struct rg_attribute *);
unsigned packet_count(const struct rg_packet *, uint8_t type);
/* A four-octet integer attribute; false: absent or of another length. */
bool packet_u32(const struct rg_packet *, uint8_t type, uint32_t *value);
/* All EAP-Message attributes one after the other (RFC 3579 §3.1); false: none, or more than fits. */
bool packet_eap(const struct rg_packet *, struct rg_buffer *out);
/* The first sub-attribute of that vendor and type (RFC 2865 §5.26); data NULL: none. */
struct rg_span packet_find_vendor(const struct rg_packet *, uint32_t vendor, uint8_t type);
#endif

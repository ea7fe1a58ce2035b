/* Answers made here: what a Challenge, an Accept and a Reject of our own realms bear. */
#ifndef RG_REPLY_REPLY_H
#define RG_REPLY_REPLY_H
#include "radius/key.h"
#include "radius/packet.h"
#include "roamgate/eap.h"
#include "roamgate/module.h"

/* To what request. */
struct rg_reply_to {
	uint32_t token;
	const uint8_t *authenticator;
	const struct rg_radius_key *key;
	struct rg_span proxy_states; /* as whole attributes, in their order */
};

/* What is said; all but code may be empty. */
struct rg_reply {
	enum rg_code code;
	struct rg_span eap;
	struct rg_span state;
	const struct rg_eap_keys *keys; /* MS-MPPE keys of an Accept */
	bool key_name;                  /* EAP-Key-Name too */
	struct rg_span user_name, cui, reply_message;
	bool to_status_server;          /* signed whatever its code */
	struct rg_span attributes;      /* a rule's, as whole attributes */
};

/* Writes into out (RG_RADIUS_MOST octets) what is still to be sealed (radius/key.h). Empty span: it does not fit. */
struct rg_span reply_compose(const struct rg_reply *, const struct rg_reply_to *, uint8_t *out);

/* Chargeable-User-Identity (RFC 4372 §2.1): lower-case hex of HMAC-SHA256(key, Operator-Name, inner identity): the
 * same for one person at one operator, another at each. out: 65 octets, NUL-terminated. */
void cui_compute(char out[65], const struct rg_secret *key, const char *operator_name,
		 const char *identity);
#endif

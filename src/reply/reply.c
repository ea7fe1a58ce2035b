#include "reply/reply.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"
#include "radius/writer.h"

static void add_if(struct rg_writer *writer, uint8_t type, struct rg_span value)
{
	if (value.length != 0)
		writer_add(writer, type, value);
}

struct rg_span reply_compose(const struct rg_reply *reply, const struct rg_reply_to *to,
			     uint8_t *out)
{
	struct rg_writer writer;
	writer_begin(&writer, out, RG_RADIUS_MOST, (uint8_t)reply->code, to->token, to->key);
	if (reply->to_status_server)
		writer_add_message_authenticator(&writer);
	if (reply->eap.length != 0)
		writer_add_eap(&writer, reply->eap);
	add_if(&writer, RG_STATE, reply->state);
	add_if(&writer, RG_USER_NAME, reply->user_name);
	add_if(&writer, RG_CUI, reply->cui);
	add_if(&writer, RG_REPLY_MESSAGE, reply->reply_message);
	writer_add_encoded(&writer, reply->attributes);
	if (reply->keys) {
		writer_add_mppe(&writer, reply->keys->msk, to->authenticator);
		if (reply->key_name)
			add_if(&writer, RG_EAP_KEY_NAME,
			       span_of(reply->keys->session_id, reply->keys->session_id_length));
	}
	writer_add_encoded(&writer, to->proxy_states);
	return writer_unsealed(&writer, to->authenticator);
}

void cui_compute(char out[65], const struct rg_secret *key, const char *operator_name,
		 const char *identity)
{
	char input[768];
	uint8_t digest[32];
	unsigned length = sizeof(digest);
	snprintf(input, sizeof(input), "%s\n%s", operator_name ? operator_name : "", identity);
	text_lower(input);
	HMAC(EVP_sha256(), key->data, (int)key->length, (const uint8_t *)input, strlen(input), digest,
	     &length);
	text_hex(out, span_of(digest, length));
}

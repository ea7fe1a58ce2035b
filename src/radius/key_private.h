/* What a key is made of, for those who verify and those who seal. Of radius/ only. */
#ifndef RG_RADIUS_KEY_PRIVATE_H
#define RG_RADIUS_KEY_PRIVATE_H
#include "radius/key.h"
#include "radius/md5.h"

struct rg_radius_key {
	struct rg_hmac_md5 hmac;
	struct rg_md5 prefix; /* MD5 that has seen the secret: every hiding begins with it */
	size_t length;        /* 0: RADIUS/1.1, no other key is without a secret */
	uint8_t secret[];
};

static inline bool key_is_1_1(const struct rg_radius_key *key)
{
	return key->length == 0;
}

static inline struct rg_span key_secret(const struct rg_radius_key *key)
{
	return span_of(key->secret, key->length);
}
#endif

/* MD5 (RFC 1321) and HMAC-MD5 (RFC 2104) whose states can be kept, copied and continued without
 * memory of their own. Only because RADIUS is made of them. */
#ifndef RG_RADIUS_MD5_H
#define RG_RADIUS_MD5_H
#include <stdint.h>

#include "roamgate/span.h"

#define RG_MD5_LENGTH 16

/* Copied by assignment. Wiped by its owner where it saw a secret. */
struct rg_md5 {
	_Alignas(8) uint8_t opaque[96];
};

void md5_begin(struct rg_md5 *);
void md5_add(struct rg_md5 *, struct rg_span);
/* Ends and wipes the state. */
void md5_end(struct rg_md5 *, uint8_t digest[RG_MD5_LENGTH]);

/* The chaining words of a state that has seen whole blocks only, and how many octets those were; NULL: of one that has seen
 * nothing. */
uint64_t md5_words(const struct rg_md5 *, uint32_t words[4]);

/* The two states of a keyed HMAC, each one block on. */
struct rg_hmac_md5 {
	struct rg_md5 inner, outer;
};

void hmac_md5_key(struct rg_hmac_md5 *, struct rg_span key);
/* Ends and wipes a running inner state that began as a copy of key->inner. */
void hmac_md5_end(const struct rg_hmac_md5 *key, struct rg_md5 *inner,
		  uint8_t digest[RG_MD5_LENGTH]);
#endif

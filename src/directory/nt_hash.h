/* The verification of MSCHAPv2 (RFC 2759 §8) from an NT hash. It stands on MD4 and DES, which are
 * broken and which OpenSSL keeps in its legacy provider: that is loaded into a library context of
 * its own, so that nothing else of the process can come to use them.
 *
 * Everything that these functions write is as good as the password: its owner wipes it. */
#ifndef RG_DIRECTORY_NT_HASH_H
#define RG_DIRECTORY_NT_HASH_H
#include "roamgate/directory.h"
#include "roamgate/span.h"

#define RG_NT_HASH 16u /* octets of a hash, and of a hash's hash */

struct rg_nt_digests;

/* NULL: no memory, or OpenSSL's legacy provider is not installed. Used by any thread. */
struct rg_nt_digests *nt_digests_new(void);
void nt_digests_free(struct rg_nt_digests **);

/* NtPasswordHash (§8.3) of a password in UTF-8. False: it is no UTF-8, or longer than the 256
 * characters that §8.3 allows. */
bool nt_hash_make(const struct rg_nt_digests *, struct rg_span password, uint8_t hash[RG_NT_HASH]);

/* The value of an attribute: 32 hexadecimal digits, as Samba's schema has it, or 16 octets. False:
 * neither. */
bool nt_hash_read(struct rg_span value, uint8_t hash[RG_NT_HASH]);

/* ChallengeResponse (§8.5). False: no memory. */
bool nt_response_make(const struct rg_nt_digests *, const uint8_t challenge[8],
		      const uint8_t hash[RG_NT_HASH], uint8_t response[24]);

/* Did whoever answered the question's challenge know the password of that hash? FOUND: hash_hash of
 * the question holds HashNtPasswordHash (§8.4). Else WRONG_SECRET or, out of memory, UNAVAILABLE.
 * In constant time. */
enum rg_outcome nt_hash_verify(const struct rg_nt_digests *, const uint8_t hash[RG_NT_HASH],
			       struct rg_question *);
#endif

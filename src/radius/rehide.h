/* MS-MPPE keys that were hidden for us, hidden anew for somebody else (RFC 2548 §2.4.2): many at
 * once, since each block that is hidden waits for the one before it, but no key for another. */
#ifndef RG_RADIUS_REHIDE_H
#define RG_RADIUS_REHIDE_H
#include "radius/key.h"

#define RG_MPPE_KEY_MOST    64 /* octets of one that is given on */
#define RG_MPPE_HIDDEN_MOST 82 /* its salt, and its length octet and itself in blocks of 16 */

/* Both keys are of RADIUS/1.0. Borrowed, but for the result. */
struct rg_rehiding {
	struct rg_span hidden; /* salt and string */
	const struct rg_radius_key *from, *to;
	const uint8_t *from_authenticator, *to_authenticator;
	uint8_t anew[RG_MPPE_HIDDEN_MOST]; /* the result, with the same salt: the authenticator is
					      another */
	size_t length; /* of it; 0: none of the usual form (attacks.md W6), mppe_reveal may know
			  more */
};

void mppe_rehide(struct rg_rehiding *, size_t count);
#endif

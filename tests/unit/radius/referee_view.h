/* FreeRADIUS reads a packet beside packet_view: what one takes the other takes, and both see the
 * same attributes.
 *
 * Where the two differ on purpose:
 * - Codes: FreeRADIUS takes 1 to 51; we know seven, and drop the rest before looking further.
 * - Length over 4096: FreeRADIUS checks it when it receives, not in rad_packet_ok.
 * - Message-Authenticator twice: FreeRADIUS checks each; we drop the packet (attacks.md W5).
 * - EAP-Message or Status-Server without Message-Authenticator: FreeRADIUS drops it with the frame;
 * we say so in packet_must_be_authentic, because it has a counter of its own.
 * - A sub-attribute of a vendor without a value: FreeRADIUS leaves it out, we find it empty.
 */
#ifndef RG_TESTS_RADIUS_REFEREE_VIEW_H
#define RG_TESTS_RADIUS_REFEREE_VIEW_H
#include "roamgate/span.h"

enum rg_referee {
	RG_REFEREE_BOTH_TAKE,
	RG_REFEREE_BOTH_REFUSE,
	RG_REFEREE_APART,   /* one of the differences above */
	RG_REFEREE_DIFFERS, /* why says how */
};

/* At most RG_RADIUS_MOST octets. Needs dictionary_open and fr_max_attributes = RG_ATTRIBUTES_MOST.
 */
enum rg_referee referee_view(struct rg_span datagram, char why[160]);
#endif

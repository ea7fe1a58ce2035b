/* What a sign-in says, without sockets or clocks: the engine moves its packets. Two scripts are
 * there: a visitor's request for a home server far away, and EAP as a laptop speaks it. */
#ifndef RG_LOAD_SCRIPT_H
#define RG_LOAD_SCRIPT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "load/who.h"
#include "radius/key.h"
#include "roamgate/span.h"
#include "supplicant/supplicant.h"

/* What a script has to tell of a sign-in that is over. */
struct rg_script_verdict {
	unsigned round_trips;
	bool resumed, keys_match; /* keys_match: an Accept's MPPE keys were there and right */
	const char *why;          /* of one that was not accepted; borrowed until end */
};

struct rg_script {
	size_t size; /* of the memory that a sign-in needs; zeroed before begin */
	/* slot: which of the sign-ins under way at once. False: no memory. */
	bool (*begin)(void *talk, const void *settings, const struct rg_who *, unsigned slot);
	/* The next Access-Request; valid until the next call. Empty: no randomness. */
	struct rg_span (*request)(void *talk, uint8_t id);
	/* As supplicant_reply: a datagram that does not verify is ignored, and changes nothing. */
	enum rg_supplicant_state (*reply)(void *talk, struct rg_span datagram, bool *ignored);
	void (*tell)(void *talk, struct rg_script_verdict *);
	void (*end)(void *talk);
};

/* A visitor's Access-Request with an EAP-Response/Identity, which a home server answers at once. */
struct rg_visitor_settings {
	const struct rg_radius_key *key;
	const char *called; /* Called-Station-Id */
};
extern const struct rg_script script_visitor;

/* A whole sign-in by EAP. */
struct rg_laptop_settings {
	const struct rg_radius_key *key;
	const char *called;
	/* One for each slot, so that a laptop resumes its own session; or the same one for all. */
	struct rg_supplicant_profile **profiles;
	unsigned profile_count;
	const char *inner_pattern; /* who.h: who signs in inside a tunnel; NULL: the profile's */
};
extern const struct rg_script script_laptop;
#endif

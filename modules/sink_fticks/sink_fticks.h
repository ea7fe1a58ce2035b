/* F-Ticks (draft-johansson-fticks): a line a sign-in, for the federation's statistics. What the
 * files share. */
#ifndef SINK_FTICKS_H
#define SINK_FTICKS_H
#include "roamgate/module.h"

/* How a device is shown; radsecproxy's FTicksMAC. */
enum fticks_mac {
	FTICKS_STATIC, /* "undisclosed", whoever it is */
	FTICKS_ORIGINAL,
	FTICKS_VENDOR_HASHED,     /* "AA-BB-CC-" and SHA-256 */
	FTICKS_VENDOR_KEY_HASHED, /* … HMAC-SHA256 */
	FTICKS_FULLY_HASHED,
	FTICKS_FULLY_KEY_HASHED,
	FTICKS_MAC_UNKNOWN,
};

struct fticks_settings {
	const char *federation, *target, *mac;
	struct rg_secret *key;
	int reporting; /* enum fticks_reporting */
	int facility;  /* index into fticks_facilities */
	struct rg_strings exempt;
	int64_t queue;
	const char *ca, *certificate, *private_key, *server_name;
};

enum fticks_reporting { FTICKS_FULL, FTICKS_BASIC };

extern const struct rg_row fticks_rows[];
void fticks_check(const void *settings, struct rg_complaint *);
/* The syslog facility (RFC 5424 §6.2.1) of that index. */
unsigned fticks_facility(int index);
/* The mode of those words: "vendor-hashed", "VendorHashed". "…-hashed" with a key is
 * "…-key-hashed". */
enum fticks_mac fticks_mac_of(const char *words, bool keyed);
#endif

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"
#include "sink_fticks.h"
#include "target.h"

#define FIELD(field) offsetof(struct fticks_settings, field)
#define KEY_SHORT    16

static const char *const reportings[] = {"full", "basic", NULL};

static const char *const facility_words[] = {"user",   "daemon", "auth",   "authpriv", "local0",
					     "local1", "local2", "local3", "local4",   "local5",
					     "local6", "local7", NULL};
static const unsigned facility_numbers[] = {1, 3, 4, 10, 16, 17, 18, 19, 20, 21, 22, 23};

unsigned fticks_facility(int index)
{
	return facility_numbers[index];
}

const struct rg_row fticks_rows[] = {
	{.name = "federation",
	 .type = RG_STRING,
	 .offset = FIELD(federation),
	 .fallback = "eduroam",
	 .help = "the name in F-TICKS/NAME/1.0"},
	{.name = "target",
	 .type = RG_STRING,
	 .offset = FIELD(target),
	 .fallback = "syslog",
	 .help = "syslog, udp://HOST:PORT, tcp://HOST:PORT, tls://HOST:PORT or unix:/PATH"},
	{.name = "mac",
	 .type = RG_STRING,
	 .offset = FIELD(mac),
	 .fallback = "vendor-hashed",
	 .help = "how a device is shown: static, original, vendor-hashed, fully-hashed (with key: "
		 "HMAC)"},
	{.name = "key",
	 .type = RG_SECRET,
	 .offset = FIELD(key),
	 .help = "of that HMAC; without it anybody can try all devices"},
	{.name = "reporting",
	 .type = RG_CHOICE,
	 .offset = FIELD(reporting),
	 .fallback = "full",
	 .choices = reportings,
	 .help = "full, or basic: without the visited place (VISINST)"},
	{.name = "exempt",
	 .type = RG_STRINGS,
	 .offset = FIELD(exempt),
	 .help = "outer names that are not reported, * and ? as in rules: probes"},
	{.name = "facility",
	 .type = RG_CHOICE,
	 .offset = FIELD(facility),
	 .fallback = "local0",
	 .choices = facility_words,
	 .help = "of syslog"},
	{.name = "queue",
	 .type = RG_INTEGER,
	 .offset = FIELD(queue),
	 .fallback = "4096",
	 .least = 16,
	 .most = 1000000,
	 .help = "sign-ins that wait at most, while the target does not take them"},
	{.name = "ca",
	 .type = RG_FILE,
	 .offset = FIELD(ca),
	 .help = "of tls: who may have signed the receiver's certificate"},
	{.name = "certificate",
	 .type = RG_FILE,
	 .offset = FIELD(certificate),
	 .help = "of tls: what is shown to the receiver"},
	{.name = "private_key", .type = RG_FILE, .offset = FIELD(private_key), .help = "its key"},
	{.name = "server_name",
	 .type = RG_STRING,
	 .offset = FIELD(server_name),
	 .help = "of tls: the name in the receiver's certificate, where it is not the target's "
		 "host"},
	{0},
};

enum fticks_mac fticks_mac_of(const char *words, bool keyed)
{
	static const struct {
		const char *word;
		enum fticks_mac plain, keyed;
	} modes[] = {
		{"static", FTICKS_STATIC, FTICKS_STATIC},
		{"original", FTICKS_ORIGINAL, FTICKS_ORIGINAL},
		{"vendorhashed", FTICKS_VENDOR_HASHED, FTICKS_VENDOR_KEY_HASHED},
		{"vendorkeyhashed", FTICKS_VENDOR_KEY_HASHED, FTICKS_VENDOR_KEY_HASHED},
		{"fullyhashed", FTICKS_FULLY_HASHED, FTICKS_FULLY_KEY_HASHED},
		{"fullykeyhashed", FTICKS_FULLY_KEY_HASHED, FTICKS_FULLY_KEY_HASHED},
	};
	char word[32];
	size_t length = 0;
	for (; *words && length < sizeof(word) - 1; words++)
		if (*words != '-' && *words != '_')
			word[length++] = (char)tolower((unsigned char)*words);
	word[length] = '\0';
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(modes[i].word, word) == 0)
			return keyed ? modes[i].keyed : modes[i].plain;
	return FTICKS_MAC_UNKNOWN;
}

static void check_mac(const struct fticks_settings *settings, struct rg_complaint *complaint)
{
	static const char *const words[] = {"static",
					    "original",
					    "vendor-hashed",
					    "vendor-key-hashed",
					    "fully-hashed",
					    "fully-key-hashed",
					    NULL};
	const char *nearest = text_nearest(settings->mac, words);
	switch (fticks_mac_of(settings->mac, settings->key)) {
	case FTICKS_VENDOR_KEY_HASHED:
	case FTICKS_FULLY_KEY_HASHED:
		if (!settings->key)
			complain_error(complaint, "mac",
				       "\"%s\" needs a key: give key, or better key_file",
				       settings->mac);
		else if (settings->key->length < KEY_SHORT)
			complain_warning(complaint, "key",
					 "has %zu octet%s: a key under %d can be guessed",
					 settings->key->length, text_plural(settings->key->length),
					 KEY_SHORT);
		return;
	case FTICKS_VENDOR_HASHED:
	case FTICKS_FULLY_HASHED:
		complain_warning(complaint, "mac",
				 "\"%s\" without a key tells devices to whoever tries them all: "
				 "give key_file",
				 settings->mac);
		return;
	case FTICKS_STATIC:
	case FTICKS_ORIGINAL:
		if (settings->key)
			complain_warning(complaint, "key", "is not used by mac = \"%s\"",
					 settings->mac);
		return;
	case FTICKS_MAC_UNKNOWN:
		complain_error(complaint, "mac",
			       "\"%s\" is none of \"static\", \"original\", \"vendor-hashed\", "
			       "\"vendor-key-hashed\", "
			       "\"fully-hashed\", \"fully-key-hashed\"%s%s%s",
			       settings->mac, nearest ? " (did you mean \"" : "",
			       nearest ? nearest : "", nearest ? "\"?)" : "");
		return;
	}
}

static void check_tls(const struct fticks_settings *settings, struct rg_complaint *complaint)
{
	const struct {
		const char *name, *value;
	} keys[] = {
		{"ca", settings->ca},
		{"certificate", settings->certificate},
		{"private_key", settings->private_key},
		{"server_name", settings->server_name},
	};
	const char *why;
	struct fticks_target target;
	if (!fticks_target_parse(&target, settings->target, &why)) {
		complain_error(complaint, "target", "%s", why);
		return;
	}
	if (target.transport == FTICKS_TLS) {
		if (!settings->ca)
			complain_error(
				complaint, "ca",
				"is missing: who may have signed the receiver's certificate");
		if (!settings->certificate != !settings->private_key)
			complain_error(complaint,
				       settings->certificate ? "certificate" : "private_key",
				       "certificate and private_key go together");
		return;
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].value)
			complain_error(complaint, keys[i].name, "belongs to a target tls://…");
}

void fticks_check(const void *opaque, struct rg_complaint *complaint)
{
	const struct fticks_settings *settings = opaque;
	const char *at = settings->federation;
	while (isalnum((unsigned char)*at) || (*at && strchr("-_.", *at)))
		at++;
	if (*at || at == settings->federation || at - settings->federation > 64)
		complain_error(complaint, "federation",
			       "must be a word of letters, digits, '-', '_' and '.': it stands in "
			       "F-TICKS/…/1.0");
	check_mac(settings, complaint);
	check_tls(settings, complaint);
}

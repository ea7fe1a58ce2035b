/* credentials, and what clients and peers say of whom they are over TLS and DTLS: names and keys. */
#include <stdlib.h>
#include <string.h>

#include "config/rows.h"
#include "core/reserve.h"
#include "core/secret.h"
#include "core/text.h"
#include "route/nai.h"

#define PSK_IDENTITY_MOST 128 /* what every implementation takes (RFC 9813 §4.2) */
#define PSK_LEAST 16	      /* RFC 9813 §4.1.1 */
#define PSK_MOST 512	      /* OpenSSL's PSK_MAX_PSK_LEN */

struct credential {
	struct rg_credential credential;
	struct rg_choices radius;
};

#define CREDENTIAL(member) offsetof(struct credential, credential.member)

/* In the order of enum rg_tls_version, and of the bits RG_RADIUS_1_*. */
static const char *const tls_versions[] = {"1.2", "1.3", NULL};
static const char *const radius_versions[] = {"1.0", "1.1", NULL};

static const struct rg_row credential_rows[] = {
	{.name = "name", .type = RG_STRING, .offset = CREDENTIAL(name), .flags = RG_REQUIRED,
	 .help = "by which peers and listens name it"},
	{.name = "certificate", .type = RG_FILE, .offset = CREDENTIAL(certificate),
	 .help = "of this gateway, with its intermediates"},
	{.name = "private_key", .type = RG_FILE, .offset = CREDENTIAL(private_key), .help = "its key"},
	{.name = "ca", .type = RG_FILE, .offset = CREDENTIAL(ca), .help = "who may sign peers' certificates"},
	{.name = "crl", .type = RG_FILE, .offset = CREDENTIAL(crl), .help = "what they revoked"},
	{.name = "tls_min", .type = RG_CHOICE, .offset = CREDENTIAL(tls_min), .fallback = "1.2",
	 .choices = tls_versions, .help = "lowest version"},
	{.name = "tls_max", .type = RG_CHOICE, .offset = CREDENTIAL(tls_max), .fallback = "1.3",
	 .choices = tls_versions, .help = "highest version"},
	{.name = "radius", .type = RG_CHOICES, .offset = offsetof(struct credential, radius),
	 .fallback = "1.0 1.1", .choices = radius_versions,
	 .help = "versions of RADIUS that are offered and taken (RFC 9765)"},
	{0},
};

/* A certificate alone proves who we are and nobody else: RadSec is mutual (RFC 6614 §2.3). */
static void files_check(struct rg_complaint *at)
{
	static const char *const together[] = {"certificate", "private_key", "ca"};
	const char *given = NULL;
	for (size_t i = 0; i < sizeof(together) / sizeof(together[0]); i++)
		if (config_setting_get_member(at->group, together[i]))
			given = together[i];
	for (size_t i = 0; given && i < sizeof(together) / sizeof(together[0]); i++)
		if (!config_setting_get_member(at->group, together[i]))
			complain_error(at, together[i],
				       "is missing: certificate, private_key and ca go together (without all "
				       "three only TLS-PSK is spoken)");
	if (!given && config_setting_get_member(at->group, "crl"))
		complain_error(at, "crl", "belongs to a ca, which is missing");
}

void credential_read(struct rg_reading *reading, config_setting_t *setting)
{
	struct credential read = {0};
	struct rg_canon canon = {.outer = reading->canon};
	struct rg_complaint at = {reading, setting};
	struct rg_credential *credential = &reading->raddb->credentials[reading->raddb->credential_count];
	canon_setting(&canon, setting);
	reading->canon = &canon;
	rows_read(&at, credential_rows, NULL, &read);
	reading->canon = canon.outer;
	*credential = read.credential;
	canon_end(&canon, credential->digest);
	credential->where = setting_where(setting);
	for (size_t i = 0; i < read.radius.count; i++)
		credential->versions |= 1u << read.radius.items[i];
	if (!credential->name)
		credential->name = "";
	else if (*credential->name == '\0')
		complain_error(&at, "name", "is empty");
	if (credential->versions == 0)
		complain_error(&at, "radius", "is empty: no version of RADIUS would be spoken");
	if (credential->tls_min > credential->tls_max)
		complain_error(&at, "tls_min", "is above tls_max");
	/* RFC 9765 leaves the version of TLS open; what speaks 1.1 here is TLS 1.3. */
	if (credential->versions == RG_RADIUS_1_1 && credential->tls_max == RG_TLS_1_2)
		complain_error(&at, "radius", "1.1 alone needs TLS 1.3, and tls_max is 1.2");
	files_check(&at);
	reading->credentials[reading->raddb->credential_count] = setting;
	credential->number = reading->raddb->credential_count++;
}

const struct rg_credential *credential_find(struct rg_complaint *at, const char *name)
{
	struct rg_raddb *raddb = at->reading->raddb;
	char hint[128];
	const char **names = arena_alloc(&at->reading->scratch,
					 (raddb->credential_count + 1) * sizeof(*names));
	size_t count = 0;
	for (size_t i = 0; i < raddb->credential_count; i++) {
		if (strcmp(raddb->credentials[i].name, name) == 0 && *name)
			return &raddb->credentials[i];
		if (at->reading->credentials[i])
			names[count++] = raddb->credentials[i].name;
	}
	if (count == 0)
		complain_error(at, "credential", "there is no \"%s\": the list credentials is empty", name);
	else
		complain_error(at, "credential", "there is no \"%s\" in credentials%s", name,
			       hint_text(name, names, hint));
	return NULL;
}

void credential_judge(struct rg_complaint *at, const struct rg_credential *credential,
		      enum rg_transport transport)
{
	/* OpenSSL has no DTLS 1.3. */
	if (transport != RG_TRANSPORT_DTLS)
		return;
	if (credential->tls_min > RG_TLS_1_2)
		complain_error(at, "credential", "\"%s\" wants TLS 1.3 at least: DTLS here is 1.2",
			       credential->name);
	else if (credential->versions == RG_RADIUS_1_1)
		complain_error(at, "credential", "\"%s\" wants RADIUS/1.1, which DTLS does not speak here",
			       credential->name);
}

/* Nothing is shown and nothing trusted; TLS 1.3 alone, since a key that is used with 1.2 as well is not
 * known to be safe (RFC 9813 §4.1.1). */
const struct rg_credential *credential_without_files(struct rg_reading *reading)
{
	struct rg_raddb *raddb = reading->raddb;
	struct rg_canon canon = {0};
	if (reading->without_files)
		return reading->without_files;
	struct rg_credential *credential = &raddb->credentials[raddb->credential_count];
	*credential = (struct rg_credential){
		.where = {raddb->main_file, 0},
		.name = "",
		.tls_min = RG_TLS_1_3,
		.tls_max = RG_TLS_1_3,
		.versions = RG_RADIUS_1_0 | RG_RADIUS_1_1,
		.number = raddb->credential_count++,
	};
	canon_end(&canon, credential->digest);
	return reading->without_files = credential;
}

static bool is_host_name(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	if (strlen(text) > 253)
		return false;
	for (;;) {
		size_t length = strspn(text, letters);
		if (length == 0 || length > 63 || text[0] == '-')
			return false;
		if (text[length] == '\0')
			return true;
		if (text[length] != '.')
			return false;
		text += length + 1;
	}
}

bool host_check(struct rg_complaint *at, const char *key, const char *host)
{
	struct sockaddr_storage address;
	if (address_parse(host, 0, &address) || is_host_name(host))
		return true;
	complain_error(at, key, "\"%s\" is no name of a host and no address%s", host,
		       strchr(host, ':') ? ": a port has a key of its own" : "");
	return false;
}

/* What a subjectAltName may hold of a RADIUS peer: dNSName, iPAddress, or NAIRealm (RFC 7585 §2.2). */
static bool is_peer_name(const char *text)
{
	struct sockaddr_storage address;
	return address_parse(text, 0, &address) || is_host_name(text) ||
	       realm_check(span_text(text)) == RG_NAI_OK;
}

struct rg_strings peer_names_read(struct rg_complaint *at, const char *key,
				  const struct rg_strings *written)
{
	struct rg_arena *arena = &at->reading->raddb->arena;
	const char **names = arena_alloc(arena, (written->count + 1) * sizeof(*names));
	size_t count = 0;
	for (size_t i = 0; i < written->count; i++) {
		const char *name = written->items[i];
		if (strchr(name, '*')) {
			complain_error(at, key,
				       "\"%s\": a * may stand in a certificate; here the name that is meant is "
				       "written in full",
				       name);
		} else if (!is_peer_name(name)) {
			complain_error(at, key, "\"%s\" is no name of a host, address or realm", name);
		} else {
			char *lower = arena_text(arena, name);
			text_lower(lower);
			names[count++] = lower;
		}
	}
	if (written->count == 0 && config_setting_get_member(at->group, key))
		complain_error(at, key, "is empty: no certificate would do");
	return (struct rg_strings){names, count};
}

static int hex_digit(uint8_t octet)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = octet ? strchr(digits, octet) : NULL;
	return at ? (int)((at - digits) % 16) : -1;
}

/* A key of more than what can be typed is written as "0x" and hex (RFC 9813 §4.1.2). NULL: it is not. */
static struct rg_secret *psk_from_hex(struct rg_raddb *raddb, const struct rg_secret *psk)
{
	uint8_t octets[PSK_MOST];
	size_t count = psk->length / 2 - 1;
	if (psk->length < 4 || psk->length % 2 != 0 || count > sizeof(octets) ||
	    memcmp(psk->data, "0x", 2) != 0)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		int high = hex_digit(psk->data[2 + 2 * i]), low = hex_digit(psk->data[3 + 2 * i]);
		if (high < 0 || low < 0)
			return NULL;
		octets[i] = (uint8_t)(16 * high + low);
	}
	struct rg_secret *made = secret_new(octets, count);
	secret_wipe(octets, sizeof(octets));
	if (!made) {
		reserve_note();
		return NULL;
	}
	secret_keep(raddb, made);
	raddb->keepsakes->psk = true;
	return made;
}

static void psk_identity_check(struct rg_complaint *at, const char *identity)
{
	/* Escaped, an octet has four characters. */
	char escaped[4 * PSK_IDENTITY_MOST + 1];
	size_t length = strlen(identity);
	if (length == 0)
		complain_error(at, "psk_identity", "is empty");
	else if (length > PSK_IDENTITY_MOST)
		complain_error(at, "psk_identity", "has %zu octets: at most %d (RFC 9813)", length,
			       PSK_IDENTITY_MOST);
	else if (text_escape(escaped, sizeof(escaped), span_text(identity)) != length)
		complain_error(at, "psk_identity",
			       "holds a quote, backslash or control character, or is no UTF-8: \"%s\"", escaped);
}

static void psk_mark(struct rg_raddb *raddb, const struct rg_secret *psk)
{
	for (struct rg_keepsake *keepsake = raddb->keepsakes; keepsake; keepsake = keepsake->next)
		if (keepsake->secret == psk) {
			keepsake->psk = true;
			return;
		}
}

const struct rg_secret *psk_read(struct rg_complaint *at, const char *identity,
				 const struct rg_secret *psk)
{
	if (!identity && !psk)
		return NULL;
	if (!psk) {
		complain_error(at, "psk", "is missing: the key of psk_identity; give it, or better psk_file");
		return NULL;
	}
	psk_mark(at->reading->raddb, psk);
	if (!identity) {
		complain_error(at, "psk_identity", "is missing: it and psk_file go together");
		return NULL;
	}
	psk_identity_check(at, identity);
	const struct rg_secret *decoded = psk_from_hex(at->reading->raddb, psk);
	if (decoded)
		psk = decoded;
	/* RFC 9813 §4.1.1: "Implementations MUST require that PSKs be at least 16 octets in length." */
	if (psk->length < PSK_LEAST || psk->length > PSK_MOST)
		complain_error(at, "psk",
			       "has %zu octet%s: from %d to %d (RFC 9813): openssl rand -hex 32",
			       psk->length, text_plural(psk->length), PSK_LEAST, PSK_MOST);
	return psk;
}

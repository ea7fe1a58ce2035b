#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/rows.h"
#include "core/text.h"
#include "route/nai.h"

const char *path_resolve(const struct rg_raddb *raddb, const char *path)
{
	struct rg_arena *arena = (struct rg_arena *)&raddb->arena;
	return *path == '/' ? arena_text(arena, path) : arena_format(arena, "%s/%s", raddb->dir, path);
}

bool address_parse(const char *text, uint16_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	*out = (struct sockaddr_storage){.ss_family = AF_UNSPEC};
	if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
		memcpy(out, &in, sizeof(in));
	else if (inet_pton(AF_INET6, text, &in6.sin6_addr) == 1)
		memcpy(out, &in6, sizeof(in6));
	return out->ss_family != AF_UNSPEC;
}

struct rg_prefix prefix_of_address(const struct sockaddr_storage *address)
{
	struct rg_prefix prefix = {.bits = 128};
	if (address->ss_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, address, sizeof(in6));
		memcpy(prefix.address, &in6.sin6_addr, 16);
	} else {
		struct sockaddr_in in;
		memcpy(&in, address, sizeof(in));
		memset(prefix.address + 10, 0xff, 2);
		memcpy(prefix.address + 12, &in.sin_addr, 4);
	}
	return prefix;
}

/* Clears what lies beyond the prefix; true: nothing did. */
static bool prefix_mask(struct rg_prefix *prefix)
{
	bool clean = true;
	for (unsigned i = 0; i < 16; i++) {
		unsigned kept = prefix->bits > 8 * i ? prefix->bits - 8 * i : 0;
		uint8_t mask = kept >= 8 ? 0xff : (uint8_t)(0xff00u >> kept);
		clean = clean && (prefix->address[i] & ~mask) == 0;
		prefix->address[i] &= mask;
	}
	return clean;
}

void prefix_print(const struct rg_prefix *prefix, char out[64])
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	char address[INET6_ADDRSTRLEN];
	bool v4 = prefix->bits >= 96 && memcmp(prefix->address, mapped, 12) == 0;
	inet_ntop(v4 ? AF_INET : AF_INET6, prefix->address + (v4 ? 12 : 0), address, sizeof(address));
	snprintf(out, 64, "%s/%d", address, prefix->bits - (v4 ? 96 : 0));
}

bool prefix_parse(struct rg_complaint *at, const char *key, const char *text, struct rg_prefix *prefix)
{
	char address[64], meant[64];
	struct sockaddr_storage storage;
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	snprintf(address, sizeof(address), "%.*s", (int)(length < 63 ? length : 63), text);
	if (!address_parse(address, 0, &storage)) {
		complain_error(at, key, "\"%s\" is no address or network such as 10.20.0.0/16 or fd00:20::/48",
			       text);
		return false;
	}
	*prefix = prefix_of_address(&storage);
	bool v4 = storage.ss_family == AF_INET;
	if (slash) {
		unsigned most = v4 ? 32 : 128;
		size_t digits = strspn(slash + 1, "0123456789");
		unsigned long bits = strtoul(slash + 1, NULL, 10);
		if (digits == 0 || digits > 3 || slash[1 + digits] != '\0' || bits > most) {
			complain_error(at, key, "\"%s\": the part after / must be 0 to %u", text, most);
			return false;
		}
		prefix->bits = (uint8_t)(bits + (v4 ? 96 : 0));
	}
	if (prefix_mask(prefix))
		return true;
	prefix_print(prefix, meant);
	complain_error(at, key, "\"%s\" has bits set beyond its /%s: is %s meant?", text, slash + 1, meant);
	return false;
}

size_t prefixes_read(struct rg_complaint *at, const char *key, const struct rg_strings *written,
		     struct rg_prefix **out)
{
	size_t count = 0;
	*out = arena_alloc(&at->reading->raddb->arena, (written->count + 1) * sizeof(**out));
	for (size_t i = 0; i < written->count; i++)
		if (prefix_parse(at, key, written->items[i], &(*out)[count]))
			count++;
	if (config_setting_get_member(at->group, key) && written->count == 0)
		complain_error(at, key, "is empty: nobody could ask");
	return count;
}

bool prefixes_overlap(const struct rg_prefix *a, const struct rg_prefix *b)
{
	struct rg_prefix wide = a->bits < b->bits ? *a : *b, narrow = a->bits < b->bits ? *b : *a;
	narrow.bits = wide.bits;
	prefix_mask(&narrow);
	return memcmp(wide.address, narrow.address, sizeof(wide.address)) == 0;
}

const char *pattern_read(struct rg_complaint *at, const char *key, const char *text, bool any)
{
	char *pattern = arena_text(&at->reading->raddb->arena, text);
	text_lower(pattern);
	if (any && strcmp(pattern, "*") == 0)
		return pattern;
	const char *realm = strncmp(pattern, "*.", 2) == 0 ? pattern + 2 : pattern;
	if (strchr(realm, '*')) {
		complain_error(at, key, "\"%s\": a * may only stand alone as the first label, as in *.example.nl",
			       text);
		return NULL;
	}
	enum rg_nai_fault fault = realm_check(span_text(realm));
	/* "*.nl" names all below a top-level domain. */
	if (fault == RG_NAI_NO_DOT && realm != pattern)
		fault = RG_NAI_OK;
	if (fault == RG_NAI_OK)
		return pattern;
	complain_error(at, key, "\"%s\" is no realm: %s", text, nai_fault_text(fault));
	return NULL;
}
